//! A consumer's place in a group whose broker assigns partitions (KIP-848; Kafka: `ConsumerMembershipManager`,
//! `ConsumerHeartbeatRequestManager`).
//!
//! The timer says that the consumer is there, and learns that there is something new; what is new is dealt with by the
//! next poll, with a heartbeat that says what the consumer has. The two never speak at once: an epoch that one of them
//! has been told must be known before the other speaks.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::Consumer;
use super::builder::GroupProtocol;
use super::membership::{Membership, Phase};
use super::positions::RETRY_BACKOFF;
use super::protocol::NO_GENERATION;
use super::rebalance::CLIENT_HOST;
use crate::broker::coordinator::group::{
    ConsumerGroupHeartbeatParams, ConsumerGroupHeartbeatResult, GroupError, LEAVE_EPOCH, LEAVE_STATIC_EPOCH,
};
use crate::error::Result;
use crate::model::{ErrorCode, TopicPartition, Uuid};

/// The epoch of who joins.
const JOIN_EPOCH: i32 = 0;

/// What is to be done for the group.
enum Step {
    Refused(ErrorCode),
    LosePartitions,
    /// Say what one has, in this epoch.
    Heartbeat(i32),
    /// Not before this time.
    At(Duration),
    Nothing,
}

impl Consumer {
    /// The same as [`take_part_in_group`](Self::take_part_in_group), where the broker assigns.
    pub(super) fn take_part_in_consumer_group(
        &mut self,
        membership: &Arc<Membership>,
    ) -> Result<Option<Duration>> {
        loop {
            if self.core.metadata.changes() != self.seen_changes {
                self.seen_changes = self.core.metadata.changes();
                membership.request_rejoin("topics have changed");
            }
            match membership.next_heartbeat() {
                Step::Refused(code) => return Err(self.group_error(code)),
                Step::LosePartitions => self.lose_partitions(),
                Step::Heartbeat(epoch) => self.heartbeat(membership, epoch)?,
                Step::At(time) => return Ok(Some(time)),
                Step::Nothing => return Ok(None),
            }
        }
    }

    fn heartbeat(&mut self, membership: &Arc<Membership>, epoch: i32) -> Result<()> {
        self.core.ensure_offsets_topic()?;
        let topics = self.wanted_topics();
        let mut owned = std::collections::BTreeMap::<Uuid, BTreeSet<i32>>::new();
        for partition in self.assignment() {
            if let Some(topic) = self.core.metadata.topic(partition.topic()) {
                owned.entry(topic.id()).or_default().insert(partition.partition());
            }
        }
        let params = ConsumerGroupHeartbeatParams {
            member_epoch: epoch,
            rebalance_timeout_ms: self.options.max_poll_interval_ms,
            subscribed_topic_names: Some(topics.iter().map(String::as_str).collect()),
            server_assignor: self.options.group_remote_assignor.as_deref(),
            topic_partitions: Some(owned),
            client_id: &self.options.client_id,
            ..ConsumerGroupHeartbeatParams::default()
        };
        let answered = membership.send(params);
        self.joined_topics = topics;
        let assignment = match answered {
            Ok(result) => result.assignment,
            Err(error) => {
                return membership
                    .handle_refusal(error.code)
                    .map_err(|code| self.group_error(code).context(error.message));
            }
        };
        let Some(assignment) = assignment else { return Ok(()) };
        let mut partitions = Vec::new();
        for (id, indexes) in assignment {
            // A topic that has just gone is taken back with the next heartbeat.
            if let Some(topic) = self.core.metadata.topic_by_id(id) {
                let all = indexes.into_iter();
                partitions.extend(all.map(|index| TopicPartition::new(Arc::clone(topic.name()), index)));
            }
        }
        partitions.sort();
        let added = self.give_up_all_but(membership, &partitions);
        if !added.is_empty() {
            self.take(&added);
        }
        Ok(())
    }
}

impl Membership {
    fn next_heartbeat(&self) -> Step {
        let now = self.core.env.clock.monotonic();
        let mut state = self.state.lock();
        if std::mem::take(&mut state.has_lost_partitions) {
            return Step::LosePartitions;
        }
        if let Some(code) = state.refused {
            return Step::Refused(code);
        }
        match state.phase {
            Phase::Outside { not_before, .. } if not_before > now => Step::At(not_before),
            Phase::Outside { .. } if state.identity.is_member() => {
                Step::Heartbeat(state.identity.generation_id)
            }
            Phase::Outside { .. } => Step::Heartbeat(JOIN_EPOCH),
            _ if state.rejoin.is_some() => Step::Heartbeat(state.identity.generation_id),
            _ => Step::Nothing,
        }
    }

