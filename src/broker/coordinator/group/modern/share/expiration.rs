//! Members of whom nothing is heard.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::broker::coordinator::group::member::millis;
use crate::broker::coordinator::group::turn::GroupTurn;

/// How long a member stays whose end could not be written down, before that is tried again (Kafka: the retry backoff of
/// `CoordinatorRuntime`'s timers).
const RETRY: Duration = Duration::from_millis(500);

impl GroupTurn<'_> {
    /// Gives a member another session timeout to be heard of.
    pub(super) fn renew_share_session(&mut self, id: &Arc<str>) {
        let deadline = self.now.saturating_add(millis(self.share_session_timeout_ms()));
        if let Some(group) = self.state.share_mut() {
            match group.sessions.get_mut(id) {
                Some(session) => *session = deadline,
                None => _ = group.sessions.insert(Arc::clone(id), deadline),
            }
            self.wake_at(deadline);
        }
    }

    /// When the first of the members' sessions ends.
    pub(in crate::broker::coordinator::group) fn next_share_deadline(&self) -> Option<Duration> {
        self.state.share()?.sessions.values().min().copied()
    }

    /// Removes members of whom nothing was heard in time.
    pub(in crate::broker::coordinator::group) fn expire_share_members(&mut self, due: Duration) {
        let Some(group) = self.state.share() else { return };
        let expired: BTreeSet<Arc<str>> =
            group.sessions.iter().filter(|(_, at)| **at <= due).map(|(id, _)| Arc::clone(id)).collect();
        let group = &self.group.id;
        for id in &expired {
            self.outbox
                .info(|| format!("Member {id} is removed from share group {group}: its session expired"));
        }
        if let Err(error) = self.fence_share_members(&expired) {
            self.outbox
                .warn(|| format!("Members {expired:?} of group {group} could not be removed: {error}"));
            let later = self.now.saturating_add(RETRY);
            let Some(group) = self.state.share_mut() else { return };
            for (_, at) in group.sessions.iter_mut().filter(|(id, _)| expired.contains(*id)) {
                *at = later;
            }
        }
    }

    /// The members of a group that was loaded have their whole session from now.
    pub(in crate::broker::coordinator::group) fn start_loaded_share_group(&mut self) {
        let Some(group) = self.state.share() else { return };
        let ids: Vec<Arc<str>> = group.modern.members.keys().cloned().collect();
        ids.iter().for_each(|id| self.renew_share_session(id));
    }
}
