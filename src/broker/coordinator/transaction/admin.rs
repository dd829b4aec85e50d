use std::sync::Arc;

use super::coordinator::TransactionCoordinator;
use super::metadata::ProducerIdAndEpoch;
use super::state::TransactionState;
use crate::model::{ErrorCode, ProducerId, Timestamp, TopicPartition};

/// A transactional id as DescribeTransactions shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DescribedTransaction {
    pub(crate) state: TransactionState,
    pub(crate) producer: ProducerIdAndEpoch,
    pub(crate) timeout_ms: i32,
    pub(crate) start_timestamp: Timestamp,
    /// Sorted.
    pub(crate) partitions: Vec<TopicPartition>,
}

/// A transactional id as ListTransactions shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListedTransaction {
    pub(crate) transactional_id: Arc<str>,
    pub(crate) producer_id: ProducerId,
    pub(crate) state: TransactionState,
}

/// Which ids are wanted; an empty list admits everything.
#[derive(Default)]
pub(crate) struct TransactionFilter<'a> {
    /// `None` stands for a name that is no state, which nothing is in.
    pub(crate) states: Vec<Option<TransactionState>>,
    pub(crate) producer_ids: &'a [ProducerId],
    /// Open for longer than this; negative: for however long.
    pub(crate) min_duration_ms: i64,
    /// What the id has to look like.
    pub(crate) matches: Option<&'a dyn Fn(&str) -> bool>,
}

impl TransactionCoordinator {
    /// What is known of an id.
    ///
    /// # Errors
    /// INVALID_REQUEST for an empty id, TRANSACTIONAL_ID_NOT_FOUND, or why this coordinator cannot tell.
    pub(crate) fn describe(&self, transactional_id: &str) -> Result<DescribedTransaction, ErrorCode> {
        if transactional_id.is_empty() {
            return Err(ErrorCode::InvalidRequest);
        }
        let found = self.find(transactional_id)?.ok_or(ErrorCode::TransactionalIdNotFound)?;
        let metadata = found.metadata.lock();
        if metadata.state == TransactionState::Dead {
            return Err(ErrorCode::TransactionalIdNotFound);
        }
        Ok(DescribedTransaction {
            state: metadata.state,
            producer: metadata.producer(),
            timeout_ms: metadata.timeout_ms,
            start_timestamp: metadata.start_timestamp,
            partitions: metadata.partitions.iter().cloned().collect(),
        })
    }

    /// The ids that pass a filter, sorted.
    ///
    /// # Errors
    /// COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE: they are not all known.
    pub(crate) fn list(&self, filter: &TransactionFilter<'_>) -> Result<Vec<ListedTransaction>, ErrorCode> {
        if !self.is_active() {
            return Err(ErrorCode::CoordinatorNotAvailable);
        }
        if self.partitions.is_loading() {
            return Err(ErrorCode::CoordinatorLoadInProgress);
        }
        let now_ms = self.now_ms();
        let mut listed = Vec::new();
        for found in self.all() {
            let metadata = found.metadata.lock();
            let (state, producer_id) = (metadata.state, metadata.producer_id);
            let is_wanted = state != TransactionState::Dead
                && (filter.producer_ids.is_empty() || filter.producer_ids.contains(&producer_id))
                && (filter.states.is_empty() || filter.states.contains(&Some(state)))
                && (filter.min_duration_ms < 0
                    || now_ms.saturating_sub(metadata.start_timestamp) > filter.min_duration_ms)
                && filter.matches.is_none_or(|matches| matches(&found.id));
            if is_wanted {
                listed.push(ListedTransaction {
                    transactional_id: Arc::clone(&found.id),
                    producer_id,
                    state,
                });
            }
        }
        Ok(listed)
    }
}
