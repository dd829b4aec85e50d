//! What follows from what a member says: the group's epoch, the target assignment, and what the member has.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::group::ShareGroup;
use super::initialize::Initialization;
use super::member::ShareGroupMember;
use super::state_partitions::{StatePartitions, Topics};
use crate::broker::coordinator::group::modern::assignment::Partitions;
use crate::broker::coordinator::group::modern::assignor::{Assignor, GroupSpec, MemberSpec, java_order};
use crate::broker::coordinator::group::modern::consumer::Cause;
use crate::broker::coordinator::group::modern::group::{
    ModernGroupMember, SubscribedTopics, TargetAssignmentMetadata,
};
use crate::broker::coordinator::group::modern::member_state::MemberState;
use crate::broker::coordinator::group::modern::topics::{CoordinatorMetadataImage, metadata_hash};
use crate::broker::coordinator::group::record::{GroupEpoch, ShareGroupRecord};
use crate::model::{Timestamp, Uuid};

/// What an update depends on beside the group.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub(super) image: &'a dyn CoordinatorMetadataImage,
    pub(super) assignment_interval_ms: i32,
    /// After which time the state of a partition is asked for again.
    pub(super) initialize_retry_interval_ms: i32,
    pub(super) now_ms: Timestamp,
}

/// What a heartbeat comes to: records to append, and what is to be done once they are in the log.
pub(super) struct Plan {
    pub(super) records: Vec<ShareGroupRecord>,
    /// As it is after its next step.
    pub(super) member: ShareGroupMember,
    /// The group was compared with the topics that there are.
    pub(super) is_compared: bool,
    /// What is read and has no state.
    pub(super) to_initialize: Topics,
    topics: SubscribedTopics,
    members: usize,
    pub(super) epoch: i32,
    bumps: bool,
    /// What raises the epoch of the group, if that is raised.
    pub(super) cause: Option<Cause>,
}

impl Plan {
    /// Thinks a heartbeat through as far as it goes without new assignments: `member` as the group has it becomes
    /// `updated`.
    pub(super) fn new(
        group: &ShareGroup,
        surroundings: Surroundings<'_>,
        member: &ShareGroupMember,
        updated: ShareGroupMember,
    ) -> Self {
        let image = surroundings.image;
        let mut records = Vec::new();
        if updated != *member {
            records.push(ShareGroupRecord::Member(Arc::clone(&updated.id), Some(updated.metadata.clone())));
        }
        let (before, after) =
            (&member.metadata.subscribed_topic_names, &updated.metadata.subscribed_topic_names);
        let mut topics = group.modern.subscribed_topics.clone();
        topics.add_names(after);
        if group.member(&member.id).is_some() {
            topics.remove_names(before);
        }
        let is_assigned = group.modern.target.epoch >= group.modern.epoch;
        let mut bumps = before != after || (is_assigned && group.is_assignment_pending());
        let mut cause = None;
        let is_compared = bumps || group.modern.topics_version != Some(image.version());
        let mut epoch = group.modern.epoch;
        if is_compared {
            let metadata_hash = metadata_hash(topics.names(), image);
            bumps |= metadata_hash != group.modern.metadata_hash;
            if bumps {
                cause = Some(if before == after { Cause::Metadata } else { Cause::Topics });
                epoch = epoch.saturating_add(1);
                records.push(ShareGroupRecord::Epoch(Some(GroupEpoch { epoch, metadata_hash })));
            }
        }
        let age_ms = surroundings.now_ms.saturating_sub(group.state_partitions_at);
        let asked_lately = age_ms < i64::from(surroundings.initialize_retry_interval_ms);
        Plan {
            to_initialize: group.without_state(topics.names(), image, asked_lately),
            members: group.modern.members.len() + usize::from(group.member(&updated.id).is_none()),
            member: updated,
            records,
            is_compared,
            topics,
            epoch,
            bumps,
            cause,
        }
    }

    /// Writes down that states are asked for that are not there, if there are such: what the share coordinator is asked.
    pub(super) fn initialize(&mut self, group: &ShareGroup) -> Option<Initialization> {
        if self.to_initialize.is_empty() {
            return None;
        }
        let known = group.state_partitions.clone().unwrap_or_default();
        self.records.push(ShareGroupRecord::StatePartitions(Some(known.begin(&self.to_initialize))));
        Some(self.initialization(group))
    }

