//! What the rules of a test need to know of each request: what it is about, and how it is answered with an error.
//!
//! Kafka: `AbstractRequest#getErrorResponse`. An error without a place for the whole request is said of each thing
//! that was asked for.

mod groups;
mod part;
mod partitions;
mod share;
#[cfg(test)]
mod tests;
mod topics;
mod transactions;

use std::any::Any;

pub(super) use part::{Place, Selection, Taken};
use part::{by_partition, merge_partitions, one_by_one, take_nested, take_partitions, take_some};

use super::request::RequestContext;
use crate::model::{ErrorCode, Uuid};
use crate::protocol::messages as m;
use crate::protocol::{Request, Response, StrBytes};
use crate::server::intercept::{Scope, TopicScope};

/// A request that rules can be made for. Every one is.
pub(super) trait Rulable: Request + Send + 'static {
    /// The answer that says nothing but this error.
    fn error_response(&self, code: ErrorCode, version: i16) -> Self::Response;

    /// What it is about.
    fn scope(&self, _: &RequestContext) -> Scope {
        Scope::default()
    }

    /// Takes out of it what is meant, for an answer of its own.
    fn take(&mut self, _: &RequestContext, _: &Selection<'_>) -> Taken<Self> {
        Taken::Whole
    }

    /// Whether all was taken out of it.
    fn is_spent(&self) -> bool {
        false
    }

    /// The answer to what was taken out of a request, of which [`Rulable::merge`] takes the things that it lists.
    fn part_response(&self, code: ErrorCode, version: i16, _: &Selection<'_>) -> Self::Response {
        self.error_response(code, version)
    }

    /// Puts the answer to what was taken out to the answer to the rest.
    fn merge(_response: &mut Self::Response, _wrong: &Self::Response) {}

    /// Whether the client waits for an answer.
    fn wants_answer(&self) -> bool {
        true
    }
}

/// Says in an answer for how long the client is to be quiet, if it has a place for it.
pub(super) fn set_throttle_time<R: Response>(response: &mut R, throttle_time_ms: i32) {
    macro_rules! set {
        ($($response:ident)*) => {
            let any: &mut dyn Any = response;
            $(if let Some(response) = any.downcast_mut::<m::$response>() {
                response.throttle_time_ms = throttle_time_ms;
                return;
            })*
        };
    }
    set! {
        ProduceResponse FetchResponse ListOffsetsResponse MetadataResponse OffsetCommitResponse OffsetFetchResponse
        FindCoordinatorResponse JoinGroupResponse HeartbeatResponse LeaveGroupResponse SyncGroupResponse
        DescribeGroupsResponse ListGroupsResponse ApiVersionsResponse CreateTopicsResponse DeleteTopicsResponse
        DeleteRecordsResponse InitProducerIdResponse OffsetForLeaderEpochResponse DescribeConfigsResponse
        AlterConfigsResponse AlterReplicaLogDirsResponse DescribeLogDirsResponse CreatePartitionsResponse DeleteGroupsResponse
        IncrementalAlterConfigsResponse OffsetDeleteResponse DescribeClusterResponse DescribeTopicPartitionsResponse
        AddPartitionsToTxnResponse AddOffsetsToTxnResponse EndTxnResponse TxnOffsetCommitResponse
        DescribeProducersResponse DescribeTransactionsResponse ListTransactionsResponse
        ConsumerGroupHeartbeatResponse ConsumerGroupDescribeResponse ShareGroupHeartbeatResponse
        ShareGroupDescribeResponse DescribeShareGroupOffsetsResponse AlterShareGroupOffsetsResponse
        DeleteShareGroupOffsetsResponse ShareFetchResponse ShareAcknowledgeResponse ListConfigResourcesResponse
        AlterPartitionReassignmentsResponse ListPartitionReassignmentsResponse
    }
}

fn group(id: &StrBytes) -> Scope {
    Scope { groups: vec![id.to_string()], ..Scope::default() }
}

fn transaction(id: &StrBytes) -> Scope {
    Scope { transactional_ids: vec![id.to_string()], ..Scope::default() }
}

fn whole_topic(name: &StrBytes) -> TopicScope {
    TopicScope { name: name.to_string(), partitions: Vec::new() }
}

fn partitions_of(name: &StrBytes, partitions: impl Iterator<Item = i32>) -> TopicScope {
    TopicScope { name: name.to_string(), partitions: partitions.collect() }
}

/// A topic by name, or by id where it has none.
fn topic(
    context: &RequestContext,
    name: &StrBytes,
    id: Uuid,
    partitions: impl Iterator<Item = i32>,
) -> TopicScope {
    TopicScope { name: topic_name(context, name, id), partitions: partitions.collect() }
}

pub(super) fn topic_name(context: &RequestContext, name: &StrBytes, id: Uuid) -> String {
    match context.core.metadata.topic_by_id(id).filter(|_| name.is_empty()) {
        Some(found) => found.name().to_string(),
        None => name.to_string(),
    }
}

fn topics(topics: impl Iterator<Item = TopicScope>) -> Scope {
    Scope { topics: topics.collect(), ..Scope::default() }
}

/// The topics and the groups among resources whose settings are asked for or changed.
const TOPIC_RESOURCE: i8 = 2;
const GROUP_RESOURCE: i8 = 32;

/// An answer with one error for all of the request.
macro_rules! one_error {
    ($($request:ident => $response:ident $(, $scope:expr)?;)*) => {$(
        impl Rulable for m::$request {
            fn error_response(&self, code: ErrorCode, _: i16) -> m::$response {
                m::$response { error_code: code.code(), ..Default::default() }
            }

            $(fn scope(&self, _: &RequestContext) -> Scope {
                let scope: fn(&m::$request) -> Scope = $scope;
                scope(self)
            })?
        }
    )*};
}

one_error! {
    ApiVersionsRequest => ApiVersionsResponse;
    DescribeClusterRequest => DescribeClusterResponse;
    ListConfigResourcesRequest => ListConfigResourcesResponse;
    ListPartitionReassignmentsRequest => ListPartitionReassignmentsResponse, |request| topics(
        request.topics.iter().flatten().map(|t| partitions_of(&t.name, t.partition_indexes.iter().copied()))
    );
    ListGroupsRequest => ListGroupsResponse;
    ListTransactionsRequest => ListTransactionsResponse;
    EndTxnRequest => EndTxnResponse, |request| transaction(&request.transactional_id);
    AddOffsetsToTxnRequest => AddOffsetsToTxnResponse, |request| Scope {
        groups: vec![request.group_id.to_string()],
        ..transaction(&request.transactional_id)
    };
    HeartbeatRequest => HeartbeatResponse, |request| group(&request.group_id);
    JoinGroupRequest => JoinGroupResponse, |request| group(&request.group_id);
    SyncGroupRequest => SyncGroupResponse, |request| group(&request.group_id);
    LeaveGroupRequest => LeaveGroupResponse, |request| group(&request.group_id);
    InitProducerIdRequest => InitProducerIdResponse, |request| Scope {
        transactional_ids: request.transactional_id.iter().map(|id| id.to_string()).collect(),
        ..Scope::default()
    };
}
