use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::assignment::Partitions;
use super::assignor::SubscriptionType;
use super::member_state::MemberState;
use crate::model::Timestamp;

/// The first epoch of a group, before anybody is in it.
pub(in super::super) const INITIAL_EPOCH: i32 = 1;

/// What members of all groups have whose broker assigns partitions (Kafka: `ModernGroupMember`).
pub(in super::super) trait ModernGroupMember {
    fn epoch(&self) -> i32;
    fn state(&self) -> MemberState;

    /// Whether it has all that is meant for it by a target assignment.
    fn is_reconciled_to(&self, assignment_epoch: i32) -> bool {
        self.state() == MemberState::Stable && self.epoch() == assignment_epoch
    }
}

/// By how many members, and by how many patterns, a topic is asked for (Kafka: `SubscriptionCount`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct SubscriptionCount {
    pub(in super::super) by_name: usize,
    pub(in super::super) by_regex: usize,
}

/// How often each topic is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct SubscribedTopics(BTreeMap<Arc<str>, SubscriptionCount>);

impl SubscribedTopics {
    pub(in super::super) fn add_names(&mut self, names: &BTreeSet<Arc<str>>) {
        for name in names {
            self.0.entry(Arc::clone(name)).or_default().by_name += 1;
        }
    }

    pub(in super::super) fn remove_names(&mut self, names: &BTreeSet<Arc<str>>) {
        self.change(names, |count| count.by_name = count.by_name.saturating_sub(1));
    }

    pub(in super::super) fn add_matches(&mut self, names: &BTreeSet<Arc<str>>) {
        for name in names {
            self.0.entry(Arc::clone(name)).or_default().by_regex += 1;
        }
    }

    pub(in super::super) fn remove_matches(&mut self, names: &BTreeSet<Arc<str>>) {
        self.change(names, |count| count.by_regex = count.by_regex.saturating_sub(1));
    }

    fn change(&mut self, names: &BTreeSet<Arc<str>>, change: impl Fn(&mut SubscriptionCount)) {
        for name in names {
            if let Some(count) = self.0.get_mut(name) {
                change(count);
                if *count == SubscriptionCount::default() {
                    self.0.remove(name);
                }
            }
        }
    }

    pub(in super::super) fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.0.keys()
    }

    pub(in super::super) fn counts(&self) -> impl Iterator<Item = SubscriptionCount> {
        self.0.values().copied()
    }

    pub(in super::super) fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether `members` members all name the same topics.
    pub(in super::super) fn subscription_type(&self, members: usize) -> SubscriptionType {
        if self.counts().all(|count| count.by_name == members) {
            SubscriptionType::Homogeneous
        } else {
            SubscriptionType::Heterogeneous
        }
    }
}

/// Which target assignment there is (Kafka: `TargetAssignmentMetadata`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct TargetAssignmentMetadata {
    pub(in super::super) epoch: i32,
    /// When it was computed; 0 if the next may be at once.
    pub(in super::super) timestamp: Timestamp,
}

/// What all groups have whose broker assigns partitions (Kafka: `ModernGroup`): an epoch that grows with every change
/// of members, subscriptions or topics, and the assignment that its members are moving towards.
#[derive(Clone, Debug)]
pub(in super::super) struct ModernGroup<M> {
    pub(in super::super) epoch: i32,
    pub(in super::super) members: BTreeMap<Arc<str>, M>,
    pub(in super::super) subscribed_topics: SubscribedTopics,
    pub(in super::super) metadata_hash: i64,
    pub(in super::super) target: TargetAssignmentMetadata,
    pub(in super::super) target_assignment: BTreeMap<Arc<str>, Partitions>,
    /// The version of the topics that the group was last compared with; `None` if that is to be done.
    pub(in super::super) topics_version: Option<u64>,
}

impl<M: ModernGroupMember> ModernGroup<M> {
    pub(in super::super) fn new() -> Self {
        ModernGroup {
            epoch: INITIAL_EPOCH,
            members: BTreeMap::new(),
            subscribed_topics: SubscribedTopics::default(),
            metadata_hash: 0,
            target: TargetAssignmentMetadata { epoch: INITIAL_EPOCH, timestamp: 0 },
            target_assignment: BTreeMap::new(),
            topics_version: None,
        }
    }

    /// What is meant for a member.
    pub(in super::super) fn target_of(&self, member_id: &str) -> Option<&Partitions> {
        self.target_assignment.get(member_id)
    }

    pub(in super::super) fn state(&self) -> ModernGroupState {
        if self.members.is_empty() {
            ModernGroupState::Empty
        } else if self.epoch > self.target.epoch {
            ModernGroupState::Assigning
        } else if self.members.values().all(|member| member.is_reconciled_to(self.target.epoch)) {
            ModernGroupState::Stable
        } else {
            ModernGroupState::Reconciling
        }
    }
}

/// Where such a group stands (Kafka: `ConsumerGroupState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum ModernGroupState {
    Empty,
    /// A new target assignment is due.
    Assigning,
    /// Members are on their way to it.
    Reconciling,
    Stable,
}
