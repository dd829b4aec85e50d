//! Copying a batch without some of its records (Kafka: `MemoryRecords#filterTo`).

use super::batch::RecordBatchRef;
use super::compression::{compress_into, decompress_into};
use super::header::{
    COMPRESSION_MASK, CONTROL_FLAG, DELETE_HORIZON_FLAG, HeaderFields, TIMESTAMP_TYPE_FLAG,
    TRANSACTIONAL_FLAG,
};
use super::legacy::MessageSetBuilder;
use super::record::{RecordRef, read_record};
use super::varint::{Varint, take_varint, take_varlong};
use super::{BatchError, CompressionType, TimestampType};
use crate::model::{NO_TIMESTAMP, Timestamp};

const KNOWN_FLAGS: i16 =
    COMPRESSION_MASK | TIMESTAMP_TYPE_FLAG | TRANSACTIONAL_FLAG | CONTROL_FLAG | DELETE_HORIZON_FLAG;

/// How one batch is copied.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FilterParams {
    /// Keep the header of the batch even if no record is kept, for the offsets and sequences that it tells. Magic 0
    /// and 1 have no such header.
    pub(crate) retain_empty: bool,
    /// The batch is the marker of a transaction of which nothing else is left, so it gets a delete horizon, as a
    /// batch with tombstones does.
    pub(crate) is_marker_of_empty_txn: bool,
    /// The delete horizon of a batch that needs one and has none.
    pub(crate) delete_horizon_ms: Timestamp,
    /// Decompressed, the batch must not be larger.
    pub(crate) decompression_limit: usize,
}

/// How many records a batch had and has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filtered {
    pub(crate) records_read: u64,
    pub(crate) records_retained: u64,
}

/// Decides which records of a batch stay. It meets all of them first, so that it can look up many at once.
pub(crate) trait RecordRetention {
    /// The next record of the batch.
    fn meet(&mut self, record: &RecordRef<'_>);

    /// For each record that was met, in that order, whether it stays.
    fn decide(&mut self) -> &[bool];
}

/// A record that may stay: where its bytes are, and when it happened.
#[derive(Clone, Copy, Debug)]
struct Kept {
    start: usize,
    end: usize,
    timestamp: Timestamp,
    is_tombstone: bool,
}

/// Copies batches without some of their records. Offsets, sequences and the batch's last offset stay as they were;
/// its memory is used again for the next batch.
#[derive(Debug, Default)]
pub(crate) struct BatchFilter {
    scratch: Vec<u8>,
    kept: Vec<Kept>,
    body: Vec<u8>,
    compressed: Vec<u8>,
}

impl BatchFilter {
    /// Appends to `out` what is left of `batch` when only the records stay that `retention` keeps: nothing, the batch as
    /// it is, or another one.
    ///
    /// # Errors
    /// Records that cannot be read, or not be written again, for example since this build lacks the codec.
    pub(crate) fn filter(
        &mut self,
        batch: RecordBatchRef<'_>,
        params: &FilterParams,
        retention: &mut impl RecordRetention,
        out: &mut Vec<u8>,
    ) -> Result<Filtered, BatchError> {
        match batch.records_count() {
            Some(count) => self.filter_batch(batch, count, params, retention, out),
            None => self.filter_message_set(batch, params, retention, out),
        }
    }

    fn filter_batch(
        &mut self,
        batch: RecordBatchRef<'_>,
        count: i32,
        params: &FilterParams,
        retention: &mut impl RecordRetention,
        out: &mut Vec<u8>,
    ) -> Result<Filtered, BatchError> {
        let BatchFilter { scratch, kept, body, compressed } = self;
        let source = source_of(batch, scratch, params.decompression_limit)?;
        kept.clear();
        let log_append_time =
            (batch.timestamp_type() == TimestampType::LogAppendTime).then(|| batch.max_timestamp());
        let mut position = 0;
        for _ in 0..count {
            let start = position;
            let fields = read_record(source, &mut position)?;
            let own = batch.base_timestamp().wrapping_add(fields.timestamp_delta);
            let record = RecordRef {
                offset: batch.base_offset().wrapping_add(i64::from(fields.offset_delta)),
                timestamp: log_append_time.unwrap_or(own),
                key: fields.key,
                value: fields.value,
                headers: fields.headers,
            };
            retention.meet(&record);
            let is_tombstone = record.value.is_none();
            kept.push(Kept { start, end: position, timestamp: record.timestamp, is_tombstone });
        }
        if position != source.len() {
            return Err(BatchError::TrailingBytes { count, left: source.len() - position });
        }
        let mut verdicts = retention.decide().iter();
        kept.retain(|_| verdicts.next().is_some_and(|stays| *stays));
        let filtered = Filtered {
            records_read: u64::try_from(count).unwrap_or_default(),
            records_retained: kept.len() as u64,
        };
        let Some(first) = kept.first().copied() else {
            if params.retain_empty {
                out.extend_from_slice(&empty_of(batch).encode(&[])?);
            }
            return Ok(filtered);
        };
        let needs_horizon = kept.iter().any(|kept| kept.is_tombstone) || params.is_marker_of_empty_txn;
        let new_horizon =
            Some(params.delete_horizon_ms).filter(|_| needs_horizon && batch.delete_horizon_ms().is_none());
        if filtered.records_retained == filtered.records_read && new_horizon.is_none() {
            out.extend_from_slice(batch.as_bytes());
            return Ok(filtered);
        }
        let horizon = new_horizon.or(batch.delete_horizon_ms());
        let base_timestamp = horizon.unwrap_or(first.timestamp);
        copy_records(source, kept, (batch.base_timestamp(), base_timestamp), body)?;
        let codec = batch.compression_type()?;
        let body = if codec == CompressionType::None {
            body
        } else {
            compressed.clear();
            compress_into(codec, None, body, compressed)?;
            compressed
        };
        let largest = kept.iter().map(|kept| kept.timestamp).max().unwrap_or(NO_TIMESTAMP).max(NO_TIMESTAMP);
        let mut attributes = HeaderFields::of(batch.header()).attributes & KNOWN_FLAGS;
        if horizon.is_some() {
            attributes |= DELETE_HORIZON_FLAG;
        }
        let header = HeaderFields {
            attributes,
            base_timestamp,
            max_timestamp: log_append_time.unwrap_or(largest),
            // Not more than there were.
            records_count: kept.len() as i32,
            ..HeaderFields::of(batch.header())
        };
        out.extend_from_slice(&header.encode(body)?);
        out.extend_from_slice(body);
        Ok(filtered)
    }

