use super::coordinator::TransactionCoordinator;
use super::metadata::{ProducerIdAndEpoch, TransactionVersion};
use super::state::TransactionState;
use super::turn::TransactionTurn;
use crate::model::{ErrorCode, NO_PRODUCER_ID, ProducerEpoch};

impl TransactionCoordinator {
    /// Commits or aborts the transaction of an id (Kafka: `TransactionCoordinator#endTransaction`). When this returns
    /// it is decided, and usually complete. The producer goes on as whom this gives; in the first generation that is
    /// who it was.
    ///
    /// # Errors
    /// - INVALID_REQUEST, INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED: as of
    ///   [`add_partitions`](Self::add_partitions).
    /// - INVALID_TXN_STATE: there is no transaction that could end so.
    /// - CONCURRENT_TRANSACTIONS: it was decided so before, and is not complete.
    pub(crate) fn end_txn(
        &self,
        transactional_id: &str,
        producer: ProducerIdAndEpoch,
        is_commit: bool,
        version: TransactionVersion,
    ) -> Result<ProducerIdAndEpoch, ErrorCode> {
        self.with_producer(transactional_id, |turn| {
            if version.bumps_epoch() {
                turn.end_with_bump(producer, is_commit, version)
            } else {
                turn.end(producer, is_commit, version)
            }
        })
    }
}

impl TransactionTurn<'_> {
    /// The first generation: the epoch stays, so that a second try cannot be told from a first.
    fn end(
        &mut self,
        producer: ProducerIdAndEpoch,
        is_commit: bool,
        version: TransactionVersion,
    ) -> Result<ProducerIdAndEpoch, ErrorCode> {
        if producer.producer_id != self.metadata.producer_id {
            return Err(self.not_mapped(producer));
        }
        if producer.producer_epoch != self.metadata.producer_epoch {
            return Err(self.fenced(producer));
        }
        match (self.metadata.state, is_commit) {
            (TransactionState::Ongoing, _) => {
                let prepared = self.metadata.prepare_end(is_commit, version, NO_PRODUCER_ID, self.now_ms());
                self.decide(prepared)?;
                Ok(producer)
            }
            (TransactionState::CompleteCommit, true) | (TransactionState::CompleteAbort, false) => {
                Ok(producer)
            }
            _ => Err(self.refusal(is_commit)),
        }
    }

    /// The second generation: every end raises the epoch. A second try is known by its epoch, and an abort is possible
    /// although the coordinator has not heard of the transaction, since its producer may not know whether it has.
    ///
    /// | state | abort, tried again | abort | commit, tried again | commit |
    /// |---|---|---|---|---|
    /// | Empty | fenced | bump | fenced | invalid |
    /// | CompleteAbort | done | bump | invalid | invalid |
    /// | CompleteCommit | invalid | bump | done | invalid |
    fn end_with_bump(
        &mut self,
        producer: ProducerIdAndEpoch,
        is_commit: bool,
        version: TransactionVersion,
    ) -> Result<ProducerIdAndEpoch, ErrorCode> {
        let is_current = producer.producer_epoch == self.metadata.producer_epoch;
        let follows = producer.producer_epoch.checked_add(1) == Some(self.metadata.producer_epoch);
        let has_new_id = producer.producer_id == self.metadata.previous_producer_id
            && producer.producer_epoch == ProducerEpoch::MAX - 1
            && self.metadata.producer_epoch == 0;
        if producer.producer_id != self.metadata.producer_id && !has_new_id {
            return Err(self.not_mapped(producer));
        }
        // An end of the first generation raises no epoch: who names the one before has been replaced. Kafka answers it as
        // if it asked again, and with the epoch of its successor.
        let is_bumped = self.metadata.client_version.bumps_epoch();
        let is_retry = is_bumped && (follows || has_new_id);
        let state = self.metadata.state;
        let is_valid_epoch = match state {
            TransactionState::PrepareCommit | TransactionState::PrepareAbort => is_bumped && follows,
            TransactionState::CompleteCommit | TransactionState::CompleteAbort => is_retry || is_current,
            TransactionState::Empty
            | TransactionState::Ongoing
            | TransactionState::Dead
            | TransactionState::PrepareEpochFence => is_current,
        };
        if !is_valid_epoch {
            return Err(self.fenced(producer));
        }
        match (state, is_commit) {
            (TransactionState::Ongoing, _) => self.bump(is_commit, version),
            (TransactionState::CompleteCommit, true) | (TransactionState::CompleteAbort, false)
                if is_retry =>
            {
                Ok(self.metadata.producer())
            }
            (
                TransactionState::Empty | TransactionState::CompleteCommit | TransactionState::CompleteAbort,
                false,
            ) if !is_retry => self.bump(false, version),
            _ => Err(self.refusal(is_commit)),
        }
    }

    fn bump(
        &mut self,
        is_commit: bool,
        version: TransactionVersion,
    ) -> Result<ProducerIdAndEpoch, ErrorCode> {
        let next_producer_id = self.next_producer_id()?;
        let prepared = self.metadata.prepare_end(is_commit, version, next_producer_id, self.now_ms());
        // Who the producer is once the markers are written, even if they cannot be yet.
        let producer = prepared.complete(self.now_ms()).producer();
        self.decide(prepared)?;
        Ok(producer)
    }

    /// Why the transaction cannot end so.
    fn refusal(&self, is_commit: bool) -> ErrorCode {
        let state = self.metadata.state;
        match (state, is_commit) {
            (TransactionState::PrepareCommit, true) | (TransactionState::PrepareAbort, false) => {
                ErrorCode::ConcurrentTransactions
            }
            _ => {
                let id = &self.transactional_id.id;
                self.note(|| {
                    let verb = if is_commit { "commit" } else { "abort" };
                    format!("There is no transaction to {verb}: that of the id is {}", state.name())
                });
                tracing::warn!(%id, state = state.name(), is_commit, "the transaction cannot end so");
                ErrorCode::InvalidTxnState
            }
        }
    }
}
