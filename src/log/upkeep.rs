//! When a log has something to do again without anybody writing to it.

use super::{Log, LogError, Writer};
use crate::model::Timestamp;

impl Log {
    /// The first time after `after` at which retention, compaction or the expiry of producers may find something to do.
    pub(crate) fn next_upkeep_ms(&self, after: Timestamp) -> Result<Option<Timestamp>, LogError> {
        if !self.is_online() || self.is_closed() {
            return Ok(None);
        }
        let deadlines =
            [self.next_retention_ms()?, self.next_compaction_ms(after)?, self.next_expiry_ms(after)];
        Ok(deadlines.into_iter().flatten().filter(|at| *at > after).min())
    }

    /// When the first segment is too old.
    fn next_retention_ms(&self) -> Result<Option<Timestamp>, LogError> {
        let config = self.config();
        if !config.cleanup_policy.delete || config.retention_ms < 0 {
            return Ok(None);
        }
        let segments = self.segments();
        let Some(first) = segments.iter().next().filter(|first| first.size() > 0) else { return Ok(None) };
        Ok(Some(first.largest_timestamp()?.saturating_add(config.retention_ms).saturating_add(1)))
    }

    /// When a segment may be compacted, or must be.
    fn next_compaction_ms(&self, after: Timestamp) -> Result<Option<Timestamp>, LogError> {
        let config = self.config();
        let has_lag = config.min_compaction_lag_ms > 0 || config.max_compaction_lag_ms < i64::MAX;
        let is_left_alone = self.cleaning.is_uncleanable() || self.cleaning.is_moving();
        if !config.cleanup_policy.compact || !has_lag || is_left_alone {
            return Ok(None);
        }
        let segments = self.segments();
        let first_dirty_offset = self.cleaning.first_dirty_offset().unwrap_or(0);
        let mut next = None;
        for segment in segments.within(first_dirty_offset, segments.active().base_offset()) {
            let may_be = segment.largest_timestamp()?.saturating_add(config.min_compaction_lag_ms);
            let oldest = segment.first_batch_timestamp()?;
            let must_be = oldest.saturating_add(config.max_compaction_lag_ms).saturating_add(1);
            let deadlines = [may_be, must_be].into_iter().chain(next);
            next = deadlines.filter(|at| *at > after).min();
        }
        Ok(next)
    }

    /// When a producer has not written for too long.
    fn next_expiry_ms(&self, after: Timestamp) -> Option<Timestamp> {
        let Writer { producers } = &*self.writer.lock();
        producers.next_expiry_ms(after)
    }
}
