//! The rules that produced records must keep, and what makes them fit the topic (Kafka: `LogValidator`, and
//! those checks of `UnifiedLog#analyzeAndValidateRecords` that are about bytes).
//!
//! Everything here happens before the log's lock is taken. What is left for under the lock is two fields of the
//! header: [`ValidatedRecords::assign_offsets`].

mod convert;
mod options;
mod record_checks;
mod skimmer;
mod validated;

use bytes::Bytes;

use super::batch::{Batches, RecordBatchRef};
use super::compression::{compress_into, decompress_into};
use super::header::{BatchHeader, MAGIC_VALUE_V2};
use super::{BatchError, CompressionType, RecordBatchBuilder, TimestampType};
use record_checks::RecordChecks;
use skimmer::RecordSkimmer;

pub(crate) use options::{AppendOrigin, ValidationOptions};
pub(crate) use validated::ValidatedRecords;

/// Checks what a producer sent for one partition and makes of it the one batch that the log appends. Bytes after
/// the last complete entry are ignored.
///
/// The records stay where they are, uncopied, unless the topic asks for another codec, their format is an old
/// one, or their offset deltas are not 0, 1, 2, ….
///
/// # Errors
/// [`BatchError::NoBatch`] if there is no complete entry; what each of the rules says otherwise.
pub(crate) fn validate(records: &Bytes, options: &ValidationOptions) -> Result<ValidatedRecords, BatchError> {
    let mut batches = Batches::new(records);
    let first = batches.next().ok_or(BatchError::NoBatch)??;
    if first.magic() == MAGIC_VALUE_V2 {
        return match batches.next() {
            None => validate_batch(records, first, options),
            Some(Ok(_)) => Err(BatchError::SeveralBatches),
            Some(Err(error)) => Err(error),
        };
    }
    if options.requires_batch_format {
        return Err(BatchError::OldMagic(first.magic()));
    }
    convert::convert_message_set(records, options)
}

/// The same for a batch that was built in this process: its records are not read again unless what the builder
/// noted about them could break a rule of the topic.
///
/// # Errors
/// As [`validate`].
pub(crate) fn validate_built(
    builder: &mut RecordBatchBuilder,
    options: &ValidationOptions,
) -> Result<ValidatedRecords, BatchError> {
    let facts = builder.facts();
    let built = *builder.options();
    let target = options.target_compression.unwrap_or(built.compression);
    let is_plain = facts.records_count > 0
        && target == built.compression
        && built.timestamp_type == TimestampType::CreateTime
        && !(options.compacted && facts.has_null_key)
        // The largest number is where there is no smallest timestamp; as a timestamp, it is the largest too.
        && (facts.min_timestamp == i64::MAX || options.accepts_timestamp(facts.min_timestamp))
        && options.accepts_timestamp(facts.max_timestamp);
    if !is_plain {
        return validate(&builder.build()?, options);
    }
    let mut validated = ValidatedRecords::of_builder(builder)?;
    check_size(validated.size_in_bytes(), options)?;
    check_header(validated.header(), options)?;
    if options.timestamp_type == TimestampType::LogAppendTime {
        validated.stamp_log_append_time(options.now_ms);
    }
    Ok(validated)
}

fn check_size(size: usize, options: &ValidationOptions) -> Result<(), BatchError> {
    let max = options.max_message_bytes;
    if size > max { Err(BatchError::TooLarge { size, max }) } else { Ok(()) }
}

/// What can be told from a batch's header (Kafka: `LogValidator#validateBatch`).
fn check_header(header: BatchHeader<'_>, options: &ValidationOptions) -> Result<(), BatchError> {
    let is_client = options.origin == AppendOrigin::Client;
    if is_client && header.base_offset() != 0 {
        return Err(BatchError::NonZeroBaseOffset(header.base_offset()));
    }
    let last_offset_delta = header.last_offset_delta();
    let count = header.records_count().unwrap_or_default();
    // The count is checked to be positive first, so the subtraction stays within bounds.
    if count <= 0 || last_offset_delta != count - 1 {
        return Err(BatchError::InconsistentCount { last_offset_delta, count });
    }
    if is_client && header.is_control() {
        return Err(BatchError::ControlFromClient);
    }
    if is_client && header.has_producer_id() && header.base_sequence() < 0 {
        return Err(BatchError::InvalidSequence {
            sequence: header.base_sequence(),
            producer_id: header.producer_id(),
        });
    }
    Ok(())
}

fn validate_batch(
    records: &Bytes,
    batch: RecordBatchRef<'_>,
    options: &ValidationOptions,
) -> Result<ValidatedRecords, BatchError> {
    check_size(batch.size_in_bytes(), options)?;
    batch.ensure_valid()?;
    check_header(batch.header(), options)?;
    let source = batch.compression_type()?;
    let target = match options.target_compression {
        // Markers and their like stay as they were written.
        Some(target) if !batch.is_control() => target,
        _ => source,
    };
    let mut checks = RecordChecks::new(batch.header(), options);
    let kept_or_new = if source == target {
        check_in_place(batch, source, &mut checks, options)?;
        None
    } else {
        Some(recompress(batch, source, target, &mut checks, options)?)
    };
    checks.finish()?;
    if checks.needs_new_offsets() {
        return convert::rebuild(batch, target, options);
    }
    let validated = match kept_or_new {
        None => ValidatedRecords::in_place(batch, records.slice_ref(batch.body()), &checks, options)?,
        Some(body) => ValidatedRecords::recompressed(batch, target, body, &checks, options)?,
    };
    check_size(validated.size_in_bytes(), options)?;
    Ok(validated)
}

fn check_in_place(
    batch: RecordBatchRef<'_>,
    codec: CompressionType,
    checks: &mut RecordChecks<'_>,
    options: &ValidationOptions,
) -> Result<(), BatchError> {
    let count = batch.records_count().unwrap_or_default();
    match codec {
        CompressionType::None => checks.read_all(batch.body(), count),
        _ => RecordSkimmer::new(codec, batch.body(), options.decompression_limit_bytes)?.skim(count, checks),
    }
}

/// Checks the records and gives them as the topic's codec has them. What the records say of themselves stays the
/// same, so they are not written one by one.
fn recompress(
    batch: RecordBatchRef<'_>,
    source: CompressionType,
    target: CompressionType,
    checks: &mut RecordChecks<'_>,
    options: &ValidationOptions,
) -> Result<Bytes, BatchError> {
    let mut decompressed = Vec::new();
    let plain = match source {
        CompressionType::None => batch.body(),
        _ => {
            decompress_into(source, batch.body(), &mut decompressed, options.decompression_limit_bytes)?;
            decompressed.as_slice()
        }
    };
    checks.read_all(plain, batch.records_count().unwrap_or_default())?;
    if target == CompressionType::None {
        return Ok(Bytes::from(decompressed));
    }
    let mut compressed = Vec::new();
    compress_into(target, options.target_compression_level, plain, &mut compressed)?;
    Ok(Bytes::from(compressed))
}
