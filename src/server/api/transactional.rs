//! What the APIs of transactions have in common: which errors a client of some version understands.

use super::request::RequestContext;
use crate::broker::ProducerIdAndEpoch;
use crate::model::{ErrorCode, TopicPartition};

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

/// Why a producer may not write to a partition when the transaction coordinator refuses it. A partition in which the
/// producer was seen in a higher epoch says that first, whatever the coordinator knows of the transactional id: the id may
/// have gone on to another producer id (Kafka: `UnifiedLog#maybeStartTransactionVerification`).
pub(super) fn refusal_at(
    context: &RequestContext,
    partition: &TopicPartition,
    producer: ProducerIdAndEpoch,
    refused: ErrorCode,
) -> ErrorCode {
    let found = context.core.partition(partition.topic(), partition.partition());
    let known = found.ok().and_then(|found| found.existing_log()?.producer(producer.producer_id));
    match known {
        Some(known) if known.producer_epoch > producer.producer_epoch => ErrorCode::InvalidProducerEpoch,
        _ => refused,
    }
}
