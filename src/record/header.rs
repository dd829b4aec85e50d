//! The fields in front of the records (Kafka: `DefaultRecordBatch`, `AbstractLegacyRecordBatch`), readable
//! before the rest of the entry is there.

use super::crc::crc32c_of_parts;
use super::{BatchError, CompressionType, TimestampType};
use crate::model::{
    LeaderEpoch, NO_LEADER_EPOCH, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE, NO_TIMESTAMP, Offset,
    ProducerEpoch, ProducerId, Timestamp,
};

/// The oldest format: no timestamps.
pub(crate) const MAGIC_VALUE_V0: i8 = 0;
/// The format of 0.10: with timestamps.
pub(crate) const MAGIC_VALUE_V1: i8 = 1;
/// The format since 0.11: batches.
pub(crate) const MAGIC_VALUE_V2: i8 = 2;
/// What every entry of a log starts with: offset and size.
pub(crate) const LOG_OVERHEAD: usize = 12;
/// Where the magic byte is, in all three formats.
pub(crate) const MAGIC_OFFSET: usize = 16;
/// The least bytes of an entry that tell its magic.
pub(crate) const HEADER_SIZE_UP_TO_MAGIC: usize = MAGIC_OFFSET + 1;
/// Everything of a batch before its records.
pub(crate) const RECORD_BATCH_OVERHEAD: usize = 61;
/// Log overhead, checksum, magic and attributes of magic 0.
pub(crate) const HEADER_SIZE_V0: usize = LOG_OVERHEAD + 6;
/// The same and the timestamp of magic 1.
pub(crate) const HEADER_SIZE_V1: usize = HEADER_SIZE_V0 + 8;

/// Where the checksum of a batch is, and what it covers: everything from the attributes on.
pub(crate) const CRC_OFFSET: usize = 17;
pub(crate) const ATTRIBUTES_OFFSET: usize = 21;
const SIZE_OFFSET: usize = 8;
const PARTITION_LEADER_EPOCH_OFFSET: usize = 12;
const LAST_OFFSET_DELTA_OFFSET: usize = 23;
const BASE_TIMESTAMP_OFFSET: usize = 27;
const MAX_TIMESTAMP_OFFSET: usize = 35;
const PRODUCER_ID_OFFSET: usize = 43;
const PRODUCER_EPOCH_OFFSET: usize = 51;
const BASE_SEQUENCE_OFFSET: usize = 53;
const RECORDS_COUNT_OFFSET: usize = 57;

pub(crate) const TIMESTAMP_TYPE_FLAG: i16 = 0x08;
pub(crate) const TRANSACTIONAL_FLAG: i16 = 0x10;
pub(crate) const CONTROL_FLAG: i16 = 0x20;
pub(crate) const DELETE_HORIZON_FLAG: i16 = 0x40;
pub(crate) const COMPRESSION_MASK: i16 = 0x07;

/// The bytes of a batch before its records.
pub(crate) type BatchHeaderBytes = [u8; RECORD_BATCH_OVERHEAD];

#[inline]
fn field<const AT: usize, const N: usize, const H: usize>(header: &[u8; H]) -> [u8; N] {
    const { assert!(AT + N <= H) };
    std::array::from_fn(|i| header[AT + i])
}

/// The header of an entry of any magic: a batch, a message, or a message that wraps a compressed set.
#[derive(Clone, Copy)]
pub struct BatchHeader<'a>(Format<'a>);

