//! Members of a consumer group that use the classic protocol: the broker assigns to them as to all others, and tells them
//! to join again when there is something new (Kafka: `GroupMetadataManager#classicGroupJoinToConsumerGroup` and so on).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::group::ConsumerGroup;
use super::heartbeat::Plan;
use super::member::{ClassicMemberMetadata, ConsumerGroupMember, NOT_SAID};
use super::update::{Step, Update};
use crate::broker::consumer::protocol::{Assignment, PROTOCOL_TYPE, Subscription};
use crate::broker::coordinator::group::member::millis;
use crate::broker::coordinator::group::modern::assignment::{Partitions, contains, without_epochs};
use crate::broker::coordinator::group::modern::member_state::MemberState;
use crate::broker::coordinator::group::modern::topics::CoordinatorMetadataImage;
use crate::broker::coordinator::group::turn::GroupTurn;
use crate::broker::coordinator::group::{
    HeartbeatParams, JoinGroupParams, JoinGroupResult, LeavingMember, SyncGroupParams, SyncGroupResult,
};
use crate::model::{ErrorCode, TopicPartition};

impl GroupTurn<'_> {
    /// A classic member joins. It is answered at once: there is nobody to wait for.
    pub(in crate::broker::coordinator::group) fn join_consumer_group(
        &mut self,
        params: &JoinGroupParams<'_>,
    ) -> Result<JoinGroupResult, ErrorCode> {
        let group = self.state.consumer().ok_or(ErrorCode::UnknownMemberId)?;
        let member_id: Arc<str> = match params.member_id {
            "" => self.coordinator.new_uuid().to_string().into(),
            id => id.into(),
        };
        self.validate_room(group, &member_id, params.group_instance_id).map_err(|error| error.code)?;
        let mut names = params.protocols.iter().map(|protocol| &*protocol.name);
        if params.protocol_type != PROTOCOL_TYPE || !group.supports_classic_protocols(&mut names) {
            return Err(ErrorCode::InconsistentGroupProtocol);
        }
        if params.require_known_member_id && params.member_id.is_empty() {
            return Ok(JoinGroupResult::failed(&member_id, ErrorCode::MemberIdRequired));
        }
        let subscription = params.protocols.first().map(|protocol| Subscription::decode(&protocol.metadata));
        let Some(Ok(subscription)) = subscription else { return Err(ErrorCode::InconsistentGroupProtocol) };
        let mut update = Update::default();
        let (member, replaced) = self.classic_member(group, params, &member_id, &mut update)?;
        let updated = tell(&member, params, &subscription);
        let downgrades = replaced.as_ref().is_some_and(|replaced| self.may_downgrade_by(group, replaced));
        let owned = partitions_of(&subscription.owned_partitions, self.coordinator.image());
        let updated = if downgrades {
            self.join_last_consumer(update, (member, updated), &owned)?
        } else {
            let names_changed = update.note_metadata(&member, &updated);
            let surroundings = self.surroundings();
            let regex_changed = update
                .resolve_regexes(group, &surroundings, &member, &updated)
                .map_err(|error| error.code)?;
            let changed = names_changed || regex_changed;
            let subscriptions = update.subscribe(group, &surroundings, &member, &updated);
            let (target_epoch, target) = update.target(group, &surroundings, &updated, &subscriptions);
            let step = Step {
                target_epoch,
                target: &target,
                has_subscription_changed: changed,
                owned: Some(&owned),
            };
            let updated =
                update.reconcile(group, &surroundings, updated, step).map_err(|error| error.code)?;
            let plan = Plan { fresh: None, update, member: updated.clone() };
            self.carry_out(plan).map_err(|error| error.code)?;
            self.await_sync(&updated.id, params);
            updated
        };
        let protocol_name = updated.preferred_protocol().map(|(name, _)| Arc::clone(name));
        Ok(JoinGroupResult {
            error: ErrorCode::None,
            members: Vec::new(),
            member_id: Arc::clone(&updated.id),
            generation_id: updated.epoch,
            protocol_type: Some(PROTOCOL_TYPE.into()),
            protocol_name,
            leader_id: Arc::default(),
            skip_assignment: false,
        })
    }

    /// The member that joins as the group has it, and the static one in whose place it comes.
    fn classic_member(
        &self,
        group: &ConsumerGroup,
        params: &JoinGroupParams<'_>,
        member_id: &Arc<str>,
        update: &mut Update,
    ) -> Result<(ConsumerGroupMember, Option<ConsumerGroupMember>), ErrorCode> {
        let or_new = || {
            let known = group.member(member_id).cloned();
            known.unwrap_or_else(|| ConsumerGroupMember::new(Arc::clone(member_id)))
        };
        let Some(instance_id) = params.group_instance_id else { return Ok((or_new(), None)) };
        let existing = group.static_member(instance_id).cloned();
        if params.member_id.is_empty() {
            let member = match &existing {
                Some(existing) => update.replace_member(group, existing, member_id),
                None => or_new(),
            };
            return Ok((member, existing));
        }
        let member = self.static_member(group, member_id, instance_id).map_err(|error| error.code)?;
        Ok((member.clone(), existing))
    }

    /// It has its session, and one rebalance timeout to ask for its assignment.
    fn await_sync(&mut self, id: &Arc<str>, params: &JoinGroupParams<'_>) {
        self.renew_consumer_session(id, params.session_timeout_ms);
        let at = self.now.saturating_add(millis(params.rebalance_timeout_ms));
        if let Some(timers) = self.state.consumer_mut().and_then(|group| group.timers.get_mut(id)) {
            timers.join = None;
            timers.sync = Some(at);
        }
        self.wake_at(at);
    }

    /// A classic member that was told to join again has one rebalance timeout for it, from the first time.
    fn await_join(&mut self, id: &Arc<str>, rebalance_timeout_ms: i32) {
        let at = self.now.saturating_add(millis(rebalance_timeout_ms));
        let Some(group) = self.state.consumer_mut() else { return };
        let timers = group.timers.entry(Arc::clone(id)).or_default();
        if timers.join.is_none() {
            timers.join = Some(at);
            self.wake_at(at);
        }
    }

    /// The classic member that a request says it comes from.
    fn known_classic_member(
        &self,
        member_id: &str,
        instance_id: Option<&str>,
        generation_id: i32,
    ) -> Result<&ConsumerGroupMember, ErrorCode> {
        let group = self.state.consumer().ok_or(ErrorCode::UnknownMemberId)?;
        let member = match instance_id {
            None => group.member(member_id).ok_or(ErrorCode::UnknownMemberId)?,
            Some(instance_id) => {
                self.static_member(group, member_id, instance_id).map_err(|error| error.code)?
            }
        };
        if !member.uses_classic_protocol() {
            return Err(ErrorCode::UnknownMemberId);
        }
        if member.epoch != generation_id {
            return Err(ErrorCode::IllegalGeneration);
        }
        Ok(member)
    }

    /// A classic member asks for its assignment.
    pub(in crate::broker::coordinator::group) fn sync_consumer_group(
        &mut self,
        params: &SyncGroupParams<'_>,
    ) -> Result<SyncGroupResult, ErrorCode> {
        let member =
            self.known_classic_member(params.member_id, params.group_instance_id, params.generation_id)?;
        let preferred = member.preferred_protocol();
        let differs_in_type = params.protocol_type.is_some_and(|told| told != PROTOCOL_TYPE);
        let differs_in_name =
            params.protocol_name.is_some_and(|told| preferred.is_none_or(|(name, _)| told != &**name));
        if differs_in_type || differs_in_name {
            return Err(ErrorCode::InconsistentGroupProtocol);
        }
        let (id, rebalance_timeout_ms) = (Arc::clone(&member.id), member.metadata.rebalance_timeout_ms);
        let target_epoch = self.state.consumer().map_or(0, |group| group.modern.target.epoch);
        if target_epoch > member.epoch && member.state != MemberState::UnrevokedPartitions {
            self.await_join(&id, rebalance_timeout_ms);
            return Err(ErrorCode::RebalanceInProgress);
        }
        let metadata = preferred.map(|(_, metadata)| &metadata[..]).unwrap_or_default();
        let assignment = assignment_of(&without_epochs(&member.assigned), metadata, self.coordinator.image());
        let session_timeout_ms =
            member.metadata.classic.as_ref().map_or(0, |classic| classic.session_timeout_ms);
        self.renew_consumer_session(&id, session_timeout_ms);
        if let Some(timers) = self.state.consumer_mut().and_then(|group| group.timers.get_mut(&id)) {
            timers.sync = None;
        }
        Ok(SyncGroupResult {
            error: ErrorCode::None,
            protocol_type: params.protocol_type.map(Arc::from),
            protocol_name: params.protocol_name.map(Arc::from),
            assignment,
        })
    }

    /// A classic member says that it is there. REBALANCE_IN_PROGRESS asks it to join again.
    pub(in crate::broker::coordinator::group) fn heartbeat_consumer_group(
        &mut self,
        params: HeartbeatParams<'_>,
    ) -> Result<(), ErrorCode> {
        let member =
            self.known_classic_member(params.member_id, params.group_instance_id, params.generation_id)?;
        let group = self.state.consumer().ok_or(ErrorCode::UnknownMemberId)?;
        let has_news = member.epoch < group.modern.target.epoch
            || member.state == MemberState::UnrevokedPartitions
            || (member.state == MemberState::UnreleasedPartitions && !group.waits_for_others(member));
        let (id, rebalance_timeout_ms) = (Arc::clone(&member.id), member.metadata.rebalance_timeout_ms);
        let session_timeout_ms =
            member.metadata.classic.as_ref().map_or(0, |classic| classic.session_timeout_ms);
        self.renew_consumer_session(&id, session_timeout_ms);
        if has_news {
            self.await_join(&id, rebalance_timeout_ms);
            return Err(ErrorCode::RebalanceInProgress);
        }
        Ok(())
    }

    /// Members leave, or an administrator removes them; they may be of either protocol. A code for each.
    pub(in crate::broker::coordinator::group) fn leave_consumer_group_of(
        &mut self,
        leaving: &[LeavingMember<'_>],
    ) -> Result<Vec<ErrorCode>, ErrorCode> {
        let group = self.state.consumer().ok_or(ErrorCode::UnknownMemberId)?;
        let mut ids = BTreeSet::new();
        let find = |member: &LeavingMember<'_>| match member.group_instance_id {
            None => group.member(member.member_id).ok_or(ErrorCode::UnknownMemberId),
            Some(instance_id) if member.member_id.is_empty() => {
                group.static_member(instance_id).ok_or(ErrorCode::UnknownMemberId)
            }
            Some(instance_id) => {
                self.static_member(group, member.member_id, instance_id).map_err(|error| error.code)
            }
        };
        let codes = leaving.iter().map(|member| match find(member) {
            Ok(found) => {
                ids.insert(Arc::clone(&found.id));
                ErrorCode::None
            }
            Err(error) => error,
        });
        let codes = codes.collect();
        self.fence_consumer_members(&ids)?;
        Ok(codes)
    }
}

