//! Transactions as the broker's partitions see them: making `__transaction_state`, and ending transactions.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock, Weak};

use super::coordinator::transaction::{TransactionMarker, TransactionParticipants};
use super::core::BrokerCore;
use super::replica::Partition;
use crate::error::{Error, Result};
use crate::model::{CONSUMER_OFFSETS_TOPIC, ErrorCode, ProducerId, TRANSACTION_STATE_TOPIC, TopicPartition};
use crate::record::{EndTransactionMarker, MarkerParams};

impl BrokerCore {
    /// Whether there is a topic that transactions can be kept in, and what it says has been loaded.
    pub(crate) fn has_transaction_topic(&self) -> bool {
        self.transaction_topic_is_ready.load(Ordering::Acquire)
    }

    /// Takes over the transactions in `__transaction_state`, which has just been found or made, and completes what was
    /// decided.
    pub(super) fn load_transactions(&self) {
        if let Err(error) = self.transactions.load_all() {
            tracing::error!(%error, "some transactional ids cannot be coordinated");
        }
        self.transactions.abort_timed_out();
        self.transaction_topic_is_ready.store(true, Ordering::Release);
    }

    /// `__transaction_state` is gone with what was in it, and comes back when somebody asks for a transaction.
    pub(super) fn on_transaction_topic_deleted(&self, num_partitions: i32) {
        self.transaction_topic_is_ready.store(false, Ordering::Release);
        (0..num_partitions).for_each(|partition| self.transactions.unload_partition(partition));
        // Somebody may have made the topic anew before that was done.
        if self.metadata.topic(TRANSACTION_STATE_TOPIC).is_some() {
            self.load_transactions();
        }
    }

    /// Makes `__transaction_state` if it is not there, as the first request for a transaction does in Kafka.
    pub(crate) fn ensure_transaction_topic(&self) -> Result<()> {
        if self.has_transaction_topic() {
            return Ok(());
        }
        self.internal_topic(TRANSACTION_STATE_TOPIC).map(drop)
    }

    /// Why the state of a transactional id could not be written, if that is what the coordinator's code means.
    pub(super) fn transaction_store_failure(&self, transactional_id: &str, code: ErrorCode) -> Option<Error> {
        self.transaction_log.failure(self.transactions.partition_for(transactional_id), code)
    }

    /// Appends the end of a transaction to a partition; offsets that were committed there count from now on, or are
    /// forgotten. Who waits for records is not woken: the caller may hold a lock.
    pub(crate) fn append_marker(&self, tp: &TopicPartition, marker: &TransactionMarker) -> Result<()> {
        self.ensure_open()?;
        let partition = self.partition(tp.topic(), tp.partition())?;
        if tp.topic() != CONSUMER_OFFSETS_TOPIC {
            return self.write_marker(&partition, marker);
        }
        let producer_id = marker.producer.producer_id;
        self.groups.end_transaction(tp.partition(), producer_id, marker.is_commit, || {
            self.write_marker(&partition, marker)
        })
    }

    fn write_marker(&self, partition: &Partition, marker: &TransactionMarker) -> Result<()> {
        let info = partition.append_marker_without_waking(MarkerParams {
            marker: EndTransactionMarker {
                is_commit: marker.is_commit,
                coordinator_epoch: marker.coordinator_epoch,
            },
            producer_id: marker.producer.producer_id,
            producer_epoch: marker.producer.producer_epoch,
            timestamp: self.env.clock.now_ms(),
            leader_epoch: partition.leader_epoch(),
        })?;
        if info.needs_flush {
            partition.flush(info.last_offset + 1)?;
        }
        Ok(())
    }
}

/// What the transaction coordinator needs of the broker that owns it.
#[derive(Debug, Default)]
pub(super) struct Participants {
    /// Set right after the broker was made, which in turn owns the coordinator.
    core: OnceLock<Weak<BrokerCore>>,
}

impl Participants {
    pub(super) fn attach(&self, core: &Arc<BrokerCore>) {
        // Attached once, in `open`; a second time would name the same broker.
        self.core.get_or_init(|| Arc::downgrade(core));
    }

    fn core(&self) -> Result<Arc<BrokerCore>, ErrorCode> {
        self.core.get().and_then(Weak::upgrade).ok_or(ErrorCode::CoordinatorNotAvailable)
    }
}

impl TransactionParticipants for Participants {
    fn append_marker(&self, partition: &TopicPartition, marker: &TransactionMarker) -> Result<(), ErrorCode> {
        self.core()?.append_marker(partition, marker).map_err(|error: Error| {
            if error.code() == ErrorCode::KafkaStorageError {
                tracing::error!(%partition, %error, "cannot append the end of a transaction");
            }
            error.code()
        })
    }

    fn wake_readers(&self, partition: &TopicPartition) {
        let found = self.core().and_then(|core| core.partition(partition.topic(), partition.partition()));
        if let Ok(partition) = found {
            partition.watchers().check();
        }
    }

    fn generate_producer_id(&self) -> Result<ProducerId, ErrorCode> {
        self.core()?.generate_producer_id().map_err(|error| {
            tracing::error!(%error, "there is no producer id to hand out");
            // Kafka's coordinator says so while it cannot get a block of ids: the producer asks again.
            ErrorCode::CoordinatorLoadInProgress
        })
    }
}
