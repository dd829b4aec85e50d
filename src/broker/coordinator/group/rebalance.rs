use std::sync::Arc;
use std::time::Duration;

use super::group_metadata::{InitialDelay, JoinDeadline};
use super::group_state::GroupState;
use super::member::millis;
use super::turn::GroupTurn;
use crate::model::{CONSUMER_OFFSETS_TOPIC, ErrorCode};

/// A member may ask for no rebalance timeout at all; looking for it must not become a busy loop.
const MIN_WAIT_FOR_STATIC_MEMBERS: Duration = Duration::from_secs(1);

impl GroupTurn<'_> {
    /// Has the members join again, unless they have been told to already, or there is no such group any more.
    pub(super) fn maybe_prepare_rebalance(&mut self, reason: String) {
        if self.state.can_rebalance() {
            self.prepare_rebalance(reason);
        }
    }

    pub(super) fn prepare_rebalance(&mut self, reason: String) {
        let from = self.state.state();
        if from == GroupState::CompletingRebalance {
            // Who waits for an assignment of the generation that ends here waits in vain.
            self.reset_assignment(ErrorCode::RebalanceInProgress);
        }
        self.state.pending_sync.clear();
        self.state.sync_deadline = None;
        let now_ms = self.now_ms();
        self.state.transition_to(GroupState::PreparingRebalance, now_ms);
        self.starts_rebalance = true;
        let Self { outbox, group, state, .. } = self;
        outbox.info(|| {
            format!(
                "Preparing to rebalance group {} in state {from} with old generation {} \
                 ({CONSUMER_OFFSETS_TOPIC}-{}) (reason: {reason})",
                group.id, state.generation_id, group.partition
            )
        });
        self.state.rebalance_reason = Some(reason);
        if from == GroupState::Empty {
            let delay = millis(self.coordinator.config().group_initial_rebalance_delay_ms);
            let remaining = self.state.rebalance_timeout().saturating_sub(delay);
            self.wait_for_first_members(InitialDelay { delay, remaining });
        } else {
            self.wait_for_joins();
        }
    }

    /// The first member of a group is seldom the last: wait a little before everybody is told about it.
    fn wait_for_first_members(&mut self, initial: InitialDelay) {
        let at = self.now.saturating_add(initial.delay);
        self.state.join_deadline = Some(JoinDeadline { at, initial: Some(initial) });
        if initial.delay.is_zero() {
            self.join_deadline_passed();
        } else {
            self.wake_at(at);
        }
    }

    fn wait_for_joins(&mut self) {
        self.wait_for_joins_until(self.now.saturating_add(self.state.rebalance_timeout()));
    }

    fn wait_for_joins_until(&mut self, at: Duration) {
        self.state.join_deadline = Some(JoinDeadline { at, initial: None });
        self.wake_at(at);
        self.try_complete_join();
    }

    /// Completes the join phase if everybody is there.
    pub(super) fn try_complete_join(&mut self) {
        let ends_early = self.state.join_deadline.is_some_and(|deadline| deadline.initial.is_none());
        if ends_early && self.state.have_all_members_joined() {
            self.complete_join();
        }
    }

    /// The join phase has lasted long enough, or goes on for the sake of members that arrived meanwhile.
    pub(super) fn join_deadline_passed(&mut self) {
        let initial = self.state.join_deadline.and_then(|deadline| deadline.initial);
        if let Some(initial) = initial.filter(|initial| !initial.remaining.is_zero())
            && std::mem::take(&mut self.state.new_member_added)
        {
            let configured = millis(self.coordinator.config().group_initial_rebalance_delay_ms);
            self.wait_for_first_members(InitialDelay {
                delay: configured.min(initial.remaining),
                remaining: initial.remaining.saturating_sub(initial.delay),
            });
        } else {
            self.complete_join();
        }
    }

    fn complete_join(&mut self) {
        self.state.join_deadline = None;
        self.remove_dynamic_members_not_joined();
        let old_leader = self.state.leader_id.clone();
        let group = &self.group.id;
        if !self.state.members().is_empty() && !self.state.elect_joined_leader() {
            // Only static members are left, and none of them is back yet: they have until their sessions end.
            self.outbox
                .warn(|| format!("Nobody joined the rebalance of group {group}: waiting for its members"));
            let wait = self.state.rebalance_timeout().max(MIN_WAIT_FOR_STATIC_MEMBERS);
            return self.wait_for_joins_until(self.now.saturating_add(wait));
        }
        if old_leader != self.state.leader_id {
            let leader = self.state.leader_id.as_deref().unwrap_or("none");
            self.outbox.info(|| format!("The leader of group {group} did not join: {leader} leads now"));
        }
        let now_ms = self.now_ms();
        self.state.init_next_generation(now_ms);
        if self.state.is(GroupState::Empty) {
            self.store_empty_group();
        } else {
            self.start_generation();
        }
    }

    fn remove_dynamic_members_not_joined(&mut self) {
        let missing: Vec<Arc<str>> = self
            .state
            .members()
            .iter()
            .filter(|member| member.awaiting_join.is_none() && !member.is_static())
            .map(|member| Arc::clone(&member.id))
            .collect();
        if missing.is_empty() {
            return;
        }
        for id in &missing {
            self.remove_member(id);
        }
        let group = &self.group.id;
        self.outbox.info(|| format!("Group {group} removed members that have not joined: {missing:?}"));
    }

    fn store_empty_group(&mut self) {
        let (group, generation) = (&self.group.id, self.state.generation_id);
        self.outbox.info(|| format!("Group {group} with generation {generation} is now empty"));
        if let Err(error) = self.store_group() {
            // If the broker stops before the next record, the members of the old generation come back when it
            // starts, and expire: nothing is lost by going on.
            self.outbox.warn(|| format!("The record of empty group {group} could not be written: {error}"));
        }
    }

    /// Tells all who have joined; from now on they have one rebalance timeout to ask for their assignment.
    fn start_generation(&mut self) {
        let Self { outbox, group, state, .. } = self;
        outbox.info(|| {
            format!(
                "Stabilized group {} generation {} ({CONSUMER_OFFSETS_TOPIC}-{}) with {} members",
                group.id,
                state.generation_id,
                group.partition,
                state.members().len()
            )
        });
        for id in self.state.members().ids() {
            let result = self.state.join_result(&id);
            self.answer_join(&id, result);
            self.renew_session(&id);
            if let Some(member) = self.state.member_mut(&id) {
                member.is_new = false;
            }
            self.state.pending_sync.insert(id);
        }
        let deadline = self.now.saturating_add(self.state.rebalance_timeout());
        self.state.sync_deadline = Some(deadline);
        self.wake_at(deadline);
    }
}
