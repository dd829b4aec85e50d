//! Kafka: `SimpleHeterogeneousAssignmentBuilder`: topic by topic, among those who read it.

use std::collections::{BTreeMap, BTreeSet};

use super::{JavaHashMap, JavaHashSet, desired_counts, desired_sharing, share_out, walked_partitions};
use crate::broker::coordinator::group::modern::assignment::Partitions;
use crate::broker::coordinator::group::modern::assignor::GroupSpec;
use crate::model::Uuid;

pub(in super::super) fn assign<'a>(spec: &GroupSpec<'a>) -> BTreeMap<&'a str, Partitions> {
    let topics: BTreeSet<Uuid> =
        spec.members.iter().flat_map(|member| member.topics.iter().copied()).collect();
    if topics.is_empty() {
        return BTreeMap::new();
    }
    let mut new: Vec<Partitions> = spec.members.iter().map(|member| member.assignment.clone()).collect();
    for topic in topics {
        let mut builder = Builder::new(spec, topic, &mut new);
        builder.keep_assigned();
        builder.revoke_overfilled();
        builder.revoke_overshared();
        builder.assign_remaining();
    }
    new.iter_mut().for_each(|partitions| partitions.retain(|_, of_topic| !of_topic.is_empty()));
    spec.members.iter().map(|member| member.id).zip(new).collect()
}

struct Builder<'s, 'a> {
    spec: &'s GroupSpec<'a>,
    topic: Uuid,
    new: &'s mut Vec<Partitions>,
    targets: Vec<i32>,
    /// Who reads the topic.
    subscribed: Vec<usize>,
    desired_sharing: usize,
    /// 0 of who does not read it.
    desired_counts: Vec<usize>,
    by_partition: JavaHashMap<i32, JavaHashSet<usize>>,
    by_member: Vec<JavaHashSet<i32>>,
}

impl<'s, 'a> Builder<'s, 'a> {
    fn new(spec: &'s GroupSpec<'a>, topic: Uuid, new: &'s mut Vec<Partitions>) -> Self {
        let all = 0..spec.num_partitions(topic);
        let targets: Vec<i32> = all.filter(|partition| spec.is_assignable(topic, *partition)).collect();
        let reads = |index: &usize| spec.members[*index].topics.contains(&topic);
        let subscribed: Vec<usize> = (0..spec.members.len()).filter(reads).collect();
        let mut counts = vec![0; spec.members.len()];
        for (index, count) in subscribed.iter().zip(desired_counts(subscribed.len(), targets.len())) {
            counts[*index] = count;
        }
        Builder {
            spec,
            topic,
            new,
            desired_sharing: desired_sharing(subscribed.len(), targets.len()),
            desired_counts: counts,
            by_partition: JavaHashMap::for_mappings(targets.len()),
            by_member: vec![JavaHashSet::new(); spec.members.len()],
            targets,
            subscribed,
        }
    }

    fn keep_assigned(&mut self) {
        for (index, member) in self.spec.members.iter().enumerate() {
            let had = member.assignment.get(&self.topic).map(walked_partitions);
            for partition in had.into_iter().flatten() {
                self.by_partition.entry(partition, JavaHashSet::new).add(index);
                self.by_member[index].add(partition);
            }
        }
    }

    fn revoke_overfilled(&mut self) {
        for index in 0..self.by_member.len() {
            let surplus = self.by_member[index].len().saturating_sub(self.desired_counts[index]);
            for partition in self.by_member[index].keys().into_iter().take(surplus) {
                self.by_member[index].remove(&partition);
                if let Some(members) = self.by_partition.get_mut(&partition) {
                    members.remove(&index);
                }
                if let Some(of_topic) = self.new[index].get_mut(&self.topic) {
                    of_topic.remove(&partition);
                }
            }
        }
    }

    fn revoke_overshared(&mut self) {
        for (partition, members) in self.by_partition.iter_mut() {
            let surplus = members.len().saturating_sub(self.desired_sharing);
            for index in members.keys().into_iter().take(surplus) {
                let of_topic = self.new[index].get_mut(&self.topic);
                if of_topic.is_some_and(|of_topic| of_topic.remove(partition)) {
                    members.remove(&index);
                    self.by_member[index].remove(partition);
                }
            }
        }
    }

    fn assign_remaining(&mut self) {
        for partition in &self.targets {
            self.by_partition.entry(*partition, || JavaHashSet::for_mappings(self.subscribed.len()));
        }
        let is_unfilled = |index: &usize| self.by_member[*index].len() < self.desired_counts[*index];
        let unfilled: Vec<usize> = self.subscribed.iter().copied().filter(is_unfilled).collect();
        let Builder { topic, new, by_member, desired_counts, .. } = self;
        share_out(&mut self.by_partition, self.desired_sharing, unfilled, |index, partition| {
            new[index].entry(*topic).or_default().insert(*partition);
            by_member[index].add(*partition);
            by_member[index].len() >= desired_counts[index]
        });
    }
}
