//! What follows from what a member says: the group's epoch, the target assignment, and the member's next step.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::current_assignment::Reconciliation;
use super::group::{ConsumerGroup, Counts, ResolvedRegularExpression, decrement, increment};
use super::heartbeat::GroupError;
use super::member::ConsumerGroupMember;
use super::news::Cause;
use crate::broker::coordinator::group::config::GroupConfig;
use crate::broker::coordinator::group::member::millis;
use crate::broker::coordinator::group::modern::assignment::{Partitions, PartitionsWithEpochs};
use crate::broker::coordinator::group::modern::assignor::SubscriptionType;
use crate::broker::coordinator::group::modern::group::{ModernGroupMember, SubscribedTopics};
use crate::broker::coordinator::group::modern::member_state::MemberState;
use crate::broker::coordinator::group::modern::topics::{CoordinatorMetadataImage, metadata_hash};
use crate::broker::coordinator::group::record::{ConsumerGroupRecord, GroupEpoch};
use crate::model::{ErrorCode, Timestamp};

/// What an update depends on beside the group.
pub(super) struct Surroundings<'a> {
    pub(super) image: &'a dyn CoordinatorMetadataImage,
    pub(super) config: &'a GroupConfig,
    pub(super) assignment_interval_ms: i32,
    pub(super) now_ms: Timestamp,
}

impl Surroundings<'_> {
    pub(super) fn default_assignor(&self) -> &str {
        self.config.group_consumer_assignors.first().map_or("uniform", String::as_str)
    }
}

/// What is to be written, and to be done once it is.
#[derive(Default)]
pub(super) struct Update {
    pub(super) records: Vec<ConsumerGroupRecord>,
    /// The record of the classic group that this one was is to be removed before.
    pub(super) removes_classic: bool,
    /// The id that a static member had before.
    pub(super) replaced: Option<Arc<str>>,
    /// The group was compared with the topics that there are.
    pub(super) is_compared: bool,
    /// How long the member has to give partitions back, from now; `Some(None)` if it need not any more.
    pub(super) rebalance_deadline: Option<Option<Duration>>,
    pub(super) assigned_before: PartitionsWithEpochs,
    /// What raises the epoch of the group, if that is raised.
    pub(super) causes: Vec<Cause>,
    /// Patterns that were looked up anew.
    pub(super) resolved: BTreeMap<Arc<str>, ResolvedRegularExpression>,
}

/// The group after the change of a member's subscription.
pub(super) struct Subscriptions {
    pub(super) epoch: i32,
    pub(super) subscription_type: SubscriptionType,
}

impl Update {
    /// A static member has another id now, and has what it had.
    pub(super) fn replace_member(
        &mut self,
        group: &ConsumerGroup,
        existing: &ConsumerGroupMember,
        new_id: &Arc<str>,
    ) -> ConsumerGroupMember {
        let mut member = existing.clone();
        member.id = Arc::clone(new_id);
        member.epoch = 0;
        member.previous_epoch = 0;
        self.records.extend(existing.tombstones());
        self.records.push(member.metadata_record());
        let target = group.modern.target_of(&existing.id).cloned().unwrap_or_default();
        self.records.push(ConsumerGroupRecord::Target(Arc::clone(new_id), Some(target)));
        self.records.push(member.current_record());
        self.replaced = Some(Arc::clone(&existing.id));
        member
    }

    /// Thinks a heartbeat through: `member` as the group has it becomes `updated`. Returns it as it is after its next
    /// step.
    pub(super) fn heartbeat(
        &mut self,
        group: &ConsumerGroup,
        surroundings: &Surroundings<'_>,
        member: &ConsumerGroupMember,
        updated: ConsumerGroupMember,
        owned: Option<&Partitions>,
    ) -> Result<ConsumerGroupMember, GroupError> {
        let names_changed = self.note_metadata(member, &updated);
        let regex_changed = self.resolve_regexes(group, surroundings, member, &updated)?;
        let assignor = |updated| {
            let preferred = group.preferred_assignor(Some(member), updated);
            preferred.unwrap_or_else(|| surroundings.default_assignor().into())
        };
        let before = group.preferred_assignor(None, None);
        let before = before.unwrap_or_else(|| surroundings.default_assignor().into());
        if before != assignor(Some(&updated)) {
            self.causes.push(Cause::Assignor);
        }
        let subscriptions = self.subscribe(group, surroundings, member, &updated);
        let (target_epoch, target) = self.target(group, surroundings, &updated, &subscriptions);
        let has_subscription_changed = names_changed || member.regex() != updated.regex() || regex_changed;
        self.reconcile(
            group,
            surroundings,
            updated,
            Step { target_epoch, target: &target, has_subscription_changed, owned },
        )
    }

    /// Writes down what the member says about itself, if that has changed. Returns whether it names other topics.
    pub(super) fn note_metadata(
        &mut self,
        member: &ConsumerGroupMember,
        updated: &ConsumerGroupMember,
    ) -> bool {
        if updated != member {
            self.records.push(updated.metadata_record());
        }
        let is_changed = updated.metadata.subscribed_topic_names != member.metadata.subscribed_topic_names;
        if is_changed {
            self.causes.push(Cause::Topics);
        }
        is_changed
    }

