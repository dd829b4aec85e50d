use std::sync::Arc;

use super::coordinator::TransactionCoordinator;
use super::state::TransactionState;
use super::turn::{TransactionTurn, TransactionalId};
use crate::model::{ErrorCode, Timestamp};

/// What time does to transactions.
impl TransactionCoordinator {
    /// Aborts transactions that have been open for longer than their producer allowed, which fences the producer; and
    /// completes those that were decided and could not be completed. Returns how many were aborted (Kafka:
    /// `TransactionCoordinator#abortTimedOutTransactions`).
    pub(crate) fn abort_timed_out(&self) -> usize {
        if !self.is_active() {
            return 0;
        }
        let now_ms = self.now_ms();
        let mut aborted = 0;
        for found in self.all() {
            let needs_a_turn = {
                let metadata = found.metadata.lock();
                metadata.is_timed_out(now_ms) || metadata.state.is_prepared()
            };
            if needs_a_turn {
                let is_aborted = self.turn_at(&found, |turn| turn.abort_if_timed_out());
                aborted += usize::from(is_aborted == Some(true));
            }
        }
        aborted
    }

    /// Forgets ids that nobody has used for `transactional.id.expiration.ms`. Returns how many there were (Kafka:
    /// `TransactionStateManager#removeExpiredTransactionalIds`).
    pub(crate) fn remove_expired(&self) -> usize {
        if !self.is_active() {
            return 0;
        }
        let now_ms = self.now_ms();
        let expiration_ms = self.config().transactional_id_expiration_ms;
        let mut removed = 0;
        for found in self.all() {
            if found.metadata.lock().is_expired(expiration_ms, now_ms) {
                let is_removed = self.turn_at(&found, |turn| turn.remove_if_expired(expiration_ms));
                removed += usize::from(is_removed == Some(true));
            }
        }
        removed
    }
}

/// What a test does to those of another that has ended.
#[cfg(feature = "testkit")]
impl TransactionCoordinator {
    /// Forgets ids, and aborts what is open of them. Kafka has no such thing.
    ///
    /// # Errors
    /// CONCURRENT_TRANSACTIONS: the end of a transaction could not be written to all partitions of it. Others say why
    /// nothing can be written.
    pub(crate) fn forget(&self, is_forgotten: impl Fn(&str) -> bool) -> Result<(), ErrorCode> {
        for found in self.all().into_iter().filter(|found| is_forgotten(&found.id)) {
            self.turn_at(&found, |turn| turn.forget()).transpose()?;
        }
        Ok(())
    }
}

impl TransactionCoordinator {
    /// The first time after `after` at which [`abort_timed_out`](Self::abort_timed_out) or
    /// [`remove_expired`](Self::remove_expired) has something to do.
    pub(crate) fn next_deadline_ms(&self, after: Timestamp) -> Option<Timestamp> {
        let expiration_ms = self.config().transactional_id_expiration_ms;
        let deadline = |id: &Arc<TransactionalId>| {
            let metadata = id.metadata.lock();
            metadata.times_out_at().or_else(|| metadata.expires_at(expiration_ms))
        };
        self.all().iter().filter_map(deadline).filter(|at| *at > after).min()
    }
}

impl TransactionTurn<'_> {
    fn abort_if_timed_out(&mut self) -> bool {
        if !self.metadata.is_timed_out(self.now_ms()) {
            return false;
        }
        let (id, timeout_ms) = (Arc::clone(&self.transactional_id.id), self.metadata.timeout_ms);
        match self.fence_and_abort() {
            Ok(()) => {
                self.note(|| {
                    format!(
                        "The transaction was open for more than its timeout of {timeout_ms} ms: it is aborted, and its \
                         producer is fenced"
                    )
                });
                tracing::info!(%id, timeout_ms, "aborted a transaction that was open for too long");
                true
            }
            Err(error) => {
                tracing::warn!(%id, %error, "cannot abort a transaction that is open for too long");
                false
            }
        }
    }

    fn remove_if_expired(&mut self, expiration_ms: i32) -> bool {
        // Looked at again, now that the lock is held for good.
        if !self.metadata.is_expired(expiration_ms, self.now_ms()) {
            return false;
        }
        let id = Arc::clone(&self.transactional_id.id);
        if let Err(error) = self.remove() {
            tracing::warn!(%id, %error, "an expired transactional id could not be removed");
            return false;
        }
        tracing::info!(%id, "removed an expired transactional id");
        true
    }

    #[cfg(feature = "testkit")]
    fn forget(&mut self) -> Result<(), ErrorCode> {
        if self.metadata.state == TransactionState::Ongoing {
            self.fence_and_abort()?;
        }
        if self.metadata.state.is_prepared() {
            return Err(ErrorCode::ConcurrentTransactions);
        }
        self.remove()
    }

    fn remove(&mut self) -> Result<(), ErrorCode> {
        self.append(None)?;
        self.metadata.state = TransactionState::Dead;
        self.coordinator.remove(self.transactional_id);
        Ok(())
    }
}
