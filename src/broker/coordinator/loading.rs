//! What coordinators have in common when they take over a partition of their topic.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use parking_lot::RwLock;

use super::record_format::RecordError;
use crate::model::{ErrorCode, Offset};
use crate::record::{BatchError, RecordBatchRef, RecordRef};

/// A batch of the broker's own records never decompresses into more.
const DECOMPRESSION_LIMIT: usize = i32::MAX as usize;

/// The partitions that a coordinator answers for, and those that it is about to.
#[derive(Debug, Default)]
pub(super) struct OwnedPartitions {
    partitions: RwLock<HashMap<i32, Ownership>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ownership {
    Loading,
    Owned,
}

impl OwnedPartitions {
    /// Whether requests about what is in the partition can be answered here and now.
    pub(super) fn validate(&self, partition: i32) -> Result<(), ErrorCode> {
        match self.partitions.read().get(&partition) {
            Some(Ownership::Owned) => Ok(()),
            Some(Ownership::Loading) => Err(ErrorCode::CoordinatorLoadInProgress),
            None => Err(ErrorCode::NotCoordinator),
        }
    }

    /// Owns the partition once `load` has read it, if it does. Does nothing if it is owned, or being loaded, already.
    pub(super) fn load(
        &self,
        partition: i32,
        load: impl FnOnce() -> Result<(), ErrorCode>,
    ) -> Result<(), ErrorCode> {
        match self.partitions.write().entry(partition) {
            Entry::Occupied(_) => return Ok(()),
            Entry::Vacant(entry) => _ = entry.insert(Ownership::Loading),
        }
        let loaded = load();
        let mut partitions = self.partitions.write();
        match loaded {
            Ok(()) => _ = partitions.insert(partition, Ownership::Owned),
            Err(_) => _ = partitions.remove(&partition),
        }
        loaded
    }

    /// The partition is not ours any more.
    pub(super) fn release(&self, partition: i32) {
        self.partitions.write().remove(&partition);
    }

    /// Whether any partition is being loaded.
    pub(super) fn is_loading(&self) -> bool {
        self.partitions.read().values().any(|ownership| *ownership == Ownership::Loading)
    }
}

/// Why something in the log was passed over.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoadError {
    #[error("{0}")]
    Batch(#[from] BatchError),
    #[error("{0}")]
    Record(#[from] RecordError),
    #[error("the record has no key")]
    NoKey,
}

/// Reads the records of a partition, and remembers which of them nobody could understand.
#[derive(Debug, Default)]
pub(super) struct RecordReader {
    scratch: Vec<u8>,
    problems: Vec<(Offset, LoadError)>,
}

impl RecordReader {
    /// Hands out the records of a batch. What cannot be read is passed over.
    pub(super) fn read(
        &mut self,
        batch: RecordBatchRef<'_>,
        mut take: impl FnMut(&RecordRef<'_>) -> Result<(), LoadError>,
    ) {
        let records = match batch.records(&mut self.scratch, DECOMPRESSION_LIMIT) {
            Ok(records) => records,
            Err(error) => return self.problems.push((batch.base_offset(), error.into())),
        };
        for record in records {
            match record {
                Ok(record) => {
                    if let Err(error) = take(&record) {
                        self.problems.push((record.offset(), error));
                    }
                }
                // Where the next one would begin is not known either.
                Err(error) => return self.problems.push((batch.base_offset(), error.into())),
            }
        }
    }

    /// Says in the program's log what was passed over.
    pub(super) fn report(&self, topic: &str, partition: i32) {
        for (offset, error) in &self.problems {
            tracing::warn!("{topic}-{partition}: what stands at offset {offset} is passed over: {error}");
        }
    }
}
