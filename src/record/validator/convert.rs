//! What cannot stay in place: old formats, and batches whose offset deltas have gaps.

use super::record_checks::{Facts, RecordChecks};
use super::{ValidatedRecords, ValidationOptions, check_size};
use crate::record::batch::{Batches, RecordBatchRef};
use crate::record::legacy::checked_records;
use crate::record::{BatchError, BatchOptions, CompressionType, RecordBatchBuilder, TimestampType};

/// Writes the records of a batch anew, numbered from 0, as Kafka does for clients that number them wrongly. They
/// have been checked before.
pub(super) fn rebuild(
    batch: RecordBatchRef<'_>,
    compression: CompressionType,
    options: &ValidationOptions,
) -> Result<ValidatedRecords, BatchError> {
    let mut builder = RecordBatchBuilder::new(BatchOptions {
        compression,
        compression_level: options.target_compression_level,
        producer_id: batch.producer_id(),
        producer_epoch: batch.producer_epoch(),
        base_sequence: batch.base_sequence(),
        transactional: batch.is_transactional(),
        control: batch.is_control(),
        ..BatchOptions::default()
    });
    let mut scratch = Vec::new();
    for record in batch.records(&mut scratch, options.decompression_limit_bytes)? {
        let record = record?;
        builder.append_with_encoded_headers(
            record.timestamp(),
            record.key(),
            record.value(),
            record.headers(),
        )?;
    }
    finish(&mut builder, batch.compression_type()?, options)
}

/// Makes one batch of a message set of magic 0 or 1: of its messages, or of those in the one wrapper that it is.
pub(super) fn convert_message_set(
    records: &[u8],
    options: &ValidationOptions,
) -> Result<ValidatedRecords, BatchError> {
    let first = Batches::new(records).next().ok_or(BatchError::NoBatch)??;
    let source = compression_of_set(records, first)?;
    let mut builder = RecordBatchBuilder::new(BatchOptions {
        compression: options.target_compression.unwrap_or(source),
        compression_level: options.target_compression_level,
        ..BatchOptions::default()
    });
    let mut checks = RecordChecks::new(first.header(), options);
    let mut scratch = Vec::new();
    for entry in Batches::new(records) {
        let entry = entry?;
        check_size(entry.size_in_bytes(), options)?;
        entry.ensure_valid()?;
        checks.next_entry(entry.header());
        for record in checked_records(entry, &mut scratch, options.decompression_limit_bytes)? {
            let record = record?;
            checks.check(Facts { timestamp: record.timestamp(), has_key: record.key().is_some() });
            builder.append(record.timestamp(), record.key(), record.value())?;
        }
    }
    checks.finish()?;
    finish(&mut builder, source, options)
}

/// How a set is compressed. A compressed set is one wrapper and nothing else; entries of several formats do not
/// mix.
fn compression_of_set(records: &[u8], first: RecordBatchRef<'_>) -> Result<CompressionType, BatchError> {
    let mut source = CompressionType::None;
    let mut count = 0;
    for entry in Batches::new(records) {
        let entry = entry?;
        if entry.magic() != first.magic() {
            return Err(BatchError::MixedMagic { first: first.magic(), magic: entry.magic() });
        }
        if entry.is_compressed() {
            source = entry.compression_type()?;
        }
        count += 1;
    }
    match source {
        CompressionType::None => Ok(source),
        _ if count > 1 => Err(BatchError::SeveralBatches),
        _ => Ok(source),
    }
}

fn finish(
    builder: &mut RecordBatchBuilder,
    source: CompressionType,
    options: &ValidationOptions,
) -> Result<ValidatedRecords, BatchError> {
    let mut validated = ValidatedRecords::of_builder(builder)?.with_source_compression(source);
    if options.timestamp_type == TimestampType::LogAppendTime {
        validated.stamp_log_append_time(options.now_ms);
    }
    check_size(validated.size_in_bytes(), options)?;
    Ok(validated)
}
