//! Which segments must be read again after a crash, and what becomes of the log's end.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::LoadParams;
use crate::log::epoch_cache::LeaderEpochFileCache;
use crate::log::error::LogError;
use crate::log::producer_state::ProducerStateManager;
use crate::log::recover::{ProducersRebuild, rebuild_producers};
use crate::log::recovery_progress::RecoveryWork;
use crate::log::segment::{LogSegment, Recovered};
use crate::model::Offset;

/// Who waits for a large segment hears of it each time so many bytes were read.
const PROGRESS_BYTES: u64 = 16 << 20;

/// The segment from which on a log is read again after an unclean stop, of those with these base offsets, in order:
/// the one that ends at the recovery point was active when that was reached, its indexes not synced.
pub(in crate::log) fn first_to_recover(
    mut bases: impl DoubleEndedIterator<Item = Offset> + Clone,
    recovery_point: Offset,
) -> Option<Offset> {
    let reached = recovery_point.saturating_sub(1);
    bases.clone().rev().find(|base| *base <= reached).or_else(|| bases.next())
}

/// Where a log ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogEnd {
    pub(super) offset: Offset,
    /// Everything below is synced.
    pub(super) is_synced: bool,
}

/// What recovery works on.
pub(super) struct Recovery<'a> {
    pub(super) params: &'a LoadParams,
    pub(super) segments: &'a mut BTreeMap<Offset, LogSegment>,
    pub(super) producers: &'a mut ProducerStateManager,
    pub(super) epochs: &'a mut LeaderEpochFileCache,
    /// Records are missing that nobody has lost.
    pub(super) has_gap: bool,
}

impl Recovery<'_> {
    /// Reads again what has to be, and answers where the log ends.
    pub(super) fn run(mut self) -> Result<LogEnd, LogError> {
        let first = first_to_recover(self.segments.keys().copied(), self.params.recovery_point);
        let first = first.filter(|_| !self.params.had_clean_shutdown);
        let offset = self.recover(first)?;
        if let Some(first) = first {
            // The process before may have been killed when it had just cut a file, and a power loss would bring the end back:
            // behind records that are appended now, or into a log that was closed in order meanwhile.
            self.segments.range(first..).try_for_each(|(_, segment)| segment.flush(false))?;
        }
        if self.has_gap {
            // The next power loss, too, must not find that it may have made the gap.
            self.segments.values().try_for_each(LogSegment::flush_indexes)?;
            self.params.dir.sync()?;
        }
        Ok(LogEnd { offset, is_synced: self.has_gap || self.params.had_clean_shutdown })
    }

    fn recover(&mut self, first: Option<Offset>) -> Result<Offset, LogError> {
        self.rebuild_indexes_below(first)?;
        if let Some(first) = first {
            self.recover_from(first)?;
        }
        let last =
            self.segments.iter().next_back().map(|(base, segment)| (*base, segment.read_next_offset()));
        match last {
            None => Ok(self.params.log_start_offset),
            Some((_, Ok(next_offset))) => Ok(next_offset),
            // The end cannot be read, clean stop or not: find the last good batch.
            Some((base, Err(LogError::CorruptRecord { .. }))) => {
                self.recover_from(base)?;
                self.segments.get(&base).map_or(Ok(base), LogSegment::read_next_offset)
            }
            Some((_, Err(error))) => Err(error),
        }
    }

    /// Builds missing and damaged indexes of segments that need no recovery otherwise: those below `end`, or all.
    /// The sealed ones are not looked into, only whether they have an index: a damaged one is noticed by whoever
    /// uses it.
    fn rebuild_indexes_below(&mut self, end: Option<Offset>) -> Result<(), LogError> {
        let active = self.segments.keys().next_back().copied();
        let mut broken = Vec::new();
        for (&base, segment) in self.segments.range(..end.unwrap_or(Offset::MAX)) {
            let is_broken = segment.size() > 0
                && (!segment.has_offset_index()
                    || (Some(base) == active
                        && !(segment.offset_index().is_sane()? && segment.time_index().is_sane()?)));
            if is_broken {
                broken.push(base);
            }
        }
        for base in broken {
            self.rebuild_index(base)?;
        }
        Ok(())
    }

    /// The transaction index needs to know which transactions are open where the segment starts, so the producers
    /// are brought there, in a state of their own.
    fn rebuild_index(&mut self, base: Offset) -> Result<(), LogError> {
        let Some(segment) = self.segments.get(&base) else { return Ok(()) };
        tracing::warn!(path = %segment.records().segment_file().path().display(), "indexes are rebuilt");
        let mut producers = self.producers.at_snapshot_before(base, self.rebuild(base).now_ms)?;
        let mut epochs = LeaderEpochFileCache::default();
        let before: Vec<&LogSegment> = self.segments.values().collect();
        crate::log::recover::read_up_to(&mut producers, &before, &self.rebuild(base))?;
        let recovered = segment.recover(false, &mut producers, &mut epochs, &mut |_| {}, || Ok(()))?;
        if recovered.truncated_bytes > 0 {
            warn_of_cut(segment, &recovered);
            segment.flush(false)?;
        }
        // The segment counts as flushed, below the recovery point.
        segment.flush_indexes()
    }

    /// Recovers every segment from the one at `first` on; behind the first bad batch nothing is kept.
    fn recover_from(&mut self, first: Offset) -> Result<(), LogError> {
        let rebuild = self.rebuild(first);
        let all: Vec<&LogSegment> = self.segments.values().collect();
        let to_read = self.segments.range(first..).map(|(_, segment)| segment.size());
        let progress = &self.params.recovery;
        progress.expect(RecoveryWork { segments: to_read.clone().count(), bytes: to_read.sum() });
        rebuild_producers(self.producers, &all, &rebuild)?;
        let active = self.segments.keys().next_back().copied();
        let mut end = None;
        let mut before: Option<(Offset, Offset)> = None;
        for (&base, segment) in self.segments.range(first..) {
            let is_gap = |(_, next_offset): &(Offset, Offset)| *next_offset < base;
            if before.as_ref().is_some_and(is_gap)
                && !self.was_compacted()
                && self.params.unsynced_from.is_none()
            {
                self.has_gap = true;
            }
            if let Some((last, next_offset)) = before.filter(is_gap)
                && self.is_gap_damage(base)
            {
                let path = segment.records().segment_file().path();
                tracing::warn!(path = %path.display(), next_offset, "records are missing before a segment");
                drop_behind(self.params, self.segments, last)?;
                end = Some(last);
                break;
            }
            self.producers.update_map_end_offset(base.max(self.producers.map_end_offset()));
            let (size, mut told) = (segment.size(), 0);
            let mut tell = |position| {
                if position - told >= PROGRESS_BYTES {
                    progress.advance(position - told);
                    told = position;
                }
            };
            // The segments behind damage go first, or a crash could leave them behind a good end.
            let drop_behind = || drop_behind(self.params, self.segments, base);
            let is_active = Some(base) == active;
            let recovered =
                segment.recover(is_active, self.producers, self.epochs, &mut tell, drop_behind)?;
            progress.segment_done(size - told);
            match self.producers.take_snapshot() {
                // What it would tell is in the records, which are read again if no later one finds room.
                Err(error) if error.is_disk_full() => {
                    tracing::warn!(%error, "what producers have written is not written down")
                }
                taken => taken?,
            }
            if recovered.truncated_bytes > 0 {
                warn_of_cut(segment, &recovered);
                end = Some(base);
                break;
            }
            before = Some((base, recovered.next_offset));
        }
        let Some(last) = end else { return Ok(()) };
        self.segments.retain(|base, _| *base <= last);
        self.segments.get(&last).map_or(Ok(()), |segment| segment.flush(false))
    }

    /// Whether records that are missing before the segment at `base` were lost: of two files whose bytes were not
    /// synced, a disk may keep those of the later one. Compaction leaves gaps, too, and so does a repair, which mean nothing;
    /// nor do those below the start of the log.
    fn is_gap_damage(&self, base: Offset) -> bool {
        let is_unsynced = self.params.unsynced_from.is_some_and(|unsynced| base > unsynced);
        !self.was_compacted() && is_unsynced && base > self.params.log_start_offset
    }

    fn was_compacted(&self) -> bool {
        self.params.config.cleanup_policy.compact || self.params.first_dirty_offset.is_some()
    }

    fn rebuild(&self, log_end_offset: Offset) -> ProducersRebuild {
        let first = self.segments.keys().next().copied().unwrap_or_default();
        ProducersRebuild {
            log_start_offset: self.params.log_start_offset.max(first),
            log_end_offset,
            after_clean_shutdown: false,
            now_ms: self.params.env.clock.now_ms(),
        }
    }
}

