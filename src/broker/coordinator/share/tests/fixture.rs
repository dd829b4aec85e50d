use std::sync::Arc;
use std::time::Duration;

use crate::broker::coordinator::MemoryLog;
use crate::broker::coordinator::group::{CoordinatorMetadataImage, TopicMetadata};
use crate::broker::coordinator::share::config::ShareCoordinatorConfig;
use crate::broker::coordinator::share::*;
use crate::model::{Offset, Uuid};
use crate::record::CompressionType;
use crate::sys::{Env, ManualClock};

pub(super) const START_MS: i64 = 1_700_000_000_000;
pub(super) const TOPIC: Uuid = Uuid::from_bytes([5; 16]);

/// One topic with two partitions.
#[derive(Debug)]
struct Image;

impl CoordinatorMetadataImage for Image {
    fn version(&self) -> u64 {
        1
    }

    fn last_version_with_new_topics(&self) -> u64 {
        1
    }

    fn topic(&self, _: &str) -> Option<TopicMetadata> {
        None
    }

    fn topic_by_id(&self, id: Uuid) -> Option<TopicMetadata> {
        (id == TOPIC).then(|| TopicMetadata { id, name: "t".into(), num_partitions: 2 })
    }

    fn topic_names(&self) -> Vec<Arc<str>> {
        Vec::new()
    }
}

/// A coordinator in a world that stands still, which writes a snapshot after two updates.
pub(super) struct Fixture {
    pub(super) clock: Arc<ManualClock>,
    pub(super) log: Arc<MemoryLog>,
    env: Env,
    codec: CompressionType,
    pub(super) coordinator: ShareCoordinator,
}

impl Fixture {
    pub(super) fn new() -> Self {
        Self::with_codec(CompressionType::None)
    }

    pub(super) fn with_codec(codec: CompressionType) -> Self {
        let clock = Arc::new(ManualClock::new(START_MS));
        let mut env = Env::system();
        env.clock = clock.clone();
        let log = Arc::new(MemoryLog::new(1));
        let coordinator = coordinator(&env, &log, codec);
        Fixture { clock, log, env, codec, coordinator }
    }

    /// Another coordinator takes over, from the log alone, as when a broker starts again.
    pub(super) fn restart(&mut self) {
        self.coordinator.shutdown();
        self.coordinator = coordinator(&self.env, &self.log, self.codec);
    }

    pub(super) fn advance_ms(&self, ms: u64) {
        self.clock.advance(Duration::from_millis(ms));
    }

    pub(super) fn write(&self, start: Offset, batches: &[(Offset, Offset, i8, i16)]) {
        self.coordinator.write(&key(0), &state(0, 0, start, batches)).unwrap();
    }

    /// Start and batches, as a leader in epoch 0 reads them.
    pub(super) fn read(&self) -> (Offset, Vec<(Offset, Offset, i8, i16)>) {
        let read = self.coordinator.read(&key(0), 0).unwrap();
        let batch = |b: &StateBatch| (b.first_offset, b.last_offset, b.delivery_state, b.delivery_count);
        (read.start_offset, read.state_batches.iter().map(batch).collect())
    }

    /// The kinds of the records that were written, and whether they are tombstones.
    pub(super) fn kinds(&self) -> Vec<(u8, bool)> {
        let records = self.log.records(0).into_iter();
        records.map(|(key, value)| (key.unwrap()[1], value.is_none())).collect()
    }
}

fn coordinator(env: &Env, log: &Arc<MemoryLog>, codec: CompressionType) -> ShareCoordinator {
    let config = ShareCoordinatorConfig {
        share_coordinator_snapshot_update_records_per_snapshot: 2,
        share_coordinator_cold_partition_snapshot_interval_ms: 1000,
        share_coordinator_state_topic_compression_codec: codec,
    };
    let coordinator = ShareCoordinator::new(env, config, Arc::clone(log) as _, Arc::new(Image));
    coordinator.load_all().unwrap();
    coordinator
}

pub(super) fn key(partition: i32) -> SharePartitionKey {
    SharePartitionKey::new("g", TOPIC, partition)
}

pub(super) fn batches(batches: &[(Offset, Offset, i8, i16)]) -> Vec<StateBatch> {
    let batch = |&(first_offset, last_offset, delivery_state, delivery_count): &(Offset, Offset, i8, i16)| {
        StateBatch { first_offset, last_offset, delivery_state, delivery_count }
    };
    batches.iter().map(batch).collect()
}

pub(super) fn state(
    state_epoch: i32,
    leader_epoch: i32,
    start_offset: Offset,
    of: &[(Offset, Offset, i8, i16)],
) -> WriteState {
    WriteState {
        state_epoch,
        leader_epoch,
        start_offset,
        delivery_complete_count: 0,
        state_batches: batches(of),
    }
}
