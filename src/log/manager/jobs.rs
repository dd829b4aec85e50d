use std::sync::Arc;

use crossbeam::channel::unbounded;

use crate::sys::Env;

/// Does `work` for each of `jobs`, on up to `threads` threads, this one included; returns when all are done. A
/// thread that cannot be started is done without.
pub(super) fn run_jobs<T: Send + 'static>(
    env: &Env,
    threads: usize,
    jobs: Vec<T>,
    work: impl Fn(T) + Send + Sync + 'static,
) {
    let helpers = threads.min(jobs.len()).saturating_sub(1);
    if helpers == 0 {
        jobs.into_iter().for_each(work);
        return;
    }
    let (sender, receiver) = unbounded();
    for job in jobs {
        // This function holds the receiver.
        let _ = sender.send(job);
    }
    drop(sender);
    let work = Arc::new(work);
    let mut handles = Vec::new();
    for i in 0..helpers {
        let (receiver, work) = (receiver.clone(), Arc::clone(&work));
        let body = move || receiver.into_iter().for_each(|job| work(job));
        match env.spawner.spawn(&format!("log-recover-{}", i % 100), Box::new(body)) {
            Ok(handle) => handles.push(handle),
            Err(error) => tracing::warn!(%error, "a recovery thread cannot be started"),
        }
    }
    receiver.into_iter().for_each(|job| work(job));
    for handle in handles {
        if handle.join().is_err() {
            tracing::error!("a recovery thread panicked");
        }
    }
}
