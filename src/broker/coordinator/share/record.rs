//! Kafka's record format of `__share_group_state` (Kafka: `ShareSnapshotKey`, `ShareSnapshotValue`, `ShareUpdateKey`,
//! `ShareUpdateValue`).
//!
//! A key begins with the number of its kind, a value with its version, which is 0. How many records from the start on
//! are dealt with is a tagged field (KIP-1226).

use super::key::SharePartitionKey;
use super::share_group_offset::{ShareGroupOffset, ShareUpdate};
use super::state_batch::StateBatch;
use crate::broker::coordinator::record_format::{FieldReader, FieldWriter, RecordError};

pub(super) const SNAPSHOT: i16 = 0;
pub(super) const UPDATE: i16 = 1;
const VERSION: i16 = 0;
const DELIVERY_COMPLETE_COUNT: u32 = 0;
const UNKNOWN_COUNT: i32 = -1;

/// The key of a record of `kind`.
pub(super) fn key(kind: i16, key: &SharePartitionKey) -> Result<Vec<u8>, RecordError> {
    let mut writer = FieldWriter::new(kind);
    writer.string("group id", &key.group_id)?;
    writer.uuid(key.topic_id);
    writer.i32(key.partition);
    Ok(writer.finish())
}

/// Kind and key of a record; `None` if it is of a kind that a newer Kafka knows.
pub(super) fn parse_key(key: &[u8]) -> Result<Option<(i16, SharePartitionKey)>, RecordError> {
    let mut reader = FieldReader::new(key);
    let kind = reader.i16("key type")?;
    if !matches!(kind, SNAPSHOT | UPDATE) {
        return Ok(None);
    }
    let group_id = reader.string("group id", false)?;
    let topic_id = reader.uuid("topic id")?;
    let partition = reader.i32("partition")?;
    Ok(Some((kind, SharePartitionKey::new(group_id, topic_id, partition))))
}

pub(super) fn snapshot_value(offset: &ShareGroupOffset) -> Result<Vec<u8>, RecordError> {
    let mut writer = FieldWriter::new(VERSION);
    writer.i32(offset.snapshot_epoch);
    writer.i32(offset.state_epoch);
    writer.i32(offset.leader_epoch);
    writer.i64(offset.start_offset);
    writer.i64(offset.create_timestamp);
    writer.i64(offset.write_timestamp);
    write_batches(&mut writer, &offset.state_batches)?;
    write_count(&mut writer, offset.delivery_complete_count)?;
    Ok(writer.finish())
}

pub(super) fn update_value(update: &ShareUpdate) -> Result<Vec<u8>, RecordError> {
    let mut writer = FieldWriter::new(VERSION);
    writer.i32(update.snapshot_epoch);
    writer.i32(update.leader_epoch);
    writer.i64(update.start_offset);
    write_batches(&mut writer, &update.state_batches)?;
    write_count(&mut writer, update.delivery_complete_count)?;
    Ok(writer.finish())
}

fn write_batches(writer: &mut FieldWriter, batches: &[StateBatch]) -> Result<(), RecordError> {
    writer.compact_len("state batches", Some(batches.len()))?;
    for batch in batches {
        writer.i64(batch.first_offset);
        writer.i64(batch.last_offset);
        writer.i8(batch.delivery_state);
        writer.i16(batch.delivery_count);
        writer.tagged_fields("state batch", None)?;
    }
    Ok(())
}

fn write_count(writer: &mut FieldWriter, count: i32) -> Result<(), RecordError> {
    let part = (count != UNKNOWN_COUNT).then(|| {
        let mut part = FieldWriter::part();
        part.i32(count);
        part
    });
    writer.tagged_fields("delivery complete count", part)
}

pub(super) fn parse_snapshot(value: &[u8]) -> Result<ShareGroupOffset, RecordError> {
    let mut reader = FieldReader::new(value);
    check_version(&mut reader, "a share snapshot")?;
    let mut snapshot = ShareGroupOffset {
        snapshot_epoch: reader.i32("snapshot epoch")?,
        state_epoch: reader.i32("state epoch")?,
        leader_epoch: reader.i32("leader epoch")?,
        start_offset: reader.i64("start offset")?,
        delivery_complete_count: UNKNOWN_COUNT,
        create_timestamp: reader.i64("create timestamp")?,
        write_timestamp: reader.i64("write timestamp")?,
        state_batches: parse_batches(&mut reader)?,
    };
    snapshot.delivery_complete_count = parse_count(&mut reader)?;
    Ok(snapshot)
}

pub(super) fn parse_update(value: &[u8]) -> Result<ShareUpdate, RecordError> {
    let mut reader = FieldReader::new(value);
    check_version(&mut reader, "a share update")?;
    let mut update = ShareUpdate {
        snapshot_epoch: reader.i32("snapshot epoch")?,
        leader_epoch: reader.i32("leader epoch")?,
        start_offset: reader.i64("start offset")?,
        delivery_complete_count: UNKNOWN_COUNT,
        state_batches: parse_batches(&mut reader)?,
    };
    update.delivery_complete_count = parse_count(&mut reader)?;
    Ok(update)
}

fn check_version(reader: &mut FieldReader<'_>, what: &'static str) -> Result<(), RecordError> {
    match reader.i16("version")? {
        VERSION => Ok(()),
        version => Err(RecordError::Version { what, version }),
    }
}

fn parse_batches(reader: &mut FieldReader<'_>) -> Result<Vec<StateBatch>, RecordError> {
    let mut batches = Vec::new();
    for _ in 0..reader.array_len("state batches", true)? {
        batches.push(StateBatch {
            first_offset: reader.i64("first offset")?,
            last_offset: reader.i64("last offset")?,
            delivery_state: reader.i8("delivery state")?,
            delivery_count: reader.i16("delivery count")?,
        });
        reader.skip_tagged_fields()?;
    }
    Ok(batches)
}

fn parse_count(reader: &mut FieldReader<'_>) -> Result<i32, RecordError> {
    let mut count = UNKNOWN_COUNT;
    reader.tagged_fields(|tag, field| {
        if tag == DELIVERY_COMPLETE_COUNT {
            count = field.i32("delivery complete count")?;
        }
        Ok(())
    })?;
    Ok(count)
}
