//! How a group with members changes from one protocol to the other (KIP-848's online migration).
//!
//! It becomes a consumer group when the first member joins as one: the others stay members, and are told to join again.
//! It becomes a classic one when the last such member has gone (Kafka: `ConsumerGroup#fromClassicGroup`,
//! `ClassicGroup#fromConsumerGroup`).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::classic::{assignment_of, partitions_of};
use super::group::ConsumerGroup;
use super::heartbeat::GroupError;
use super::member::{ClassicMemberMetadata, ConsumerGroupMember};
use super::timers::MemberTimers;
use super::update::{Step, Update};
use crate::broker::consumer::protocol::{Assignment, PROTOCOL_TYPE, Subscription};
use crate::broker::coordinator::group::group_metadata::{GroupMetadata, LoadedGroup};
use crate::broker::coordinator::group::member::{Member, NewMember, millis};
use crate::broker::coordinator::group::modern::assignment::{Partitions, with_epoch};
use crate::broker::coordinator::group::modern::group::TargetAssignmentMetadata;
use crate::broker::coordinator::group::modern::topics::metadata_hash;
use crate::broker::coordinator::group::record::{ConsumerGroupRecord, GroupEpoch};
use crate::broker::coordinator::group::turn::GroupTurn;
use crate::config::GroupMigrationPolicy;
use crate::model::ErrorCode;

