//! DescribeTopicPartitions, 0: topics, page by page (KIP-966).
//!
//! Topics come in the order of their names, without duplicates, and begin at the cursor; none named is all of them. An
//! answer has as many partitions as the client wants, at most `max.request.partition.size.limit`, and says where to go on.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::authorized_operations;
use super::request::{Call, RequestContext};
use crate::broker::{Partition, Topic};
use crate::model::{ErrorCode, is_internal_topic, validate_topic_name};
use crate::protocol::messages::describe_topic_partitions::{
    Cursor, DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
};
use crate::protocol::{DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse, StrBytes};
use crate::server::network::Outcome;

pub(super) fn handle(call: Call<'_>, request: DescribeTopicPartitionsRequest) -> Outcome {
    if request.cursor.as_ref().is_some_and(|cursor| cursor.partition_index < 0) {
        tracing::debug!("{}: the cursor's partition is negative", call.context);
        return call.respond(&refuse(&request));
    }
    let response = answer(&call.context, &request);
    call.respond(&response)
}

/// The response has no error of its own, so each topic gets it.
fn refuse(request: &DescribeTopicPartitionsRequest) -> DescribeTopicPartitionsResponse {
    let refused = request.topics.iter().map(|topic| DescribeTopicPartitionsResponseTopic {
        error_code: ErrorCode::InvalidRequest.code(),
        name: Some(topic.name.clone()),
        ..DescribeTopicPartitionsResponseTopic::default()
    });
    DescribeTopicPartitionsResponse {
        topics: refused.collect(),
        ..DescribeTopicPartitionsResponse::default()
    }
}

fn answer(
    context: &RequestContext,
    request: &DescribeTopicPartitionsRequest,
) -> DescribeTopicPartitionsResponse {
    let core = &context.core;
    let asks_all = request.topics.is_empty();
    let mut names: BTreeSet<StrBytes> = if asks_all {
        core.metadata.topics().iter().map(|topic| StrBytes::from(&**topic.name())).collect()
    } else {
        request.topics.iter().map(|topic| topic.name.clone()).collect()
    };
    let mut first_partition = 0;
    if let Some(cursor) = &request.cursor {
        names = names.split_off(&cursor.topic_name);
        if names.is_empty() && !asks_all {
            // The cursor is of another request.
            return refuse(request);
        }
        first_partition = match names.first() {
            Some(first) if *first == cursor.topic_name => cursor.partition_index,
            _ => 0,
        };
    }
    let limit = request.response_partition_limit.min(core.config().max_request_partition_size_limit);
    let mut left = usize::try_from(limit).unwrap_or(0).max(1);
    let mut response = DescribeTopicPartitionsResponse::default();
    for name in names {
        if left == 0 {
            response.next_cursor = Some(Cursor { topic_name: name, partition_index: 0 });
            break;
        }
        let from = std::mem::take(&mut first_partition);
        match core.metadata.topic(&name) {
            Some(topic) => {
                let page = describe(&topic, context, from, left);
                left -= page.partitions.len();
                let next = from.saturating_add(i32::try_from(page.partitions.len()).unwrap_or(i32::MAX));
                response.topics.push(page);
                if next < topic.num_partitions() {
                    response.next_cursor = Some(Cursor { topic_name: name, partition_index: next });
                    break;
                }
            }
            // One of all topics that was deleted since.
            None if asks_all => {}
            None => response.topics.push(unknown(name)),
        }
    }
    response
}

fn unknown(name: StrBytes) -> DescribeTopicPartitionsResponseTopic {
    let error = match validate_topic_name(&name) {
        Ok(()) => ErrorCode::UnknownTopicOrPartition,
        Err(_) => ErrorCode::InvalidTopicException,
    };
    DescribeTopicPartitionsResponseTopic {
        error_code: error.code(),
        is_internal: is_internal_topic(&name),
        name: Some(name),
        ..DescribeTopicPartitionsResponseTopic::default()
    }
}

fn describe(
    topic: &Arc<Topic>,
    context: &RequestContext,
    from: i32,
    limit: usize,
) -> DescribeTopicPartitionsResponseTopic {
    let partitions = topic.partitions();
    let numbered = (0..).zip(&partitions).skip(usize::try_from(from).unwrap_or(0)).take(limit);
    DescribeTopicPartitionsResponseTopic {
        name: Some((&**topic.name()).into()),
        topic_id: topic.id(),
        is_internal: topic.is_internal(),
        partitions: numbered
            .map(|(index, partition)| describe_partition(index, partition, context))
            .collect(),
        topic_authorized_operations: authorized_operations::on_topic(true),
        ..DescribeTopicPartitionsResponseTopic::default()
    }
}

fn describe_partition(
    index: i32,
    partition: &Partition,
    context: &RequestContext,
) -> DescribeTopicPartitionsResponsePartition {
    let placement = context.core.placement(partition);
    let error = if placement.leader.is_some() { ErrorCode::None } else { ErrorCode::LeaderNotAvailable };
    DescribeTopicPartitionsResponsePartition {
        error_code: error.code(),
        partition_index: index,
        leader_id: placement.leader_id(),
        leader_epoch: partition.leader_epoch(),
        replica_nodes: placement.replicas,
        isr_nodes: placement.in_sync,
        eligible_leader_replicas: Some(Vec::new()),
        last_known_elr: Some(Vec::new()),
        offline_replicas: placement.offline,
    }
}
