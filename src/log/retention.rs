//! Dropping the start of a log: what is too old, too much, or below its start offset.

use std::sync::Arc;
use std::time::Duration;

use super::file_names::DELETED;
use super::producer_state::ProducerStateManager;
use super::segment::LogSegment;
use super::{Log, LogError, Writer};
use crate::model::Offset;

impl Log {
    /// Removes the segments that retention no longer keeps; the number removed (Kafka: `UnifiedLog#deleteOldSegments`).
    /// Their files get the suffix `.deleted` and vanish `file.delete.delay.ms` later.
    ///
    /// Nothing is removed while the log is compacted: who does that does this afterwards.
    pub(crate) fn delete_old_segments(&self) -> Result<usize, LogError> {
        let Some(_started) = self.cleaning.try_start() else { return Ok(0) };
        self.delete_unneeded_segments()
    }

    /// The same, by whoever keeps compaction from the log.
    pub(super) fn delete_unneeded_segments(&self) -> Result<usize, LogError> {
        self.log_dir.run_unless_full(|| {
            let deleted = self.delete_segments(&mut self.writer.lock())?;
            if deleted > 0 {
                // Not under the writer's lock; and before a crash can bring some of them back, and others not.
                self.dir.sync()?;
            }
            Ok(deleted)
        })
    }

    fn delete_segments(&self, writer: &mut Writer) -> Result<usize, LogError> {
        self.check_open()?;
        let config = self.config();
        let mut deleted = 0;
        let start = self.log_start_offset();
        deleted +=
            self.delete_segments_while(writer, |_, next| Ok(next.is_some_and(|next| next <= start)))?;
        if !config.cleanup_policy.delete {
            return Ok(deleted);
        }
        if let Ok(retention_bytes) = u64::try_from(config.retention_bytes) {
            let mut excess = self.size().saturating_sub(retention_bytes);
            deleted += self.delete_segments_while(writer, |segment, _| {
                let fits = excess > 0 && excess >= segment.size();
                excess = excess.saturating_sub(segment.size());
                Ok(fits)
            })?;
        }
        if config.retention_ms >= 0 {
            let now_ms = self.env.clock.now_ms();
            deleted += self.delete_segments_while(writer, |segment, _| {
                let is_expired = |timestamp| now_ms.saturating_sub(timestamp) > config.retention_ms;
                Ok(is_expired(segment.largest_timestamp()?)
                    && is_expired(segment.confirmed_largest_timestamp()?))
            })?;
        }
        Ok(deleted)
    }

    /// Removes segments from the oldest on while `is_deletable` says so of one and of the base offset of the next;
    /// never above the high watermark (Kafka: `UnifiedLog#deletableSegments`).
    fn delete_segments_while(
        &self,
        writer: &mut Writer,
        mut is_deletable: impl FnMut(&LogSegment, Option<Offset>) -> Result<bool, LogError>,
    ) -> Result<usize, LogError> {
        let segments = self.segments();
        let bounds = self.bounds();
        let mut count = 0;
        let mut following = segments.iter().skip(1);
        for segment in segments.iter() {
            let next = following.next().map(|next| next.base_offset());
            let is_last_and_empty = next.is_none() && segment.size() == 0;
            let end = next.unwrap_or(bounds.end.offset);
            if is_last_and_empty || end > bounds.high_watermark.offset || !is_deletable(segment, next)? {
                break;
            }
            count += 1;
        }
        if count == 0 {
            return Ok(0);
        }
        let config = self.config();
        // There is always an active segment: one that goes is replaced first, for which there may be no room.
        if count == segments.len() {
            match self.roll_to(&mut writer.producers, &config, bounds.end.offset) {
                // It stays, then. The others go, which makes some.
                Err(error) if error.is_disk_full() && count > 1 => count -= 1,
                rolled => drop(rolled?),
            }
        }
        let segments = self.segments();
        let base_of = |i| segments.iter().nth(i).map_or(bounds.end.offset, |segment| segment.base_offset());
        // The names of those that stay come before the end of those that go.
        self.dir.sync()?;
        let count = match self.note_start_of_several(count, base_of(count)) {
            // One after the other, then: that needs no room, and makes some.
            Err(error) if error.is_disk_full() => 1,
            noted => noted.map(|()| count)?,
        };
        self.increment_log_start_offset(&mut writer.producers, base_of(count))?;
        *self.segments.write() = Arc::new(segments.without_first(count));
        let delay = Duration::from_millis(u64::try_from(config.file_delete_delay_ms).unwrap_or_default());
        for segment in segments.sealed().iter().take(count) {
            self.delete_later(writer, segment, delay)?;
        }
        Ok(count)
    }

    /// Of several segments that go, a power loss may bring any back: it must find none of them to be part of the log, with
    /// holes where the others were.
    fn note_start_of_several(&self, count: usize, start: Offset) -> Result<(), LogError> {
        match count {
            1 => Ok(()),
            _ => self.log_dir.log_start_offsets.set(&self.partition, start.max(self.log_start_offset())),
        }
    }

    fn delete_later(
        &self,
        writer: &mut Writer,
        segment: &Arc<LogSegment>,
        delay: Duration,
    ) -> Result<(), LogError> {
        self.delete_segment_later(segment, delay)?;
        self.delete_snapshot_later(&mut writer.producers, segment.base_offset(), delay)
    }

    pub(super) fn delete_segment_later(
        &self,
        segment: &Arc<LogSegment>,
        delay: Duration,
    ) -> Result<(), LogError> {
        // Compaction gives a new segment the name of an old one, whose file may still wait under the name that this
        // one gets now.
        self.deletions.remove_segment_now(&self.dir, segment.base_offset())?;
        match segment.change_file_suffixes("", DELETED) {
            // A name takes room as well. What goes at once needs none.
            Err(error) if error.is_disk_full() => return segment.delete_files(),
            renamed => renamed?,
        }
        let due = self.env.clock.monotonic().saturating_add(delay);
        self.deletions.push_segment(due, Arc::clone(&self.log_dir), Arc::clone(segment));
        Ok(())
    }

    pub(super) fn delete_snapshot_later(
        &self,
        producers: &mut ProducerStateManager,
        offset: Offset,
        delay: Duration,
    ) -> Result<(), LogError> {
        if let Some(name) = producers.mark_snapshot_for_deletion(offset)? {
            let due = self.env.clock.monotonic().saturating_add(delay);
            self.deletions.push_file(due, Arc::clone(&self.log_dir), Arc::clone(&self.dir), name);
        }
        Ok(())
    }
}
