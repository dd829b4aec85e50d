use std::sync::Arc;

use crossbeam::channel::{Receiver, unbounded};
use parking_lot::Mutex;

use crate::sys::Env;

/// Does `work` for each of the jobs, and answers what came of them, in no order. Each group, of one log dir, has up to
/// `threads` threads of its own (Kafka: `num.recovery.threads.per.data.dir`), so that no disk waits for another, and
/// none is asked by more; this thread is one of them. One that cannot be started is done without. A panic of `work` is
/// one of the caller.
pub(super) fn run_jobs<T: Send + 'static, R: Send + 'static>(
    env: &Env,
    threads: usize,
    mut groups: Vec<Vec<T>>,
    work: impl Fn(T) -> R + Send + Sync + 'static,
) -> Vec<R> {
    groups.retain(|jobs| !jobs.is_empty());
    let Some(last) = groups.pop() else { return Vec::new() };
    if groups.is_empty() && threads.min(last.len()) <= 1 {
        return last.into_iter().map(work).collect();
    }
    let (work, results) = (Arc::new(work), Arc::new(Mutex::new(Vec::new())));
    let run = |jobs: Receiver<T>| {
        let (work, results) = (Arc::clone(&work), Arc::clone(&results));
        move || {
            for job in jobs {
                let result = work(job);
                results.lock().push(result);
            }
        }
    };
    let (mut handles, mut left) = (Vec::new(), Vec::new());
    let is_mine = groups.len();
    for (i, jobs) in groups.into_iter().chain([last]).enumerate() {
        let helpers = threads.min(jobs.len()) - usize::from(i == is_mine);
        let (sender, receiver) = unbounded();
        for job in jobs {
            // This function holds the receiver.
            let _ = sender.send(job);
        }
        let before = handles.len();
        for _ in 0..helpers {
            let name = format!("log-recover-{}", handles.len() % 100);
            match env.spawner.spawn(&name, Box::new(run(receiver.clone()))) {
                Ok(handle) => handles.push(handle),
                Err(error) => tracing::warn!(%error, "a recovery thread cannot be started"),
            }
        }
        if i == is_mine || handles.len() == before {
            left.push(receiver);
        }
    }
    for jobs in left.into_iter().rev() {
        run(jobs)();
    }
    for handle in handles {
        // Whoever hands the jobs out contains their panics, so that none is left without a result.
        if let Err(panic) = handle.join() {
            std::panic::resume_unwind(panic);
        }
    }
    let mut results = results.lock();
    std::mem::take(&mut *results)
}
