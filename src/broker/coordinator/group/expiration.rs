use std::sync::Arc;
use std::time::Duration;

use super::group_state::GroupState;
use super::member::Member;
use super::turn::GroupTurn;

/// What happens when a deadline passes. Of two at the same time the first one here comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Deadline {
    Sessions,
    PendingMembers,
    Sync,
    Join,
    Consumer,
    Share,
}

impl GroupTurn<'_> {
    /// The timer is here: does what was due at `due`, in the order of the deadlines, and asks for the next visit.
    ///
    /// What became due after that and before the timer came is left to that visit, which may be at once: in between the
    /// timer does what was due before it, such as the heartbeats of members in this process.
    pub(super) fn expire(&mut self, due: Duration) {
        if let Some((_, handle)) = self.state.armed.take() {
            self.coordinator.timer().cancel(handle);
        }
        while let Some((at, deadline)) = self.next_deadline() {
            if at > due {
                return self.wake_at(at);
            }
            match deadline {
                Deadline::Sessions => self.expire_sessions(due),
                Deadline::PendingMembers => self.expire_pending_members(at),
                Deadline::Sync => self.expire_sync(),
                Deadline::Join => self.join_deadline_passed(),
                Deadline::Consumer => self.expire_consumer_members(due),
                Deadline::Share => self.expire_share_members(due),
            }
        }
    }

    fn next_deadline(&self) -> Option<(Duration, Deadline)> {
        let session = self.state.members().iter().filter_map(Member::expires_at).min();
        let session = session.map(|at| (at, Deadline::Sessions));
        session.into_iter().chain(self.next_other_deadline()).min()
    }

    /// The next that is not the end of a session.
    fn next_other_deadline(&self) -> Option<(Duration, Deadline)> {
        let pending = self.state.pending_members.values().copied().min();
        let join = self.state.join_deadline.map(|deadline| deadline.at);
        let deadlines = [
            (pending, Deadline::PendingMembers),
            (self.state.sync_deadline, Deadline::Sync),
            (join, Deadline::Join),
            (self.next_consumer_deadline(), Deadline::Consumer),
            (self.next_share_deadline(), Deadline::Share),
        ];
        deadlines.into_iter().filter_map(|(at, deadline)| Some((at?, deadline))).min()
    }

    /// Members of whom nothing was heard are gone. A client that dies takes many with it at the same instant: the
    /// others hear of it once.
    fn expire_sessions(&mut self, due: Duration) {
        let until = self.next_other_deadline().map_or(due, |(at, _)| at.min(due));
        let is_over = |member: &&Member| member.expires_at().is_some_and(|end| end <= until);
        let expired: Vec<Arc<str>> =
            self.state.members().iter().filter(is_over).map(|member| Arc::clone(&member.id)).collect();
        let group = &self.group.id;
        for id in &expired {
            self.outbox
                .info(|| format!("Member {id} of group {group} has failed, removing it from the group"));
        }
        let reason = match expired.as_slice() {
            [id] => format!("member {id} failed: its session expired"),
            ids => format!("{} members failed: their sessions expired: {ids:?}", ids.len()),
        };
        self.remove_members_and_rebalance(&expired, reason);
    }

    fn expire_pending_members(&mut self, at: Duration) {
        let pending = self.state.pending_members.iter();
        let expired: Vec<Arc<str>> =
            pending.filter(|(_, end)| **end <= at).map(|(id, _)| Arc::clone(id)).collect();
        let group = &self.group.id;
        self.outbox.info(|| {
            format!(
                "Member ids {expired:?} of group {group} were not used in time, and are not valid any more"
            )
        });
        self.remove_pending_members(&expired);
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
