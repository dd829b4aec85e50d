//! From offsets to positions in a log file, sparsely (Kafka: `OffsetIndex`).

use super::paged::PagedIndex;
use crate::log::error::LogError;
use crate::log::partition_dir::SegmentFile;
use crate::model::Offset;

const ENTRY: usize = 8;

/// An offset and the place in the log file from where a scan finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OffsetPosition {
    pub(crate) offset: Offset,
    pub(crate) position: u32,
}

/// Entries of 8 bytes: the offset less the segment's base, and the position, of some of the batches: at most one
/// for each `index.interval.bytes` of log. The offset is the batch's last one, the position its first byte.
#[derive(Debug)]
pub(crate) struct OffsetIndex {
    base_offset: Offset,
    entries: PagedIndex<ENTRY>,
}

impl OffsetIndex {
    /// The index in `file`, of at most `max_bytes`.
    pub(crate) fn new(file: SegmentFile, base_offset: Offset, max_bytes: usize, exists: bool) -> Self {
        OffsetIndex { base_offset, entries: PagedIndex::new(file, max_bytes, exists) }
    }

    pub(crate) fn file(&self) -> &SegmentFile {
        self.entries.file()
    }

    /// The greatest entry at or below `target`; the segment's start if there is none.
    pub(crate) fn lookup(&self, target: Offset) -> Result<OffsetPosition, LogError> {
        let view = self.entries.view()?;
        let after = view.count_below(target.saturating_add(1), |entry| self.parse(entry).offset)?;
        let found = after.checked_sub(1).map_or(Ok(None), |i| view.get(i))?;
        let start = OffsetPosition { offset: self.base_offset, position: 0 };
        Ok(found.map_or(start, |entry| self.parse(entry)))
    }

    /// The first entry at or beyond `position`: an offset by which the bytes before it surely end
    /// (Kafka: `OffsetIndex#fetchUpperBoundOffset`).
    pub(crate) fn first_at_or_after_position(
        &self,
        position: u32,
    ) -> Result<Option<OffsetPosition>, LogError> {
        let view = self.entries.view()?;
        let i = view.count_below(position.into(), |entry| self.parse(entry).position.into())?;
        Ok(view.get(i)?.map(|entry| self.parse(entry)))
    }

    /// The last entry, if any.
    pub(crate) fn last(&self) -> Result<Option<OffsetPosition>, LogError> {
        Ok(self.entries.view()?.last().map(|entry| self.parse(entry)))
    }

    /// To be called before `count` entries are added: whatever the disk refuses, it refuses now.
    pub(crate) fn reserve(&self, count: usize) -> Result<(), LogError> {
        self.entries.reserve(count)
    }

    /// Adds an entry; one that does not lie beyond the last, or for which there is no room, is left out.
    pub(crate) fn append(&self, offset: Offset, position: u32) -> Result<(), LogError> {
        let relative = offset.checked_sub(self.base_offset).and_then(|relative| i32::try_from(relative).ok());
        let Some(relative) = relative.filter(|relative| *relative >= 0) else { return Ok(()) };
        let view = self.entries.view()?;
        let follows = view.last().is_none_or(|last| self.parse(last).offset < offset);
        let fits = follows && view.len() < self.entries.max_entries();
        drop(view);
        if !fits {
            return Ok(());
        }
        let mut entry = [0; ENTRY];
        let (head, tail) = entry.split_at_mut(4);
        head.copy_from_slice(&relative.to_be_bytes());
        tail.copy_from_slice(&position.to_be_bytes());
        self.entries.push(entry)
    }

    /// Whether no entry fits any more.
    pub(crate) fn is_full(&self) -> Result<bool, LogError> {
        Ok(self.len()? >= self.entries.max_entries())
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

    /// Whether the file looks like an index of this segment (Kafka: `OffsetIndex#sanityCheck`).
    pub(crate) fn is_sane(&self) -> Result<bool, LogError> {
        Ok(self.entries.has_valid_length()?
            && self.last()?.is_none_or(|last| last.offset >= self.base_offset))
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

    fn parse(&self, entry: [u8; ENTRY]) -> OffsetPosition {
        let [a, b, c, d, e, f, g, h] = entry;
        // Kafka's entries are signed; a negative one is damage, which `is_sane` reports.
        let relative = i32::from_be_bytes([a, b, c, d]);
        OffsetPosition {
            offset: self.base_offset.saturating_add(i64::from(relative)),
            position: u32::from_be_bytes([e, f, g, h]),
        }
    }
}
