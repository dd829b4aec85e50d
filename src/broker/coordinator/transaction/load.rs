use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::coordinator::TransactionCoordinator;
use super::metadata::TransactionMetadata;
use super::record;
use super::turn::TransactionalId;
use crate::broker::coordinator::loading::{LoadError, RecordReader};
use crate::model::{ErrorCode, TRANSACTION_STATE_TOPIC};
use crate::record::{RecordBatchRef, RecordRef};

impl TransactionCoordinator {
    /// Takes over every partition of `__transaction_state`. What was decided there is completed by the next turn, or
    /// by [`abort_timed_out`](Self::abort_timed_out), which whoever loads should call right after.
    ///
    /// # Errors
    /// The first partition's that could not be read; the others are taken over nevertheless.
    pub(crate) fn load_all(&self) -> Result<(), ErrorCode> {
        let outcomes = (0..self.log().partition_count()).map(|partition| self.load_partition(partition));
        outcomes.fold(Ok(()), Result::and)
    }

    /// Takes over the ids of a partition: reads all of its records, on this thread. Requests for these ids get
    /// COORDINATOR_LOAD_IN_PROGRESS meanwhile. Does nothing if the partition is owned already.
    ///
    /// # Errors
    /// Why the partition could not be read; it is not taken over then.
    pub(crate) fn load_partition(&self, partition: i32) -> Result<(), ErrorCode> {
        self.partitions.load(partition, || self.read_partition(partition))
    }

    fn read_partition(&self, partition: i32) -> Result<(), ErrorCode> {
        let mut loader = Loader::default();
        let mut reader = RecordReader::default();
        let mut take = |batch: RecordBatchRef<'_>| {
            if !batch.is_control() {
                reader.read(batch, |record| loader.record(record));
            }
        };
        self.log().read_all(partition, &mut take).inspect_err(|error| {
            tracing::error!("{TRANSACTION_STATE_TOPIC}-{partition} could not be loaded: {error}");
        })?;
        reader.report(TRANSACTION_STATE_TOPIC, partition);
        let loaded = loader.ids.len();
        for (id, metadata) in loader.ids {
            self.insert(Arc::new(TransactionalId { id, partition, metadata: Mutex::new(metadata) }));
        }
        tracing::debug!("Loaded {loaded} transactional ids from {TRANSACTION_STATE_TOPIC}-{partition}");
        Ok(())
    }
}

/// What a partition says, as far as it was read.
#[derive(Default)]
struct Loader {
    ids: BTreeMap<Arc<str>, TransactionMetadata>,
}

impl Loader {
    fn record(&mut self, record: &RecordRef<'_>) -> Result<(), LoadError> {
        let Some(id) = record::parse_key(record.key().ok_or(LoadError::NoKey)?)? else { return Ok(()) };
        match record.value() {
            Some(value) => _ = self.ids.insert(Arc::from(id), record::parse_value(value)?),
            None => _ = self.ids.remove(id),
        }
        Ok(())
    }
}
