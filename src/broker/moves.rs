//! Moves of partitions between log dirs, step by step on I/O threads.

use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::core::BrokerCore;
use super::replica::{MoveStep, Partition};
use crate::error::Result;
use crate::log::Log;
use crate::model::TopicPartition;

/// When a move looks again whether there is room.
const RETRY: Duration = Duration::from_secs(1);

impl BrokerCore {
    /// Begins to move a partition, which must exist, to the log dir at `to`: see
    /// [`alter_log_dir`](Self::alter_log_dir).
    ///
    /// # Errors
    /// LOG_DIR_NOT_FOUND, before it is looked whether there is such a partition, as Kafka does;
    /// UNKNOWN_TOPIC_OR_PARTITION.
    pub(crate) fn move_to_log_dir(self: &Arc<Self>, tp: &TopicPartition, to: &Path) -> Result<()> {
        self.ensure_open()?;
        self.log_manager.check_log_dir(to)?;
        let partition = self.partition(tp.topic(), tp.partition())?;
        self.alter_log_dir(&partition, to)
    }

    /// Begins to move a partition to the log dir at `to`; where it is there already, or on its way there, nothing is
    /// done. A move to elsewhere ends.
    ///
    /// # Errors
    /// As [`Partition::alter_log_dir`].
    fn alter_log_dir(self: &Arc<Self>, partition: &Arc<Partition>, to: &Path) -> Result<()> {
        if let Some(future) = partition.alter_log_dir(to)? {
            self.move_on(Arc::clone(partition), future);
        }
        Ok(())
    }

    /// Goes on with the moves that were under way when the broker ended.
    pub(super) fn resume_moves(self: &Arc<Self>) {
        for future in self.log_manager.future_logs() {
            let tp = future.topic_partition();
            if let Ok(partition) = self.partition(tp.topic(), tp.partition()) {
                self.move_on(partition, future);
            }
        }
    }

    /// One step on an I/O thread, then the next: behind what else waits for a thread.
    fn move_on(self: &Arc<Self>, partition: Arc<Partition>, future: Arc<Log>) {
        let core = Arc::downgrade(self);
        self.io_threads.run(move || {
            let step = partition.move_on(&future);
            let Some(strong) = Weak::upgrade(&core) else { return };
            let pause = match step {
                MoveStep::Copied(bytes) => strong.time_of_move(bytes),
                MoveStep::Wait => RETRY,
                MoveStep::Over => return,
            };
            if pause.is_zero() {
                return strong.move_on(partition, future);
            }
            let timer = Arc::clone(&strong.timer);
            drop(strong);
            timer.schedule(pause, move || {
                if let Some(core) = core.upgrade() {
                    core.move_on(partition, future);
                }
            });
        });
    }

    /// How long the copy of so many bytes takes at least, by `replica.alter.log.dirs.io.max.bytes.per.second`.
    fn time_of_move(&self, bytes: u64) -> Duration {
        let rate = self.config().replica_alter_log_dirs_io_max_bytes_per_second;
        let rate = u64::try_from(rate).unwrap_or(0).max(1);
        Duration::from_millis(bytes.saturating_mul(1000) / rate)
    }
}
