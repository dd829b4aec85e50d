//! Groups whose broker assigns partitions, and whose members come for them with heartbeats (KIP-848, KIP-932; Kafka: the package
//! `org.apache.kafka.coordinator.group.modern`).
//!
//! * `group`, `assignment`, `member_state`, `topics`, `assignor`: what all kinds of such groups have in common,
//! * `consumer`: groups of consumers, in which each partition is one member's,
//! * `share`: groups whose members share partitions (KIP-932).

mod assignment;
mod assignor;
mod consumer;
mod group;
mod member_state;
mod share;
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
pub(super) use share::{InitializedPartitions, ShareGroup, ShareMemberMetadata, StatePartitions};
pub(crate) use share::{
    ShareGroupDescription, ShareGroupHeartbeatParams, ShareGroupHeartbeatResult, ShareGroupMemberDescription,
    ShareGroupOffset, ShareGroupOffsetOutcome, ShareGroupTopicOutcome,
};
pub(crate) use topics::{CoordinatorMetadataImage, TopicMetadata};
