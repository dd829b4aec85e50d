use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::sys::{Clock, Waiter};

type Task = Box<dyn FnOnce() + Send>;

/// Why something is done later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// Somebody waits for it, or will notice when it happens.
    Event,
    /// It comes round again and again and has no effect but to put an event off: heartbeats.
    Repetition,
    /// It comes round again and again to look whether there is something to do: retention, checkpoints.
    Housekeeping,
}

/// All that the broker does later, in the order in which it is due, on the injected clock (Kafka:
/// `SystemTimer`; a sorted map in place of its wheels, since a cancelled task then leaves no trace).
///
/// Tasks run one after the other on the thread that calls [`Timer::run_once`]; one that may block hands its
/// work to the I/O threads.
pub(crate) struct Timer {
    clock: Arc<dyn Clock>,
    tasks: Mutex<Tasks>,
    changed: Arc<Waiter>,
    settled: Condvar,
}

#[derive(Default)]
struct Tasks {
    by_deadline: BTreeMap<(Duration, u64), (Purpose, Task)>,
    next_id: u64,
    running: usize,
    /// Housekeeping with this id or a later one is put off, however long it has been due.
    puts_off_from: Option<u64>,
    closed: bool,
}

impl Tasks {
    /// The key of the task that is next.
    fn first(&self) -> Option<(Duration, u64)> {
        let mut tasks = self.by_deadline.iter();
        let (key, _) = tasks
            .find(|((_, id), (purpose, _))| *purpose != Purpose::Housekeeping || !self.is_put_off(*id))?;
        Some(*key)
    }

    /// Whether housekeeping with this id is.
    fn is_put_off(&self, id: u64) -> bool {
        self.puts_off_from.is_some_and(|from| id >= from)
    }

    fn is_event(&self, id: u64, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Event => true,
            Purpose::Repetition => false,
            Purpose::Housekeeping => self.puts_off_from.is_some_and(|from| id < from),
        }
    }
}

/// Names a scheduled task, to cancel it. Dropping it lets the task run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimerHandle {
    deadline: Duration,
    id: u64,
}

impl Timer {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        let changed = Waiter::new(Arc::clone(&clock));
        Arc::new(Timer { clock, tasks: Mutex::new(Tasks::default()), changed, settled: Condvar::new() })
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Runs `task` once `delay` has passed. After [`Timer::close`] it never runs, and is dropped at once.
    pub(crate) fn schedule(&self, delay: Duration, task: impl FnOnce() + Send + 'static) -> TimerHandle {
        let deadline = self.clock.monotonic().saturating_add(delay);
        self.schedule_at(deadline, task)
    }

    /// As [`Timer::schedule`], for what need not be made up for when much time passes at once: see
    /// [`Timer::put_off_housekeeping`].
    pub(crate) fn schedule_housekeeping(
        &self,
        delay: Duration,
        task: impl FnOnce() + Send + 'static,
    ) -> TimerHandle {
        let deadline = self.clock.monotonic().saturating_add(delay);
        self.insert(deadline, Purpose::Housekeeping, Box::new(task))
    }

    /// As [`Timer::schedule_at`], for what only puts an event off: [`Timer::next_event`] passes over it, and it is done
    /// before that event.
    ///
    /// By its deadline and not by a delay: what comes round counts from when it last began, so that the event, which
    /// counts from later, stays behind it even if the clock jumps in between.
    pub(crate) fn schedule_repetition_at(
        &self,
        deadline: Duration,
        task: impl FnOnce() + Send + 'static,
    ) -> TimerHandle {
        self.insert(deadline, Purpose::Repetition, Box::new(task))
    }

    /// Puts housekeeping off that is scheduled from now on, so that what comes round comes once; or lets what was put
    /// off be done.
    pub(crate) fn put_off_housekeeping(&self, puts_off: bool) {
        let mut tasks = self.tasks.lock();
        tasks.puts_off_from = puts_off.then_some(tasks.next_id);
        drop(tasks);
        self.changed.notify();
    }

