use std::fmt;

use super::error::ShareStateError;
use super::key::SharePartitionKey;
use super::read::{ReadState, StateSummary};
use super::write::WriteState;
use crate::model::{LeaderEpoch, Offset};

/// The door to the state of share groups for the rest of the broker: the group coordinator, which begins and ends it, and
/// share partitions, which read and write it (Kafka: `Persister`, `DefaultStatePersister`).
///
/// Makes `__share_group_state` if it is not there. Who calls may hold a lock of a group's or of a share partition's:
/// readers of the topic are woken by another thread.
pub(crate) trait Persister: Send + Sync + fmt::Debug {
    /// Begins the state, or begins it anew in a later epoch. A start of -1 leaves it to the share partition where to
    /// begin.
    fn initialize(
        &self,
        key: &SharePartitionKey,
        state_epoch: i32,
        start_offset: Offset,
    ) -> Result<(), ShareStateError>;

    /// The state for the partition's leader in `leader_epoch`. Leaders before it are fenced from now on.
    fn read(&self, key: &SharePartitionKey, leader_epoch: LeaderEpoch) -> Result<ReadState, ShareStateError>;

    /// Keeps what has changed.
    fn write(&self, key: &SharePartitionKey, write: &WriteState) -> Result<(), ShareStateError>;

    /// Where the group stands; of what has no state, a summary whose start is -1.
    fn read_summary(&self, key: &SharePartitionKey) -> Result<StateSummary, ShareStateError>;

    /// Forgets the state, if there is any.
    fn delete(&self, key: &SharePartitionKey) -> Result<(), ShareStateError>;
}
