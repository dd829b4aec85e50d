//! A consumer's place in its group: what the coordinator says, from whichever thread, and what the consumer has to do
//! about it at its next poll (Kafka: `AbstractCoordinator`).

use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;

use super::builder::{ConsumerOptions, GroupProtocol};
use super::positions::RETRY_BACKOFF;
use super::protocol::NO_GENERATION;
use super::signal::Signal;
use crate::broker::coordinator::group::{
    HeartbeatParams, JoinGroupParams, JoinGroupResult, LeavingMember, SyncGroupParams, SyncGroupResult,
};
use crate::broker::core::BrokerCore;
use crate::broker::purgatory::DelayedOperation;
use crate::model::ErrorCode;

#[cfg(test)]
mod tests;

/// Which member of which generation one is.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    /// Empty until the coordinator has given one.
    pub(super) member_id: Arc<str>,
    /// [`NO_GENERATION`] for who is not a member (any more).
    pub(super) generation_id: i32,
}

impl Default for Identity {
    fn default() -> Self {
        Identity { member_id: Arc::default(), generation_id: NO_GENERATION }
    }
}

impl Identity {
    pub(super) fn is_member(&self) -> bool {
        self.generation_id != NO_GENERATION
    }
}

/// What the consumer is to do.
pub(super) enum Step {
    /// It can have no place in the group.
    Refused(ErrorCode),
    /// Its partitions may be others' already.
    LosePartitions,
    Join {
        identity: Identity,
        reason: String,
    },
    /// Not before this time.
    JoinAt(Duration),
    Joined(JoinGroupResult),
    Synced(SyncGroupResult),
    /// For an answer.
    Wait,
    /// Everything is settled.
    Nothing,
}

pub(super) enum Phase {
    Outside { not_before: Duration, reason: String },
    Joining,
    Joined(JoinGroupResult),
    Syncing,
    Synced(SyncGroupResult),
    Stable,
}

/// Shared with the callbacks and the heartbeat, which have weak references: once the consumer is gone, they do
/// nothing.
pub(super) struct Membership {
    pub(super) core: Arc<BrokerCore>,
    pub(super) signal: Arc<Signal>,
    pub(super) group_id: String,
    pub(super) group_instance_id: Option<String>,
    pub(super) client_id: String,
    pub(super) protocol: GroupProtocol,
    heartbeat_interval: Duration,
    max_poll_interval: Duration,
    /// In the coordinator's list of those who want to know of rebalances.
    pub(super) watch: Arc<dyn DelayedOperation>,
    /// Held by whoever sends a heartbeat of the consumer protocol, until its answer is noted. Before the state.
    pub(super) speaking: Mutex<()>,
    pub(super) state: Mutex<State>,
}

struct RebalanceWatch(Weak<Membership>);

impl DelayedOperation for RebalanceWatch {
    /// It is over when the consumer is gone.
    fn try_complete(&self) -> bool {
        match self.0.upgrade() {
            Some(membership) => {
                membership.look_for_rebalance();
                false
            }
            None => true,
        }
    }
}

pub(super) struct State {
    pub(super) identity: Identity,
    pub(super) phase: Phase,
    /// Answers to earlier requests are passed over.
    request: u64,
    /// Why to join again although a generation is complete.
    pub(super) rejoin: Option<String>,
    pub(super) has_lost_partitions: bool,
    pub(super) refused: Option<ErrorCode>,
    is_polling: bool,
    last_poll: Duration,
    pub(super) has_heartbeat: bool,
    /// How often the broker wants to hear of the member, in the consumer protocol.
    pub(super) told_interval: Duration,
}

