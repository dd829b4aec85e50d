use crate::model::{NO_TIMESTAMP, Timestamp};
use crate::record::{CompressionType, TimestampType};

/// Who appends (Kafka: `AppendOrigin`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AppendOrigin {
    /// A producer, remote or in this process.
    Client,
    /// A coordinator of this broker, which may write control batches.
    Coordinator,
    /// A follower, which writes what its leader has checked.
    Replication,
}

/// What the topic and the request ask of records.
#[derive(Clone, Debug)]
pub(crate) struct ValidationOptions {
    /// The topic's `compression.type`; `None` is `producer`: as the records come.
    pub(crate) target_compression: Option<CompressionType>,
    /// How hard to compress if it has to be done here; `None` is the codec's default.
    pub(crate) target_compression_level: Option<i32>,
    /// Whether `cleanup.policy` has `compact`: each record needs a key then.
    pub(crate) compacted: bool,
    /// The topic's `message.timestamp.type`.
    pub(crate) timestamp_type: TimestampType,
    /// `message.timestamp.before.max.ms`.
    pub(crate) timestamp_before_max_ms: i64,
    /// `message.timestamp.after.max.ms`.
    pub(crate) timestamp_after_max_ms: i64,
    /// The time of the append.
    pub(crate) now_ms: Timestamp,
    /// Who appends.
    pub(crate) origin: AppendOrigin,
    /// `max.message.bytes`.
    pub(crate) max_message_bytes: usize,
    /// The most bytes that the records may have when decompressed.
    pub(crate) decompression_limit_bytes: usize,
    /// Whether the request knows magic 2 only: Produce from version 3 on.
    pub(crate) requires_batch_format: bool,
}

impl Default for ValidationOptions {
    /// The rules of a topic without settings of its own, for a client, at time 0.
    fn default() -> Self {
        ValidationOptions {
            target_compression: None,
            target_compression_level: None,
            compacted: false,
            timestamp_type: TimestampType::CreateTime,
            timestamp_before_max_ms: i64::MAX,
            timestamp_after_max_ms: i64::MAX,
            now_ms: 0,
            origin: AppendOrigin::Client,
            max_message_bytes: 1_048_588,
            decompression_limit_bytes: 100 << 20,
            requires_batch_format: true,
        }
    }
}

impl ValidationOptions {
    /// Whether a record may have this timestamp. None at all is fine, as is any where the broker sets its own.
    pub(super) fn accepts_timestamp(&self, timestamp: Timestamp) -> bool {
        if self.timestamp_type == TimestampType::LogAppendTime || timestamp == NO_TIMESTAMP {
            return true;
        }
        let age_ms = self.now_ms.saturating_sub(timestamp);
        age_ms <= self.timestamp_before_max_ms && age_ms.saturating_neg() <= self.timestamp_after_max_ms
    }

    /// The timestamps that are accepted, both included.
    pub(super) fn timestamp_bounds(&self) -> (Timestamp, Timestamp) {
        (
            self.now_ms.saturating_sub(self.timestamp_before_max_ms),
            self.now_ms.saturating_add(self.timestamp_after_max_ms),
        )
    }
}
