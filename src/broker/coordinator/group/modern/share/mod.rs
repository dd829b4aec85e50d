//! Groups of consumers that share partitions: several members may have the same one (KIP-932).
//!
//! As with groups of the consumer protocol, a request comes to records, which are appended as one batch and only then
//! change the group. A partition is assigned once the group has a state of it, which the share coordinator keeps: see
//! `initialize`.
//!
//! * `heartbeat`, `leave`, `expiration`: what members ask and are told, and how they go,
//! * `update`: what follows from a heartbeat,
//! * `initialize`: how partitions get their state,
//! * `describe`, `offsets`, `delete`: what others ask of such a group,
//! * `group`, `member`, `state_partitions`, `records`: the state itself.

mod delete;
mod describe;
mod expiration;
mod group;
mod heartbeat;
mod initialize;
mod leave;
mod member;
mod offsets;
mod records;
mod state_partitions;
mod turn;
mod update;

pub(crate) use describe::{ShareGroupDescription, ShareGroupMemberDescription};
pub(in crate::broker::coordinator::group) use group::ShareGroup;
pub(crate) use heartbeat::{ShareGroupHeartbeatParams, ShareGroupHeartbeatResult};
pub(in crate::broker::coordinator::group) use member::ShareMemberMetadata;
pub(crate) use offsets::{ShareGroupOffset, ShareGroupOffsetOutcome, ShareGroupTopicOutcome};
pub(in crate::broker::coordinator::group) use state_partitions::{InitializedPartitions, StatePartitions};
