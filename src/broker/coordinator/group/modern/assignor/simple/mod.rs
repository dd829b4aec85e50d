//! Partitions that several members may have at once: each is given to as many as there are members for it, and each
//! member is given about as many (KIP-932; Kafka: `SimpleAssignor`). As few as can be are moved.

pub(super) mod heterogeneous;
pub(super) mod homogeneous;

use std::collections::BTreeSet;

use super::java_hash_map::{JavaHash, JavaHashMap, JavaHashSet};
use super::java_order;
use crate::broker::coordinator::group::modern::assignment::Partitions;
use crate::model::Uuid;

/// What a member had, as Java walks what came out of a record.
fn walked(assignment: &Partitions) -> Vec<(Uuid, Vec<i32>)> {
    let mut topics: Vec<(Uuid, Vec<i32>)> =
        assignment.iter().map(|(topic, partitions)| (*topic, walked_partitions(partitions))).collect();
    java_order::sort(&mut topics, |(topic, _)| java_order::of_uuid(topic));
    topics
}

fn walked_partitions(partitions: &BTreeSet<i32>) -> Vec<i32> {
    let mut walked: Vec<i32> = partitions.iter().copied().collect();
    let len = walked.len();
    java_order::sort_copied(&mut walked, len, |partition| *partition);
    walked
}

/// How many members have each partition, if all members have about as many partitions.
fn desired_sharing(members: usize, partitions: usize) -> usize {
    members.div_ceil(partitions.max(1)) * usize::from(partitions > 0)
}

/// How many partitions each of the members has.
fn desired_counts(members: usize, partitions: usize) -> Vec<usize> {
    let precise = (desired_sharing(members, partitions) * partitions) as f64 / members as f64;
    let until = |member: usize| (precise * member as f64).ceil() as usize;
    (0..members).map(|member| until(member + 1) - until(member)).collect()
}

/// Gives partitions that too few members have to members that have too few, who take turns. `give` returns whether a
/// member has enough then.
fn share_out<K: JavaHash + Clone>(
    partitions: &mut JavaHashMap<K, JavaHashSet<usize>>,
    desired_sharing: usize,
    mut unfilled: Vec<usize>,
    mut give: impl FnMut(usize, &K) -> bool,
) {
    let mut next = 0;
    let mut has_given = false;
    for (partition, members) in partitions.iter_mut() {
        let mut missing = desired_sharing.saturating_sub(members.len());
        while missing > 0 {
            if next >= unfilled.len() {
                // Nobody wanted it all the way round.
                if !has_given {
                    break;
                }
                next = 0;
                has_given = false;
                continue;
            }
            let member = unfilled[next];
            if members.contains(&member) {
                next += 1;
                continue;
            }
            missing -= 1;
            has_given = true;
            if give(member, partition) {
                unfilled.remove(next);
            } else {
                next += 1;
            }
        }
        if unfilled.is_empty() {
            break;
        }
    }
}
