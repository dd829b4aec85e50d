//! Waits for the signal to stop, or for another reason to.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// The exit code after a second signal: what shells show of a program that was interrupted.
const IMPATIENT: i32 = 130;

/// SIGTERM, SIGINT, and with a terminal that closes SIGHUP, unless `nohup` has it ignored: those that end Apache Kafka's
/// JVM in order.
fn stop_signals() -> Vec<i32> {
    let mut signals = vec![SIGTERM, SIGINT];
    #[cfg(target_os = "linux")]
    if !is_hangup_ignored() {
        signals.push(signal_hook::consts::SIGHUP);
    }
    signals
}

/// By the mask of ignored signals, whose lowest bit is for signal 1, SIGHUP; not known, it is left alone.
#[cfg(target_os = "linux")]
#[expect(clippy::disallowed_methods, reason = "what the system tells of this process")]
fn is_hangup_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_none_or(|mask| mask & 1 == 1)
}

/// The signals to stop, from when it was made.
pub(super) struct StopSignals {
    #[cfg(unix)]
    signals: signal_hook::iterator::Signals,
    #[cfg(not(unix))]
    came: Arc<AtomicBool>,
}

/// Ends [`StopSignals::wait`] without a signal.
pub(super) struct Stopper {
    #[cfg(unix)]
    signals: signal_hook::iterator::Handle,
    #[cfg(not(unix))]
    came: Arc<AtomicBool>,
}

impl Stopper {
    pub(super) fn stop(&self) {
        #[cfg(unix)]
        self.signals.close();
        #[cfg(not(unix))]
        self.came.store(true, std::sync::atomic::Ordering::Relaxed);
    }
}

impl StopSignals {
    /// From here on the first signal is kept for [`StopSignals::wait`], and a second ends the process at once.
    pub(super) fn take() -> io::Result<Self> {
        let came = Arc::new(AtomicBool::new(false));
        let signals = stop_signals();
        for &signal in &signals {
            // In this order: the first signal finds the flag down and raises it.
            flag::register_conditional_shutdown(signal, IMPATIENT, Arc::clone(&came))?;
            flag::register(signal, Arc::clone(&came))?;
        }
        Ok(StopSignals {
            #[cfg(unix)]
            signals: signal_hook::iterator::Signals::new(signals)?,
            #[cfg(not(unix))]
            came,
        })
    }

    /// For whoever knows another reason to stop.
    pub(super) fn stopper(&self) -> Stopper {
        Stopper {
            #[cfg(unix)]
            signals: self.signals.handle(),
            #[cfg(not(unix))]
            came: Arc::clone(&self.came),
        }
    }

    /// Returns when a signal has come.
    #[cfg(unix)]
    pub(super) fn wait(&mut self) {
        self.signals.forever().next();
    }

    /// Returns when a signal has come. There is nothing to block on here, so that it looks from time to time.
    #[cfg(not(unix))]
    pub(super) fn wait(&mut self) {
        while !self.came.load(std::sync::atomic::Ordering::Relaxed) {
            std::thread::park_timeout(std::time::Duration::from_millis(50));
        }
    }
}

/// Ends this process as SIGTERM does: cleanly, by whoever waits in [`StopSignals::wait`].
pub(super) fn stop_this_process() {
    // It fails only for signals that there are none of.
    if let Err(error) = signal_hook::low_level::raise(SIGTERM) {
        tracing::error!(%error, "cannot stop");
    }
}
