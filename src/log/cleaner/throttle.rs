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
    /// When what was read and written so far would be through at the wanted rate, on the monotonic clock.
    through: Mutex<Duration>,
}

impl Throttler {
    /// Waits end when `wakeup` says that there may be a reason to.
    pub(super) fn new(clock: Arc<dyn Clock>, wakeup: Arc<Waiter>) -> Self {
        Throttler { clock, wakeup, through: Mutex::new(Duration::ZERO) }
    }

    /// Counts `bytes`, and waits while more were counted than the rate admits, unless `is_over` says that nobody wants
    /// the work any more.
    pub(super) fn throttle(&self, bytes: u64, bytes_per_second: f64, is_over: impl Fn() -> bool) {
        let cost = (bytes as f64 / bytes_per_second.max(MIN_BYTES_PER_SECOND)).min(MAX_COST_SECONDS);
        let until = {
            let mut through = self.through.lock();
            let now = self.clock.monotonic();
            *through = (*through).max(now).saturating_add(Duration::from_secs_f64(cost));
            match through.checked_sub(now) {
                Some(ahead) if ahead > BURST => *through,
                _ => return,
            }
        };
        loop {
            let seen = self.wakeup.generation();
            if is_over() || self.clock.monotonic() >= until {
                return;
            }
            self.wakeup.wait(seen, Some(until));
        }
    }
}
