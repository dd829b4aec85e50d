//! The transaction of a Produce request.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::request::RequestContext;
use super::{Appends, first_batch};
use crate::broker::{Joining, ProducerIdAndEpoch};
use crate::error::Error;
use crate::model::{ErrorCode, TopicPartition};
use crate::protocol::messages::produce::{TopicProduceData, TopicProduceResponse};
use crate::protocol::{ProduceRequest, StrBytes};
use crate::server::api::transactional::{append_error, refusal_at};

/// The first version that adds partitions to the transaction by writing to them.
const FIRST_IMPLICIT: i16 = 12;

/// What of a request is written within a transaction.
pub(super) struct Transaction {
    transactional_id: StrBytes,
    producer: ProducerIdAndEpoch,
    joining: Joining,
    /// Those that exist.
    partitions: Vec<TopicPartition>,
}

/// The transaction that the batches belong to; `None` if they belong to none.
///
/// # Errors
/// Why nothing of the request can be appended.
pub(super) fn of_request(
    context: &RequestContext,
    request: &ProduceRequest,
) -> Result<Option<Transaction>, ErrorCode> {
    let mut producer = None;
    let mut partitions = Vec::new();
    for topic in &request.topic_data {
        let mut resolved = None;
        for data in &topic.partition_data {
            let Some(batch) = first_batch(data.records.as_ref()).filter(|batch| batch.is_transactional())
            else {
                continue;
            };
            let of_batch = ProducerIdAndEpoch {
                producer_id: batch.producer_id(),
                producer_epoch: batch.producer_epoch(),
            };
            if *producer.get_or_insert(of_batch) != of_batch {
                return Err(ErrorCode::InvalidProducerIdMapping);
            }
            let resolved =
                resolved.get_or_insert_with(|| super::resolve(context, &topic.name, topic.topic_id));
            if let Ok(found) = resolved
                && let Some(partition) = found.partition(data.index)
            {
                partitions.push(partition.tp().clone());
            }
        }
    }
    let Some(producer) = producer else { return Ok(None) };
    let Some(transactional_id) = request.transactional_id.clone() else {
        return Err(ErrorCode::TransactionalIdAuthorizationFailed);
    };
    let joining = if context.version() >= FIRST_IMPLICIT { Joining::Implicit } else { Joining::Verified };
    let is_looked_at =
        joining == Joining::Implicit || context.core.config().transaction_partition_verification_enable;
    if partitions.is_empty() || !is_looked_at {
        return Ok(None);
    }
    Ok(Some(Transaction { transactional_id, producer, joining, partitions }))
}

/// What a client is told of a batch that is not part of the transaction.
pub(super) fn refusal(error: ErrorCode) -> Error {
    let message = match error {
        ErrorCode::InvalidTxnState | ErrorCode::TransactionAbortable => {
            "the partition was not added to the transaction"
        }
        ErrorCode::InvalidProducerEpoch => "another producer has taken over the transactional id",
        _ => "the partition cannot be verified to be in the transaction",
    };
    Error::new(error, message)
}

impl Transaction {
    /// Appends everything while the transaction cannot end.
    pub(super) fn append_all(
        self,
        appends: &mut Appends<'_>,
        topics: Vec<TopicProduceData>,
    ) -> Vec<TopicProduceResponse> {
        let Transaction { transactional_id, producer, joining, partitions } = self;
        let (core, version) = (Arc::clone(&appends.context.core), appends.context.version());
        let mut topics = Some(topics);
        let appended =
            core.transactions.in_transaction(&transactional_id, producer, &partitions, joining, |codes| {
                let refused = partitions.iter().zip(codes).filter(|(_, code)| !code.is_none());
                appends.refused =
                    refused.map(|(tp, code)| (tp.clone(), append_error(*code, version))).collect();
                appends.is_in_transaction = true;
                appends.append_all(topics.take().unwrap_or_default())
            });
        appends.is_in_transaction = false;
        for partition in std::mem::take(&mut appends.unwoken) {
            partition.watchers().check();
        }
        appended.unwrap_or_else(|error| {
            let error = append_error(error, version);
            let context = appends.context;
            let refused = partitions.into_iter().map(|tp| (refusal_at(context, &tp, producer, error), tp));
            appends.refused = refused.map(|(code, tp)| (tp, code)).collect::<HashMap<_, _>>();
            appends.append_all(topics.unwrap_or_default())
        })
    }
}
