//! What members of consumer groups ask, and are told (Kafka: `GroupMetadataManager#consumerGroupHeartbeat`).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::fence::member_not_found;
use super::group::ConsumerGroup;
use super::member::{ConsumerGroupMember, NOT_SAID};
use super::news::News;
use super::update::{Surroundings, Update};
use crate::broker::coordinator::group::coordinator::{Api, GroupCoordinator};
use crate::broker::coordinator::group::group_state::{GroupState, GroupType};
use crate::broker::coordinator::group::modern::assignment::{self, Partitions};
use crate::broker::coordinator::group::modern::group::ModernGroupMember;
use crate::broker::coordinator::group::turn::GroupTurn;
use crate::model::ErrorCode;

/// The epoch of who joins.
const JOIN_EPOCH: i32 = 0;
/// The epoch of who leaves for good.
pub(crate) const LEAVE_EPOCH: i32 = -1;
/// The epoch of a static member that leaves and is going to be back.
pub(crate) const LEAVE_STATIC_EPOCH: i32 = -2;

/// A member says that it is there, in which epoch it believes to be, and what has changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConsumerGroupHeartbeatParams<'a> {
    pub(crate) group_id: &'a str,
    pub(crate) member_id: &'a str,
    /// 0 to join, -1 to leave, -2 of a static member that is going to be back.
    pub(crate) member_epoch: i32,
    /// Members bring their ids from version 1 on; before, one is made for who has none.
    pub(crate) requires_member_id: bool,
    pub(crate) instance_id: Option<&'a str>,
    pub(crate) rack_id: Option<&'a str>,
    /// -1 if it has not changed.
    pub(crate) rebalance_timeout_ms: i32,
    pub(crate) subscribed_topic_names: Option<BTreeSet<&'a str>>,
    pub(crate) subscribed_topic_regex: Option<&'a str>,
    pub(crate) server_assignor: Option<&'a str>,
    /// What the member has.
    pub(crate) topic_partitions: Option<Partitions>,
    pub(crate) client_id: &'a str,
    /// As `/1.2.3.4`.
    pub(crate) client_host: &'a str,
}

/// What a member is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConsumerGroupHeartbeatResult {
    pub(crate) member_id: Arc<str>,
    pub(crate) member_epoch: i32,
    /// When it is to come again; 0 for one that has left.
    pub(crate) heartbeat_interval_ms: i32,
    /// What it is to have from now on, if that has changed or was asked for.
    pub(crate) assignment: Option<Partitions>,
}

/// Why a request about a group failed, in Kafka's code and in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GroupError {
    pub(crate) code: ErrorCode,
    pub(crate) message: String,
}

impl GroupError {
    pub(in crate::broker::coordinator::group) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        GroupError { code, message: message.into() }
    }
}

impl From<ErrorCode> for GroupError {
    fn from(code: ErrorCode) -> Self {
        GroupError { code, message: code.message().to_owned() }
    }
}

/// What a request comes to: records to append, and what is to be done once they are in the log.
pub(super) struct Plan {
    /// A group that is new, or was a classic one, and takes the place of what the state holds.
    pub(super) fresh: Option<ConsumerGroup>,
    pub(super) update: Update,
    pub(super) member: ConsumerGroupMember,
}

