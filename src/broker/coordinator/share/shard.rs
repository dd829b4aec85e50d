use std::collections::BTreeMap;

use super::key::SharePartitionKey;
use super::share_group_offset::{ShareGroupOffset, ShareUpdate};
use crate::model::{LeaderEpoch, Offset};

/// What is in one partition of `__share_group_state` (Kafka: `ShareCoordinatorShard`).
#[derive(Debug, Default)]
pub(super) struct Shard {
    pub(super) states: BTreeMap<SharePartitionKey, ShareState>,
    /// Every record before it has a later one that says more (Kafka: `ShareCoordinatorOffsetsManager`).
    redundant: RedundantOffsets,
}

/// The state of one key, and what is needed to go on writing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ShareState {
    pub(super) offset: ShareGroupOffset,
    /// The highest that was ever seen: older leaders are fenced.
    pub(super) leader_epoch: LeaderEpoch,
    /// The highest that was ever seen, as far as snapshots tell.
    pub(super) state_epoch: Option<i32>,
    /// How many updates followed the last snapshot.
    pub(super) updates: i32,
}

/// Something that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ShareRecord {
    Snapshot(ShareGroupOffset),
    Update(ShareUpdate),
    Tombstone,
}

impl Shard {
    /// Takes in what a record at `at` says, one that has just been written or one that is found while loading.
    pub(super) fn replay(
        &mut self,
        key: SharePartitionKey,
        record: ShareRecord,
        at: Offset,
        updates_per_snapshot: i32,
    ) {
        match record {
            ShareRecord::Snapshot(offset) => {
                self.redundant.update(&key, at, false);
                self.replay_snapshot(key, offset, updates_per_snapshot);
            }
            ShareRecord::Update(update) => self.replay_update(key, update),
            ShareRecord::Tombstone => {
                self.states.remove(&key);
                self.redundant.update(&key, at, true);
            }
        }
    }

    fn replay_snapshot(
        &mut self,
        key: SharePartitionKey,
        offset: ShareGroupOffset,
        updates_per_snapshot: i32,
    ) {
        let known = self.states.get(&key);
        let updates = known.map_or(0, |known| known.updates);
        let state = ShareState {
            leader_epoch: known.map_or(i32::MIN, |known| known.leader_epoch).max(offset.leader_epoch),
            state_epoch: known.and_then(|known| known.state_epoch).max(Some(offset.state_epoch)),
            // One that comes early, when the state is initialised again, leaves the count as it is.
            updates: if updates >= updates_per_snapshot { 0 } else { updates },
            offset,
        };
        self.states.insert(key, state);
    }

    fn replay_update(&mut self, key: SharePartitionKey, update: ShareUpdate) {
        match self.states.get_mut(&key) {
            Some(state) => {
                state.leader_epoch = state.leader_epoch.max(update.leader_epoch);
                state.offset = state.offset.merge(&update);
                state.updates = state.updates.saturating_add(1);
            }
            None => {
                let state = ShareState {
                    leader_epoch: update.leader_epoch,
                    state_epoch: None,
                    updates: 1,
                    offset: ShareGroupOffset::of_update(update),
                };
                self.states.insert(key, state);
            }
        }
    }

    /// The offset before which nothing is needed any more, if there is such.
    pub(super) fn last_redundant_offset(&self) -> Option<Offset> {
        self.redundant.last.filter(|offset| *offset > 0)
    }
}

#[derive(Debug, Default)]
struct RedundantOffsets {
    /// Where the last snapshot of each key is.
    snapshots: BTreeMap<SharePartitionKey, Offset>,
    last: Option<Offset>,
}

impl RedundantOffsets {
    fn update(&mut self, key: &SharePartitionKey, at: Offset, is_delete: bool) {
        self.snapshots.insert(key.clone(), at);
        self.last = self.snapshots.values().copied().min();
        if is_delete {
            self.snapshots.remove(key);
        }
    }
}
