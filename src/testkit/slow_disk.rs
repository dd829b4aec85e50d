//! Operations of a disk that take their time, by the broker's clock.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::thread::ThreadId;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::faulty_fs::FileOperation;
use crate::broker::{BrokerCore, IoThreads};

/// How long, by the machine's time, an operation that comes while time is skipped lets itself be waited for: whoever skips
/// it may stand before a lock that is held until the operation ends, and then time would never come to that.
const SKIP_PATIENCE: Duration = Duration::from_millis(50);

/// How long an operation on the file takes, if it takes time.
type DelayPlan = Arc<dyn Fn(FileOperation, &Path) -> Option<Duration> + Send + Sync>;

/// How long each kind of operation takes, and who waits for one.
#[derive(Default)]
pub(super) struct SlowDisk {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Whose disk it is.
    core: Weak<BrokerCore>,
    delays: HashMap<FileOperation, Duration>,
    /// What single ones take, however long others of their kind do.
    plan: Option<DelayPlan>,
    pauses: Vec<Weak<Pause>>,
    /// How often everything has ended: what was planned before that takes no time any more.
    clearings: usize,
    /// How many skip time now.
    skipping: usize,
    /// Threads for which no operation takes time.
    unhindered: Vec<ThreadId>,
}

/// A thread that waits for the end of its operation.
struct Pause {
    /// On the monotonic clock.
    ends_at: Duration,
    /// Others may wait for a lock, or a thread, until the operation is over. What waits for a sync is told of its end.
    holds_up_others: bool,
    /// The pool that the thread is of, and that is not to be settled before the operation has ended.
    pool: Option<Arc<IoThreads>>,
    is_over: Mutex<bool>,
    over: Condvar,
}

impl Pause {
    fn end(&self) {
        let mut is_over = self.is_over.lock();
        if !std::mem::replace(&mut *is_over, true) {
            if let Some(pool) = &self.pool {
                pool.end_pause();
            }
            self.over.notify_all();
        }
    }

    fn wait(&self) {
        let mut is_over = self.is_over.lock();
        while !*is_over {
            self.over.wait(&mut is_over);
        }
    }

    /// Whether it has ended by then.
    fn wait_for(&self, limit: Duration) -> bool {
        let mut is_over = self.is_over.lock();
        while !*is_over && !self.over.wait_for(&mut is_over, limit).timed_out() {}
        *is_over
    }
}

/// Time is skipped as long as this lives.
pub(super) struct Skipping<'a>(&'a SlowDisk);

impl Drop for Skipping<'_> {
    fn drop(&mut self) {
        self.0.state.lock().skipping -= 1;
    }
}

/// Operations of a thread take no time as long as this lives.
struct Unhindered<'a>(&'a SlowDisk, ThreadId);

impl Drop for Unhindered<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        if let Some(at) = state.unhindered.iter().position(|thread| *thread == self.1) {
            state.unhindered.swap_remove(at);
        }
    }
}

impl SlowDisk {
    /// The broker whose disk it is from now on.
    pub(super) fn attach(&self, core: Weak<BrokerCore>) {
        self.state.lock().core = core;
    }

    /// From now on, each operation of this kind takes so long.
    pub(super) fn set(&self, operation: FileOperation, by: Duration) {
        self.state.lock().delays.insert(operation, by);
    }

    /// From now on, asks `plan` how long each operation takes.
    pub(super) fn set_plan(
        &self,
        plan: impl Fn(FileOperation, &Path) -> Option<Duration> + Send + Sync + 'static,
    ) {
        self.state.lock().plan = Some(Arc::new(plan));
    }

    /// From now on, nothing takes time, and what is under way ends.
    pub(super) fn clear(&self) {
        let pauses = {
            let mut state = self.state.lock();
            state.delays.clear();
            state.plan = None;
            state.clearings += 1;
            std::mem::take(&mut state.pauses)
        };
        pauses.iter().filter_map(Weak::upgrade).for_each(|pause| pause.end());
    }

