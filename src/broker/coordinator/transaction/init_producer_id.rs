use super::coordinator::TransactionCoordinator;
use super::metadata::{ProducerIdAndEpoch, is_epoch_exhausted};
use super::state::TransactionState;
use super::turn::TransactionTurn;
use crate::model::{ErrorCode, NO_PRODUCER_EPOCH};

impl TransactionCoordinator {
    /// Makes the caller the one producer of a transactional id: whoever was it before is fenced by a higher epoch
    /// (Kafka: `TransactionCoordinator#handleInitProducerId`). A producer that wants to go on after an error names
    /// who it was (KIP-360).
    ///
    /// # Errors
    /// - INVALID_REQUEST, INVALID_TRANSACTION_TIMEOUT.
    /// - CONCURRENT_TRANSACTIONS: the transaction of the one before had to be aborted first. To be tried again.
    /// - PRODUCER_FENCED: another producer has taken over since.
    /// - Those that say that this is not the coordinator, or cannot write.
    pub(crate) fn init_producer_id(
        &self,
        transactional_id: &str,
        timeout_ms: i32,
        expected: Option<ProducerIdAndEpoch>,
    ) -> Result<ProducerIdAndEpoch, ErrorCode> {
        if transactional_id.is_empty() {
            return Err(ErrorCode::InvalidRequest);
        }
        if timeout_ms <= 0 || timeout_ms > self.config().transaction_max_timeout_ms {
            return Err(ErrorCode::InvalidTransactionTimeout);
        }
        loop {
            let found = self.find_or_create(transactional_id, timeout_ms)?;
            let result = self.turn_at(&found, |turn| {
                let result = turn.init_producer_id(timeout_ms, expected);
                if let (Err(ErrorCode::ProducerFenced), Some(expected)) = (&result, expected) {
                    turn.fenced(expected);
                }
                result
            });
            if let Some(result) = result {
                return result;
            }
        }
    }
}

impl TransactionTurn<'_> {
    fn init_producer_id(
        &mut self,
        timeout_ms: i32,
        expected: Option<ProducerIdAndEpoch>,
    ) -> Result<ProducerIdAndEpoch, ErrorCode> {
        if expected.is_some_and(|expected| !self.may_go_on(expected)) {
            return Err(ErrorCode::ProducerFenced);
        }
        let now_ms = self.now_ms();
        match self.metadata.state {
            TransactionState::Empty | TransactionState::CompleteCommit | TransactionState::CompleteAbort => {
                let is_current =
                    expected.is_none_or(|expected| expected.producer_epoch == self.metadata.producer_epoch);
                let next = if self.metadata.is_epoch_exhausted() && is_current {
                    let producer_id = self.coordinator.participants().generate_producer_id()?;
                    self.metadata.rotate_producer_id(producer_id, timeout_ms, expected.is_some(), now_ms)
                } else {
                    let expected_epoch = expected.map(|expected| expected.producer_epoch);
                    self.metadata.increment_epoch(timeout_ms, expected_epoch, now_ms)?
                };
                self.store(next)?;
                let producer = self.metadata.producer();
                self.note(|| {
                    let ProducerIdAndEpoch { producer_id, producer_epoch } = producer;
                    format!(
                        "Producer {producer_id} with epoch {producer_epoch} has the id now: those with a lower epoch \
                         are fenced"
                    )
                });
                let id = &self.transactional_id.id;
                tracing::info!(%id, ?producer, "initialised a transactional producer");
                Ok(producer)
            }
            TransactionState::Ongoing => {
                self.note(|| {
                    "A producer begins with the id while a transaction of it is open: the transaction is aborted, \
                     and its producer is fenced"
                        .to_owned()
                });
                self.fence_and_abort()?;
                // The epoch by which it was fenced is never handed out: the next try gets a higher one.
                Err(ErrorCode::ConcurrentTransactions)
            }
            TransactionState::PrepareCommit
            | TransactionState::PrepareAbort
            | TransactionState::PrepareEpochFence
            | TransactionState::Dead => Err(ErrorCode::ConcurrentTransactions),
        }
    }

    /// Whether a producer may go on that says who it was: as the present one; as the one before, whose epochs were
    /// used up and who did not hear of it; or as anybody, if the id is new.
    fn may_go_on(&self, expected: ProducerIdAndEpoch) -> bool {
        let metadata = &*self.metadata;
        metadata.producer_epoch == NO_PRODUCER_EPOCH
            || expected.producer_id == metadata.producer_id
            || (expected.producer_id == metadata.previous_producer_id
                && is_epoch_exhausted(expected.producer_epoch))
    }

    /// Aborts the open transaction, with a higher epoch, so that its producer can write no more.
    pub(super) fn fence_and_abort(&mut self) -> Result<(), ErrorCode> {
        let next_producer_id = self.next_producer_id()?;
        let version = self.coordinator.participants().version();
        let prepared = self.metadata.prepare_end(false, version, next_producer_id, self.now_ms());
        self.decide(prepared)
    }
}
