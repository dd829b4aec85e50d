use bytes::{Bytes, BytesMut};

use super::compression::compress_into;
use super::header::{
    BatchHeaderBytes, CONTROL_FLAG, HeaderFields, RECORD_BATCH_OVERHEAD, TIMESTAMP_TYPE_FLAG,
    TRANSACTIONAL_FLAG,
};
use super::record::Headers;
use super::varint::{put_varint, put_varlong, varint_size, varlong_size};
use super::{BatchError, CompressionType, TimestampType};
use crate::model::{
    LeaderEpoch, NO_LEADER_EPOCH, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE, NO_TIMESTAMP, Offset,
    ProducerEpoch, ProducerId, Timestamp,
};

/// What a [`RecordBatchBuilder`] writes into the header. The default is an uncompressed batch of a producer that
/// is not idempotent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchOptions {
    /// How the records are compressed.
    pub compression: CompressionType,
    /// How hard: the codec's own scale; `None` is its default.
    pub compression_level: Option<i32>,
    /// Who gives the timestamps.
    pub timestamp_type: TimestampType,
    /// The offset of the first record. A broker that appends the batch sets its own.
    pub base_offset: Offset,
    /// The leader's term. A broker that appends the batch sets its own.
    pub partition_leader_epoch: LeaderEpoch,
    /// The idempotent producer.
    pub producer_id: ProducerId,
    /// Its epoch.
    pub producer_epoch: ProducerEpoch,
    /// The sequence of the first record.
    pub base_sequence: i32,
    /// Whether the records belong to a transaction.
    pub transactional: bool,
    /// Whether the records are the broker's own, not data.
    pub control: bool,
}

impl Default for BatchOptions {
    fn default() -> Self {
        BatchOptions {
            compression: CompressionType::None,
            compression_level: None,
            timestamp_type: TimestampType::CreateTime,
            base_offset: 0,
            partition_leader_epoch: NO_LEADER_EPOCH,
            producer_id: NO_PRODUCER_ID,
            producer_epoch: NO_PRODUCER_EPOCH,
            base_sequence: NO_SEQUENCE,
            transactional: false,
            control: false,
        }
    }
}

impl BatchOptions {
    fn attributes(&self) -> i16 {
        let mut attributes = i16::from(self.compression.id());
        if self.timestamp_type == TimestampType::LogAppendTime {
            attributes |= TIMESTAMP_TYPE_FLAG;
        }
        if self.transactional {
            attributes |= TRANSACTIONAL_FLAG;
        }
        if self.control {
            attributes |= CONTROL_FLAG;
        }
        attributes
    }
}

/// The records of a batch as they were counted while they were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BuiltFacts {
    pub(super) records_count: i32,
    pub(super) last_offset_delta: i32,
    pub(super) max_timestamp: Timestamp,
    pub(super) offset_delta_of_max_timestamp: i32,
    /// Of the records that have a timestamp.
    pub(super) min_timestamp: Timestamp,
    pub(super) has_null_key: bool,
}

/// Writes one batch of magic 2 after the other. Appending a record writes its bytes to the end of one buffer and
/// allocates nothing; the buffer's memory is used again once the batches made of it are gone.
///
/// # Examples
/// ```
/// use ottla::{BatchOptions, CompressionType, RecordBatch, RecordBatchBuilder};
/// let options = BatchOptions { compression: CompressionType::Lz4, base_offset: 40, ..BatchOptions::default() };
/// let mut builder = RecordBatchBuilder::new(options);
/// builder.append_with_headers(1_700_000_000_000, Some(b"k"), Some(b"v"), &[("trace", Some(b"1"))])?;
/// builder.append(1_700_000_000_007, Some(b"k"), None)?;
/// assert_eq!(builder.records_count(), 2);
///
/// let batch = RecordBatch::parse(builder.build()?)?;
/// batch.view().ensure_valid()?;
/// assert_eq!((batch.view().base_offset(), batch.view().last_offset()), (40, 41));
/// assert_eq!(batch.view().max_timestamp(), 1_700_000_000_007);
/// assert!(builder.is_empty());
/// # Ok::<(), ottla::BatchError>(())
/// ```
#[derive(Debug)]
pub struct RecordBatchBuilder {
    options: BatchOptions,
    /// Room for the header, then the records.
    buffer: BytesMut,
    base_timestamp: Timestamp,
    facts: BuiltFacts,
}

