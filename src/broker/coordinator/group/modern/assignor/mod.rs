//! How the partitions of subscribed topics are spread over the members of a group, on the broker (Kafka:
//! `ConsumerGroupPartitionAssignor`).
//!
//! Each gives the very assignment that Kafka gives for the same members, topics and assignment before, so that a group
//! that moves between the two does not move partitions. Where Kafka's outcome hangs on the order in which a Java hash
//! map is walked, [`java_order`] walks in that order.

mod heterogeneous;
mod homogeneous;
mod java_hash_map;
pub(super) mod java_order;
mod range;
mod simple;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::assignment::Partitions;
use crate::model::Uuid;

/// Whether all members read the same topics (Kafka: `SubscriptionType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum SubscriptionType {
    Homogeneous,
    Heterogeneous,
}

/// A member as an assignor sees it.
#[derive(Clone, Debug)]
pub(in super::super) struct MemberSpec<'a> {
    pub(in super::super) id: &'a str,
    pub(in super::super) instance_id: Option<&'a str>,
    /// Those of its topics that exist.
    pub(in super::super) topics: Vec<Uuid>,
    /// What was meant for it until now.
    pub(in super::super) assignment: &'a Partitions,
}

/// What there is to share out, and among whom (Kafka: `GroupSpec`, `SubscribedTopicDescriber`).
#[derive(Clone, Debug)]
pub(in super::super) struct GroupSpec<'a> {
    members: Vec<MemberSpec<'a>>,
    subscription_type: SubscriptionType,
    /// The number of partitions of each topic that somebody reads.
    topics: &'a BTreeMap<Uuid, i32>,
    /// Those that can be assigned, if that is not all.
    assignable: Option<&'a Partitions>,
}

impl<'a> GroupSpec<'a> {
    pub(in super::super) fn new(
        mut members: Vec<MemberSpec<'a>>,
        subscription_type: SubscriptionType,
        topics: &'a BTreeMap<Uuid, i32>,
    ) -> Self {
        java_order::sort(&mut members, |member| java_order::of_string(member.id));
        GroupSpec { members, subscription_type, topics, assignable: None }
    }

    /// The same, of which only these partitions can be assigned.
    pub(in super::super) fn with_assignable(self, assignable: &'a Partitions) -> Self {
        GroupSpec { assignable: Some(assignable), ..self }
    }

    fn is_assignable(&self, topic: Uuid, partition: i32) -> bool {
        let is_among = |all: &Partitions| all.get(&topic).is_some_and(|all| all.contains(&partition));
        self.assignable.is_none_or(is_among)
    }

    fn num_partitions(&self, topic: Uuid) -> i32 {
        self.topics.get(&topic).copied().unwrap_or(0)
    }
}

/// An assignor by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Assignor {
    /// As many partitions for each as can be, and as few of them moved.
    Uniform,
    /// Partitions next to each other, and the same numbers of different topics, go to the same member.
    Range,
    /// Each partition for as many members as there are too many of them; of share groups.
    Simple,
}

impl Assignor {
    pub(in super::super) fn of_name(name: &str) -> Option<Self> {
        match name {
            "uniform" => Some(Assignor::Uniform),
            "range" => Some(Assignor::Range),
            "simple" => Some(Assignor::Simple),
            _ => None,
        }
    }

    /// What each member is to have.
    pub(in super::super) fn assign<'a>(self, spec: &GroupSpec<'a>) -> BTreeMap<&'a str, Partitions> {
        if spec.members.is_empty() {
            return BTreeMap::new();
        }
        match (self, spec.subscription_type) {
            (Assignor::Uniform, SubscriptionType::Homogeneous) => homogeneous::assign(spec),
            (Assignor::Uniform, SubscriptionType::Heterogeneous) => heterogeneous::assign(spec),
            (Assignor::Range, _) => range::assign(spec),
            (Assignor::Simple, SubscriptionType::Homogeneous) => simple::homogeneous::assign(spec),
            (Assignor::Simple, SubscriptionType::Heterogeneous) => simple::heterogeneous::assign(spec),
        }
    }
}
