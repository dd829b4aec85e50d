//! Numbers with a meaning, named as Kafka names them.

/// The number of a record within its partition.
pub(crate) type Offset = i64;
/// Milliseconds since the Unix epoch; [`NO_TIMESTAMP`] where there is none.
pub(crate) type Timestamp = i64;
/// The term of a partition's leader, stamped on each batch.
pub(crate) type LeaderEpoch = i32;
/// The id that the broker hands to an idempotent or transactional producer.
pub(crate) type ProducerId = i64;
/// The generation of a producer id; a higher one fences the lower.
pub(crate) type ProducerEpoch = i16;
/// A broker's `node.id`.
pub(crate) type BrokerId = i32;

/// "No producer": the batch is not idempotent.
pub(crate) const NO_PRODUCER_ID: ProducerId = -1;
/// The epoch of a batch without a producer.
pub(crate) const NO_PRODUCER_EPOCH: ProducerEpoch = -1;
/// The sequence of a batch without a producer.
pub(crate) const NO_SEQUENCE: i32 = -1;
/// "No timestamp", which only records of the oldest format and some answers have.
pub(crate) const NO_TIMESTAMP: Timestamp = -1;
/// "The epoch is not known".
pub(crate) const NO_LEADER_EPOCH: LeaderEpoch = -1;

/// Which records a reader may see. Kafka: `isolation.level`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum IsolationLevel {
    /// Everything below the high watermark.
    #[default]
    ReadUncommitted,
    /// Only what lies below the last stable offset, aborted transactions left out.
    ReadCommitted,
}
