use std::collections::BTreeSet;

use super::state::TransactionState;
use crate::model::{
    ErrorCode, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_TIMESTAMP, ProducerEpoch, ProducerId, Timestamp,
    TopicPartition,
};

/// Who a producer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProducerIdAndEpoch {
    pub(crate) producer_id: ProducerId,
    pub(crate) producer_epoch: ProducerEpoch,
}

/// Which generation of transactions a client speaks (Kafka: `TransactionVersion`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TransactionVersion {
    /// The first, with partitions added by the client.
    V0,
    /// The same, with state in records that may carry more.
    V1,
    /// The second: every end raises the epoch, and partitions are added by writing to them (KIP-890).
    V2,
}

impl TransactionVersion {
    pub(super) fn from_level(level: i16) -> Self {
        match level {
            ..=0 => TransactionVersion::V0,
            1 => TransactionVersion::V1,
            2.. => TransactionVersion::V2,
        }
    }

    pub(super) fn level(self) -> i16 {
        match self {
            TransactionVersion::V0 => 0,
            TransactionVersion::V1 => 1,
            TransactionVersion::V2 => 2,
        }
    }

    pub(super) fn bumps_epoch(self) -> bool {
        self == TransactionVersion::V2
    }
}

/// What is known of a transactional id (Kafka: `TransactionMetadata`). A transition gives the state that follows; it
/// counts once it is in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TransactionMetadata {
    pub(super) producer_id: ProducerId,
    /// The producer id before the last transition: a retry may still name it.
    pub(super) previous_producer_id: ProducerId,
    /// The producer id that follows once the transaction is complete, the epochs of this one being used up.
    pub(super) next_producer_id: ProducerId,
    pub(super) producer_epoch: ProducerEpoch,
    /// The epoch that the same producer had before; -1 if there is none, or another producer had it.
    pub(super) last_producer_epoch: ProducerEpoch,
    pub(super) timeout_ms: i32,
    pub(super) state: TransactionState,
    pub(super) partitions: BTreeSet<TopicPartition>,
    /// When the transaction began; -1: none has.
    pub(super) start_timestamp: Timestamp,
    pub(super) last_update_timestamp: Timestamp,
    pub(super) client_version: TransactionVersion,
}

/// The largest number is never handed out, so that there is always one by which a producer can be fenced.
pub(super) const fn is_epoch_exhausted(epoch: ProducerEpoch) -> bool {
    epoch >= ProducerEpoch::MAX - 1
}

impl TransactionMetadata {
    /// An id that nobody used before.
    pub(super) fn new(producer_id: ProducerId, timeout_ms: i32, now_ms: Timestamp) -> Self {
        TransactionMetadata {
            producer_id,
            previous_producer_id: NO_PRODUCER_ID,
            next_producer_id: NO_PRODUCER_ID,
            producer_epoch: NO_PRODUCER_EPOCH,
            last_producer_epoch: NO_PRODUCER_EPOCH,
            timeout_ms,
            state: TransactionState::Empty,
            partitions: BTreeSet::new(),
            start_timestamp: NO_TIMESTAMP,
            last_update_timestamp: now_ms,
            client_version: TransactionVersion::V0,
        }
    }

    pub(super) fn producer(&self) -> ProducerIdAndEpoch {
        ProducerIdAndEpoch { producer_id: self.producer_id, producer_epoch: self.producer_epoch }
    }

    pub(super) fn is_epoch_exhausted(&self) -> bool {
        is_epoch_exhausted(self.producer_epoch)
    }

    /// Everything as it is, in another state.
    fn moved_to(&self, state: TransactionState, now_ms: Timestamp) -> Self {
        TransactionMetadata {
            state,
            previous_producer_id: self.producer_id,
            last_update_timestamp: now_ms,
            ..self.clone()
        }
    }

    /// A producer starts, or starts over after an error, in which case it names the epoch that it had.
    ///
    /// # Errors
    /// PRODUCER_FENCED: the epoch that it had is not the last one.
    pub(super) fn increment_epoch(
        &self,
        timeout_ms: i32,
        expected_epoch: Option<ProducerEpoch>,
        now_ms: Timestamp,
    ) -> Result<Self, ErrorCode> {
        let (epoch, last_epoch) = match expected_epoch {
            None => (self.next_epoch()?, NO_PRODUCER_EPOCH),
            Some(expected) if expected == self.producer_epoch || self.producer_epoch == NO_PRODUCER_EPOCH => {
                (self.next_epoch()?, self.producer_epoch)
            }
            // The answer to the same request was lost.
            Some(expected) if expected == self.last_producer_epoch => {
                (self.producer_epoch, self.last_producer_epoch)
            }
            Some(_) => return Err(ErrorCode::ProducerFenced),
        };
        Ok(TransactionMetadata {
            producer_epoch: epoch,
            last_producer_epoch: last_epoch,
            ..self.initialized(timeout_ms, now_ms)
        })
    }

