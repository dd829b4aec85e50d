//! Threads for work that may block: syncing to disk, deleting, scanning (Kafka: `num.io.threads`).

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex};

use crate::sys::Spawner;

type Task = Box<dyn FnOnce() + Send>;

/// A pool that starts its threads one by one, when there is work and none is idle: a broker that never blocks
/// never has one.
pub(crate) struct IoThreads {
    spawner: Arc<dyn Spawner>,
    state: Mutex<State>,
    work: Condvar,
    settled: Condvar,
}

struct State {
    queue: VecDeque<Task>,
    idle: usize,
    busy: usize,
    limit: usize,
    threads: Vec<JoinHandle<()>>,
    closed: bool,
}

impl IoThreads {
    pub(crate) fn new(spawner: Arc<dyn Spawner>, limit: usize) -> Arc<Self> {
        let state = State {
            queue: VecDeque::new(),
            idle: 0,
            busy: 0,
            limit: limit.max(1),
            threads: Vec::new(),
            closed: false,
        };
        Arc::new(IoThreads {
            spawner,
            state: Mutex::new(state),
            work: Condvar::new(),
            settled: Condvar::new(),
        })
    }

    /// Changes how many threads there may be; those that run finish what they have.
    pub(crate) fn resize(&self, limit: usize) {
        self.state.lock().limit = limit.max(1);
    }

    /// Runs `task` on a thread of the pool; on the caller's own if no thread can be started. After
    /// [`IoThreads::close`] it is dropped.
    pub(crate) fn run(self: &Arc<Self>, task: impl FnOnce() + Send + 'static) {
        let mut state = self.state.lock();
        if state.closed {
            return;
        }
        state.queue.push_back(Box::new(task));
        if state.idle >= state.queue.len() || state.threads.len() >= state.limit {
            drop(state);
            self.work.notify_one();
            return;
        }
        let pool = Arc::clone(self);
        let name = format!("io-{}", state.threads.len());
        match self.spawner.spawn(&name, Box::new(move || while pool.run_once() {})) {
            Ok(thread) => state.threads.push(thread),
            Err(error) if state.threads.is_empty() => {
                tracing::error!(%error, "cannot start an I/O thread; its work is done by the caller");
                let task = state.queue.pop_back();
                drop(state);
                if let Some(task) = task {
                    task();
                }
            }
            Err(error) => {
                tracing::warn!(%error, threads = state.threads.len(), "cannot start another I/O thread");
            }
        }
    }

    /// Takes one task and runs it; waits for one if there is none. Returns `false` once closed and empty.
    fn run_once(&self) -> bool {
        let task = {
            let mut state = self.state.lock();
            loop {
                if let Some(task) = state.queue.pop_front() {
                    state.busy += 1;
                    break task;
                }
                if state.closed {
                    return false;
                }
                state.idle += 1;
                self.work.wait(&mut state);
                state.idle -= 1;
            }
        };
        if let Err(panic) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(task)) {
            let what =
                panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
            tracing::error!(
                panic = what.unwrap_or("(no text)"),
                "an I/O task panicked: this is a bug in ottla"
            );
        }
        let mut state = self.state.lock();
        state.busy -= 1;
        if state.busy == 0 && state.queue.is_empty() {
            self.settled.notify_all();
        }
        true
    }

    /// Waits until there is nothing to do. Not to be called from a task.
    pub(crate) fn settle(&self) {
        let mut state = self.state.lock();
        while state.busy > 0 || !state.queue.is_empty() {
            self.settled.wait(&mut state);
        }
    }

    /// The task of this thread is about to wait for the clock, so that [`settle`](Self::settle) must not wait for it;
    /// whether it is one of this pool, whose wait [`end_pause`](Self::end_pause) has to end then.
    pub(crate) fn begin_pause(&self) -> bool {
        let own = std::thread::current().id();
        let mut state = self.state.lock();
        if !state.threads.iter().any(|thread| thread.thread().id() == own) {
            return false;
        }
        state.busy -= 1;
        if state.busy == 0 && state.queue.is_empty() {
            self.settled.notify_all();
        }
        true
    }

    /// The time has come for which a task has waited. It may be called on any thread, before the task goes on.
    pub(crate) fn end_pause(&self) {
        self.state.lock().busy += 1;
    }

    /// Finishes what is queued, then ends the threads.
    pub(crate) fn close(&self) {
        let threads = {
            let mut state = self.state.lock();
            state.closed = true;
            std::mem::take(&mut state.threads)
        };
        self.work.notify_all();
        let own = std::thread::current().id();
        for thread in threads {
            // A task that closes the broker runs on one of these threads, which cannot wait for itself.
            if thread.thread().id() != own && thread.join().is_err() {
                tracing::error!("an I/O thread panicked: this is a bug in ottla");
            }
        }
    }
}

impl fmt::Debug for IoThreads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IoThreads").field("queued", &self.state.lock().queue.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::ThreadSpawner;

    #[test]
    fn every_task_runs_before_close_returns_even_if_one_panics() {
        let pool = IoThreads::new(Arc::new(ThreadSpawner), 2);
        let (sender, receiver) = crossbeam::channel::unbounded();
        for i in 0..10 {
            let sender = sender.clone();
            pool.run(move || {
                assert_ne!(i, 3, "a task that fails");
                sender.send(i).unwrap();
            });
        }
        drop(sender);
        pool.close();
        assert_eq!(receiver.iter().sum::<i32>(), 45 - 3);
    }

    #[test]
    fn a_task_may_close_the_pool_it_runs_on() {
        let pool = IoThreads::new(Arc::new(ThreadSpawner), 1);
        let (sender, receiver) = crossbeam::channel::bounded(1);
        let inner = Arc::clone(&pool);
        pool.run(move || {
            inner.close();
            sender.send(()).unwrap();
        });
        receiver.recv().unwrap();
    }
}
