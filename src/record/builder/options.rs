use crate::model::{
    LeaderEpoch, NO_LEADER_EPOCH, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE, Offset, ProducerEpoch,
    ProducerId,
};
use crate::record::header::{CONTROL_FLAG, TIMESTAMP_TYPE_FLAG, TRANSACTIONAL_FLAG};
use crate::record::{CompressionType, TimestampType};

/// What a [`RecordBatchBuilder`](super::RecordBatchBuilder) writes into the header. The default is an uncompressed batch of a producer that
/// is not idempotent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchOptions {
    /// How the records are compressed.
    pub compression: CompressionType,
    /// How hard: the codec's own scale; `None` is its default.
    pub compression_level: Option<i32>,
    /// Who gives the timestamps.
    pub timestamp_type: TimestampType,
    /// The offset of the first record. A broker that appends the batch sets its own.
    pub base_offset: Offset,
    /// The leader's term. A broker that appends the batch sets its own.
    pub partition_leader_epoch: LeaderEpoch,
    /// The idempotent producer.
    pub producer_id: ProducerId,
    /// Its epoch.
    pub producer_epoch: ProducerEpoch,
    /// The sequence of the first record.
    pub base_sequence: i32,
    /// Whether the records belong to a transaction.
    pub transactional: bool,
    /// Whether the records are the broker's own, not data.
    pub control: bool,
}

impl Default for BatchOptions {
    fn default() -> Self {
        BatchOptions {
            compression: CompressionType::None,
            compression_level: None,
            timestamp_type: TimestampType::CreateTime,
            base_offset: 0,
            partition_leader_epoch: NO_LEADER_EPOCH,
            producer_id: NO_PRODUCER_ID,
            producer_epoch: NO_PRODUCER_EPOCH,
            base_sequence: NO_SEQUENCE,
            transactional: false,
            control: false,
        }
    }
}

impl BatchOptions {
    pub(super) fn attributes(&self) -> i16 {
        let mut attributes = i16::from(self.compression.id());
        if self.timestamp_type == TimestampType::LogAppendTime {
            attributes |= TIMESTAMP_TYPE_FLAG;
        }
        if self.transactional {
            attributes |= TRANSACTIONAL_FLAG;
        }
        if self.control {
            attributes |= CONTROL_FLAG;
        }
        attributes
    }
}
