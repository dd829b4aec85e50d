use super::coordinator::TransactionCoordinator;
use super::metadata::{ProducerIdAndEpoch, TransactionVersion};
use super::state::TransactionState;
use super::turn::TransactionTurn;
use crate::model::{ErrorCode, TopicPartition};

/// How partitions come to be part of a transaction that is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Joining {
    /// The client has added them before; whether it has is looked at.
    Verified,
    /// By being written to: the second generation.
    Implicit,
}

impl TransactionCoordinator {
    /// Adds partitions to the transaction of an id, which begins with the first of them (Kafka:
    /// `TransactionCoordinator#handleAddPartitionsToTransaction`). All of them or none.
    ///
    /// # Errors
    /// - INVALID_REQUEST, INVALID_PRODUCER_ID_MAPPING: no such id, or not with this producer id.
    /// - PRODUCER_FENCED: the id has another producer now.
    /// - CONCURRENT_TRANSACTIONS: the transaction before is not complete. To be tried again.
    pub(crate) fn add_partitions(
        &self,
        transactional_id: &str,
        producer: ProducerIdAndEpoch,
        partitions: &[TopicPartition],
        version: TransactionVersion,
    ) -> Result<(), ErrorCode> {
        self.with_producer(transactional_id, |turn| turn.add_partitions(producer, partitions, version))
    }

    /// Whether partitions are part of the transaction; one code for each: TRANSACTION_ABORTABLE if it is not.
    ///
    /// # Errors
    /// As [`add_partitions`](Self::add_partitions).
    pub(crate) fn verify_partitions(
        &self,
        transactional_id: &str,
        producer: ProducerIdAndEpoch,
        partitions: &[TopicPartition],
    ) -> Result<Vec<ErrorCode>, ErrorCode> {
        self.with_producer(transactional_id, |turn| turn.verify_partitions(producer, partitions))
    }

    /// Calls `append` while the transaction is open, and sees to it that it cannot end before that returns. `append`
    /// gets a code for each partition, which it must not write to if that is an error. It runs with a lock held, so
    /// it must neither wake anybody nor call the coordinator.
    ///
    /// # Errors
    /// As [`add_partitions`](Self::add_partitions). `append` was not called then.
    pub(crate) fn in_transaction<R>(
        &self,
        transactional_id: &str,
        producer: ProducerIdAndEpoch,
        partitions: &[TopicPartition],
        joining: Joining,
        append: impl FnOnce(&[ErrorCode]) -> R,
    ) -> Result<R, ErrorCode> {
        self.with_producer(transactional_id, |turn| {
            let codes = match joining {
                Joining::Verified => turn.verify_partitions(producer, partitions)?,
                Joining::Implicit => {
                    turn.add_partitions(producer, partitions, TransactionVersion::V2)?;
                    vec![ErrorCode::None; partitions.len()]
                }
            };
            Ok(append(&codes))
        })
    }

    /// A turn at an id that must be known.
    pub(super) fn with_producer<R>(
        &self,
        transactional_id: &str,
        work: impl FnOnce(&mut TransactionTurn<'_>) -> Result<R, ErrorCode>,
    ) -> Result<R, ErrorCode> {
        if transactional_id.is_empty() {
            return Err(ErrorCode::InvalidRequest);
        }
        let found = self.find(transactional_id)?.ok_or(ErrorCode::InvalidProducerIdMapping)?;
        self.turn_at(&found, work).unwrap_or(Err(ErrorCode::InvalidProducerIdMapping))
    }
}

impl TransactionTurn<'_> {
    fn check_producer(&self, producer: ProducerIdAndEpoch) -> Result<(), ErrorCode> {
        // Before the producer is looked at: while the last end is being completed the id may be about to change, and
        // a client that knows the new one already must not take itself for fenced.
        if self.metadata.state.is_prepared() {
            Err(ErrorCode::ConcurrentTransactions)
        } else if producer.producer_id != self.metadata.producer_id {
            Err(self.not_mapped(producer))
        } else if producer.producer_epoch != self.metadata.producer_epoch {
            Err(self.fenced(producer))
        } else {
            Ok(())
        }
    }

    fn add_partitions(
        &mut self,
        producer: ProducerIdAndEpoch,
        partitions: &[TopicPartition],
        version: TransactionVersion,
    ) -> Result<(), ErrorCode> {
        self.check_producer(producer)?;
        let is_known = |partition: &TopicPartition| self.metadata.partitions.contains(partition);
        if self.metadata.state == TransactionState::Ongoing && partitions.iter().all(is_known) {
            return Ok(());
        }
        let next = self.metadata.add_partitions(partitions, version, self.now_ms());
        self.store(next)
    }

    fn verify_partitions(
        &self,
        producer: ProducerIdAndEpoch,
        partitions: &[TopicPartition],
    ) -> Result<Vec<ErrorCode>, ErrorCode> {
        self.check_producer(producer)?;
        let code = |partition: &TopicPartition| match self.metadata.partitions.contains(partition) {
            true => ErrorCode::None,
            false => ErrorCode::TransactionAbortable,
        };
        Ok(partitions.iter().map(code).collect())
    }
}
