//! What the APIs of transactions have in common: which errors a client of some version understands.

use crate::model::ErrorCode;

/// The first versions that may answer PRODUCER_FENCED (KIP-588): of InitProducerId, and of the others.
pub(super) const FIRST_PRODUCER_FENCED: i16 = 4;
pub(super) const FIRST_PRODUCER_FENCED_OF_TXN: i16 = 2;

/// The first version of Produce that may answer TRANSACTION_ABORTABLE (KIP-890), and the first whose client tries again
/// at CONCURRENT_TRANSACTIONS.
const FIRST_ABORTABLE: i16 = 11;
const FIRST_CONCURRENT: i16 = 12;

/// A client that does not know PRODUCER_FENCED is told that its epoch is wrong, which ends it as well.
pub(super) fn for_version(error: ErrorCode, version: i16, first_fenced: i16) -> ErrorCode {
    match error {
        ErrorCode::ProducerFenced if version < first_fenced => ErrorCode::InvalidProducerEpoch,
        other => other,
    }
}

/// What Produce answers to what the transaction coordinator says (Kafka: `AddPartitionsToTxnManager`,
/// `ReplicaManager#handleProduceAppend`). NOT_ENOUGH_REPLICAS is what has clients of all ages try again, without
/// asking for metadata first.
pub(super) fn append_error(error: ErrorCode, version: i16) -> ErrorCode {
    match error {
        // Not an end for a producer, which may abort its transaction and go on.
        ErrorCode::ProducerFenced => ErrorCode::InvalidProducerEpoch,
        ErrorCode::TransactionAbortable if version < FIRST_ABORTABLE => ErrorCode::InvalidTxnState,
        ErrorCode::ConcurrentTransactions if version < FIRST_CONCURRENT => ErrorCode::NotEnoughReplicas,
        ErrorCode::CoordinatorLoadInProgress
        | ErrorCode::CoordinatorNotAvailable
        | ErrorCode::NotCoordinator => ErrorCode::NotEnoughReplicas,
        other => other,
    }
}