    /// Raises the epoch of the group if the members read something else, or the topics are not what they were.
    pub(super) fn subscribe(
        &mut self,
        group: &ConsumerGroup,
        surroundings: &Surroundings<'_>,
        member: &ConsumerGroupMember,
        updated: &ConsumerGroupMember,
    ) -> Subscriptions {
        let bumps = !self.causes.is_empty();
        let is_current = group.modern.topics_version == Some(surroundings.image.version());
        let topics = self.subscribed_topics(group, member, updated);
        let regexes = regexes_after(group, member, updated);
        let is_known = group.member(&updated.id).is_some()
            || updated.instance_id().is_some_and(|id| group.static_member(id).is_some());
        let len = group.len() + usize::from(!is_known);
        let subscription_type = ConsumerGroup::subscription_type(&regexes, &topics, len);
        let mut epoch = group.modern.epoch;
        if bumps || !is_current {
            let metadata_hash = metadata_hash(topics.names(), surroundings.image);
            if bumps || metadata_hash != group.modern.metadata_hash {
                if !bumps {
                    self.causes.push(Cause::Metadata);
                }
                epoch += 1;
                self.records.push(ConsumerGroupRecord::Epoch(Some(GroupEpoch { epoch, metadata_hash })));
            }
            if group.has_subscription_metadata_record {
                self.records.push(ConsumerGroupRecord::PartitionMetadata(false));
            }
            self.is_compared = true;
        }
        Subscriptions { epoch, subscription_type }
    }

    fn subscribed_topics(
        &self,
        group: &ConsumerGroup,
        member: &ConsumerGroupMember,
        updated: &ConsumerGroupMember,
    ) -> SubscribedTopics {
        let mut topics = group.modern.subscribed_topics.clone();
        topics.remove_names(&member.metadata.subscribed_topic_names);
        topics.add_names(&updated.metadata.subscribed_topic_names);
        if let Some(dropped) = dropped_regex(group, member, updated)
            && let Some(resolved) = group.resolved_regexes.get(dropped)
        {
            topics.remove_matches(&resolved.topics);
        }
        for (regex, resolved) in &self.resolved {
            if let Some(before) = group.resolved_regexes.get(regex) {
                topics.remove_matches(&before.topics);
            }
            topics.add_matches(&resolved.topics);
        }
        topics
    }

    /// What a pattern matches, as far as is known now.
    pub(super) fn matches<'m>(
        &'m self,
        group: &'m ConsumerGroup,
        regex: &str,
    ) -> Option<&'m BTreeSet<Arc<str>>> {
        let resolved = self.resolved.get(regex).or_else(|| group.resolved_regexes.get(regex));
        resolved.map(|resolved| &resolved.topics)
    }

    /// Every topic that the member subscribes to.
    pub(super) fn topics_of(
        &self,
        group: &ConsumerGroup,
        member: &ConsumerGroupMember,
    ) -> BTreeSet<Arc<str>> {
        let mut topics = member.metadata.subscribed_topic_names.clone();
        if let Some(matches) = member.regex().and_then(|regex| self.matches(group, regex)) {
            topics.extend(matches.iter().cloned());
        }
        topics
    }

    /// The member's next step.
    pub(super) fn reconcile(
        &mut self,
        group: &ConsumerGroup,
        surroundings: &Surroundings<'_>,
        updated: ConsumerGroupMember,
        step: Step<'_>,
    ) -> Result<ConsumerGroupMember, GroupError> {
        if !step.has_subscription_changed && updated.is_reconciled_to(step.target_epoch) {
            return Ok(updated);
        }
        let topics = self.topics_of(group, &updated);
        let subscribed =
            topics.iter().filter_map(|name| surroundings.image.topic(name)).map(|topic| topic.id).collect();
        let reconciliation = Reconciliation {
            group,
            target_epoch: step.target_epoch,
            target: step.target,
            subscribed: &subscribed,
            has_subscription_changed: step.has_subscription_changed,
            owned: step.owned,
        };
        let next = reconciliation.next(&updated).map_err(|_| {
            let message =
                "the member's state is not known here: it must give up its partitions and join again";
            GroupError::new(ErrorCode::FencedMemberEpoch, message)
        })?;
        if next != updated {
            self.records.push(next.current_record());
            if !next.uses_classic_protocol() {
                let is_awaited = next.state == MemberState::UnrevokedPartitions;
                self.rebalance_deadline =
                    Some(is_awaited.then(|| millis(next.metadata.rebalance_timeout_ms)));
            }
        }
        Ok(next)
    }
}

/// Where a member is moved to, and what it says that it has.
pub(super) struct Step<'a> {
    pub(super) target_epoch: i32,
    pub(super) target: &'a Partitions,
    pub(super) has_subscription_changed: bool,
    pub(super) owned: Option<&'a Partitions>,
}

/// The pattern that nobody subscribes to any more when the member changes so.
pub(super) fn dropped_regex<'m>(
    group: &ConsumerGroup,
    member: &'m ConsumerGroupMember,
    updated: &ConsumerGroupMember,
) -> Option<&'m Arc<str>> {
    let before = member.regex().filter(|before| Some(*before) != updated.regex())?;
    (group.regexes.get(before) == Some(&1)).then_some(before)
}

/// How many members subscribe to each pattern when the member changes so.
pub(super) fn regexes_after(
    group: &ConsumerGroup,
    member: &ConsumerGroupMember,
    updated: &ConsumerGroupMember,
) -> Counts {
    let mut regexes = group.regexes.clone();
    decrement(&mut regexes, member.regex());
    increment(&mut regexes, updated.regex());
    regexes
}
