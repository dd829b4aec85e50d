//! Batches to send, and what is in those that come back.

use bytes::Bytes;
use ottla::{BatchOptions, CompressionType, RecordBatch, RecordBatchBuilder};

const LIMIT: usize = 1 << 20;

/// One batch of magic 2 with these values, at timestamps 1000, 1001, ….
pub(super) fn batch(values: &[&str]) -> Bytes {
    batch_with(BatchOptions::default(), values)
}

pub(super) fn compressed_batch(compression: CompressionType, values: &[&str]) -> Bytes {
    batch_with(BatchOptions { compression, ..BatchOptions::default() }, values)
}

pub(super) fn batch_with(options: BatchOptions, values: &[&str]) -> Bytes {
    let mut builder = RecordBatchBuilder::new(options);
    for (timestamp, value) in (1000..).zip(values) {
        builder.append(timestamp, Some(b"key"), Some(value.as_bytes())).unwrap();
    }
    builder.build().unwrap()
}

/// The offsets and values of all whole batches.
pub(super) fn values(records: &Bytes) -> Vec<(i64, String)> {
    let mut rest = records.clone();
    let mut found = Vec::new();
    while let Some(batch) = RecordBatch::split_from(&mut rest).unwrap() {
        for record in batch.records(LIMIT).unwrap() {
            let record = record.unwrap();
            let value = record.value().map(|value| String::from_utf8(value.to_vec()).unwrap());
            found.push((record.offset(), value.unwrap_or_default()));
        }
    }
    found
}

/// A message set of magic 0 or 1 with these values.
pub(super) fn message_set(magic: i8, values: &[&str]) -> Bytes {
    use kafka_protocol_015::records::{
        Compression, Record, RecordBatchEncoder, RecordEncodeOptions, TimestampType,
    };
    let records: Vec<Record> = (0i64..)
        .zip(values)
        .map(|(offset, value)| Record {
            transactional: false,
            control: false,
            partition_leader_epoch: -1,
            producer_id: -1,
            producer_epoch: -1,
            timestamp_type: TimestampType::Creation,
            offset,
            sequence: -1,
            timestamp: 1000 + offset,
            key: Some(Bytes::from_static(b"key")),
            value: Some(Bytes::copy_from_slice(value.as_bytes())),
            headers: Default::default(),
        })
        .collect();
    let mut set = bytes::BytesMut::new();
    let options = RecordEncodeOptions { version: magic, compression: Compression::None };
    RecordBatchEncoder::encode(&mut set, &records, &options).unwrap();
    set.freeze()
}

/// A batch of an idempotent producer.
pub(super) fn idempotent_batch(producer_id: i64, epoch: i16, sequence: i32, values: &[&str]) -> Bytes {
    let options = BatchOptions {
        producer_id,
        producer_epoch: epoch,
        base_sequence: sequence,
        ..BatchOptions::default()
    };
    batch_with(options, values)
}

/// One batch of magic 2 with one record without key, at `timestamp`.
pub(super) fn batch_at(timestamp: i64, key: Option<&[u8]>, value: &[u8]) -> Bytes {
    let mut builder = RecordBatchBuilder::new(BatchOptions::default());
    builder.append(timestamp, key, Some(value)).unwrap();
    builder.build().unwrap()
}

/// The batch with other bytes from `position` on, and the checksum that goes with them.
pub(super) fn patched(batch: &Bytes, position: usize, bytes: &[u8]) -> Bytes {
    let mut patched = batch.to_vec();
    patched[position..position + bytes.len()].copy_from_slice(bytes);
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, &patched[21..]) as u32;
    patched[17..21].copy_from_slice(&crc.to_be_bytes());
    patched.into()
}
