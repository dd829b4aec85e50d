use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use super::coordinator::{Api, GroupCoordinator};
use super::group_state::GroupState;
use super::turn::GroupTurn;
use crate::model::ErrorCode;

/// Called once with the outcome of a sync, from whichever thread brings it about, with no lock held.
pub(crate) type SyncCallback = Box<dyn FnOnce(SyncGroupResult) + Send>;

/// A member asks for its assignment; the leader brings everybody's.
#[derive(Clone, Debug, Default)]
pub(crate) struct SyncGroupParams<'a> {
    pub(crate) group_id: &'a str,
    pub(crate) generation_id: i32,
    pub(crate) member_id: &'a str,
    pub(crate) group_instance_id: Option<&'a str>,
    /// What the member believes the group to do (SyncGroup v5+).
    pub(crate) protocol_type: Option<&'a str>,
    pub(crate) protocol_name: Option<&'a str>,
    /// By member id. Only the leader's are looked at.
    pub(crate) assignments: Vec<(&'a str, Bytes)>,
}

/// The outcome of a sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SyncGroupResult {
    pub(crate) error: ErrorCode,
    pub(crate) protocol_type: Option<Arc<str>>,
    pub(crate) protocol_name: Option<Arc<str>>,
    /// As the leader wrote it; empty if the leader had none for this member.
    pub(crate) assignment: Bytes,
}

impl SyncGroupResult {
    pub(crate) fn failed(error: ErrorCode) -> Self {
        SyncGroupResult { error, protocol_type: None, protocol_name: None, assignment: Bytes::new() }
    }
}

impl GroupCoordinator {
    /// Asks for a member's assignment. The callback is called when the leader's assignment is in the log,
    /// which may be before this returns, or when the sync fails or is replaced by another of the same member.
    pub(crate) fn sync_group(&self, params: SyncGroupParams<'_>, callback: SyncCallback) {
        match self.validate_group_status(params.group_id, Api::Membership) {
            Ok(()) => {}
            // The rebalance was forgotten by the one who led it: start over with a join. Old clients do not
            // expect COORDINATOR_LOAD_IN_PROGRESS here.
            Err(ErrorCode::CoordinatorLoadInProgress) => {
                return callback(SyncGroupResult::failed(ErrorCode::RebalanceInProgress));
            }
            Err(error) => return callback(SyncGroupResult::failed(error)),
        }
        let Some(group) = self.group(params.group_id) else {
            return callback(SyncGroupResult::failed(ErrorCode::UnknownMemberId));
        };
        self.with_group(&group, |turn| match turn.validate_sync(&params) {
            _ if turn.state.consumer().is_some() && !turn.state.is(GroupState::Dead) => {
                let result = turn.sync_consumer_group(&params);
                turn.outbox.sync(callback, result.unwrap_or_else(SyncGroupResult::failed));
            }
            Ok(()) => turn.sync(params, callback),
            Err(error) => turn.outbox.sync(callback, SyncGroupResult::failed(error)),
        });
    }
}

