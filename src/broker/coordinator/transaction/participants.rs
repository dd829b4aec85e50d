use std::fmt;

use super::metadata::{ProducerIdAndEpoch, TransactionVersion};
use crate::model::{ErrorCode, ProducerId, TopicPartition};

/// How a transaction ends in a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TransactionMarker {
    pub(crate) producer: ProducerIdAndEpoch,
    pub(crate) is_commit: bool,
    pub(crate) coordinator_epoch: i32,
}

/// What the transaction coordinator needs of the broker around it: the partitions that take part in transactions, and
/// ids for producers.
pub(crate) trait TransactionParticipants: Send + Sync + fmt::Debug {
    /// Appends the end of a transaction to a partition; offsets that were committed there count from now on, or are
    /// forgotten. Comes with the lock of the transactional id held, so readers are not woken.
    ///
    /// # Errors
    /// UNKNOWN_TOPIC_OR_PARTITION for a partition that is gone; otherwise what keeps it from being appended.
    fn append_marker(&self, partition: &TopicPartition, marker: &TransactionMarker) -> Result<(), ErrorCode>;

    /// Something was appended to the partition, and no lock is held any more.
    fn wake_readers(&self, partition: &TopicPartition);

    /// An id that no producer had before.
    fn generate_producer_id(&self) -> Result<ProducerId, ErrorCode>;

    /// In which generation the broker itself ends transactions of which no client says it.
    fn version(&self) -> TransactionVersion {
        TransactionVersion::V2
    }
}
