//! Where groups are kept: the partitions of `__consumer_offsets`.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock, Weak};

use bytes::Bytes;

use super::coordinator::CoordinatorLog;
use super::core::BrokerCore;
use super::replica::{AppendRecordsParams, Partition};
use crate::error::{Error, Result};
use crate::log::{FetchIsolation, Log, ReadParams};
use crate::model::{CONSUMER_OFFSETS_TOPIC, ErrorCode, Offset};
use crate::record::{AppendOrigin, Batches, RecordBatchRef};

impl BrokerCore {
    /// Whether there is a topic that groups can be kept in, and what it says has been loaded.
    pub(crate) fn has_offsets_topic(&self) -> bool {
        self.offsets_topic_is_ready.load(Ordering::Acquire)
    }

    /// Takes over the groups in `__consumer_offsets`, which has just been found or made.
    pub(super) fn load_groups(&self) {
        if let Err(error) = self.groups.load_all() {
            tracing::error!(%error, "some groups cannot be coordinated");
        }
        self.offsets_topic_is_ready.store(true, Ordering::Release);
    }

    /// `__consumer_offsets` is gone with the groups in it, and comes back when somebody asks for a group.
    pub(super) fn on_offsets_topic_deleted(&self, num_partitions: i32) {
        self.offsets_topic_is_ready.store(false, Ordering::Release);
        (0..num_partitions).for_each(|partition| self.groups.unload_partition(partition));
        // Somebody may have asked for a group, and so have made the topic anew, before the old groups were gone.
        if self.metadata.topic(CONSUMER_OFFSETS_TOPIC).is_some() {
            self.load_groups();
        }
    }

    /// Makes `__consumer_offsets` if it is not there, as the first request for a group does in Kafka.
    pub(crate) fn ensure_offsets_topic(&self) -> Result<()> {
        if self.has_offsets_topic() {
            return Ok(());
        }
        self.internal_topic(CONSUMER_OFFSETS_TOPIC).map(drop)
    }
}

/// The group coordinator's view of `__consumer_offsets`.
#[derive(Debug, Default)]
pub(super) struct OffsetsLog {
    /// Set right after the broker was made, which in turn owns the coordinator.
    core: OnceLock<Weak<BrokerCore>>,
    /// As it was when the first group was looked for: who adds partitions to the topic changes nothing until the
    /// next start, as in Kafka, since a group would be looked for in another one.
    partition_count: OnceLock<i32>,
}

impl OffsetsLog {
    pub(super) fn attach(&self, core: &Arc<BrokerCore>) {
        // Attached once, in `open`; a second time would name the same broker.
        self.core.get_or_init(|| Arc::downgrade(core));
    }

    fn core(&self) -> Result<Arc<BrokerCore>, ErrorCode> {
        self.core.get().and_then(Weak::upgrade).ok_or(ErrorCode::CoordinatorNotAvailable)
    }

    fn partition(&self, partition: i32) -> Result<Arc<Partition>, ErrorCode> {
        self.core()?.partition(CONSUMER_OFFSETS_TOPIC, partition)
    }
}

impl CoordinatorLog for OffsetsLog {
    fn partition_count(&self) -> i32 {
        if let Some(count) = self.partition_count.get() {
            return *count;
        }
        let topic = self.core().ok().and_then(|core| core.metadata.topic(CONSUMER_OFFSETS_TOPIC));
        topic.map_or(0, |topic| *self.partition_count.get_or_init(|| topic.num_partitions()))
    }

    fn append(&self, partition: i32, batch: Bytes) -> Result<Offset, ErrorCode> {
        let params = AppendRecordsParams { origin: AppendOrigin::Coordinator, requires_batch_format: true };
        let partition = self.partition(partition)?;
        let appended = partition.append_without_waking(&batch, params).and_then(|info| {
            if info.needs_flush {
                partition.flush(info.last_offset + 1)?;
            }
            Ok(info.first_offset)
        });
        appended.map_err(|error| {
            tracing::error!(partition = %partition.tp(), %error, "cannot append the state of a group");
            error.code()
        })
    }

    fn read_all(&self, partition: i32, visit: &mut dyn FnMut(RecordBatchRef<'_>)) -> Result<(), ErrorCode> {
        let core = self.core()?;
        let partition = self.partition(partition)?;
        let Some(log) = partition.existing_log() else { return Ok(()) };
        let buffer_bytes = usize::try_from(core.config().offsets_load_buffer_size).unwrap_or(1).max(1);
        read_batches(log, buffer_bytes, visit).map_err(|error| {
            tracing::error!(partition = %partition.tp(), %error, "cannot load the groups");
            error.code()
        })
    }

    fn wake_readers(&self, partition: i32) {
        if let Ok(partition) = self.partition(partition) {
            partition.watchers().check();
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
