//! New logs, and the end of old ones.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::LogManager;
use crate::config::LogConfig;
use crate::log::file_names;
use crate::log::loader::LoadParams;
use crate::log::log_dir::LogDir;
use crate::log::{Log, LogError};
use crate::model::{TopicPartition, Uuid};

impl LogManager {
    /// The log of a partition; a new one goes into the log dir with the fewest logs
    /// of those that are not cordoned (Kafka: `LogManager#getOrCreateLog`).
    ///
    /// # Errors
    /// [`LogError::InconsistentTopicId`] if the log that is there belongs to another topic of the same name.
    pub(crate) fn get_or_create_log(
        &self,
        partition: &TopicPartition,
        topic_id: Uuid,
        config: Arc<LogConfig>,
    ) -> Result<Arc<Log>, LogError> {
        self.get_or_create_log_in(None, partition, topic_id, config)
    }

    /// The log of a partition; a new one goes into the log dir at `preferred`, if one is.
    ///
    /// # Errors
    /// As [`get_or_create_log`](Self::get_or_create_log), and [`LogError::LogDirNotFound`].
    pub(crate) fn get_or_create_log_in(
        &self,
        preferred: Option<&Path>,
        partition: &TopicPartition,
        topic_id: Uuid,
        config: Arc<LogConfig>,
    ) -> Result<Arc<Log>, LogError> {
        if let Some(log) = self.log(partition) {
            log.ensure_topic_id(topic_id)?;
            return Ok(log);
        }
        let is_closed = self.changing.lock();
        if *is_closed {
            return Err(LogError::Closed { partition: partition.clone() });
        }
        if let Some(log) = self.log(partition) {
            log.ensure_topic_id(topic_id)?;
            return Ok(log);
        }
        self.check_not_missing(partition, topic_id)?;
        let mut last_error = self.no_log_dir();
        let dirs = match preferred {
            Some(path) => vec![self.log_dir_at(path)?],
            None => self.dirs_by_number_of_logs(),
        };
        for dir in dirs {
            let created = dir.run_unless_full(|| {
                let params = self.load_params(&dir, partition.clone());
                self.create_in(&dir, params, topic_id, &config)
            });
            match created {
                Ok(log) => {
                    let log = Arc::new(log);
                    self.logs.write().insert(partition.clone(), Arc::clone(&log));
                    return Ok(log);
                }
                // Another disk may do.
                Err(error @ (LogError::Storage { .. } | LogError::LogDirOffline { .. })) => {
                    last_error = error
                }
                Err(error) => return Err(error),
            }
        }
        Err(last_error)
    }

    pub(super) fn create_in(
        &self,
        dir: &Arc<LogDir>,
        params: LoadParams,
        topic_id: Uuid,
        config: &Arc<LogConfig>,
    ) -> Result<Log, LogError> {
        let params = LoadParams { config: Arc::clone(config), ..params };
        let (path, partition) = (params.dir.path(), params.partition.clone());
        // A checkpoint that still tells of a deleted log of this name would be believed after a crash.
        if dir.deleted.lock().contains(&partition) {
            self.checkpoint_recovery_offsets_in(dir)?;
            self.checkpoint_log_start_offsets_in(dir)?;
            self.checkpoint_high_watermarks_in(dir)?;
            self.checkpoint_cleaner_offsets_in(dir)?;
            dir.deleted.lock().remove(&partition);
        }
        if self.env.fs.exists(&path).map_err(LogError::storage("look at", &path))? {
            let log = Log::load(params)?;
            log.ensure_topic_id(topic_id)?;
            // Whoever made it may have failed before its name was durable.
            self.env.fs.sync_dir(dir.path()).map_err(LogError::storage("sync", dir.path()))?;
            return Ok(log);
        }
        let created = Log::create(params, topic_id).and_then(|log| {
            self.env.fs.sync_dir(dir.path()).map_err(LogError::storage("sync", dir.path()))?;
            Ok(log)
        });
        if let Err(error) = &created
            && error.is_disk_full()
            && let Err(error) = self.env.fs.remove_dir_all(&path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            // It would be taken for a log of this topic, or of the next one of its name.
            tracing::error!(path = %path.display(), %error, "a log that was not made is left behind: remove it");
        }
        created
    }