const NO_RECORDS: BuiltFacts = BuiltFacts {
    records_count: 0,
    last_offset_delta: 0,
    max_timestamp: NO_TIMESTAMP,
    offset_delta_of_max_timestamp: 0,
    min_timestamp: NO_TIMESTAMP,
    has_null_key: false,
};

/// Length, attributes, deltas and the key's length: what a record has in front of its key.
const MAX_RECORD_HEAD: usize = 5 + 1 + 10 + 5 + 5;

impl RecordBatchBuilder {
    /// A builder of batches with these options.
    pub fn new(options: BatchOptions) -> Self {
        Self::with_capacity(options, 0)
    }

    /// The same, with room for a batch of `capacity` bytes.
    pub fn with_capacity(options: BatchOptions, capacity: usize) -> Self {
        let buffer = BytesMut::with_capacity(capacity);
        RecordBatchBuilder { options, buffer, base_timestamp: NO_TIMESTAMP, facts: NO_RECORDS }
    }

    /// The options of the batch that is being written.
    pub fn options(&self) -> &BatchOptions {
        &self.options
    }

    /// Drops the records appended so far; the next batch has these options.
    pub fn reset(&mut self, options: BatchOptions) {
        self.options = options;
        self.buffer.clear();
        self.facts = NO_RECORDS;
    }

    /// Adds a record without headers.
    ///
    /// # Errors
    /// [`BatchError::FormatLimit`] if the record, the batch or their number passes 2^31-1; the record is not
    /// added then.
    #[inline]
    pub fn append(
        &mut self,
        timestamp: Timestamp,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
    ) -> Result<(), BatchError> {
        // One byte: no headers.
        let base_timestamp = self.start_record(timestamp, key, value, 1)?;
        self.put_key_and_value(key, value);
        self.buffer.extend_from_slice(&[0]);
        self.end_record(base_timestamp, timestamp, key.is_none());
        Ok(())
    }

