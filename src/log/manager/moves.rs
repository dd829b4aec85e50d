//! Logs on their way to another log dir (Kafka: the `futureLogs` of `LogManager`).

use std::path::Path;
use std::sync::Arc;

use super::LogManager;
use crate::log::file_names;
use crate::log::log_dir::LogDir;
use crate::log::{Log, LogError};
use crate::model::TopicPartition;

/// What [`LogManager::move_log`] has to do.
#[derive(Debug)]
pub(crate) enum Move {
    /// The log is to follow the present one from now on: [`Log::copy_next_to`], then [`LogManager::finish_move`].
    Begun(Arc<Log>),
    /// It was begun before.
    UnderWay,
    /// The log is there already.
    NotNeeded,
}

impl LogManager {
    /// The log that is to take the place of the partition's present one, while that is moved.
    pub(crate) fn future_log(&self, partition: &TopicPartition) -> Option<Arc<Log>> {
        self.futures.read().get(partition).cloned()
    }

    /// All logs that are on their way.
    pub(crate) fn future_logs(&self) -> Vec<Arc<Log>> {
        self.futures.read().values().cloned().collect()
    }

    /// Whether the move to `future` was neither finished nor given up.
    pub(crate) fn is_moving_to(&self, future: &Arc<Log>) -> bool {
        self.future_log(future.topic_partition()).is_some_and(|known| Arc::ptr_eq(&known, future))
    }

    /// The log dir at `path`, as `log.dirs` names it.
    ///
    /// # Errors
    /// [`LogError::LogDirNotFound`]; [`LogError::LogDirOffline`].
    pub(super) fn log_dir_at(&self, path: &Path) -> Result<Arc<LogDir>, LogError> {
        if let Some((dir, reason)) = self.failed_dirs.iter().find(|(dir, _)| dir == path) {
            return Err(LogError::LogDirOffline { dir: dir.clone(), reason: reason.as_str().into() });
        }
        let open = self.dirs.iter().find(|open| open.dir.path() == path);
        let open = open.ok_or_else(|| LogError::LogDirNotFound { dir: path.to_owned() })?;
        open.dir.check_online()?;
        Ok(Arc::clone(&open.dir))
    }

    /// Whether a log dir that works is at `path`, as `log.dirs` names it.
    ///
    /// # Errors
    /// [`LogError::LogDirNotFound`]; [`LogError::LogDirOffline`].
    pub(crate) fn check_log_dir(&self, path: &Path) -> Result<(), LogError> {
        self.log_dir_at(path).map(drop)
    }

    /// Begins to move a log to the log dir at `to`. A move to another one that is under way is given up; to where the
    /// log is, that is all that is done.
    ///
    /// # Errors
    /// [`LogError::LogDirNotFound`]; [`LogError::TopicNameTooLong`]; those of the disk.
    pub(crate) fn move_log(&self, log: &Arc<Log>, to: &Path) -> Result<Move, LogError> {
        let partition = log.topic_partition();
        let name = file_names::future_dir(partition, self.env.random_uuid())
            .ok_or_else(|| LogError::TopicNameTooLong { partition: partition.clone() })?;
        let dir = self.log_dir_at(to)?;
        log.log_dir.check_online()?;
        let is_closed = self.changing.lock();
        // It may have been deleted, or moved, since the caller looked.
        if *is_closed || self.log(partition).is_none_or(|current| !Arc::ptr_eq(&current, log)) {
            return Err(LogError::Closed { partition: partition.clone() });
        }
        if let Some(future) = self.future_log(partition) {
            if Arc::ptr_eq(&future.log_dir, &dir) {
                return Ok(Move::UnderWay);
            }
            self.drop_future(&future);
        }
        if Arc::ptr_eq(&log.log_dir, &dir) {
            return Ok(Move::NotNeeded);
        }
        let taken = dir.path().join(partition.to_string());
        if self.env.fs.exists(&taken).map_err(LogError::storage("look at", &taken))? {
            let dirs = [log.log_dir(), dir.path()].map(|dir| dir.display().to_string()).join(" and ");
            return Err(LogError::DuplicateLog { partition: partition.clone(), dirs });
        }
        let params = self.load_params_at(&dir, partition.clone(), &name);
        let created = dir.run_unless_full(|| self.create_in(&dir, params, log.topic_id(), &log.config()));
        let future = Arc::new(created?);
        log.cleaning.set_moving(true);
        // Whoever compacts it now stops, and the next to ask finds it moving.
        drop(log.cleaning.interrupt());
        self.futures.write().insert(partition.clone(), Arc::clone(&future));
        tracing::info!(%partition, from = %log.log_dir().display(), to = %dir.path().display(), "a log moves");
        Ok(Move::Begun(future))
    }

    /// Ends the move to `future`, if it is still that which the partition moves to.
    pub(crate) fn give_up_move(&self, future: &Arc<Log>) {
        let _changing = self.changing.lock();
        if self.is_moving_to(future) {
            self.drop_future(future);
        }
    }

    /// For a caller that holds the lock of changes.
    pub(super) fn drop_future(&self, future: &Arc<Log>) {
        let partition = future.topic_partition();
        self.futures.write().remove(partition);
        if let Some(log) = self.log(partition) {
            log.cleaning.set_moving(false);
        }
        if let Err(error) = self.delete_log(future) {
            // Its log dir is offline; when that comes back, the move goes on.
            tracing::warn!(%partition, %error, "the copy of a move that was given up cannot be removed");
            future.abandon();
        }
    }

