//! The format of `.snapshot` files (Kafka: `ProducerStateManager#readSnapshot`, `#writeSnapshot`).

use super::entry::{BatchMetadata, ProducerStateEntry};
use crate::log::checkpoint::ContentError;
use crate::model::NO_SEQUENCE;
use crate::record::crc32c;

const VERSION: i16 = 1;
/// What a later Kafka may write, where chance does not. A snapshot that is right but for this number is an own one with
/// a changed bit.
const NEXT_VERSIONS: std::ops::RangeInclusive<i16> = VERSION + 1..=VERSION + 8;
/// Version, checksum and count.
const HEADER: usize = 10;
/// Where the checksum ends, and what it covers starts.
const CRC_END: usize = 6;
const ENTRY: usize = 46;

/// The bytes of a snapshot. Only the last batch of each producer is in it.
pub(super) fn format<'a>(entries: impl Iterator<Item = &'a ProducerStateEntry>) -> Vec<u8> {
    let mut bytes = vec![0; HEADER];
    let mut count: u32 = 0;
    for entry in entries {
        let last = entry.batches().last().copied().unwrap_or(BatchMetadata {
            last_sequence: NO_SEQUENCE,
            last_offset: -1,
            offset_delta: 0,
            timestamp: entry.last_timestamp,
        });
        bytes.extend_from_slice(&entry.producer_id.to_be_bytes());
        bytes.extend_from_slice(&entry.producer_epoch.to_be_bytes());
        bytes.extend_from_slice(&last.last_sequence.to_be_bytes());
        bytes.extend_from_slice(&last.last_offset.to_be_bytes());
        bytes.extend_from_slice(&last.offset_delta.to_be_bytes());
        bytes.extend_from_slice(&entry.last_timestamp.to_be_bytes());
        bytes.extend_from_slice(&entry.coordinator_epoch.to_be_bytes());
        bytes.extend_from_slice(&entry.current_txn_first_offset.unwrap_or(-1).to_be_bytes());
        count += 1;
    }
    let mut put = |at: usize, value: &[u8]| {
        for (slot, byte) in bytes.iter_mut().skip(at).zip(value) {
            *slot = *byte;
        }
    };
    put(0, &VERSION.to_be_bytes());
    put(CRC_END, &count.to_be_bytes());
    let crc = crc32c(bytes.get(CRC_END..).unwrap_or_default());
    for (slot, byte) in bytes.iter_mut().skip(2).zip(crc.to_be_bytes()) {
        *slot = byte;
    }
    bytes
}

/// Reads a snapshot; what is wrong with it, if it is.
pub(crate) fn parse(bytes: &[u8]) -> Result<Vec<ProducerStateEntry>, ContentError> {
    let mut header = Fields(bytes);
    let (version, crc, count) = match (header.take(), header.take(), header.take()) {
        (Some(version), Some(crc), Some(count)) => {
            (i16::from_be_bytes(version), u32::from_be_bytes(crc), u32::from_be_bytes(count))
        }
        _ => return Err(format!("{} bytes are too few for a snapshot", bytes.len()).into()),
    };
    let has_crc = crc == crc32c(bytes.get(CRC_END..).unwrap_or_default());
    let has_entries = u64::from(count) * ENTRY as u64 == header.0.len() as u64;
    if NEXT_VERSIONS.contains(&version) && !(has_crc && has_entries) {
        return Err(ContentError::Newer { found: version.into(), known: VERSION.into() });
    }
    if version != VERSION {
        return Err(format!("version {version} is not known").into());
    }
    if !has_crc {
        return Err("the checksum does not match".to_owned().into());
    }
    let entries = header.0.chunks_exact(ENTRY);
    if !has_entries {
        return Err(format!("{count} entries do not make {} bytes", bytes.len()).into());
    }
    Ok(entries.filter_map(parse_entry).collect())
}

fn parse_entry(bytes: &[u8]) -> Option<ProducerStateEntry> {
    let mut fields = Fields(bytes);
    let mut entry = ProducerStateEntry::empty(i64::from_be_bytes(fields.take()?));
    let epoch = i16::from_be_bytes(fields.take()?);
    let last_sequence = i32::from_be_bytes(fields.take()?);
    let last_offset = i64::from_be_bytes(fields.take()?);
    let offset_delta = i32::from_be_bytes(fields.take()?);
    let timestamp = i64::from_be_bytes(fields.take()?);
    entry.coordinator_epoch = i32::from_be_bytes(fields.take()?);
    let txn_first_offset = i64::from_be_bytes(fields.take()?);
    entry.producer_epoch = epoch;
    entry.last_timestamp = timestamp;
    entry.current_txn_first_offset = (txn_first_offset >= 0).then_some(txn_first_offset);
    if last_offset >= 0 {
        entry.add_batch(epoch, BatchMetadata { last_sequence, last_offset, offset_delta, timestamp });
    }
    Some(entry)
}

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }
}