    fn filter_message_set(
        &mut self,
        entry: RecordBatchRef<'_>,
        params: &FilterParams,
        retention: &mut impl RecordRetention,
        out: &mut Vec<u8>,
    ) -> Result<Filtered, BatchError> {
        let records = entry.records(&mut self.scratch, params.decompression_limit)?;
        for record in records.clone() {
            retention.meet(&record?);
        }
        let verdicts = retention.decide();
        let filtered = Filtered {
            records_read: verdicts.len() as u64,
            records_retained: verdicts.iter().filter(|stays| **stays).count() as u64,
        };
        if filtered.records_retained == filtered.records_read {
            out.extend_from_slice(entry.as_bytes());
        } else if filtered.records_retained > 0 {
            let codec = entry.compression_type()?;
            let mut builder = MessageSetBuilder::new(entry.magic(), codec, entry.timestamp_type())?;
            for (record, _) in records.zip(verdicts).filter(|(_, stays)| **stays) {
                builder.append(record?)?;
            }
            builder.finish(out)?;
        }
        Ok(filtered)
    }
}

/// The bytes of the records, decompressed into `scratch` if need be.
fn source_of<'a>(
    batch: RecordBatchRef<'a>,
    scratch: &'a mut Vec<u8>,
    decompression_limit: usize,
) -> Result<&'a [u8], BatchError> {
    let codec = batch.compression_type()?;
    if codec == CompressionType::None {
        return Ok(batch.body());
    }
    scratch.clear();
    decompress_into(codec, batch.body(), scratch, decompression_limit)?;
    Ok(scratch)
}

/// The header of a batch without its records (Kafka: `DefaultRecordBatch#writeEmptyHeader`).
fn empty_of(batch: RecordBatchRef<'_>) -> HeaderFields {
    let header = HeaderFields::of(batch.header());
    HeaderFields {
        attributes: header.attributes & (TIMESTAMP_TYPE_FLAG | TRANSACTIONAL_FLAG | CONTROL_FLAG),
        base_timestamp: NO_TIMESTAMP,
        records_count: 0,
        ..header
    }
}

/// Copies `kept` records of `source` to `body`, and counts their timestamps from another base.
fn copy_records(
    source: &[u8],
    kept: &[Kept],
    (old_base, new_base): (Timestamp, Timestamp),
    body: &mut Vec<u8>,
) -> Result<(), BatchError> {
    body.clear();
    for record in kept {
        let bytes = source.get(record.start..record.end).unwrap_or_default();
        if old_base == new_base {
            body.extend_from_slice(bytes);
            continue;
        }
        let malformed = || BatchError::MalformedRecord { field: "timestamp delta", position: record.start };
        let mut rest = bytes;
        take_varint(&mut rest).ok_or_else(malformed)?;
        let (attributes, mut rest) = rest.split_first().ok_or_else(malformed)?;
        take_varlong(&mut rest).ok_or_else(malformed)?;
        // What follows the timestamp stays as it is.
        let delta = Varint::of(record.timestamp.wrapping_sub(new_base));
        let len = Varint::of((1 + delta.len + rest.len()) as i64);
        put_varint(body, len);
        body.push(*attributes);
        put_varint(body, delta);
        body.extend_from_slice(rest);
    }
    Ok(())
}

fn put_varint(out: &mut Vec<u8>, value: Varint) {
    out.extend_from_slice(value.bits.to_le_bytes().get(..value.len).unwrap_or_default());
}
