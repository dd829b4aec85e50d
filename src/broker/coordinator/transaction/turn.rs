use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use super::coordinator::TransactionCoordinator;
use super::metadata::{ProducerIdAndEpoch, TransactionMetadata};
use super::participants::TransactionMarker;
use super::record;
use super::state::TransactionState;
use crate::broker::coordinator::operation_error;
use crate::model::{ErrorCode, NO_PRODUCER_ID, ProducerId, Timestamp, TopicPartition};
use crate::record::{BatchOptions, RecordBatchBuilder};

/// A transactional id behind its lock.
#[derive(Debug)]
pub(super) struct TransactionalId {
    pub(super) id: Arc<str>,
    /// Of `__transaction_state`.
    pub(super) partition: i32,
    pub(super) metadata: Mutex<TransactionMetadata>,
}

/// One turn at a transactional id: holds its lock, and collects who is to be woken once the lock is released.
///
/// The verbs stand in the files of the requests they serve.
pub(super) struct TransactionTurn<'a> {
    pub(super) coordinator: &'a TransactionCoordinator,
    pub(super) transactional_id: &'a Arc<TransactionalId>,
    pub(super) metadata: MutexGuard<'a, TransactionMetadata>,
    has_appended: bool,
    marked: Vec<TopicPartition>,
}

impl TransactionCoordinator {
    /// Takes a turn at an id, then wakes who waits for what was written, with no lock held. A transaction that was
    /// decided before, and could not be completed, comes first. `None` if the id was removed meanwhile.
    pub(super) fn turn_at<R>(
        &self,
        transactional_id: &Arc<TransactionalId>,
        work: impl FnOnce(&mut TransactionTurn<'_>) -> R,
    ) -> Option<R> {
        let mut turn = TransactionTurn {
            coordinator: self,
            transactional_id,
            metadata: transactional_id.metadata.lock(),
            has_appended: false,
            marked: Vec::new(),
        };
        if turn.metadata.state == TransactionState::Dead {
            return None;
        }
        if turn.metadata.state.is_prepared() {
            turn.complete();
        }
        let result = work(&mut turn);
        let TransactionTurn { metadata, has_appended, marked, .. } = turn;
        drop(metadata);
        if has_appended {
            self.log().wake_readers(transactional_id.partition);
        }
        for partition in marked {
            self.participants().wake_readers(&partition);
        }
        Some(result)
    }
}

impl TransactionTurn<'_> {
    pub(super) fn now_ms(&self) -> Timestamp {
        self.coordinator.now_ms()
    }

    /// Keeps what happens to the id, if somebody wants to know.
    pub(super) fn note(&self, note: impl FnOnce() -> String) {
        if let Some(history) = self.coordinator.log().history() {
            history.note(&self.transactional_id.id, note());
        }
    }

    /// The error for a producer that another has taken the place of.
    pub(super) fn fenced(&self, producer: ProducerIdAndEpoch) -> ErrorCode {
        self.note(|| {
            let ProducerIdAndEpoch { producer_id, producer_epoch } = producer;
            let current = self.metadata.producer();
            format!(
                "Producer {producer_id} with epoch {producer_epoch} is fenced: the id is that of producer {} with \
                 epoch {} now",
                current.producer_id, current.producer_epoch
            )
        });
        ErrorCode::ProducerFenced
    }

    /// The error for a producer whose id is not that of the transactional id.
    pub(super) fn not_mapped(&self, producer: ProducerIdAndEpoch) -> ErrorCode {
        self.note(|| {
            let (told, current) = (producer.producer_id, self.metadata.producer_id);
            format!("Producer {told} is refused: the id is that of producer {current}")
        });
        ErrorCode::InvalidProducerIdMapping
    }

    /// Writes down what comes next, and goes there.
    ///
    /// # Errors
    /// What the client is told; everything is as before then.
    pub(super) fn store(&mut self, next: TransactionMetadata) -> Result<(), ErrorCode> {
        let value = record::value(&next).map_err(|_| ErrorCode::UnknownServerError)?;
        self.append(Some(&value))?;
        *self.metadata = next;
        Ok(())
    }

    /// Appends a record of this id; no value is a tombstone.
    pub(super) fn append(&mut self, value: Option<&[u8]>) -> Result<(), ErrorCode> {
        let id = &self.transactional_id.id;
        let key = record::key(id).map_err(|_| ErrorCode::InvalidRequest)?;
        let mut builder = RecordBatchBuilder::with_capacity(BatchOptions::default(), 256);
        let built = builder.append(self.now_ms(), Some(&key), value).and_then(|_| builder.build());
        let batch = built.map_err(|error| error.code())?;
        self.coordinator.log().append(self.transactional_id.partition, batch).map_err(operation_error)?;
        self.has_appended = true;
        Ok(())
    }

    /// Who has the epochs of an id that are used up goes on with another id.
    pub(super) fn next_producer_id(&self) -> Result<ProducerId, ErrorCode> {
        if self.metadata.is_epoch_exhausted() {
            self.coordinator.participants().generate_producer_id()
        } else {
            Ok(NO_PRODUCER_ID)
        }
    }

    /// Decides the transaction, and completes it as far as that is possible now.
    ///
    /// # Errors
    /// The decision could not be written; nothing is decided then.
    pub(super) fn decide(&mut self, prepared: TransactionMetadata) -> Result<(), ErrorCode> {
        self.store(prepared)?;
        self.complete();
        Ok(())
    }

    /// Writes the markers of a decided transaction, and that they are written. What cannot be written is left for the
    /// next turn.
    pub(super) fn complete(&mut self) {
        let id = Arc::clone(&self.transactional_id.id);
        let marker = TransactionMarker {
            producer: self.metadata.producer(),
            is_commit: self.metadata.state == TransactionState::PrepareCommit,
            coordinator_epoch: self.coordinator.log().leader_epoch(self.transactional_id.partition),
        };
        for partition in std::mem::take(&mut self.metadata.partitions) {
            match self.coordinator.participants().append_marker(&partition, &marker) {
                Ok(()) => self.marked.push(partition),
                Err(ErrorCode::UnknownTopicOrPartition) => {
                    tracing::info!(%id, %partition, "the partition of a transaction is gone");
                }
                Err(error @ (ErrorCode::InvalidProducerEpoch | ErrorCode::TransactionCoordinatorFenced)) => {
                    // Somebody, an administrator perhaps, has ended it there in a way that cannot be taken back.
                    self.note(|| {
                        format!("Partition {partition} takes no marker of the transaction's end: {error}")
                    });
                    tracing::warn!(%id, %partition, %error, "the partition takes no marker of this transaction");
                }
                Err(error) => {
                    tracing::warn!(%id, %partition, %error, "the marker of a transaction will be tried again");
                    self.metadata.partitions.insert(partition);
                }
            }
        }
        if self.metadata.partitions.is_empty() {
            let completed = self.metadata.complete(self.now_ms());
            if let Err(error) = self.store(completed) {
                tracing::warn!(%id, %error, "that a transaction is complete will be written again");
            }
        }
    }
}
