use std::collections::BTreeSet;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;

use super::builder::ShareConsumerOptions;
use crate::broker::consumer::{CLIENT_HOST, Signal};
use crate::broker::coordinator::group::{GroupError, ShareGroupHeartbeatParams, ShareGroupHeartbeatResult};
use crate::broker::core::BrokerCore;
use crate::broker::share::ShareSessionKey;
use crate::error::{Error, Result};
use crate::model::{ErrorCode, Uuid};

/// The epoch of who joins.
const JOIN_EPOCH: i32 = 0;
/// The epoch of who leaves.
const LEAVE_EPOCH: i32 = -1;

/// A consumer's place in its share group (Kafka: `ShareMembershipManager`, `ShareHeartbeatRequestManager`). The timer says
/// that the consumer is there; joining is the poll's.
#[derive(Debug)]
pub(super) struct ShareMembership {
    core: Weak<BrokerCore>,
    pub(super) group_id: Arc<str>,
    pub(super) member_id: Arc<str>,
    /// Under which it fetches.
    pub(super) session_key: ShareSessionKey,
    client_id: Arc<str>,
    max_poll_interval: Duration,
    signal: Arc<Signal>,
    /// Held while it speaks: an epoch that it is told must be known before it speaks again.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// 0 for who is to join.
    epoch: i32,
    subscription: BTreeSet<String>,
    /// Whether the group knows the subscription.
    is_told: bool,
    /// Whether there may be something new, so that the next poll asks.
    is_due: bool,
    assignment: Arc<[(Uuid, i32)]>,
    has_heartbeat: bool,
    interval: Duration,
    is_polling: bool,
    last_poll: Duration,
}

/// What a poll learns of the group.
pub(super) struct Place {
    pub(super) assignment: Arc<[(Uuid, i32)]>,
    /// Whether the group is to be asked again soon: it did not answer, or has not assigned yet what there is.
    pub(super) is_retried: bool,
}

impl ShareMembership {
    pub(super) fn new(
        core: &Arc<BrokerCore>,
        options: &ShareConsumerOptions,
        signal: &Arc<Signal>,
    ) -> Arc<Self> {
        let group_id = Arc::clone(&options.group_id);
        let member_id: Arc<str> = Arc::from(core.groups.new_uuid().to_string());
        let session_key = ShareSessionKey {
            group_id: Arc::clone(&group_id),
            member_id: Arc::clone(&member_id),
            node_id: core.node_id,
        };
        Arc::new(ShareMembership {
            core: Arc::downgrade(core),
            group_id,
            member_id,
            session_key,
            client_id: Arc::clone(&options.client_id),
            max_poll_interval: options.max_poll_interval,
            signal: Arc::clone(signal),
            state: Mutex::default(),
        })
    }

    fn core(&self) -> Result<Arc<BrokerCore>> {
        self.core.upgrade().ok_or_else(|| Error::new(ErrorCode::BrokerNotAvailable, "the broker is closed"))
    }

    pub(super) fn subscribe(&self, topics: &BTreeSet<String>) {
        let mut state = self.state.lock();
        state.subscription.clone_from(topics);
        state.is_told = false;
    }

    /// Topics have changed, and so may have what is assigned.
    pub(super) fn look_again(&self) {
        self.state.lock().is_due = true;
    }

    pub(super) fn begin_poll(&self) {
        self.state.lock().is_polling = true;
    }

    pub(super) fn end_poll(&self, now: Duration) {
        let mut state = self.state.lock();
        state.is_polling = false;
        state.last_poll = now;
    }

    /// Joins, if that is to be done, or tells of a new subscription. Answers what is assigned.
    pub(super) fn take_part(self: &Arc<Self>) -> Result<Place> {
        let core = self.core()?;
        core.ensure_offsets_topic()?;
        let mut state = self.state.lock();
        let mut is_retried = false;
        while !is_retried && (state.epoch <= JOIN_EPOCH || !state.is_told || state.is_due) {
            let joins = state.epoch <= JOIN_EPOCH;
            match self.speak(&core, &mut state) {
                // Partitions that the group has not read before are assigned from the second heartbeat on.
                Ok(()) => state.is_due = joins && state.assignment.is_empty(),
                Err(error) if is_fencing(error.code) && !joins => state.lose_place(),
                Err(error) if is_passing(error.code) => is_retried = true,
                Err(error) => return Err(Error::new(error.code, error.message)),
            }
        }
        if state.assignment.is_empty()
            && state.subscription.iter().any(|name| core.metadata.topic(name).is_some())
        {
            // There is an interval between two assignments of a group.
            state.is_due = true;
            is_retried = true;
        }
        if !state.has_heartbeat && state.epoch > JOIN_EPOCH {
            state.has_heartbeat = true;
            self.schedule_heartbeat(&core, core.env.clock.monotonic(), state.interval);
        }
        Ok(Place { assignment: Arc::clone(&state.assignment), is_retried })
    }

