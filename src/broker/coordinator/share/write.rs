use super::coordinator::ShareCoordinator;
use super::error::ShareStateError;
use super::key::SharePartitionKey;
use super::shard::{ShareRecord, ShareState};
use super::share_group_offset::{ShareGroupOffset, ShareUpdate};
use super::state_batch::{StateBatch, combine};
use crate::model::{ErrorCode, LeaderEpoch, Offset};

/// What has changed in a share partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WriteState {
    pub(crate) state_epoch: i32,
    pub(crate) leader_epoch: LeaderEpoch,
    /// -1: as it was.
    pub(crate) start_offset: Offset,
    /// -1: not known.
    pub(crate) delivery_complete_count: i32,
    pub(crate) state_batches: Vec<StateBatch>,
}

impl ShareCoordinator {
    /// Keeps what has changed.
    ///
    /// # Errors
    /// FENCED_LEADER_EPOCH, FENCED_STATE_EPOCH, UNKNOWN_TOPIC_OR_PARTITION, INVALID_REQUEST (also where there is no
    /// state), or what keeps it from being written; nothing has changed then.
    pub(crate) fn write(&self, key: &SharePartitionKey, write: &WriteState) -> Result<(), ShareStateError> {
        self.turn("write", key, |shard| {
            Self::check_partition_id(key)?;
            Self::check_leader_epoch(write.leader_epoch)?;
            Self::check_state_epoch(write.state_epoch)?;
            if write.state_batches.iter().any(|batch| batch.last_offset < batch.first_offset) {
                return Err(ShareStateError::invalid("A batch ends before it begins."));
            }
            let uninitialized = "Write operation on uninitialized share partition not allowed.";
            let known = shard.states.get(key).ok_or_else(|| ShareStateError::invalid(uninitialized))?;
            if known.leader_epoch > write.leader_epoch {
                return Err(ErrorCode::FencedLeaderEpoch.into());
            }
            if known.state_epoch.is_some_and(|epoch| epoch > write.state_epoch) {
                return Err(ErrorCode::FencedStateEpoch.into());
            }
            self.check_exists(key)?;
            Ok((Some(self.next_record(known, write, known.offset.leader_epoch)), ()))
        })
    }

    /// The record that says what has changed: an update, or a snapshot when there have been enough of them (Kafka:
    /// `generateShareStateRecord`).
    pub(super) fn next_record(
        &self,
        known: &ShareState,
        write: &WriteState,
        leader_epoch: LeaderEpoch,
    ) -> ShareRecord {
        let current = &known.offset;
        let start_offset = write.start_offset.max(current.start_offset);
        // The count goes with a start: that of an older start says nothing of this one.
        let delivery_complete_count = match write.start_offset.cmp(&current.start_offset) {
            std::cmp::Ordering::Equal => write.delivery_complete_count.max(current.delivery_complete_count),
            std::cmp::Ordering::Less => current.delivery_complete_count,
            std::cmp::Ordering::Greater => write.delivery_complete_count,
        };
        if known.updates < self.config().share_coordinator_snapshot_update_records_per_snapshot {
            return ShareRecord::Update(ShareUpdate {
                snapshot_epoch: current.snapshot_epoch,
                leader_epoch,
                start_offset,
                delivery_complete_count,
                state_batches: combine(&[], &write.state_batches, start_offset),
            });
        }
        let now_ms = self.now_ms();
        ShareRecord::Snapshot(ShareGroupOffset {
            snapshot_epoch: current.snapshot_epoch.saturating_add(1),
            state_epoch: current.state_epoch,
            leader_epoch,
            start_offset,
            delivery_complete_count,
            create_timestamp: now_ms,
            write_timestamp: now_ms,
            state_batches: combine(&current.state_batches, &write.state_batches, start_offset),
        })
    }
}
