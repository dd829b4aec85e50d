use std::fmt;
use std::io;

use super::CompressionType;
use crate::model::{ErrorCode, Offset};

/// What is wrong with records, or with the bytes that should be records.
///
/// # Examples
/// ```
/// use ottla::{BatchOptions, ErrorCode, RecordBatch, RecordBatchBuilder};
/// let mut builder = RecordBatchBuilder::new(BatchOptions::default());
/// builder.append(1_000, None, Some(b"v"))?;
/// let mut bytes = builder.build()?.to_vec();
/// *bytes.last_mut().expect("it has bytes") ^= 1;
///
/// let damaged = RecordBatch::parse(bytes.into())?;
/// let error = damaged.view().ensure_valid().unwrap_err();
/// assert_eq!(error.code(), ErrorCode::CorruptMessage);
/// # Ok::<(), ottla::BatchError>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// The size field of an entry cannot be true.
    #[error("the record batch says that {size} bytes follow its size, but its format needs at least {min}")]
    InvalidSize {
        /// What the field says.
        size: i32,
        /// The least that its format needs.
        min: i32,
    },
    /// The bytes end within an entry.
    #[error("the record batch has {available} of its {size} bytes")]
    Truncated {
        /// The bytes that are there.
        available: usize,
        /// The bytes that it says to have.
        size: usize,
    },
    /// The format is not one of 0, 1 and 2.
    #[error("magic {0} is no known record format (0, 1 and 2 are)")]
    UnknownMagic(i8),
    /// The checksum does not match.
    #[error("record is corrupt (stored crc = {stored:#010x}, computed crc = {computed:#010x})")]
    CrcMismatch {
        /// The checksum in the batch.
        stored: u32,
        /// The checksum of the batch.
        computed: u32,
    },
    /// A field of a record is not what the format asks for.
    #[error("malformed record: {field} at byte {position} of the batch's records")]
    MalformedRecord {
        /// Which field.
        field: &'static str,
        /// Where it starts, counted from the first byte after the header, decompressed.
        position: usize,
    },
    /// There are fewer or more records than the header says.
    #[error("incorrect declared batch size: {count} records leave {left} bytes unread")]
    TrailingBytes {
        /// The number of records that the header says.
        count: i32,
        /// The bytes after them.
        left: usize,
    },
    /// The number of the codec is not known.
    #[error("{id} is no known compression codec (0 to 4 are)")]
    UnknownCompression {
        /// The number.
        id: u8,
    },
    /// The codec cannot be used here.
    #[error("{codec} compression is not available: {reason}")]
    UnsupportedCompression {
        /// The codec.
        codec: CompressionType,
        /// Why not.
        reason: &'static str,
    },
    /// The compressed bytes are not what the codec makes.
    #[error("the records do not decompress as {codec}")]
    Decompress {
        /// The codec.
        codec: CompressionType,
        /// What it says.
        #[source]
        source: io::Error,
    },
    /// The codec could not compress.
    #[error("the records cannot be compressed as {codec}")]
    Compress {
        /// The codec.
        codec: CompressionType,
        /// What it says.
        #[source]
        source: io::Error,
    },
    /// Decompressed, the records need more memory than they may.
    #[error("the records are larger than {limit} bytes when decompressed as {codec}")]
    DecompressedTooLarge {
        /// The codec.
        codec: CompressionType,
        /// What they may need.
        limit: usize,
    },
    /// The batch is larger than the topic allows.
    #[error("the record batch has {size} bytes, which exceeds max.message.bytes = {max}")]
    TooLarge {
        /// Its size, the 12 bytes in front included.
        size: usize,
        /// `max.message.bytes`.
        max: usize,
    },
    /// The batch would pass the limits of its format.
    #[error("a record batch cannot hold this: {what} passes the limit of the format")]
    FormatLimit {
        /// What is too large.
        what: &'static str,
    },
    /// There is no batch.
    #[error("there is no complete record batch")]
    NoBatch,
    /// There is more than one batch where one is expected.
    #[error("there is more than one record batch; exactly one is expected")]
    SeveralBatches,
    /// The format is too old for the request.
    #[error("the record batch has magic {0}; magic 2 is expected")]
    OldMagic(i8),
    /// The entries of a set have different formats.
    #[error("batch magic {magic} is not the same as the first batch's magic {first}")]
    MixedMagic {
        /// The format of the first.
        first: i8,
        /// The format of another.
        magic: i8,
    },
    /// The producer says where the batch belongs, which is the broker's to say.
    #[error("the base offset of the record batch should be 0, but it is {0}")]
    NonZeroBaseOffset(Offset),
    /// The header contradicts itself about the number of records.
    #[error("inconsistent batch: last offset delta {last_offset_delta}, count of records {count}")]
    InconsistentCount {
        /// The difference between last and first offset.
        last_offset_delta: i32,
        /// The number of records.
        count: i32,
    },
    /// An idempotent batch without a sequence.
    #[error("invalid sequence number {sequence} in record batch with producer id {producer_id}")]
    InvalidSequence {
        /// The first sequence number of the batch.
        sequence: i32,
        /// Its producer.
        producer_id: i64,
    },
    /// A client's batch has the control bit.
    #[error("clients are not allowed to write control records")]
    ControlFromClient,
    /// A control record's key or value is not what its type asks for.
    #[error("malformed control record: {0}")]
    MalformedControl(&'static str),
    /// A compressed message set does not hold what one must.
    #[error("invalid compressed message set: {0}")]
    InvalidWrapper(&'static str),
    /// Records break the topic's rules; none was accepted.
    #[error("{}", describe_rejected(*.invalid_timestamp, *.count, .errors))]
    Rejected {
        /// Whether a timestamp is among the reasons.
        invalid_timestamp: bool,
        /// How many records.
        count: usize,
        /// The first thousand of them.
        errors: Vec<RecordError>,
    },
}

/// Why one record of a batch was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordError {
    /// Its number within the batch, from 0.
    pub batch_index: i32,
    /// What is wrong with it.
    pub message: String,
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {}: {}", self.batch_index, self.message)
    }
}

