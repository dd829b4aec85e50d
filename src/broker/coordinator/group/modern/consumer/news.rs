//! What came of a heartbeat, and why, in words.

use std::sync::Arc;

use super::group::ConsumerGroup;
use super::heartbeat::{ConsumerGroupHeartbeatParams, GroupError};
use super::member::ConsumerGroupMember;
use super::update::Update;
use crate::broker::coordinator::group::modern::assignment::{self, Partitions};
use crate::broker::coordinator::group::modern::member_state::MemberState;
use crate::broker::coordinator::group::modern::topics::CoordinatorMetadataImage;
use crate::broker::coordinator::group::record::ConsumerGroupRecord;
use crate::broker::coordinator::group::turn::GroupTurn;

/// What raises the epoch of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::broker::coordinator::group) enum Cause {
    /// A member subscribes to other topics by name.
    Topics,
    /// It subscribes to another pattern, or a pattern matches other topics.
    Pattern,
    /// The members want another assignor.
    Assignor,
    /// Topics that are read were made, deleted, or have more partitions.
    Metadata,
}

impl Cause {
    /// In words, when it came with a heartbeat of this member.
    pub(in crate::broker::coordinator::group) fn words(self, member: &str, is_new: bool) -> String {
        match self {
            Cause::Topics if is_new => format!("new member {member}"),
            Cause::Topics => format!("member {member} subscribes to other topics"),
            Cause::Pattern if is_new => format!("new member {member} with a pattern"),
            Cause::Pattern => {
                "a pattern that members subscribe to is another, or matches other topics".to_owned()
            }
            Cause::Assignor => "the members want another assignor".to_owned(),
            Cause::Metadata => {
                "topics that are read were made or deleted, or have more partitions".to_owned()
            }
        }
    }
}

/// Partitions as people write them.
pub(in crate::broker::coordinator::group) fn names_of(
    partitions: &Partitions,
    image: &dyn CoordinatorMetadataImage,
) -> String {
    let names = partitions.iter().flat_map(|(id, numbers)| {
        let topic = image.topic_by_id(*id).map_or_else(|| id.to_string().into(), |topic| topic.name);
        numbers.iter().map(move |number| format!("{topic}-{number}"))
    });
    format!("[{}]", names.collect::<Vec<_>>().join(", "))
}

/// The words for what is about to happen, to be told once it is in the log; none if nobody wants to know.
#[derive(Default)]
pub(in crate::broker::coordinator::group) struct News {
    /// Of the group, and who comes and goes.
    pub(in crate::broker::coordinator::group) group: Vec<String>,
    /// Of each member.
    pub(in crate::broker::coordinator::group) members: Vec<String>,
}

impl GroupTurn<'_> {
    pub(in crate::broker::coordinator::group) fn tell(&mut self, news: News) {
        news.group.into_iter().for_each(|text| self.outbox.info(|| text));
        news.members.into_iter().for_each(|text| self.outbox.detail(|| text));
    }

    /// What an update comes to.
    pub(super) fn news_of(
        &self,
        group: &ConsumerGroup,
        update: &Update,
        member: &ConsumerGroupMember,
    ) -> News {
        let mut news = News::default();
        if !self.outbox.is_heard() || update.records.is_empty() {
            return news;
        }
        let (id, group_id) = (&member.id, &self.group.id);
        let is_new = group.member(id).is_none() && update.replaced.is_none();
        if let (Some(replaced), Some(instance_id)) = (&update.replaced, member.instance_id()) {
            news.group.push(format!(
                "Member {id} with group instance id {instance_id} takes the place of member {replaced} in group \
                 {group_id}"
            ));
        } else if is_new {
            let (client, host) = (&member.metadata.client_id, &member.metadata.client_host);
            news.group.push(format!("Member {id} of client {client} at {host} joins group {group_id}"));
        }
        let causes: Vec<String> = update.causes.iter().map(|cause| cause.words(id, is_new)).collect();
        let mut target_epoch = group.modern.target.epoch;
        for record in &update.records {
            match record {
                ConsumerGroupRecord::Epoch(Some(epoch)) => {
                    news.group.push(rebalance(group_id, epoch.epoch, &causes.join("; ")));
                }
                ConsumerGroupRecord::TargetMetadata(Some(target)) => target_epoch = target.epoch,
                _ => {}
            }
        }
        if !self.outbox.is_heard_in_detail() {
            return news;
        }
        for record in &update.records {
            // One that takes another's place has what that one had.
            if let ConsumerGroupRecord::Target(of, Some(partitions)) = record
                && target_epoch != group.modern.target.epoch
            {
                let names = names_of(partitions, self.coordinator.image());
                news.members.push(format!("Member {of} is to have {names} in epoch {target_epoch}"));
            }
        }
        if member.state == MemberState::UnrevokedPartitions && group.member(id) != Some(member) {
            let pending = assignment::without_epochs(&member.pending_revocation);
            let names = names_of(&pending, self.coordinator.image());
            let timeout_ms = member.metadata.rebalance_timeout_ms;
            news.members.push(format!("Member {id} is to give {names} back within {timeout_ms} ms"));
        }
        news
    }

    /// Tells of a member that is none, or not where it believes to be.
    pub(super) fn tell_refusal(&mut self, params: &ConsumerGroupHeartbeatParams<'_>, error: &GroupError) {
        let ConsumerGroupHeartbeatParams { member_id, member_epoch, group_id, .. } = params;
        self.outbox.info(|| {
            let GroupError { code, message } = error;
            format!(
                "Member {member_id} with epoch {member_epoch} is refused in group {group_id} with {code}: {message}"
            )
        });
    }

    /// Tells that the others share what members had.
    pub(super) fn tell_of_gone(&mut self, records: &[ConsumerGroupRecord], gone: &[Arc<str>]) {
        let group_id = &self.group.id;
        let epoch = records.iter().find_map(|record| match record {
            ConsumerGroupRecord::Epoch(epoch) => epoch.map(|epoch| epoch.epoch),
            _ => None,
        });
        if let Some(epoch) = epoch {
            self.outbox
                .info(|| rebalance(group_id, epoch, &format!("without member {}", gone.join(", member "))));
        }
    }
}

/// That a group has a new epoch.
pub(in crate::broker::coordinator::group) fn rebalance(group_id: &str, epoch: i32, reason: &str) -> String {
    format!("Group {group_id} rebalances to epoch {epoch} (reason: {reason})")
}