    /// Sends a heartbeat, and takes note of the epoch in the answer.
    fn send(
        self: &Arc<Self>,
        params: ConsumerGroupHeartbeatParams<'_>,
    ) -> Result<ConsumerGroupHeartbeatResult, GroupError> {
        let _speaking = self.speaking.lock();
        let member_id = {
            let mut state = self.state.lock();
            // What comes up from here on is for the next heartbeat.
            state.rejoin = None;
            if state.identity.member_id.is_empty() {
                state.identity.member_id = self.core.groups.new_uuid().to_string().into();
            }
            Arc::clone(&state.identity.member_id)
        };
        let result = self.core.groups.consumer_group_heartbeat(&ConsumerGroupHeartbeatParams {
            group_id: &self.group_id,
            member_id: &member_id,
            requires_member_id: true,
            instance_id: self.group_instance_id.as_deref(),
            client_host: CLIENT_HOST,
            ..params
        })?;
        let starts_heartbeat = {
            let mut state = self.state.lock();
            state.identity.generation_id = result.member_epoch;
            state.phase = Phase::Stable;
            let interval_ms = u64::try_from(result.heartbeat_interval_ms).unwrap_or(1).max(1);
            state.told_interval = Duration::from_millis(interval_ms);
            !std::mem::replace(&mut state.has_heartbeat, true)
        };
        if starts_heartbeat {
            self.schedule_heartbeat(self.core.env.clock.monotonic());
        }
        self.core.groups.watch_rebalances(&self.group_id, &self.watch);
        Ok(result)
    }

    /// What a heartbeat means that was not answered as it should. `Err` if the consumer's user has to know.
    fn handle_refusal(&self, code: ErrorCode) -> Result<(), ErrorCode> {
        let now = self.core.env.clock.monotonic();
        let mut state = self.state.lock();
        // To who is to join it says that there is a group of another kind.
        let is_forgotten = code == ErrorCode::GroupIdNotFound && state.identity.is_member();
        let not_before = match code {
            _ if is_forgotten || is_fencing(code) => {
                state.has_lost_partitions = true;
                state.identity.generation_id = NO_GENERATION;
                Duration::ZERO
            }
            ErrorCode::CoordinatorLoadInProgress
            | ErrorCode::CoordinatorNotAvailable
            | ErrorCode::NotCoordinator
            // The other may be about to leave.
            | ErrorCode::UnreleasedInstanceId => now.saturating_add(RETRY_BACKOFF),
            code => {
                if code == ErrorCode::FencedInstanceId {
                    state.refused = Some(code);
                }
                state.phase = Phase::Outside { not_before: Duration::ZERO, reason: String::new() };
                return Err(code);
            }
        };
        let reason = format!("the last heartbeat ended with {code}");
        let is_old = matches!(&state.phase, Phase::Outside { reason: known, .. } if *known == reason);
        if !is_old && !not_before.is_zero() {
            let group = &self.group_id;
            tracing::warn!(%group, %code, "the group does not take a consumer for now: it tries again");
        }
        state.phase = Phase::Outside { not_before, reason };
        Ok(())
    }

    /// The timer's heartbeat says no more than that the consumer is there.
    pub(super) fn send_brief_heartbeat(&self) {
        // The poll is speaking: that counts as well.
        let Some(_speaking) = self.speaking.try_lock() else { return };
        let identity = self.identity();
        if !identity.is_member() {
            return;
        }
        let answered = self
            .core
            .groups
            .consumer_group_heartbeat(&self.without_news(&identity.member_id, identity.generation_id));
        let mut state = self.state.lock();
        match answered {
            Ok(result) => {
                let is_news =
                    result.assignment.is_some() || result.member_epoch != state.identity.generation_id;
                state.identity.generation_id = result.member_epoch;
                if is_news {
                    state.rejoin.get_or_insert_with(|| "the group has news".to_owned());
                }
            }
            Err(error) if is_fencing(error.code) || error.code == ErrorCode::GroupIdNotFound => {
                state.has_lost_partitions = true;
                state.identity.generation_id = NO_GENERATION;
                state.phase = Phase::Outside { not_before: Duration::ZERO, reason: "was removed".to_owned() };
            }
            // The poll hears of it, and tells.
            Err(_) => _ = state.rejoin.get_or_insert_with(|| "a heartbeat failed".to_owned()),
        }
        let has_news = state.rejoin.is_some() || state.has_lost_partitions;
        drop(state);
        if has_news {
            self.signal.notify();
        }
    }

    /// A heartbeat that says no more than who it is from.
    fn without_news<'a>(&'a self, member_id: &'a str, member_epoch: i32) -> ConsumerGroupHeartbeatParams<'a> {
        ConsumerGroupHeartbeatParams {
            group_id: &self.group_id,
            member_id,
            member_epoch,
            requires_member_id: true,
            instance_id: self.group_instance_id.as_deref(),
            rebalance_timeout_ms: -1,
            client_id: &self.client_id,
            client_host: CLIENT_HOST,
            ..ConsumerGroupHeartbeatParams::default()
        }
    }

    /// Leaves the group; a static member for a while.
    pub(super) fn leave_consumer_group(&self, reason: &str) {
        let _speaking = self.speaking.lock();
        let identity = {
            let mut state = self.state.lock();
            state.phase = Phase::Outside { not_before: Duration::ZERO, reason: reason.to_owned() };
            std::mem::take(&mut state.identity)
        };
        if !identity.is_member() || self.core.is_closed() {
            return;
        }
        let member_epoch = match self.group_instance_id {
            Some(_) => LEAVE_STATIC_EPOCH,
            None => LEAVE_EPOCH,
        };
        let result =
            self.core.groups.consumer_group_heartbeat(&self.without_news(&identity.member_id, member_epoch));
        tracing::debug!(group = %self.group_id, member = %identity.member_id, ?result, reason, "left");
    }

    pub(super) fn is_of_consumer_protocol(&self) -> bool {
        self.protocol == GroupProtocol::Consumer
    }
}

/// Whether the group does not know the member (any more).
fn is_fencing(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::UnknownMemberId | ErrorCode::FencedMemberEpoch)
}
