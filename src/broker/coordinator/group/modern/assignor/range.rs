//! Kafka: `RangeAssignor`.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::{GroupSpec, MemberSpec};
use crate::broker::coordinator::group::modern::assignment::Partitions;
use crate::model::Uuid;

/// What is left of a topic while its partitions are handed out.
struct Topic {
    subscribers: i32,
    next: i32,
    /// How many of the members still get one partition more than the others.
    extra: i32,
    quota: i32,
}

pub(super) fn assign<'a>(spec: &GroupSpec<'a>) -> BTreeMap<&'a str, Partitions> {
    let mut members: Vec<&MemberSpec<'a>> = spec.members.iter().collect();
    members.sort_by(|a, b| in_order(a, b));
    let mut topics: BTreeMap<Uuid, Topic> = BTreeMap::new();
    for topic in members.iter().flat_map(|member| &member.topics) {
        let topic = topics.entry(*topic).or_insert(Topic { subscribers: 0, next: 0, extra: 0, quota: 0 });
        topic.subscribers += 1;
    }
    for (id, topic) in &mut topics {
        topic.quota = spec.num_partitions(*id) / topic.subscribers;
        topic.extra = spec.num_partitions(*id) % topic.subscribers;
    }
    let mut assignment = BTreeMap::new();
    for member in members {
        let mut partitions = Partitions::new();
        for id in &member.topics {
            let Some(topic) = topics.get_mut(id) else { continue };
            let end = topic.next + topic.quota + i32::from(topic.extra > 0);
            topic.extra -= 1;
            if topic.next < end {
                partitions.insert(*id, (topic.next..end).collect());
                topic.next = end;
            }
        }
        assignment.insert(member.id, partitions);
    }
    assignment
}

/// Static members first, by their instance, so that what they get does not hang on ids that change.
fn in_order(a: &MemberSpec<'_>, b: &MemberSpec<'_>) -> Ordering {
    match (a.instance_id, b.instance_id) {
        (Some(a), Some(b)) => a.cmp(b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.id.cmp(b.id),
    }
}
