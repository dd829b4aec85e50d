//! What somebody must call from time to time (Kafka: `LogManager#startupWithConfigOverrides` schedules them).

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::LogManager;
use crate::log::log_dir::LogDir;
use crate::log::{Log, LogError};
use crate::model::Timestamp;

impl LogManager {
    /// Removes what retention no longer keeps; the number of segments. Every `log.retention.check.interval.ms`.
    pub(crate) fn cleanup_logs(&self) -> usize {
        let mut deleted = 0;
        self.for_each_log("retention", |log| {
            deleted += log.delete_old_segments()?;
            Ok(())
        });
        deleted
    }

    /// Flushes logs that were not for `flush.ms`. Every `log.flush.scheduler.interval.ms`.
    pub(crate) fn flush_dirty_logs(&self) {
        self.for_each_log("flush", Log::maybe_flush);
        self.for_each_future(Log::maybe_flush);
    }

    /// Flushes logs that rolled a segment, so that a recovery need not read what was rolled long ago. Soon after
    /// each roll: every second or so, which costs nothing where nothing was rolled.
    pub(crate) fn flush_rolled_logs(&self) {
        self.for_each_log("flush of rolled segments", Log::flush_if_rolled);
        self.for_each_future(Log::flush_if_rolled);
    }

    /// Takes another `producer.id.expiration.ms`, which the next call of
    /// [`remove_expired_producers`](Self::remove_expired_producers) goes by.
    pub(crate) fn set_producer_id_expiration_ms(&self, ms: i64) {
        // A log that is made, or loaded, meanwhile is made with the new one, or found here.
        let _changing = self.changing.lock();
        self.producer_id_expiration_ms.store(ms, Ordering::Relaxed);
        for log in self.logs().into_iter().chain(self.future_logs()) {
            log.set_producer_id_expiration_ms(ms);
        }
    }

    /// Forgets producers that have not written for `producer.id.expiration.ms`. Every
    /// `producer.id.expiration.check.interval.ms`.
    pub(crate) fn remove_expired_producers(&self) {
        for log in self.logs() {
            log.remove_expired_producers();
        }
    }

    /// The first time after `after` at which retention, compaction or the expiry of producers may find something to do
    /// without anybody writing to a log.
    pub(crate) fn next_upkeep_ms(&self, after: Timestamp) -> Option<Timestamp> {
        let deadline = |log: Arc<Log>| match log.next_upkeep_ms(after) {
            Ok(deadline) => deadline,
            Err(error) => {
                tracing::debug!(partition = %log.topic_partition(), %error, "its next task is not known");
                None
            }
        };
        self.logs().into_iter().filter_map(deadline).min()
    }

    /// Writes down from where each log would have to be recovered. Every
    /// `log.flush.offset.checkpoint.interval.ms`.
    pub(crate) fn checkpoint_recovery_offsets(&self) {
        self.for_each_dir(|dir| self.checkpoint_recovery_offsets_in(dir));
    }

    /// Writes down where logs start that do not start with a segment. Every
    /// `log.flush.start.offset.checkpoint.interval.ms`.
    pub(crate) fn checkpoint_log_start_offsets(&self) {
        self.for_each_dir(|dir| self.checkpoint_log_start_offsets_in(dir));
    }

    /// Writes the high watermarks down. Every `replica.high.watermark.checkpoint.interval.ms`.
    pub(crate) fn checkpoint_high_watermarks(&self) {
        self.for_each_dir(|dir| self.checkpoint_high_watermarks_in(dir));
    }

    /// Has `alarm` called whenever [`delete_logs`](Self::delete_logs) is to be called, with the time on the monotonic
    /// clock. It may be called with locks held.
    pub(crate) fn on_deletion(&self, alarm: impl Fn(Duration) + Send + Sync + 'static) {
        self.deletions.set_alarm(alarm);
    }

    /// Removes the files and directories that were deleted `file.delete.delay.ms` ago; answers when the next are
    /// due, on the monotonic clock.
    pub(crate) fn delete_logs(&self) -> Option<Duration> {
        self.deletions.run(self.env.clock.monotonic())
    }

    fn for_each_log(&self, what: &str, task: impl FnMut(&Log) -> Result<(), LogError>) {
        Self::for_each_of(self.logs(), what, task);
    }

    fn for_each_future(&self, task: impl FnMut(&Log) -> Result<(), LogError>) {
        Self::for_each_of(self.future_logs(), "flush of a log that moves", task);
    }

    fn for_each_of(logs: Vec<Arc<Log>>, what: &str, mut task: impl FnMut(&Log) -> Result<(), LogError>) {
        for log in logs.into_iter().filter(|log| log.is_online()) {
            match task(&log) {
                // Deleted while the task was on its way.
                Ok(()) | Err(LogError::Closed { .. }) => {}
                // Said when the log dir became full, and not every second until it is not.
                Err(error) if error.is_disk_full() => {
                    tracing::debug!(partition = %log.topic_partition(), %error, what, "a task found no room");
                }
                Err(error) => {
                    tracing::error!(partition = %log.topic_partition(), %error, what, "a task failed");
                }
            }
        }
    }

    fn for_each_dir(&self, task: impl Fn(&Arc<LogDir>) -> Result<(), LogError>) {
        for open in self.online_dirs() {
            // The failure is noted with the dir; what is full keeps its old checkpoint until the next time.
            let _ = open.dir.run_unless_full(|| task(&open.dir));
        }
    }

    pub(super) fn checkpoint_recovery_offsets_in(&self, dir: &Arc<LogDir>) -> Result<(), LogError> {
        // Looked for once nobody else writes the file, which may tell of a log that has just been made.
        let logs = std::iter::once_with(|| self.all_logs_in(dir)).flatten();
        dir.recovery_points.write(logs.map(|log| (log.topic_partition().clone(), log.recovery_point())))
    }

    pub(super) fn checkpoint_log_start_offsets_in(&self, dir: &Arc<LogDir>) -> Result<(), LogError> {
        let logs = self.all_logs_in(dir);
        // What starts with a segment is left out below: what was before it must be gone for good then.
        for log in logs.iter().filter(|log| log.log_start_offset() > 0) {
            log.dir.sync()?;
        }
        let moved = logs.iter().filter(|log| log.log_start_offset() > log.first_segment_base_offset());
        dir.log_start_offsets.write(moved.map(|log| (log.topic_partition().clone(), log.log_start_offset())))
    }

    pub(super) fn checkpoint_high_watermarks_in(&self, dir: &Arc<LogDir>) -> Result<(), LogError> {
        let logs = self.logs_in(dir);
        dir.high_watermarks
            .write(logs.iter().map(|log| (log.topic_partition().clone(), log.high_watermark())))
    }

    /// Writes down up to where each log was compacted; a log dir without compacted logs gets no file.
    pub(in crate::log) fn checkpoint_cleaner_offsets_in(&self, dir: &Arc<LogDir>) -> Result<(), LogError> {
        let logs = self.logs_in(dir);
        let known = logs.iter().filter_map(|log| {
            let offset = log.cleaning.first_dirty_offset()?;
            Some((log.topic_partition().clone(), offset))
        });
        dir.cleaner_offsets.write(known)
    }
}
