use std::sync::Arc;
use std::time::Duration;

use super::group_state::GroupState;
use super::turn::GroupTurn;

/// What happens when a deadline passes. Of two at the same time the first one here comes first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Deadline {
    Session(Arc<str>),
    PendingMember(Arc<str>),
    Sync,
    Join,
}

impl GroupTurn<'_> {
    /// The timer is here: does what is due, in the order of the deadlines, and asks for the next visit.
    pub(super) fn expire(&mut self) {
        if let Some((_, handle)) = self.state.armed.take() {
            self.coordinator.timer().cancel(handle);
        }
        while let Some((at, deadline)) = self.next_deadline() {
            if at > self.now {
                return self.wake_at(at);
            }
            match deadline {
                Deadline::Session(id) => self.expire_session(&id),
                Deadline::PendingMember(id) => self.expire_pending_member(&id),
                Deadline::Sync => self.expire_sync(),
                Deadline::Join => self.join_deadline_passed(),
            }
        }
    }

    fn next_deadline(&self) -> Option<(Duration, Deadline)> {
        let session = self
            .state
            .members()
            .iter()
            .filter_map(|member| Some((member.expires_at()?, &member.id)))
            .min_by_key(|(at, _)| *at)
            .map(|(at, id)| (at, Deadline::Session(Arc::clone(id))));
        let pending = self.state.pending_members.iter().min_by_key(|(_, at)| **at);
        let pending = pending.map(|(id, at)| (*at, Deadline::PendingMember(Arc::clone(id))));
        let sync = self.state.sync_deadline.map(|at| (at, Deadline::Sync));
        let join = self.state.join_deadline.map(|deadline| (deadline.at, Deadline::Join));
        [session, pending, sync, join].into_iter().flatten().min()
    }

    fn expire_session(&mut self, member_id: &str) {
        let group = &self.group.id;
        self.outbox
            .info(|| format!("Member {member_id} of group {group} has failed, removing it from the group"));
        self.remove_member_and_rebalance(
            member_id,
            format!("member {member_id} failed: its session expired"),
        );
    }

    fn expire_pending_member(&mut self, member_id: &str) {
        let group = &self.group.id;
        self.outbox.info(|| {
            format!("Member id {member_id} of group {group} was not used in time, and is not valid any more")
        });
        self.remove_pending_member(member_id);
    }

    /// Members that have joined and then did not ask for their assignment are gone.
    fn expire_sync(&mut self) {
        self.state.sync_deadline = None;
        let missing = std::mem::take(&mut self.state.pending_sync);
        if missing.is_empty()
            || !matches!(self.state.state(), GroupState::CompletingRebalance | GroupState::Stable)
        {
            return;
        }
        for id in &missing {
            self.remove_member(id);
        }
        self.prepare_rebalance(format!("members {missing:?} did not sync in time"));
    }
}
