//! Dropping the end of a log, or all of it.

use std::sync::Arc;

use super::append::end_of;
use super::segment::LogSegment;
use super::segments::Segments;
use super::{Log, LogError, Writer};
use crate::model::Offset;

impl Log {
    /// Drops every batch that reaches `target` or lies beyond it; the next record gets offset `target`. Answers
    /// whether there was anything to drop (Kafka: `UnifiedLog#truncateTo`). Where the disk has no room to write down
    /// what comes, it is refused without harm.
    pub(crate) fn truncate_to(&self, target: Offset) -> Result<bool, LogError> {
        let cleaning = self.cleaning.interrupt();
        let pause = self.flusher.pause();
        let is_shorter = {
            self.log_dir.check_online()?;
            let mut writer = self.writer.lock();
            self.check_open()?;
            let is_shorter = target < self.log_end_offset();
            if !is_shorter {
                // A term that starts at the end, without a record, may contradict the leader's.
                self.epochs.write().truncate_from_end(target);
            } else if self.first_segment_base_offset() > target {
                pause.truncate_to(target);
                self.start_over_at(&mut writer, target)?;
                pause.restart_at(target);
                cleaning.truncate_to(target);
            } else {
                pause.truncate_to(target);
                self.drop_from(&mut writer, target)?;
                cleaning.truncate_to(target);
            }
            is_shorter
        };
        self.log_dir.run(|| self.dir.sync())?;
        Ok(is_shorter)
    }

    /// Drops everything; the log is empty and starts at `offset` (Kafka: `UnifiedLog#truncateFullyAndStartAt`). It is
    /// refused as [`truncate_to`](Self::truncate_to) is.
    pub(crate) fn truncate_fully_and_start_at(&self, offset: Offset) -> Result<(), LogError> {
        let cleaning = self.cleaning.interrupt();
        let pause = self.flusher.pause();
        {
            self.log_dir.check_online()?;
            let mut writer = self.writer.lock();
            self.check_open()?;
            pause.truncate_to(0);
            self.start_over_at(&mut writer, offset)?;
            cleaning.truncate_to(offset);
            pause.restart_at(offset);
        }
        self.log_dir.run(|| self.dir.sync())
    }

    fn drop_from(&self, writer: &mut Writer, target: Offset) -> Result<(), LogError> {
        // What is appended from there on is not synced; the checkpoint must not say so until it is. And a log that ends
        // below what the checkpoint has for its start would be taken for lost. An earlier start must not come back with a
        // crash either: of producers that have nothing from the present one on, nobody will know any more.
        self.note_truncation(target, self.log_start_offset().min(target))?;
        self.run_to_the_end(|| {
            let segments = self.segments();
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
            self.publish_first_unstable(&writer.producers)
        })
    }

    fn start_over_at(&self, writer: &mut Writer, offset: Offset) -> Result<(), LogError> {
        // Of the segments, a crash may bring some back; what is there then is read again. Where nothing is left, or
        // nothing that reaches `offset`, the log starts over there.
        self.note_truncation(self.first_segment_base_offset().min(offset), offset)?;
        self.run_to_the_end(|| {
            for segment in self.segments().iter().rev() {
                segment.delete_files()?;
            }
            self.dir.sync()?;
            let config = self.config();
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
        })
    }

    /// Whatever the system refuses halfway takes the log dir offline, also what no disk is to blame for: what is in memory
    /// and what is on the disk are no longer the same.
    fn run_to_the_end(&self, truncate: impl FnOnce() -> Result<(), LogError>) -> Result<(), LogError> {
        self.log_dir.run(truncate).inspect_err(|error| {
            if matches!(error, LogError::Storage { .. }) {
                self.log_dir.fail(error);
            }
        })
    }

    /// Before anything is dropped.
    fn note_truncation(&self, recovery_point: Offset, start: Offset) -> Result<(), LogError> {
        self.log_dir.run_unless_full(|| {
            self.log_dir.recovery_points.lower(&self.partition, recovery_point)?;
            self.log_dir.log_start_offsets.set(&self.partition, start)
        })
    }
}
