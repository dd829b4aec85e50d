use super::LogSegment;
use crate::log::error::LogError;
use crate::model::{Offset, Timestamp};

/// What decides whether a segment takes more records.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RollParams {
    pub(crate) max_segment_ms: i64,
    pub(crate) max_segment_bytes: u64,
    /// The largest timestamp of the records to come.
    pub(crate) max_timestamp: Timestamp,
    /// The first offset of the records to come.
    pub(crate) first_offset: Offset,
    /// The last offset of the records to come.
    pub(crate) last_offset: Offset,
    /// The bytes of the records to come.
    pub(crate) size: u64,
    pub(crate) now_ms: Timestamp,
}

impl LogSegment {
    /// Whether the records belong into a new segment (Kafka: `LogSegment#shouldRoll`).
    pub(crate) fn should_roll(&self, params: &RollParams) -> Result<bool, LogError> {
        let size = self.size();
        if size == 0 {
            // An empty segment only rolls for an offset that it cannot hold.
            return Ok(!self.can_hold(params.last_offset));
        }
        let max_age_ms = params.max_segment_ms.saturating_sub(self.jitter_ms);
        Ok(size.saturating_add(params.size) > params.max_segment_bytes
            || self.time_waited_for_roll(params.now_ms, params.max_timestamp)? > max_age_ms
            || !self.can_hold(params.last_offset)
            || self.offset_index.is_full()?
            || self.time_index.is_full()?)
    }

    /// The age of the segment: by the records' timestamps, or by the clock where they have none
    /// (Kafka: `LogSegment#timeWaitedForRoll`).
    fn time_waited_for_roll(&self, now_ms: Timestamp, message_timestamp: Timestamp) -> Result<i64, LogError> {
        Ok(match self.first_batch_timestamp()? {
            first if first >= 0 => message_timestamp.saturating_sub(first),
            _ => now_ms.saturating_sub(self.state.lock().created_ms),
        })
    }

    /// Whether an index entry of 32 bits can tell the offset, and there is one after it.
    pub(crate) fn can_hold(&self, offset: Offset) -> bool {
        can_hold(self.base_offset, offset)
    }

    /// The segment takes no more records: the last time index entry is made, and files are cut to what they hold
    /// (Kafka: `LogSegment#onBecomeInactiveSegment`). Answers whether that of the records was.
    pub(crate) fn on_become_inactive(&self) -> Result<bool, LogError> {
        let max = self.max_timestamp_and_offset()?;
        self.time_index.maybe_append(max, true)?;
        self.offset_index.trim()?;
        self.time_index.trim()?;
        self.txn_index.trim()?;
        self.records.trim()
    }
}

/// The same for a segment that is not open.
pub(in crate::log) fn can_hold(base_offset: Offset, offset: Offset) -> bool {
    let relative = offset.checked_sub(base_offset);
    offset < Offset::MAX && relative.is_some_and(|relative| (0..=i64::from(i32::MAX)).contains(&relative))
}
