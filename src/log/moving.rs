//! Moving a log to another log dir while it is written: a second log there follows it until it has everything, and then
//! takes its place (Kafka: `ReplicaAlterLogDirsThread`, `Partition#maybeReplaceCurrentWithFutureReplica`).

use std::sync::atomic::Ordering;

use bytes::Bytes;

use super::append::end_of;
use super::bounds::FetchIsolation;
use super::offsets::place_in;
use super::read::ReadParams;
use super::{Log, LogError};
use crate::model::Offset;
use crate::record::RECORD_BATCH_OVERHEAD;

/// Bytes that are copied at once.
const CHUNK_BYTES: usize = 1024 * 1024;

impl Log {
    /// Copies what `future` lacks next, about a mebibyte of it; answers how many bytes that were, 0 once it has all
    /// that there is.
    ///
    /// # Errors
    /// Those of either disk, of which each takes its own log dir offline.
    pub(crate) fn copy_next_to(&self, future: &Log) -> Result<u64, LogError> {
        loop {
            let start = self.log_start_offset();
            if future.log_end_offset() < start {
                future.truncate_fully_and_start_at(start)?;
            }
            let from = future.log_end_offset();
            let segment_bytes = usize::try_from(future.config().segment_bytes).unwrap_or(CHUNK_BYTES);
            let read = self.read(&ReadParams {
                start_offset: from,
                max_bytes: CHUNK_BYTES.min(segment_bytes),
                isolation: FetchIsolation::LogEnd,
                min_one_message: true,
            });
            let records = match read {
                // Retention was faster.
                Err(LogError::OffsetOutOfRange { .. }) if self.log_start_offset() > from => continue,
                read => read?.records,
            };
            let Some(slice) = records else { return Ok(0) };
            let path = self.dir.path();
            let bytes = self.log_dir.run(|| slice.read().map_err(LogError::storage("read", &path)))?;
            future.append_copied(&bytes)?;
            return Ok(bytes.len() as u64);
        }
    }

    fn append_copied(&self, records: &Bytes) -> Result<(), LogError> {
        let appended = match self.append_as_follower(records) {
            // The log starts within its first batch, which comes as a whole.
            Err(LogError::UnexpectedAppendOffset { first_offset, log_end_offset })
                if first_offset < log_end_offset && self.log_start_offset() == log_end_offset =>
            {
                self.truncate_fully_and_start_at(first_offset)?;
                self.append_as_follower(records)
            }
            appended => appended,
        };
        if appended?.is_none() {
            let what = format!("there is no whole batch at offset {}", self.log_end_offset());
            return Err(LogError::Malformed { path: self.dir.path(), what });
        }
        // What the log has is committed, and so is its copy.
        self.maybe_update_high_watermark(self.log_end_offset()).map(drop)
    }

    /// The bytes of records from `offset` on.
    pub(crate) fn size_from(&self, offset: Offset) -> Result<u64, LogError> {
        let segments = self.segments();
        let bytes: u64 = segments.starting_at_floor(offset).map(|segment| segment.size()).sum();
        let place = self.log_dir.run(|| place_in(&segments, offset))?.place;
        Ok(bytes.saturating_sub(place.map_or(0, |place| u64::from(place.position))))
    }

    /// Ends appends, gives `future` the rest on its disk, and has `take_over` put it in the place of this log. If any of
    /// that fails, this log goes on.
    pub(super) fn hand_over(
        &self,
        future: &Log,
        take_over: impl FnOnce() -> Result<(), LogError>,
    ) -> Result<(), LogError> {
        let _cleaning = self.cleaning.interrupt();
        let _writer = self.writer.lock();
        self.check_open()?;
        while self.copy_next_to(future)? > 0 {}
        future.take_bounds_of(self)?;
        // What was flushed here must not be lost there.
        future.flush_everything()?;
        take_over()?;
        self.closed.store(true, Ordering::Release);
        Ok(())
    }

