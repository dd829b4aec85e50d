//! What members of share groups ask, and are told (Kafka: `GroupMetadataManager#shareGroupHeartbeat`).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::group::ShareGroup;
use super::initialize::Initialization;
use super::member::ShareGroupMember;
use super::update::Plan;
use crate::broker::coordinator::group::coordinator::{Api, GroupCoordinator};
use crate::broker::coordinator::group::group_state::GroupState;
use crate::broker::coordinator::group::modern::assignment::Partitions;
use crate::broker::coordinator::group::modern::consumer::GroupError;
use crate::broker::coordinator::group::modern::group::ModernGroupMember;
use crate::broker::coordinator::group::turn::GroupTurn;
use crate::model::ErrorCode;

/// The epoch of who joins.
const JOIN_EPOCH: i32 = 0;
/// The epoch of who leaves.
const LEAVE_EPOCH: i32 = -1;
/// The longest id of a member: that of a UUID in words. Fetches take no longer one either.
const MAX_MEMBER_ID_LEN: usize = 36;

/// A member says that it is there, in which epoch it believes to be, and what has changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct ShareGroupHeartbeatParams<'a> {
    pub(crate) group_id: &'a str,
    pub(crate) member_id: &'a str,
    /// 0 to join, -1 to leave.
    pub(crate) member_epoch: i32,
    pub(crate) rack_id: Option<&'a str>,
    /// `None` if they are as before.
    pub(crate) subscribed_topic_names: Option<BTreeSet<&'a str>>,
    pub(crate) client_id: &'a str,
    /// As `/1.2.3.4`.
    pub(crate) client_host: &'a str,
}

/// What a member is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ShareGroupHeartbeatResult {
    pub(crate) member_id: Arc<str>,
    pub(crate) member_epoch: i32,
    /// When it is to come again; 0 for one that has left.
    pub(crate) heartbeat_interval_ms: i32,
    /// What it is to read from now on, if that has changed or was asked for.
    pub(crate) assignment: Option<Partitions>,
}

/// What became of one look at a group.
enum Outcome {
    /// It went away between the two locks: there is another, or there will be.
    Again,
    /// What is answered, and the states that are begun once it is.
    Done(ShareGroupHeartbeatResult, Option<Initialization>),
}

impl ShareGroupHeartbeatParams<'_> {
    fn validate(&self) -> Result<(), GroupError> {
        let invalid = |message: &str| Err(GroupError::new(ErrorCode::InvalidRequest, message));
        let is_empty = |text: Option<&str>| text.is_some_and(|text| text.trim().is_empty());
        if is_empty(Some(self.member_id)) {
            return invalid("MemberId can't be empty.");
        }
        if self.member_id.len() > MAX_MEMBER_ID_LEN {
            return invalid("MemberId can't be longer than 36 characters.");
        }
        if is_empty(Some(self.group_id)) {
            return invalid("GroupId can't be empty.");
        }
        if is_empty(self.rack_id) {
            return invalid("RackId can't be empty.");
        }
        if self.member_epoch == JOIN_EPOCH
            && self.subscribed_topic_names.as_ref().is_none_or(BTreeSet::is_empty)
        {
            return invalid("SubscribedTopicNames must be set in first request.");
        }
        if self.member_epoch < LEAVE_EPOCH {
            return invalid("MemberEpoch is invalid.");
        }
        // A record's key has 16 bits for the length of a string.
        match [self.group_id, self.member_id].iter().all(|text| text.len() <= i16::MAX as usize) {
            true => Ok(()),
            false => Err(ErrorCode::InvalidRequest.into()),
        }
    }

    /// Whether it says no more than that it is there.
    fn is_brief(&self, member: &ShareGroupMember) -> bool {
        self.member_epoch == member.epoch
            && self.member_epoch > JOIN_EPOCH
            && self.rack_id.is_none()
            && self.subscribed_topic_names.is_none()
            && self.client_id == &*member.metadata.client_id
            && self.client_host == &*member.metadata.client_host
    }
}

