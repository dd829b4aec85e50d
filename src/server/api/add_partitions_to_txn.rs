//! AddPartitionsToTxn, 0-5: the transaction is going to write to partitions.
//!
//! 2 may answer PRODUCER_FENCED (KIP-588); 3 is flexible; 4 is for brokers, which ask for several transactions at once,
//! to add partitions or only to verify them; 5 may answer TRANSACTION_ABORTABLE (both KIP-890).
//!
//! All partitions of a transaction are added, or none: where one does not exist, the others are answered with
//! OPERATION_NOT_ATTEMPTED.

use super::request::{Call, RequestContext};
use super::transactional::{FIRST_PRODUCER_FENCED_OF_TXN, for_version};
use crate::broker::{ProducerIdAndEpoch, TransactionVersion};
use crate::model::{ErrorCode, TopicPartition};
use crate::protocol::messages::add_partitions_to_txn::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnResult, AddPartitionsToTxnTopic,
    AddPartitionsToTxnTopicResult, AddPartitionsToTxnTransaction,
};
use crate::protocol::{AddPartitionsToTxnRequest, AddPartitionsToTxnResponse};
use crate::server::network::Outcome;

/// The first version for brokers.
const FIRST_BATCHED: i16 = 4;

pub(super) fn handle(call: Call<'_>, request: AddPartitionsToTxnRequest) -> Outcome {
    let context = &call.context;
    if context.version() >= FIRST_BATCHED {
        let results = request.transactions.into_iter().map(|transaction| AddPartitionsToTxnResult {
            topic_results: add(context, &transaction, TransactionVersion::V2),
            transactional_id: transaction.transactional_id,
        });
        let results_by_transaction = results.collect();
        return call.respond(&AddPartitionsToTxnResponse {
            results_by_transaction,
            ..AddPartitionsToTxnResponse::default()
        });
    }
    let transaction = AddPartitionsToTxnTransaction {
        transactional_id: request.v3_and_below_transactional_id,
        producer_id: request.v3_and_below_producer_id,
        producer_epoch: request.v3_and_below_producer_epoch,
        verify_only: false,
        topics: request.v3_and_below_topics,
    };
    let results_by_topic_v3_and_below = add(context, &transaction, TransactionVersion::V0);
    call.respond(&AddPartitionsToTxnResponse {
        results_by_topic_v3_and_below,
        ..AddPartitionsToTxnResponse::default()
    })
}

fn add(
    context: &RequestContext,
    transaction: &AddPartitionsToTxnTransaction,
    version: TransactionVersion,
) -> Vec<AddPartitionsToTxnTopicResult> {
    let core = &context.core;
    let partitions: Vec<TopicPartition> = transaction.topics.iter().flat_map(partitions_of).collect();
    let unknown = |tp: &TopicPartition| core.partition(tp.topic(), tp.partition()).is_err();
    if partitions.iter().any(unknown) {
        let code = |tp: &TopicPartition| match unknown(tp) {
            true => ErrorCode::UnknownTopicOrPartition,
            false => ErrorCode::OperationNotAttempted,
        };
        return results(&transaction.topics, partitions.iter().map(code));
    }
    let producer = ProducerIdAndEpoch {
        producer_id: transaction.producer_id,
        producer_epoch: transaction.producer_epoch,
    };
    let id = &transaction.transactional_id;
    let codes = if transaction.verify_only {
        core.transactions.verify_partitions(id, producer, &partitions)
    } else {
        let added = core.transactions.add_partitions(id, producer, &partitions, version);
        added.map(|()| vec![ErrorCode::None; partitions.len()])
    };
    let codes = codes.unwrap_or_else(|error| {
        let error = for_version(error, context.version(), FIRST_PRODUCER_FENCED_OF_TXN);
        vec![error; partitions.len()]
    });
    results(&transaction.topics, codes.into_iter())
}

fn partitions_of(topic: &AddPartitionsToTxnTopic) -> impl Iterator<Item = TopicPartition> {
    topic.partitions.iter().map(|partition| TopicPartition::new(&*topic.name, *partition))
}

/// A code for each partition, in the order asked for.
fn results(
    topics: &[AddPartitionsToTxnTopic],
    mut codes: impl Iterator<Item = ErrorCode>,
) -> Vec<AddPartitionsToTxnTopicResult> {
    let mut results = Vec::with_capacity(topics.len());
    for topic in topics {
        let codes = codes.by_ref().take(topic.partitions.len());
        let partitions = topic.partitions.iter().zip(codes);
        results.push(AddPartitionsToTxnTopicResult {
            name: topic.name.clone(),
            results_by_partition: partitions
                .map(|(partition_index, code)| AddPartitionsToTxnPartitionResult {
                    partition_index: *partition_index,
                    partition_error_code: code.code(),
                })
                .collect(),
        });
    }
    results
}