fn describe_rejected(invalid_timestamp: bool, count: usize, errors: &[RecordError]) -> String {
    if invalid_timestamp {
        return "one or more records have been rejected due to invalid timestamp".to_owned();
    }
    let shown: Vec<String> = errors.iter().take(3).map(ToString::to_string).collect();
    format!(
        "one or more records have been rejected due to {count} record errors in total, and only showing the \
         first three errors at most: [{}]",
        shown.join(", ")
    )
}

impl BatchError {
    /// Kafka's code for it.
    pub fn code(&self) -> ErrorCode {
        match self {
            BatchError::InvalidSize { .. }
            | BatchError::Truncated { .. }
            | BatchError::UnknownMagic(_)
            | BatchError::CrcMismatch { .. } => ErrorCode::CorruptMessage,
            BatchError::MalformedRecord { .. }
            | BatchError::TrailingBytes { .. }
            // A client that retries would send the same bytes again, so this is not CORRUPT_MESSAGE.
            | BatchError::Decompress { .. }
            | BatchError::NoBatch
            | BatchError::SeveralBatches
            | BatchError::OldMagic(_)
            | BatchError::MixedMagic { .. }
            | BatchError::NonZeroBaseOffset(_)
            | BatchError::InconsistentCount { .. }
            | BatchError::InvalidSequence { .. }
            | BatchError::ControlFromClient
            | BatchError::MalformedControl(_)
            | BatchError::InvalidWrapper(_) => ErrorCode::InvalidRecord,
            BatchError::UnknownCompression { .. } | BatchError::UnsupportedCompression { .. } => {
                ErrorCode::UnsupportedCompressionType
            }
            BatchError::Compress { .. } => ErrorCode::UnknownServerError,
            // The client's remedy is the same in all three: smaller batches.
            BatchError::DecompressedTooLarge { .. }
            | BatchError::TooLarge { .. }
            | BatchError::FormatLimit { .. } => ErrorCode::MessageTooLarge,
            BatchError::Rejected { invalid_timestamp: true, .. } => ErrorCode::InvalidTimestamp,
            BatchError::Rejected { invalid_timestamp: false, .. } => ErrorCode::InvalidRecord,
        }
    }

    /// What a produce response says record by record; empty for errors of the whole batch.
    pub fn record_errors(&self) -> &[RecordError] {
        match self {
            BatchError::Rejected { errors, .. } => errors,
            _ => &[],
        }
    }
}