impl ConsumerGroupHeartbeatParams<'_> {
    fn validate(&self, assignors: &[String]) -> Result<(), GroupError> {
        let invalid = |message: &str| Err(GroupError::new(ErrorCode::InvalidRequest, message));
        let is_empty = |text: Option<&str>| text.is_some_and(|text| text.trim().is_empty());
        let needs_id =
            self.requires_member_id || self.member_epoch > JOIN_EPOCH || self.member_epoch == LEAVE_EPOCH;
        if needs_id && is_empty(Some(self.member_id)) {
            return invalid("the member has no id");
        }
        if is_empty(Some(self.group_id)) {
            return invalid("the group has no id");
        }
        if is_empty(self.instance_id) || is_empty(self.rack_id) {
            return invalid("an instance id or a rack that is given may not be empty");
        }
        match self.member_epoch {
            JOIN_EPOCH if self.rebalance_timeout_ms == NOT_SAID => {
                return invalid("who joins must say how long a rebalance may take");
            }
            JOIN_EPOCH if self.topic_partitions.as_ref().is_none_or(|owned| !owned.is_empty()) => {
                return invalid("who joins may not have partitions");
            }
            JOIN_EPOCH if self.subscribed_topic_names.is_none() && self.subscribed_topic_regex.is_none() => {
                return invalid("who joins must subscribe to something");
            }
            LEAVE_STATIC_EPOCH if self.instance_id.is_none() => {
                return invalid("only a static member leaves for a while");
            }
            ..LEAVE_STATIC_EPOCH => return invalid("there is no such member epoch"),
            _ => {}
        }
        let unsupported = self.server_assignor.filter(|wanted| assignors.iter().all(|name| name != wanted));
        match unsupported {
            Some(wanted) => Err(GroupError::new(
                ErrorCode::UnsupportedAssignor,
                format!("there is no assignor {wanted}; there are {}", assignors.join(", ")),
            )),
            None => self.validate_lengths(),
        }
    }

    /// A record's key has 16 bits for the length of a string.
    fn validate_lengths(&self) -> Result<(), GroupError> {
        let regex = self.subscribed_topic_regex.unwrap_or_default();
        match [self.group_id, self.member_id, regex].iter().all(|text| text.len() <= i16::MAX as usize) {
            true => Ok(()),
            false => Err(ErrorCode::InvalidRequest.into()),
        }
    }

    /// Whether the member says everything about itself, as it does when it is not sure that it was heard.
    fn is_full(&self) -> bool {
        self.rebalance_timeout_ms != NOT_SAID
            && (self.subscribed_topic_names.is_some() || self.subscribed_topic_regex.is_some())
            && self.topic_partitions.is_some()
    }

    /// Whether it says no more than that it is there.
    fn is_brief(&self, member: &ConsumerGroupMember) -> bool {
        self.member_epoch == member.epoch
            && self.member_epoch > JOIN_EPOCH
            && self.instance_id == member.instance_id().map(|id| &**id)
            && self.rack_id.is_none()
            && self.rebalance_timeout_ms == NOT_SAID
            && self.subscribed_topic_names.is_none()
            && self.subscribed_topic_regex.is_none()
            && self.server_assignor.is_none()
            && self.client_id == &*member.metadata.client_id
            && self.client_host == &*member.metadata.client_host
            && !member.uses_classic_protocol()
    }
}

impl GroupCoordinator {
    /// Whether the broker is set to have groups whose partitions it assigns (Kafka:
    /// `KafkaApis#isConsumerGroupProtocolEnabled`).
    pub(crate) fn is_consumer_protocol_enabled(&self) -> bool {
        self.config().group_coordinator_rebalance_protocols.iter().any(|protocol| protocol == "consumer")
    }

    /// A heartbeat of a member that is to be assigned partitions by the broker; also its first, and its last.
    ///
    /// # Errors
    /// Why it is not, or no more, a member; UNSUPPORTED_VERSION where the broker is set to have no such groups.
    pub(crate) fn consumer_group_heartbeat(
        &self,
        params: &ConsumerGroupHeartbeatParams<'_>,
    ) -> Result<ConsumerGroupHeartbeatResult, GroupError> {
        if !self.is_active() {
            return Err(ErrorCode::CoordinatorNotAvailable.into());
        }
        if !self.is_consumer_protocol_enabled() {
            return Err(ErrorCode::UnsupportedVersion.into());
        }
        params.validate(&self.config().group_consumer_assignors)?;
        self.validate_group_status(params.group_id, Api::Membership)?;
        loop {
            let group = match params.member_epoch {
                JOIN_EPOCH => self.get_or_create_group(params.group_id)?,
                _ => self.group(params.group_id).ok_or_else(|| group_not_found(params.group_id))?,
            };
            let outcome = self.with_group(&group, |turn| {
                // It went away between the two locks: there is another, or there will be.
                if turn.state.is(GroupState::Dead) {
                    return None;
                }
                let outcome = turn.consumer_heartbeat_or_leave(params);
                turn.forget_blank_group();
                Some(outcome)
            });
            if let Some(outcome) = outcome {
                return outcome;
            }
            self.validate_group_status(params.group_id, Api::Membership)?;
        }
    }
}

pub(super) fn group_not_found(group_id: &str) -> GroupError {
    GroupError::new(ErrorCode::GroupIdNotFound, format!("there is no consumer group {group_id}"))
}