    fn dirs_by_number_of_logs(&self) -> Vec<Arc<LogDir>> {
        if let [only] = self.dirs.as_slice() {
            return vec![Arc::clone(&only.dir)];
        }
        let mut dirs: Vec<_> =
            self.online_dirs().map(|open| (self.logs_in(&open.dir).len(), Arc::clone(&open.dir))).collect();
        dirs.sort_by_key(|(count, _)| *count);
        let (cordoned, open): (Vec<_>, Vec<_>) =
            dirs.into_iter().map(|(_, dir)| dir).partition(|dir| self.is_cordoned(dir.path()));
        // Who asks for a partition's log has admitted the partition; it goes somewhere even if the last dir was
        // cordoned since.
        if open.is_empty() { cordoned } else { open }
    }

    /// Ends a partition: its directory is renamed at once and removed `file.delete.delay.ms` later; readers that are
    /// under way come to their end. Answers whether there was one (Kafka: `LogManager#asyncDelete`).
    pub(crate) fn delete(&self, partition: &TopicPartition) -> Result<bool, LogError> {
        self.delete_after(partition, file_delete_delay)
    }

    /// The same, with the room free when this returns, but for what readers hold that are under way.
    pub(crate) fn delete_at_once(&self, partition: &TopicPartition) -> Result<bool, LogError> {
        let is_deleted = self.delete_after(partition, |_| Duration::ZERO)?;
        self.delete_logs();
        Ok(is_deleted)
    }

    fn delete_after(
        &self,
        partition: &TopicPartition,
        delay: impl FnOnce(&Log) -> Duration,
    ) -> Result<bool, LogError> {
        let is_closed = self.changing.lock();
        if *is_closed {
            return Err(LogError::Closed { partition: partition.clone() });
        }
        if let Some(future) = self.future_log(partition) {
            self.drop_future(&future);
        }
        let Some(log) = self.logs.write().remove(partition) else { return Ok(false) };
        self.delete_log_after(&log, delay(&log))?;
        Ok(true)
    }

    pub(super) fn delete_log(&self, log: &Log) -> Result<(), LogError> {
        self.delete_log_after(log, file_delete_delay(log))
    }

    fn delete_log_after(&self, log: &Log, delay: Duration) -> Result<(), LogError> {
        let partition = log.topic_partition();
        let name = file_names::deleted_dir(partition, self.env.random_uuid());
        log.log_dir.deleted.lock().insert(partition.clone());
        let target = log.log_dir.path().join(name);
        let renamed = log.rename_for_deletion(&target);
        // Also where only the sync after that was refused, for want of a descriptor: the removal makes up for it.
        if renamed.is_ok() || log.dir.path() == target {
            let due = self.env.clock.monotonic().saturating_add(delay);
            self.deletions.push_dir(due, Arc::clone(&log.log_dir), Arc::clone(&log.dir));
        }
        renamed
    }

    /// Tells of a partition that had a log, or may have had one, and has none now. While a log dir is offline, it may
    /// be there; another one must not be begun elsewhere.
    pub(crate) fn note_missing(&self, partition: TopicPartition, topic_id: Uuid) {
        if !self.offline_log_dirs().is_empty() {
            self.missing.write().insert(partition, topic_id);
        }
    }

    fn check_not_missing(&self, partition: &TopicPartition, topic_id: Uuid) -> Result<(), LogError> {
        // A topic that was made anew has another id.
        if self.missing.read().get(partition) != Some(&topic_id) {
            return Ok(());
        }
        let dir = self.offline_log_dirs().into_iter().next().unwrap_or_default();
        let reason = format!("the log of {partition} may be there").into();
        Err(LogError::LogDirOffline { dir, reason })
    }
}

fn file_delete_delay(log: &Log) -> Duration {
    Duration::from_millis(u64::try_from(log.config().file_delete_delay_ms).unwrap_or_default())
}
