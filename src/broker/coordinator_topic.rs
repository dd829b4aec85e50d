//! Where groups, transactions and share groups' progress are kept: the partitions of `__consumer_offsets`,
//! `__transaction_state` and `__share_group_state`.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::RwLock;

use super::coordinator::{CoordinatorLog, History};
use super::core::BrokerCore;
use super::replica::{AppendRecordsParams, Partition};
use crate::error::{Error, Result};
use crate::log::{FetchIsolation, Log, ReadParams};
use crate::model::{ErrorCode, LeaderEpoch, Offset, SHARE_GROUP_STATE_TOPIC, TRANSACTION_STATE_TOPIC};
use crate::record::{AppendOrigin, Batches, RecordBatchRef};

/// A coordinator's view of the topic in which it keeps its state.
#[derive(Debug)]
pub(super) struct CoordinatorTopic {
    name: &'static str,
    /// Set right after the broker was made, which in turn owns the coordinator.
    core: OnceLock<Weak<BrokerCore>>,
    /// As it was when the first id was looked for: who adds partitions to the topic changes nothing until the
    /// next start, as in Kafka, since an id would be looked for in another one.
    partition_count: OnceLock<i32>,
    history: History,
    /// Why the last append to a partition was refused, if it was.
    failures: RwLock<HashMap<i32, Arc<Error>>>,
}

impl CoordinatorTopic {
    pub(super) fn new(name: &'static str) -> Self {
        CoordinatorTopic {
            name,
            core: OnceLock::new(),
            partition_count: OnceLock::new(),
            history: History::default(),
            failures: RwLock::default(),
        }
    }

    /// What is behind the code of a coordinator that keeps its state in `partition`, if it could not be written there.
    /// Clients are told to look for another coordinator, as by Kafka's; who is in this process knows of no other one.
    pub(super) fn failure(&self, partition: Option<i32>, code: ErrorCode) -> Option<Error> {
        let is_of_log = matches!(code, ErrorCode::NotCoordinator | ErrorCode::KafkaStorageError);
        let partition = partition.filter(|_| is_of_log)?;
        let failures = self.failures.read();
        let context = format_args!("cannot write to {}-{partition}", self.name);
        failures.get(&partition).map(|failure| Error::shared(context, failure))
    }

    pub(super) fn attach(&self, core: &Arc<BrokerCore>) {
        // Attached once, in `open`; a second time would name the same broker.
        self.core.get_or_init(|| Arc::downgrade(core));
    }

    /// Keeps what happens to groups or ids from now on.
    pub(super) fn history(&self) -> &History {
        &self.history
    }

    fn core(&self) -> Result<Arc<BrokerCore>, ErrorCode> {
        self.core.get().and_then(Weak::upgrade).ok_or(ErrorCode::CoordinatorNotAvailable)
    }

    fn partition(&self, partition: i32) -> Result<Arc<Partition>, ErrorCode> {
        self.core()?.partition(self.name, partition)
    }
}

impl CoordinatorLog for CoordinatorTopic {
    fn partition_count(&self) -> i32 {
        if let Some(count) = self.partition_count.get() {
            return *count;
        }
        let topic = self.core().ok().and_then(|core| core.metadata.topic(self.name));
        topic.map_or(0, |topic| *self.partition_count.get_or_init(|| topic.num_partitions()))
    }

    fn leader_epoch(&self, partition: i32) -> LeaderEpoch {
        self.partition(partition).map_or(0, |partition| partition.leader_epoch())
    }

    fn append(&self, number: i32, batch: Bytes) -> Result<Offset, ErrorCode> {
        let params = AppendRecordsParams { origin: AppendOrigin::Coordinator, requires_batch_format: true };
        let partition = self.partition(number)?;
        let appended = partition.append_without_waking(&batch, params).and_then(|info| {
            if info.needs_flush {
                partition.flush(info.last_offset + 1)?;
            }
            Ok(info.first_offset)
        });
        if appended.is_ok() && !self.failures.read().is_empty() {
            self.failures.write().remove(&number);
        }
        appended.map_err(|error| {
            tracing::error!(partition = %partition.tp(), %error, "cannot append the state of a coordinator");
            let code = error.code();
            self.failures.write().insert(number, Arc::new(error));
            code
        })
    }

    fn read_all(&self, partition: i32, visit: &mut dyn FnMut(RecordBatchRef<'_>)) -> Result<(), ErrorCode> {
        let core = self.core()?;
        let partition = self.partition(partition)?;
        let Some(log) = partition.existing_log() else { return Ok(()) };
        let config = core.config();
        let buffer_bytes = match self.name {
            TRANSACTION_STATE_TOPIC => config.transaction_state_log_load_buffer_size,
            SHARE_GROUP_STATE_TOPIC => config.share_coordinator_load_buffer_size,
            _ => config.offsets_load_buffer_size,
        };
        let buffer_bytes = usize::try_from(buffer_bytes).unwrap_or(1).max(1);
        read_batches(&log, buffer_bytes, visit).map_err(|error| {
            tracing::error!(partition = %partition.tp(), %error, "cannot load the state of a coordinator");
            error.code()
        })
    }

    fn delete_records(&self, partition: i32, offset: Offset) -> Result<(), ErrorCode> {
        let partition = self.partition(partition)?;
        if partition.existing_log().is_none_or(|log| log.log_start_offset() >= offset) {
            return Ok(());
        }
        partition.delete_records(offset).map(drop).map_err(|error| error.code())
    }

    fn history(&self) -> Option<&History> {
        Some(&self.history).filter(|history| history.is_kept())
    }

    fn run_due(&self, task: Box<dyn FnOnce() + Send>) {
        match self.core() {
            Ok(core) if core.coordinators_may_flush() => core.io_threads.run(task),
            _ => task(),
        }
    }

    fn wake_readers(&self, partition: i32) {
        let Ok(partition) = self.partition(partition) else { return };
        if self.name != SHARE_GROUP_STATE_TOPIC {
            partition.watchers().check();
        } else if partition.watchers().len() > 0
            && let Ok(core) = self.core()
        {
            // Written to with the lock of a share partition held, for which who is woken may ask.
            core.timer.schedule(Duration::ZERO, move || partition.watchers().check());
        }
    }
}

fn read_batches(log: &Log, buffer_bytes: usize, visit: &mut dyn FnMut(RecordBatchRef<'_>)) -> Result<()> {
    let mut offset = log.log_start_offset();
    while offset < log.log_end_offset() {
        let read = log.read(&ReadParams {
            start_offset: offset,
            max_bytes: buffer_bytes,
            isolation: FetchIsolation::LogEnd,
            min_one_message: true,
        })?;
        let Some(slice) = read.records else { return Ok(()) };
        let bytes = slice.read().map_err(|error| {
            let context = format!("cannot read {}", log.topic_partition());
            Error::caused(ErrorCode::KafkaStorageError, context, error)
        })?;
        let before = offset;
        for batch in Batches::new(&bytes) {
            let batch = batch?;
            batch.ensure_valid()?;
            offset = batch.next_offset();
            visit(batch);
        }
        if offset == before {
            return Err(Error::new(
                ErrorCode::CorruptMessage,
                format!("{} has no whole batch at offset {offset}", log.topic_partition()),
            ));
        }
    }
    Ok(())
}
