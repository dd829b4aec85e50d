//! Message sets of magic 0 and 1: how records were written before 0.11, and how old clients still send and want
//! them (Kafka: `LegacyRecord`, `AbstractLegacyRecordBatch`).

mod cursor;
mod writer;

use super::BatchError;
use super::batch::{Batches, RecordBatchRef};
use super::record_iter::{Cursor, RecordRefIter};

pub(super) use cursor::LegacyCursor;
pub(super) use writer::MessageSetBuilder;

/// The checksum that each message of an entry carries, and whether it is right.
pub(crate) fn message_checksums(
    entry: RecordBatchRef<'_>,
    scratch: &mut Vec<u8>,
    decompression_limit: usize,
) -> Result<Vec<(u32, bool)>, BatchError> {
    let of = |message: RecordBatchRef<'_>| (message.crc(), message.ensure_valid().is_ok());
    if !entry.is_compressed() {
        return Ok(vec![of(entry)]);
    }
    LegacyCursor::of_wrapper(entry, scratch, decompression_limit)?;
    Batches::new(scratch).map(|message| Ok(of(message?))).collect()
}

/// The records of an entry, each of which had a checksum of its own that matched; that of `entry` itself is not
/// looked at.
pub(super) fn checked_records<'s>(
    entry: RecordBatchRef<'s>,
    scratch: &'s mut Vec<u8>,
    decompression_limit: usize,
) -> Result<RecordRefIter<'s>, BatchError> {
    if !entry.is_compressed() {
        return entry.records(scratch, decompression_limit);
    }
    let cursor = LegacyCursor::of_wrapper(entry, scratch, decompression_limit)?;
    for inner in Batches::new(scratch) {
        inner?.ensure_valid()?;
    }
    Ok(RecordRefIter::new(scratch, Cursor::Legacy(cursor)))
}
