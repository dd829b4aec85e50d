//! Even, and with as few changes as possible (Kafka: `AbstractStickyAssignor`; another algorithm to the same ends).

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::Buf;

use super::{Assignments, GroupMember, PartitionCounts, sorted, subscribed_topics};
use crate::broker::consumer::protocol::{NO_GENERATION, decode_sticky_user_data};
use crate::model::TopicPartition;

/// What a member says it has, and since which generation.
type Claims = (Vec<TopicPartition>, i32);

/// Members of `sticky` give everything back before they join, and say in their user data what they had.
pub(super) fn claims_of_sticky_members(member: &GroupMember) -> Claims {
    match member.subscription.user_data.as_deref().map(decode_sticky_user_data) {
        Some(Ok(claims)) => claims,
        // Nothing is known of it, so it claims nothing.
        Some(Err(_)) | None => (Vec::new(), NO_GENERATION),
    }
}

/// Members of `cooperative-sticky` still have what they say they own.
fn claims_of_cooperative_members(member: &GroupMember) -> Claims {
    let subscription = &member.subscription;
    let owned = subscription.owned_partitions.clone();
    if subscription.generation_id != NO_GENERATION {
        return (owned, subscription.generation_id);
    }
    // Before version 2 of the subscription, the generation is in the user data: alone as Apache Kafka writes it, or
    // at the end of what `sticky` has there, as librdkafka does.
    let generation = subscription.user_data.as_deref().and_then(|mut data| match data.len() {
        4 => data.try_get_i32().ok(),
        _ => decode_sticky_user_data(data).ok().map(|(_, generation)| generation),
    });
    (owned, generation.unwrap_or(NO_GENERATION))
}

/// Spreads the partitions, and leaves out those that somebody else still has: it gives them up on seeing this
/// assignment, and they go to the new one in the rebalance after (Kafka: `CooperativeStickyAssignor`).
pub(super) fn assign_cooperatively(members: &[GroupMember], counts: &PartitionCounts) -> Assignments {
    let mut assigned = assign(members, counts, claims_of_cooperative_members);
    let mut owners: HashMap<TopicPartition, HashSet<&Arc<str>>> = HashMap::new();
    for member in members {
        for tp in &member.subscription.owned_partitions {
            owners.entry(tp.clone()).or_default().insert(&member.id);
        }
    }
    for (id, partitions) in &mut assigned {
        partitions.retain(|tp| owners.get(tp).is_none_or(|owners| owners.contains(id)));
    }
    assigned
}

pub(super) fn assign(
    members: &[GroupMember],
    counts: &PartitionCounts,
    claims: impl Fn(&GroupMember) -> Claims,
) -> Assignments {
    let members = Spread::new(members, counts, claims).balanced();
    members.into_iter().map(|(member, partitions)| (Arc::clone(&member.id), partitions)).collect()
}

/// Members, and what each has so far. What a member had before stands in front of what is new to it.
struct Spread<'a> {
    members: Vec<(&'a GroupMember, Vec<TopicPartition>)>,
}

impl<'a> Spread<'a> {
    /// Everything is given to somebody: to who claims it with right, or to who has least.
    fn new(
        members: &'a [GroupMember],
        counts: &PartitionCounts,
        claims: impl Fn(&GroupMember) -> Claims,
    ) -> Self {
        let in_order = sorted(members);
        let mut owners = rightful_owners(&in_order, claims);
        let mut spread =
            Spread { members: in_order.into_iter().map(|member| (member, Vec::new())).collect() };
        let mut free = Vec::new();
        for (topic, count) in subscribed_topics(members, counts) {
            let name: Arc<str> = topic.into();
            for tp in (0..count).map(|number| TopicPartition::new(Arc::clone(&name), number)) {
                let owner = owners.remove(&tp).and_then(|owner| spread.members.get_mut(owner));
                match owner.filter(|(member, _)| member.wants(topic)) {
                    Some((_, partitions)) => partitions.push(tp),
                    None => free.push(tp),
                }
            }
        }
        for tp in free {
            let readers = spread.members.iter_mut().filter(|(member, _)| member.wants(tp.topic()));
            if let Some((_, partitions)) = readers.min_by_key(|(_, partitions)| partitions.len()) {
                partitions.push(tp);
            }
        }
        spread
    }

    /// Moves partitions from who has more to who has less, as long as the two differ by more than one. Each move
    /// lowers the sum of the squares of their numbers, so it ends.
    fn balanced(mut self) -> Vec<(&'a GroupMember, Vec<TopicPartition>)> {
        while self.move_one() {}
        self.members
    }

    fn move_one(&mut self) -> bool {
        let mut by_load: Vec<usize> = (0..self.members.len()).collect();
        by_load.sort_by_key(|i| Reverse(self.load(*i)));
        for from in &by_load {
            for to in by_load.iter().rev() {
                if self.load(*to) + 1 >= self.load(*from) {
                    break;
                }
                if self.hand_over(*from, *to) {
                    return true;
                }
            }
        }
        false
    }

    fn load(&self, i: usize) -> usize {
        self.members.get(i).map_or(0, |(_, partitions)| partitions.len())
    }

    fn hand_over(&mut self, from: usize, to: usize) -> bool {
        let Some((receiver, _)) = self.members.get(to) else { return false };
        let receiver = *receiver;
        let Some((_, partitions)) = self.members.get_mut(from) else { return false };
        // From the end: what it did not have before goes first.
        let Some(at) = partitions.iter().rposition(|tp| receiver.wants(tp.topic())) else { return false };
        let tp = partitions.remove(at);
        if let Some((_, partitions)) = self.members.get_mut(to) {
            partitions.push(tp);
        }
        true
    }
}

/// Who has what: of several who say so, the one of the latest generation; nobody, if two of one generation do.
fn rightful_owners(
    members: &[&GroupMember],
    claims: impl Fn(&GroupMember) -> Claims,
) -> HashMap<TopicPartition, usize> {
    let mut latest: HashMap<TopicPartition, (i32, Option<usize>)> = HashMap::new();
    for (i, member) in members.iter().enumerate() {
        let (partitions, generation) = claims(member);
        for tp in partitions {
            let claim = latest.entry(tp).or_insert((generation, Some(i)));
            if generation > claim.0 {
                *claim = (generation, Some(i));
            } else if generation == claim.0 && claim.1 != Some(i) {
                claim.1 = None;
            }
        }
    }
    latest.into_iter().filter_map(|(tp, (_, owner))| owner.map(|owner| (tp, owner))).collect()
}
