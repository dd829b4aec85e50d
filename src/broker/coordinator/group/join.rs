use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::coordinator::{Api, GroupCoordinator};
use super::group_metadata::MemberUpdate;
use super::group_state::GroupState;
use super::member::{Member, NewMember};
use super::turn::GroupTurn;
use crate::model::ErrorCode;

/// How long a member that joins for the first time may be kept waiting (Kafka: `NewMemberJoinTimeoutMs`).
const NEW_MEMBER_JOIN_TIMEOUT: Duration = Duration::from_secs(300);

/// Called once with the outcome of a join, from whichever thread brings it about, with no lock held.
pub(crate) type JoinCallback = Box<dyn FnOnce(JoinGroupResult) + Send>;

/// A wish to be a member of the next generation.
#[derive(Clone, Debug, Default)]
pub(crate) struct JoinGroupParams<'a> {
    pub(crate) group_id: &'a str,
    /// Empty for a new member.
    pub(crate) member_id: &'a str,
    pub(crate) group_instance_id: Option<&'a str>,
    /// A new dynamic member is only given an id at first, and joins with it (JoinGroup v4+).
    pub(crate) require_known_member_id: bool,
    /// The caller knows [`JoinGroupResult::skip_assignment`] (JoinGroup v9+).
    pub(crate) supports_skipping_assignment: bool,
    pub(crate) client_id: &'a str,
    /// As `/1.2.3.4`.
    pub(crate) client_host: &'a str,
    /// The session timeout, where the request has none of its own (JoinGroup v0).
    pub(crate) rebalance_timeout_ms: i32,
    pub(crate) session_timeout_ms: i32,
    pub(crate) protocol_type: &'a str,
    /// In the member's order of preference.
    pub(crate) protocols: Vec<JoinGroupProtocol>,
    /// Why, in the member's words.
    pub(crate) reason: Option<&'a str>,
}

/// One way of assigning work that a member knows, and what it has to say to an assignor of that kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JoinGroupProtocol {
    pub(crate) name: Arc<str>,
    pub(crate) metadata: Bytes,
}

/// The outcome of a join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JoinGroupResult {
    pub(crate) error: ErrorCode,
    /// All members of the generation, if this one leads; otherwise none.
    pub(crate) members: Vec<JoinGroupMember>,
    pub(crate) member_id: Arc<str>,
    pub(crate) generation_id: i32,
    pub(crate) protocol_type: Option<Arc<str>>,
    pub(crate) protocol_name: Option<Arc<str>>,
    pub(crate) leader_id: Arc<str>,
    /// The member leads, but is not to assign anything.
    pub(crate) skip_assignment: bool,
}

/// What the leader learns of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JoinGroupMember {
    pub(crate) member_id: Arc<str>,
    pub(crate) group_instance_id: Option<Arc<str>>,
    pub(crate) metadata: Bytes,
}

impl JoinGroupResult {
    pub(crate) fn failed(member_id: &str, error: ErrorCode) -> Self {
        JoinGroupResult {
            error,
            members: Vec::new(),
            member_id: Arc::from(member_id),
            generation_id: -1,
            protocol_type: None,
            protocol_name: None,
            leader_id: Arc::default(),
            skip_assignment: false,
        }
    }
}

/// A join under way: what is asked, and whom to tell.
struct Join<'a> {
    params: JoinGroupParams<'a>,
    callback: JoinCallback,
}

impl Join<'_> {
    fn reason(&self) -> &str {
        self.params.reason.unwrap_or("not provided")
    }
}

impl GroupCoordinator {
    /// Joins a group. The callback is called when the generation is complete, which may be before this
    /// returns, or when the join fails or is replaced by another of the same member.
    pub(crate) fn join_group(&self, mut params: JoinGroupParams<'_>, callback: JoinCallback) {
        if let Err(error) = self.validate_join(&params) {
            return callback(JoinGroupResult::failed(params.member_id, error));
        }
        keep_own_copies(&mut params.protocols);
        // With a member id the group must exist; without one it comes into being.
        let group = if params.member_id.is_empty() {
            self.get_or_create_group(params.group_id)
        } else {
            self.group(params.group_id).ok_or(ErrorCode::UnknownMemberId)
        };
        match group {
            Ok(group) => self.with_group(&group, |turn| turn.join(Join { params, callback })),
            Err(error) => callback(JoinGroupResult::failed(params.member_id, error)),
        }
    }