    fn take_bounds_of(&self, current: &Log) -> Result<(), LogError> {
        let end = current.log_end_offset();
        if self.log_end_offset() < end {
            // Compaction has left nothing at the end of what it is told from, or nothing at all.
            match self.size() {
                0 => self.truncate_fully_and_start_at(end)?,
                _ => self.skip_to(end)?,
            }
        }
        self.update_high_watermark(current.high_watermark())?;
        self.maybe_increment_log_start_offset(current.log_start_offset())?;
        // Those without a record, too, and those that the file of the copy may have lost.
        let terms = current.epochs.read().entries().to_vec();
        if !terms.is_empty() {
            let start = self.log_start_offset();
            let mut epochs = self.epochs.write();
            epochs.clear();
            terms.iter().for_each(|term| epochs.assign(term.epoch, term.start_offset));
            epochs.truncate_from_start(start);
        }
        if let Some(offset) = current.cleaning.first_dirty_offset() {
            self.cleaning.set_first_dirty_offset(offset);
        }
        Ok(())
    }

    /// The next record gets offset `end`, and none those below.
    pub(super) fn skip_to(&self, end: Offset) -> Result<(), LogError> {
        self.log_dir.run_unless_full(|| {
            let mut writer = self.writer.lock();
            self.check_open()?;
            let active = self.roll_to(&mut writer.producers, &self.config(), end)?;
            self.bounds.lock().end = end_of(&active, end);
            Ok(())
        })
    }

    /// Makes this log, found beside `current` when both were opened, one that can follow it: a crash may have cut
    /// either of them.
    pub(super) fn follow(&self, current: &Log) -> Result<(), LogError> {
        // Of the rest, a power loss may have taken anything; where compaction leaves gaps, nobody can tell what, and whatever
        // is gone from the present log must not come back with the copy.
        let is_compacted = current.config().cleanup_policy.compact;
        let certain = self.recovery_point().min(match is_compacted {
            true => current.recovery_point(),
            false => current.log_end_offset(),
        });
        // Deleted records that a crash has brought back are there until they are deleted again.
        let lacks_first = self.log_start_offset() > current.log_start_offset();
        let is_too_long = self.log_end_offset() > certain;
        // Cut within a gap, a log would end below `certain` once it is opened again.
        if lacks_first || certain <= self.log_start_offset() || (is_compacted && is_too_long) {
            self.truncate_fully_and_start_at(current.log_start_offset())?;
        } else if is_too_long {
            self.truncate_to(certain)?;
        }
        let fits = match self.is_prefix_of(current) {
            Err(LogError::CorruptRecord { .. }) => false,
            found => found?,
        };
        if !fits {
            let partition = self.topic_partition();
            tracing::warn!(%partition, "what a move has copied does not fit the log any more; it starts over");
            self.truncate_fully_and_start_at(current.log_start_offset())?;
        }
        self.update_high_watermark(self.log_end_offset()).map(drop)
    }

    /// Whether `other` has all that this log ends with, and goes on from there.
    pub(super) fn is_prefix_of(&self, other: &Log) -> Result<bool, LogError> {
        Ok(self.topic_id() == other.topic_id() && self.ends_within(other)?)
    }

    /// Whether `other` has the batch that this log ends with.
    pub(super) fn ends_within(&self, other: &Log) -> Result<bool, LogError> {
        let end = self.log_end_offset();
        if end > other.log_end_offset() {
            return Ok(false);
        }
        if self.size() == 0 || end <= other.log_start_offset() {
            return Ok(true);
        }
        // A power loss may have left a segment empty that began with `end`, and taken records before it.
        let Some(last) = self.last_record_offset()? else { return Ok(true) };
        if last < other.log_start_offset() {
            return Ok(true);
        }
        let (own, others) = (self.header_of(last)?, other.header_of(last)?);
        Ok(!own.is_empty() && others.starts_with(&own))
    }

    fn last_record_offset(&self) -> Result<Option<Offset>, LogError> {
        let segments = self.segments();
        let Some(last) = segments.iter().rfind(|segment| segment.size() > 0) else { return Ok(None) };
        let next_offset = self.log_dir.run(|| last.read_next_offset())?;
        Ok(Some(next_offset.saturating_sub(1)).filter(|last| *last >= self.log_start_offset()))
    }

    /// The first bytes of the batch that has the record at `offset`: where it starts, its size, its checksum.
    fn header_of(&self, offset: Offset) -> Result<Bytes, LogError> {
        let read = self.read(&ReadParams {
            start_offset: offset,
            max_bytes: RECORD_BATCH_OVERHEAD,
            isolation: FetchIsolation::LogEnd,
            min_one_message: false,
        })?;
        let Some(slice) = read.records else { return Ok(Bytes::new()) };
        let path = self.dir.path();
        self.log_dir.run(|| slice.read().map_err(LogError::storage("read", &path)))
    }
}
