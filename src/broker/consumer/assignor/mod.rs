//! Who of a group reads which partition. The leader of a group computes it for all members, remote ones included.

mod range;
mod round_robin;
mod sticky;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::{BufMut, Bytes};

use super::protocol::{Subscription, encode_sticky_user_data};
use crate::model::TopicPartition;

/// How the partitions of a group's topics are spread over its members. All members must know one in common; of
/// those, the one is taken that most of them prefer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PartitionAssignor {
    /// Each topic on its own is cut into ranges of neighbouring partitions, so that members get the same partitions
    /// of topics with equally many. Kafka: `RangeAssignor`, `range`.
    Range,
    /// All partitions of all topics are dealt out in turn. Kafka: `RoundRobinAssignor`, `roundrobin`.
    RoundRobin,
    /// As even as can be, and members keep what they have as far as possible. Kafka: `StickyAssignor`, `sticky`.
    Sticky,
    /// The same, and members go on reading what they keep while the group rebalances. All members of a group must
    /// use it, and no other, for that. Kafka: `CooperativeStickyAssignor`, `cooperative-sticky`.
    CooperativeSticky,
}

/// A member as its leader sees it.
#[derive(Clone, Debug)]
pub(super) struct GroupMember {
    pub(super) id: Arc<str>,
    pub(super) instance_id: Option<Arc<str>>,
    pub(super) subscription: Subscription,
}

/// What each member is to read, by member id; all members are there.
pub(super) type Assignments = BTreeMap<Arc<str>, Vec<TopicPartition>>;

/// How many partitions each topic has; topics that do not exist are not there.
pub(super) type PartitionCounts = BTreeMap<String, i32>;

impl PartitionAssignor {
    const ALL: [PartitionAssignor; 4] = [
        PartitionAssignor::Range,
        PartitionAssignor::RoundRobin,
        PartitionAssignor::Sticky,
        PartitionAssignor::CooperativeSticky,
    ];

    /// The name that members agree on.
    pub fn name(self) -> &'static str {
        match self {
            PartitionAssignor::Range => "range",
            PartitionAssignor::RoundRobin => "roundrobin",
            PartitionAssignor::Sticky => "sticky",
            PartitionAssignor::CooperativeSticky => "cooperative-sticky",
        }
    }

    /// The assignor of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|assignor| assignor.name() == name)
    }

    /// Whether members keep reading during a rebalance (KIP-429).
    pub(super) fn is_cooperative(self) -> bool {
        self == PartitionAssignor::CooperativeSticky
    }

    /// What a member says beside its subscription.
    pub(super) fn user_data(self, owned: &[TopicPartition], generation_id: i32) -> Option<Bytes> {
        match self {
            PartitionAssignor::Range | PartitionAssignor::RoundRobin => None,
            PartitionAssignor::Sticky if owned.is_empty() => None,
            PartitionAssignor::Sticky => Some(encode_sticky_user_data(owned, generation_id)),
            PartitionAssignor::CooperativeSticky => {
                let mut out = Vec::with_capacity(4);
                out.put_i32(generation_id);
                Some(out.into())
            }
        }
    }

    /// Spreads the partitions.
    pub(super) fn assign(self, members: &[GroupMember], counts: &PartitionCounts) -> Assignments {
        let mut assigned = match self {
            PartitionAssignor::Range => range::assign(members, counts),
            PartitionAssignor::RoundRobin => round_robin::assign(members, counts),
            PartitionAssignor::Sticky => sticky::assign(members, counts, sticky::claims_of_sticky_members),
            PartitionAssignor::CooperativeSticky => sticky::assign_cooperatively(members, counts),
        };
        for member in members {
            assigned.entry(Arc::clone(&member.id)).or_default();
        }
        assigned
    }
}

/// Every topic that somebody wants and that exists, with its number of partitions, sorted by name.
fn subscribed_topics<'a>(members: &[GroupMember], counts: &'a PartitionCounts) -> Vec<(&'a str, i32)> {
    let is_wanted = |topic: &str| members.iter().any(|member| member.wants(topic));
    counts
        .iter()
        .filter(|(topic, _)| is_wanted(topic))
        .map(|(topic, count)| (topic.as_str(), *count))
        .collect()
}

/// The members in the order in which partitions are dealt: static ones first, by their instance id, which stays
/// over restarts; the others by the id that the coordinator gave them (Kafka: `AbstractPartitionAssignor.MemberInfo`).
fn sorted(members: &[GroupMember]) -> Vec<&GroupMember> {
    let mut sorted: Vec<&GroupMember> = members.iter().collect();
    sorted.sort_by(|a, b| match (&a.instance_id, &b.instance_id) {
        (Some(a), Some(b)) => a.cmp(b),
        (Some(_), None) => std::cmp::Ordering::Less,
        (None, Some(_)) => std::cmp::Ordering::Greater,
        (None, None) => a.id.cmp(&b.id),
    });
    sorted
}

impl GroupMember {
    fn wants(&self, topic: &str) -> bool {
        self.subscription.topics.iter().any(|wanted| wanted == topic)
    }
}
