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
        run_jobs(&self.env, self.recovery_threads_per_data_dir, groups, |log: Arc<Log>| {
            if let Err(error) = log.close() {
                log.abandon();
                // No mark of a clean stop, then: the next opening has to look.
                log.log_dir.fail(&error);
                tracing::error!(partition = %log.topic_partition(), %error, "a log could not be closed");
            }
        });
        let mut result = Ok(());
        for open in &self.dirs {
            let closed = open.dir.run(|| self.close_dir(open));
            open.lock.lock().take();
            if result.is_ok() {
                result = closed;
            }
        }
        result
    }

    fn close_dir(&self, open: &OpenDir) -> Result<(), LogError> {
        self.checkpoint_recovery_offsets_in(&open.dir)?;
        self.checkpoint_log_start_offsets_in(&open.dir)?;
        self.checkpoint_high_watermarks_in(&open.dir)?;
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
