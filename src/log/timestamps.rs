//! Finding records by their timestamps.

use super::segment::TimestampMatch;
use super::{Log, LogError};
use crate::model::{NO_LEADER_EPOCH, Timestamp};

impl Log {
    /// The first record whose timestamp is at least `timestamp`, anywhere in the log
    /// (Kafka: `UnifiedLog#fetchOffsetByTimestamp`). The caller bounds it by what its reader may see.
    pub(crate) fn fetch_offset_by_timestamp(
        &self,
        timestamp: Timestamp,
    ) -> Result<Option<TimestampMatch>, LogError> {
        self.retrying_deleted(|| {
            let log_start_offset = self.log_start_offset();
            for segment in self.segments().iter() {
                if segment.size() == 0 || segment.max_timestamp_and_offset()?.timestamp < timestamp {
                    continue;
                }
                if let Some(found) = segment.find_offset_by_timestamp(timestamp, log_start_offset)? {
                    return Ok(Some(found));
                }
            }
            Ok(None)
        })
    }

    /// The first record that has the largest timestamp; `None` if no record has one (ListOffsets with -3).
    pub(crate) fn fetch_max_timestamp(&self) -> Result<Option<TimestampMatch>, LogError> {
        self.retrying_deleted(|| {
            let mut latest = None;
            for segment in self.segments().iter() {
                let max = segment.max_timestamp_and_offset()?.timestamp;
                if max >= 0 && latest.as_ref().is_none_or(|(_, known)| max > *known) {
                    latest = Some((segment.clone(), max));
                }
            }
            match latest {
                Some((segment, max)) => segment.find_offset_by_timestamp(max, self.log_start_offset()),
                None => Ok(None),
            }
        })
    }

    /// The log's start, as ListOffsets with -2 answers it.
    pub(crate) fn earliest_offset(&self) -> TimestampMatch {
        let offset = self.log_start_offset();
        let leader_epoch = self.epoch_for_offset(offset).unwrap_or(NO_LEADER_EPOCH);
        TimestampMatch { timestamp: -1, offset, leader_epoch }
    }

    fn retrying_deleted<T>(&self, search: impl Fn() -> Result<T, LogError>) -> Result<T, LogError> {
        self.log_dir.run(|| {
            loop {
                match search() {
                    Err(LogError::Deleted { .. }) if !self.is_closed() => {}
                    answer => return answer,
                }
            }
        })
    }
}
