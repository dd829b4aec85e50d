//! Groups of consumers, in which each partition is one member's (KIP-848).
//!
//! A request is first thought through against the group as it is: what comes of it are records, which are appended as
//! one batch and only then change the group ([`records`]). So the group never is what its log does not say.
//!
//! * `heartbeat`: what members ask and are told, `leave` and `fence`: how they go,
//! * `update`, `target`, `current_assignment`, `regex`: what follows from a heartbeat,
//! * `classic`, `convert`: members that join and sync all the same, and how a group changes its type while it has some,
//! * `news`: what came of it, and why, in words,
//! * `describe`, `offsets`: what others ask of such a group,
//! * `group`, `member`, `timers`, `records`: the state itself.

mod classic;
mod convert;
mod current_assignment;
mod describe;
mod expiration;
mod fence;
mod group;
mod heartbeat;
mod leave;
mod member;
mod news;
mod offsets;
mod records;
mod regex;
mod target;
mod timers;
mod turn;
mod update;

pub(crate) use describe::{ConsumerGroupDescription, ConsumerGroupMemberDescription};
pub(in crate::broker::coordinator::group) use group::{ConsumerGroup, ResolvedRegularExpression};
pub(crate) use heartbeat::{
    ConsumerGroupHeartbeatParams, ConsumerGroupHeartbeatResult, GroupError, LEAVE_EPOCH, LEAVE_STATIC_EPOCH,
};
pub(in crate::broker::coordinator::group) use member::{ClassicMemberMetadata, MemberMetadata};
pub(in crate::broker::coordinator::group) use news::{Cause, News, names_of, rebalance};
pub(in crate::broker::coordinator::group) use offsets::Committer;