    /// What the share coordinator is asked for. Partitions that were added to a topic are read from their first record
    /// on, so that none is missed; of a topic that is new to the group it is left to who reads it where to begin.
    fn initialization(&self, group: &ShareGroup) -> Initialization {
        let knows = |known: &StatePartitions, id: &Uuid| known.knows(*id);
        let is_known = |id: &Uuid| group.state_partitions.as_ref().is_some_and(|known| knows(known, id));
        let start_offset = |id: &Uuid| if is_known(id) { 0 } else { -1 };
        let start_offsets = self.to_initialize.iter().flat_map(|(id, topic)| {
            let start_offset = start_offset(id);
            topic.partitions.iter().map(move |partition| ((*id, *partition), start_offset))
        });
        Initialization { epoch: self.epoch, start_offsets: start_offsets.collect() }
    }

    /// The member's next step, after a new assignment for all if one is due.
    pub(super) fn reconcile(&mut self, group: &ShareGroup, surroundings: Surroundings<'_>) {
        let (target_epoch, target) = self.target(group, surroundings);
        let member = &mut self.member;
        if !self.bumps && member.is_reconciled_to(target_epoch) {
            return;
        }
        let before = member.clone();
        let names = member.metadata.subscribed_topic_names.iter();
        let read: BTreeSet<Uuid> =
            names.filter_map(|name| surroundings.image.topic(name)).map(|topic| topic.id).collect();
        if target_epoch != member.epoch {
            member.state = MemberState::Stable;
            member.previous_epoch = std::mem::replace(&mut member.epoch, target_epoch);
        } else if !self.bumps {
            return;
        }
        member.assigned = target.into_iter().filter(|(topic, _)| read.contains(topic)).collect();
        if *member != before {
            self.records.push(member.current_record());
        }
    }

    /// The epoch of the target assignment, and what is meant for the member by it: a new one if the group's epoch has
    /// grown, and the last is old enough.
    fn target(&mut self, group: &ShareGroup, surroundings: Surroundings<'_>) -> (i32, Partitions) {
        let last = group.modern.target;
        let next_at = last.timestamp.saturating_add(i64::from(surroundings.assignment_interval_ms));
        let may_compute = last.timestamp == 0 || surroundings.now_ms >= next_at;
        if last.epoch >= self.epoch || !may_compute {
            return (last.epoch, group.modern.target_of(&self.member.id).cloned().unwrap_or_default());
        }
        let assigned = self.assign(group, surroundings.image);
        let target = assigned.get(&self.member.id).cloned().unwrap_or_default();
        for (id, partitions) in assigned {
            if group.modern.target_of(&id) != Some(&partitions) {
                self.records.push(ShareGroupRecord::Target(id, Some(partitions)));
            }
        }
        let metadata = TargetAssignmentMetadata { epoch: self.epoch, timestamp: surroundings.now_ms };
        self.records.push(ShareGroupRecord::TargetMetadata(Some(metadata)));
        (self.epoch, target)
    }

    fn assign(
        &self,
        group: &ShareGroup,
        image: &dyn CoordinatorMetadataImage,
    ) -> BTreeMap<Arc<str>, Partitions> {
        let others = group.modern.members.values().filter(|member| member.id != self.member.id);
        let members: Vec<&ShareGroupMember> = others.chain([&self.member]).collect();
        let none = Partitions::new();
        let mut topics: BTreeMap<Uuid, i32> = BTreeMap::new();
        let specs = members.iter().map(|member| {
            let mut names: Vec<&Arc<str>> = member.metadata.subscribed_topic_names.iter().collect();
            let len = names.len();
            java_order::sort_copied(&mut names, len, |name| java_order::of_string(name));
            let ids = names.into_iter().filter_map(|name| {
                let topic = image.topic(name)?;
                topics.insert(topic.id, topic.num_partitions);
                Some(topic.id)
            });
            MemberSpec {
                id: &member.id,
                instance_id: None,
                topics: ids.collect(),
                assignment: group.modern.target_of(&member.id).unwrap_or(&none),
            }
        });
        let specs = specs.collect();
        let assignable = group.assignable();
        let spec = GroupSpec::new(specs, self.topics.subscription_type(self.members), &topics)
            .with_assignable(&assignable);
        let mut assigned = Assignor::Simple.assign(&spec);
        let of_member = |member: &&ShareGroupMember| {
            (Arc::clone(&member.id), assigned.remove(&*member.id).unwrap_or_default())
        };
        members.iter().map(of_member).collect()
    }
}
