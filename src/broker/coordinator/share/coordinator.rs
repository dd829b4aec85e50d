use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Mutex, RwLock};

use super::config::ShareCoordinatorConfig;
use super::error::ShareStateError;
use super::key::SharePartitionKey;
use super::record;
use super::shard::{Shard, ShareRecord};
use crate::broker::coordinator::group::CoordinatorMetadataImage;
use crate::broker::coordinator::loading::OwnedPartitions;
use crate::broker::coordinator::{CoordinatorLog, operation_error, partition_for};
use crate::model::{ErrorCode, Timestamp};
use crate::record::{BatchOptions, RecordBatchBuilder};
use crate::sys::{Clock, Env};

/// The coordinator of share groups' state, under the injected clock. See the [module](super) for how it is laid out.
///
/// It has no thread and no timer: whoever owns it calls [`snapshot_cold_partitions`](Self::snapshot_cold_partitions) and
/// [`prune`](Self::prune) now and then. Until [`load_partition`](Self::load_partition) has read a partition of
/// `__share_group_state`, what is in there is not coordinated here.
pub(crate) struct ShareCoordinator {
    config: ShareCoordinatorConfig,
    clock: Arc<dyn Clock>,
    log: Arc<dyn CoordinatorLog>,
    image: Arc<dyn CoordinatorMetadataImage>,
    is_active: AtomicBool,
    shards: RwLock<HashMap<i32, Arc<Mutex<Shard>>>>,
    pub(super) partitions: OwnedPartitions,
}

impl ShareCoordinator {
    /// A coordinator that coordinates nothing yet.
    pub(crate) fn new(
        env: &Env,
        config: ShareCoordinatorConfig,
        log: Arc<dyn CoordinatorLog>,
        image: Arc<dyn CoordinatorMetadataImage>,
    ) -> Self {
        ShareCoordinator {
            config,
            clock: Arc::clone(&env.clock),
            log,
            image,
            is_active: AtomicBool::new(true),
            shards: RwLock::default(),
            partitions: OwnedPartitions::default(),
        }
    }

    pub(super) fn config(&self) -> &ShareCoordinatorConfig {
        &self.config
    }

    pub(super) fn now_ms(&self) -> Timestamp {
        self.clock.now_ms()
    }

    pub(super) fn log(&self) -> &dyn CoordinatorLog {
        &*self.log
    }

    /// Ends the coordinator: every request from now on is answered with COORDINATOR_NOT_AVAILABLE. What was written is
    /// in the log.
    pub(crate) fn shutdown(&self) {
        self.is_active.store(false, Ordering::SeqCst);
    }

    pub(crate) fn is_active(&self) -> bool {
        self.is_active.load(Ordering::SeqCst)
    }

    /// Which partition of `__share_group_state` holds the state; `None` as long as the topic does not exist.
    pub(crate) fn partition_for(&self, key: &SharePartitionKey) -> Option<i32> {
        partition_for(&key.to_string(), self.log.partition_count())
    }

    pub(super) fn insert(&self, partition: i32, shard: Shard) {
        self.shards.write().insert(partition, Arc::new(Mutex::new(shard)));
    }

    pub(super) fn remove(&self, partition: i32) {
        self.shards.write().remove(&partition);
    }

    pub(super) fn shards(&self) -> Vec<(i32, Arc<Mutex<Shard>>)> {
        let mut shards: Vec<_> =
            self.shards.read().iter().map(|(partition, shard)| (*partition, Arc::clone(shard))).collect();
        shards.sort_unstable_by_key(|(partition, _)| *partition);
        shards
    }

    /// The part of the state that the key is in, if it is coordinated here and now.
    fn shard(&self, key: &SharePartitionKey) -> Result<(i32, Arc<Mutex<Shard>>), ErrorCode> {
        if !self.is_active() {
            return Err(ErrorCode::CoordinatorNotAvailable);
        }
        let partition = self.partition_for(key).ok_or(ErrorCode::NotCoordinator)?;
        self.partitions.validate(partition)?;
        let shard = self.shards.read().get(&partition).cloned();
        shard.map(|shard| (partition, shard)).ok_or(ErrorCode::NotCoordinator)
    }