    fn params<'a>(
        &'a self,
        member_epoch: i32,
        topics: Option<BTreeSet<&'a str>>,
    ) -> ShareGroupHeartbeatParams<'a> {
        ShareGroupHeartbeatParams {
            group_id: &self.group_id,
            member_id: &self.member_id,
            member_epoch,
            rack_id: None,
            subscribed_topic_names: topics,
            client_id: &self.client_id,
            client_host: CLIENT_HOST,
        }
    }

    fn speak(&self, core: &BrokerCore, state: &mut State) -> Result<(), GroupError> {
        let topics = (!state.is_told || state.epoch <= JOIN_EPOCH)
            .then(|| state.subscription.iter().map(String::as_str).collect());
        let result = core.groups.share_group_heartbeat(&self.params(state.epoch, topics))?;
        state.is_told = true;
        state.take_in(result);
        Ok(())
    }

    /// `last` is when the one before began.
    fn schedule_heartbeat(self: &Arc<Self>, core: &BrokerCore, last: Duration, interval: Duration) {
        let this = Arc::downgrade(self);
        core.timer.schedule_repetition_at(last.saturating_add(interval), move || {
            if let Some(this) = Weak::upgrade(&this) {
                this.heartbeat();
            }
        });
    }

    /// Says that it is there, and learns what is new. Not if the program has not polled for too long: then the group is
    /// better off without it.
    fn heartbeat(self: &Arc<Self>) {
        let Some(core) = self.core.upgrade().filter(|core| !core.is_closed()) else { return };
        let now = core.env.clock.monotonic();
        let mut state = self.state.lock();
        if state.epoch <= JOIN_EPOCH {
            state.has_heartbeat = false;
            return;
        }
        if !state.is_polling && state.last_poll.saturating_add(self.max_poll_interval) < now {
            tracing::warn!(group = %self.group_id, member = %self.member_id, "not polled for max.poll.interval.ms");
            state.has_heartbeat = false;
            self.leave_group(&core);
            state.lose_place();
            drop(state);
            return core.share_groups.release_session(&self.session_key);
        }
        let before = Arc::clone(&state.assignment);
        match self.speak(&core, &mut state) {
            Err(error) if is_fencing(error.code) => {
                tracing::debug!(group = %self.group_id, code = %error.code, "a share consumer is to join again");
                state.lose_place();
            }
            // The next one may be answered; the poll is told where it asks itself.
            Err(error) => tracing::warn!(group = %self.group_id, code = %error.code, "a heartbeat failed"),
            Ok(()) => {}
        }
        let is_news = state.assignment != before || state.epoch <= JOIN_EPOCH;
        self.schedule_heartbeat(&core, now, state.interval);
        drop(state);
        if is_news {
            self.signal.notify();
        }
    }

    pub(super) fn leave(&self) {
        let mut state = self.state.lock();
        let was_member = state.epoch > JOIN_EPOCH;
        state.lose_place();
        state.subscription.clear();
        if let Some(core) = self.core.upgrade().filter(|core| was_member && !core.is_closed()) {
            self.leave_group(&core);
        }
    }

    fn leave_group(&self, core: &BrokerCore) {
        let left = core.groups.share_group_heartbeat(&self.params(LEAVE_EPOCH, None));
        tracing::debug!(group = %self.group_id, member = %self.member_id, ?left, "left");
    }
}

impl State {
    fn take_in(&mut self, result: ShareGroupHeartbeatResult) {
        self.epoch = result.member_epoch;
        self.interval =
            Duration::from_millis(u64::try_from(result.heartbeat_interval_ms).unwrap_or(1).max(1));
        if let Some(assignment) = result.assignment {
            let partitions = assignment.into_iter();
            self.assignment = partitions
                .flat_map(|(id, indexes)| indexes.into_iter().map(move |index| (id, index)))
                .collect();
        }
    }

    /// The next poll joins.
    fn lose_place(&mut self) {
        self.epoch = JOIN_EPOCH;
        self.is_told = false;
        self.assignment = Arc::default();
    }
}

/// Whether the group does not know the member (any more), or is itself forgotten.
fn is_fencing(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::UnknownMemberId | ErrorCode::FencedMemberEpoch | ErrorCode::GroupIdNotFound)
}

/// Whether the same may work later.
fn is_passing(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::CoordinatorLoadInProgress | ErrorCode::CoordinatorNotAvailable | ErrorCode::NotCoordinator
    )
}
