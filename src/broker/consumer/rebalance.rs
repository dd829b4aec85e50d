//! Taking part in a group: joining, assigning for all if one leads, taking and giving up partitions (Kafka:
//! `ConsumerCoordinator`).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::assigned::AssignedPartition;
use super::assignor::{GroupMember, PartitionAssignor, PartitionCounts};
use super::listener::RebalanceListener;
use super::membership::{Identity, Membership, Step};
use super::protocol::{Assignment, NO_GENERATION, PROTOCOL_TYPE, Subscription};
use super::signal::Watch;
use super::{Consumer, Reading};
use crate::broker::coordinator::group::{
    JoinGroupMember, JoinGroupParams, JoinGroupProtocol, JoinGroupResult, SyncGroupParams, SyncGroupResult,
};
use crate::broker::metadata::Topic;
use crate::error::{Error, Result};
use crate::model::{ErrorCode, TopicPartition};

/// Where members in this process are, for who looks at the group.
pub(in crate::broker) const CLIENT_HOST: &str = "/127.0.0.1";

impl Consumer {
    /// Does what is to be done for the group, as far as that is possible without waiting. Gives the time at which
    /// there is more to do, if that is known.
    pub(super) fn take_part_in_group(&mut self) -> Result<Option<Duration>> {
        let Some(membership) = self.membership.clone() else { return Ok(None) };
        if membership.is_of_consumer_protocol() {
            return self.take_part_in_consumer_group(&membership);
        }
        loop {
            match membership.next_step() {
                Step::Refused(code) => return Err(self.group_error(code)),
                Step::LosePartitions => self.lose_partitions(),
                Step::Join { identity, reason } => {
                    self.prepare_join();
                    self.join(&membership, &identity, &reason)?;
                }
                Step::JoinAt(time) => return Ok(Some(time)),
                Step::Joined(result) => self.on_joined(&membership, result)?,
                Step::Synced(result) => self.on_synced(&membership, &result)?,
                Step::Wait => return Ok(None),
                Step::Nothing => match self.reason_to_rejoin() {
                    Some(reason) => membership.request_rejoin(reason),
                    None => return Ok(None),
                },
            }
        }
    }

    pub(super) fn group_error(&self, code: ErrorCode) -> Error {
        self.core.group_error(code, self.options.group_id.as_deref().unwrap_or_default())
    }

    pub(super) fn lose_partitions(&mut self) {
        let lost: Vec<TopicPartition> = self.assignment();
        self.tell(&lost, |listener, consumer, partitions| listener.on_partitions_lost(consumer, partitions));
        self.drop_partitions(&lost);
    }

    /// Members of most groups give up everything before they join; those of cooperative ones only what they do not
    /// want any more.
    fn prepare_join(&mut self) {
        let wanted: BTreeSet<String> = self.wanted_topics().into_iter().collect();
        let keeps = self.options.is_cooperative();
        let given_up = self.assignment().into_iter().filter(|tp| !keeps || !wanted.contains(tp.topic()));
        let given_up: Vec<TopicPartition> = given_up.collect();
        self.revoke(&given_up);
    }

    pub(super) fn revoke(&mut self, partitions: &[TopicPartition]) {
        if partitions.is_empty() {
            return;
        }
        self.commit_by_itself();
        self.tell(partitions, |listener, consumer, partitions| {
            listener.on_partitions_revoked(consumer, partitions);
        });
        self.drop_partitions(partitions);
    }

    fn drop_partitions(&mut self, partitions: &[TopicPartition]) {
        self.assigned.retain(|assigned| !partitions.contains(assigned.tp()));
    }

    /// Lets the listener know, with the consumer in its hands.
    pub(super) fn tell(
        &mut self,
        partitions: &[TopicPartition],
        tell: impl FnOnce(&mut dyn RebalanceListener, &mut Consumer, &[TopicPartition]),
    ) {
        if partitions.is_empty() {
            return;
        }
        let Some(mut listener) = self.listener.take() else { return };
        self.is_in_callback = true;
        tell(&mut *listener, self, partitions);
        self.is_in_callback = false;
        self.listener = Some(listener);
    }

