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
