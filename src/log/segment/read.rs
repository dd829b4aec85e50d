use super::LogSegment;
use crate::log::error::LogError;
use crate::log::file_records::ScanError;
use crate::log::index::TimestampOffset;
use crate::model::{LeaderEpoch, NO_TIMESTAMP, Offset, Timestamp};
use crate::sys::FileSlice;

/// The batch that holds an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentPosition {
    pub(crate) base_offset: Offset,
    pub(crate) position: u64,
    pub(crate) size: usize,
}

/// What a read of a segment gives.
#[derive(Clone, Debug)]
pub(crate) struct SegmentRead {
    /// The batch in which the records start.
    pub(crate) start: SegmentPosition,
    pub(crate) records: FileSlice,
    /// The first batch is cut, so there is no whole one.
    pub(crate) first_entry_incomplete: bool,
}

/// How much a read may give.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SegmentReadLimits {
    pub(crate) max_bytes: usize,
    /// Where the bytes end that the reader may see.
    pub(crate) max_position: u64,
    /// Give the first batch even if it is larger.
    pub(crate) min_one_message: bool,
}

/// A record found by its timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimestampMatch {
    pub(crate) timestamp: Timestamp,
    pub(crate) offset: Offset,
    pub(crate) leader_epoch: LeaderEpoch,
}

/// Decompressed, the batch in which a timestamp is searched must not be larger.
const DECOMPRESSION_LIMIT: usize = 1 << 30;

impl LogSegment {
    /// The first batch whose last offset is at or beyond `offset`; `None` if there is none
    /// (Kafka: `LogSegment#translateOffset`).
    pub(crate) fn translate_offset(&self, offset: Offset) -> Result<Option<SegmentPosition>, LogError> {
        let indexed = self.offset_index.lookup(offset)?;
        let start = u64::from(indexed.position);
        match self.search_offset(offset, start, Some(indexed.offset)) {
            Err(SearchFailed::NotAtBatch) => {}
            found => return found.map_err(|failed| self.search_error(failed, offset)),
        }
        // The index leads nowhere: it is damaged. The records themselves still tell, from the start.
        tracing::warn!(path = %self.offset_index.file().path().display(), "offset index does not fit its log");
        self.search_offset(offset, 0, None).map_err(|failed| self.search_error(failed, offset))
    }

    fn search_offset(
        &self,
        offset: Offset,
        start: u64,
        indexed_offset: Option<Offset>,
    ) -> Result<Option<SegmentPosition>, SearchFailed> {
        if start > 0 && start >= self.records.size() {
            return Err(SearchFailed::NotAtBatch);
        }
        let mut headers = self.records.headers_from(start).map_err(SearchFailed::Log)?;
        let mut is_first = start > 0;
        loop {
            let found = match headers.next() {
                Ok(Some((position, header))) => {
                    let base = header.base_offset();
                    // An entry's offset is never below the batch at its position.
                    let fits =
                        base >= self.base_offset && indexed_offset.is_none_or(|indexed| base <= indexed);
                    if is_first && !fits {
                        return Err(SearchFailed::NotAtBatch);
                    }
                    (header.last_offset() >= offset).then_some(SegmentPosition {
                        base_offset: base,
                        position,
                        size: header.size_in_bytes(),
                    })
                }
                Ok(None) if is_first => return Err(SearchFailed::NotAtBatch),
                Ok(None) => return Ok(None),
                Err(_) if is_first => return Err(SearchFailed::NotAtBatch),
                Err(ScanError::Log(error)) => return Err(SearchFailed::Log(error)),
                Err(ScanError::Corrupt { position, .. }) => return Err(SearchFailed::Corrupt { position }),
            };
            if found.is_some() {
                return Ok(found);
            }
            is_first = false;
        }
    }

    fn search_error(&self, failed: SearchFailed, offset: Offset) -> LogError {
        let position = match failed {
            SearchFailed::Log(error) => return error,
            SearchFailed::Corrupt { position } => position,
            SearchFailed::NotAtBatch => 0,
        };
        LogError::CorruptRecord { offset, path: self.records.segment_file().path(), position }
    }

    /// The records from the batch that holds `start_offset` on; `None` if there are none from there on
    /// (Kafka: `LogSegment#read`).
    pub(crate) fn read(
        &self,
        start_offset: Offset,
        limits: SegmentReadLimits,
    ) -> Result<Option<SegmentRead>, LogError> {
        let Some(start) = self.translate_offset(start_offset)? else { return Ok(None) };
        let wanted = if limits.min_one_message { limits.max_bytes.max(start.size) } else { limits.max_bytes };
        let visible =
            usize::try_from(limits.max_position.saturating_sub(start.position)).unwrap_or(usize::MAX);
        let records = self.records.slice(start.position, wanted.min(visible))?;
        let first_entry_incomplete = records.size() < start.size;
        Ok(Some(SegmentRead { start, records, first_entry_incomplete }))
    }

