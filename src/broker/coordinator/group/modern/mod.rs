//! Groups whose broker assigns partitions, and whose members come for them with heartbeats (KIP-848; Kafka: the package
//! `org.apache.kafka.coordinator.group.modern`).
//!
//! * `group`, `assignment`, `member_state`, `topics`, `assignor`: what all kinds of such groups have in common,
//! * `consumer`: groups of consumers, in which each partition is one member's.

mod assignment;
mod assignor;
mod consumer;
mod group;
mod member_state;
mod topics;

pub(super) use assignment::{Partitions, PartitionsWithEpochs};
pub(super) use consumer::{
    ClassicMemberMetadata, Committer, ConsumerGroup, MemberMetadata, ResolvedRegularExpression,
};
pub(crate) use consumer::{
    ConsumerGroupDescription, ConsumerGroupHeartbeatParams, ConsumerGroupHeartbeatResult,
    ConsumerGroupMemberDescription, GroupError, LEAVE_EPOCH, LEAVE_STATIC_EPOCH,
};
pub(super) use group::{ModernGroupState, TargetAssignmentMetadata};
pub(super) use member_state::MemberState;
pub(crate) use topics::{CoordinatorMetadataImage, TopicMetadata};
