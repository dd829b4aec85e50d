//! Leaders' terms, as the log knows them.

use super::checkpoint::format_leader_epochs;
use super::epoch_cache::EpochEndOffset;
use super::file_names::LEADER_EPOCH_CHECKPOINT;
use super::{Log, LogError};
use crate::model::{LeaderEpoch, Offset};
use crate::record::BatchHeader;

impl Log {
    /// The latest term that the log has heard of.
    pub(crate) fn latest_epoch(&self) -> Option<LeaderEpoch> {
        self.epochs.read().latest_epoch()
    }

    /// The latest term that anybody led the log in, whether or not there are records of it.
    pub(crate) fn highest_epoch(&self) -> Option<LeaderEpoch> {
        self.epochs.read().highest_epoch()
    }

    /// The term of the first records that the log still has.
    pub(crate) fn earliest_epoch(&self) -> Option<LeaderEpoch> {
        self.epochs.read().earliest().map(|entry| entry.epoch)
    }

    /// The term of the record at `offset`.
    pub(crate) fn epoch_for_offset(&self, offset: Offset) -> Option<LeaderEpoch> {
        self.epochs.read().epoch_for_offset(offset)
    }

    /// The largest term at or below `epoch` that the log knows, and where it ends
    /// (Kafka: `UnifiedLog#endOffsetForEpoch`).
    pub(crate) fn end_offset_for_epoch(&self, epoch: LeaderEpoch) -> EpochEndOffset {
        self.epochs.read().end_offset_for(epoch, self.log_end_offset())
    }

    /// Notes that a leader's term starts at `start_offset`: called on becoming the leader, with the end of the log
    /// (Kafka: `UnifiedLog#assignEpochStartOffset`). It reaches the disk before any record of the term counts as
    /// flushed.
    pub(crate) fn assign_epoch_start_offset(&self, epoch: LeaderEpoch, start_offset: Offset) {
        self.epochs.write().assign(epoch, start_offset);
    }

    pub(super) fn note_epoch_of(&self, batch: BatchHeader<'_>) {
        let epoch = batch.partition_leader_epoch();
        // Nearly every batch belongs to the term that is noted already.
        if epoch >= 0 && self.epochs.read().latest_epoch().is_none_or(|latest| latest < epoch) {
            self.epochs.write().assign(epoch, batch.base_offset());
        }
    }

    /// Writes the terms to their file, if they changed.
    pub(super) fn write_epochs(&self) -> Result<(), LogError> {
        let _guard = self.epoch_file.lock();
        let unwritten = self.epochs.read().unwritten();
        let Some(entries) = unwritten else { return Ok(()) };
        self.dir.replace(LEADER_EPOCH_CHECKPOINT, &format_leader_epochs(&entries))?;
        self.epochs.write().note_written(entries);
        Ok(())
    }
}
