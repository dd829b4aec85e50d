use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::{Mutex, MutexGuard};

use super::error::ShareError;
use super::locks::Lock;
use super::record_state::RecordState;
use super::runs::{OffsetState, Run, Runs};
use super::settings::{ShareAutoOffsetReset, ShareGroupSettings, ShareGroupSettingsSource};
use crate::broker::coordinator::share::{Persister, SharePartitionKey, StateBatch, WriteState};
use crate::broker::purgatory::{Timer, WatcherList};
use crate::model::{ErrorCode, LeaderEpoch, Offset};

/// What one share group does with one partition (Kafka: `SharePartition`).
pub(crate) struct SharePartition {
    pub(super) key: SharePartitionKey,
    leader_epoch: LeaderEpoch,
    pub(super) persister: Arc<dyn Persister>,
    pub(super) timer: Arc<Timer>,
    source: Arc<dyn ShareGroupSettingsSource>,
    state: Mutex<State>,
    /// Held from the look at what is next to the acquisition of it: two fetches would acquire the same otherwise.
    is_fetching: AtomicBool,
    /// Somebody wanted to fetch meanwhile.
    is_contended: AtomicBool,
    watchers: WatcherList,
    /// For the timer, which must not keep it.
    pub(super) this: Weak<SharePartition>,
}

/// What is behind the lock.
#[derive(Debug)]
pub(super) struct State {
    pub(super) phase: Phase,
    state_epoch: i32,
    /// Everything before it is dealt with.
    pub(super) start_offset: Offset,
    /// The first offset that nobody has had.
    pub(super) next_offset: Offset,
    /// Of all offsets from the start on, and before `next_offset`.
    pub(super) runs: Runs,
    /// How many of these are acknowledged or archived.
    pub(super) delivery_complete_count: i64,
    /// Whether one may be available; if not, nobody need look.
    pub(super) may_have_available: bool,
    pub(super) locks: HashMap<u64, Lock>,
    pub(super) last_lock: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Initial,
    Active,
    /// Not of use any more.
    Fenced,
}

/// Consecutive offsets that go to another state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) first: Offset,
    /// Inclusive.
    pub(super) last: Offset,
    pub(super) state: RecordState,
    pub(super) delivery_count: i16,
}

impl SharePartition {
    pub(crate) fn new(
        key: SharePartitionKey,
        leader_epoch: LeaderEpoch,
        persister: Arc<dyn Persister>,
        timer: Arc<Timer>,
        source: Arc<dyn ShareGroupSettingsSource>,
    ) -> Arc<Self> {
        Arc::new_cyclic(|this| SharePartition {
            key,
            leader_epoch,
            persister,
            timer,
            source,
            state: Mutex::new(State {
                phase: Phase::Initial,
                state_epoch: 0,
                start_offset: 0,
                next_offset: 0,
                runs: Runs::default(),
                delivery_complete_count: 0,
                may_have_available: false,
                locks: HashMap::new(),
                last_lock: 0,
            }),
            is_fetching: AtomicBool::new(false),
            is_contended: AtomicBool::new(false),
            watchers: WatcherList::default(),
            this: Weak::clone(this),
        })
    }

