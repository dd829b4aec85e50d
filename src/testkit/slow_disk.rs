//! Operations of a disk that take their time, by the broker's clock.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::faulty_fs::FileOperation;
use crate::broker::{BrokerCore, IoThreads};

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
}

/// A thread that waits for the end of its operation.
struct Pause {
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
            std::mem::take(&mut state.pauses)
        };
        pauses.iter().filter_map(Weak::upgrade).for_each(|pause| pause.end());
    }

    /// Waits as long as an operation takes.
    pub(super) fn pause(&self, operation: FileOperation, path: &Path) {
        let (core, plan) = {
            let state = self.state.lock();
            if state.delays.is_empty() && state.plan.is_none() {
                return;
            }
            (state.core.upgrade(), state.plan.clone())
        };
        let Some(core) = core.filter(|core| !core.is_skipping_here()) else { return };
        // Outside of the lock: a plan may do what it likes.
        let planned = plan.and_then(|plan| plan(operation, path));
        let pause = {
            let mut state = self.state.lock();
            let Some(by) = planned.or_else(|| state.delays.get(&operation).copied()) else { return };
            let is_pooled = core.io_threads.begin_pause();
            let pause = Arc::new(Pause {
                pool: is_pooled.then(|| Arc::clone(&core.io_threads)),
                is_over: Mutex::new(false),
                over: Condvar::new(),
            });
            state.pauses.retain(|known| known.strong_count() > 0);
            state.pauses.push(Arc::downgrade(&pause));
            let timed = Arc::clone(&pause);
            core.timer.schedule(by, move || timed.end());
            pause
        };
        pause.wait();
    }
}