impl ConsumerGroup {
    /// Whether something that is meant for the member is still another's.
    fn waits_for_others(&self, member: &ConsumerGroupMember) -> bool {
        let Some(target) = self.modern.target_of(&member.id) else { return false };
        target.iter().any(|(topic, partitions)| {
            partitions.iter().any(|partition| {
                !contains(&member.assigned, *topic, *partition)
                    && self.partition_epoch(*topic, *partition).is_some()
            })
        })
    }
}

/// The member as it is by what it says when it joins.
fn tell(
    member: &ConsumerGroupMember,
    params: &JoinGroupParams<'_>,
    subscription: &Subscription,
) -> ConsumerGroupMember {
    let mut updated = member.clone();
    let metadata = &mut updated.metadata;
    if let Some(instance_id) = params.group_instance_id {
        metadata.instance_id = Some(instance_id.into());
    }
    if let Some(rack_id) = subscription.rack_id.as_deref().filter(|rack| !rack.is_empty()) {
        metadata.rack_id = Some(rack_id.into());
    }
    if params.rebalance_timeout_ms != NOT_SAID {
        metadata.rebalance_timeout_ms = params.rebalance_timeout_ms;
    }
    metadata.subscribed_topic_names = subscription.topics.iter().map(|name| Arc::from(&**name)).collect();
    metadata.subscribed_topic_regex = Some(Arc::default());
    metadata.client_id = params.client_id.into();
    metadata.client_host = params.client_host.into();
    metadata.classic = Some(ClassicMemberMetadata {
        session_timeout_ms: params.session_timeout_ms,
        protocols: params.protocols.clone(),
    });
    updated
}

/// Partitions that clients name by topic; those of topics that are gone are left out.
pub(super) fn partitions_of(named: &[TopicPartition], image: &dyn CoordinatorMetadataImage) -> Partitions {
    let mut partitions = Partitions::new();
    for partition in named {
        if let Some(topic) = image.topic(partition.topic()) {
            partitions.entry(topic.id).or_default().insert(partition.partition());
        }
    }
    partitions
}

/// An assignment as a classic consumer reads it that has sent this subscription.
pub(super) fn assignment_of(
    partitions: &Partitions,
    subscription: &[u8],
    image: &dyn CoordinatorMetadataImage,
) -> bytes::Bytes {
    let mut named: BTreeMap<Arc<str>, &BTreeSet<i32>> = BTreeMap::new();
    for (id, partitions) in partitions {
        if let Some(topic) = image.topic_by_id(*id) {
            named.insert(topic.name, partitions);
        }
    }
    let all = named.iter().flat_map(|(name, partitions)| {
        partitions.iter().map(|partition| TopicPartition::new(Arc::clone(name), *partition))
    });
    let assignment = Assignment { partitions: all.collect(), user_data: None };
    assignment.encode_as(Subscription::version(subscription).unwrap_or_default())
}