#[derive(Clone, Copy)]
enum Format<'a> {
    V0(&'a [u8; HEADER_SIZE_V0]),
    V1(&'a [u8; HEADER_SIZE_V1]),
    V2(&'a BatchHeaderBytes),
}

impl<'a> BatchHeader<'a> {
    /// Reads the header at the start of `bytes`; `None` if they end before it does. The entry's own bytes need
    /// not be there: whoever scans a file can go from header to header.
    ///
    /// # Errors
    /// A size that cannot be true, and a magic that is not known.
    pub fn parse(bytes: &'a [u8]) -> Result<Option<Self>, BatchError> {
        let Some(start) = bytes.first_chunk::<HEADER_SIZE_UP_TO_MAGIC>() else { return Ok(None) };
        let size = i32::from_be_bytes(field::<SIZE_OFFSET, 4, _>(start));
        let (format, header_size) = match start[MAGIC_OFFSET] as i8 {
            MAGIC_VALUE_V2 => (bytes.first_chunk().map(Format::V2), RECORD_BATCH_OVERHEAD),
            // A message has two length fields at least.
            MAGIC_VALUE_V1 => (bytes.first_chunk().map(Format::V1), HEADER_SIZE_V1 + 8),
            MAGIC_VALUE_V0 => (bytes.first_chunk().map(Format::V0), HEADER_SIZE_V0 + 8),
            magic => return Err(BatchError::UnknownMagic(magic)),
        };
        let min = (header_size - LOG_OVERHEAD) as i32;
        if size < min {
            return Err(BatchError::InvalidSize { size, min });
        }
        Ok(format.map(BatchHeader))
    }

    pub(super) fn of_batch(header: &'a BatchHeaderBytes) -> Self {
        BatchHeader(Format::V2(header))
    }

    pub(super) fn as_batch(self) -> Option<&'a BatchHeaderBytes> {
        match self.0 {
            Format::V2(header) => Some(header),
            Format::V0(_) | Format::V1(_) => None,
        }
    }

    /// The format: 0, 1 or 2.
    pub fn magic(self) -> i8 {
        match self.0 {
            Format::V0(_) => MAGIC_VALUE_V0,
            Format::V1(_) => MAGIC_VALUE_V1,
            Format::V2(_) => MAGIC_VALUE_V2,
        }
    }

    /// All bytes of the entry, from its offset on.
    pub fn size_in_bytes(self) -> usize {
        let size = match self.0 {
            Format::V0(h) => field::<SIZE_OFFSET, 4, _>(h),
            Format::V1(h) => field::<SIZE_OFFSET, 4, _>(h),
            Format::V2(h) => field::<SIZE_OFFSET, 4, _>(h),
        };
        // Not negative: checked when the header was read.
        LOG_OVERHEAD + i32::from_be_bytes(size) as usize
    }

    fn first_field(self) -> i64 {
        i64::from_be_bytes(match self.0 {
            Format::V0(h) => field::<0, 8, _>(h),
            Format::V1(h) => field::<0, 8, _>(h),
            Format::V2(h) => field::<0, 8, _>(h),
        })
    }

    /// The offset of the first record. A compressed set of magic 0 or 1 does not tell without being
    /// decompressed: for it, this is the offset of the last.
    pub fn base_offset(self) -> Offset {
        self.first_field()
    }

    /// The offset of the last record (of the last that was appended, if the cleaner took it away since).
    pub fn last_offset(self) -> Offset {
        self.first_field().wrapping_add(i64::from(self.last_offset_delta()))
    }

    /// The offset after the last.
    pub fn next_offset(self) -> Offset {
        self.last_offset().wrapping_add(1)
    }

    /// Last offset less base offset; 0 for magic 0 and 1.
    pub fn last_offset_delta(self) -> i32 {
        match self.0 {
            Format::V0(_) | Format::V1(_) => 0,
            Format::V2(h) => i32::from_be_bytes(field::<LAST_OFFSET_DELTA_OFFSET, 4, _>(h)),
        }
    }

    /// The term of the leader that appended the batch; -1 for magic 0 and 1.
    pub fn partition_leader_epoch(self) -> LeaderEpoch {
        match self.0 {
            Format::V0(_) | Format::V1(_) => NO_LEADER_EPOCH,
            Format::V2(h) => i32::from_be_bytes(field::<PARTITION_LEADER_EPOCH_OFFSET, 4, _>(h)),
        }
    }

    /// The checksum as it is stored.
    pub fn crc(self) -> u32 {
        u32::from_be_bytes(match self.0 {
            Format::V0(h) => field::<LOG_OVERHEAD, 4, _>(h),
            Format::V1(h) => field::<LOG_OVERHEAD, 4, _>(h),
            Format::V2(h) => field::<CRC_OFFSET, 4, _>(h),
        })
    }

    pub(super) fn attributes(self) -> i16 {
        match self.0 {
            Format::V0(h) => i16::from(h[HEADER_SIZE_V0 - 1]),
            Format::V1(h) => i16::from(h[HEADER_SIZE_V0 - 1]),
            Format::V2(h) => i16::from_be_bytes(field::<ATTRIBUTES_OFFSET, 2, _>(h)),
        }
    }

    fn has_flag(self, flag: i16) -> bool {
        self.magic() >= MAGIC_VALUE_V2 && self.attributes() & flag != 0
    }

    /// How the records are compressed.
    ///
    /// # Errors
    /// A number that is no codec's.
    pub fn compression_type(self) -> Result<CompressionType, BatchError> {
        CompressionType::from_attributes(self.attributes())
    }

    /// Whether a codec is set.
    pub fn is_compressed(self) -> bool {
        self.attributes() & COMPRESSION_MASK != 0
    }

    /// Who set the timestamps.
    pub fn timestamp_type(self) -> TimestampType {
        if self.magic() > MAGIC_VALUE_V0 && self.attributes() & TIMESTAMP_TYPE_FLAG != 0 {
            TimestampType::LogAppendTime
        } else {
            TimestampType::CreateTime
        }
    }

    /// What the records' timestamps are counted from; for magic 1 the timestamp.
    pub fn base_timestamp(self) -> Timestamp {
        match self.0 {
            Format::V0(_) => NO_TIMESTAMP,
            Format::V1(h) => i64::from_be_bytes(field::<HEADER_SIZE_V0, 8, _>(h)),
            Format::V2(h) => i64::from_be_bytes(field::<BASE_TIMESTAMP_OFFSET, 8, _>(h)),
        }
    }

    /// The largest timestamp; -1 for magic 0.
    pub fn max_timestamp(self) -> Timestamp {
        match self.0 {
            Format::V0(_) | Format::V1(_) => self.base_timestamp(),
            Format::V2(h) => i64::from_be_bytes(field::<MAX_TIMESTAMP_OFFSET, 8, _>(h)),
        }
    }

    /// When the cleaner may drop the batch's tombstones or marker, if it has been here before (KIP-534).
    pub fn delete_horizon_ms(self) -> Option<Timestamp> {
        self.has_flag(DELETE_HORIZON_FLAG).then(|| self.base_timestamp())
    }

    /// The idempotent producer; -1 if none.
    pub fn producer_id(self) -> ProducerId {
        match self.0 {
            Format::V0(_) | Format::V1(_) => NO_PRODUCER_ID,
            Format::V2(h) => i64::from_be_bytes(field::<PRODUCER_ID_OFFSET, 8, _>(h)),
        }
    }

    /// Whether an idempotent producer made the batch.
    pub fn has_producer_id(self) -> bool {
        self.producer_id() > NO_PRODUCER_ID
    }

    /// The epoch of the producer; -1 if none.
    pub fn producer_epoch(self) -> ProducerEpoch {
        match self.0 {
            Format::V0(_) | Format::V1(_) => NO_PRODUCER_EPOCH,
            Format::V2(h) => i16::from_be_bytes(field::<PRODUCER_EPOCH_OFFSET, 2, _>(h)),
        }
    }

    /// The sequence of the first record; -1 if none.
    pub fn base_sequence(self) -> i32 {
        match self.0 {
            Format::V0(_) | Format::V1(_) => NO_SEQUENCE,
            Format::V2(h) => i32::from_be_bytes(field::<BASE_SEQUENCE_OFFSET, 4, _>(h)),
        }
    }

    /// The sequence of the last record; -1 if none.
    pub fn last_sequence(self) -> i32 {
        match self.base_sequence() {
            NO_SEQUENCE => NO_SEQUENCE,
            base => increment_sequence(base, self.last_offset_delta()),
        }
    }

    /// The number of records; `None` for magic 0 and 1, which do not say.
    pub fn records_count(self) -> Option<i32> {
        match self.0 {
            Format::V0(_) | Format::V1(_) => None,
            Format::V2(h) => Some(i32::from_be_bytes(field::<RECORDS_COUNT_OFFSET, 4, _>(h))),
        }
    }

    /// Whether the records belong to a transaction.
    pub fn is_transactional(self) -> bool {
        self.has_flag(TRANSACTIONAL_FLAG)
    }

    /// Whether the records are the broker's own, not data.
    pub fn is_control(self) -> bool {
        self.has_flag(CONTROL_FLAG)
    }
}

/// `sequence + increment`, from 2^31-1 on to 0 (Kafka: `DefaultRecordBatch#incrementSequence`).
pub(crate) fn increment_sequence(sequence: i32, increment: i32) -> i32 {
    (i64::from(sequence) + i64::from(increment)).rem_euclid(1 << 31) as i32
}

/// Everything that a header says, to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeaderFields {
    pub(crate) base_offset: Offset,
    pub(crate) partition_leader_epoch: LeaderEpoch,
    pub(crate) attributes: i16,
    pub(crate) last_offset_delta: i32,
    pub(crate) base_timestamp: Timestamp,
    pub(crate) max_timestamp: Timestamp,
    pub(crate) producer_id: ProducerId,
    pub(crate) producer_epoch: ProducerEpoch,
    pub(crate) base_sequence: i32,
    pub(crate) records_count: i32,
}

