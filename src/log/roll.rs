//! Starting new segments.

use std::sync::Arc;

use super::append::end_of;
use super::producer_state::ProducerStateManager;
use super::segment::{LogSegment, RollParams, SegmentParams};
use super::{Log, LogError, Writer};
use crate::config::LogConfig;
use crate::model::Offset;

impl Log {
    /// The segment into which records belong: the active one, or a new one if that is due
    /// (Kafka: `UnifiedLog#maybeRoll`).
    pub(super) fn maybe_roll(
        &self,
        writer: &mut Writer,
        config: &LogConfig,
        params: &RollParams,
    ) -> Result<Arc<LogSegment>, LogError> {
        let active = Arc::clone(self.segments.read().active());
        if !active.should_roll(params)? {
            return Ok(active);
        }
        // A follower may leave a gap that no index entry spans.
        let base_offset = params.first_offset.max(self.log_end_offset());
        self.roll_to(&mut writer.producers, config, base_offset)
    }

    /// Starts a new segment at the end of the log, whether one is due or not (Kafka: `UnifiedLog#roll`).
    pub(crate) fn roll(&self) -> Result<(), LogError> {
        self.log_dir.run_unless_full(|| {
            let mut writer = self.writer.lock();
            self.check_open()?;
            self.roll_to(&mut writer.producers, &self.config(), self.log_end_offset()).map(drop)
        })
    }

    /// The new segment starts at `base_offset`. An empty active segment that starts there already is left as it is.
    pub(super) fn roll_to(
        &self,
        producers: &mut ProducerStateManager,
        config: &LogConfig,
        base_offset: Offset,
    ) -> Result<Arc<LogSegment>, LogError> {
        let segments = self.segments();
        let old = segments.active();
        if old.size() == 0 && old.base_offset() == base_offset {
            return Ok(Arc::clone(old));
        }
        if base_offset <= old.base_offset() {
            // A file of that name would take the place of one with records.
            let path = old.records().segment_file().path();
            return Err(LogError::Malformed { path, what: format!("its records end before {base_offset}") });
        }
        self.ensure_checkpointed()?;
        old.on_become_inactive()?;
        // A segment that is recovered later needs the producers as of its start.
        producers.update_map_end_offset(base_offset);
        producers.take_snapshot()?;
        let active = Arc::new(LogSegment::create(&self.segment_params(config, base_offset), config)?);
        let rolled = if old.size() == 0 {
            old.delete_files()?;
            segments.with_active(Arc::clone(&active))
        } else {
            segments.rolled_to(Arc::clone(&active))
        };
        *self.segments.write() = Arc::new(rolled);
        let mut bounds = self.bounds.lock();
        let at_end = bounds.high_watermark.offset == bounds.end.offset;
        bounds.end = end_of(&active, bounds.end.offset);
        if at_end {
            bounds.high_watermark = bounds.end;
        }
        Ok(active)
    }

    pub(super) fn segment_params(&self, config: &LogConfig, base_offset: Offset) -> SegmentParams {
        SegmentParams {
            dir: Arc::clone(&self.dir),
            base_offset,
            suffix: "",
            now_ms: self.env.clock.now_ms(),
            jitter_ms: jitter_ms(config, &*self.env.rng),
        }
    }
}

/// How much earlier than `segment.ms` a segment rolls, so that not all logs roll at once
/// (Kafka: `LogConfig#randomSegmentJitter`).
pub(super) fn jitter_ms(config: &LogConfig, rng: &dyn crate::sys::Rng) -> i64 {
    let limit = config.segment_jitter_ms.min(config.segment_ms);
    match u64::try_from(limit) {
        Ok(limit) if limit > 0 => i64::try_from(rng.next_u64() % limit).unwrap_or_default(),
        _ => 0,
    }
}