impl GroupTurn<'_> {
    /// A classic group with members as a consumer group. The update has the records that make it one.
    pub(super) fn consumer_group_of_classic(&self, update: &mut Update) -> Result<ConsumerGroup, GroupError> {
        let refuse = |why: &str| {
            let message = format!("group {} is a classic group, and {why}", self.group.id);
            GroupError::new(ErrorCode::GroupIdNotFound, message)
        };
        let config = self.coordinator.config();
        let policy = config.group_consumer_migration_policy;
        if !matches!(policy, GroupMigrationPolicy::Upgrade | GroupMigrationPolicy::Bidirectional) {
            return Err(refuse("group.consumer.migration.policy does not let it become another"));
        }
        if self.state.protocol_type.as_deref() != Some(PROTOCOL_TYPE) {
            return Err(refuse("its members are not consumers"));
        }
        if self.state.members().len() > usize::try_from(config.group_consumer_max_size).unwrap_or(0) {
            return Err(refuse("has more members than a consumer group may have"));
        }
        let protocol = self.state.protocol_name.clone().or_else(|| self.state.select_protocol());
        let generation = self.state.generation_id;
        let mut group = ConsumerGroup::new();
        let mut members: Vec<(ConsumerGroupMember, Partitions)> = Vec::new();
        for member in self.state.members().iter() {
            let metadata = member.metadata(protocol.as_deref().unwrap_or_default());
            let subscription =
                Subscription::decode(&metadata).map_err(|_| refuse("a subscription cannot be read"))?;
            let assignment =
                Assignment::decode(&member.assignment).map_err(|_| refuse("an assignment cannot be read"))?;
            if assignment.user_data.is_some_and(|data| !data.is_empty()) {
                return Err(refuse("its assignor keeps data of its own, which would be lost"));
            }
            let assigned = partitions_of(&assignment.partitions, self.coordinator.image());
            members.push((self.of_classic(member, &subscription, &assigned), assigned));
            let timers = MemberTimers {
                session: Some(self.now.saturating_add(millis(member.session_timeout_ms))),
                ..MemberTimers::default()
            };
            group.timers.insert(Arc::clone(&member.id), timers);
        }
        let mut names = BTreeSet::new();
        members.iter().for_each(|(member, _)| names.extend(member.metadata.subscribed_topic_names.iter()));
        let metadata_hash = metadata_hash(names.into_iter(), self.coordinator.image());
        let records = &mut update.records;
        records.extend(members.iter().map(|(member, _)| member.metadata_record()));
        records.push(ConsumerGroupRecord::Epoch(Some(GroupEpoch { epoch: generation, metadata_hash })));
        records.extend(members.iter().map(|(member, assigned)| {
            ConsumerGroupRecord::Target(Arc::clone(&member.id), Some(assigned.clone()))
        }));
        let target = TargetAssignmentMetadata { epoch: generation, timestamp: 0 };
        records.push(ConsumerGroupRecord::TargetMetadata(Some(target)));
        records.extend(members.iter().map(|(member, _)| member.current_record()));
        records.iter().for_each(|record| group.replay(record));
        update.removes_classic = true;
        Ok(group)
    }

    fn of_classic(
        &self,
        member: &Member,
        subscription: &Subscription,
        assigned: &Partitions,
    ) -> ConsumerGroupMember {
        let generation = self.state.generation_id;
        let mut converted = ConsumerGroupMember::new(Arc::clone(&member.id));
        converted.epoch = generation;
        converted.previous_epoch = generation;
        converted.assigned = with_epoch(assigned, generation);
        let metadata = &mut converted.metadata;
        metadata.instance_id = member.group_instance_id.clone();
        metadata.rack_id = subscription.rack_id.as_deref().filter(|rack| !rack.is_empty()).map(Arc::from);
        metadata.rebalance_timeout_ms = member.rebalance_timeout_ms;
        metadata.client_id = Arc::clone(&member.client_id);
        metadata.client_host = Arc::clone(&member.client_host);
        metadata.subscribed_topic_names = subscription.topics.iter().map(|name| Arc::from(&**name)).collect();
        metadata.classic = Some(ClassicMemberMetadata {
            session_timeout_ms: member.session_timeout_ms,
            protocols: member.protocols().to_vec(),
        });
        converted
    }

    fn may_downgrade(&self, members: usize) -> bool {
        let config = self.coordinator.config();
        let policy = config.group_consumer_migration_policy;
        matches!(policy, GroupMigrationPolicy::Downgrade | GroupMigrationPolicy::Bidirectional)
            && members <= usize::try_from(config.group_max_size).unwrap_or(0)
    }

    /// Whether the group is a classic one once these members have left.
    pub(super) fn may_downgrade_without(&self, group: &ConsumerGroup, leaving: &BTreeSet<Arc<str>>) -> bool {
        let left = group.members().filter(|member| !leaving.contains(&member.id)).count();
        group.is_classic_except(|member| leaving.contains(&member.id)) && self.may_downgrade(left)
    }

    /// Whether the group is a classic one once a classic member has taken the place of this static one.
    pub(super) fn may_downgrade_by(&self, group: &ConsumerGroup, replaced: &ConsumerGroupMember) -> bool {
        !replaced.uses_classic_protocol()
            && group.classic_members + 1 == group.len()
            && self.may_downgrade(group.len())
    }

    /// Makes the group a classic one of the members that stay.
    pub(super) fn downgrade_without(&mut self, leaving: &BTreeSet<Arc<str>>) -> Result<(), ErrorCode> {
        let Some(group) = self.state.consumer() else { return Ok(()) };
        let staying = group.members().filter(|member| !leaving.contains(&member.id));
        let members = staying.map(|member| (member, group.modern.target_of(&member.id))).collect();
        let classic = self.classic_of(group, members);
        let tombstones = group.tombstones();
        self.become_classic_group(classic, &tombstones)?;
        self.prepare_rebalance("the last member of the consumer protocol has left".to_owned());
        Ok(())
    }

    /// The last static member that used the consumer protocol is back with the classic one: the group is a classic one
    /// of all of them. Returns the member as it is then.
    pub(super) fn join_last_consumer(
        &mut self,
        mut update: Update,
        (member, updated): (ConsumerGroupMember, ConsumerGroupMember),
        owned: &Partitions,
    ) -> Result<ConsumerGroupMember, ErrorCode> {
        let group = self.state.consumer().ok_or(ErrorCode::UnknownMemberId)?;
        let surroundings = self.surroundings();
        let changed = update.note_metadata(&member, &updated)
            | update.resolve_regexes(group, &surroundings, &member, &updated).map_err(|error| error.code)?;
        let subscriptions = update.subscribe(group, &surroundings, &member, &updated);
        let target_epoch = group.modern.target.epoch;
        let is_stale = target_epoch < subscriptions.epoch;
        let target = group.target_of(&updated).cloned().unwrap_or_default();
        let step =
            Step { target_epoch, target: &target, has_subscription_changed: changed, owned: Some(owned) };
        let updated = match is_stale {
            true => updated,
            false => update.reconcile(group, &surroundings, updated, step).map_err(|error| error.code)?,
        };
        let instance_id = updated.instance_id();
        let others = group.members().filter(|member| member.instance_id() != instance_id);
        let mut members: Vec<_> = others.map(|member| (member, group.modern.target_of(&member.id))).collect();
        members.push((&updated, Some(&target)));
        let classic = self.classic_of(group, members);
        let mut tombstones = group.tombstones();
        tombstones.extend(updated.tombstones());
        self.become_classic_group(classic, &tombstones)?;
        if is_stale {
            self.prepare_rebalance("the group is classic now, and its assignment is stale".to_owned());
        }
        Ok(updated)
    }

    /// A classic group of these members, with what was meant for them.
    fn classic_of(
        &self,
        group: &ConsumerGroup,
        members: Vec<(&ConsumerGroupMember, Option<&Partitions>)>,
    ) -> GroupMetadata {
        let loaded = LoadedGroup {
            protocol_type: PROTOCOL_TYPE.into(),
            generation_id: group.modern.epoch,
            protocol_name: None,
            leader_id: None,
            state_timestamp: Some(self.now_ms()),
        };
        let none = Partitions::new();
        let converted = members.iter().map(|(member, _)| {
            Member::new(NewMember {
                id: Arc::clone(&member.id),
                group_instance_id: member.metadata.instance_id.clone(),
                client_id: Arc::clone(&member.metadata.client_id),
                client_host: Arc::clone(&member.metadata.client_host),
                session_timeout_ms: member
                    .metadata
                    .classic
                    .as_ref()
                    .map_or(0, |classic| classic.session_timeout_ms),
                rebalance_timeout_ms: member.metadata.rebalance_timeout_ms,
                protocols: member.classic_protocols().to_vec(),
            })
        });
        let mut classic = GroupMetadata::load(loaded, converted.collect());
        classic.protocol_name = classic.select_protocol();
        let protocol = classic.protocol_name.clone().unwrap_or_default();
        for (member, target) in members {
            if let Some(converted) = classic.member_mut(&member.id) {
                let subscription = converted.metadata(&protocol);
                converted.assignment =
                    assignment_of(target.unwrap_or(&none), &subscription, self.coordinator.image());
            }
        }
        classic.refresh_subscribed_topics();
        classic
    }

    fn become_classic_group(
        &mut self,
        classic: GroupMetadata,
        tombstones: &[ConsumerGroupRecord],
    ) -> Result<(), ErrorCode> {
        let mut records = self.encode_consumer_records(tombstones)?;
        records.push(self.record_of(&classic)?);
        self.append_encoded(&records)?;
        self.state.become_classic(classic);
        for id in self.state.members().ids() {
            self.renew_session(&id);
        }
        let group = &self.group.id;
        self.outbox.info(|| format!("Group {group} is a classic group now"));
        Ok(())
    }
}