/// Removes the files of the segments behind the one at `last`, from the end on and for good: they must not come back
/// behind records that are appended now.
fn drop_behind(
    params: &LoadParams,
    segments: &BTreeMap<Offset, LogSegment>,
    last: Offset,
) -> Result<(), LogError> {
    for (_, segment) in segments.range((Bound::Excluded(last), Bound::Unbounded)).rev() {
        let path = segment.records().segment_file().path();
        tracing::warn!(path = %path.display(), "a segment behind damage is removed");
        segment.delete_files()?;
    }
    params.dir.sync()
}

fn warn_of_cut(segment: &LogSegment, recovered: &Recovered) {
    tracing::warn!(
        path = %segment.records().segment_file().path().display(),
        bytes = recovered.truncated_bytes,
        next_offset = recovered.next_offset,
        "the end of the log is no whole batch and was cut"
    );
}

/// A log that ends before its start has lost what it had: it starts over, empty. Answers the end of the log and
/// the recovery point.
pub(super) fn start_over_if_behind(
    params: &LoadParams,
    segments: &mut BTreeMap<Offset, LogSegment>,
    producers: &mut ProducerStateManager,
    end: LogEnd,
) -> Result<(Offset, Offset), LogError> {
    let log_end_offset = end.offset;
    // No log that was closed in order ends before its start.
    if log_end_offset < params.log_start_offset && !params.had_clean_shutdown {
        tracing::warn!(
            partition = %params.partition,
            log_end_offset,
            log_start_offset = params.log_start_offset,
            "the log ends before its start offset and starts over, empty"
        );
        for segment in std::mem::take(segments).into_values() {
            segment.delete_files()?;
        }
        producers.truncate_fully_and_start_at(params.log_start_offset)?;
        params.dir.sync()?;
        return Ok((params.log_start_offset, params.log_start_offset));
    }
    let recovery_point =
        if end.is_synced { log_end_offset } else { params.recovery_point.min(log_end_offset) };
    Ok((log_end_offset, recovery_point))
}
