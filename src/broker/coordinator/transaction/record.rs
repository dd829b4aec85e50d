//! Kafka's record format of `__transaction_state` (Kafka: `TransactionLogKey`, `TransactionLogValue`).
//!
//! Keys have version 0. Values are written in version 1, whose tagged fields carry what the second generation of
//! transactions needs; version 0 is read.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::metadata::{TransactionMetadata, TransactionVersion};
use super::state::TransactionState;
use crate::broker::coordinator::record_format::{FieldReader, FieldWriter, RecordError};
use crate::model::{NO_PRODUCER_EPOCH, NO_PRODUCER_ID, TopicPartition};

const KEY: i16 = 0;
const CURRENT: i16 = 1;

pub(super) const PREVIOUS_PRODUCER_ID: u32 = 0;
pub(super) const NEXT_PRODUCER_ID: u32 = 1;
pub(super) const CLIENT_VERSION: u32 = 2;

/// The key of an id's records.
pub(super) fn key(transactional_id: &str) -> Result<Vec<u8>, RecordError> {
    let mut writer = FieldWriter::new(KEY);
    writer.string("transactional id", transactional_id)?;
    Ok(writer.finish())
}

/// The id that a record is about; `None` if it is about something that a newer Kafka knows.
pub(super) fn parse_key(key: &[u8]) -> Result<Option<&str>, RecordError> {
    let mut reader = FieldReader::new(key);
    match reader.i16("key type")? {
        KEY => reader.string("transactional id", false).map(Some),
        _ => Ok(None),
    }
}

/// The value that says where an id stands.
pub(super) fn value(metadata: &TransactionMetadata) -> Result<Vec<u8>, RecordError> {
    let mut writer = FieldWriter::new(CURRENT);
    writer.i64(metadata.producer_id);
    writer.i16(metadata.producer_epoch);
    writer.i32(metadata.timeout_ms);
    writer.i8(metadata.state.id());
    write_partitions(&mut writer, metadata)?;
    writer.i64(metadata.last_update_timestamp);
    writer.i64(metadata.start_timestamp);
    let tags = [
        (PREVIOUS_PRODUCER_ID, metadata.previous_producer_id != NO_PRODUCER_ID),
        (NEXT_PRODUCER_ID, metadata.next_producer_id != NO_PRODUCER_ID),
        (CLIENT_VERSION, metadata.client_version != TransactionVersion::V0),
    ];
    writer.uvarint(tags.iter().filter(|(_, is_set)| *is_set).count() as u32);
    for (tag, _) in tags.into_iter().filter(|(_, is_set)| *is_set) {
        writer.uvarint(tag);
        match tag {
            CLIENT_VERSION => {
                writer.uvarint(size_of::<i16>() as u32);
                writer.i16(metadata.client_version.level());
            }
            _ => {
                writer.uvarint(size_of::<i64>() as u32);
                let is_previous = tag == PREVIOUS_PRODUCER_ID;
                writer.i64(if is_previous {
                    metadata.previous_producer_id
                } else {
                    metadata.next_producer_id
                });
            }
        }
    }
    Ok(writer.finish())
}

fn write_partitions(writer: &mut FieldWriter, metadata: &TransactionMetadata) -> Result<(), RecordError> {
    if metadata.state == TransactionState::Empty {
        return writer.compact_len("topics", None);
    }
    let partitions: Vec<&TopicPartition> = metadata.partitions.iter().collect();
    let topics = || partitions.chunk_by(|a, b| a.topic() == b.topic());
    writer.compact_len("topics", Some(topics().count()))?;
    for topic in topics() {
        writer.compact_string("topic", topic.first().map_or("", |partition| partition.topic()))?;
        writer.compact_len("partitions", Some(topic.len()))?;
        for partition in topic {
            writer.i32(partition.partition());
        }
        writer.uvarint(0);
    }
    Ok(())
}

pub(super) fn parse_value(value: &[u8]) -> Result<TransactionMetadata, RecordError> {
    let mut reader = FieldReader::new(value);
    let version = reader.i16("version")?;
    if !(0..=CURRENT).contains(&version) {
        return Err(RecordError::Version { what: "a transaction", version });
    }
    let is_flexible = version >= 1;
    let producer_id = reader.i64("producer id")?;
    let producer_epoch = reader.i16("producer epoch")?;
    let timeout_ms = reader.i32("timeout")?;
    let state = reader.i8("state")?;
    let state = TransactionState::from_id(state)
        .ok_or(RecordError::Version { what: "a transaction's state", version: i16::from(state) })?;
    let mut metadata = TransactionMetadata {
        producer_id,
        previous_producer_id: NO_PRODUCER_ID,
        next_producer_id: NO_PRODUCER_ID,
        producer_epoch,
        // Not written: a retry of InitProducerId across a restart is taken for another producer's.
        last_producer_epoch: NO_PRODUCER_EPOCH,
        timeout_ms,
        state,
        partitions: parse_partitions(&mut reader, is_flexible)?,
        last_update_timestamp: reader.i64("last update")?,
        start_timestamp: reader.i64("start")?,
        client_version: TransactionVersion::V0,
    };
    if is_flexible {
        reader.tagged_fields(|tag, field| {
            match tag {
                PREVIOUS_PRODUCER_ID => metadata.previous_producer_id = field.i64("previous producer id")?,
                NEXT_PRODUCER_ID => metadata.next_producer_id = field.i64("next producer id")?,
                CLIENT_VERSION => {
                    metadata.client_version = TransactionVersion::from_level(field.i16("client version")?);
                }
                _ => {}
            }
            Ok(())
        })?;
    }
    Ok(metadata)
}

fn parse_partitions(
    reader: &mut FieldReader<'_>,
    is_flexible: bool,
) -> Result<BTreeSet<TopicPartition>, RecordError> {
    let mut partitions = BTreeSet::new();
    for _ in 0..reader.nullable_array_len("topics", is_flexible)?.unwrap_or(0) {
        let topic: Arc<str> = Arc::from(reader.string("topic", is_flexible)?);
        for _ in 0..reader.array_len("partitions", is_flexible)? {
            partitions.insert(TopicPartition::new(Arc::clone(&topic), reader.i32("partition")?));
        }
        if is_flexible {
            reader.skip_tagged_fields()?;
        }
    }
    Ok(partitions)
}