impl Membership {
    pub(super) fn new(core: &Arc<BrokerCore>, signal: &Arc<Signal>, options: &ConsumerOptions) -> Arc<Self> {
        let phase = Phase::Outside { not_before: Duration::ZERO, reason: "subscribed".to_owned() };
        Arc::new_cyclic(|weak| Membership {
            watch: Arc::new(RebalanceWatch(Weak::clone(weak))),
            core: Arc::clone(core),
            signal: Arc::clone(signal),
            group_id: options.group_id.clone().unwrap_or_default(),
            group_instance_id: options.group_instance_id.clone(),
            client_id: options.client_id.clone(),
            protocol: options.group_protocol,
            speaking: Mutex::new(()),
            heartbeat_interval: options.heartbeat_interval,
            max_poll_interval: Duration::from_millis(
                u64::try_from(options.max_poll_interval_ms).unwrap_or(0),
            ),
            state: Mutex::new(State {
                identity: Identity::default(),
                phase,
                request: 0,
                rejoin: None,
                has_lost_partitions: false,
                refused: None,
                is_polling: false,
                last_poll: core.env.clock.monotonic(),
                has_heartbeat: false,
                told_interval: options.heartbeat_interval,
            }),
        })
    }

    pub(super) fn identity(&self) -> Identity {
        self.state.lock().identity.clone()
    }

    pub(super) fn begin_poll(&self) {
        self.state.lock().is_polling = true;
    }

    pub(super) fn end_poll(&self) {
        let now = self.core.env.clock.monotonic();
        let mut state = self.state.lock();
        state.is_polling = false;
        state.last_poll = now;
    }

    /// What to do now.
    pub(super) fn next_step(&self) -> Step {
        let now = self.core.env.clock.monotonic();
        let mut state = self.state.lock();
        if std::mem::take(&mut state.has_lost_partitions) {
            return Step::LosePartitions;
        }
        if let Some(code) = state.refused {
            return Step::Refused(code);
        }
        if let Phase::Stable = state.phase
            && let Some(reason) = state.rejoin.take()
        {
            state.phase = Phase::Outside { not_before: Duration::ZERO, reason };
        }
        match std::mem::replace(&mut state.phase, Phase::Stable) {
            Phase::Outside { not_before, reason } => {
                let step = if not_before <= now {
                    Step::Join { identity: state.identity.clone(), reason: reason.clone() }
                } else {
                    Step::JoinAt(not_before)
                };
                state.phase = Phase::Outside { not_before, reason };
                step
            }
            waiting @ (Phase::Joining | Phase::Syncing) => {
                state.phase = waiting;
                Step::Wait
            }
            Phase::Joined(result) => Step::Joined(result),
            Phase::Synced(result) => Step::Synced(result),
            Phase::Stable => Step::Nothing,
        }
    }

    /// Whether no answer is awaited, and nothing is to be done.
    pub(super) fn is_settled(&self) -> bool {
        let state = self.state.lock();
        matches!(state.phase, Phase::Stable) && state.rejoin.is_none()
    }

    /// Joins again at the next poll, even if nobody else wants a rebalance.
    pub(super) fn request_rejoin(&self, reason: impl Into<String>) {
        self.state.lock().rejoin.get_or_insert_with(|| reason.into());
    }

    /// Starts a join; the answer may be here when this returns.
    pub(super) fn join(self: &Arc<Self>, params: JoinGroupParams<'_>) {
        let request = {
            let mut state = self.state.lock();
            state.phase = Phase::Joining;
            state.rejoin = None;
            state.request += 1;
            state.request
        };
        let membership = Arc::downgrade(self);
        let callback = move |result| on_joined(&membership, request, result);
        self.core.groups.join_group(params, Box::new(callback));
    }

    /// Asks for the assignment; the answer may be here when this returns.
    pub(super) fn sync(self: &Arc<Self>, params: SyncGroupParams<'_>) {
        let request = {
            let mut state = self.state.lock();
            state.phase = Phase::Syncing;
            state.request += 1;
            state.request
        };
        let membership = Arc::downgrade(self);
        let callback = move |result| {
            let Some(membership) = Weak::upgrade(&membership) else { return };
            {
                let mut state = membership.state.lock();
                if state.request != request {
                    return;
                }
                state.phase = Phase::Synced(result);
            }
            membership.signal.notify();
        };
        self.core.groups.sync_group(params, Box::new(callback));
    }