impl GroupTurn<'_> {
    /// A group that was made for a request that failed is not there.
    pub(in crate::broker::coordinator::group) fn forget_blank_group(&mut self) {
        if self.is_blank() {
            self.die();
        }
    }

    /// Whether the group was made for the request that looks at it.
    pub(in crate::broker::coordinator::group) fn is_blank(&self) -> bool {
        let state = &self.state;
        state.group_type() == GroupType::Classic
            && state.is(GroupState::Empty)
            && state.generation_id == 0
            && state.offsets.is_empty()
            && state.pending_members.is_empty()
    }

    fn consumer_heartbeat_or_leave(
        &mut self,
        params: &ConsumerGroupHeartbeatParams<'_>,
    ) -> Result<ConsumerGroupHeartbeatResult, GroupError> {
        let outcome = match params.member_epoch {
            ..JOIN_EPOCH => self.leave_consumer_group(params),
            _ => self.consumer_heartbeat(params),
        };
        if let Err(error) = &outcome {
            self.tell_refusal(params, error);
        }
        outcome
    }

    fn consumer_heartbeat(
        &mut self,
        params: &ConsumerGroupHeartbeatParams<'_>,
    ) -> Result<ConsumerGroupHeartbeatResult, GroupError> {
        if let Some(result) = self.brief_heartbeat(params) {
            return Ok(result);
        }
        let plan = self.plan_heartbeat(params)?;
        let before = plan.update.assigned_before.clone();
        let updated = plan.member.clone();
        self.carry_out(plan)?;
        self.renew_consumer_session(&updated.id, self.consumer_session_timeout_ms());
        let tells = params.member_epoch == JOIN_EPOCH || params.is_full() || before != updated.assigned;
        Ok(ConsumerGroupHeartbeatResult {
            member_epoch: updated.epoch,
            heartbeat_interval_ms: self.consumer_heartbeat_interval_ms(),
            assignment: tells.then(|| assignment::without_epochs(&updated.assigned)),
            member_id: updated.id,
        })
    }

    /// Nearly all heartbeats: nothing has changed, neither here nor there.
    fn brief_heartbeat(
        &mut self,
        params: &ConsumerGroupHeartbeatParams<'_>,
    ) -> Option<ConsumerGroupHeartbeatResult> {
        let group = self.state.consumer()?;
        let member = group.member(params.member_id)?;
        let nothing_new = params.is_brief(member)
            && group.modern.epoch <= group.modern.target.epoch
            && member.is_reconciled_to(group.modern.target.epoch)
            && group.modern.topics_version == Some(self.coordinator.image().version())
            && !group.is_regex_refresh_due(&self.surroundings());
        if !nothing_new {
            return None;
        }
        let result = ConsumerGroupHeartbeatResult {
            member_id: Arc::clone(&member.id),
            member_epoch: member.epoch,
            heartbeat_interval_ms: self.consumer_heartbeat_interval_ms(),
            assignment: None,
        };
        self.renew_consumer_session(&result.member_id, self.consumer_session_timeout_ms());
        Some(result)
    }

    pub(super) fn surroundings(&self) -> Surroundings<'_> {
        Surroundings {
            image: self.coordinator.image(),
            config: self.coordinator.config(),
            assignment_interval_ms: self.consumer_assignment_interval_ms(),
            now_ms: self.now_ms(),
        }
    }

    fn plan_heartbeat(&self, params: &ConsumerGroupHeartbeatParams<'_>) -> Result<Plan, GroupError> {
        let is_joining = params.member_epoch == JOIN_EPOCH;
        let mut update = Update::default();
        let fresh = match self.state.consumer() {
            Some(_) => None,
            None if is_joining => Some(self.consumer_group_in_place(&mut update)?),
            None => return Err(group_not_found(params.group_id)),
        };
        let group =
            fresh.as_ref().or(self.state.consumer()).ok_or_else(|| group_not_found(params.group_id))?;
        self.validate_room(group, params.member_id, params.instance_id)?;
        let member_id = match params.member_id {
            "" => self.coordinator.new_uuid().to_string().into(),
            id => Arc::from(id),
        };
        let member = match params.instance_id {
            None => match group.member(&member_id) {
                Some(member) => {
                    check_epoch(member, params)?;
                    member.clone()
                }
                None if is_joining => ConsumerGroupMember::new(Arc::clone(&member_id)),
                None => return Err(member_not_found(&self.group.id, &member_id)),
            },
            Some(instance_id) if is_joining => {
                self.static_member_to_join(group, &member_id, instance_id, &mut update)?
            }
            Some(instance_id) => {
                let member = self.static_member(group, &member_id, instance_id)?;
                check_epoch(member, params)?;
                member.clone()
            }
        };
        update.assigned_before = member.assigned.clone();
        let mut updated = member.clone();
        tell(&mut updated, params);
        let updated = update.heartbeat(
            group,
            &self.surroundings(),
            &member,
            updated,
            params.topic_partitions.as_ref(),
        )?;
        Ok(Plan { fresh, update, member: updated })
    }

    pub(super) fn validate_room(
        &self,
        group: &ConsumerGroup,
        member_id: &str,
        instance_id: Option<&str>,
    ) -> Result<(), GroupError> {
        let max = usize::try_from(self.coordinator.config().group_consumer_max_size).unwrap_or(0);
        let is_back = instance_id.is_some_and(|id| group.static_member(id).is_some());
        if is_back || group.len() < max || (!member_id.is_empty() && group.member(member_id).is_some()) {
            return Ok(());
        }
        let message = format!("the group has {max} members, which is as many as it may have");
        Err(GroupError::new(ErrorCode::GroupMaxSizeReached, message))
    }

    /// A static member that is there.
    pub(super) fn static_member<'g>(
        &self,
        group: &'g ConsumerGroup,
        member_id: &str,
        instance_id: &str,
    ) -> Result<&'g ConsumerGroupMember, GroupError> {
        let member = group.static_member(instance_id).ok_or_else(|| {
            GroupError::new(ErrorCode::UnknownMemberId, format!("no member has instance id {instance_id}"))
        })?;
        if &*member.id == member_id {
            return Ok(member);
        }
        let message = format!("instance id {instance_id} is another member's: {}", member.id);
        Err(GroupError::new(ErrorCode::FencedInstanceId, message))
    }

    /// A static member that comes, or comes back under another id and takes over what it had.
    fn static_member_to_join(
        &self,
        group: &ConsumerGroup,
        member_id: &Arc<str>,
        instance_id: &str,
        update: &mut Update,
    ) -> Result<ConsumerGroupMember, GroupError> {
        let Some(existing) = group.static_member(instance_id) else {
            let existing = group.member(member_id).cloned();
            return Ok(existing.unwrap_or_else(|| ConsumerGroupMember::new(Arc::clone(member_id))));
        };
        if !existing.uses_classic_protocol() && existing.epoch != LEAVE_STATIC_EPOCH {
            let message = format!("instance id {instance_id} is still used by member {}", existing.id);
            return Err(GroupError::new(ErrorCode::UnreleasedInstanceId, message));
        }
        Ok(update.replace_member(group, existing, member_id))
    }

    /// Appends what a plan comes to, and lets it be so.
    pub(super) fn carry_out(&mut self, plan: Plan) -> Result<(), GroupError> {
        let Plan { fresh, update, member } = plan;
        let news = match fresh.as_ref().or(self.state.consumer()) {
            Some(group) => self.news_of(group, &update, &member),
            None => News::default(),
        };
        let Update { records, removes_classic, replaced, is_compared, rebalance_deadline, .. } = update;
        self.append_consumer_records(removes_classic, &records)?;
        if let Some(fresh) = fresh {
            self.become_consumer_group(fresh);
        }
        self.tell(news);
        let version = self.coordinator.image().version();
        let now = self.now;
        let Some(group) = self.state.consumer_mut() else { return Ok(()) };
        records.iter().for_each(|record| group.replay(record));
        if is_compared {
            group.modern.topics_version = Some(version);
        }
        if let Some(replaced) = replaced {
            group.timers.remove(&replaced);
        }
        let mut deadline = None;
        if let Some(timeout) = rebalance_deadline {
            deadline = timeout.map(|timeout| now.saturating_add(timeout));
            let timers = group.timers.entry(Arc::clone(&member.id)).or_default();
            timers.rebalance = deadline.map(|at| (at, member.epoch));
        }
        if let Some(at) = deadline {
            self.wake_at(at);
        }
        Ok(())
    }
}

