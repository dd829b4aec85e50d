use std::sync::atomic::Ordering;

use super::LogSegment;
use super::roll::can_hold;
use crate::log::epoch_cache::LeaderEpochFileCache;
use crate::log::error::LogError;
use crate::log::file_records::ScanError;
use crate::log::index::TimestampOffset;
use crate::log::producer_state::ProducerStateManager;
use crate::log::producers::update_from_batch;
use crate::model::Offset;
use crate::record::{BatchError, RecordBatchRef};

/// What the recovery of a segment found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Recovered {
    /// The offset after the last good batch.
    pub(crate) next_offset: Offset,
    /// Bytes behind it that were cut off.
    pub(crate) truncated_bytes: u64,
}

impl LogSegment {
    /// Reads every batch, cuts the file behind the last good one, and builds the indexes again
    /// (Kafka: `LogSegment#recover`). Producers and leader epochs learn of what is read, `progress` is told how many
    /// bytes that were; before anything is cut, `before_cut` is called.
    ///
    /// Where there is no room for entries that were in memory when the process ended, those of the active segment stay
    /// there again.
    pub(crate) fn recover(
        &self,
        is_active: bool,
        producers: &mut ProducerStateManager,
        epochs: &mut LeaderEpochFileCache,
        progress: &mut dyn FnMut(u64),
        before_cut: impl FnOnce() -> Result<(), LogError>,
    ) -> Result<Recovered, LogError> {
        self.flushed.store(false, Ordering::Release);
        self.offset_index.reset();
        self.time_index.reset();
        self.txn_index.reset()?;
        let mut recovery = Recovery {
            segment: self,
            is_active,
            valid_bytes: 0,
            last_index_entry: 0,
            next_offset: self.base_offset,
            max_timestamp_so_far: TimestampOffset::UNKNOWN,
        };
        let mut batches = self.records.batches_from(0)?;
        loop {
            match batches.next() {
                Ok(Some((_, batch))) => {
                    if !recovery.take(batch, producers, epochs)? {
                        break;
                    }
                    progress(recovery.valid_bytes);
                }
                Ok(None) | Err(ScanError::Corrupt { .. }) => break,
                Err(ScanError::Log(error)) => return Err(error),
            }
        }
        self.records.check_not_newer(recovery.valid_bytes, recovery.next_offset)?;
        let Recovery { valid_bytes, next_offset, max_timestamp_so_far, last_index_entry, .. } = recovery;
        let truncated_bytes = self.size() - valid_bytes;
        if truncated_bytes > 0 {
            before_cut()?;
        }
        self.records.truncate_to(valid_bytes)?;
        self.time_index.maybe_append(max_timestamp_so_far, true)?;
        self.txn_index.trim()?;
        let trimmed = self.offset_index.trim().and_then(|()| self.time_index.trim());
        unless_full(is_active, trimmed)?;
        let mut state = self.state.lock();
        state.max_timestamp_so_far = Some(max_timestamp_so_far);
        state.rolling_based_timestamp = None;
        state.bytes_since_last_index_entry = valid_bytes - last_index_entry;
        Ok(Recovered { next_offset, truncated_bytes })
    }
}

/// What was written, if it must have been.
fn unless_full(is_active: bool, written: Result<(), LogError>) -> Result<(), LogError> {
    match written {
        Err(error) if is_active && error.is_disk_full() => Ok(()),
        written => written,
    }
}

/// Why recovery does not keep a batch.
#[derive(Debug, thiserror::Error)]
pub(in crate::log) enum UnfitBatch {
    #[error("offsets {first} to {last} cannot follow")]
    Offsets { first: Offset, last: Offset },
    #[error(transparent)]
    Batch(#[from] BatchError),
}

/// Whether recovery keeps a batch of the segment at `base_offset`, before which the log ends at `expected`.
pub(in crate::log) fn check_batch(
    batch: RecordBatchRef<'_>,
    base_offset: Offset,
    expected: Offset,
) -> Result<(), UnfitBatch> {
    batch.ensure_valid()?;
    let (first, last) = (batch.base_offset(), batch.last_offset());
    match first >= expected && last >= first && can_hold(base_offset, last) {
        true => Ok(()),
        false => Err(UnfitBatch::Offsets { first, last }),
    }
}

struct Recovery<'a> {
    segment: &'a LogSegment,
    is_active: bool,
    valid_bytes: u64,
    last_index_entry: u64,
    next_offset: Offset,
    max_timestamp_so_far: TimestampOffset,
}

impl Recovery<'_> {
    /// Takes the next batch into account; `false` if it is not a good one.
    fn take(
        &mut self,
        batch: RecordBatchRef<'_>,
        producers: &mut ProducerStateManager,
        epochs: &mut LeaderEpochFileCache,
    ) -> Result<bool, LogError> {
        if check_batch(batch, self.segment.base_offset, self.next_offset).is_err() {
            return Ok(false);
        }
        let (first_offset, last_offset) = (batch.base_offset(), batch.last_offset());
        if batch.max_timestamp() > self.max_timestamp_so_far.timestamp {
            self.max_timestamp_so_far =
                TimestampOffset { timestamp: batch.max_timestamp(), offset: last_offset };
        }
        if self.valid_bytes - self.last_index_entry > self.segment.index_interval_bytes {
            unless_full(self.is_active, self.segment.reserve(1))?;
            self.segment.add_index_entries(last_offset, self.valid_bytes, self.max_timestamp_so_far)?;
            self.last_index_entry = self.valid_bytes;
        }
        self.valid_bytes += batch.size_in_bytes() as u64;
        self.next_offset = batch.next_offset();
        epochs.learn(batch.partition_leader_epoch(), first_offset);
        update_from_batch(producers, batch, Some(self.segment.txn_index()))?;
        Ok(true)
    }
}
