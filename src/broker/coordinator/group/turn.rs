use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};

use super::coordinator::GroupCoordinator;
use super::group_metadata::GroupMetadata;
use super::group_state::GroupState;
use super::outbox::Outbox;
use super::sync::SyncGroupResult;
use crate::broker::coordinator::group::JoinGroupResult;
use crate::broker::purgatory::WatcherList;
use crate::model::{ErrorCode, Timestamp};

/// A group behind its lock.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) id: Arc<str>,
    /// Of `__consumer_offsets`.
    pub(super) partition: i32,
    pub(super) state: Mutex<GroupMetadata>,
    /// Members in this process that want to know at once when the group rebalances.
    pub(super) watchers: WatcherList,
}

/// One turn at a group: holds its lock, and collects what is to leave once the lock is released.
///
/// The verbs stand in the files of the requests they serve.
pub(super) struct GroupTurn<'a> {
    pub(super) coordinator: &'a GroupCoordinator,
    pub(super) group: &'a Arc<Group>,
    pub(super) state: MutexGuard<'a, GroupMetadata>,
    pub(super) outbox: Outbox,
    pub(super) now: Duration,
    /// The earliest of the deadlines that this turn has set.
    wake_at: Option<Duration>,
    pub(super) starts_rebalance: bool,
}

impl GroupCoordinator {
    /// Takes a turn at a group, then sends out what came of it, with no lock held.
    pub(super) fn with_group<R>(&self, group: &Arc<Group>, work: impl FnOnce(&mut GroupTurn<'_>) -> R) -> R {
        let mut turn = GroupTurn {
            coordinator: self,
            group,
            state: group.state.lock(),
            outbox: Outbox::new(self.log()),
            now: self.clock().monotonic(),
            wake_at: None,
            starts_rebalance: false,
        };
        let result = work(&mut turn);
        turn.arm_timer();
        let GroupTurn { state, outbox, starts_rebalance, .. } = turn;
        drop(state);
        outbox.send(self.log(), group);
        if starts_rebalance {
            group.watchers.check();
        }
        result
    }
}

impl GroupTurn<'_> {
    pub(super) fn now_ms(&self) -> Timestamp {
        self.coordinator.clock().now_ms()
    }

    /// Asks for the group to be looked at when the clock shows `deadline`.
    pub(super) fn wake_at(&mut self, deadline: Duration) {
        self.wake_at = Some(self.wake_at.map_or(deadline, |earlier| earlier.min(deadline)));
    }

    /// Sees to it that the timer comes by in time.
    ///
    /// A group has one task in the timer, not one for each member: a deadline that moves back, which is what
    /// every heartbeat does, touches nothing but the member. The task that comes too early for all of the
    /// group's deadlines puts itself off to the earliest.
    fn arm_timer(&mut self) {
        let Some(deadline) = self.wake_at else { return };
        let timer = self.coordinator.timer();
        match self.state.armed {
            Some((armed_for, _)) if armed_for <= deadline => return,
            Some((_, handle)) => _ = timer.cancel(handle),
            None => {}
        }
        let coordinator = self.coordinator.weak();
        let group: Weak<Group> = Arc::downgrade(self.group);
        let handle = timer.schedule_at(deadline, move || {
            let (Some(due), Some(group)) = (coordinator.upgrade(), group.upgrade()) else { return };
            due.log().run_due(Box::new(move || {
                if let Some(coordinator) = coordinator.upgrade() {
                    coordinator.with_group(&group, |turn| turn.expire(deadline));
                }
            }));
        });
        self.state.armed = Some((deadline, handle));
    }

    /// Ends the group. Whoever has found it before looks it up again.
    pub(super) fn die(&mut self) {
        let now_ms = self.now_ms();
        self.state.transition_to(GroupState::Dead, now_ms);
        self.wake_at = None;
        if let Some((_, handle)) = self.state.armed.take() {
            self.coordinator.timer().cancel(handle);
        }
        self.coordinator.remove_group(self.group);
    }

    /// Answers the join that a member has parked, if it has one.
    pub(super) fn answer_join(&mut self, member_id: &str, result: JoinGroupResult) {
        if let Some(callback) = self.state.take_join(member_id) {
            self.outbox.join(callback, result);
        }
    }

    /// Answers the sync that a member has parked, if it has one. Returns whether it had.
    pub(super) fn answer_sync(&mut self, member_id: &str, result: SyncGroupResult) -> bool {
        let callback = self.state.member_mut(member_id).and_then(|member| member.awaiting_sync.take());
        let was_parked = callback.is_some();
        if let Some(callback) = callback {
            self.outbox.sync(callback, result);
        }
        was_parked
    }

    /// Removes a member; a request of it that waits is told that it is none any more.
    pub(super) fn remove_member(&mut self, member_id: &str) {
        let Some(mut member) = self.state.remove(member_id) else { return };
        if let Some(callback) = member.awaiting_join.take() {
            self.outbox.join(callback, JoinGroupResult::failed("", ErrorCode::UnknownMemberId));
        }
        if let Some(callback) = member.awaiting_sync.take() {
            self.outbox.sync(callback, SyncGroupResult::failed(ErrorCode::UnknownMemberId));
        }
    }

    /// Answers everything that waits with an error: the group is not to be had here any more.
    pub(super) fn answer_all(&mut self, error: ErrorCode) {
        for id in self.state.members().ids() {
            self.answer_join(&id, JoinGroupResult::failed(&id, error));
            self.answer_sync(&id, SyncGroupResult::failed(error));
        }
    }

    /// Whether the request comes from whom it says it does: the instance id, if there is one, belongs to the
    /// member id, and the member id to the group.
    pub(super) fn validate_current_member(
        &self,
        member_id: &str,
        group_instance_id: Option<&str>,
    ) -> Result<(), ErrorCode> {
        if let Some(instance_id) = group_instance_id {
            match self.state.static_member_id(instance_id) {
                Some(current_id) if **current_id != *member_id => {
                    if let Some(history) = self.coordinator.log().history() {
                        let note = format!(
                            "Member {member_id} is fenced: group instance id {instance_id} is that of member \
                             {current_id}"
                        );
                        history.note(&self.group.id, note);
                    }
                    return Err(ErrorCode::FencedInstanceId);
                }
                Some(_) => {}
                None => return Err(ErrorCode::UnknownMemberId),
            }
        }
        if self.state.has(member_id) { Ok(()) } else { Err(ErrorCode::UnknownMemberId) }
    }

    /// Gives a member another session timeout to be heard of.
    pub(super) fn renew_session(&mut self, member_id: &str) {
        let now = self.now;
        if let Some(member) = self.state.member_mut(member_id) {
            member.session_deadline = now.saturating_add(member.session_timeout());
            let deadline = member.session_deadline;
            self.wake_at(deadline);
        }
    }
}