/// Takes over what a member says about itself.
fn tell(member: &mut ConsumerGroupMember, params: &ConsumerGroupHeartbeatParams<'_>) {
    let metadata = &mut member.metadata;
    if let Some(instance_id) = params.instance_id {
        metadata.instance_id = Some(instance_id.into());
    }
    if let Some(rack_id) = params.rack_id {
        metadata.rack_id = Some(rack_id.into());
    }
    if params.rebalance_timeout_ms != NOT_SAID {
        metadata.rebalance_timeout_ms = params.rebalance_timeout_ms;
    }
    if let Some(assignor) = params.server_assignor {
        metadata.server_assignor = Some(assignor.into());
    }
    if let Some(names) = &params.subscribed_topic_names {
        metadata.subscribed_topic_names = names.iter().map(|name| Arc::from(*name)).collect();
    }
    if let Some(regex) = params.subscribed_topic_regex {
        metadata.subscribed_topic_regex = Some(regex.into());
    }
    metadata.client_id = params.client_id.into();
    metadata.client_host = params.client_host.into();
    metadata.classic = None;
}

/// Whether a member is where it believes to be; or one epoch behind, if an answer may have been lost.
fn check_epoch(
    member: &ConsumerGroupMember,
    params: &ConsumerGroupHeartbeatParams<'_>,
) -> Result<(), GroupError> {
    let is_behind = || {
        params.member_epoch == member.previous_epoch
            && params
                .topic_partitions
                .as_ref()
                .is_some_and(|owned| assignment::is_subset(owned, &member.assigned))
    };
    if params.member_epoch == JOIN_EPOCH
        || params.member_epoch == member.epoch
        || (params.member_epoch < member.epoch && is_behind())
    {
        return Ok(());
    }
    let message = format!(
        "the member is in epoch {}, not in {}: it must give up its partitions and join again",
        member.epoch, params.member_epoch
    );
    Err(GroupError::new(ErrorCode::FencedMemberEpoch, message))
}
