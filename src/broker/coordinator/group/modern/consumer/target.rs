//! What is meant for each member (Kafka: `TargetAssignmentBuilder`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::group::ConsumerGroup;
use super::member::ConsumerGroupMember;
use super::update::{Subscriptions, Surroundings, Update};
use crate::broker::coordinator::group::modern::assignment::Partitions;
use crate::broker::coordinator::group::modern::assignor::{Assignor, GroupSpec, MemberSpec, java_order};
use crate::broker::coordinator::group::modern::group::TargetAssignmentMetadata;
use crate::broker::coordinator::group::record::ConsumerGroupRecord;
use crate::model::Uuid;

impl Update {
    /// The epoch of the target assignment, and what is meant for `updated` by it: a new one if the group's epoch has
    /// grown, and the last is old enough.
    pub(super) fn target(
        &mut self,
        group: &ConsumerGroup,
        surroundings: &Surroundings<'_>,
        updated: &ConsumerGroupMember,
        subscriptions: &Subscriptions,
    ) -> (i32, Partitions) {
        let last = group.modern.target;
        let next_at = last.timestamp.saturating_add(i64::from(surroundings.assignment_interval_ms));
        let may_compute = last.timestamp == 0 || surroundings.now_ms >= next_at;
        if last.epoch >= subscriptions.epoch || !may_compute {
            return (last.epoch, group.target_of(updated).cloned().unwrap_or_default());
        }
        let assigned = self.assign(group, surroundings, updated, subscriptions);
        let none = Partitions::new();
        let target = assigned.get(&updated.id).unwrap_or(&none).clone();
        for (id, partitions) in assigned {
            if previous_target(group, updated, &id) != Some(&partitions) {
                self.records.push(ConsumerGroupRecord::Target(id, Some(partitions)));
            }
        }
        let metadata =
            TargetAssignmentMetadata { epoch: subscriptions.epoch, timestamp: surroundings.now_ms };
        self.records.push(ConsumerGroupRecord::TargetMetadata(Some(metadata)));
        (subscriptions.epoch, target)
    }

    fn assign(
        &self,
        group: &ConsumerGroup,
        surroundings: &Surroundings<'_>,
        updated: &ConsumerGroupMember,
        subscriptions: &Subscriptions,
    ) -> BTreeMap<Arc<str>, Partitions> {
        let replaced = replaced_id(group, updated);
        let others = group.members().filter(|member| member.id != updated.id && Some(&member.id) != replaced);
        let members: Vec<&ConsumerGroupMember> = others.chain([updated]).collect();
        let none = Partitions::new();
        let mut topics: BTreeMap<Uuid, i32> = BTreeMap::new();
        let mut ids_of: BTreeMap<Arc<str>, Option<Uuid>> = BTreeMap::new();
        let mut specs = Vec::with_capacity(members.len());
        for member in &members {
            let mut names: Vec<Arc<str>> = self.topics_of(group, member).into_iter().collect();
            let len = names.len();
            java_order::sort_copied(&mut names, len, |name| java_order::of_string(name));
            let ids = names.into_iter().filter_map(|name| {
                *ids_of.entry(name).or_insert_with_key(|name| {
                    let topic = surroundings.image.topic(name)?;
                    topics.insert(topic.id, topic.num_partitions);
                    Some(topic.id)
                })
            });
            specs.push(MemberSpec {
                id: &member.id,
                instance_id: member.instance_id().map(|id| &**id),
                topics: ids.collect(),
                assignment: previous_target(group, updated, &member.id).unwrap_or(&none),
            });
        }
        let preferred = group.preferred_assignor(
            group.member(&updated.id).or(replaced.and_then(|id| group.member(id))),
            Some(updated),
        );
        let name = preferred.as_deref().unwrap_or(surroundings.default_assignor());
        let assignor = Assignor::of_name(name).unwrap_or(Assignor::Uniform);
        let spec = GroupSpec::new(specs, subscriptions.subscription_type, &topics);
        let mut assigned: BTreeMap<&str, Partitions> = assignor.assign(&spec);
        let ids: BTreeSet<&Arc<str>> = members.iter().map(|member| &member.id).collect();
        ids.into_iter().map(|id| (Arc::clone(id), assigned.remove(&**id).unwrap_or_default())).collect()
    }
}

/// The id that a static member had before it came back as `updated`.
fn replaced_id<'g>(group: &'g ConsumerGroup, updated: &ConsumerGroupMember) -> Option<&'g Arc<str>> {
    let existing = group.static_member(updated.instance_id()?)?;
    Some(&existing.id).filter(|id| **id != updated.id)
}

fn previous_target<'g>(
    group: &'g ConsumerGroup,
    updated: &ConsumerGroupMember,
    id: &Arc<str>,
) -> Option<&'g Partitions> {
    match replaced_id(group, updated).filter(|_| *id == updated.id) {
        Some(replaced) => group.modern.target_of(replaced),
        None => group.modern.target_of(id),
    }
}
