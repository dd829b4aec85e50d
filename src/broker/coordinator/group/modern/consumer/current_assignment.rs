//! The next step of a member on its way to what is meant for it (Kafka: `CurrentAssignmentBuilder`).

use std::collections::{BTreeMap, BTreeSet};

use super::group::ConsumerGroup;
use super::member::ConsumerGroupMember;
use crate::broker::coordinator::group::modern::assignment::{Partitions, PartitionsWithEpochs, contains};
use crate::broker::coordinator::group::modern::member_state::MemberState;
use crate::model::Uuid;

/// What a member is moved towards.
pub(super) struct Reconciliation<'a> {
    pub(super) group: &'a ConsumerGroup,
    pub(super) target_epoch: i32,
    pub(super) target: &'a Partitions,
    /// The topics that it subscribes to, of those that exist.
    pub(super) subscribed: &'a BTreeSet<Uuid>,
    pub(super) has_subscription_changed: bool,
    /// What the member says that it has; `None` if it does not say.
    pub(super) owned: Option<&'a Partitions>,
}

/// The member is in a state that only a newer broker knows, and has to start over.
#[derive(Debug)]
pub(super) struct UnknownState;

impl Reconciliation<'_> {
    /// The member as it is after the step, which may be as before.
    pub(super) fn next(&self, member: &ConsumerGroupMember) -> Result<ConsumerGroupMember, UnknownState> {
        Ok(match member.state {
            MemberState::Stable if member.epoch != self.target_epoch => self.compute(member, member.epoch),
            MemberState::UnrevokedPartitions if !self.owns_any(&member.pending_revocation) => {
                self.compute(member, member.epoch)
            }
            MemberState::UnreleasedPartitions => self.compute(member, member.epoch),
            MemberState::Stable | MemberState::UnrevokedPartitions => match self.has_subscription_changed {
                true => self.drop_unsubscribed(member),
                false => member.clone(),
            },
            MemberState::Unknown if self.owned.is_some_and(Partitions::is_empty) => {
                self.compute(member, self.target_epoch)
            }
            MemberState::Unknown => return Err(UnknownState),
        })
    }

    /// Whether the member has any of these, or does not say.
    fn owns_any(&self, partitions: &PartitionsWithEpochs) -> bool {
        let Some(owned) = self.owned else { return true };
        owned.iter().any(|(topic, owned)| {
            partitions.get(topic).is_some_and(|of| owned.iter().any(|partition| of.contains_key(partition)))
        })
    }

    /// Takes back at once what the member does not subscribe to any more.
    fn drop_unsubscribed(&self, member: &ConsumerGroupMember) -> ConsumerGroupMember {
        let (assigned, dropped): (PartitionsWithEpochs, PartitionsWithEpochs) =
            member.assigned.clone().into_iter().partition(|(topic, _)| self.subscribed.contains(topic));
        if dropped.is_empty() {
            return member.clone();
        }
        let mut pending_revocation = member.pending_revocation.clone();
        for (topic, partitions) in dropped {
            pending_revocation.entry(topic).or_default().extend(partitions);
        }
        let mut next = member.clone();
        next.enter(member.epoch);
        next.assigned = assigned;
        if self.owns_any(&pending_revocation) {
            next.state = MemberState::UnrevokedPartitions;
            next.pending_revocation = pending_revocation;
        }
        next
    }

    fn compute(&self, member: &ConsumerGroupMember, epoch: i32) -> ConsumerGroupMember {
        let mut next = member.clone();
        let none = BTreeSet::new();
        let target = |topic: &Uuid| {
            self.target.get(topic).filter(|_| self.subscribed.contains(topic)).unwrap_or(&none)
        };
        let mut to_revoke = PartitionsWithEpochs::new();
        next.assigned.retain(|topic, partitions| {
            let target = target(topic);
            let kept = |partition: &i32| target.contains(partition);
            let revoked: BTreeMap<i32, i32> =
                partitions.iter().filter(|(partition, _)| !kept(partition)).map(|(p, e)| (*p, *e)).collect();
            if !revoked.is_empty() {
                to_revoke.insert(*topic, revoked);
            }
            partitions.retain(|partition, _| kept(partition));
            !partitions.is_empty()
        });
        if !to_revoke.is_empty() && self.owns_any(&to_revoke) {
            // It stays in its epoch until it says that it has given them back.
            next.enter(epoch);
            next.state = MemberState::UnrevokedPartitions;
            next.pending_revocation = to_revoke;
            return next;
        }
        let mut has_unreleased = false;
        for topic in self.target.keys() {
            for partition in target(topic) {
                if contains(&next.assigned, *topic, *partition) {
                    continue;
                }
                // What it has just given back itself is free, though nobody has written that down yet.
                let is_free = self.group.partition_epoch(*topic, *partition).is_none()
                    || contains(&member.pending_revocation, *topic, *partition);
                if is_free {
                    next.assigned.entry(*topic).or_default().insert(*partition, self.target_epoch);
                } else {
                    has_unreleased = true;
                }
            }
        }
        next.enter(self.target_epoch);
        next.state = match has_unreleased {
            true => MemberState::UnreleasedPartitions,
            false => MemberState::Stable,
        };
        next.pending_revocation = PartitionsWithEpochs::new();
        next
    }
}