    /// The first record at or beyond `starting_offset` whose timestamp is at least `timestamp`
    /// (Kafka: `LogSegment#findOffsetByTimestamp`).
    pub(crate) fn find_offset_by_timestamp(
        &self,
        timestamp: Timestamp,
        starting_offset: Offset,
    ) -> Result<Option<TimestampMatch>, LogError> {
        let indexed = self.time_index.lookup(timestamp)?;
        let from = indexed.offset.max(starting_offset);
        let Some(start) = self.translate_offset(from)? else { return Ok(None) };
        let mut batches = self.records.batches_from(start.position)?;
        let mut scratch = Vec::new();
        loop {
            let (position, batch) = match batches.next() {
                Ok(Some(found)) => found,
                Ok(None) => return Ok(None),
                Err(ScanError::Log(error)) => return Err(error),
                Err(ScanError::Corrupt { position, .. }) => return Err(self.corrupt(from, position)),
            };
            if batch.max_timestamp() < timestamp {
                continue;
            }
            let records =
                batch.records(&mut scratch, DECOMPRESSION_LIMIT).map_err(|_| self.corrupt(from, position))?;
            for record in records {
                let record = record.map_err(|_| self.corrupt(from, position))?;
                if record.timestamp() >= timestamp && record.offset() >= starting_offset {
                    return Ok(Some(TimestampMatch {
                        timestamp: record.timestamp(),
                        offset: record.offset(),
                        leader_epoch: batch.partition_leader_epoch(),
                    }));
                }
            }
        }
    }

    fn corrupt(&self, offset: Offset, position: u64) -> LogError {
        LogError::CorruptRecord { offset, path: self.records.segment_file().path(), position }
    }

    /// The offset after the last record (Kafka: `LogSegment#readNextOffset`). Reads headers from the last index
    /// entry on.
    pub(crate) fn read_next_offset(&self) -> Result<Offset, LogError> {
        let last = self.offset_index.last()?;
        let start = last.map_or(self.base_offset, |entry| entry.offset);
        // Where nothing is found although there is something, no offset in the file can be true.
        let position = self.translate_offset(start)?.map_or(0, |found| found.position);
        let mut headers = self.records.headers_from(position)?;
        let mut next_offset = self.base_offset;
        loop {
            match headers.next() {
                // The checksum does not cover offsets: what cannot be true is damage.
                Ok(Some((position, header)))
                    if header.base_offset() < next_offset || !self.can_hold(header.last_offset()) =>
                {
                    return Err(self.corrupt(start, position));
                }
                Ok(Some((_, header))) => next_offset = header.next_offset(),
                Ok(None) => return Ok(next_offset),
                Err(ScanError::Log(error)) => return Err(error),
                Err(ScanError::Corrupt { position, .. }) => return Err(self.corrupt(start, position)),
            }
        }
    }

    /// An offset at which the bytes of a read end at the latest; `None` if the index has no entry beyond them
    /// (Kafka: `LogSegment#fetchUpperBoundOffset`).
    pub(crate) fn fetch_upper_bound_offset(&self, read: &SegmentRead) -> Result<Option<Offset>, LogError> {
        let end = read.start.position.saturating_add(read.records.size() as u64);
        match u32::try_from(end) {
            Ok(end) => Ok(self.offset_index.first_at_or_after_position(end)?.map(|entry| entry.offset)),
            Err(_) => Ok(None),
        }
    }

    /// The timestamp by which the segment's age is counted: the first batch's
    /// (Kafka: `LogSegment#loadFirstBatchTimestamp`).
    pub(crate) fn first_batch_timestamp(&self) -> Result<Timestamp, LogError> {
        if let Some(known) = self.state.lock().rolling_based_timestamp {
            return Ok(known);
        }
        let first = match self.records.headers_from(0)?.next() {
            Ok(Some((_, header))) => header.max_timestamp(),
            Ok(None) | Err(ScanError::Corrupt { .. }) => return Ok(NO_TIMESTAMP),
            Err(ScanError::Log(error)) => return Err(error),
        };
        self.state.lock().rolling_based_timestamp = Some(first);
        Ok(first)
    }
}

/// Times that records may be deleted by.
impl LogSegment {
    /// [`largest_timestamp`](Self::largest_timestamp), if the batch says so too that the time index names: one bit of an
    /// index must not cost records. If not, the batches are asked.
    pub(crate) fn confirmed_largest_timestamp(&self) -> Result<Timestamp, LogError> {
        let told = self.max_timestamp_and_offset()?;
        if self.max_timestamp_of_batch(told.offset)? == Some(told.timestamp) {
            return self.largest_timestamp();
        }
        let mut largest = TimestampOffset { timestamp: NO_TIMESTAMP, offset: self.base_offset };
        let mut headers = self.records.headers_from(0)?;
        loop {
            match headers.next() {
                Ok(Some((_, header))) if header.max_timestamp() > largest.timestamp => {
                    largest =
                        TimestampOffset { timestamp: header.max_timestamp(), offset: header.last_offset() };
                }
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(ScanError::Log(error)) => return Err(error),
                // Of what is behind it nobody knows; it was there when the file last changed.
                Err(ScanError::Corrupt { .. }) => return self.last_modified_ms(),
            }
        }
        if largest.timestamp != told.timestamp {
            let path = self.time_index.file().path();
            tracing::warn!(
                path = %path.display(), index = told.timestamp, records = largest.timestamp,
                "the time index does not fit its log, of which the records are asked"
            );
        }
        self.state.lock().max_timestamp_so_far = Some(largest);
        self.largest_timestamp()
    }

    fn max_timestamp_of_batch(&self, offset: Offset) -> Result<Option<Timestamp>, LogError> {
        let found = match self.translate_offset(offset) {
            Ok(Some(found)) => found,
            Ok(None) | Err(LogError::CorruptRecord { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        match self.records.headers_from(found.position)?.next() {
            Ok(found) => Ok(found.map(|(_, header)| header.max_timestamp())),
            Err(ScanError::Corrupt { .. }) => Ok(None),
            Err(ScanError::Log(error)) => Err(error),
        }
    }
}

/// Why a search did not come to an answer.
enum SearchFailed {
    Log(LogError),
    Corrupt {
        position: u64,
    },
    /// The bytes that the index points to are not the batch that it tells of.
    NotAtBatch,
}
