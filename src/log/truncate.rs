//! Dropping the end of a log, or all of it.

use std::sync::Arc;

use super::append::end_of;
use super::segment::LogSegment;
use super::segments::Segments;
use super::{Log, LogError, Writer};
use crate::model::Offset;

impl Log {
    /// Drops every batch that reaches `target` or lies beyond it; the next record gets offset `target`. Answers
    /// whether there was anything to drop (Kafka: `UnifiedLog#truncateTo`).
    pub(crate) fn truncate_to(&self, target: Offset) -> Result<bool, LogError> {
        let cleaning = self.cleaning.interrupt();
        let pause = self.flusher.pause();
        let is_shorter = self.log_dir.run(|| {
            let mut writer = self.writer.lock();
            self.check_open()?;
            if target >= self.log_end_offset() {
                // A term that starts at the end, without a record, may contradict the leader's.
                self.epochs.write().truncate_from_end(target);
                return Ok(false);
            }
            pause.truncate_to(target);
            let segments = self.segments();
            if segments.first().base_offset() > target {
                self.start_over_at(&mut writer, target)?;
                pause.restart_at(target);
                cleaning.truncate_to(target);
                return Ok(true);
            }
            // What is appended from there on is not synced; the checkpoint must not say so until it is. And a log that ends
            // below what the checkpoint has for its start would be taken for lost.
            self.log_dir.recovery_points.lower(&self.partition, target)?;
            self.log_dir.log_start_offsets.lower(&self.partition, target)?;
            let (kept, dropped): (Vec<_>, Vec<_>) =
                segments.iter().cloned().partition(|segment| segment.base_offset() <= target);
            let mut sealed = kept;
            if let Some(active) = sealed.pop() {
                *self.segments.write() = Arc::new(Segments::new(sealed, Arc::clone(&active)));
                // From the end on, and each step on the disk before the next: a crash must not leave a gap.
                for segment in dropped.iter().rev() {
                    segment.delete_files()?;
                }
                self.dir.sync()?;
                active.truncate_to(target, self.env.clock.now_ms())?;
                active.flush(false)?;
            }
            {
                let mut bounds = self.bounds.lock();
                bounds.end = end_of(self.segments().active(), target);
                bounds.log_start_offset = bounds.log_start_offset.min(target);
                if bounds.high_watermark.offset >= target {
                    bounds.high_watermark = bounds.end;
                }
            }
            self.epochs.write().truncate_from_end(target);
            self.rebuild_producers(&mut writer.producers, target)?;
            // Transactions whose markers lie below are decided, as they were before.
            writer.producers.on_high_watermark_updated(self.high_watermark());
            self.publish_first_unstable(&writer.producers)?;
            cleaning.truncate_to(target);
            Ok(true)
        })?;
        self.log_dir.run(|| self.dir.sync())?;
        Ok(is_shorter)
    }

    /// Drops everything; the log is empty and starts at `offset` (Kafka: `UnifiedLog#truncateFullyAndStartAt`).
    pub(crate) fn truncate_fully_and_start_at(&self, offset: Offset) -> Result<(), LogError> {
        let cleaning = self.cleaning.interrupt();
        let pause = self.flusher.pause();
        self.log_dir.run(|| {
            let mut writer = self.writer.lock();
            self.check_open()?;
            pause.truncate_to(0);
            self.start_over_at(&mut writer, offset)?;
            cleaning.truncate_to(offset);
            pause.restart_at(offset);
            Ok(())
        })?;
        self.log_dir.run(|| self.dir.sync())
    }

    fn start_over_at(&self, writer: &mut Writer, offset: Offset) -> Result<(), LogError> {
        let config = self.config();
        let old = self.segments();
        // Of the segments, a crash may bring some back; what is there then is read again. Where nothing is left, or
        // nothing that reaches `offset`, the log starts over there.
        self.log_dir.recovery_points.lower(&self.partition, old.first().base_offset().min(offset))?;
        self.log_dir.log_start_offsets.set(&self.partition, offset)?;
        let from_the_end: Vec<_> = old.iter().collect();
        for segment in from_the_end.into_iter().rev() {
            segment.delete_files()?;
        }
        self.dir.sync()?;
        let active = Arc::new(LogSegment::create(&self.segment_params(&config, offset), &config)?);
        *self.segments.write() = Arc::new(Segments::new(Vec::new(), Arc::clone(&active)));
        {
            let mut bounds = self.bounds.lock();
            bounds.end = end_of(&active, offset);
            bounds.log_start_offset = offset;
            bounds.high_watermark = bounds.end;
            bounds.first_unstable = None;
        }
        self.epochs.write().clear();
        writer.producers.truncate_fully_and_start_at(offset)
    }
}
