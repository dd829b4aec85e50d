//! From timestamps to offsets, sparsely (Kafka: `TimeIndex`).

use super::paged::PagedIndex;
use crate::log::error::LogError;
use crate::log::partition_dir::SegmentFile;
use crate::model::{NO_TIMESTAMP, Offset, Timestamp};

const ENTRY: usize = 12;

/// A timestamp and the offset that goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimestampOffset {
    pub(crate) timestamp: Timestamp,
    pub(crate) offset: Offset,
}

impl TimestampOffset {
    /// Neither is known.
    pub(crate) const UNKNOWN: TimestampOffset = TimestampOffset { timestamp: NO_TIMESTAMP, offset: -1 };
}

/// Entries of 12 bytes: the largest timestamp so far, and the last offset of the batch that holds it, less the
/// segment's base. Records before that offset with a larger timestamp do not exist.
#[derive(Debug)]
pub(crate) struct TimeIndex {
    base_offset: Offset,
    entries: PagedIndex<ENTRY>,
}

impl TimeIndex {
    /// The index in `file`, of at most `max_bytes`.
    pub(crate) fn new(file: SegmentFile, base_offset: Offset, max_bytes: usize, exists: bool) -> Self {
        TimeIndex { base_offset, entries: PagedIndex::new(file, max_bytes, exists) }
    }

    pub(crate) fn file(&self) -> &SegmentFile {
        self.entries.file()
    }

    /// The last entry; no timestamp and the base offset if there is none.
    pub(crate) fn last(&self) -> Result<TimestampOffset, LogError> {
        Ok(self.entries.view()?.last().map_or(self.start(), |entry| self.parse(entry)))
    }

    /// The greatest entry at or below `target`; no timestamp and the base offset if there is none.
    pub(crate) fn lookup(&self, target: Timestamp) -> Result<TimestampOffset, LogError> {
        let view = self.entries.view()?;
        let after = view.count_below(target.saturating_add(1), |entry| self.parse(entry).timestamp)?;
        let found = after.checked_sub(1).map_or(Ok(None), |i| view.get(i))?;
        Ok(found.map_or(self.start(), |entry| self.parse(entry)))
    }

    /// To be called before `count` entries are added: whatever the disk refuses, it refuses now.
    pub(crate) fn reserve(&self, count: usize) -> Result<(), LogError> {
        self.entries.reserve(count)
    }

    /// Adds an entry, unless its timestamp is not above the last one. `last_of_segment` may take the slot that is
    /// kept free for it (Kafka: `TimeIndex#maybeAppend` with `skipFullCheck`).
    pub(crate) fn maybe_append(&self, at: TimestampOffset, last_of_segment: bool) -> Result<(), LogError> {
        let relative =
            at.offset.checked_sub(self.base_offset).and_then(|relative| i32::try_from(relative).ok());
        let Some(relative) = relative.filter(|relative| *relative >= 0) else { return Ok(()) };
        let view = self.entries.view()?;
        let last = view.last().map_or(self.start(), |entry| self.parse(entry));
        let room = self.entries.max_entries().saturating_sub(usize::from(!last_of_segment));
        let fits = at.timestamp > last.timestamp && at.offset >= last.offset && view.len() < room;
        drop(view);
        if !fits {
            return Ok(());
        }
        let mut entry = [0; ENTRY];
        let (head, tail) = entry.split_at_mut(8);
        head.copy_from_slice(&at.timestamp.to_be_bytes());
        tail.copy_from_slice(&relative.to_be_bytes());
        self.entries.push(entry)
    }

    /// Whether nothing fits any more but the last entry of the segment.
    pub(crate) fn is_full(&self) -> Result<bool, LogError> {
        Ok(self.len()? >= self.entries.max_entries().saturating_sub(1))
    }

    /// The number of entries.
    pub(crate) fn len(&self) -> Result<usize, LogError> {
        Ok(self.entries.view()?.len())
    }

    /// Drops the entries at or beyond `offset`.
    pub(crate) fn truncate_to(&self, offset: Offset) -> Result<(), LogError> {
        let keep = self.entries.view()?.count_below(offset, |entry| self.parse(entry).offset)?;
        self.entries.truncate_to_entries(keep)
    }

    /// Whether the file looks like an index of this segment (Kafka: `TimeIndex#sanityCheck`).
    pub(crate) fn is_sane(&self) -> Result<bool, LogError> {
        if !self.entries.has_valid_length()? {
            return Ok(false);
        }
        let view = self.entries.view()?;
        let (Some(first), Some(last)) = (view.first(), view.last()) else { return Ok(true) };
        let (first, last) = (self.parse(first), self.parse(last));
        Ok(last.timestamp >= first.timestamp && last.offset >= self.base_offset)
    }

    pub(crate) fn reset(&self) {
        self.entries.reset();
    }

    pub(crate) fn trim(&self) -> Result<(), LogError> {
        self.entries.trim()
    }

    pub(crate) fn flush(&self) -> Result<(), LogError> {
        self.entries.flush()
    }

    pub(crate) fn remove(&self) -> Result<(), LogError> {
        self.entries.remove()
    }

    fn start(&self) -> TimestampOffset {
        TimestampOffset { timestamp: NO_TIMESTAMP, offset: self.base_offset }
    }

    fn parse(&self, entry: [u8; ENTRY]) -> TimestampOffset {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = entry;
        TimestampOffset {
            timestamp: i64::from_be_bytes([a, b, c, d, e, f, g, h]),
            offset: self.base_offset.saturating_add(i64::from(i32::from_be_bytes([i, j, k, l]))),
        }
    }
}