impl HeaderFields {
    /// What a header says.
    pub(crate) fn of(header: BatchHeader<'_>) -> Self {
        HeaderFields {
            base_offset: header.base_offset(),
            partition_leader_epoch: header.partition_leader_epoch(),
            attributes: header.attributes(),
            last_offset_delta: header.last_offset_delta(),
            base_timestamp: header.base_timestamp(),
            max_timestamp: header.max_timestamp(),
            producer_id: header.producer_id(),
            producer_epoch: header.producer_epoch(),
            base_sequence: header.base_sequence(),
            records_count: header.records_count().unwrap_or_default(),
        }
    }

    /// The header in front of `body`, its size and checksum included.
    pub(crate) fn encode(&self, body: &[u8]) -> Result<BatchHeaderBytes, BatchError> {
        let size = i32::try_from(RECORD_BATCH_OVERHEAD - LOG_OVERHEAD + body.len())
            .map_err(|_| BatchError::FormatLimit { what: "the size of the batch" })?;
        let mut header = [0; RECORD_BATCH_OVERHEAD];
        set_base_offset(&mut header, self.base_offset);
        put(&mut header, SIZE_OFFSET, size.to_be_bytes());
        set_partition_leader_epoch(&mut header, self.partition_leader_epoch);
        header[MAGIC_OFFSET] = MAGIC_VALUE_V2 as u8;
        put(&mut header, ATTRIBUTES_OFFSET, self.attributes.to_be_bytes());
        put(&mut header, LAST_OFFSET_DELTA_OFFSET, self.last_offset_delta.to_be_bytes());
        put(&mut header, BASE_TIMESTAMP_OFFSET, self.base_timestamp.to_be_bytes());
        put(&mut header, MAX_TIMESTAMP_OFFSET, self.max_timestamp.to_be_bytes());
        put(&mut header, PRODUCER_ID_OFFSET, self.producer_id.to_be_bytes());
        put(&mut header, PRODUCER_EPOCH_OFFSET, self.producer_epoch.to_be_bytes());
        put(&mut header, BASE_SEQUENCE_OFFSET, self.base_sequence.to_be_bytes());
        put(&mut header, RECORDS_COUNT_OFFSET, self.records_count.to_be_bytes());
        update_crc(&mut header, body);
        Ok(header)
    }
}

