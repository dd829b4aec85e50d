use super::{ConsumerGroupKey, ShareGroupKey};
use crate::broker::coordinator::record_format::{FieldReader, FieldWriter, RecordError};
use crate::model::TopicPartition;

const OFFSET_COMMIT: i16 = 1;
const GROUP_METADATA: i16 = 2;

/// What a record is about (Kafka: `OffsetCommitKey`, `GroupMetadataKey`). The version in front of a key is not
/// a version but its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum RecordKey<'a> {
    OffsetCommit {
        group_id: &'a str,
        topic_partition: TopicPartition,
    },
    GroupMetadata {
        group_id: &'a str,
    },
    ConsumerGroup {
        group_id: &'a str,
        key: ConsumerGroupKey<'a>,
    },
    ShareGroup {
        group_id: &'a str,
        key: ShareGroupKey<'a>,
    },
    /// Of a group of a type that is not known here.
    Other {
        kind: i16,
    },
}

impl<'a> RecordKey<'a> {
    pub(in super::super) fn parse(key: &'a [u8]) -> Result<Self, RecordError> {
        let mut reader = FieldReader::new(key);
        match reader.i16("key type")? {
            // Before 0.8.2.2 the same key had another number.
            0 | OFFSET_COMMIT => {
                let group_id = reader.string("group", false)?;
                let topic = reader.string("topic", false)?;
                let partition = reader.i32("partition")?;
                let topic_partition = TopicPartition::new(topic, partition);
                Ok(RecordKey::OffsetCommit { group_id, topic_partition })
            }
            GROUP_METADATA => Ok(RecordKey::GroupMetadata { group_id: reader.string("group", false)? }),
            kind => {
                if let Some((group_id, key)) = ConsumerGroupKey::parse(kind, &mut reader)? {
                    return Ok(RecordKey::ConsumerGroup { group_id, key });
                }
                Ok(match ShareGroupKey::parse(kind, &mut reader)? {
                    Some((group_id, key)) => RecordKey::ShareGroup { group_id, key },
                    None => RecordKey::Other { kind },
                })
            }
        }
    }
}

pub(super) fn offset_commit(
    group_id: &str,
    topic_partition: &TopicPartition,
) -> Result<Vec<u8>, RecordError> {
    let mut writer = FieldWriter::new(OFFSET_COMMIT);
    writer.string("group", group_id)?;
    writer.string("topic", topic_partition.topic())?;
    writer.i32(topic_partition.partition());
    Ok(writer.finish())
}

pub(super) fn group_metadata(group_id: &str) -> Result<Vec<u8>, RecordError> {
    let mut writer = FieldWriter::new(GROUP_METADATA);
    writer.string("group", group_id)?;
    Ok(writer.finish())
}
