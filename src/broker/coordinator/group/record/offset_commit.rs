use std::sync::Arc;

use crate::broker::coordinator::group::OffsetAndMetadata;
use crate::broker::coordinator::record_format::{FieldReader, FieldWriter, RecordError};
#[cfg(feature = "cli")]
use crate::model::Uuid;
use crate::model::{NO_LEADER_EPOCH, NO_TIMESTAMP};

/// The oldest version that knows when an offset expires, and the one that no later version replaced for that.
const WITH_EXPIRY: i16 = 1;
const CURRENT: i16 = 3;
const HIGHEST: i16 = 4;
#[cfg(feature = "cli")]
const TOPIC_ID: u32 = 0;

/// The value of a committed offset (Kafka: `OffsetCommitValue`).
pub(in super::super) struct OffsetCommitValue;

impl OffsetCommitValue {
    pub(in super::super) fn parse(value: &[u8]) -> Result<OffsetAndMetadata, RecordError> {
        let mut reader = FieldReader::new(value);
        let version = reader.i16("version")?;
        if !(0..=HIGHEST).contains(&version) {
            return Err(RecordError::Version { what: "an offset commit", version });
        }
        let is_flexible = version >= 4;
        let offset = reader.i64("offset")?;
        let leader_epoch = if version >= 3 { reader.i32("leader epoch")? } else { NO_LEADER_EPOCH };
        let metadata = Arc::from(reader.string("metadata", is_flexible)?);
        let commit_timestamp = reader.i64("commit timestamp")?;
        let expire_timestamp =
            if version == WITH_EXPIRY { reader.i64("expire timestamp")? } else { NO_TIMESTAMP };
        if is_flexible {
            reader.skip_tagged_fields()?;
        }
        Ok(OffsetAndMetadata {
            offset,
            leader_epoch,
            metadata,
            commit_timestamp,
            expire_timestamp: Some(expire_timestamp).filter(|at| *at != NO_TIMESTAMP),
        })
    }

    /// The id of the topic, which only Apache Kafka writes.
    #[cfg(feature = "cli")]
    pub(super) fn topic_id(value: &[u8]) -> Result<Option<Uuid>, RecordError> {
        let mut reader = FieldReader::new(value);
        if reader.i16("version")? < 4 {
            return Ok(None);
        }
        reader.i64("offset")?;
        reader.i32("leader epoch")?;
        reader.string("metadata", true)?;
        reader.i64("commit timestamp")?;
        let mut id = None;
        reader.tagged_fields(|tag, field| {
            if tag == TOPIC_ID {
                id = Some(field.uuid("topic id")?);
            }
            Ok(())
        })?;
        Ok(id)
    }

    pub(super) fn encode(commit: &OffsetAndMetadata) -> Result<Vec<u8>, RecordError> {
        let version = if commit.expire_timestamp.is_some() { WITH_EXPIRY } else { CURRENT };
        let mut writer = FieldWriter::new(version);
        writer.i64(commit.offset);
        if version >= 3 {
            writer.i32(commit.leader_epoch);
        }
        writer.string("metadata", &commit.metadata)?;
        writer.i64(commit.commit_timestamp);
        if let Some(at) = commit.expire_timestamp {
            writer.i64(at);
        }
        Ok(writer.finish())
    }
}
