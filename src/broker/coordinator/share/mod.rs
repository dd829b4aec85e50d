//! The state of share groups: from where on each group shares a partition's records, and which of them are dealt with
//! (Kafka: `ShareCoordinatorService`, `ShareCoordinatorShard`).
//!
//! State is kept for each [`SharePartitionKey`]: a group and a partition of a topic. It is in `__share_group_state`, in
//! the partition that the key's hash names: a snapshot of all, then updates of what has changed, then a snapshot
//! again. The topic is not compacted; what all later snapshots make needless is deleted from its start.
//!
//! * `initialize`, `read`, `write`, `delete`: one file per verb,
//! * `load`: how state comes back from the log,
//! * `upkeep`: snapshots of what is not written any more, deletion of what is not needed any more, topics that are gone,
//! * `state_batch`: offsets with their delivery state, and how they are put together,
//! * `share_group_offset`: the state of one key,
//! * `record`: Kafka's record format of `__share_group_state`.
//!
//! Lock order: a group, then a partition of this topic, then a log. Never two partitions at once.

mod config;
mod coordinator;
mod delete;
mod error;
mod initialize;
mod key;
mod load;
mod persister;
mod read;
mod record;
#[cfg(feature = "cli")]
mod record_text;
mod shard;
mod share_group_offset;
mod state_batch;
mod upkeep;
mod write;

#[cfg(test)]
mod tests;

pub(crate) use coordinator::ShareCoordinator;
pub(crate) use error::ShareStateError;
pub(crate) use key::SharePartitionKey;
pub(crate) use persister::Persister;
pub(crate) use read::{ReadState, StateSummary};
#[cfg(feature = "cli")]
pub(crate) use record_text::share_group_state_record_text;
pub(crate) use state_batch::StateBatch;
#[cfg(test)]
pub(crate) use state_batch::combine;
pub(crate) use write::WriteState;