    pub(super) fn settings(&self) -> ShareGroupSettings {
        self.source.settings(&self.key.group_id)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Who waits for records of this group. To be checked with no lock held.
    pub(super) fn watchers(&self) -> &WatcherList {
        &self.watchers
    }

    /// Begins where the group stands, or, if it has not read the partition before, where `start` says.
    ///
    /// # Errors
    /// What keeps the state from being read; NOT_LEADER_OR_FOLLOWER once it is fenced.
    pub(super) fn maybe_initialize(
        &self,
        start: impl FnOnce(ShareAutoOffsetReset) -> Result<Offset, ErrorCode>,
    ) -> Result<(), ShareError> {
        let mut state = self.lock();
        match state.phase {
            Phase::Active => return Ok(()),
            Phase::Fenced => return Err(fenced()),
            Phase::Initial => {}
        }
        let read = self.persister.read(&self.key, self.leader_epoch).map_err(ShareError::of_state)?;
        let start_offset = match read.start_offset {
            -1 => start(self.settings().auto_offset_reset)?,
            known => known,
        };
        state.state_epoch = read.state_epoch;
        state.begin(start_offset, &read.state_batches);
        state.phase = Phase::Active;
        Ok(())
    }

    /// No call succeeds from now on. Locks are void: what was acquired is available to whoever comes next.
    pub(super) fn mark_fenced(&self) {
        let locks = {
            let mut state = self.lock();
            state.phase = Phase::Fenced;
            std::mem::take(&mut state.locks)
        };
        for lock in locks.into_values() {
            self.timer.cancel(lock.timeout);
        }
        self.watchers.check();
    }

    /// Whether calls can succeed.
    ///
    /// # Errors
    /// NOT_LEADER_OR_FOLLOWER: it is fenced.
    pub(super) fn check_active(&self) -> Result<(), ShareError> {
        Self::ensure_active(&self.lock())
    }

    pub(super) fn is_fenced(&self) -> bool {
        self.lock().phase == Phase::Fenced
    }

    pub(super) fn ensure_active(state: &State) -> Result<(), ShareError> {
        if state.phase == Phase::Active { Ok(()) } else { Err(fenced()) }
    }

    /// Keeps other fetches away, if none is under way. Who gets `true` calls [`Self::release_fetch_lock`].
    pub(super) fn maybe_acquire_fetch_lock(&self) -> bool {
        if !self.is_fetching.swap(true, Ordering::SeqCst) {
            return true;
        }
        self.is_contended.store(true, Ordering::SeqCst);
        // It may have been let go of just before.
        !self.is_fetching.swap(true, Ordering::SeqCst)
    }

    /// Lets other fetches come. Says whether one wanted to: then watchers are to be checked.
    pub(super) fn release_fetch_lock(&self) -> bool {
        self.is_fetching.store(false, Ordering::SeqCst);
        self.is_contended.swap(false, Ordering::SeqCst)
    }

    /// From where on a fetch should read; `None` if nothing could be acquired, since all that may be is.
    pub(super) fn next_fetch_offset(&self) -> Option<Offset> {
        let mut state = self.lock();
        if state.phase != Phase::Active {
            // The fetch is to be told.
            return Some(state.next_offset);
        }
        let next = state.next_fetch_offset();
        let limit = i64::from(self.settings().partition_max_record_locks);
        (next != state.next_offset || state.in_flight_count() < limit).then_some(next)
    }

    /// Keeps changes, and then makes them. Nothing has changed if that fails.
    pub(super) fn persist_and_apply(&self, state: &mut State, changes: &[Change]) -> Result<(), ShareError> {
        if changes.is_empty() {
            return Ok(());
        }
        let completed: i64 = changes
            .iter()
            .filter(|change| change.state.is_terminal())
            .map(|change| change.last - change.first + 1)
            .sum();
        let batches = changes.iter().map(|change| StateBatch {
            first_offset: change.first,
            last_offset: change.last,
            delivery_state: change.state.id(),
            delivery_count: change.delivery_count,
        });
        let write = WriteState {
            state_epoch: state.state_epoch,
            leader_epoch: self.leader_epoch,
            start_offset: state.start_offset,
            delivery_complete_count: i32::try_from(state.delivery_complete_count + completed)
                .unwrap_or(i32::MAX),
            state_batches: batches.collect(),
        };
        self.persister.write(&self.key, &write).map_err(ShareError::of_state)?;
        for change in changes {
            self.apply(state, change);
        }
        state.move_start();
        Ok(())
    }

    /// Makes a change, without keeping it.
    pub(super) fn apply(&self, state: &mut State, change: &Change) {
        let runs: Vec<Run> = state.runs.within(change.first, change.last).collect();
        for run in runs {
            if let Some((_, lock)) = run.of.holder {
                self.loosen(state, lock, run.len());
            }
            if run.of.state.is_terminal() {
                state.delivery_complete_count -= run.len();
            }
            if change.state.is_terminal() {
                state.delivery_complete_count += run.len();
            }
            state.runs.set(run.first, run.last, OffsetState::free(change.state, change.delivery_count));
        }
        state.may_have_available |= change.state == RecordState::Available;
    }

    /// The log begins later than the group does: what is gone is not delivered any more (Kafka:
    /// `updateCacheAndOffsets`).
    pub(super) fn update_start(&self, log_start_offset: Offset) {
        let mut state = self.lock();
        if log_start_offset <= state.start_offset {
            return;
        }
        let gone: Vec<Run> = state.runs.within(state.start_offset, log_start_offset - 1).collect();
        for run in gone {
            let archived = Change {
                first: run.first,
                last: run.last,
                state: RecordState::Archived,
                delivery_count: run.of.delivery_count,
            };
            self.apply(&mut state, &archived);
        }
        state.cut(log_start_offset);
        state.move_start();
    }
}

fn fenced() -> ShareError {
    ShareError::new(ErrorCode::NotLeaderOrFollower, "The share partition is fenced.")
}

impl State {
    fn begin(&mut self, start_offset: Offset, batches: &[StateBatch]) {
        self.start_offset = start_offset;
        self.next_offset = start_offset;
        for batch in batches.iter().filter(|batch| batch.last_offset >= start_offset) {
            let first = batch.first_offset.max(self.next_offset);
            if first > batch.last_offset {
                continue;
            }
            if first > self.next_offset {
                // Was acquired when the state was kept last, or never looked at.
                let gap = OffsetState::free(RecordState::Available, 0);
                self.runs.set(self.next_offset, first - 1, gap);
            }
            let state = RecordState::from_kept_id(batch.delivery_state).unwrap_or(RecordState::Available);
            if state.is_terminal() {
                self.delivery_complete_count += batch.last_offset - first + 1;
            }
            self.runs.set(first, batch.last_offset, OffsetState::free(state, batch.delivery_count));
            self.next_offset = batch.last_offset + 1;
        }
        self.may_have_available = true;
        self.move_start();
    }

    /// The first offset that can be acquired.
    pub(super) fn next_fetch_offset(&mut self) -> Offset {
        if self.may_have_available {
            let available = self.runs.iter().find(|run| run.of.state == RecordState::Available);
            if let Some(run) = available {
                return run.first;
            }
            self.may_have_available = false;
        }
        self.next_offset
    }

    /// How many offsets from the start on are not dealt with.
    pub(super) fn in_flight_count(&self) -> i64 {
        self.next_offset - self.start_offset - self.delivery_complete_count
    }

    /// Forgets what is dealt with at the start.
    pub(super) fn move_start(&mut self) {
        let open = self.runs.iter().find(|run| !run.of.state.is_terminal()).map(|run| run.first);
        self.cut(open.unwrap_or(self.next_offset));
    }

    fn cut(&mut self, start_offset: Offset) {
        let done = self.runs.within(self.start_offset, start_offset - 1);
        let done: i64 = done.filter(|run| run.of.state.is_terminal()).map(|run| run.len()).sum();
        self.delivery_complete_count -= done;
        self.runs.truncate_before(start_offset);
        self.start_offset = start_offset;
        self.next_offset = self.next_offset.max(start_offset);
    }
}

impl fmt::Debug for SharePartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharePartition({})", self.key)
    }
}
