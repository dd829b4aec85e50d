use super::coordinator::ShareCoordinator;
use super::record::{self, SNAPSHOT};
use super::shard::{Shard, ShareRecord};
use crate::broker::coordinator::loading::{LoadError, RecordReader};
use crate::model::{ErrorCode, SHARE_GROUP_STATE_TOPIC};
use crate::record::{RecordBatchRef, RecordRef};

impl ShareCoordinator {
    /// Takes over every partition of `__share_group_state`.
    ///
    /// # Errors
    /// The first partition's that could not be read; the others are taken over nevertheless.
    pub(crate) fn load_all(&self) -> Result<(), ErrorCode> {
        let outcomes = (0..self.log().partition_count()).map(|partition| self.load_partition(partition));
        outcomes.fold(Ok(()), Result::and)
    }

    /// Takes over a partition: reads all of its records, on this thread. Requests for what is in there get
    /// COORDINATOR_LOAD_IN_PROGRESS meanwhile. Does nothing if the partition is owned already.
    ///
    /// # Errors
    /// Why the partition could not be read; it is not taken over then.
    pub(crate) fn load_partition(&self, partition: i32) -> Result<(), ErrorCode> {
        self.partitions.load(partition, || self.read_partition(partition))
    }

    fn read_partition(&self, partition: i32) -> Result<(), ErrorCode> {
        let mut loader = Loader {
            shard: Shard::default(),
            updates_per_snapshot: self.config().share_coordinator_snapshot_update_records_per_snapshot,
        };
        let mut reader = RecordReader::default();
        let mut take = |batch: RecordBatchRef<'_>| {
            if !batch.is_control() {
                reader.read(batch, |record| loader.record(record));
            }
        };
        self.log().read_all(partition, &mut take).inspect_err(|error| {
            tracing::error!("{SHARE_GROUP_STATE_TOPIC}-{partition} could not be loaded: {error}");
        })?;
        reader.report(SHARE_GROUP_STATE_TOPIC, partition);
        let loaded = loader.shard.states.len();
        self.insert(partition, loader.shard);
        tracing::debug!("Loaded {loaded} share partitions from {SHARE_GROUP_STATE_TOPIC}-{partition}");
        Ok(())
    }

    /// Forgets what is in a partition that is not ours any more.
    pub(crate) fn unload_partition(&self, partition: i32) {
        self.partitions.release(partition);
        self.remove(partition);
    }
}

/// What a partition says, as far as it was read.
struct Loader {
    shard: Shard,
    updates_per_snapshot: i32,
}

impl Loader {
    fn record(&mut self, record: &RecordRef<'_>) -> Result<(), LoadError> {
        let Some((kind, key)) = record::parse_key(record.key().ok_or(LoadError::NoKey)?)? else {
            return Ok(());
        };
        let found = match (record.value(), kind) {
            (Some(value), SNAPSHOT) => ShareRecord::Snapshot(record::parse_snapshot(value)?),
            (Some(value), _) => ShareRecord::Update(record::parse_update(value)?),
            (None, SNAPSHOT) => ShareRecord::Tombstone,
            // Nobody writes these.
            (None, _) => return Ok(()),
        };
        self.shard.replay(key, found, record.offset(), self.updates_per_snapshot);
        Ok(())
    }
}