    /// What a failed join or sync means. `Err` if the consumer's user has to know.
    pub(super) fn handle_failure(
        &self,
        code: ErrorCode,
        new_member_id: Option<Arc<str>>,
    ) -> Result<(), ErrorCode> {
        let now = self.core.env.clock.monotonic();
        let mut state = self.state.lock();
        let mut not_before = Duration::ZERO;
        let mut result = Ok(());
        match code {
            ErrorCode::MemberIdRequired => {
                state.identity.member_id = new_member_id.unwrap_or_default();
            }
            ErrorCode::RebalanceInProgress => {}
            ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration => state.reset_identity(code),
            ErrorCode::CoordinatorLoadInProgress
            | ErrorCode::CoordinatorNotAvailable
            | ErrorCode::NotCoordinator => not_before = now.saturating_add(RETRY_BACKOFF),
            code => {
                if code == ErrorCode::FencedInstanceId {
                    state.refused = Some(code);
                }
                result = Err(code);
            }
        }
        state.phase = Phase::Outside { not_before, reason: format!("the last attempt ended with {code}") };
        result
    }

    /// What the coordinator says to a commit or a heartbeat of a generation. Answers what that means to who committed.
    pub(super) fn note_error(&self, code: ErrorCode, generation_id: i32) -> ErrorCode {
        {
            let mut state = self.state.lock();
            // The next generation is there already, or as good as: the answer to the join is on its way from another
            // thread. Java's consumer takes both for a rebalance that goes on, too.
            let is_of_past = state.identity.is_member() && state.identity.generation_id != generation_id;
            let is_outrun = is_of_past || matches!(state.phase, Phase::Joining);
            if code == ErrorCode::IllegalGeneration && is_outrun {
                return ErrorCode::RebalanceInProgress;
            }
            if state.identity.generation_id != generation_id {
                return code;
            }
            match code {
                // It has joined already, and waits for the others.
                ErrorCode::RebalanceInProgress if matches!(state.phase, Phase::Joining) => return code,
                ErrorCode::RebalanceInProgress | ErrorCode::StaleMemberEpoch => {
                    state.rejoin.get_or_insert_with(|| "the group rebalances".to_owned());
                }
                ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration | ErrorCode::FencedMemberEpoch => {
                    state.reset_identity(code);
                    state.request += 1;
                    let reason = format!("the coordinator said {code}");
                    state.phase = Phase::Outside { not_before: Duration::ZERO, reason };
                }
                ErrorCode::FencedInstanceId => {
                    state.has_lost_partitions = true;
                    state.refused = Some(code);
                }
                _ => return code,
            }
        }
        self.signal.notify();
        code
    }

    /// Leaves the group, unless the member is a static one, whose place is kept.
    pub(super) fn leave(&self, reason: &str) {
        if self.is_of_consumer_protocol() {
            return self.leave_consumer_group(reason);
        }
        let identity = {
            let mut state = self.state.lock();
            state.request += 1;
            state.phase = Phase::Outside { not_before: Duration::ZERO, reason: reason.to_owned() };
            std::mem::take(&mut state.identity)
        };
        if self.group_instance_id.is_some() || identity.member_id.is_empty() || self.core.is_closed() {
            return;
        }
        let leaving =
            LeavingMember { member_id: &identity.member_id, group_instance_id: None, reason: Some(reason) };
        let result = self.core.groups.leave_group(&self.group_id, &[leaving]);
        tracing::debug!(group = %self.group_id, member = %identity.member_id, ?result, reason, "left");
    }