impl GroupCoordinator {
    /// A heartbeat of a member of a share group; also its first, and its last.
    ///
    /// Partitions that have no state yet get it after the answer is made, as in Kafka: the next heartbeat has them.
    ///
    /// # Errors
    /// Why it is not, or no more, a member.
    pub(crate) fn share_group_heartbeat(
        &self,
        params: &ShareGroupHeartbeatParams<'_>,
    ) -> Result<ShareGroupHeartbeatResult, GroupError> {
        if !self.is_active() {
            return Err(ErrorCode::CoordinatorNotAvailable.into());
        }
        params.validate()?;
        loop {
            self.validate_group_status(params.group_id, Api::Membership)?;
            let group = match params.member_epoch {
                JOIN_EPOCH => self.get_or_create_group(params.group_id)?,
                _ => self.group(params.group_id).ok_or_else(|| share_group_not_found(params.group_id))?,
            };
            let outcome = self.with_group(&group, |turn| {
                if turn.state.is(GroupState::Dead) {
                    return Ok(Outcome::Again);
                }
                let outcome = turn.share_heartbeat_or_leave(params);
                turn.forget_blank_group();
                outcome
            });
            match outcome? {
                Outcome::Again => {}
                Outcome::Done(result, initialization) => {
                    let begun =
                        initialization.map(|asked| self.initialize_share_state(params.group_id, &asked));
                    if let Some(Err(error)) = begun {
                        // A later heartbeat tries again.
                        tracing::warn!(
                            "State of share group {} could not be begun: {}",
                            params.group_id,
                            error.message
                        );
                    }
                    return Ok(result);
                }
            }
        }
    }
}

pub(super) fn share_group_not_found(group_id: &str) -> GroupError {
    GroupError::new(ErrorCode::GroupIdNotFound, format!("Share group {group_id} not found."))
}

/// There is a group of the name, of another type.
pub(super) fn not_a_share_group(group_id: &str) -> GroupError {
    GroupError::new(ErrorCode::GroupIdNotFound, format!("Group {group_id} is not a share group."))
}

