use std::io::IoSlice;

use super::LogSegment;
use crate::log::error::LogError;
use crate::log::index::TimestampOffset;
use crate::model::{Offset, Timestamp};
use crate::record::BatchHeader;

/// What the indexes need to know of a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchEntry {
    pub(crate) last_offset: Offset,
    pub(crate) max_timestamp: Timestamp,
    pub(crate) size: u64,
}

impl BatchEntry {
    pub(crate) fn of(header: BatchHeader<'_>) -> Self {
        BatchEntry {
            last_offset: header.last_offset(),
            max_timestamp: header.max_timestamp(),
            size: header.size_in_bytes() as u64,
        }
    }
}

impl LogSegment {
    /// Writes batches at the end, in one call, and notes some of them in the indexes: at most one for each
    /// `index.interval.bytes` (Kafka: `LogSegment#append`).
    pub(crate) fn append(
        &self,
        batches: impl Iterator<Item = BatchEntry> + Clone,
        parts: &mut [IoSlice<'_>],
    ) -> Result<(), LogError> {
        let size = batches.clone().map(|batch| batch.size).sum();
        let mut max_timestamp_so_far = self.max_timestamp_and_offset()?;
        let mut bytes_since_last_entry = self.state.lock().bytes_since_last_index_entry;
        // What can fail comes before the write: once the records are in the file, they count.
        self.reserve_index_entries(batches.clone(), bytes_since_last_entry)?;
        let mut position = self.records.size();
        self.records.append(parts, size)?;
        if position == 0 {
            let first = batches.clone().next();
            self.state.lock().rolling_based_timestamp = first.map(|first| first.max_timestamp);
        }
        for batch in batches {
            if batch.max_timestamp > max_timestamp_so_far.timestamp {
                max_timestamp_so_far =
                    TimestampOffset { timestamp: batch.max_timestamp, offset: batch.last_offset };
            }
            if bytes_since_last_entry > self.index_interval_bytes {
                self.add_index_entries(batch.last_offset, position, max_timestamp_so_far)?;
                bytes_since_last_entry = 0;
            }
            bytes_since_last_entry += batch.size;
            position += batch.size;
        }
        let mut state = self.state.lock();
        state.bytes_since_last_index_entry = bytes_since_last_entry;
        state.max_timestamp_so_far = Some(max_timestamp_so_far);
        Ok(())
    }

    fn reserve_index_entries(
        &self,
        batches: impl Iterator<Item = BatchEntry>,
        mut bytes_since_last_entry: u64,
    ) -> Result<(), LogError> {
        let mut count = 0;
        for batch in batches {
            if bytes_since_last_entry > self.index_interval_bytes {
                count += 1;
                bytes_since_last_entry = 0;
            }
            bytes_since_last_entry += batch.size;
        }
        if count > 0 { self.reserve(count) } else { Ok(()) }
    }

    /// Has both indexes take `count` entries without a word to the disk.
    pub(super) fn reserve(&self, count: usize) -> Result<(), LogError> {
        self.offset_index.reserve(count)?;
        self.time_index.reserve(count)
    }

    pub(super) fn add_index_entries(
        &self,
        last_offset: Offset,
        position: u64,
        max_timestamp_so_far: TimestampOffset,
    ) -> Result<(), LogError> {
        // A segment's size is bounded by segment.bytes, 31 bits; a foreign longer file is scanned instead.
        if let Ok(position) = u32::try_from(position) {
            self.offset_index.append(last_offset, position)?;
        }
        self.time_index.maybe_append(max_timestamp_so_far, false)
    }
}
