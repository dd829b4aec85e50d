use std::sync::Arc;

use super::coordinator::TransactionCoordinator;
use super::state::TransactionState;
use super::turn::TransactionTurn;
use crate::model::ErrorCode;

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
        let tombstone: Result<(), ErrorCode> = self.append(None);
        if let Err(error) = tombstone {
            tracing::warn!(%id, %error, "an expired transactional id could not be removed");
            return false;
        }
        self.metadata.state = TransactionState::Dead;
        self.coordinator.remove(self.transactional_id);
        tracing::info!(%id, "removed an expired transactional id");
        true
    }
}