    /// Puts `future` in the place of `current`, which it has followed, and which must not be appended to meanwhile but
    /// by callers who try again where it says that it is closed. With `false`, the move was given up before.
    ///
    /// # Errors
    /// Those of either disk; `current` goes on then.
    pub(crate) fn finish_move(&self, current: &Arc<Log>, future: &Arc<Log>) -> Result<bool, LogError> {
        let is_closed = self.changing.lock();
        let partition = current.topic_partition();
        if *is_closed || !self.is_moving_to(future) {
            return Ok(false);
        }
        let (from, to) = (&current.log_dir, &future.log_dir);
        current.hand_over(future, || {
            to.run_unless_full(|| {
                // Where the log starts is not told by its files alone, nor that nobody has lost what it does not have.
                self.checkpoint_recovery_offsets_in(to)?;
                self.checkpoint_log_start_offsets_in(to)?;
                // A name takes room as well.
                future.dir.rename_dir(&to.path().join(partition.to_string()))
            })?;
            self.futures.write().remove(partition);
            self.logs.write().insert(partition.clone(), Arc::clone(future));
            Ok(())
        })?;
        // From here on, the new one counts, whatever becomes of the old.
        if let Err(error) = self.delete_log(current) {
            tracing::error!(%partition, %error, "the log has moved, and what it left behind cannot be removed");
        }
        for dir in [from, to] {
            // A failure is noted with the dir.
            let _ = dir.run_unless_full(|| {
                self.checkpoint_recovery_offsets_in(dir)?;
                self.checkpoint_log_start_offsets_in(dir)
            });
        }
        tracing::info!(%partition, from = %from.path().display(), to = %to.path().display(), "a log has moved");
        Ok(true)
    }

    /// Goes on with the moves that were under way when the broker ended.
    pub(super) fn adopt_futures(&self, futures: Vec<Arc<Log>>) -> Result<(), LogError> {
        for future in futures {
            let partition = future.topic_partition().clone();
            let current = self.log(&partition);
            let fits = match current.as_ref().map(|current| is_copy_of(&future, current)).transpose() {
                Ok(fits) => fits.unwrap_or_default(),
                Err(error) if error.is_disk_full() => {
                    self.remove_uncertain(&future, &error)?;
                    continue;
                }
                Err(error) if is_of_disk(&error) => continue,
                Err(error) => return Err(error),
            };
            let Some(current) = current.filter(|_| fits && self.future_log(&partition).is_none()) else {
                let path = future.dir.path();
                if future.size() == 0 && future.topic_id().is_zero() {
                    // Not even its beginning was told to anybody.
                    tracing::info!(path = %path.display(), %partition, "a move that had not begun is removed");
                    match self.delete_log(&future) {
                        Err(error) if is_of_disk(&error) => future.abandon(),
                        deleted => deleted?,
                    }
                } else {
                    tracing::warn!(path = %path.display(), %partition, "a move that nothing needs is left");
                    future.abandon();
                }
                continue;
            };
            match future.follow(&current) {
                Ok(()) => {
                    current.cleaning.set_moving(true);
                    self.futures.write().insert(partition, future);
                }
                Err(error) if error.is_disk_full() => self.remove_uncertain(&future, &error)?,
                // One of the two log dirs is offline now.
                Err(error) if is_of_disk(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Gives up a move whose copy cannot be made to fit, as there is no room on its disk. How much of it is certain is
    /// known now, and not after the next stop in order.
    fn remove_uncertain(&self, future: &Arc<Log>, why: &LogError) -> Result<(), LogError> {
        let partition = future.topic_partition();
        tracing::warn!(
            %partition, to = %future.log_dir().display(), error = %why,
            "a move is given up; ask for it again when there is room"
        );
        match future.log_dir.run(|| self.delete_log(future)) {
            Err(error) if is_of_disk(&error) => Ok(()),
            deleted => deleted,
        }
    }

    /// The logs in a log dir, with those that move there.
    pub(super) fn all_logs_in(&self, dir: &Arc<LogDir>) -> Vec<Arc<Log>> {
        let mut logs = self.logs_in(dir);
        logs.extend(self.future_logs().into_iter().filter(|log| Arc::ptr_eq(&log.log_dir, dir)));
        logs
    }
}

/// Whether it tells of a log dir that is offline, or is from now on.
pub(super) fn is_of_disk(error: &LogError) -> bool {
    error.is_storage() || matches!(error, LogError::LogDirOffline { .. })
}

/// Whether a log found in another log dir is a copy of the partition's present one. That of which only the file with the
/// topic's id is damaged is known by its records.
fn is_copy_of(future: &Log, current: &Log) -> Result<bool, LogError> {
    if Arc::ptr_eq(&current.log_dir, &future.log_dir) {
        return Ok(false);
    }
    if future.topic_id().is_zero() && future.size() > 0 {
        match future.ends_within(current) {
            Ok(true) => future.ensure_topic_id(current.topic_id())?,
            Ok(false) | Err(LogError::CorruptRecord { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(current.topic_id() == future.topic_id())
}