    /// Runs `task` when the clock's monotonic time reaches `deadline`.
    pub(crate) fn schedule_at(
        &self,
        deadline: Duration,
        task: impl FnOnce() + Send + 'static,
    ) -> TimerHandle {
        self.insert(deadline, Purpose::Event, Box::new(task))
    }

    fn insert(&self, deadline: Duration, purpose: Purpose, task: Task) -> TimerHandle {
        let mut tasks = self.tasks.lock();
        let handle = TimerHandle { deadline, id: tasks.next_id };
        tasks.next_id += 1;
        if tasks.closed {
            return handle;
        }
        let is_first = tasks.first().is_none_or(|(first, _)| deadline < first);
        tasks.by_deadline.insert((deadline, handle.id), (purpose, task));
        drop(tasks);
        if is_first {
            self.changed.notify();
        }
        handle
    }

    /// Drops a task that has not started; `false` if it has, or had been cancelled.
    pub(crate) fn cancel(&self, handle: TimerHandle) -> bool {
        let task = self.tasks.lock().by_deadline.remove(&(handle.deadline, handle.id));
        // Dropped outside the lock: what the task holds may schedule or cancel in turn.
        task.is_some()
    }

    /// Runs what is due, in order, then waits for the next deadline, a new first task or [`Timer::close`].
    /// Returns `false` once closed.
    pub(crate) fn run_once(&self) -> bool {
        let seen = self.changed.generation();
        self.run_due();
        let next = {
            let tasks = self.tasks.lock();
            if tasks.closed {
                return false;
            }
            tasks.first().map(|(deadline, _)| deadline)
        };
        self.changed.wait(seen, next);
        true
    }

    /// Runs everything that is due now, in order of deadlines, and returns how many tasks ran.
    pub(crate) fn run_due(&self) -> usize {
        let mut count = 0;
        loop {
            let task = {
                let mut tasks = self.tasks.lock();
                let due = tasks.first().filter(|(deadline, _)| *deadline <= self.clock.monotonic());
                let Some((_, task)) = due.and_then(|first| tasks.by_deadline.remove(&first)) else {
                    self.settled.notify_all();
                    return count;
                };
                tasks.running += 1;
                task
            };
            task();
            self.tasks.lock().running -= 1;
            count += 1;
        }
    }

    /// When the next thing happens that somebody may notice; while housekeeping is put off, also what of it is not.
    pub(crate) fn next_event(&self) -> Option<Duration> {
        let tasks = self.tasks.lock();
        let mut all = tasks.by_deadline.iter();
        let event = all.find(|((_, id), (purpose, _))| tasks.is_event(*id, *purpose));
        event.map(|(&(deadline, _), _)| deadline)
    }

    /// Waits until another thread, in [`Timer::run_once`], has run all that is due. Says whether there was any.
    pub(crate) fn settle(&self) -> bool {
        let mut tasks = self.tasks.lock();
        let mut waited = false;
        loop {
            let is_due = tasks.first().is_some_and(|(deadline, _)| deadline <= self.clock.monotonic());
            if tasks.closed || (tasks.running == 0 && !is_due) {
                return waited;
            }
            waited = true;
            self.settled.wait(&mut tasks);
        }
    }

    /// How many tasks wait.
    pub(crate) fn len(&self) -> usize {
        self.tasks.lock().by_deadline.len()
    }

    /// Drops all tasks and ends [`Timer::run_once`].
    pub(crate) fn close(&self) {
        let dropped = {
            let mut tasks = self.tasks.lock();
            tasks.closed = true;
            std::mem::take(&mut tasks.by_deadline)
        };
        drop(dropped);
        self.settled.notify_all();
        self.changed.notify();
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer").field("tasks", &self.len()).finish_non_exhaustive()
    }
}