    /// Adds a record with headers.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn append_with_headers<K, V>(
        &mut self,
        timestamp: Timestamp,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[(K, Option<V>)],
    ) -> Result<(), BatchError>
    where
        K: AsRef<str>,
        V: AsRef<[u8]>,
    {
        let count = i32::try_from(headers.len())
            .map_err(|_| BatchError::FormatLimit { what: "the number of headers" })?;
        let mut size = varint_size(count);
        for (name, value) in headers {
            size += field_size(Some(name.as_ref().as_bytes()))?;
            size += field_size(value.as_ref().map(AsRef::as_ref))?;
        }
        let base_timestamp = self.start_record(timestamp, key, value, size)?;
        self.put_key_and_value(key, value);
        self.put_varint(count);
        for (name, value) in headers {
            self.put_field(Some(name.as_ref().as_bytes()));
            self.put_field(value.as_ref().map(AsRef::as_ref));
        }
        self.end_record(base_timestamp, timestamp, key.is_none());
        Ok(())
    }

    /// Adds a record whose headers are encoded already, those of another batch.
    pub(crate) fn append_with_encoded_headers(
        &mut self,
        timestamp: Timestamp,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: Headers<'_>,
    ) -> Result<(), BatchError> {
        let count = headers.len() as i32;
        let size = varint_size(count) + headers.as_bytes().len();
        let base_timestamp = self.start_record(timestamp, key, value, size)?;
        self.put_key_and_value(key, value);
        self.put_varint(count);
        self.buffer.extend_from_slice(headers.as_bytes());
        self.end_record(base_timestamp, timestamp, key.is_none());
        Ok(())
    }

    /// Checks that the record fits the format and writes what is in front of its key. Gives the batch's first
    /// timestamp.
    #[inline]
    fn start_record(
        &mut self,
        timestamp: Timestamp,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers_size: usize,
    ) -> Result<Timestamp, BatchError> {
        let is_first = self.facts.records_count == 0;
        let base_timestamp = if is_first { timestamp } else { self.base_timestamp };
        let timestamp_delta = timestamp.wrapping_sub(base_timestamp);
        let offset_delta = self.facts.records_count;
        let len = 1
            + varlong_size(timestamp_delta)
            + varint_size(offset_delta)
            + field_size(key)?
            + field_size(value)?
            + headers_size;
        // The count is less than the size, so the size's limit is the count's too.
        if self.buffer.len() + RECORD_BATCH_OVERHEAD + MAX_RECORD_HEAD + len > i32::MAX as usize {
            return Err(BatchError::FormatLimit { what: "the size of the batch" });
        }
        if self.buffer.is_empty() {
            self.buffer.extend_from_slice(&[0; RECORD_BATCH_OVERHEAD]);
        }
        self.buffer.reserve(len + 5);
        let mut head = [0; MAX_RECORD_HEAD];
        let mut at = put_varint(&mut head, 0, len as i32);
        // Attributes: none so far.
        at += 1;
        at = put_varlong(&mut head, at, timestamp_delta);
        at = put_varint(&mut head, at, offset_delta);
        at = put_varint(&mut head, at, field_len(key));
        self.buffer.extend_from_slice(&head[..at]);
        Ok(base_timestamp)
    }

    #[inline]
    fn put_key_and_value(&mut self, key: Option<&[u8]>, value: Option<&[u8]>) {
        self.buffer.extend_from_slice(key.unwrap_or_default());
        self.put_field(value);
    }

    #[inline]
    fn end_record(&mut self, base_timestamp: Timestamp, timestamp: Timestamp, key_is_null: bool) {
        let is_first = self.facts.records_count == 0;
        self.base_timestamp = base_timestamp;
        let delta = self.facts.records_count;
        if is_first || timestamp > self.facts.max_timestamp {
            self.facts.max_timestamp = timestamp;
            self.facts.offset_delta_of_max_timestamp = delta;
        }
        if timestamp != NO_TIMESTAMP
            && (timestamp < self.facts.min_timestamp || self.facts.min_timestamp == NO_TIMESTAMP)
        {
            self.facts.min_timestamp = timestamp;
        }
        self.facts.has_null_key |= key_is_null;
        self.facts.last_offset_delta = delta;
        self.facts.records_count = delta + 1;
    }

    #[inline]
    fn put_varint(&mut self, value: i32) {
        let mut bytes = [0; 5];
        let len = put_varint(&mut bytes, 0, value);
        self.buffer.extend_from_slice(&bytes[..len]);
    }

    #[inline]
    fn put_field(&mut self, field: Option<&[u8]>) {
        self.put_varint(field_len(field));
        self.buffer.extend_from_slice(field.unwrap_or_default());
    }

    /// The records appended since the last batch.
    pub fn records_count(&self) -> i32 {
        self.facts.records_count
    }

    /// Whether no record was appended since the last batch.
    pub fn is_empty(&self) -> bool {
        self.facts.records_count == 0
    }

    /// The size of the batch so far, in bytes, header included; if it is going to be compressed, the size
    /// before.
    pub fn estimated_size(&self) -> usize {
        self.buffer.len().max(RECORD_BATCH_OVERHEAD)
    }

    /// The most bytes that a record without headers adds to a batch.
    pub fn record_size_upper_bound(key: Option<&[u8]>, value: Option<&[u8]>) -> usize {
        // The value's length and the number of headers follow what stands in front of the key.
        MAX_RECORD_HEAD + 5 + 1 + key.map_or(0, <[u8]>::len) + value.map_or(0, <[u8]>::len)
    }

    /// Finishes the batch: compresses, writes the header and its checksum. The builder is empty again and keeps
    /// its options.
    ///
    /// # Errors
    /// A codec that this build does not have, or that fails. The records are dropped then.
    pub fn build(&mut self) -> Result<Bytes, BatchError> {
        Ok(match self.finish()? {
            (header, Finished::Plain(mut batch)) => {
                put_header(&mut batch, header);
                batch.freeze()
            }
            (header, Finished::Compressed(mut batch)) => {
                put_header(&mut batch, header);
                Bytes::from(batch)
            }
        })
    }

    /// Finishes the batch and gives its header and its body, which are apart for whoever changes the header.
    pub(super) fn build_parts(&mut self) -> Result<(BatchHeaderBytes, Bytes), BatchError> {
        let (header, batch) = self.finish()?;
        let batch = match batch {
            Finished::Plain(batch) => batch.freeze(),
            Finished::Compressed(batch) => Bytes::from(batch),
        };
        Ok((header, batch.slice(RECORD_BATCH_OVERHEAD..)))
    }

    fn finish(&mut self) -> Result<(BatchHeaderBytes, Finished), BatchError> {
        if self.buffer.is_empty() {
            self.buffer.extend_from_slice(&[0; RECORD_BATCH_OVERHEAD]);
        }
        if self.options.compression == CompressionType::None {
            // The rest of the buffer stays here for the next batch; all of it, once this batch is dropped.
            let batch = self.buffer.split();
            let header = self.take_header(batch.get(RECORD_BATCH_OVERHEAD..).unwrap_or_default())?;
            return Ok((header, Finished::Plain(batch)));
        }
        let mut batch = vec![0; RECORD_BATCH_OVERHEAD];
        let compressed = compress_into(
            self.options.compression,
            self.options.compression_level,
            self.buffer.get(RECORD_BATCH_OVERHEAD..).unwrap_or_default(),
            &mut batch,
        );
        self.buffer.clear();
        let header = self.take_header(batch.get(RECORD_BATCH_OVERHEAD..).unwrap_or_default());
        compressed?;
        Ok((header?, Finished::Compressed(batch)))
    }

    /// What is known of the records appended so far.
    pub(super) fn facts(&self) -> BuiltFacts {
        self.facts
    }

    /// Makes the header in front of `body`; the builder has no records after that.
    fn take_header(&mut self, body: &[u8]) -> Result<BatchHeaderBytes, BatchError> {
        let facts = std::mem::replace(&mut self.facts, NO_RECORDS);
        let BuiltFacts { records_count, last_offset_delta, max_timestamp, .. } = facts;
        HeaderFields {
            base_offset: self.options.base_offset,
            partition_leader_epoch: self.options.partition_leader_epoch,
            attributes: self.options.attributes(),
            last_offset_delta,
            base_timestamp: if records_count == 0 { NO_TIMESTAMP } else { self.base_timestamp },
            max_timestamp,
            producer_id: self.options.producer_id,
            producer_epoch: self.options.producer_epoch,
            base_sequence: self.options.base_sequence,
            records_count,
        }
        .encode(body)
    }
}

/// A batch with room in front for its header.
enum Finished {
    /// A part of the builder's buffer.
    Plain(BytesMut),
    Compressed(Vec<u8>),
}

fn put_header(batch: &mut [u8], header: BatchHeaderBytes) {
    if let Some(room) = batch.first_chunk_mut() {
        *room = header;
    }
}

#[inline]
fn field_len(field: Option<&[u8]>) -> i32 {
    // Not larger than 2^31-1: `field_size` has seen it.
    field.map_or(-1, |field| field.len() as i32)
}

#[inline]
fn field_size(field: Option<&[u8]>) -> Result<usize, BatchError> {
    match field {
        None => Ok(1),
        Some(field) => match i32::try_from(field.len()) {
            Ok(len) => Ok(varint_size(len) + field.len()),
            Err(_) => Err(BatchError::FormatLimit { what: "the length of a field" }),
        },
    }
}
