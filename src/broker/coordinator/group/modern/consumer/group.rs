use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::member::ConsumerGroupMember;
use super::timers::MemberTimers;
use crate::broker::coordinator::group::modern::assignment::{Partitions, PartitionsWithEpochs};
use crate::broker::coordinator::group::modern::assignor::{SubscriptionType, java_order};
use crate::broker::coordinator::group::modern::group::{ModernGroup, SubscribedTopics};
use crate::model::{Timestamp, Uuid};

/// The topics that a pattern matches, as far as was looked (Kafka: `ResolvedRegularExpression`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::broker::coordinator::group) struct ResolvedRegularExpression {
    pub(in crate::broker::coordinator::group) topics: BTreeSet<Arc<str>>,
    /// Of the topics that were looked at.
    pub(in crate::broker::coordinator::group) version: i64,
    pub(in crate::broker::coordinator::group) timestamp: Timestamp,
}

/// How often each of some names occurs.
pub(in crate::broker::coordinator::group) type Counts = BTreeMap<Arc<str>, usize>;

/// A group whose members are told by heartbeats what to read (KIP-848; Kafka: `ConsumerGroup`).
///
/// It changes by [records](super::records) only: those that come from the log when it is loaded, and those that have
/// just been appended to it. What is not in the log are the deadlines.
#[derive(Clone, Debug)]
pub(in crate::broker::coordinator::group) struct ConsumerGroup {
    pub(in crate::broker::coordinator::group) modern: ModernGroup<ConsumerGroupMember>,
    /// From instance id to member id.
    pub(super) static_members: HashMap<Arc<str>, Arc<str>>,
    /// How many members prefer each assignor.
    pub(super) server_assignors: Counts,
    /// How many members subscribe to each pattern.
    pub(super) regexes: Counts,
    pub(super) resolved_regexes: BTreeMap<Arc<str>, ResolvedRegularExpression>,
    /// In which epoch its owner has each partition.
    pub(super) partition_epochs: HashMap<Uuid, HashMap<i32, i32>>,
    pub(super) classic_members: usize,
    /// How many of the classic members know each protocol.
    pub(super) classic_protocols: Counts,
    /// A record of a kind that older brokers wrote is to be removed from the log.
    pub(super) has_subscription_metadata_record: bool,
    pub(super) timers: HashMap<Arc<str>, MemberTimers>,
}

impl ConsumerGroup {
    pub(in crate::broker::coordinator::group) fn new() -> Self {
        ConsumerGroup {
            modern: ModernGroup::new(),
            static_members: HashMap::new(),
            server_assignors: Counts::new(),
            regexes: Counts::new(),
            resolved_regexes: BTreeMap::new(),
            partition_epochs: HashMap::new(),
            classic_members: 0,
            classic_protocols: Counts::new(),
            has_subscription_metadata_record: false,
            timers: HashMap::new(),
        }
    }

    pub(in crate::broker::coordinator::group) fn member(&self, id: &str) -> Option<&ConsumerGroupMember> {
        self.modern.members.get(id)
    }

    pub(in crate::broker::coordinator::group) fn members(
        &self,
    ) -> impl Iterator<Item = &ConsumerGroupMember> {
        self.modern.members.values()
    }

    pub(in crate::broker::coordinator::group) fn len(&self) -> usize {
        self.modern.members.len()
    }

    pub(in crate::broker::coordinator::group) fn is_empty(&self) -> bool {
        self.modern.members.is_empty()
    }

    pub(in crate::broker::coordinator::group) fn static_member(
        &self,
        instance_id: &str,
    ) -> Option<&ConsumerGroupMember> {
        self.member(self.static_members.get(instance_id)?)
    }

    /// What is meant for a member: of a static one that is back under another id, what was meant for it before.
    pub(super) fn target_of(&self, member: &ConsumerGroupMember) -> Option<&Partitions> {
        let id = match member.instance_id() {
            Some(instance_id) => self.static_members.get(instance_id)?,
            None => &member.id,
        };
        self.modern.target_of(id)
    }

    /// In which epoch somebody has the partition, if anybody has.
    pub(super) fn partition_epoch(&self, topic: Uuid, partition: i32) -> Option<i32> {
        self.partition_epochs.get(&topic)?.get(&partition).copied()
    }

    /// Puts a member in, or in the place of what it was.
    pub(super) fn put_member(&mut self, member: ConsumerGroupMember) {
        let before = self.modern.members.get(&member.id).cloned();
        if let Some(before) = &before {
            self.uncount(before);
        }
        self.count(&member);
        self.modern.members.insert(Arc::clone(&member.id), member);
    }

    pub(super) fn remove_member(&mut self, id: &str) {
        self.timers.remove(id);
        if let Some(member) = self.modern.members.remove(id) {
            self.uncount(&member);
        }
    }

