use std::collections::HashMap;

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;

use super::CoordinatorLog;
use crate::model::{ErrorCode, LeaderEpoch, Offset};
use crate::record::{self, Batches, RecordBatch, RecordBatchRef};

/// A topic in memory, for tests of coordinators; appends fail when told to.
#[derive(Debug)]
pub(crate) struct MemoryLog {
    partition_count: i32,
    partitions: Mutex<HashMap<i32, Partition>>,
    failure: Mutex<Option<Failure>>,
    leader_epoch: Mutex<LeaderEpoch>,
}

/// What a log may refuse an append with, and what all coordinators make of that for who asked, unless it is a commit or an
/// assignment of the classic protocol.
pub(crate) const REFUSED_APPENDS: [(ErrorCode, ErrorCode); 9] = [
    (ErrorCode::UnknownTopicOrPartition, ErrorCode::CoordinatorNotAvailable),
    (ErrorCode::NotEnoughReplicas, ErrorCode::CoordinatorNotAvailable),
    (ErrorCode::NotEnoughReplicasAfterAppend, ErrorCode::CoordinatorNotAvailable),
    (ErrorCode::RequestTimedOut, ErrorCode::CoordinatorNotAvailable),
    (ErrorCode::NotLeaderOrFollower, ErrorCode::NotCoordinator),
    (ErrorCode::KafkaStorageError, ErrorCode::NotCoordinator),
    (ErrorCode::MessageTooLarge, ErrorCode::UnknownServerError),
    (ErrorCode::RecordListTooLarge, ErrorCode::UnknownServerError),
    (ErrorCode::InvalidTimestamp, ErrorCode::InvalidTimestamp),
];

/// What appends are told, once so many more have gone well.
#[derive(Debug)]
struct Failure {
    after: usize,
    error: ErrorCode,
}

#[derive(Debug, Default)]
struct Partition {
    batches: Vec<Bytes>,
    end_offset: Offset,
    wakes: usize,
}

impl MemoryLog {
    pub(crate) fn new(partition_count: i32) -> Self {
        MemoryLog {
            partition_count,
            partitions: Mutex::default(),
            failure: Mutex::default(),
            leader_epoch: Mutex::default(),
        }
    }

    /// Another term begins, as with every start of a broker.
    pub(crate) fn start_next_term(&self) {
        *self.leader_epoch.lock() += 1;
    }

    /// Every append fails with `error` until this is called with `None`.
    pub(crate) fn fail_appends(&self, error: Option<ErrorCode>) {
        *self.failure.lock() = error.map(|error| Failure { after: 0, error });
    }

    /// The same, once so many more appends have gone well.
    pub(crate) fn fail_appends_after(&self, after: usize, error: ErrorCode) {
        *self.failure.lock() = Some(Failure { after, error });
    }

    /// The batches of a partition, oldest first.
    pub(crate) fn batches(&self, partition: i32) -> Vec<Bytes> {
        self.partitions.lock().get(&partition).map(|p| p.batches.clone()).unwrap_or_default()
    }

    /// How often readers of a partition were woken.
    pub(crate) fn wakes(&self, partition: i32) -> usize {
        self.partitions.lock().get(&partition).map_or(0, |p| p.wakes)
    }

    /// The key and value of every record of a partition, oldest first.
    pub(crate) fn records(&self, partition: i32) -> Vec<(Option<Bytes>, Option<Bytes>)> {
        let mut records = Vec::new();
        for batch in self.batches(partition) {
            let batch = RecordBatch::parse(batch).unwrap();
            for record in batch.records(1 << 20).unwrap() {
                let record = record.unwrap();
                records.push((record.key_bytes(), record.value_bytes()));
            }
        }
        records
    }

    /// Appends bytes as they are, whatever they are, to be found by a load.
    pub(crate) fn append_raw(&self, partition: i32, batch: Bytes) {
        self.partitions.lock().entry(partition).or_default().batches.push(batch);
    }
}

impl CoordinatorLog for MemoryLog {
    fn partition_count(&self) -> i32 {
        self.partition_count
    }

    fn leader_epoch(&self, _: i32) -> LeaderEpoch {
        *self.leader_epoch.lock()
    }

    fn append(&self, partition: i32, batch: Bytes) -> Result<Offset, ErrorCode> {
        if let Some(failure) = &mut *self.failure.lock() {
            failure.after = failure.after.checked_sub(1).ok_or(failure.error)?;
        }
        if !(0..self.partition_count).contains(&partition) {
            return Err(ErrorCode::UnknownTopicOrPartition);
        }
        let parsed = RecordBatch::parse(batch.clone()).map_err(|error| error.code())?;
        parsed.view().ensure_valid().map_err(|error| error.code())?;
        let count = parsed.view().records_count().unwrap_or_default();
        let mut partitions = self.partitions.lock();
        let partition = partitions.entry(partition).or_default();
        let base_offset = partition.end_offset;
        let mut stored = BytesMut::from(&batch[..]);
        record::set_base_offset(stored.first_chunk_mut().unwrap(), base_offset);
        partition.end_offset += i64::from(count);
        partition.batches.push(stored.freeze());
        Ok(base_offset)
    }

    fn read_all(&self, partition: i32, visit: &mut dyn FnMut(RecordBatchRef<'_>)) -> Result<(), ErrorCode> {
        for bytes in self.batches(partition) {
            for batch in Batches::new(&bytes) {
                visit(batch.map_err(|error| error.code())?);
            }
        }
        Ok(())
    }

    fn delete_records(&self, partition: i32, offset: Offset) -> Result<(), ErrorCode> {
        let mut partitions = self.partitions.lock();
        let partition = partitions.entry(partition).or_default();
        // Whole batches, as segments go in a real log.
        partition.batches.retain(|batch| {
            Batches::new(batch)
                .next()
                .is_none_or(|batch| batch.is_ok_and(|batch| batch.last_offset() >= offset))
        });
        Ok(())
    }

    fn wake_readers(&self, partition: i32) {
        self.partitions.lock().entry(partition).or_default().wakes += 1;
    }
}
