//! Which part of which log is compacted next (Kafka: `LogCleanerManager`, `LogToClean`).

use std::sync::Arc;

use crate::log::segment::LogSegment;
use crate::log::{Log, LogError};
use crate::model::{Offset, Timestamp};

/// What a compaction of a log would do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cleanable {
    /// Everything below was compacted before.
    pub(super) first_dirty_offset: Offset,
    /// Where a segment starts that must stay as it is.
    pub(super) first_uncleanable_offset: Offset,
    pub(super) clean_bytes: u64,
    pub(super) cleanable_bytes: u64,
    /// `max.compaction.lag.ms` has passed for some of it.
    pub(super) is_overdue: bool,
}

impl Cleanable {
    /// The share of the bytes that have not been compacted yet.
    pub(super) fn ratio(&self) -> f64 {
        match self.clean_bytes + self.cleanable_bytes {
            0 => 0.0,
            total => self.cleanable_bytes as f64 / total as f64,
        }
    }

    /// Whether there is enough to do.
    pub(super) fn is_due(&self, min_ratio: f64) -> bool {
        (self.is_overdue && self.cleanable_bytes > 0) || self.ratio() > min_ratio
    }
}

impl Log {
    /// What there is to compact; `None` if the log is not to be compacted at all.
    pub(super) fn cleanable(&self, now_ms: Timestamp) -> Result<Option<Cleanable>, LogError> {
        let config = self.config();
        let is_left_alone = self.cleaning.is_uncleanable() || self.cleaning.is_moving() || self.is_closed();
        if !config.cleanup_policy.compact || is_left_alone {
            return Ok(None);
        }
        let segments = self.segments();
        let active_base_offset = segments.active().base_offset();
        let first_dirty_offset = self.checked_first_dirty_offset();
        let mut limit = self.last_stable_offset().min(active_base_offset);
        let dirty: Vec<&Arc<LogSegment>> = segments.within(first_dirty_offset, active_base_offset).collect();
        if config.min_compaction_lag_ms > 0 {
            let youngest_ms = now_ms.saturating_sub(config.min_compaction_lag_ms);
            for segment in &dirty {
                if segment.largest_timestamp()? > youngest_ms {
                    limit = limit.min(segment.base_offset());
                    break;
                }
            }
        }
        let limit = limit.max(first_dirty_offset);
        // Segments are compacted as a whole or not at all.
        let holds_limit = segments.within(limit, active_base_offset).next();
        let first_uncleanable_offset =
            holds_limit.map_or(active_base_offset, |segment| segment.base_offset());
        let size = |segment: &Arc<LogSegment>| segment.size();
        let oldest_ms = now_ms.saturating_sub(config.max_compaction_lag_ms);
        let mut is_overdue = false;
        for segment in &dirty {
            let timestamp = segment.first_batch_timestamp()?;
            is_overdue |= timestamp > 0 && timestamp < oldest_ms;
        }
        let from = first_dirty_offset.min(first_uncleanable_offset);
        Ok(Some(Cleanable {
            first_dirty_offset,
            first_uncleanable_offset,
            clean_bytes: segments.within(-1, first_dirty_offset).map(size).sum(),
            cleanable_bytes: segments.within(from, first_uncleanable_offset).map(size).sum(),
            is_overdue,
        }))
    }

    /// A checkpoint that does not fit the log counts as none.
    fn checked_first_dirty_offset(&self) -> Offset {
        let (start, end) = (self.log_start_offset(), self.log_end_offset());
        let known = self.cleaning.first_dirty_offset();
        if let Some(offset) = known.filter(|offset| *offset > end) {
            tracing::warn!(
                partition = %self.topic_partition(),
                offset,
                log_end_offset = end,
                "the log was compacted beyond its end, says the checkpoint; compaction starts over"
            );
            self.cleaning.set_first_dirty_offset(start);
            return start;
        }
        known.map_or(start, |offset| offset.max(start))
    }
}
