use std::io::Read;

use super::record_checks::RecordChecks;
use crate::record::compression::{decompress_error, reader};
use crate::record::record::parse_record;
use crate::record::varint::{MAX_VARINT_SIZE, MAX_VARLONG_SIZE, take_varint, take_varlong};
use crate::record::{BatchError, CompressionType};

const BUFFER_SIZE: usize = 16 * 1024;

/// Goes over compressed records of magic 2 while they are decompressed into one small buffer: keys and values
/// are passed over and never kept (Kafka: `DefaultRecordBatch#skipKeyValueIterator`).
pub(super) struct RecordSkimmer<'a> {
    reader: Box<dyn Read + 'a>,
    codec: CompressionType,
    limit: usize,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes decompressed so far.
    decompressed: usize,
    /// Bytes of the current record that have not been read.
    left: usize,
}

impl<'a> RecordSkimmer<'a> {
    pub(super) fn new(codec: CompressionType, body: &'a [u8], limit: usize) -> Result<Self, BatchError> {
        Ok(RecordSkimmer {
            reader: reader(codec, body, limit)?,
            codec,
            limit,
            buffer: vec![0; BUFFER_SIZE],
            start: 0,
            end: 0,
            decompressed: 0,
            left: 0,
        })
    }

    /// Checks `count` records, after which there must be nothing left.
    pub(super) fn skim(mut self, count: i32, checks: &mut RecordChecks<'_>) -> Result<(), BatchError> {
        for _ in 0..count {
            self.skim_record(checks)?;
        }
        self.fill(1)?;
        match self.end - self.start {
            0 => Ok(()),
            left => Err(BatchError::TrailingBytes { count, left }),
        }
    }

    fn skim_record(&mut self, checks: &mut RecordChecks<'_>) -> Result<(), BatchError> {
        self.left = MAX_VARINT_SIZE;
        let len = self.varint("length")?;
        self.left = usize::try_from(len).map_err(|_| self.malformed("length"))?;
        if self.left > BUFFER_SIZE {
            return self.skim_long_record(checks);
        }
        self.fill(self.left)?;
        let Some(record) = self.available().get(..self.left) else { return Err(self.malformed("length")) };
        match parse_record(record) {
            Ok(fields) => {
                checks.check_delta(fields.offset_delta, fields.timestamp_delta, fields.key.is_some());
                self.start += self.left;
                Ok(())
            }
            Err((field, left)) => {
                self.start += self.left - left;
                Err(self.malformed(field))
            }
        }
    }

    /// A record that is larger than the buffer, piece by piece.
    fn skim_long_record(&mut self, checks: &mut RecordChecks<'_>) -> Result<(), BatchError> {
        self.skip(1, "attributes")?;
        let timestamp_delta = self.varlong("timestamp delta")?;
        let offset_delta = self.varint("offset delta")?;
        let has_key = self.skip_field("key")?;
        self.skip_field("value")?;
        let count = self.varint("number of headers")?;
        if count < 0 {
            return Err(self.malformed("number of headers"));
        }
        for _ in 0..count {
            if !self.skip_field("key of a header")? {
                return Err(self.malformed("null key of a header"));
            }
            self.skip_field("value of a header")?;
        }
        if self.left != 0 {
            return Err(self.malformed("end"));
        }
        checks.check_delta(offset_delta, timestamp_delta, has_key);
        Ok(())
    }

    /// Passes over a length and that many bytes; whether it was not null.
    fn skip_field(&mut self, field: &'static str) -> Result<bool, BatchError> {
        match self.varint(field)? {
            -1 => Ok(false),
            len => {
                let len = usize::try_from(len).map_err(|_| self.malformed(field))?;
                self.skip(len, field)?;
                Ok(true)
            }
        }
    }

    #[inline]
    fn varint(&mut self, field: &'static str) -> Result<i32, BatchError> {
        self.fill(MAX_VARINT_SIZE)?;
        let mut rest = self.available();
        let value = take_varint(&mut rest);
        let read = self.end - self.start - rest.len();
        self.consume(read, field)?;
        value.ok_or_else(|| self.malformed(field))
    }

    #[inline]
    fn varlong(&mut self, field: &'static str) -> Result<i64, BatchError> {
        self.fill(MAX_VARLONG_SIZE)?;
        let mut rest = self.available();
        let value = take_varlong(&mut rest);
        let read = self.end - self.start - rest.len();
        self.consume(read, field)?;
        value.ok_or_else(|| self.malformed(field))
    }

    fn skip(&mut self, mut count: usize, field: &'static str) -> Result<(), BatchError> {
        if count > self.left {
            return Err(self.malformed(field));
        }
        loop {
            let step = count.min(self.end - self.start);
            self.consume(step, field)?;
            count -= step;
            if count == 0 {
                return Ok(());
            }
            self.fill(1)?;
            if self.start == self.end {
                return Err(self.malformed(field));
            }
        }
    }

    #[inline]
    fn consume(&mut self, count: usize, field: &'static str) -> Result<(), BatchError> {
        match self.left.checked_sub(count) {
            Some(left) => {
                self.left = left;
                self.start += count;
                Ok(())
            }
            None => Err(self.malformed(field)),
        }
    }

    #[inline]
    fn available(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Makes `wanted` bytes available, unless the end comes first.
    #[inline]
    fn fill(&mut self, wanted: usize) -> Result<(), BatchError> {
        if self.end - self.start >= wanted { Ok(()) } else { self.read_more(wanted) }
    }

    fn read_more(&mut self, wanted: usize) -> Result<(), BatchError> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while self.end < wanted {
            let room = self.buffer.get_mut(self.end..).unwrap_or_default();
            let n = match self.reader.read(room) {
                Ok(0) => return Ok(()),
                Ok(n) => n,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(decompress_error(self.codec, self.limit, error)),
            };
            self.end += n;
            self.decompressed += n;
            if self.decompressed > self.limit {
                return Err(BatchError::DecompressedTooLarge { codec: self.codec, limit: self.limit });
            }
        }
        Ok(())
    }

    #[cold]
    fn malformed(&self, field: &'static str) -> BatchError {
        let position = self.decompressed - (self.end - self.start);
        BatchError::MalformedRecord { field, position }
    }
}
