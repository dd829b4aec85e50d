use super::coordinator::ShareCoordinator;
use super::record::{self, SNAPSHOT};
use super::shard::{Shard, ShareRecord};
use crate::broker::coordinator::loading::{DECOMPRESSION_LIMIT, LoadError};
use crate::model::{ErrorCode, Offset, SHARE_GROUP_STATE_TOPIC};
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
            scratch: Vec::new(),
            problems: Vec::new(),
        };
        self.log().read_all(partition, &mut |batch| loader.batch(batch)).inspect_err(|error| {
            tracing::error!("{SHARE_GROUP_STATE_TOPIC}-{partition} could not be loaded: {error}");
        })?;
        for (offset, error) in &loader.problems {
            tracing::warn!(
                "{SHARE_GROUP_STATE_TOPIC}-{partition}: what stands at offset {offset} is passed over: {error}"
            );
        }
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
    scratch: Vec<u8>,
    /// At which offsets stands what could not be understood, and why.
    problems: Vec<(Offset, LoadError)>,
}

impl Loader {
    fn batch(&mut self, batch: RecordBatchRef<'_>) {
        if let Err(error) = self.read_batch(batch) {
            self.problems.push((batch.base_offset(), error));
        }
    }

    fn read_batch(&mut self, batch: RecordBatchRef<'_>) -> Result<(), LoadError> {
        if batch.is_control() {
            return Ok(());
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        for record in batch.records(&mut scratch, DECOMPRESSION_LIMIT)? {
            let record = record?;
            if let Err(error) = self.record(&record) {
                self.problems.push((record.offset(), error));
            }
        }
        self.scratch = scratch;
        Ok(())
    }

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
