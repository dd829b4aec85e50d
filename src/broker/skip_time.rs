//! Time that a test lets pass at once.

use std::time::Duration;

use super::core::BrokerCore;
use crate::model::Timestamp;

/// How many deadlines of upkeep are met to the millisecond within one skip. Beyond, several are met together: each costs
/// a look at everything.
const MAX_EXACT: u32 = 400;

/// What the broker would have found by looking from time to time, and is now to find at its very deadline: a
/// transaction's timeout, an offset or an id that expires, retention, compaction.
struct Upkeep {
    /// All that was due by then is done, or was tried in vain, or waits for the next look that comes round: what was over
    /// before time was skipped, such as the retention of records that bear an old timestamp.
    done_ms: Timestamp,
    /// When the threads that compact look at what could be compacted already.
    first_compaction: Option<Duration>,
    /// Deadlines are met from then on.
    not_before: Duration,
    count: u32,
}

impl BrokerCore {
    /// Lets `by` pass on a clock that can skip time, and does all that is due by then before it returns, each at its own
    /// time, so that what follows from it is in time as well. What only comes round (checkpoints, say) comes once in its
    /// own time, and once at the end. Says whether the clock could skip.
    ///
    /// Not to be called from a task of the broker, for which it would wait.
    pub(crate) fn skip_time(&self, by: Duration) -> bool {
        let clock = &self.env.clock;
        if !clock.skip(Duration::ZERO) {
            return false;
        }
        // Two that skip at once skip one after the other.
        let _skipping = self.skipping.lock();
        *self.skipped_by.lock() = Some(std::thread::current().id());
        let begin = clock.monotonic();
        // A clock that has come to its end stands still, and would never show a later one.
        let end = begin.saturating_add(by.min(clock.left()));
        let backoff = u64::try_from(self.config().log_cleaner_backoff_ms).unwrap_or(0);
        let mut upkeep = Upkeep {
            done_ms: clock.now_ms(),
            first_compaction: Some(begin.saturating_add(Duration::from_millis(backoff))),
            not_before: begin,
            count: 0,
        };
        let mut served = begin;
        self.timer.put_off_housekeeping(true);
        loop {
            let upkeep_at = self.next_upkeep(&upkeep);
            let service_at = self.next_of_services(served);
            let now = clock.monotonic();
            let deadlines = [self.timer.next_event(), upkeep_at, service_at];
            let next = deadlines.into_iter().flatten().min().map_or(end, |at| at.clamp(now, end.max(now)));
            if next >= end {
                self.timer.put_off_housekeeping(false);
            }
            clock.skip(next.saturating_sub(now));
            self.settle();
            if upkeep_at.is_some_and(|at| at <= next) {
                self.keep_up(&mut upkeep, by);
                self.settle();
            }
            if service_at.is_some_and(|at| at <= next) {
                served = next;
                self.settle_services();
            }
            if next >= end {
                break;
            }
        }
        if by.as_millis() >= u128::from(backoff) {
            self.log_manager.clean_all_due();
        }
        self.settle_services();
        *self.skipped_by.lock() = None;
        true
    }

    /// Whether this thread lets time pass, and so must not wait for the clock.
    pub(crate) fn is_skipping_here(&self) -> bool {
        *self.skipped_by.lock() == Some(std::thread::current().id())
    }

    /// When there is something to do that no timer is set for.
    fn next_upkeep(&self, upkeep: &Upkeep) -> Option<Duration> {
        let after = upkeep.done_ms;
        let deadlines = [
            self.transactions.next_deadline_ms(after),
            self.groups.next_offset_expiry_ms(after),
            self.log_manager.next_upkeep_ms(after),
        ];
        let deadline_ms = deadlines.into_iter().flatten().min();
        // In this order: of a clock that runs, the time that is read later is later.
        let (now_ms, now) = (self.env.clock.now_ms(), self.env.clock.monotonic());
        let exact = deadline_ms.map(|at| {
            let until = u64::try_from(at.saturating_sub(now_ms)).unwrap_or(0);
            now.saturating_add(Duration::from_millis(until)).max(upkeep.not_before)
        });
        exact.into_iter().chain(upkeep.first_compaction).min()
    }

    /// Does what is due now.
    fn keep_up(&self, upkeep: &mut Upkeep, by: Duration) {
        let clock = &self.env.clock;
        let now = clock.monotonic();
        upkeep.done_ms = clock.now_ms();
        upkeep.first_compaction = upkeep.first_compaction.filter(|at| *at > now);
        upkeep.count += 1;
        if upkeep.count >= MAX_EXACT {
            upkeep.not_before = now.saturating_add(by / MAX_EXACT);
        }
        self.transactions.abort_timed_out();
        self.transactions.remove_expired();
        self.groups.expire_offsets();
        self.log_manager.remove_expired_producers();
        self.log_manager.cleanup_logs();
        self.log_manager.clean_all_due();
    }

    /// Waits until all that is due is done, by the timer and by those that it hands work to.
    pub(super) fn settle(&self) {
        self.timer.settle();
        self.io_threads.settle();
        while self.timer.settle() {
            self.io_threads.settle();
        }
    }

    /// When a service has something to do, of which nothing is known by `served` yet.
    fn next_of_services(&self, served: Duration) -> Option<Duration> {
        let services = self.services.lock();
        let deadlines = services.iter().filter_map(|service| service.next_deadline());
        deadlines.filter(|at| *at > served).min()
    }

    fn settle_services(&self) {
        let services = self.services.lock().clone();
        for service in services {
            service.settle();
        }
    }
}