    fn validate_join(&self, params: &JoinGroupParams<'_>) -> Result<(), ErrorCode> {
        self.validate_group_status(params.group_id, Api::Membership)?;
        let allowed = self.config().group_min_session_timeout_ms..=self.config().group_max_session_timeout_ms;
        if !allowed.contains(&params.session_timeout_ms) {
            return Err(ErrorCode::InvalidSessionTimeout);
        }
        // The record of the group has 16 bits for the length of a string, an id made of one of these included.
        let longest = i16::MAX as usize - 64;
        let names = [params.client_id, params.client_host, params.protocol_type];
        let mut lengths = names.into_iter().chain(params.group_instance_id).map(str::len);
        if lengths.any(|len| len > longest) || params.protocols.iter().any(|p| p.name.len() > longest) {
            return Err(ErrorCode::InvalidRequest);
        }
        Ok(())
    }
}

/// Members stay for long; a slice of the request's frame would keep the whole frame.
fn keep_own_copies(protocols: &mut Vec<JoinGroupProtocol>) {
    let mut kept: Vec<JoinGroupProtocol> = Vec::with_capacity(protocols.len());
    for protocol in protocols.drain(..) {
        if kept.iter().all(|known| known.name != protocol.name) {
            let metadata = Bytes::copy_from_slice(&protocol.metadata);
            kept.push(JoinGroupProtocol { name: protocol.name, metadata });
        }
    }
    *protocols = kept;
}

