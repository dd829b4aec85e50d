use std::io::IoSlice;

use bytes::{Bytes, BytesMut};

use super::ValidationOptions;
use super::record_checks::RecordChecks;
use crate::model::{LeaderEpoch, NO_TIMESTAMP, Offset, Timestamp};
use crate::record::batch::RecordBatchRef;
use crate::record::header::{
    BatchHeader, BatchHeaderBytes, COMPRESSION_MASK, HeaderFields, RECORD_BATCH_OVERHEAD, set_base_offset,
    set_max_timestamp, set_partition_leader_epoch, update_crc,
};
use crate::record::{BatchError, CompressionType, RecordBatchBuilder, TimestampType};

/// One batch of magic 2 that keeps the topic's rules and waits for its offsets. The header is a copy that can be
/// changed; what follows it is still the slice that the producer sent, where that could be kept.
#[derive(Clone, Debug)]
pub(crate) struct ValidatedRecords {
    header: BatchHeaderBytes,
    body: Bytes,
    source_compression: CompressionType,
    /// Of the first record that has the largest timestamp; -1 if none has a timestamp.
    offset_delta_of_max_timestamp: i32,
}

impl ValidatedRecords {
    /// What was built in this process, without a check.
    ///
    /// # Errors
    /// As [`RecordBatchBuilder::build`].
    pub(crate) fn of_builder(builder: &mut RecordBatchBuilder) -> Result<Self, BatchError> {
        let source_compression = builder.options().compression;
        let facts = builder.facts();
        let (header, body) = builder.build_parts()?;
        let offset_delta_of_max_timestamp = facts.offset_delta_of_max_timestamp;
        Ok(ValidatedRecords { header, body, source_compression, offset_delta_of_max_timestamp })
    }

    /// A batch whose body stays as it is.
    pub(super) fn in_place(
        batch: RecordBatchRef<'_>,
        body: Bytes,
        checks: &RecordChecks<'_>,
        options: &ValidationOptions,
    ) -> Result<Self, BatchError> {
        let header = *batch.as_batch().ok_or(BatchError::OldMagic(batch.magic()))?;
        Self::new(header, body, batch.compression_type()?, checks, options)
    }

    /// A batch whose body is the same records in another codec.
    pub(super) fn recompressed(
        batch: RecordBatchRef<'_>,
        target: CompressionType,
        body: Bytes,
        checks: &RecordChecks<'_>,
        options: &ValidationOptions,
    ) -> Result<Self, BatchError> {
        let mut fields = HeaderFields::of(batch.header());
        fields.attributes = (fields.attributes & !COMPRESSION_MASK) | i16::from(target.id());
        Self::new(fields.encode(&body)?, body, batch.compression_type()?, checks, options)
    }

    fn new(
        header: BatchHeaderBytes,
        body: Bytes,
        source_compression: CompressionType,
        checks: &RecordChecks<'_>,
        options: &ValidationOptions,
    ) -> Result<Self, BatchError> {
        let (max_timestamp, offset_delta_of_max_timestamp) = checks.max_timestamp();
        let mut validated =
            ValidatedRecords { header, body, source_compression, offset_delta_of_max_timestamp };
        if options.timestamp_type == TimestampType::LogAppendTime {
            validated.stamp_log_append_time(options.now_ms);
        } else if validated.max_timestamp() != max_timestamp {
            // The log's time index goes by this field, so it is not left to the producer.
            set_max_timestamp(&mut validated.header, TimestampType::CreateTime, max_timestamp);
            update_crc(&mut validated.header, &validated.body);
        }
        Ok(validated)
    }

    /// The same, converted from a set that was compressed like this.
    pub(super) fn with_source_compression(mut self, source: CompressionType) -> Self {
        self.source_compression = source;
        self
    }

    /// Puts the broker's time in place of the producer's: for topics with
    /// `message.timestamp.type=LogAppendTime`.
    pub(super) fn stamp_log_append_time(&mut self, now_ms: Timestamp) {
        set_max_timestamp(&mut self.header, TimestampType::LogAppendTime, now_ms);
        update_crc(&mut self.header, &self.body);
        // All records have the same time now: the first is the first that has it.
        self.offset_delta_of_max_timestamp = 0;
    }

    /// Gives the batch its place in the log. This is all that has to be done under the log's lock, and does not
    /// depend on the number of records; the checksum does not cover it.
    pub(crate) fn assign_offsets(&mut self, base_offset: Offset, leader_epoch: LeaderEpoch) {
        set_base_offset(&mut self.header, base_offset);
        set_partition_leader_epoch(&mut self.header, leader_epoch);
    }

    /// The header's fields: offsets, counts, producer, timestamps.
    pub(crate) fn header(&self) -> BatchHeader<'_> {
        BatchHeader::of_batch(&self.header)
    }

    /// The number of records, at least 1.
    pub(crate) fn records_count(&self) -> i32 {
        self.header().records_count().unwrap_or_default()
    }

    /// The offset of the first record, once assigned.
    pub(crate) fn base_offset(&self) -> Offset {
        self.header().base_offset()
    }

    /// The offset of the last record, once assigned.
    pub(crate) fn last_offset(&self) -> Offset {
        self.header().last_offset()
    }

    /// The largest timestamp.
    pub(crate) fn max_timestamp(&self) -> Timestamp {
        self.header().max_timestamp()
    }

    /// The offset of the first record that has the largest timestamp, once assigned; -1 if none has one.
    pub(crate) fn offset_of_max_timestamp(&self) -> Offset {
        match self.max_timestamp() {
            NO_TIMESTAMP => -1,
            _ => self.base_offset() + i64::from(self.offset_delta_of_max_timestamp),
        }
    }

    /// What the broker set as the time of all records; [`NO_TIMESTAMP`] where the producer sets it. This is what
    /// the producer is told.
    pub(crate) fn log_append_time(&self) -> Timestamp {
        match self.header().timestamp_type() {
            TimestampType::LogAppendTime => self.max_timestamp(),
            TimestampType::CreateTime => NO_TIMESTAMP,
        }
    }

    /// How the records came.
    pub(crate) fn source_compression(&self) -> CompressionType {
        self.source_compression
    }

    /// The size of the batch, the 12 bytes in front included.
    pub(crate) fn size_in_bytes(&self) -> usize {
        RECORD_BATCH_OVERHEAD + self.body.len()
    }

    /// The batch in the two pieces that it is kept in, to be written without joining them.
    pub(crate) fn io_slices(&self) -> [IoSlice<'_>; 2] {
        [IoSlice::new(&self.header), IoSlice::new(&self.body)]
    }

    /// The batch in one piece, copied.
    pub(crate) fn to_bytes(&self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(self.size_in_bytes());
        bytes.extend_from_slice(&self.header);
        bytes.extend_from_slice(&self.body);
        bytes.freeze()
    }
}
