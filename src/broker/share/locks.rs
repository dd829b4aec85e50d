//! Locks of records: how long a member may keep them.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::record_state::RecordState;
use super::share_partition::{Change, Phase, SharePartition, State};
use crate::broker::purgatory::TimerHandle;

/// Records that were acquired at once.
#[derive(Debug)]
pub(super) struct Lock {
    pub(super) timeout: TimerHandle,
    /// How many of them are still acquired. Once there is none, the timer forgets the lock.
    offsets: i64,
}

impl SharePartition {
    /// A lock for so many offsets, from now on.
    pub(super) fn new_lock(&self, state: &mut State, offsets: i64) -> u64 {
        state.last_lock += 1;
        let id = state.last_lock;
        let duration_ms = self.settings().record_lock_duration_ms;
        let duration = Duration::from_millis(u64::try_from(duration_ms).unwrap_or(0));
        let this = Weak::clone(&self.this);
        let timeout = self.timer.schedule(duration, move || {
            if let Some(this) = this.upgrade() {
                this.on_lock_timeout(id);
            }
        });
        state.locks.insert(id, Lock { timeout, offsets });
        id
    }

    /// So many offsets are not held by the lock any more.
    pub(super) fn loosen(&self, state: &mut State, id: u64, offsets: i64) {
        let Some(lock) = state.locks.get_mut(&id) else { return };
        lock.offsets -= offsets;
        if lock.offsets <= 0 {
            self.timer.cancel(lock.timeout);
            state.locks.remove(&id);
        }
    }

    /// The member has kept them for too long: others may have them.
    fn on_lock_timeout(self: &Arc<Self>, id: u64) {
        let mut state = self.lock();
        if state.phase != Phase::Active || !state.locks.contains_key(&id) {
            return;
        }
        let changes = self.releases(&state, |_, lock| lock == id);
        if let Err(error) = self.persist_and_apply(&mut state, &changes) {
            // Kafka makes them available nevertheless: the count of deliveries is what may get lost.
            tracing::warn!(partition = %self.key, %error, "cannot keep that locks have timed out");
            for change in &changes {
                self.apply(&mut state, change);
            }
            state.move_start();
        }
        drop(state);
        self.watchers().check();
    }

    /// What becomes of the acquired records that `is_meant` names: available, or given up after too many deliveries.
    pub(super) fn releases(&self, state: &State, is_meant: impl Fn(&str, u64) -> bool) -> Vec<Change> {
        let limit = self.settings().delivery_count_limit;
        let held = state
            .runs
            .iter()
            .filter(|run| run.of.holder.as_ref().is_some_and(|(member, lock)| is_meant(member, *lock)));
        let release = held.map(|run| Change {
            first: run.first,
            last: run.last,
            state: released(run.of.delivery_count, limit),
            delivery_count: run.of.delivery_count,
        });
        release.collect()
    }
}

/// What becomes of a record that was delivered so often and is given back.
pub(super) fn released(delivery_count: i16, limit: i32) -> RecordState {
    if i32::from(delivery_count) >= limit { RecordState::Archived } else { RecordState::Available }
}
