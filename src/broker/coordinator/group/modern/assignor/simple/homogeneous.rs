//! Kafka: `SimpleHomogeneousAssignmentBuilder`.

use std::collections::{BTreeMap, BTreeSet};

use super::{JavaHashMap, JavaHashSet, desired_counts, desired_sharing, share_out, walked};
use crate::broker::coordinator::group::modern::assignment::Partitions;
use crate::broker::coordinator::group::modern::assignor::GroupSpec;
use crate::model::Uuid;

type TopicIdPartition = (Uuid, i32);

pub(in super::super) fn assign<'a>(spec: &GroupSpec<'a>) -> BTreeMap<&'a str, Partitions> {
    let topics = spec.members.first().map(|member| member.topics.as_slice()).unwrap_or_default();
    if topics.is_empty() {
        return BTreeMap::new();
    }
    let mut builder = Builder::new(spec, topics);
    builder.revoke_unassignable();
    builder.revoke_overfilled();
    builder.revoke_overshared();
    builder.assign_remaining();
    spec.members.iter().map(|member| member.id).zip(builder.new).collect()
}

struct Builder<'s, 'a> {
    spec: &'s GroupSpec<'a>,
    topics: &'s [Uuid],
    targets: Vec<TopicIdPartition>,
    desired_sharing: usize,
    desired_counts: Vec<usize>,
    /// What each member is to have.
    new: Vec<Partitions>,
    by_partition: JavaHashMap<TopicIdPartition, JavaHashSet<usize>>,
    by_member: Vec<JavaHashSet<TopicIdPartition>>,
    unfilled: BTreeSet<usize>,
    overfilled: BTreeSet<usize>,
}

impl<'s, 'a> Builder<'s, 'a> {
    fn new(spec: &'s GroupSpec<'a>, topics: &'s [Uuid]) -> Self {
        let of_topic = |id: &Uuid| -> Vec<TopicIdPartition> {
            let all = (0..spec.num_partitions(*id)).map(|partition| (*id, partition));
            all.filter(|(id, partition)| spec.is_assignable(*id, *partition)).collect()
        };
        let targets: Vec<TopicIdPartition> = topics.iter().flat_map(of_topic).collect();
        let members = spec.members.len();
        Builder {
            spec,
            topics,
            desired_sharing: desired_sharing(members, targets.len()),
            desired_counts: desired_counts(members, targets.len()),
            new: spec.members.iter().map(|member| member.assignment.clone()).collect(),
            by_partition: JavaHashMap::for_mappings(targets.len()),
            by_member: vec![JavaHashSet::new(); members],
            unfilled: BTreeSet::new(),
            overfilled: BTreeSet::new(),
            targets,
        }
    }

    /// Takes away what nobody reads any more.
    fn revoke_unassignable(&mut self) {
        for (index, member) in self.spec.members.iter().enumerate() {
            for (topic, partitions) in walked(member.assignment) {
                if !self.topics.contains(&topic) {
                    self.new[index].remove(&topic);
                    continue;
                }
                for partition in partitions {
                    self.by_partition.entry((topic, partition), JavaHashSet::new).add(index);
                    self.by_member[index].add((topic, partition));
                }
            }
            let count = self.by_member[index].len();
            if count < self.desired_counts[index] {
                self.unfilled.insert(index);
            } else if count > self.desired_counts[index] {
                self.overfilled.insert(index);
            }
        }
    }

    /// Takes away from those who have too much.
    fn revoke_overfilled(&mut self) {
        for index in std::mem::take(&mut self.overfilled) {
            let surplus = self.by_member[index].len().saturating_sub(self.desired_counts[index]);
            for partition in self.by_member[index].keys().into_iter().take(surplus) {
                self.by_member[index].remove(&partition);
                if let Some(members) = self.by_partition.get_mut(&partition) {
                    members.remove(&index);
                }
                take(&mut self.new[index], partition);
            }
        }
    }

    /// Takes partitions away that too many have.
    fn revoke_overshared(&mut self) {
        for (partition, members) in self.by_partition.iter_mut() {
            let surplus = members.len().saturating_sub(self.desired_sharing);
            for index in members.keys().into_iter().take(surplus) {
                if take(&mut self.new[index], *partition) {
                    members.remove(&index);
                    self.by_member[index].remove(partition);
                    self.unfilled.insert(index);
                }
            }
        }
    }

    fn assign_remaining(&mut self) {
        for partition in &self.targets {
            self.by_partition.entry(*partition, JavaHashSet::new);
        }
        let unfilled: Vec<usize> = self.unfilled.iter().copied().collect();
        if unfilled.is_empty() {
            return;
        }
        let Builder { new, by_member, desired_counts, .. } = self;
        share_out(&mut self.by_partition, self.desired_sharing, unfilled, |index, (topic, partition)| {
            new[index].entry(*topic).or_default().insert(*partition);
            by_member[index].add((*topic, *partition));
            by_member[index].len() >= desired_counts[index]
        });
        // A topic of which a member has nothing any more is none of its topics.
        self.new.iter_mut().for_each(|partitions| partitions.retain(|_, of_topic| !of_topic.is_empty()));
    }
}

/// Takes a partition away; returns whether it was there.
fn take(partitions: &mut Partitions, (topic, partition): TopicIdPartition) -> bool {
    let Some(of_topic) = partitions.get_mut(&topic) else { return false };
    let was_there = of_topic.remove(&partition);
    if of_topic.is_empty() {
        partitions.remove(&topic);
    }
    was_there
}