    fn join(&mut self, membership: &Arc<Membership>, identity: &Identity, reason: &str) -> Result<()> {
        self.core.ensure_offsets_topic()?;
        let topics = self.wanted_topics();
        let owned = self.assignment();
        let (last, last_generation) = &self.last_assignment;
        let protocols = self.options.assignors.iter().map(|assignor| {
            let subscription = Subscription {
                topics: topics.clone(),
                user_data: assignor.user_data(last, *last_generation),
                generation_id: if owned.is_empty() { NO_GENERATION } else { *last_generation },
                owned_partitions: owned.clone(),
                rack_id: None,
            };
            JoinGroupProtocol { name: assignor.name().into(), metadata: subscription.encode() }
        });
        let params = JoinGroupParams {
            group_id: self.options.group_id.as_deref().unwrap_or_default(),
            member_id: &identity.member_id,
            group_instance_id: self.options.group_instance_id.as_deref(),
            // With its id the member can leave while it still waits for the others.
            require_known_member_id: true,
            supports_skipping_assignment: true,
            client_id: &self.options.client_id,
            client_host: CLIENT_HOST,
            rebalance_timeout_ms: self.options.max_poll_interval_ms,
            session_timeout_ms: self.options.session_timeout_ms,
            protocol_type: PROTOCOL_TYPE,
            protocols: protocols.collect(),
            reason: Some(reason),
        };
        membership.join(params);
        self.joined_topics = topics;
        Ok(())
    }

    fn on_joined(&mut self, membership: &Arc<Membership>, result: JoinGroupResult) -> Result<()> {
        if !result.error.is_none() {
            let new_id = Some(result.member_id).filter(|id| !id.is_empty());
            return membership.handle_failure(result.error, new_id).map_err(|code| self.group_error(code));
        }
        let assignments = if result.leader_id == result.member_id {
            self.lead(&result).map_err(|error| start_over(membership, error))?
        } else {
            self.led_topics = None;
            Vec::new()
        };
        membership.sync(SyncGroupParams {
            group_id: self.options.group_id.as_deref().unwrap_or_default(),
            generation_id: result.generation_id,
            member_id: &result.member_id,
            group_instance_id: self.options.group_instance_id.as_deref(),
            protocol_type: result.protocol_type.as_deref(),
            protocol_name: result.protocol_name.as_deref(),
            assignments: assignments.iter().map(|(id, assignment)| (&**id, assignment.clone())).collect(),
        });
        Ok(())
    }

    /// Assigns for all members, remote ones included. From now on this consumer watches the group's topics.
    fn lead(&mut self, result: &JoinGroupResult) -> Result<Vec<(Arc<str>, Bytes)>> {
        let members: Vec<GroupMember> = result.members.iter().map(group_member).collect();
        self.seen_changes = self.core.metadata.changes();
        let topics: BTreeSet<&String> =
            members.iter().flat_map(|member| &member.subscription.topics).collect();
        let counts = self.partition_counts(topics.iter().map(|topic| topic.as_str()));
        self.led_topics = Some((topics.into_iter().cloned().collect(), counts.clone()));
        if result.skip_assignment {
            return Ok(Vec::new());
        }
        let name = result.protocol_name.as_deref().unwrap_or_default();
        let assignor = PartitionAssignor::from_name(name).ok_or_else(|| {
            Error::new(ErrorCode::UnsupportedAssignor, format!("the group has chosen the assignor '{name}'"))
        })?;
        let encode = |partitions| Assignment { partitions, user_data: None }.encode();
        let assigned = assignor.assign(&members, &counts);
        Ok(assigned.into_iter().map(|(id, partitions)| (id, encode(partitions))).collect())
    }