impl GroupTurn<'_> {
    fn validate_sync(&self, params: &SyncGroupParams<'_>) -> Result<(), ErrorCode> {
        if self.state.is(GroupState::Dead) {
            return Err(ErrorCode::CoordinatorNotAvailable);
        }
        self.validate_current_member(params.member_id, params.group_instance_id)?;
        if params.generation_id != self.state.generation_id {
            return Err(ErrorCode::IllegalGeneration);
        }
        let differs =
            |told: Option<&str>, known: &Option<Arc<str>>| told.is_some() && told != known.as_deref();
        if differs(params.protocol_type, &self.state.protocol_type)
            || differs(params.protocol_name, &self.state.protocol_name)
        {
            return Err(ErrorCode::InconsistentGroupProtocol);
        }
        Ok(())
    }

    fn sync(&mut self, params: SyncGroupParams<'_>, callback: SyncCallback) {
        match self.state.state() {
            GroupState::Empty | GroupState::Dead | GroupState::Assigning | GroupState::Reconciling => {
                self.outbox.sync(callback, SyncGroupResult::failed(ErrorCode::UnknownMemberId));
            }
            GroupState::PreparingRebalance => {
                self.outbox.sync(callback, SyncGroupResult::failed(ErrorCode::RebalanceInProgress));
            }
            GroupState::CompletingRebalance => {
                self.park_sync(params.member_id, callback);
                self.sync_received(params.member_id);
                if self.state.is_leader(params.member_id) {
                    self.take_assignment(params);
                }
            }
            GroupState::Stable => {
                self.sync_received(params.member_id);
                self.renew_session(params.member_id);
                let result = self.sync_result(params.member_id);
                self.outbox.sync(callback, result);
            }
        }
    }

    /// Parks a sync; one that the member has parked before is answered, since nobody else will.
    fn park_sync(&mut self, member_id: &str, callback: SyncCallback) {
        let Some(member) = self.state.member_mut(member_id) else {
            return self.outbox.sync(callback, SyncGroupResult::failed(ErrorCode::UnknownMemberId));
        };
        if let Some(replaced) = member.awaiting_sync.replace(callback) {
            self.outbox.sync(replaced, SyncGroupResult::failed(ErrorCode::RebalanceInProgress));
        }
    }

    fn sync_received(&mut self, member_id: &str) {
        self.state.pending_sync.remove(member_id);
        if self.state.pending_sync.is_empty() {
            self.state.sync_deadline = None;
        }
    }

    fn sync_result(&self, member_id: &str) -> SyncGroupResult {
        let assignment = self.state.members().get(member_id).map(|member| member.assignment.clone());
        SyncGroupResult {
            error: ErrorCode::None,
            protocol_type: self.state.protocol_type.clone(),
            protocol_name: self.state.protocol_name.clone(),
            assignment: assignment.unwrap_or_default(),
        }
    }

    /// The leader has spoken: into the log with it, then every member that asked hears its part.
    fn take_assignment(&mut self, params: SyncGroupParams<'_>) {
        let (group, generation) = (&self.group.id, params.generation_id);
        let (size, static_size) = (self.state.members().len(), self.state.static_members_count());
        self.outbox.info(|| {
            format!(
                "Assignment received from leader {} for group {group} for generation {generation}. The group has \
                 {size} members, {static_size} of which are static.",
                params.member_id
            )
        });
        let mut assignments: HashMap<&str, Bytes> = params.assignments.into_iter().collect();
        let mut without = Vec::new();
        for member in self.state.members_mut() {
            member.assignment = match assignments.remove(&*member.id) {
                // A slice of the request's frame would keep the whole frame for as long as the member stays.
                Some(assignment) => Bytes::copy_from_slice(&assignment),
                None => {
                    without.push(Arc::clone(&member.id));
                    Bytes::new()
                }
            };
        }
        if !without.is_empty() {
            self.outbox.warn(|| {
                format!(
                    "The leader of group {group} assigned nothing to members {without:?} for generation {generation}"
                )
            });
        }
        match self.store_group() {
            Ok(()) => {
                let now_ms = self.now_ms();
                self.state.transition_to(GroupState::Stable, now_ms);
                for id in self.state.members().ids() {
                    let result = self.sync_result(&id);
                    if self.answer_sync(&id, result) {
                        self.renew_session(&id);
                    }
                }
            }
            Err(error) => {
                self.reset_assignment(error);
                self.maybe_prepare_rebalance(format!(
                    "the assignment of leader {} could not be stored: {error}",
                    params.member_id
                ));
            }
        }
    }

    /// Takes every assignment back and tells those who wait for theirs why.
    pub(super) fn reset_assignment(&mut self, error: ErrorCode) {
        for member in self.state.members_mut() {
            member.assignment = Bytes::new();
        }
        for id in self.state.members().ids() {
            if self.answer_sync(&id, SyncGroupResult::failed(error)) {
                self.renew_session(&id);
            }
        }
    }
}