    fn next_epoch(&self) -> Result<ProducerEpoch, ErrorCode> {
        self.producer_epoch.checked_add(1).ok_or(ErrorCode::UnknownServerError)
    }

    /// A producer starts with another id, since the epochs of this one are used up.
    pub(super) fn rotate_producer_id(
        &self,
        producer_id: ProducerId,
        timeout_ms: i32,
        keeps_last_epoch: bool,
        now_ms: Timestamp,
    ) -> Self {
        TransactionMetadata {
            producer_id,
            producer_epoch: 0,
            last_producer_epoch: if keeps_last_epoch { self.producer_epoch } else { NO_PRODUCER_EPOCH },
            ..self.initialized(timeout_ms, now_ms)
        }
    }

    fn initialized(&self, timeout_ms: i32, now_ms: Timestamp) -> Self {
        TransactionMetadata {
            timeout_ms,
            partitions: BTreeSet::new(),
            start_timestamp: NO_TIMESTAMP,
            ..self.moved_to(TransactionState::Empty, now_ms)
        }
    }

    /// The producer is going to write to partitions; with the first of them a transaction begins.
    pub(super) fn add_partitions(
        &self,
        partitions: &[TopicPartition],
        version: TransactionVersion,
        now_ms: Timestamp,
    ) -> Self {
        let mut next = self.moved_to(TransactionState::Ongoing, now_ms);
        if self.state != TransactionState::Ongoing {
            next.start_timestamp = now_ms;
        }
        next.partitions.extend(partitions.iter().cloned());
        next.client_version = version;
        next
    }

    /// The transaction is decided. In the second generation the epoch rises with that, and `next_producer_id` is set
    /// if it cannot rise again.
    pub(super) fn prepare_end(
        &self,
        is_commit: bool,
        version: TransactionVersion,
        next_producer_id: ProducerId,
        now_ms: Timestamp,
    ) -> Self {
        let state = if is_commit { TransactionState::PrepareCommit } else { TransactionState::PrepareAbort };
        let mut next = self.moved_to(state, now_ms);
        if version.bumps_epoch() {
            next.producer_epoch = self.producer_epoch.saturating_add(1);
            next.last_producer_epoch = self.producer_epoch;
        }
        if self.state != TransactionState::Ongoing {
            // Nothing was written, but a time there has to be.
            next.start_timestamp = now_ms;
        }
        next.next_producer_id = next_producer_id;
        next.client_version = version;
        next
    }

    /// Every partition has its marker.
    pub(super) fn complete(&self, now_ms: Timestamp) -> Self {
        let state = match self.state {
            TransactionState::PrepareCommit => TransactionState::CompleteCommit,
            _ => TransactionState::CompleteAbort,
        };
        let mut next = self.moved_to(state, now_ms);
        if self.client_version.bumps_epoch() && self.next_producer_id != NO_PRODUCER_ID {
            next.producer_id = self.next_producer_id;
            next.producer_epoch = 0;
        }
        next.next_producer_id = NO_PRODUCER_ID;
        next.partitions.clear();
        next
    }

    /// Whether the transaction has been open for longer than its producer allowed.
    pub(super) fn is_timed_out(&self, now_ms: Timestamp) -> bool {
        self.times_out_at().is_some_and(|at| now_ms >= at)
    }

    pub(super) fn is_expired(&self, expiration_ms: i32, now_ms: Timestamp) -> bool {
        self.expires_at(expiration_ms).is_some_and(|at| now_ms >= at)
    }

    /// When the transaction has been open for longer than its producer allows.
    pub(super) fn times_out_at(&self) -> Option<Timestamp> {
        let last = self.start_timestamp.saturating_add(i64::from(self.timeout_ms));
        (self.state == TransactionState::Ongoing).then(|| last.saturating_add(1))
    }

    /// When nobody has used the id for long enough to forget it.
    pub(super) fn expires_at(&self, expiration_ms: i32) -> Option<Timestamp> {
        let at = self.last_update_timestamp.saturating_add(i64::from(expiration_ms));
        self.state.is_expiration_allowed().then_some(at)
    }
}
