use super::super::batch::{Batches, RecordBatchRef};
use super::super::compression::{decompress_into, repair_lz4_header};
use super::super::header::{HEADER_SIZE_V0, HEADER_SIZE_V1, MAGIC_VALUE_V0};
use super::super::record::{Headers, RecordRef};
use super::super::{BatchError, CompressionType, TimestampType};
use crate::model::{Offset, Timestamp};

/// Goes over one message, or over the inner messages of a wrapper.
#[derive(Clone, Debug)]
pub(in super::super) struct LegacyCursor {
    position: usize,
    wrapper: Option<Wrapper>,
}

/// What the outer message says about the inner ones.
#[derive(Clone, Debug)]
struct Wrapper {
    offsets: InnerOffsets,
    log_append_time: Option<Timestamp>,
    index: Offset,
}

/// How the offset of an inner message is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InnerOffsets {
    /// It is the record's own.
    Absolute,
    /// It is counted from here.
    RelativeTo(Offset),
    /// A broken client left them all at 0: its place in the set counts, from here.
    ByIndexFrom(Offset),
}

impl LegacyCursor {
    /// For a source that is one message without compression.
    pub(in super::super) fn of_message() -> Self {
        LegacyCursor { position: 0, wrapper: None }
    }

    /// Decompresses the set that `batch` wraps into `scratch`, which becomes the source.
    pub(in super::super) fn of_wrapper(
        batch: RecordBatchRef<'_>,
        scratch: &mut Vec<u8>,
        decompression_limit: usize,
    ) -> Result<Self, BatchError> {
        let codec = batch.compression_type()?;
        let Some(value) = read_message(batch)?.value else {
            return Err(BatchError::InvalidWrapper("its value is null"));
        };
        scratch.clear();
        match codec {
            CompressionType::Zstd => {
                return Err(BatchError::UnsupportedCompression {
                    codec,
                    reason: "message sets of magic 0 and 1 cannot hold it",
                });
            }
            // Kafka's clients of that time computed the checksum of the frame's header over the wrong bytes.
            CompressionType::Lz4 if batch.magic() == MAGIC_VALUE_V0 => {
                decompress_into(codec, &repair_lz4_header(value), scratch, decompression_limit)?;
            }
            _ => decompress_into(codec, value, scratch, decompression_limit)?,
        }
        let offsets = inner_offsets(batch, scratch)?;
        let is_append_time = batch.timestamp_type() == TimestampType::LogAppendTime;
        let log_append_time = is_append_time.then(|| batch.max_timestamp());
        let wrapper = Wrapper { offsets, log_append_time, index: 0 };
        Ok(LegacyCursor { position: 0, wrapper: Some(wrapper) })
    }

    pub(in super::super) fn next<'a>(
        &mut self,
        source: &'a [u8],
    ) -> Option<Result<RecordRef<'a>, BatchError>> {
        let rest = source.get(self.position..)?;
        let item = match RecordBatchRef::parse(rest) {
            Ok(Some((message, _))) => {
                self.position += message.size_in_bytes();
                Some(self.read(message))
            }
            Ok(None) => None,
            Err(error) => Some(Err(error)),
        };
        if !matches!(item, Some(Ok(_))) {
            self.position = usize::MAX;
        }
        item
    }

    fn read<'a>(&mut self, message: RecordBatchRef<'a>) -> Result<RecordRef<'a>, BatchError> {
        let mut record = read_message(message)?;
        if let Some(wrapper) = &mut self.wrapper {
            record.offset = match wrapper.offsets {
                InnerOffsets::Absolute => record.offset,
                InnerOffsets::RelativeTo(base) => base.wrapping_add(record.offset),
                InnerOffsets::ByIndexFrom(base) => base.wrapping_add(wrapper.index),
            };
            wrapper.index += 1;
            if let Some(time) = wrapper.log_append_time {
                record.timestamp = time;
            }
        }
        Ok(record)
    }
}

/// Looks at the inner messages once, to learn how their offsets are meant (Kafka: `DeepRecordsIterator`).
fn inner_offsets(wrapper: RecordBatchRef<'_>, inner: &[u8]) -> Result<InnerOffsets, BatchError> {
    let mut count: Offset = 0;
    let mut last = None;
    for message in Batches::new(inner) {
        let message = message?;
        if message.magic() != wrapper.magic() {
            return Err(BatchError::InvalidWrapper("an inner message has another magic than the wrapper"));
        }
        if message.is_compressed() {
            return Err(BatchError::InvalidWrapper("an inner message is compressed itself"));
        }
        count += 1;
        last = Some(message.last_offset());
    }
    let Some(last_inner) = last else {
        return Err(BatchError::InvalidWrapper("it holds no message"));
    };
    let last_outer = wrapper.last_offset();
    if wrapper.magic() == MAGIC_VALUE_V0 {
        return Ok(InnerOffsets::Absolute);
    }
    Ok(match (last_outer, last_inner) {
        // What librdkafka sends to be appended: the broker is to give the offset.
        (0, 0) if count > 1 => InnerOffsets::ByIndexFrom(0),
        (0, _) => InnerOffsets::RelativeTo(0),
        (_, 0) if count > 1 => InnerOffsets::ByIndexFrom(last_outer.wrapping_sub(count - 1)),
        _ if last_outer < last_inner => {
            return Err(BatchError::InvalidWrapper("its offset is less than that of its last inner message"));
        }
        _ => InnerOffsets::RelativeTo(last_outer.wrapping_sub(last_inner)),
    })
}

fn read_message(message: RecordBatchRef<'_>) -> Result<RecordRef<'_>, BatchError> {
    let header_size = if message.magic() == MAGIC_VALUE_V0 { HEADER_SIZE_V0 } else { HEADER_SIZE_V1 };
    let mut rest = message.as_bytes().get(header_size..).unwrap_or_default();
    let size = message.size_in_bytes();
    let malformed = |field, left: &[u8]| BatchError::MalformedRecord { field, position: size - left.len() };
    let Some(key) = take_field(&mut rest) else { return Err(malformed("key", rest)) };
    let Some(value) = take_field(&mut rest) else { return Err(malformed("value", rest)) };
    Ok(RecordRef {
        offset: message.base_offset(),
        timestamp: message.base_timestamp(),
        key,
        value,
        headers: Headers::default(),
    })
}

/// Takes a length and that many bytes; the inner `None` is a null, the outer one bytes that are no field.
fn take_field<'a>(bytes: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let (len, rest) = bytes.split_first_chunk()?;
    let len = i32::from_be_bytes(*len);
    if len == -1 {
        *bytes = rest;
        return Some(None);
    }
    let (field, rest) = rest.split_at_checked(usize::try_from(len).ok()?)?;
    *bytes = rest;
    Some(Some(field))
}
