//! Appending batches that have waited long enough.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::shared::Shared;

impl Shared {
    /// Has the batches looked at when a batch that begins now has lingered long enough. One look at a time is
    /// scheduled, however many batches are open: a full batch thus costs the timer nothing.
    pub(super) fn schedule_linger(self: &Arc<Self>) {
        let linger = self.common.options.linger;
        if !linger.is_zero() && !self.is_linger_scheduled.swap(true, Ordering::SeqCst) {
            let due = self.common.core.env.clock.monotonic().saturating_add(linger);
            self.schedule_linger_at(due);
        }
    }

    fn schedule_linger_at(self: &Arc<Self>, due: Duration) {
        let core = &self.common.core;
        let io_threads = Arc::downgrade(&core.io_threads);
        let shared = Arc::downgrade(self);
        core.timer.schedule_at(due, move || {
            // An append may wait for the disk, which the timer must not.
            if let Some(io_threads) = io_threads.upgrade() {
                io_threads.run(move || append_lingering(&shared));
            }
        });
    }
}

fn append_lingering(shared: &Weak<Shared>) {
    let Some(shared) = shared.upgrade() else { return };
    // Before looking: whoever begins a batch from now on schedules another look.
    shared.is_linger_scheduled.store(false, Ordering::SeqCst);
    let now = shared.common.core.env.clock.monotonic();
    let next =
        shared.topics.accumulators().iter().filter_map(|accumulator| accumulator.append_due(now)).min();
    if let Some(due) = next
        && !shared.is_linger_scheduled.swap(true, Ordering::SeqCst)
    {
        shared.schedule_linger_at(due);
    }
}
