//! Holding compaction back, so that its reads and writes leave the disk to others (Kafka: `Throttler`).

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::sys::{Clock, Waiter};

/// How far ahead of its rate compaction may get before it waits.
const BURST: Duration = Duration::from_millis(300);
/// A rate of nothing would never end.
const MIN_BYTES_PER_SECOND: f64 = 1.0;
/// Nothing waits longer than this for one chunk; also keeps the arithmetic within bounds.
const MAX_COST_SECONDS: f64 = 1e6;

pub(super) struct Throttler {
    clock: Arc<dyn Clock>,
    wakeup: Arc<Waiter>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// When what was read and written so far would be through at the wanted rate, on the monotonic clock.
    through: Duration,
    /// How often the rate was changed.
    rates: u64,
}

impl Throttler {
    /// Waits end when `wakeup` says that there may be a reason to.
    pub(super) fn new(clock: Arc<dyn Clock>, wakeup: Arc<Waiter>) -> Self {
        Throttler { clock, wakeup, state: Mutex::default() }
    }

    /// Counts `bytes`, and waits while more were counted than the rate admits, unless `is_over` says that nobody wants
    /// the work any more.
    pub(super) fn throttle(&self, bytes: u64, bytes_per_second: f64, is_over: impl Fn() -> bool) {
        let cost = (bytes as f64 / bytes_per_second.max(MIN_BYTES_PER_SECOND)).min(MAX_COST_SECONDS);
        let (until, rates) = {
            let mut state = self.state.lock();
            let now = self.clock.monotonic();
            state.through = state.through.max(now).saturating_add(Duration::from_secs_f64(cost));
            match state.through.checked_sub(now) {
                Some(ahead) if ahead > BURST => (state.through, state.rates),
                _ => return,
            }
        };
        loop {
            let seen = self.wakeup.generation();
            if is_over() || self.state.lock().rates != rates || self.clock.monotonic() >= until {
                return;
            }
            self.wakeup.wait(seen, Some(until));
        }
    }

    /// The rate is another from now on: nobody waits any more for what the one before did not admit. The caller
    /// notifies those who wait.
    pub(super) fn change_rate(&self) {
        let mut state = self.state.lock();
        state.through = self.clock.monotonic();
        state.rates += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::sys::ManualClock;

    /// Two threads, each with five seconds' worth of bytes: the second one has both to wait for.
    #[test]
    fn threads_share_one_rate() {
        let clock = Arc::new(ManualClock::new(0));
        let wakeup = Waiter::new(clock.clone());
        let throttler = Throttler::new(clock.clone(), Arc::clone(&wakeup));
        let looks = [AtomicUsize::new(0), AtomicUsize::new(0)];
        let until_it_looks = |i: usize, before: usize| {
            while looks[i].load(Ordering::SeqCst) <= before {
                std::thread::yield_now();
            }
        };
        std::thread::scope(|scope| {
            let start = |i: usize| {
                let (throttler, looks) = (&throttler, &looks);
                let thread = scope.spawn(move || {
                    throttler.throttle(5_000, 1_000.0, || {
                        looks[i].fetch_add(1, Ordering::SeqCst);
                        false
                    });
                });
                until_it_looks(i, 0);
                thread
            };
            let (first, second) = (start(0), start(1));
            clock.advance(Duration::from_secs(5));
            first.join().unwrap();
            for _ in 0..4 {
                // At the next look, what came of the one before is decided.
                let before = looks[1].load(Ordering::SeqCst);
                clock.advance(Duration::from_secs(1));
                wakeup.notify();
                until_it_looks(1, before);
                assert!(!second.is_finished());
            }
            clock.advance(Duration::from_secs(1));
            second.join().unwrap();
        });
    }
}