impl GroupTurn<'_> {
    fn join(&mut self, join: Join<'_>) {
        if self.state.is(GroupState::Dead) {
            self.refuse_join(join, ErrorCode::CoordinatorNotAvailable);
        } else if let Err(error) = self.refuse_share_group(ErrorCode::InconsistentGroupProtocol) {
            self.outbox.join(join.callback, JoinGroupResult::failed("", error));
        } else if let Err(error) = self.leave_empty_consumer_group() {
            self.refuse_join(join, error);
        } else if self.state.consumer().is_some() {
            match self.join_consumer_group(&join.params) {
                Ok(result) => self.outbox.join(join.callback, result),
                Err(error) => self.refuse_join(join, error),
            }
        } else if !self.accepts_joining_member(join.params.member_id) {
            self.remove_member(join.params.member_id);
            let failed = JoinGroupResult::failed("", ErrorCode::GroupMaxSizeReached);
            self.outbox.join(join.callback, failed);
        } else if !self.state.supports_protocols(join.params.protocol_type, &join.params.protocols) {
            self.refuse_join(join, ErrorCode::InconsistentGroupProtocol);
        } else if join.params.member_id.is_empty() {
            self.join_new_member(join);
        } else {
            self.join_current_member(join);
        }
        if self.state.is(GroupState::PreparingRebalance) {
            self.try_complete_join();
        }
    }

    fn refuse_join(&mut self, join: Join<'_>, error: ErrorCode) {
        self.outbox.join(join.callback, JoinGroupResult::failed(join.params.member_id, error));
    }

    /// Whether there is room for the member. While joins are gathered, those who have joined count; the
    /// last to come back to an oversized group are the ones to go.
    fn accepts_joining_member(&self, member_id: &str) -> bool {
        let max_size = usize::try_from(self.coordinator.config().group_max_size).unwrap_or(0);
        match self.state.state() {
            GroupState::Empty | GroupState::Dead | GroupState::Assigning | GroupState::Reconciling => true,
            GroupState::PreparingRebalance => {
                let member = self.state.members().get(member_id);
                member.is_some_and(|member| member.awaiting_join.is_some())
                    || self.state.members_awaiting_join() < max_size
            }
            GroupState::CompletingRebalance | GroupState::Stable => {
                self.state.has(member_id) || self.state.members().len() < max_size
            }
        }
    }

    fn join_new_member(&mut self, join: Join<'_>) {
        let prefix = join.params.group_instance_id.unwrap_or(join.params.client_id);
        let new_id = self.coordinator.new_member_id(prefix);
        let (group, state) = (&self.group.id, self.state.state());
        if let Some(instance_id) = join.params.group_instance_id {
            match self.state.static_member_id(instance_id).cloned() {
                Some(old_id) => {
                    self.outbox.info(|| {
                        format!(
                            "Static member with group instance id {instance_id} and unknown member id joins group \
                             {group} in {state} state. It takes the place of member {old_id} as {new_id}."
                        )
                    });
                    self.rejoin_static_member(join, instance_id, &old_id, &new_id);
                }
                None => {
                    self.outbox.info(|| {
                        format!(
                            "Static member with group instance id {instance_id} and unknown member id joins group \
                             {group} in {state} state as new member {new_id}."
                        )
                    });
                    self.add_member_and_rebalance(join, new_id);
                }
            }
        } else if join.params.require_known_member_id {
            self.outbox.info(|| {
                format!(
                    "Dynamic member with unknown member id joins group {group} in {state} state. It is to join \
                     again with the new member id {new_id}."
                )
            });
            let deadline = self.now.saturating_add(super::member::millis(join.params.session_timeout_ms));
            self.state.pending_members.insert(Arc::clone(&new_id), deadline);
            self.wake_at(deadline);
            let failed = JoinGroupResult::failed(&new_id, ErrorCode::MemberIdRequired);
            self.outbox.join(join.callback, failed);
        } else {
            self.outbox.info(|| {
                format!(
                    "Dynamic member with unknown member id joins group {group} in {state} state as new member \
                     {new_id}."
                )
            });
            self.add_member_and_rebalance(join, new_id);
        }
    }

    fn join_current_member(&mut self, join: Join<'_>) {
        let params = &join.params;
        if let Some((id, _)) = self.state.pending_members.get_key_value(params.member_id) {
            // An id that was only handed out belongs to a dynamic member.
            if params.group_instance_id.is_some() {
                return self.refuse_join(join, ErrorCode::UnknownMemberId);
            }
            let id = Arc::clone(id);
            return self.add_member_and_rebalance(join, id);
        }
        if let Err(error) = self.validate_current_member(params.member_id, params.group_instance_id) {
            return self.refuse_join(join, error);
        }
        let Some(member) = self.state.members().get(params.member_id) else {
            return self.refuse_join(join, ErrorCode::UnknownMemberId);
        };
        let id = Arc::clone(&member.id);
        let changed = !member.matches(&params.protocols);
        let state = self.state.state();
        let reason = match state {
            GroupState::PreparingRebalance => format!("member {id} joining in {state}"),
            // The leader joins again when it has seen a change that no member's metadata shows, such as
            // another number of partitions.
            GroupState::Stable if self.state.is_leader(&id) => format!("leader {id} re-joining in {state}"),
            GroupState::CompletingRebalance | GroupState::Stable if changed => {
                format!("changed metadata of member {id} in {state}")
            }
            // Nothing new: the answer to the join before may have been lost.
            GroupState::CompletingRebalance | GroupState::Stable => {
                let result = self.state.join_result(&id);
                self.renew_session(&id);
                return self.outbox.join(join.callback, result);
            }
            GroupState::Empty | GroupState::Dead | GroupState::Assigning | GroupState::Reconciling => {
                return self.refuse_join(join, ErrorCode::UnknownMemberId);
            }
        };
        let reason = format!("{reason}; client reason: {}", join.reason());
        let Join { params, callback } = join;
        self.state.update_member(&id, MemberUpdate::of(params));
        self.park_join(&id, callback);
        self.maybe_prepare_rebalance(reason);
    }

    /// Parks a join; one that the member has parked before is answered, since nobody else will.
    fn park_join(&mut self, member_id: &Arc<str>, callback: JoinCallback) {
        if let Some(replaced) = self.state.park_join(member_id, callback) {
            let failed = JoinGroupResult::failed(member_id, ErrorCode::RebalanceInProgress);
            self.outbox.join(replaced, failed);
        }
    }

    fn add_member_and_rebalance(&mut self, join: Join<'_>, id: Arc<str>) {
        let instance = join.params.group_instance_id.unwrap_or("none");
        let reason =
            format!("new member {id}, group instance id {instance}; client reason: {}", join.reason());
        let Join { params, callback } = join;
        let mut member = Member::new(NewMember {
            id: Arc::clone(&id),
            group_instance_id: params.group_instance_id.map(Arc::from),
            client_id: Arc::from(params.client_id),
            client_host: Arc::from(params.client_host),
            session_timeout_ms: params.session_timeout_ms,
            rebalance_timeout_ms: params.rebalance_timeout_ms,
            protocols: params.protocols,
        });
        member.is_new = true;
        member.session_deadline = self.now.saturating_add(NEW_MEMBER_JOIN_TIMEOUT);
        self.wake_at(member.session_deadline);
        if self.state.join_deadline.is_some_and(|deadline| deadline.initial.is_some()) {
            self.state.new_member_added = true;
        }
        if self.state.members().is_empty() {
            self.state.protocol_type = Some(Arc::from(params.protocol_type));
        }
        self.state.insert(member);
        self.park_join(&id, callback);
        self.maybe_prepare_rebalance(reason);
    }

    /// A static member is back, without its id: it gets another, and the old one is fenced.
    fn rejoin_static_member(&mut self, join: Join<'_>, instance_id: &str, old_id: &str, new_id: &Arc<str>) {
        let skips_assignment = join.params.supports_skipping_assignment;
        let client_reason = join.reason().to_owned();
        let Join { params, callback } = join;
        let old_leader_id = self.state.leader_id.clone();
        self.answer_join(old_id, JoinGroupResult::failed(old_id, ErrorCode::FencedInstanceId));
        self.answer_sync(old_id, super::SyncGroupResult::failed(ErrorCode::FencedInstanceId));
        self.state.replace_static_member(instance_id, old_id, new_id);
        let before = self.state.update_member(new_id, MemberUpdate::of(params));
        self.state.refresh_subscribed_topics();
        self.renew_session(new_id);
        match self.state.state() {
            GroupState::Stable if self.state.protocol_name == self.state.select_protocol() => {
                // The group does not notice, but its record must name the new id.
                let result = match self.store_group() {
                    Ok(()) => {
                        let mut result = self.state.join_result(new_id);
                        if skips_assignment {
                            result.skip_assignment = self.state.is_leader(new_id);
                        } else {
                            // A leader that sees another's id does not assign what a stable group would not
                            // hand on.
                            result.members.clear();
                            result.leader_id = old_leader_id.unwrap_or_default();
                        }
                        result
                    }
                    Err(error) => {
                        self.undo_static_rejoin(instance_id, old_id, new_id, before);
                        JoinGroupResult {
                            leader_id: old_leader_id.unwrap_or_default(),
                            members: Vec::new(),
                            ..JoinGroupResult::failed("", error)
                        }
                    }
                };
                self.outbox.join(callback, result);
            }
            state @ (GroupState::Stable | GroupState::CompletingRebalance) => {
                self.park_join(new_id, callback);
                self.prepare_rebalance(format!(
                    "static member {new_id}, group instance id {instance_id}, is back in {state}, and the \
                     assignment does not fit it; client reason: {client_reason}"
                ));
            }
            GroupState::PreparingRebalance => self.park_join(new_id, callback),
            // A group with a static member is neither.
            GroupState::Empty | GroupState::Dead | GroupState::Assigning | GroupState::Reconciling => {
                self.outbox.join(callback, JoinGroupResult::failed("", ErrorCode::UnknownMemberId));
            }
        }
    }

    fn undo_static_rejoin(
        &mut self,
        instance_id: &str,
        old_id: &str,
        new_id: &str,
        before: Option<MemberUpdate>,
    ) {
        if let Some(before) = before {
            self.state.update_member(new_id, before);
            self.state.refresh_subscribed_topics();
        }
        self.state.replace_static_member(instance_id, new_id, &Arc::from(old_id));
        self.renew_session(old_id);
    }
}

impl MemberUpdate {
    fn of(params: JoinGroupParams<'_>) -> Self {
        MemberUpdate {
            session_timeout_ms: params.session_timeout_ms,
            rebalance_timeout_ms: params.rebalance_timeout_ms,
            protocols: params.protocols,
        }
    }
}

impl fmt::Debug for Join<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Join").field(&self.params).finish()
    }
}