    fn partition_counts<'a>(&self, topics: impl Iterator<Item = &'a str>) -> PartitionCounts {
        let count = |name: &str| Some((name.to_owned(), self.core.metadata.topic(name)?.num_partitions()));
        topics.filter_map(count).collect()
    }

    fn on_synced(&mut self, membership: &Arc<Membership>, result: &SyncGroupResult) -> Result<()> {
        if !result.error.is_none() {
            return membership.handle_failure(result.error, None).map_err(|code| self.group_error(code));
        }
        let assignment = Assignment::decode(&result.assignment).map_err(|error| {
            Error::caused(
                ErrorCode::UnknownServerError,
                "the group's leader sent a malformed assignment",
                error,
            )
        })?;
        let mut partitions = assignment.partitions;
        partitions.sort();
        partitions.dedup();
        if let Some(tp) =
            partitions.iter().find(|tp| !self.joined_topics.iter().any(|topic| topic == tp.topic()))
        {
            // The leader went by a subscription of before.
            membership.request_rejoin(format!("was assigned {tp} without having subscribed to it"));
            return Ok(());
        }
        self.take_assignment(membership, partitions);
        Ok(())
    }

    fn take_assignment(&mut self, membership: &Membership, partitions: Vec<TopicPartition>) {
        let added = self.give_up_all_but(membership, &partitions);
        self.last_assignment = (partitions, membership.identity().generation_id);
        self.take(&added);
    }

    /// Gives up what is not its any more, and says so: whoever gets it can have it now. Answers which of `partitions` are
    /// new.
    pub(super) fn give_up_all_but(
        &mut self,
        membership: &Membership,
        partitions: &[TopicPartition],
    ) -> Vec<TopicPartition> {
        let owned = self.assignment();
        let revoked: Vec<_> = owned.iter().filter(|tp| !partitions.contains(tp)).cloned().collect();
        if !revoked.is_empty() {
            self.revoke(&revoked);
            membership.request_rejoin("partitions were given up");
        }
        partitions.iter().filter(|tp| !owned.contains(tp)).cloned().collect()
    }

    /// Takes partitions that it did not have, and tells the listener.
    pub(super) fn take(&mut self, added: &[TopicPartition]) {
        self.assigned.extend(added.iter().cloned().map(AssignedPartition::new));
        self.next_to_read = 0;
        self.auto_commit_at = self.now().saturating_add(self.options.auto_commit_interval);
        self.tell(added, |listener, consumer, partitions| {
            listener.on_partitions_assigned(consumer, partitions);
        });
    }

    /// The topics to be read, as of now.
    pub(super) fn wanted_topics(&self) -> Vec<String> {
        match &self.reading {
            Reading::Topics(topics) => topics.iter().cloned().collect(),
            Reading::Matching(matches) => {
                let topics = self.core.metadata.topics();
                let excludes_internal = self.options.exclude_internal_topics;
                let is_asked_for = |topic: &&Arc<Topic>| !(excludes_internal && topic.is_internal());
                let names = topics.iter().filter(is_asked_for).map(|topic| topic.name().to_string());
                names.filter(|name| matches(name)).collect()
            }
            Reading::Nothing | Reading::Assigned => Vec::new(),
        }
    }

    /// Whether topics have come, gone or grown so that the partitions must be spread anew.
    fn reason_to_rejoin(&mut self) -> Option<String> {
        if self.core.metadata.changes() == self.seen_changes {
            return None;
        }
        self.seen_changes = self.core.metadata.changes();
        if matches!(self.reading, Reading::Matching(_)) && self.wanted_topics() != self.joined_topics {
            return Some("other topics match the subscription".to_owned());
        }
        let (topics, counts) = self.led_topics.as_ref()?;
        let now = self.partition_counts(topics.iter().map(String::as_str));
        (now != *counts).then(|| "the topics of the group have changed".to_owned())
    }

    /// Whether topics have changed since that was looked at; partitions that were missing may be there.
    pub(super) fn has_new_metadata(&self) -> bool {
        let is_missing = |assigned: &AssignedPartition| assigned.partition().is_none();
        let may_be_there = |assigned: &AssignedPartition| self.core.metadata.contains(assigned.tp());
        let is_settled = self.membership.as_ref().is_some_and(|membership| membership.is_settled());
        (is_settled && self.core.metadata.changes() != self.seen_changes)
            || self.assigned.iter().any(|assigned| is_missing(assigned) && may_be_there(assigned))
    }

    pub(super) fn watch_metadata(&mut self) {
        if self.metadata_watch.as_ref().is_none_or(|watch| watch.has_fired()) {
            let watch = Watch::new(&self.signal);
            self.core.metadata.watchers().watch(Arc::clone(&watch) as _);
            self.metadata_watch = Some(watch);
        }
    }
}

/// What went wrong is the caller's to know; the next poll joins again.
fn start_over(membership: &Membership, error: Error) -> Error {
    match membership.handle_failure(error.code(), None) {
        Ok(()) | Err(_) => error,
    }
}

/// A member that the leader cannot understand wants nothing, and gets nothing.
fn group_member(member: &JoinGroupMember) -> GroupMember {
    let subscription = Subscription::decode(&member.metadata).unwrap_or_else(|error| {
        tracing::warn!(member = %member.member_id, %error, "a member of the group has a malformed subscription");
        Subscription { generation_id: NO_GENERATION, ..Subscription::default() }
    });
    GroupMember {
        id: Arc::clone(&member.member_id),
        instance_id: member.group_instance_id.clone(),
        subscription,
    }
}
