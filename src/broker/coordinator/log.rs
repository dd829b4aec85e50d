use std::fmt;

use bytes::Bytes;

use super::History;
use crate::model::{ErrorCode, LeaderEpoch, Offset};
use crate::record::RecordBatchRef;

/// The topic in which a coordinator keeps its state, as the coordinator sees it: partitions to append to and
/// to read from the beginning (Kafka: what `GroupMetadataManager` asks of `ReplicaManager`).
///
/// The coordinator appends while it holds the lock of one group or transactional id, so that the order of records is
/// the order of decisions. An implementation must not call back into the coordinator, and leaves the waking of
/// readers to [`CoordinatorLog::wake_readers`], which comes with no lock held.
pub(crate) trait CoordinatorLog: Send + Sync + fmt::Debug {
    /// How many partitions the topic has; 0 as long as it does not exist. Must not change once it is above 0:
    /// it decides which partition a group belongs to.
    fn partition_count(&self) -> i32;

    /// The term in which this broker leads the partition: the epoch of the coordinator.
    fn leader_epoch(&self, partition: i32) -> LeaderEpoch;

    /// Appends one batch of magic 2 and returns the offset of its first record. When this returns, the batch
    /// has reached the log.
    ///
    /// # Errors
    /// What a produce request to the partition would be told.
    fn append(&self, partition: i32, batch: Bytes) -> Result<Offset, ErrorCode>;

    /// Hands every batch of the partition to `visit`, oldest first.
    ///
    /// # Errors
    /// What keeps the partition from being read to its end; the coordinator does not take it over then.
    fn read_all(&self, partition: i32, visit: &mut dyn FnMut(RecordBatchRef<'_>)) -> Result<(), ErrorCode>;

    /// Lets go of all records before `offset`. May be called with the coordinator's locks not held only.
    ///
    /// # Errors
    /// What keeps them there; they may go later.
    fn delete_records(&self, partition: i32, offset: Offset) -> Result<(), ErrorCode>;

    /// Something was appended to the partition, and no lock is held any more: who waits for its records may be
    /// woken.
    fn wake_readers(&self, _partition: i32) {}

    /// Does what is due by the clock. It may append, so that it is done elsewhere where an append has to wait for the disk: a
    /// timer has others to serve.
    fn run_due(&self, task: Box<dyn FnOnce() + Send>) {
        task();
    }

    /// Where it is kept what happened to groups and ids, if it is.
    fn history(&self) -> Option<&History> {
        None
    }
}

/// What is told to who asked for something that the log would not take: whether it is worth asking again and where,
/// not what is the matter with a topic that is not its own (Kafka: `CoordinatorOperationExceptionHelper`, and
/// `TransactionStateManager#appendTransactionToLog`).
pub(super) fn operation_error(of_log: ErrorCode) -> ErrorCode {
    match of_log {
        ErrorCode::UnknownTopicOrPartition
        | ErrorCode::NotEnoughReplicas
        | ErrorCode::NotEnoughReplicasAfterAppend
        | ErrorCode::RequestTimedOut => ErrorCode::CoordinatorNotAvailable,
        ErrorCode::NotLeaderOrFollower | ErrorCode::KafkaStorageError => ErrorCode::NotCoordinator,
        ErrorCode::MessageTooLarge | ErrorCode::RecordListTooLarge | ErrorCode::InvalidFetchSize => {
            ErrorCode::UnknownServerError
        }
        other => other,
    }
}
