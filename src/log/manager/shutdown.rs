//! The end: in order, or not.

use std::sync::Arc;

use super::jobs::run_jobs;
use super::{LogManager, OpenDir};
use crate::log::{Log, LogError};

impl LogManager {
    /// Closes every log, writes the checkpoints and leaves the mark of a clean stop in each log dir that works, so
    /// that the next opening need not look into the logs (Kafka: `LogManager#shutdown`). The locks are given back.
    ///
    /// # Errors
    /// The first of the log dirs that could not be closed in order. It will be recovered by the next opening.
    pub(crate) fn shutdown(&self) -> Result<(), LogError> {
        self.stop_cleaner();
        let mut is_closed = self.changing.lock();
        if std::mem::replace(&mut *is_closed, true) {
            return Ok(());
        }
        let futures = self.future_logs();
        let group = |open: &OpenDir| {
            let mut logs = self.logs_in(&open.dir);
            logs.extend(futures.iter().filter(|log| Arc::ptr_eq(&log.log_dir, &open.dir)).cloned());
            logs
        };
        let groups = self.dirs.iter().map(group).collect();
        let closed = run_jobs(&self.env, self.recovery_threads_per_data_dir, groups, |log: Arc<Log>| {
            let error = log.log_dir.contain(&log.dir.path(), || log.close()).err()?;
            log.abandon();
            tracing::error!(partition = %log.topic_partition(), %error, "a log could not be closed");
            if error.is_disk_full() {
                return Some((Arc::clone(&log.log_dir), error));
            }
            // No mark of a clean stop, then: the next opening has to look.
            log.log_dir.fail(&error);
            None
        });
        let mut full: Vec<_> = closed.into_iter().flatten().collect();
        let mut result = Ok(());
        for open in &self.dirs {
            let unclosed = full.iter().position(|(dir, _)| Arc::ptr_eq(dir, &open.dir));
            let unclosed = unclosed.map(|i| full.swap_remove(i).1);
            let closed = open.dir.run_unless_full(|| self.close_dir(open, unclosed));
            open.lock.lock().take();
            if result.is_ok() {
                result = closed;
            }
        }
        result
    }

    /// With the error of one of its logs that found no room, without the mark: its other logs were flushed, and the
    /// checkpoints say so, if there is room for them.
    fn close_dir(&self, open: &OpenDir, unclosed: Option<LogError>) -> Result<(), LogError> {
        self.checkpoint_recovery_offsets_in(&open.dir)?;
        self.checkpoint_log_start_offsets_in(&open.dir)?;
        self.checkpoint_high_watermarks_in(&open.dir)?;
        unclosed.map_or(Ok(()), Err)?;
        open.dir.clean_shutdown.write()
    }

    /// Lets go of everything without a word to the disk: for directories that nobody wants back, and for tests of
    /// what a crash leaves.
    pub(crate) fn abandon(&self) {
        self.stop_cleaner();
        *self.changing.lock() = true;
        for log in self.logs().into_iter().chain(self.future_logs()) {
            log.abandon();
        }
        for open in &self.dirs {
            open.lock.lock().take();
        }
    }
}
