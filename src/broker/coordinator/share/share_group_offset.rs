use super::state_batch::{StateBatch, combine};
use crate::model::{LeaderEpoch, Offset, Timestamp};

/// The state that is kept of a share partition (Kafka: `ShareGroupOffset`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ShareGroupOffset {
    /// Which of this key's snapshots it is.
    pub(super) snapshot_epoch: i32,
    /// Goes up each time that the state is initialised; -1 where only updates are known.
    pub(super) state_epoch: i32,
    /// Of the partition's leader that wrote it.
    pub(super) leader_epoch: LeaderEpoch,
    /// Everything before it is dealt with. -1: not known yet.
    pub(super) start_offset: Offset,
    /// How many records from there on are dealt with; -1: not known.
    pub(super) delivery_complete_count: i32,
    pub(super) create_timestamp: Timestamp,
    pub(super) write_timestamp: Timestamp,
    pub(super) state_batches: Vec<StateBatch>,
}

/// What has changed since a snapshot (Kafka: `ShareUpdateValue`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ShareUpdate {
    pub(super) snapshot_epoch: i32,
    pub(super) leader_epoch: LeaderEpoch,
    /// -1: as it was.
    pub(super) start_offset: Offset,
    pub(super) delivery_complete_count: i32,
    pub(super) state_batches: Vec<StateBatch>,
}

impl ShareGroupOffset {
    /// The state with an update put in.
    pub(super) fn merge(&self, update: &ShareUpdate) -> Self {
        let start_offset = if update.start_offset == -1 { self.start_offset } else { update.start_offset };
        ShareGroupOffset {
            leader_epoch: if update.leader_epoch == -1 { self.leader_epoch } else { update.leader_epoch },
            start_offset,
            delivery_complete_count: update.delivery_complete_count,
            state_batches: combine(&self.state_batches, &update.state_batches, start_offset),
            ..*self
        }
    }

    /// What an update says whose snapshot is not known.
    pub(super) fn of_update(update: ShareUpdate) -> Self {
        ShareGroupOffset {
            snapshot_epoch: update.snapshot_epoch,
            state_epoch: -1,
            leader_epoch: update.leader_epoch,
            start_offset: update.start_offset,
            delivery_complete_count: update.delivery_complete_count,
            create_timestamp: 0,
            write_timestamp: 0,
            state_batches: update.state_batches,
        }
    }
}
