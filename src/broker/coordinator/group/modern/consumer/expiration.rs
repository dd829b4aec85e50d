//! What is awaited of members, and what comes of it when it does not happen.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::timers::MemberTimers;
use crate::broker::coordinator::group::member::millis;
use crate::broker::coordinator::group::turn::GroupTurn;

/// How long a member stays whose end could not be written down, before that is tried again (Kafka: the retry backoff of
/// `CoordinatorRuntime`'s timers).
const RETRY: Duration = Duration::from_millis(500);

impl GroupTurn<'_> {
    /// Gives a member another session timeout to be heard of.
    pub(in crate::broker::coordinator::group) fn renew_consumer_session(
        &mut self,
        id: &Arc<str>,
        timeout_ms: i32,
    ) {
        let deadline = self.now.saturating_add(millis(timeout_ms));
        if let Some(group) = self.state.consumer_mut() {
            match group.timers.get_mut(id) {
                Some(timers) => timers.session = Some(deadline),
                None => {
                    let timers = MemberTimers { session: Some(deadline), ..MemberTimers::default() };
                    group.timers.insert(Arc::clone(id), timers);
                }
            }
            self.wake_at(deadline);
        }
    }

    /// When the first of the members' deadlines passes.
    pub(in crate::broker::coordinator::group) fn next_consumer_deadline(&self) -> Option<Duration> {
        self.state.consumer()?.timers.values().filter_map(MemberTimers::next).min()
    }

    /// Removes members of whom something was awaited in vain.
    pub(in crate::broker::coordinator::group) fn expire_consumer_members(&mut self, due: Duration) {
        let mut expired = BTreeSet::new();
        let Some(group) = self.state.consumer_mut() else { return };
        for (id, timers) in &mut group.timers {
            let Some(member) = group.modern.members.get(id) else { continue };
            let is_due = |at: Option<Duration>| at.is_some_and(|at| at <= due);
            let reason = if is_due(timers.session) {
                "nothing was heard of it in time"
            } else if timers.rebalance.is_some_and(|(at, epoch)| at <= due && epoch == member.epoch) {
                "it did not give partitions back in time"
            } else if is_due(timers.join) {
                "it did not join again in time"
            } else if is_due(timers.sync) {
                "it did not ask for its assignment in time"
            } else {
                // It has left the epoch that the deadline was for.
                timers.rebalance = timers.rebalance.filter(|(at, _)| *at > due);
                continue;
            };
            expired.insert((Arc::clone(id), reason));
        }
        let group = &self.group.id;
        for (id, reason) in &expired {
            self.outbox.info(|| format!("Member {id} is removed from group {group}: {reason}"));
        }
        let ids: BTreeSet<Arc<str>> = expired.into_iter().map(|(id, _)| id).collect();
        if let Err(error) = self.fence_consumer_members(&ids) {
            self.outbox.warn(|| format!("Members {ids:?} of group {group} could not be removed: {error}"));
            self.put_deadlines_off(&ids);
        }
    }

    fn put_deadlines_off(&mut self, ids: &BTreeSet<Arc<str>>) {
        let later = self.now.saturating_add(RETRY);
        let Some(group) = self.state.consumer_mut() else { return };
        for (_, timers) in group.timers.iter_mut().filter(|(id, _)| ids.contains(*id)) {
            timers.session = timers.session.map(|at| at.max(later));
            timers.rebalance = timers.rebalance.map(|(at, epoch)| (at.max(later), epoch));
            timers.join = timers.join.map(|at| at.max(later));
            timers.sync = timers.sync.map(|at| at.max(later));
        }
    }

    /// The members of a group that was loaded have their whole time from now.
    pub(in crate::broker::coordinator::group) fn start_loaded_consumer_group(&mut self) {
        use crate::broker::coordinator::group::modern::member_state::MemberState;
        let timeout_ms = self.consumer_session_timeout_ms();
        let Some(group) = self.state.consumer() else { return };
        let ids: Vec<Arc<str>> = group.modern.members.keys().cloned().collect();
        for id in ids {
            self.renew_consumer_session(&id, timeout_ms);
            let Some(group) = self.state.consumer_mut() else { return };
            let Some(member) = group.modern.members.get(&id) else { continue };
            if member.state == MemberState::UnrevokedPartitions {
                let at = self.now.saturating_add(millis(member.metadata.rebalance_timeout_ms));
                let epoch = member.epoch;
                group.timers.entry(id).or_default().rebalance = Some((at, epoch));
                self.wake_at(at);
            }
        }
    }
}