    /// Asks the coordinator whether it waits for this member, instead of waiting for the next heartbeat.
    fn look_for_rebalance(&self) {
        if self.is_of_consumer_protocol() {
            // Not from here: it may be this member's own heartbeat that brings the news.
            self.request_rejoin("the group has news");
            return self.signal.notify();
        }
        let identity = {
            let state = self.state.lock();
            if !state.identity.is_member() || matches!(state.phase, Phase::Outside { .. } | Phase::Joining) {
                return;
            }
            state.identity.clone()
        };
        self.note_error(self.send_heartbeat(&identity), identity.generation_id);
    }

    fn send_heartbeat(&self, identity: &Identity) -> ErrorCode {
        self.core.groups.heartbeat(HeartbeatParams {
            group_id: &self.group_id,
            member_id: &identity.member_id,
            group_instance_id: self.group_instance_id.as_deref(),
            generation_id: identity.generation_id,
        })
    }

    /// `last` is when the one before began.
    pub(super) fn schedule_heartbeat(self: &Arc<Self>, last: Duration) {
        let membership = Arc::downgrade(self);
        let interval = match self.protocol {
            GroupProtocol::Classic => self.heartbeat_interval,
            GroupProtocol::Consumer => self.state.lock().told_interval,
        };
        // On the timer's own thread: it takes no longer than handing it over, and a clock that jumps in a test gets the
        // heartbeats before the session's end.
        self.core.timer.schedule_repetition_at(last.saturating_add(interval), move || {
            if let Some(membership) = Weak::upgrade(&membership) {
                membership.heartbeat();
            }
        });
    }

    /// Tells the coordinator that the member is alive. Not if the program has not polled for too long: then the group
    /// is better off without it.
    fn heartbeat(self: &Arc<Self>) {
        let now = self.core.env.clock.monotonic();
        let (identity, is_stuck) = {
            let mut state = self.state.lock();
            if !state.identity.is_member() {
                state.has_heartbeat = false;
                return;
            }
            let is_stuck = !state.is_polling && state.last_poll.saturating_add(self.max_poll_interval) < now;
            if is_stuck {
                state.has_lost_partitions = true;
                state.has_heartbeat = false;
            }
            (state.identity.clone(), is_stuck)
        };
        if is_stuck {
            tracing::warn!(group = %self.group_id, member = %identity.member_id, "not polled for max.poll.interval.ms");
            return self.leave("consumer poll timeout has expired");
        }
        match self.protocol {
            GroupProtocol::Classic => {
                self.note_error(self.send_heartbeat(&identity), identity.generation_id);
            }
            GroupProtocol::Consumer => self.send_brief_heartbeat(),
        }
        self.schedule_heartbeat(now);
    }
}

fn on_joined(membership: &Weak<Membership>, request: u64, result: JoinGroupResult) {
    let Some(membership) = membership.upgrade() else { return };
    let is_member = result.error.is_none();
    let starts_heartbeat = {
        let mut state = membership.state.lock();
        if state.request != request {
            return;
        }
        let mut starts_heartbeat = false;
        if is_member {
            state.identity =
                Identity { member_id: Arc::clone(&result.member_id), generation_id: result.generation_id };
            starts_heartbeat = !std::mem::replace(&mut state.has_heartbeat, true);
        }
        state.phase = Phase::Joined(result);
        starts_heartbeat
    };
    if starts_heartbeat {
        membership.schedule_heartbeat(membership.core.env.clock.monotonic());
    }
    if is_member {
        membership.core.groups.watch_rebalances(&membership.group_id, &membership.watch);
        // One may have started before this one was in the list.
        membership.look_for_rebalance();
    }
    membership.signal.notify();
}

impl State {
    /// The coordinator knows the member no more, or has gone on without it.
    fn reset_identity(&mut self, code: ErrorCode) {
        self.has_lost_partitions = true;
        self.identity.generation_id = NO_GENERATION;
        if code == ErrorCode::UnknownMemberId {
            self.identity.member_id = Arc::default();
        }
    }
}
