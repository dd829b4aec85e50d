use bytes::Bytes;

use super::batch::{RecordBatch, RecordBatchRef};
use super::compression::decompress_into;
use super::header::RECORD_BATCH_OVERHEAD;
use super::legacy::LegacyCursor;
use super::record::{Record, RecordRef, read_record};
use super::{BatchError, TimestampType};
use crate::model::{Offset, Timestamp};

/// Where an iteration stands within its source of bytes.
#[derive(Clone, Debug)]
pub(super) enum Cursor {
    Batch(BatchCursor),
    Legacy(LegacyCursor),
}

impl Cursor {
    #[inline(always)]
    fn next<'a>(&mut self, source: &'a [u8]) -> Option<Result<RecordRef<'a>, BatchError>> {
        match self {
            Cursor::Batch(cursor) => cursor.next(source),
            Cursor::Legacy(cursor) => cursor.next(source),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            // The count is the batch's own claim: not one to reserve memory by.
            Cursor::Batch(cursor) => (0, usize::try_from(cursor.count - cursor.read).ok()),
            Cursor::Legacy(_) => (0, None),
        }
    }
}

/// Goes over the records of a batch of magic 2.
#[derive(Clone, Debug)]
pub(super) struct BatchCursor {
    base_offset: Offset,
    base_timestamp: Timestamp,
    log_append_time: Option<Timestamp>,
    count: i32,
    read: i32,
    position: usize,
}

impl BatchCursor {
    fn new(batch: RecordBatchRef<'_>) -> Result<Self, BatchError> {
        let count = batch.records_count().unwrap_or_default();
        if count < 0 {
            return Err(BatchError::InconsistentCount {
                last_offset_delta: batch.last_offset_delta(),
                count,
            });
        }
        let is_append_time = batch.timestamp_type() == TimestampType::LogAppendTime;
        Ok(BatchCursor {
            base_offset: batch.base_offset(),
            base_timestamp: batch.base_timestamp(),
            log_append_time: is_append_time.then(|| batch.max_timestamp()),
            count,
            read: 0,
            position: 0,
        })
    }

    fn stop(&mut self) {
        self.count = self.read;
        self.position = usize::MAX;
    }

    #[cold]
    fn check_end(&mut self, source: &[u8]) -> Result<(), BatchError> {
        let count = self.count;
        let left = source.len().saturating_sub(self.position);
        self.stop();
        if left == 0 { Ok(()) } else { Err(BatchError::TrailingBytes { count, left }) }
    }

    #[inline(always)]
    fn next<'a>(&mut self, source: &'a [u8]) -> Option<Result<RecordRef<'a>, BatchError>> {
        if self.read == self.count {
            return self.check_end(source).err().map(Err);
        }
        self.read += 1;
        let fields = match read_record(source, &mut self.position) {
            Ok(fields) => fields,
            Err(error) => {
                self.stop();
                return Some(Err(error));
            }
        };
        let timestamp = match self.log_append_time {
            Some(time) => time,
            None => self.base_timestamp.wrapping_add(fields.timestamp_delta),
        };
        Some(Ok(RecordRef {
            offset: self.base_offset.wrapping_add(i64::from(fields.offset_delta)),
            timestamp,
            key: fields.key,
            value: fields.value,
            headers: fields.headers,
        }))
    }
}

/// The records of a batch, borrowed. Ends after the first error.
#[derive(Clone, Debug)]
pub struct RecordRefIter<'a> {
    source: &'a [u8],
    cursor: Cursor,
}

impl<'a> RecordRefIter<'a> {
    pub(super) fn new(source: &'a [u8], cursor: Cursor) -> Self {
        RecordRefIter { source, cursor }
    }

    pub(super) fn of_batch<'b: 'a>(
        batch: RecordBatchRef<'b>,
        scratch: &'a mut Vec<u8>,
        decompression_limit: usize,
    ) -> Result<Self, BatchError> {
        let codec = batch.compression_type()?;
        if batch.records_count().is_some() {
            let cursor = Cursor::Batch(BatchCursor::new(batch)?);
            if !batch.is_compressed() {
                return Ok(RecordRefIter { source: batch.body(), cursor });
            }
            scratch.clear();
            decompress_into(codec, batch.body(), scratch, decompression_limit)?;
            return Ok(RecordRefIter { source: scratch, cursor });
        }
        if !batch.is_compressed() {
            return Ok(RecordRefIter {
                source: batch.as_bytes(),
                cursor: Cursor::Legacy(LegacyCursor::of_message()),
            });
        }
        let cursor = LegacyCursor::of_wrapper(batch, scratch, decompression_limit)?;
        Ok(RecordRefIter { source: scratch, cursor: Cursor::Legacy(cursor) })
    }
}

impl<'a> Iterator for RecordRefIter<'a> {
    type Item = Result<RecordRef<'a>, BatchError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.cursor.next(self.source)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.cursor.size_hint()
    }
}

/// The records of a batch, sharing its memory. Ends after the first error.
#[derive(Clone, Debug)]
pub struct RecordIter {
    source: Bytes,
    cursor: Cursor,
}

impl RecordIter {
    pub(super) fn of_batch(batch: &RecordBatch, decompression_limit: usize) -> Result<Self, BatchError> {
        let view = batch.view();
        if view.is_compressed() {
            let mut decompressed = Vec::new();
            let cursor = view.records(&mut decompressed, decompression_limit)?.cursor;
            return Ok(RecordIter { source: Bytes::from(decompressed), cursor });
        }
        let cursor = view.records(&mut Vec::new(), 0)?.cursor;
        let source = match view.records_count() {
            Some(_) => batch.as_bytes().slice(RECORD_BATCH_OVERHEAD..),
            None => batch.as_bytes().clone(),
        };
        Ok(RecordIter { source, cursor })
    }
}

impl RecordIter {
    /// Passes over the next record, and gives its offset.
    pub(crate) fn skip_next(&mut self) -> Option<Result<Offset, BatchError>> {
        let item = self.cursor.next(&self.source)?;
        Some(item.map(|raw| raw.offset))
    }

    /// The records that are left, borrowed.
    pub(crate) fn borrowed(&self) -> RecordRefIter<'_> {
        RecordRefIter::new(&self.source, self.cursor.clone())
    }

    /// What the records' keys and values are slices of.
    pub(crate) fn source(&self) -> &Bytes {
        &self.source
    }
}

impl Iterator for RecordIter {
    type Item = Result<Record, BatchError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let item = self.cursor.next(&self.source)?;
        Some(item.map(|record| Record::new(&self.source, record)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.cursor.size_hint()
    }
}
