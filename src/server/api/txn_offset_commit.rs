//! TxnOffsetCommit, 0-5: offsets of a group that count once the transaction is committed.
//!
//! 2 has leader epochs (KIP-320); 3 is flexible, and says who commits as a member of the group (KIP-447); 4 may answer
//! TRANSACTION_ABORTABLE; 5 makes the group part of the transaction, which older clients do before with AddOffsetsToTxn
//! (both KIP-890).
//!
//! What is committed is in `__consumer_offsets` when the answer leaves. Partitions that do not exist are refused, each
//! for itself.

use super::request::{Call, RequestContext};
use super::transactional::refusal_at;
use crate::broker::{CommitOffsetsParams, Joining, OffsetCommit, ProducerIdAndEpoch};
use crate::model::{CONSUMER_OFFSETS_TOPIC, ErrorCode, TopicPartition};
use crate::protocol::messages::txn_offset_commit::{
    TxnOffsetCommitRequestTopic, TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic,
};
use crate::protocol::{TxnOffsetCommitRequest, TxnOffsetCommitResponse};
use crate::server::network::Outcome;

/// The first version that may answer TRANSACTION_ABORTABLE.
const FIRST_ABORTABLE: i16 = 4;
/// The first version that makes the group part of the transaction, and whose client tries again at
/// CONCURRENT_TRANSACTIONS.
const FIRST_IMPLICIT: i16 = 5;

pub(super) fn handle(call: Call<'_>, request: TxnOffsetCommitRequest) -> Outcome {
    if !call.context.core.has_offsets_topic() {
        return call.respond_in_order_on_io_thread(request, answer);
    }
    let response = answer(&call.context, request);
    call.respond(&response)
}

fn answer(context: &RequestContext, request: TxnOffsetCommitRequest) -> TxnOffsetCommitResponse {
    let known: Vec<(TopicPartition, bool)> = request.topics.iter().flat_map(partitions_of(context)).collect();
    let codes = match context.core.ensure_offsets_topic() {
        Ok(()) => commit(context, &request, &known),
        Err(error) => {
            tracing::error!("{context}: {error}");
            Err(ErrorCode::CoordinatorNotAvailable)
        }
    };
    let (codes, of_all) = match codes {
        Ok(codes) => (codes, ErrorCode::None),
        Err(error) => (Vec::new(), for_version(error, context.version())),
    };
    let mut codes = codes.into_iter();
    let mut next_code = |is_known: bool| match is_known {
        true => codes.next().unwrap_or(of_all),
        false => ErrorCode::UnknownTopicOrPartition,
    };
    let mut known = known.into_iter();
    let topics = request.topics.into_iter().map(|topic| TxnOffsetCommitResponseTopic {
        partitions: topic
            .partitions
            .iter()
            .zip(known.by_ref())
            .map(|(partition, (_, is_known))| TxnOffsetCommitResponsePartition {
                partition_index: partition.partition_index,
                error_code: next_code(is_known).code(),
            })
            .collect(),
        name: topic.name,
    });
    TxnOffsetCommitResponse { topics: topics.collect(), ..TxnOffsetCommitResponse::default() }
}

/// The partitions of a topic, and whether they exist.
fn partitions_of(
    context: &RequestContext,
) -> impl Fn(&TxnOffsetCommitRequestTopic) -> Vec<(TopicPartition, bool)> {
    |topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            let index = partition.partition_index;
            let is_known = context.core.partition(&topic.name, index).is_ok();
            (TopicPartition::new(&*topic.name, index), is_known)
        });
        partitions.collect()
    }
}

/// A code for each partition that exists.
///
/// # Errors
/// Why none of them could be committed.
fn commit(
    context: &RequestContext,
    request: &TxnOffsetCommitRequest,
    known: &[(TopicPartition, bool)],
) -> Result<Vec<ErrorCode>, ErrorCode> {
    let core = &context.core;
    let asked = request.topics.iter().flat_map(|topic| &topic.partitions);
    let offsets: Vec<OffsetCommit<'_>> = known
        .iter()
        .zip(asked)
        .filter(|((_, is_known), _)| *is_known)
        .map(|((tp, _), partition)| OffsetCommit {
            topic_partition: tp.clone(),
            offset: partition.committed_offset,
            leader_epoch: partition.committed_leader_epoch,
            metadata: partition.committed_metadata.as_deref().unwrap_or_default(),
            commit_timestamp: None,
        })
        .collect();
    if offsets.is_empty() {
        return Ok(Vec::new());
    }
    let count = offsets.len();
    let params = CommitOffsetsParams {
        group_id: &request.group_id,
        member_id: &request.member_id,
        group_instance_id: request.group_instance_id.as_deref(),
        generation_id: request.generation_id,
        knows_member_epochs: true,
        retention_time_ms: None,
        offsets,
    };
    let producer =
        ProducerIdAndEpoch { producer_id: request.producer_id, producer_epoch: request.producer_epoch };
    let partition = core.groups.partition_for(&request.group_id).ok_or(ErrorCode::CoordinatorNotAvailable)?;
    let offsets_partition = TopicPartition::new(CONSUMER_OFFSETS_TOPIC, partition);
    let joining = if context.version() >= FIRST_IMPLICIT { Joining::Implicit } else { Joining::Verified };
    let codes = if joining == Joining::Implicit || core.config().transaction_partition_verification_enable {
        let within = core.transactions.in_transaction(
            &request.transactional_id,
            producer,
            std::slice::from_ref(&offsets_partition),
            joining,
            |codes| match codes.iter().find(|code| !code.is_none()) {
                None => core.groups.commit_transactional_offsets(producer, params),
                Some(refused) => vec![for_version(*refused, context.version()); count],
            },
        );
        within.map_err(|refused| refusal_at(context, &offsets_partition, producer, refused))?
    } else {
        core.groups.commit_transactional_offsets(producer, params)
    };
    core.groups.wake_readers_of(&request.group_id);
    Ok(codes)
}

/// What a client of this version makes the right thing of.
fn for_version(error: ErrorCode, version: i16) -> ErrorCode {
    match error {
        ErrorCode::ProducerFenced => ErrorCode::InvalidProducerEpoch,
        ErrorCode::TransactionAbortable if version < FIRST_ABORTABLE => ErrorCode::InvalidTxnState,
        ErrorCode::ConcurrentTransactions if version < FIRST_IMPLICIT => ErrorCode::CoordinatorLoadInProgress,
        // It is the group's coordinator that is asked here, and that would be looked for again.
        ErrorCode::NotCoordinator => ErrorCode::CoordinatorNotAvailable,
        other => other,
    }
}
