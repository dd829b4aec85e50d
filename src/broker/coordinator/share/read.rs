use super::coordinator::ShareCoordinator;
use super::error::ShareStateError;
use super::key::SharePartitionKey;
use super::state_batch::StateBatch;
use super::write::WriteState;
use crate::model::{ErrorCode, LeaderEpoch, Offset};

/// What a share partition begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReadState {
    pub(crate) state_epoch: i32,
    /// -1: not decided yet.
    pub(crate) start_offset: Offset,
    pub(crate) state_batches: Vec<StateBatch>,
}

/// Where a group stands in a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StateSummary {
    pub(crate) state_epoch: i32,
    pub(crate) leader_epoch: LeaderEpoch,
    /// -1: not decided yet.
    pub(crate) start_offset: Offset,
    /// How many records from the start on are dealt with; -1: not known.
    pub(crate) delivery_complete_count: i32,
}

impl ShareCoordinator {
    /// The state for the partition's leader in `leader_epoch`. Leaders before it are fenced from now on.
    ///
    /// # Errors
    /// FENCED_LEADER_EPOCH, UNKNOWN_TOPIC_OR_PARTITION, INVALID_REQUEST (also where there is no state), or what keeps
    /// the epoch from being written.
    pub(crate) fn read(
        &self,
        key: &SharePartitionKey,
        leader_epoch: LeaderEpoch,
    ) -> Result<ReadState, ShareStateError> {
        self.turn("read", key, |shard| {
            Self::check_partition_id(key)?;
            Self::check_leader_epoch(leader_epoch)?;
            let uninitialized = "Read operation on uninitialized share partition not allowed.";
            let known = shard.states.get(key).ok_or_else(|| ShareStateError::invalid(uninitialized))?;
            if known.leader_epoch > leader_epoch {
                return Err(ErrorCode::FencedLeaderEpoch.into());
            }
            self.check_exists(key)?;
            let offset = &known.offset;
            let state = ReadState {
                state_epoch: offset.state_epoch,
                start_offset: offset.start_offset,
                state_batches: offset.state_batches.clone(),
            };
            if known.leader_epoch == leader_epoch {
                return Ok((None, state));
            }
            let write = WriteState {
                state_epoch: offset.state_epoch,
                leader_epoch,
                start_offset: offset.start_offset,
                delivery_complete_count: offset.delivery_complete_count,
                state_batches: Vec::new(),
            };
            Ok((Some(self.next_record(known, &write, leader_epoch)), state))
        })
    }

    /// Where the group stands. Of what has no state, a summary that says so.
    ///
    /// # Errors
    /// UNKNOWN_TOPIC_OR_PARTITION or INVALID_REQUEST.
    pub(crate) fn read_summary(&self, key: &SharePartitionKey) -> Result<StateSummary, ShareStateError> {
        self.turn("read", key, |shard| {
            Self::check_partition_id(key)?;
            self.check_exists(key)?;
            let none = StateSummary {
                state_epoch: 0,
                leader_epoch: 0,
                start_offset: -1,
                delivery_complete_count: -1,
            };
            let summary = shard.states.get(key).map_or(none, |known| StateSummary {
                state_epoch: known.offset.state_epoch,
                leader_epoch: known.offset.leader_epoch,
                start_offset: known.offset.start_offset,
                delivery_complete_count: known.offset.delivery_complete_count,
            });
            Ok((None, summary))
        })
    }
}