    /// Begins to skip time, unless an operation is under way that holds up others, who could not do what is due: then
    /// answers when it ends.
    pub(super) fn begin_skipping(&self) -> Result<Skipping<'_>, Duration> {
        let mut state = self.state.lock();
        let under_way = state.pauses.iter().filter_map(Weak::upgrade);
        let ends = under_way.filter(|pause| pause.holds_up_others && !*pause.is_over.lock());
        match ends.map(|pause| pause.ends_at).min() {
            Some(ends_at) => Err(ends_at),
            None => {
                state.skipping += 1;
                Ok(Skipping(self))
            }
        }
    }

    /// Ends what is over by then. The timer would do that, but may itself wait for it.
    pub(super) fn end_due(&self, now: Duration) {
        let pauses: Vec<_> = self.state.lock().pauses.iter().filter_map(Weak::upgrade).collect();
        pauses.iter().filter(|pause| pause.ends_at <= now).for_each(|pause| pause.end());
    }

    /// Does something with the files that is the test's doing, not the broker's.
    pub(super) fn unhindered<T>(&self, work: impl FnOnce() -> T) -> T {
        let own = std::thread::current().id();
        self.state.lock().unhindered.push(own);
        let _until_done = Unhindered(self, own);
        work()
    }

    /// Waits as long as an operation takes.
    pub(super) fn pause(&self, operation: FileOperation, path: &Path) {
        let (core, plan, clearings) = {
            let state = self.state.lock();
            let takes_time = !state.delays.is_empty() || state.plan.is_some();
            if !takes_time || state.unhindered.contains(&std::thread::current().id()) {
                return;
            }
            (state.core.upgrade(), state.plan.clone(), state.clearings)
        };
        let Some(core) = core.filter(|core| !core.is_skipping_here()) else { return };
        // Outside of the lock: a plan may do what it likes.
        let planned = plan.and_then(|plan| plan(operation, path));
        let (pause, is_skipping) = {
            let mut state = self.state.lock();
            if state.clearings != clearings {
                return;
            }
            let Some(by) = planned.or_else(|| state.delays.get(&operation).copied()) else { return };
            let is_pooled = core.io_threads.begin_pause();
            let pause = Arc::new(Pause {
                ends_at: core.env.clock.monotonic().saturating_add(by),
                holds_up_others: operation != FileOperation::Sync,
                pool: is_pooled.then(|| Arc::clone(&core.io_threads)),
                is_over: Mutex::new(false),
                over: Condvar::new(),
            });
            state.pauses.retain(|known| known.strong_count() > 0);
            state.pauses.push(Arc::downgrade(&pause));
            let timed = Arc::clone(&pause);
            core.timer.schedule(by, move || timed.end());
            (pause, state.skipping > 0)
        };
        if is_skipping
            && pause.holds_up_others
            && !pause.wait_for(SKIP_PATIENCE)
            && self.state.lock().skipping > 0
        {
            pause.end();
        }
        pause.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::thread::JoinHandle;

    use super::*;
    use crate::sys::ManualClock;
    use crate::testkit::TestBroker;

    /// The disk of a broker whose time stands still, on which everything takes five seconds.
    struct Fixture {
        kafka: TestBroker,
        disk: Arc<SlowDisk>,
    }

    impl Fixture {
        fn new() -> Self {
            let kafka = TestBroker::with_clock(Arc::new(ManualClock::new(0))).unwrap();
            let disk = Arc::new(SlowDisk::default());
            disk.attach(Arc::downgrade(&kafka.core));
            disk.set_plan(|_, _| Some(Duration::from_secs(5)));
            Fixture { kafka, disk }
        }

        /// An operation that is under way.
        fn begin(&self, operation: FileOperation) -> JoinHandle<()> {
            let disk = Arc::clone(&self.disk);
            let before = self.under_way();
            let begun = move || disk.pause(operation, &PathBuf::from("a"));
            let thread = std::thread::Builder::new().spawn(begun).unwrap();
            while self.under_way() == before {
                std::thread::yield_now();
            }
            thread
        }

        fn under_way(&self) -> usize {
            self.disk.state.lock().pauses.iter().filter(|pause| pause.strong_count() > 0).count()
        }
    }

    #[test]
    fn time_is_not_skipped_past_what_holds_up_others_before_that_has_ended() {
        let fixture = Fixture::new();
        let write = fixture.begin(FileOperation::Write);
        assert_eq!(fixture.disk.begin_skipping().err(), Some(Duration::from_secs(5)));
        fixture.disk.end_due(Duration::from_secs(4));
        assert_eq!(fixture.disk.begin_skipping().err(), Some(Duration::from_secs(5)));
        fixture.disk.end_due(Duration::from_secs(5));
        write.join().unwrap();
        assert!(fixture.disk.begin_skipping().is_ok());
    }

    #[test]
    fn what_holds_up_others_ends_at_once_where_time_that_is_skipped_would_wait_for_it() {
        let fixture = Fixture::new();
        let _skipping = fixture.disk.begin_skipping().ok().unwrap();
        fixture.disk.pause(FileOperation::Write, &PathBuf::from("a"));
        assert_eq!(fixture.kafka.now_ms(), 0);
    }

    #[test]
    fn a_sync_holds_up_nobody_and_takes_its_time() {
        let fixture = Fixture::new();
        let sync = fixture.begin(FileOperation::Sync);
        let skipping = fixture.disk.begin_skipping().ok().unwrap();
        fixture.disk.end_due(Duration::from_secs(4));
        assert_eq!(fixture.under_way(), 1);
        fixture.disk.end_due(Duration::from_secs(5));
        sync.join().unwrap();
        drop(skipping);
    }

    /// It was told so between the plan and the wait, and waited for ever: the broker did not end either.
    #[test]
    fn what_is_planned_when_everything_ends_takes_no_time() {
        let fixture = Fixture::new();
        let disk = Arc::downgrade(&fixture.disk);
        fixture.disk.set_plan(move |_, _| {
            disk.upgrade().unwrap().clear();
            Some(Duration::from_secs(5))
        });
        fixture.disk.pause(FileOperation::Write, &PathBuf::from("a"));
        assert_eq!(fixture.under_way(), 0);
    }

    #[test]
    fn what_the_test_does_with_the_files_takes_no_time() {
        let fixture = Fixture::new();
        fixture.disk.unhindered(|| fixture.disk.pause(FileOperation::Open, &PathBuf::from("a")));
        assert_eq!(fixture.under_way(), 0);
        let open = fixture.begin(FileOperation::Open);
        fixture.disk.clear();
        open.join().unwrap();
    }
}