    fn count(&mut self, member: &ConsumerGroupMember) {
        self.modern.subscribed_topics.add_names(&member.metadata.subscribed_topic_names);
        increment(&mut self.server_assignors, member.metadata.server_assignor.as_ref());
        increment(&mut self.regexes, member.regex());
        if let Some(instance_id) = member.instance_id() {
            self.static_members.insert(Arc::clone(instance_id), Arc::clone(&member.id));
        }
        self.classic_members += usize::from(member.uses_classic_protocol());
        for protocol in member.classic_protocols() {
            increment(&mut self.classic_protocols, Some(&protocol.name));
        }
        for (topic, partition) in owned(member) {
            self.partition_epochs.entry(topic).or_default().insert(partition, member.epoch);
        }
    }

    fn uncount(&mut self, member: &ConsumerGroupMember) {
        self.modern.subscribed_topics.remove_names(&member.metadata.subscribed_topic_names);
        decrement(&mut self.server_assignors, member.metadata.server_assignor.as_ref());
        decrement(&mut self.regexes, member.regex());
        if let Some(instance_id) = member.instance_id()
            && self.static_members.get(instance_id) == Some(&member.id)
        {
            self.static_members.remove(instance_id);
        }
        self.classic_members -= usize::from(member.uses_classic_protocol());
        for protocol in member.classic_protocols() {
            decrement(&mut self.classic_protocols, Some(&protocol.name));
        }
        for (topic, partition) in owned(member) {
            let Some(epochs) = self.partition_epochs.get_mut(&topic) else { continue };
            // Somebody else has it already, if compaction has taken away what came between.
            if epochs.get(&partition) == Some(&member.epoch) {
                epochs.remove(&partition);
            }
            if epochs.is_empty() {
                self.partition_epochs.remove(&topic);
            }
        }
    }

    /// The assignor that most members prefer, if any prefers one, when `updated` stands for `member`.
    pub(super) fn preferred_assignor(
        &self,
        member: Option<&ConsumerGroupMember>,
        updated: Option<&ConsumerGroupMember>,
    ) -> Option<Arc<str>> {
        let mut counts = self.server_assignors.clone();
        decrement(&mut counts, member.and_then(|member| member.metadata.server_assignor.as_ref()));
        increment(&mut counts, updated.and_then(|member| member.metadata.server_assignor.as_ref()));
        // Of two that as many prefer, the one that Java comes to first.
        let mut counts: Vec<(Arc<str>, usize)> = counts.into_iter().collect();
        java_order::sort(&mut counts, |(name, _)| java_order::of_string(name));
        counts.into_iter().rev().max_by_key(|(_, count)| *count).map(|(name, _)| name)
    }

    /// Whether all members read the same, if they subscribe to these patterns and topics.
    pub(super) fn subscription_type(
        regexes: &Counts,
        topics: &SubscribedTopics,
        members: usize,
    ) -> SubscriptionType {
        let Some(count) = regexes.values().next() else { return topics.subscription_type(members) };
        let is_of_one_regex =
            *count == members && topics.counts().all(|count| count.by_regex == 1 && count.by_name == 0);
        match is_of_one_regex {
            true => SubscriptionType::Homogeneous,
            false => SubscriptionType::Heterogeneous,
        }
    }

    /// Whether every member but those that `is_excepted` says uses the classic protocol, and there is one.
    pub(super) fn is_classic_except(&self, is_excepted: impl Fn(&ConsumerGroupMember) -> bool) -> bool {
        let mut others = self.members().filter(|member| !is_excepted(member)).peekable();
        others.peek().is_some() && others.all(ConsumerGroupMember::uses_classic_protocol)
    }

    /// Whether a classic member that knows these protocols may join.
    pub(super) fn supports_classic_protocols<'n>(&self, mut names: impl Iterator<Item = &'n str>) -> bool {
        if self.is_empty() {
            return names.next().is_some();
        }
        names.any(|name| self.classic_protocols.get(name).copied().unwrap_or(0) == self.classic_members)
    }
}

/// The partitions that a member has, those that it is to give back included.
fn owned(member: &ConsumerGroupMember) -> impl Iterator<Item = (Uuid, i32)> {
    let all = |partitions: &PartitionsWithEpochs| -> Vec<(Uuid, i32)> {
        let of_topic = |(topic, partitions): (&Uuid, &BTreeMap<i32, i32>)| -> Vec<(Uuid, i32)> {
            partitions.keys().map(|partition| (*topic, *partition)).collect()
        };
        partitions.iter().flat_map(of_topic).collect()
    };
    all(&member.assigned).into_iter().chain(all(&member.pending_revocation))
}

pub(super) fn increment(counts: &mut Counts, name: Option<&Arc<str>>) {
    if let Some(name) = name {
        *counts.entry(Arc::clone(name)).or_default() += 1;
    }
}

pub(super) fn decrement(counts: &mut Counts, name: Option<&Arc<str>>) {
    if let Some(name) = name
        && let Some(count) = counts.get_mut(name)
    {
        *count -= 1;
        if *count == 0 {
            counts.remove(name);
        }
    }
}
