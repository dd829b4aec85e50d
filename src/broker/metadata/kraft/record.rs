//! The records of `__cluster_metadata` that tell of topics and settings (Kafka: the schemas of `metadata/`).

use crate::broker::coordinator::record_format::{FieldReader, RecordError};
use crate::model::Uuid;

/// The version of the frame around each record (Kafka: `MetadataRecordSerde`).
const FRAME_VERSION: u32 = 1;

/// A row for each that is read: the number, the newest version that is known, the name for whoever meets a newer one.
const TOPIC: (u32, u32, &str) = (2, 0, "a topic of the cluster's metadata");
const PARTITION: (u32, u32, &str) = (3, 2, "a partition of the cluster's metadata");
const CONFIG: (u32, u32, &str) = (4, 0, "a setting of the cluster's metadata");
const REMOVE_TOPIC: (u32, u32, &str) = (9, 0, "a topic's removal from the cluster's metadata");
const CLIENT_QUOTA: u32 = 14;
const USER_SCRAM_CREDENTIAL: u32 = 11;
const ACCESS_CONTROL_ENTRY: u32 = 18;
const BEGIN_TRANSACTION: u32 = 23;
const END_TRANSACTION: u32 = 24;
const ABORT_TRANSACTION: u32 = 25;

/// Whose setting it is (Kafka: `ConfigResource.Type`).
pub(super) const TOPIC_RESOURCE: i8 = 2;
pub(super) const BROKER_RESOURCE: i8 = 4;

/// What a record says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum MetadataRecord<'a> {
    Topic {
        name: &'a str,
        id: Uuid,
    },
    Partition {
        topic_id: Uuid,
        partition: i32,
    },
    /// No value: the setting is at its default again.
    Config {
        resource_type: i8,
        resource: &'a str,
        key: &'a str,
        value: Option<&'a str>,
    },
    RemoveTopic {
        id: Uuid,
    },
    BeginTransaction,
    EndTransaction,
    AbortTransaction,
    /// Known to matter to a Kafka that has users, and of no use here.
    Security,
    /// Brokers, leaders, epochs: nothing that outlives the cluster.
    Other,
}

/// Reads the value of a record.
pub(super) fn parse(value: &[u8]) -> Result<MetadataRecord<'_>, RecordError> {
    let mut reader = FieldReader::new(value);
    let frame = reader.uvarint("frame version")?;
    if frame != FRAME_VERSION {
        return Err(unknown("the frame of the cluster's metadata", frame));
    }
    let kind = reader.uvarint("record type")?;
    let version = reader.uvarint("record version")?;
    let known = [TOPIC, PARTITION, CONFIG, REMOVE_TOPIC].into_iter().find(|(number, ..)| *number == kind);
    if let Some((_, newest, what)) = known
        && version > newest
    {
        return Err(unknown(what, version));
    }
    Ok(match kind {
        _ if kind == TOPIC.0 => {
            MetadataRecord::Topic { name: reader.string("name", true)?, id: reader.uuid("topic id")? }
        }
        _ if kind == PARTITION.0 => {
            let partition = reader.i32("partition")?;
            MetadataRecord::Partition { topic_id: reader.uuid("topic id")?, partition }
        }
        _ if kind == CONFIG.0 => MetadataRecord::Config {
            resource_type: reader.i8("resource type")?,
            resource: reader.string("resource name", true)?,
            key: reader.string("name", true)?,
            value: reader.nullable_string("value", true)?,
        },
        _ if kind == REMOVE_TOPIC.0 => MetadataRecord::RemoveTopic { id: reader.uuid("topic id")? },
        BEGIN_TRANSACTION => MetadataRecord::BeginTransaction,
        END_TRANSACTION => MetadataRecord::EndTransaction,
        ABORT_TRANSACTION => MetadataRecord::AbortTransaction,
        CLIENT_QUOTA | USER_SCRAM_CREDENTIAL | ACCESS_CONTROL_ENTRY => MetadataRecord::Security,
        _ => MetadataRecord::Other,
    })
}

fn unknown(what: &'static str, version: u32) -> RecordError {
    RecordError::Version { what, version: i16::try_from(version).unwrap_or(i16::MAX) }
}
