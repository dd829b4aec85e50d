use super::super::compression::{break_lz4_header, compress_into};
use super::super::crc::crc32;
use super::super::header::{
    HEADER_SIZE_V0, HEADER_SIZE_V1, LOG_OVERHEAD, MAGIC_VALUE_V0, MAGIC_VALUE_V1, TIMESTAMP_TYPE_FLAG,
};
use super::super::{BatchError, CompressionType, RecordRef, TimestampType};
use crate::model::{NO_TIMESTAMP, Offset, Timestamp};

/// One message as it is to be written.
struct Message<'a> {
    offset: Offset,
    timestamp: Timestamp,
    compression: CompressionType,
    key: Option<&'a [u8]>,
    value: Option<&'a [u8]>,
}

/// Writes message sets of magic 0 or 1 (Kafka: the legacy half of `MemoryRecordsBuilder`).
pub(in super::super) struct MessageSetBuilder {
    magic: i8,
    compression: CompressionType,
    timestamp_type: TimestampType,
    /// Finished entries, or the inner messages of a wrapper that is not yet written.
    messages: Vec<u8>,
    /// What relative offsets are counted from: the first record's.
    base_offset: Option<Offset>,
    last_offset: Offset,
    max_timestamp: Timestamp,
}

impl MessageSetBuilder {
    /// # Errors
    /// zstd, which these formats do not have.
    pub(in super::super) fn new(
        magic: i8,
        compression: CompressionType,
        timestamp_type: TimestampType,
    ) -> Result<Self, BatchError> {
        if compression == CompressionType::Zstd {
            return Err(BatchError::UnsupportedCompression {
                codec: compression,
                reason: "message sets of magic 0 and 1 cannot hold it",
            });
        }
        Ok(MessageSetBuilder {
            magic: magic.clamp(MAGIC_VALUE_V0, MAGIC_VALUE_V1),
            compression,
            timestamp_type,
            messages: Vec::new(),
            base_offset: None,
            last_offset: 0,
            max_timestamp: NO_TIMESTAMP,
        })
    }

    /// Adds a record; its headers have no place in these formats.
    pub(in super::super) fn append(&mut self, record: RecordRef<'_>) -> Result<(), BatchError> {
        let base_offset = *self.base_offset.get_or_insert(record.offset());
        let is_relative = self.magic == MAGIC_VALUE_V1 && self.compression != CompressionType::None;
        let message = Message {
            offset: if is_relative { record.offset().wrapping_sub(base_offset) } else { record.offset() },
            timestamp: record.timestamp(),
            compression: CompressionType::None,
            key: record.key(),
            value: record.value(),
        };
        let mut messages = std::mem::take(&mut self.messages);
        let result = self.write(&message, &mut messages);
        self.messages = messages;
        self.last_offset = record.offset();
        self.max_timestamp = self.max_timestamp.max(record.timestamp());
        result
    }

    /// Appends the set to `out`: as it is, or wrapped.
    pub(in super::super) fn finish(self, out: &mut Vec<u8>) -> Result<(), BatchError> {
        if self.compression == CompressionType::None || self.base_offset.is_none() {
            out.extend_from_slice(&self.messages);
            return Ok(());
        }
        let mut compressed = Vec::new();
        compress_into(self.compression, None, &self.messages, &mut compressed)?;
        if self.compression == CompressionType::Lz4 && self.magic == MAGIC_VALUE_V0 {
            compressed = break_lz4_header(&compressed).into_owned();
        }
        let wrapper = Message {
            offset: self.last_offset,
            timestamp: self.max_timestamp,
            compression: self.compression,
            key: None,
            value: Some(&compressed),
        };
        self.write(&wrapper, out)
    }

    fn write(&self, message: &Message<'_>, out: &mut Vec<u8>) -> Result<(), BatchError> {
        let header_size = if self.magic == MAGIC_VALUE_V0 { HEADER_SIZE_V0 } else { HEADER_SIZE_V1 };
        let fields = message.key.map_or(0, <[u8]>::len) + message.value.map_or(0, <[u8]>::len);
        let size = i32::try_from(header_size - LOG_OVERHEAD + 8 + fields)
            .map_err(|_| BatchError::FormatLimit { what: "the size of a message" })?;
        let start = out.len();
        out.extend_from_slice(&message.offset.to_be_bytes());
        out.extend_from_slice(&size.to_be_bytes());
        let crc_at = out.len();
        out.extend_from_slice(&[0; 4]);
        let is_append_time =
            self.magic == MAGIC_VALUE_V1 && self.timestamp_type == TimestampType::LogAppendTime;
        let flag = if is_append_time { TIMESTAMP_TYPE_FLAG as u8 } else { 0 };
        out.extend_from_slice(&[self.magic as u8, message.compression.id() | flag]);
        if self.magic == MAGIC_VALUE_V1 {
            out.extend_from_slice(&message.timestamp.to_be_bytes());
        }
        put_field(out, message.key);
        put_field(out, message.value);
        debug_assert_eq!(out.len() - start, LOG_OVERHEAD + size as usize);
        if let Some((crc, covered)) = out.get_mut(crc_at..).and_then(<[u8]>::split_first_chunk_mut) {
            *crc = crc32(covered).to_be_bytes();
        }
        Ok(())
    }
}

fn put_field(out: &mut Vec<u8>, field: Option<&[u8]>) {
    // Not larger than the message, whose size has been checked.
    let len = field.map_or(-1, |field| field.len() as i32);
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(field.unwrap_or_default());
}