impl GroupTurn<'_> {
    fn share_heartbeat_or_leave(
        &mut self,
        params: &ShareGroupHeartbeatParams<'_>,
    ) -> Result<Outcome, GroupError> {
        let outcome = match params.member_epoch {
            LEAVE_EPOCH => self.leave_share_group(params.member_id).map(|left| Outcome::Done(left, None)),
            _ => self.share_heartbeat(params),
        };
        if let Err(GroupError { code, message }) = &outcome {
            let ShareGroupHeartbeatParams { member_id, member_epoch, .. } = params;
            self.outbox.info(|| {
                format!("Member {member_id} with epoch {member_epoch} is refused with {code}: {message}")
            });
        }
        outcome
    }

    fn share_heartbeat(&mut self, params: &ShareGroupHeartbeatParams<'_>) -> Result<Outcome, GroupError> {
        if let Some(result) = self.brief_share_heartbeat(params) {
            return Ok(Outcome::Done(result, None));
        }
        let fresh = match self.state.share() {
            Some(_) => None,
            None if !self.is_blank() => return Err(not_a_share_group(params.group_id)),
            None if params.member_epoch == JOIN_EPOCH => Some(ShareGroup::new()),
            None => return Err(share_group_not_found(params.group_id)),
        };
        let group =
            fresh.as_ref().or(self.state.share()).ok_or_else(|| share_group_not_found(params.group_id))?;
        let member = self.share_member(group, params)?;
        let mut updated = member.clone();
        tell(&mut updated, params);
        let mut plan = Plan::new(group, self.share_surroundings(), &member, updated);
        plan.reconcile(group, self.share_surroundings());
        let initialization = plan.initialize(group);
        let is_full = params.member_epoch == JOIN_EPOCH || params.subscribed_topic_names.is_some();
        let tells = is_full || plan.member.assigned != member.assigned;
        let updated = plan.member.clone();
        self.carry_out_share(fresh, plan)?;
        self.renew_share_session(&updated.id);
        let result = ShareGroupHeartbeatResult {
            member_epoch: updated.epoch,
            heartbeat_interval_ms: self.share_heartbeat_interval_ms(),
            assignment: tells.then_some(updated.assigned),
            member_id: updated.id,
        };
        Ok(Outcome::Done(result, initialization))
    }

    /// Nearly all heartbeats: nothing has changed, neither here nor there.
    fn brief_share_heartbeat(
        &mut self,
        params: &ShareGroupHeartbeatParams<'_>,
    ) -> Option<ShareGroupHeartbeatResult> {
        let group = self.state.share()?;
        let member = group.member(params.member_id)?;
        let nothing_new = params.is_brief(member)
            && group.is_settled
            && group.modern.epoch <= group.modern.target.epoch
            && member.is_reconciled_to(group.modern.target.epoch)
            && group.modern.topics_version == Some(self.coordinator.image().version());
        if !nothing_new {
            return None;
        }
        let result = ShareGroupHeartbeatResult {
            member_id: Arc::clone(&member.id),
            member_epoch: member.epoch,
            heartbeat_interval_ms: self.share_heartbeat_interval_ms(),
            assignment: None,
        };
        self.renew_share_session(&result.member_id);
        Some(result)
    }

    /// The member that sends a heartbeat, as the group has it; a new one if it joins.
    fn share_member(
        &self,
        group: &ShareGroup,
        params: &ShareGroupHeartbeatParams<'_>,
    ) -> Result<ShareGroupMember, GroupError> {
        let max = usize::try_from(self.coordinator.config().group_share_max_size).unwrap_or(0);
        let known = group.member(params.member_id);
        if group.modern.members.len() >= max && known.is_none() {
            let message = format!("The share group has reached its maximum capacity of {max} members.");
            return Err(GroupError::new(ErrorCode::GroupMaxSizeReached, message));
        }
        let group_id = &self.group.id;
        match known {
            Some(member) => {
                check_epoch(member, params.member_epoch)?;
                Ok(member.clone())
            }
            None if params.member_epoch == JOIN_EPOCH => Ok(ShareGroupMember::new(params.member_id.into())),
            None => Err(unknown_member(group_id, params.member_id)),
        }
    }
}

pub(super) fn unknown_member(group_id: &str, member_id: &str) -> GroupError {
    let message = format!("Member {member_id} is not a member of group {group_id}.");
    GroupError::new(ErrorCode::UnknownMemberId, message)
}

/// Takes over what a member says about itself.
fn tell(member: &mut ShareGroupMember, params: &ShareGroupHeartbeatParams<'_>) {
    let metadata = &mut member.metadata;
    if let Some(rack_id) = params.rack_id {
        metadata.rack_id = Some(rack_id.into());
    }
    if let Some(names) = &params.subscribed_topic_names {
        metadata.subscribed_topic_names = names.iter().map(|name| Arc::from(*name)).collect();
    }
    metadata.client_id = params.client_id.into();
    metadata.client_host = params.client_host.into();
}

/// Whether a member is where it believes to be; or one epoch behind, if an answer may have been lost.
fn check_epoch(member: &ShareGroupMember, received: i32) -> Result<(), GroupError> {
    let (epoch, previous) = (member.epoch, member.previous_epoch);
    if received == JOIN_EPOCH || received == epoch || (received < epoch && received == previous) {
        return Ok(());
    }
    let message = if received > epoch {
        format!(
            "The share group member has a greater member epoch ({received}) than the one known by the group \
             coordinator ({epoch}). The member must abandon all its partitions and rejoin."
        )
    } else {
        format!(
            "The share group member has a smaller member epoch ({received}) than the one known by the group \
             coordinator ({epoch}), and it does not match the previous member epoch ({previous}). The member must \
             abandon all its partitions and rejoin."
        )
    };
    Err(GroupError::new(ErrorCode::FencedMemberEpoch, message))
}
