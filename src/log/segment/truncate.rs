use std::sync::atomic::Ordering;

use super::LogSegment;
use crate::log::error::LogError;
use crate::model::{Offset, Timestamp};

impl LogSegment {
    /// Drops every batch that reaches `offset` or lies beyond it; the bytes dropped
    /// (Kafka: `LogSegment#truncateTo`).
    pub(crate) fn truncate_to(&self, offset: Offset, now_ms: Timestamp) -> Result<u64, LogError> {
        let cut_at = self.translate_offset(offset)?.map(|found| found.position);
        self.offset_index.truncate_to(offset)?;
        self.time_index.truncate_to(offset)?;
        self.txn_index.truncate_to(offset)?;
        self.flushed.store(false, Ordering::Release);
        let before = self.size();
        if let Some(position) = cut_at {
            self.records.truncate_to(position)?;
        }
        // The time index may not have told of the last batches that stay; their timestamps must not be lost.
        let mut max = self.time_index.last()?;
        let from = self.offset_index.last()?.map_or(0, |entry| u64::from(entry.position));
        let mut headers = self.records.headers_from(from)?;
        while let Ok(Some((_, header))) = headers.next() {
            if header.max_timestamp() > max.timestamp {
                max.timestamp = header.max_timestamp();
                max.offset = header.last_offset();
            }
        }
        let mut state = self.state.lock();
        state.bytes_since_last_index_entry = 0;
        state.max_timestamp_so_far = Some(max);
        if self.size() == 0 {
            state.created_ms = now_ms;
            state.rolling_based_timestamp = None;
        }
        Ok(before - self.size())
    }
}
