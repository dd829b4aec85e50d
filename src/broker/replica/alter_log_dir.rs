//! A partition moves to another log dir while it is written (Kafka: `ReplicaManager#alterReplicaLogDirs`,
//! `ReplicaAlterLogDirsThread`).

use std::path::Path;
use std::sync::Arc;

use super::Partition;
use crate::error::Result;
use crate::log::{Log, LogError, Move};

/// Bytes that may be left to copy when appends are held up for the last step.
const HAND_OVER_BYTES: u64 = 1024 * 1024;

/// What became of one step of a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MoveStep {
    /// So many bytes were copied, and there are more.
    Copied(u64),
    /// The disk has no room now.
    Wait,
    /// The move has come to its end, good or bad.
    Over,
}

impl Partition {
    /// Begins to move the log to the log dir at `to`, or ends a move to another one. With `Some`,
    /// [`Partition::move_on`] is to be called until it is over.
    ///
    /// # Errors
    /// LOG_DIR_NOT_FOUND; KAFKA_STORAGE_ERROR: that log dir, or the one where the log is, is offline;
    /// INVALID_TOPIC_EXCEPTION: the topic's name is too long for the directory of a move.
    pub(crate) fn alter_log_dir(&self, to: &Path) -> Result<Option<Arc<Log>>> {
        let Some(log) = self.existing_log() else {
            // Nothing is there yet that would have to move.
            self.log_in(Some(to))?;
            return Ok(None);
        };
        match self.log_manager().move_log(&log, to)? {
            Move::Begun(future) => {
                // Settings may have changed meanwhile.
                future.update_config(self.config());
                Ok(Some(future))
            }
            Move::UnderWay | Move::NotNeeded => Ok(None),
        }
    }

    /// Copies some more to `future`, and puts it in the place of the present log once that is all.
    pub(crate) fn move_on(&self, future: &Arc<Log>) -> MoveStep {
        let logs = self.log_manager();
        let Some(log) = self.existing_log().filter(|_| logs.is_moving_to(future)) else {
            return MoveStep::Over;
        };
        match self.try_move_on(&log, future) {
            Ok(step) => step,
            Err(error) if error.is_disk_full() => {
                tracing::warn!(partition = %self.tp(), %error, "a move waits for room");
                MoveStep::Wait
            }
            // Deleted, or closing: whoever did that knows.
            Err(LogError::Closed { .. }) => MoveStep::Over,
            Err(error) => {
                tracing::error!(partition = %self.tp(), %error, "a move to another log dir ends");
                // What was copied is of use after a restart if the disk to blame is the one where the log is.
                if log.is_online() {
                    logs.give_up_move(future);
                }
                MoveStep::Over
            }
        }
    }

    fn try_move_on(&self, log: &Arc<Log>, future: &Arc<Log>) -> Result<MoveStep, LogError> {
        let copied = log.copy_next_to(future)?;
        if log.size_from(future.log_end_offset())? > HAND_OVER_BYTES {
            return Ok(MoveStep::Copied(copied));
        }
        let _alone = self.appending.write();
        if self.log_manager().finish_move(log, future)? {
            self.set_log(Arc::clone(future));
        }
        Ok(MoveStep::Over)
    }
}
