//! Kafka's record format of `__consumer_offsets`: a key that says what the record is about, a value, both
//! with their version in front; no value is a tombstone (Kafka: `group-coordinator/src/main/resources`).
//!
//! Keys are written in versions 1 (an offset) and 2 (a group), values in version 3, an offset with a retention
//! of its own in version 1: what every Kafka since 2.1 reads and writes. All versions are read.

mod consumer_group;
#[cfg(feature = "cli")]
mod consumer_group_text;
#[cfg(feature = "cli")]
mod consumer_protocol_text;
mod group_metadata;
mod key;
mod offset_commit;
mod share_group;
#[cfg(feature = "cli")]
mod share_group_text;
mod subscription;
#[cfg(feature = "cli")]
mod text;

pub(super) use consumer_group::{ConsumerGroupKey, ConsumerGroupRecord, CurrentAssignment, GroupEpoch};
pub(super) use group_metadata::{GroupMetadataMember, GroupMetadataValue};
pub(super) use key::RecordKey;
pub(super) use offset_commit::OffsetCommitValue;
pub(super) use share_group::{ShareCurrentAssignment, ShareGroupKey, ShareGroupRecord};
pub(super) use subscription::subscribed_topics;
#[cfg(feature = "cli")]
pub(crate) use text::offsets_record_text;

pub(super) use crate::broker::coordinator::record_format::RecordError;

use super::OffsetAndMetadata;
use crate::model::TopicPartition;

/// A record on its way into the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CoordinatorRecord {
    pub(super) key: Vec<u8>,
    /// `None` for a tombstone.
    pub(super) value: Option<Vec<u8>>,
}

impl CoordinatorRecord {
    pub(super) fn offset_commit(
        group_id: &str,
        topic_partition: &TopicPartition,
        commit: &OffsetAndMetadata,
    ) -> Result<Self, RecordError> {
        let key = key::offset_commit(group_id, topic_partition)?;
        Ok(CoordinatorRecord { key, value: Some(OffsetCommitValue::encode(commit)?) })
    }

    pub(super) fn offset_commit_tombstone(
        group_id: &str,
        topic_partition: &TopicPartition,
    ) -> Result<Self, RecordError> {
        Ok(CoordinatorRecord { key: key::offset_commit(group_id, topic_partition)?, value: None })
    }

    pub(super) fn group_metadata(group_id: &str, value: &GroupMetadataValue) -> Result<Self, RecordError> {
        Ok(CoordinatorRecord { key: key::group_metadata(group_id)?, value: Some(value.encode()?) })
    }

    pub(super) fn group_metadata_tombstone(group_id: &str) -> Result<Self, RecordError> {
        Ok(CoordinatorRecord { key: key::group_metadata(group_id)?, value: None })
    }
}
