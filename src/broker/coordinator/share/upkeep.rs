//! What time does to the state, and what topics that go do.

use super::coordinator::ShareCoordinator;
use super::key::SharePartitionKey;
use super::shard::{Shard, ShareRecord};
use super::share_group_offset::ShareGroupOffset;
use crate::model::Uuid;

impl ShareCoordinator {
    /// Writes snapshots of states that have had none for a while. What stands before them in the log can go then, which
    /// they would keep there otherwise.
    pub(crate) fn snapshot_cold_partitions(&self) {
        self.write_to_all("snapshot what is not written any more", |shard| {
            // A state whose last snapshot is such a one already has two different times.
            let is_cold = |offset: &ShareGroupOffset| offset.create_timestamp != offset.write_timestamp;
            if shard.states.values().all(|state| is_cold(&state.offset)) {
                return Vec::new();
            }
            let now_ms = self.now_ms();
            let interval_ms = i64::from(self.config().share_coordinator_cold_partition_snapshot_interval_ms);
            let due = shard
                .states
                .iter()
                .filter(|(_, state)| now_ms.saturating_sub(state.offset.write_timestamp) >= interval_ms);
            due.map(|(key, state)| {
                let snapshot = ShareGroupOffset {
                    snapshot_epoch: state.offset.snapshot_epoch.saturating_add(1),
                    write_timestamp: now_ms,
                    ..state.offset.clone()
                };
                (key.clone(), ShareRecord::Snapshot(snapshot))
            })
            .collect()
        });
    }

    /// Forgets the state of topics that are gone.
    pub(crate) fn on_topics_deleted(&self, topic_ids: &[Uuid]) {
        self.write_to_all("forget the state of a deleted topic", |shard| {
            let gone = shard.states.keys().filter(|key| topic_ids.contains(&key.topic_id));
            gone.map(|key| (key.clone(), ShareRecord::Tombstone)).collect()
        });
    }

    /// Deletes from the starts of the logs what later snapshots have made needless.
    pub(crate) fn prune(&self) {
        if !self.is_active() {
            return;
        }
        for (partition, shard) in self.shards() {
            let redundant = shard.lock().last_redundant_offset();
            let Some(offset) = redundant else { continue };
            if let Err(error) = self.log().delete_records(partition, offset) {
                tracing::error!(partition, offset, %error, "cannot prune the state of share groups");
            }
        }
    }

    fn write_to_all(&self, what: &str, decide: impl Fn(&Shard) -> Vec<(SharePartitionKey, ShareRecord)>) {
        if !self.is_active() {
            return;
        }
        for (partition, shard) in self.shards() {
            let mut shard = shard.lock();
            let records = decide(&shard);
            if records.is_empty() {
                continue;
            }
            if let Err(error) = self.write_records(partition, &mut shard, records) {
                tracing::error!(partition, %error, "cannot {what}");
            }
            drop(shard);
            self.log().wake_readers(partition);
        }
    }
}
