use std::sync::Arc;

use super::coordinator::{Api, GroupCoordinator};
use super::group_state::GroupState;
use super::turn::GroupTurn;
use crate::broker::purgatory::DelayedOperation;
use crate::model::ErrorCode;

/// A member says that it is alive, and believes to be of a generation.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct HeartbeatParams<'a> {
    pub(crate) group_id: &'a str,
    pub(crate) member_id: &'a str,
    pub(crate) group_instance_id: Option<&'a str>,
    pub(crate) generation_id: i32,
}

/// One of the members that leave. Either id may be left out: a static member can be removed by its instance id
/// alone, which is what an administrator knows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LeavingMember<'a> {
    pub(crate) member_id: &'a str,
    pub(crate) group_instance_id: Option<&'a str>,
    pub(crate) reason: Option<&'a str>,
}

/// The outcome of leaving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LeaveGroupResult {
    /// Of the request as a whole.
    pub(crate) error: ErrorCode,
    /// One for each member that was to leave, in the same order; empty if the request failed as a whole.
    pub(crate) members: Vec<ErrorCode>,
}

impl GroupCoordinator {
    /// Renews a member's session. REBALANCE_IN_PROGRESS asks the member to join again.
    pub(crate) fn heartbeat(&self, params: HeartbeatParams<'_>) -> ErrorCode {
        match self.validate_group_status(params.group_id, Api::Membership) {
            Ok(()) => {}
            // Nobody can tell yet, and the session starts anew once the group is loaded.
            Err(ErrorCode::CoordinatorLoadInProgress) => return ErrorCode::None,
            Err(error) => return error,
        }
        let Some(group) = self.group(params.group_id) else { return ErrorCode::UnknownMemberId };
        self.with_group(&group, |turn| turn.heartbeat(params).err().unwrap_or(ErrorCode::None))
    }

    /// Has `operation` tried whenever the group starts to rebalance, until it says that it is over. A remote member
    /// hears of it with its next heartbeat; one in this process need not wait for that.
    pub(crate) fn watch_rebalances(&self, group_id: &str, operation: &Arc<dyn DelayedOperation>) {
        let Some(group) = self.group(group_id) else { return };
        // Once is enough, however often the member joins.
        group.watchers.forget_if(|known| std::ptr::addr_eq(known, Arc::as_ptr(operation)));
        group.watchers.watch(Arc::clone(operation));
    }

    /// Removes members that say so themselves, or that an administrator names.
    pub(crate) fn leave_group(&self, group_id: &str, leaving: &[LeavingMember<'_>]) -> LeaveGroupResult {
        let failed = |error| LeaveGroupResult { error, members: Vec::new() };
        if let Err(error) = self.validate_group_status(group_id, Api::Membership) {
            return failed(error);
        }
        let Some(group) = self.group(group_id) else {
            let members = vec![ErrorCode::UnknownMemberId; leaving.len()];
            return LeaveGroupResult { error: ErrorCode::None, members };
        };
        self.with_group(&group, |turn| {
            if turn.state.is(GroupState::Dead) {
                return failed(ErrorCode::CoordinatorNotAvailable);
            }
            if let Err(error) = turn.refuse_share_group(ErrorCode::UnknownMemberId) {
                return LeaveGroupResult { error: ErrorCode::None, members: vec![error; leaving.len()] };
            }
            if turn.state.consumer().is_some() {
                return match turn.leave_consumer_group_of(leaving) {
                    Ok(members) => LeaveGroupResult { error: ErrorCode::None, members },
                    Err(error) => failed(error),
                };
            }
            let leave = |&member| turn.leave(member).err().unwrap_or(ErrorCode::None);
            LeaveGroupResult { error: ErrorCode::None, members: leaving.iter().map(leave).collect() }
        })
    }
}

impl GroupTurn<'_> {
    fn heartbeat(&mut self, params: HeartbeatParams<'_>) -> Result<(), ErrorCode> {
        if self.state.is(GroupState::Dead) {
            return Err(ErrorCode::CoordinatorNotAvailable);
        }
        if self.state.consumer().is_some() {
            return self.heartbeat_consumer_group(params);
        }
        self.validate_current_member(params.member_id, params.group_instance_id)?;
        if params.generation_id != self.state.generation_id {
            return Err(ErrorCode::IllegalGeneration);
        }
        self.renew_session(params.member_id);
        if self.state.is(GroupState::PreparingRebalance) {
            return Err(ErrorCode::RebalanceInProgress);
        }
        Ok(())
    }

    fn leave(&mut self, leaving: LeavingMember<'_>) -> Result<(), ErrorCode> {
        let member_id = if leaving.member_id.is_empty() {
            let by_instance = leaving.group_instance_id.and_then(|id| self.state.static_member_id(id));
            Arc::clone(by_instance.ok_or(ErrorCode::UnknownMemberId)?)
        } else if self.state.pending_members.contains_key(leaving.member_id) {
            self.remove_pending_members(&[leaving.member_id]);
            return Ok(());
        } else {
            self.validate_current_member(leaving.member_id, leaving.group_instance_id)?;
            Arc::from(leaving.member_id)
        };
        let group = &self.group.id;
        let reason = leaving.reason.unwrap_or("not provided");
        self.outbox.info(|| format!("Member {member_id} leaves group {group}; client reason: {reason}"));
        self.remove_members_and_rebalance(
            &[&*member_id],
            format!("member {member_id} left; client reason: {reason}"),
        );
        Ok(())
    }

    /// Takes back ids that were only handed out; a rebalance may have waited for their owners.
    pub(super) fn remove_pending_members(&mut self, member_ids: &[impl AsRef<str>]) {
        member_ids.iter().for_each(|id| self.remove_member(id.as_ref()));
        if self.state.is(GroupState::PreparingRebalance) {
            self.try_complete_join();
        }
    }

    /// Removes members, and has the others share what these did.
    pub(super) fn remove_members_and_rebalance(&mut self, member_ids: &[impl AsRef<str>], reason: String) {
        member_ids.iter().for_each(|id| self.remove_member(id.as_ref()));
        if self.state.is(GroupState::PreparingRebalance) {
            self.try_complete_join();
        } else {
            self.maybe_prepare_rebalance(reason);
        }
    }
}