fn put<const N: usize>(header: &mut BatchHeaderBytes, at: usize, bytes: [u8; N]) {
    header[at..at + N].copy_from_slice(&bytes);
}

/// Moves the batch; its checksum does not cover this.
pub(crate) fn set_base_offset(header: &mut BatchHeaderBytes, base_offset: Offset) {
    put(header, 0, base_offset.to_be_bytes());
}

/// Stamps the leader's term; the checksum does not cover this.
pub(crate) fn set_partition_leader_epoch(header: &mut BatchHeaderBytes, epoch: LeaderEpoch) {
    put(header, PARTITION_LEADER_EPOCH_OFFSET, epoch.to_be_bytes());
}

/// Sets who gave the timestamps and the largest of them. [`update_crc`] must follow.
pub(crate) fn set_max_timestamp(
    header: &mut BatchHeaderBytes,
    timestamp_type: TimestampType,
    max_timestamp: Timestamp,
) {
    let mut attributes = i16::from_be_bytes(field::<ATTRIBUTES_OFFSET, 2, _>(header)) & !TIMESTAMP_TYPE_FLAG;
    if timestamp_type == TimestampType::LogAppendTime {
        attributes |= TIMESTAMP_TYPE_FLAG;
    }
    put(header, ATTRIBUTES_OFFSET, attributes.to_be_bytes());
    put(header, MAX_TIMESTAMP_OFFSET, max_timestamp.to_be_bytes());
}

/// Computes the checksum of a header and its body and stores it.
pub(crate) fn update_crc(header: &mut BatchHeaderBytes, body: &[u8]) {
    let crc = crc32c_of_parts(&header[ATTRIBUTES_OFFSET..], body);
    put(header, CRC_OFFSET, crc.to_be_bytes());
}