    /// Takes a turn at the part of the state that the key is in: `decide` says what is written, which is done, and taken
    /// in, under the same lock. `what` is for the message if that fails.
    pub(super) fn turn<R>(
        &self,
        what: &str,
        key: &SharePartitionKey,
        decide: impl FnOnce(&Shard) -> Result<(Option<ShareRecord>, R), ShareStateError>,
    ) -> Result<R, ShareStateError> {
        let (partition, shard) = self.shard(key).map_err(|error| match error {
            ErrorCode::CoordinatorNotAvailable => {
                ShareStateError { code: error, message: "Share coordinator is not available.".into() }
            }
            other => ShareStateError::failed(what, other),
        })?;
        let mut shard = shard.lock();
        let (record, result) = decide(&shard)?;
        let Some(record) = record else { return Ok(result) };
        self.write_records(partition, &mut shard, vec![(key.clone(), record)])
            .map_err(|error| ShareStateError::failed(what, operation_error(error)))?;
        drop(shard);
        self.log.wake_readers(partition);
        Ok(result)
    }

    /// Appends records, and takes in what they say. Who waits for them is not woken.
    pub(super) fn write_records(
        &self,
        partition: i32,
        shard: &mut Shard,
        records: Vec<(SharePartitionKey, ShareRecord)>,
    ) -> Result<(), ErrorCode> {
        let batch = self.batch(&records)?;
        let base_offset = self.log.append(partition, batch)?;
        let limit = self.config.share_coordinator_snapshot_update_records_per_snapshot;
        for (offset, (key, record)) in (base_offset..).zip(records) {
            shard.replay(key, record, offset, limit);
        }
        Ok(())
    }

    fn batch(&self, records: &[(SharePartitionKey, ShareRecord)]) -> Result<bytes::Bytes, ErrorCode> {
        let compression = self.config.share_coordinator_state_topic_compression_codec;
        let options = BatchOptions { compression, ..BatchOptions::default() };
        let mut builder = RecordBatchBuilder::with_capacity(options, 256);
        let now_ms = self.now_ms();
        for (key, record) in records {
            let (kind, value) = match record {
                ShareRecord::Snapshot(offset) => (record::SNAPSHOT, Some(record::snapshot_value(offset))),
                ShareRecord::Update(update) => (record::UPDATE, Some(record::update_value(update))),
                ShareRecord::Tombstone => (record::SNAPSHOT, None),
            };
            let key = record::key(kind, key).map_err(|_| ErrorCode::InvalidRequest)?;
            let value = value.transpose().map_err(|_| ErrorCode::UnknownServerError)?;
            builder.append(now_ms, Some(&key), value.as_deref()).map_err(|error| error.code())?;
        }
        builder.build().map_err(|error| error.code())
    }

    /// Refuses partitions that there are not, in Kafka's words.
    pub(super) fn check_partition_id(key: &SharePartitionKey) -> Result<(), ShareStateError> {
        if key.partition < 0 {
            return Err(ShareStateError::invalid("The partition id cannot be a negative number."));
        }
        Ok(())
    }

    pub(super) fn check_leader_epoch(leader_epoch: i32) -> Result<(), ShareStateError> {
        if leader_epoch < 0 {
            return Err(ShareStateError::invalid("The leader epoch cannot be a negative number."));
        }
        Ok(())
    }

    pub(super) fn check_state_epoch(state_epoch: i32) -> Result<(), ShareStateError> {
        if state_epoch < 0 {
            return Err(ShareStateError::invalid("The state epoch cannot be a negative number."));
        }
        Ok(())
    }

    pub(super) fn check_exists(&self, key: &SharePartitionKey) -> Result<(), ShareStateError> {
        match self.image.topic_by_id(key.topic_id) {
            Some(topic) if key.partition < topic.num_partitions => Ok(()),
            _ => Err(ErrorCode::UnknownTopicOrPartition.into()),
        }
    }
}

impl fmt::Debug for ShareCoordinator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShareCoordinator")
            .field("shards", &self.shards.read().len())
            .field("is_active", &self.is_active())
            .finish_non_exhaustive()
    }
}
