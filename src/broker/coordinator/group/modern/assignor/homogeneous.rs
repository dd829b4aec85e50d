//! Kafka: `UniformHomogeneousAssignmentBuilder`.

use std::collections::{BTreeMap, BTreeSet};

use super::{GroupSpec, java_order};
use crate::broker::coordinator::group::modern::assignment::Partitions;
use crate::model::Uuid;

pub(super) fn assign<'a>(spec: &GroupSpec<'a>) -> BTreeMap<&'a str, Partitions> {
    let Some(first) = spec.members.first() else { return BTreeMap::new() };
    let mut topics = first.topics.clone();
    java_order::sort_copied(&mut topics, first.topics.len(), java_order::of_uuid);
    let subscribed: BTreeSet<Uuid> = topics.iter().copied().collect();
    if topics.is_empty() {
        return BTreeMap::new();
    }
    let assigned: BTreeSet<(Uuid, i32)> =
        spec.members.iter().flat_map(|member| all_of(member.assignment)).collect();
    let mut unassigned = Vec::new();
    let mut total = 0;
    for topic in topics {
        let count = spec.num_partitions(topic);
        unassigned.extend(
            (0..count).map(|partition| (topic, partition)).filter(|partition| !assigned.contains(partition)),
        );
        total += usize::try_from(count).unwrap_or(0);
    }
    let member_count = spec.members.len();
    let mut shares = Shares { quota: total / member_count, extra: total % member_count };
    let mut assignment = BTreeMap::new();
    let mut unfilled = Vec::new();
    for (index, member) in spec.members.iter().enumerate() {
        let mut kept = Partitions::new();
        let room = shares.keep(
            member_count - index,
            in_java_order(member.assignment, &subscribed),
            |partition, is_kept| match is_kept {
                true => _ = kept.entry(partition.0).or_default().insert(partition.1),
                false => unassigned.push(partition),
            },
        );
        if room > 0 {
            unfilled.push((member.id, room));
        }
        assignment.insert(member.id, kept);
    }
    let mut unassigned = unassigned.into_iter();
    for (id, room) in unfilled {
        let partitions = assignment.entry(id).or_default();
        for (topic, partition) in unassigned.by_ref().take(room) {
            partitions.entry(topic).or_default().insert(partition);
        }
    }
    assignment
}

fn all_of(partitions: &Partitions) -> impl Iterator<Item = (Uuid, i32)> {
    partitions.iter().flat_map(|(topic, partitions)| partitions.iter().map(|partition| (*topic, *partition)))
}

/// The topics of an assignment that are still subscribed to, with their partitions, as Java walks them.
fn in_java_order(assignment: &Partitions, subscribed: &BTreeSet<Uuid>) -> Vec<(Uuid, Vec<i32>)> {
    let mut topics: Vec<_> = assignment.iter().collect();
    java_order::sort(&mut topics, |(topic, _)| java_order::of_uuid(topic));
    topics.retain(|(topic, _)| subscribed.contains(topic));
    let ordered = topics.into_iter().map(|(topic, partitions)| {
        let mut partitions: Vec<i32> = partitions.iter().copied().collect();
        let len = partitions.len();
        java_order::sort_copied(&mut partitions, len, |partition| *partition);
        (*topic, partitions)
    });
    ordered.collect()
}

/// How many partitions each of the members that are left gets, and how many of them get one more.
struct Shares {
    quota: usize,
    extra: usize,
}

impl Shares {
    /// Lets a member keep what is its share, and tells of each partition whether it is. Returns how many it lacks.
    fn keep(
        &mut self,
        members_left: usize,
        assignment: Vec<(Uuid, Vec<i32>)>,
        mut decide: impl FnMut((Uuid, i32), bool),
    ) -> usize {
        let mut has_extra = self.extra > 0;
        let mut room = self.quota + usize::from(has_extra);
        for (topic, partitions) in assignment {
            for partition in partitions {
                decide((topic, partition), room > 0);
                room = room.saturating_sub(1);
            }
        }
        // Another member that has one more already may keep it, if there are enough members left to choose from.
        if room > 0 && has_extra && members_left > self.extra {
            room -= 1;
            has_extra = false;
        }
        self.extra -= usize::from(has_extra);
        room
    }
}
