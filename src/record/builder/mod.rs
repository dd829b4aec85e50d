mod append;
mod options;

use bytes::{Bytes, BytesMut};

use super::compression::compress_into;
use super::header::{BatchHeaderBytes, HeaderFields, RECORD_BATCH_OVERHEAD};
use super::{BatchError, CompressionType};
use crate::model::{NO_TIMESTAMP, ProducerEpoch, ProducerId, Timestamp};
use append::MAX_RECORD_HEAD;

pub use options::BatchOptions;

/// The records of a batch as they were counted while they were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BuiltFacts {
    pub(super) records_count: i32,
    /// [`NO_TIMESTAMP`] at the least, as in Kafka's `MemoryRecordsBuilder`.
    pub(super) max_timestamp: Timestamp,
    pub(super) offset_delta_of_max_timestamp: i32,
    /// Of the records that have a timestamp; the largest that there is, if none has one.
    pub(super) min_timestamp: Timestamp,
    pub(super) has_null_key: bool,
}

/// Writes one batch of magic 2 after the other. Appending a record writes its bytes to the end of one buffer and
/// allocates nothing; the buffer's memory is used again once the batches made of it are gone.
///
/// # Examples
/// ```
/// use ottla::{BatchOptions, RecordBatch, RecordBatchBuilder};
/// let options = BatchOptions { base_offset: 40, ..BatchOptions::default() };
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
    max_timestamp: NO_TIMESTAMP,
    offset_delta_of_max_timestamp: 0,
    min_timestamp: Timestamp::MAX,
    has_null_key: false,
};

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

    /// Sets the idempotent producer of the batch that is being written, which may be known only once the batch is
    /// full (Kafka: `MemoryRecordsBuilder#setProducerState`).
    pub fn set_producer_state(
        &mut self,
        producer_id: ProducerId,
        producer_epoch: ProducerEpoch,
        base_sequence: i32,
    ) {
        self.options.producer_id = producer_id;
        self.options.producer_epoch = producer_epoch;
        self.options.base_sequence = base_sequence;
    }

    /// Drops the records appended so far; the next batch has these options.
    pub fn reset(&mut self, options: BatchOptions) {
        self.options = options;
        self.buffer.clear();
        self.facts = NO_RECORDS;
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
        // One byte: no headers.
        MAX_RECORD_HEAD + 1 + key.map_or(0, <[u8]>::len) + value.map_or(0, <[u8]>::len)
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
        let is_empty = facts.records_count == 0;
        HeaderFields {
            base_offset: self.options.base_offset,
            partition_leader_epoch: self.options.partition_leader_epoch,
            attributes: self.options.attributes(),
            last_offset_delta: if is_empty { 0 } else { facts.records_count - 1 },
            base_timestamp: if is_empty { NO_TIMESTAMP } else { self.base_timestamp },
            max_timestamp: facts.max_timestamp,
            producer_id: self.options.producer_id,
            producer_epoch: self.options.producer_epoch,
            base_sequence: self.options.base_sequence,
            records_count: facts.records_count,
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
