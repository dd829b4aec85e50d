//! Offsets of places and times in a partition (Kafka: `Partition#fetchOffsetForTimestamp`).

use super::partition::Partition;
use crate::error::Result;
use crate::log::{FetchIsolation, Log, TimestampMatch};
use crate::model::{LeaderEpoch, NO_TIMESTAMP, Offset, Timestamp};

/// Which offset is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OffsetSpec {
    /// The end, as far as the reader sees.
    Latest,
    /// The start.
    Earliest,
    /// That of the first record with the largest timestamp.
    MaxTimestamp,
    /// That of the first record that is at least as young.
    ForTimestamp(Timestamp),
}

/// An offset, and what is known of the record there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ListedOffset {
    pub(crate) offset: Offset,
    /// -1 for places, which are no records.
    pub(crate) timestamp: Timestamp,
    pub(crate) leader_epoch: LeaderEpoch,
}

impl From<TimestampMatch> for ListedOffset {
    fn from(found: TimestampMatch) -> Self {
        ListedOffset { offset: found.offset, timestamp: found.timestamp, leader_epoch: found.leader_epoch }
    }
}

/// The offset; `None` if there is no such record that the reader may see. Searches by timestamp read files.
pub(crate) fn list_offset(
    partition: &Partition,
    spec: OffsetSpec,
    isolation: FetchIsolation,
) -> Result<Option<ListedOffset>> {
    let log = partition.log()?;
    let is_visible = |found: &TimestampMatch| found.offset < end(&log, isolation);
    Ok(match spec {
        OffsetSpec::Latest => Some(ListedOffset {
            offset: end(&log, isolation),
            timestamp: NO_TIMESTAMP,
            leader_epoch: partition.leader_epoch(),
        }),
        OffsetSpec::Earliest => Some(log.earliest_offset().into()),
        OffsetSpec::MaxTimestamp => log.fetch_max_timestamp()?.filter(is_visible).map(Into::into),
        OffsetSpec::ForTimestamp(timestamp) => {
            log.fetch_offset_by_timestamp(timestamp)?.filter(is_visible).map(Into::into)
        }
    })
}

/// How ListOffsets of version 0 answers: at most `max_num_offsets` starts of segments, the youngest first, that are
/// at least as old as `timestamp` (Kafka: `Partition#legacyFetchOffsetsForTimestamp`).
pub(crate) fn legacy_fetch_offsets(
    partition: &Partition,
    timestamp: Timestamp,
    max_num_offsets: i32,
    isolation: FetchIsolation,
) -> Result<Vec<Offset>> {
    let log = partition.log()?;
    let mut offsets = log.legacy_fetch_offsets_before(timestamp, max_num_offsets)?;
    let end = end(&log, isolation);
    if offsets.iter().any(|offset| *offset > end) {
        offsets.retain(|offset| *offset <= end);
        offsets.insert(0, end);
    }
    Ok(offsets)
}

fn end(log: &Log, isolation: FetchIsolation) -> Offset {
    match isolation {
        FetchIsolation::LogEnd => log.log_end_offset(),
        FetchIsolation::HighWatermark => log.high_watermark(),
        FetchIsolation::TxnCommitted => log.last_stable_offset(),
    }
}
