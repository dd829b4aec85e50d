//! Groups: who is in a group, who reads what, and how far (Kafka: `GroupCoordinator`, `GroupMetadataManager`,
//! `GroupMetadata`).
//!
//! Remote members come here from the listener, members in this process straight from the native consumer. A
//! join or sync that has to wait for others is parked with its callback; no thread waits. Every request takes
//! one [`turn`](turn::GroupTurn) at its group: the lock is held while the state changes and what it says is
//! appended to `__consumer_offsets`; answers, wakings and notes for the log are collected and leave after it.
//!
//! * `join`, `sync`, `membership` (heartbeat, leave), `offsets`, `txn_offsets`, `admin`: one file per request,
//! * `rebalance`, `expiration`, `store`: what they have in common,
//! * `load`, `retention`: how state comes back from the log, and leaves it,
//! * `group_metadata`, `members`, `member`, `group_offsets`: the state itself,
//! * `modern`: groups whose broker assigns partitions (KIP-848), which a group may become and cease to be,
//! * `record`: Kafka's record format of `__consumer_offsets`.
//!
//! Lock order: the ends of transactions in a partition, then a group, then the map of groups, then the timer or the log.
//! Never two groups at once.

mod admin;
mod config;
mod coordinator;
mod expiration;
mod group_metadata;
mod group_offsets;
mod group_settings;
mod group_state;
mod join;
mod load;
mod member;
mod members;
mod membership;
mod modern;
mod offsets;
mod outbox;
mod rebalance;
mod record;
mod retention;
mod store;
mod sync;
mod turn;
mod txn_offsets;

#[cfg(test)]
mod tests;

pub(crate) use admin::{DescribedGroup, DescribedGroupMember, GroupListing};
pub(crate) use config::GroupConfig;
pub(crate) use coordinator::GroupCoordinator;
pub(crate) use group_offsets::OffsetAndMetadata;
pub use group_state::{GroupState, GroupType};
pub(crate) use join::{JoinGroupMember, JoinGroupParams, JoinGroupProtocol, JoinGroupResult};
pub(crate) use membership::{HeartbeatParams, LeaveGroupResult, LeavingMember};
pub(crate) use modern::{
    ConsumerGroupDescription, ConsumerGroupHeartbeatParams, ConsumerGroupHeartbeatResult,
    ConsumerGroupMemberDescription, CoordinatorMetadataImage, GroupError, LEAVE_EPOCH, LEAVE_STATIC_EPOCH,
    ShareGroupDescription, ShareGroupHeartbeatParams, ShareGroupHeartbeatResult, ShareGroupMemberDescription,
    ShareGroupOffset, ShareGroupOffsetOutcome, ShareGroupTopicOutcome, TopicMetadata,
};
pub(crate) use offsets::{CommitOffsetsParams, FetchedOffset, FetchingMember, OffsetCommit};
#[cfg(feature = "cli")]
pub(crate) use record::offsets_record_text;
pub(crate) use sync::{SyncCallback, SyncGroupParams, SyncGroupResult};
