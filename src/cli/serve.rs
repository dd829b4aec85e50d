//! `ottla serve`: from the settings to a broker that clients reach, and to its clean end.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use ottla::{Broker, Clock, Listener};

use super::recovery::RecoveryDisplay;
use super::signals::StopSignals;
use super::{CliError, ServeArgs, settings, start_logging};

pub(super) fn run(args: &ServeArgs, clock: &Arc<dyn Clock>) -> Result<(), CliError> {
    let started = clock.monotonic();
    // Before anything that takes time: a signal that comes early stops the broker as soon as it is open.
    let mut signals = StopSignals::take().map_err(CliError::Signals)?;
    start_logging(args.log_level.as_deref())?;
    let recovery = RecoveryDisplay::new(Arc::clone(clock), io::stderr().is_terminal());
    let builder = Broker::builder().properties(settings::collect(args)?);
    let builder = builder.on_recovery(move |progress| recovery.show(progress));
    // Kafka's `LogDirFailureHandler` ends the process when no log dir is left, so that whoever watches it can act.
    let stopper = signals.stopper();
    let mut builder = builder.on_log_dir_failure(move |failure| {
        if failure.live_log_dirs.is_empty() {
            stopper.stop();
        }
    });
    if args.temporary {
        builder = builder.temporary();
    }
    let broker = builder.open()?;
    let listeners = broker.listen_configured()?;
    let startup = clock.monotonic().saturating_sub(started);
    announce(&ready_line(&broker, &listeners, startup.as_millis()));
    signals.wait();
    tracing::info!("stopping");
    let log_dirs = broker.admin().describe_log_dirs()?;
    broker.close();
    // Those of a broker that goes on are not all offline.
    let reasons: Option<Vec<String>> = log_dirs.into_iter().map(|dir| dir.offline).collect();
    match reasons {
        Some(reasons) => Err(CliError::NoLogDirLeft { reasons: reasons.join("; ") }),
        None => Ok(()),
    }
}

/// What whoever started the process waits for.
fn ready_line(broker: &Broker, listeners: &[Listener], startup_ms: u128) -> String {
    let servers: Vec<_> = listeners.iter().map(Listener::bootstrap_servers).collect();
    let dirs: Vec<_> = broker.log_dirs().iter().map(|dir| absolute(dir)).collect();
    format!(
        "ready bootstrap.servers={} log.dirs={} startup_ms={startup_ms}",
        servers.join(","),
        dirs.join(",")
    )
}

fn absolute(dir: &Path) -> String {
    std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned()).display().to_string()
}

/// A broker serves on when nobody reads that it is ready.
pub(super) fn announce(line: &str) {
    let mut out = io::stdout().lock();
    if let Err(error) = writeln!(out, "{line}").and_then(|()| out.flush()) {
        tracing::warn!("cannot write to stdout ({error}): {line}");
    }
}
