//! Learning again what producers wrote, from the log itself.

use super::Log;
use super::error::LogError;
use super::file_records::ScanError;
use super::producer_state::ProducerStateManager;
use super::producers::update_from_batch;
use super::segment::LogSegment;
use crate::model::{Offset, Timestamp};

/// What is to be rebuilt.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProducersRebuild {
    pub(super) log_start_offset: Offset,
    pub(super) log_end_offset: Offset,
    /// The log was closed in order: with no snapshot there was nothing to remember.
    pub(super) after_clean_shutdown: bool,
    pub(super) now_ms: Timestamp,
}

impl Log {
    pub(super) fn rebuild_producers(
        &self,
        producers: &mut ProducerStateManager,
        log_end_offset: Offset,
    ) -> Result<(), LogError> {
        let rebuild = ProducersRebuild {
            log_start_offset: self.log_start_offset(),
            log_end_offset,
            after_clean_shutdown: false,
            now_ms: self.env.clock.now_ms(),
        };
        let segments = self.segments();
        let all: Vec<&LogSegment> = segments.iter().map(AsRef::as_ref).collect();
        rebuild_producers(producers, &all, &rebuild)
    }
}

/// Brings the producers to the end of the log: from the newest snapshot that fits, and the records behind it
/// (Kafka: `UnifiedLog#rebuildProducerState`). `segments` are in order.
pub(super) fn rebuild_producers(
    producers: &mut ProducerStateManager,
    segments: &[&LogSegment],
    rebuild: &ProducersRebuild,
) -> Result<(), LogError> {
    let end = rebuild.log_end_offset;
    if producers.latest_snapshot_offset().is_none() && rebuild.after_clean_shutdown {
        producers.update_map_end_offset(end);
        return Ok(());
    }
    let is_empty = producers.is_empty() && producers.map_end_offset() >= end;
    producers.truncate_and_reload(rebuild.log_start_offset, end, rebuild.now_ms)?;
    if !is_empty {
        read_up_to(producers, segments, rebuild)?;
    }
    producers.update_map_end_offset(end);
    Ok(())
}

/// Reads what lies between what the producers know and the end.
pub(super) fn read_up_to(
    producers: &mut ProducerStateManager,
    segments: &[&LogSegment],
    rebuild: &ProducersRebuild,
) -> Result<(), LogError> {
    let known = producers.map_end_offset();
    let skipped = segments.partition_point(|segment| segment.base_offset() <= known).saturating_sub(1);
    for segment in segments.iter().skip(skipped) {
        let start = segment.base_offset().max(producers.map_end_offset()).max(rebuild.log_start_offset);
        if start >= rebuild.log_end_offset {
            break;
        }
        producers.update_map_end_offset(start);
        read_producers(producers, segment, start, rebuild.log_end_offset)?;
    }
    Ok(())
}

/// Reads the batches from `start` up to `end`.
fn read_producers(
    producers: &mut ProducerStateManager,
    segment: &LogSegment,
    start: Offset,
    end: Offset,
) -> Result<(), LogError> {
    let Some(found) = segment.translate_offset(start)? else { return Ok(()) };
    let mut batches = segment.records().batches_from(found.position)?;
    loop {
        match batches.next() {
            Ok(Some((_, batch))) if batch.base_offset() < end => update_from_batch(producers, batch, None)?,
            // Damage behind the recovery point is for readers to report; producers learn what can be read.
            Ok(_) | Err(ScanError::Corrupt { .. }) => return Ok(()),
            Err(ScanError::Log(error)) => return Err(error),
        }
    }
}
