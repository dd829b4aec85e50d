//! Finding records by their timestamps.

use super::segment::TimestampMatch;
use super::{Log, LogError};
use crate::model::{NO_LEADER_EPOCH, Offset, Timestamp};

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

    /// The starts of segments, youngest first, as ListOffsets of version 0 answers them: those that last changed at
    /// `timestamp` or before, where -1 stands for all and the end, -2 for the start
    /// (Kafka: `UnifiedLog#legacyFetchOffsetsBefore`).
    pub(crate) fn legacy_fetch_offsets_before(
        &self,
        timestamp: Timestamp,
        max_num_offsets: i32,
    ) -> Result<Vec<Offset>, LogError> {
        self.retrying_deleted(|| {
            let mut places = Vec::new();
            for segment in self.segments().iter() {
                places
                    .push((segment.base_offset().max(self.log_start_offset()), segment.last_modified_ms()?));
            }
            if self.segments().active().size() > 0 {
                places.push((self.log_end_offset(), self.env.clock.now_ms()));
            }
            let count = match timestamp {
                -1 => places.len(),
                -2 => 1,
                _ => {
                    places.iter().rposition(|(_, modified)| *modified <= timestamp).map_or(0, |last| last + 1)
                }
            };
            let wanted = usize::try_from(max_num_offsets).unwrap_or(0);
            Ok(places.iter().take(count).rev().take(wanted).map(|(offset, _)| *offset).collect())
        })
    }

    fn retrying_deleted<T>(&self, search: impl Fn() -> Result<T, LogError>) -> Result<T, LogError> {
        self.log_dir.run(|| {
            loop {
                match search() {
                    Err(LogError::Deleted { .. }) => {
                        self.check_open()?;
                        self.log_dir.check_online()?;
                    }
                    answer => return answer,
                }
            }
        })
    }
}
