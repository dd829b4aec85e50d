//! What the rules of a test need to know of each request: what it is about, and how it is answered with an error.
//!
//! Kafka: `AbstractRequest#getErrorResponse`. An error without a place for the whole request is said of each thing
//! that was asked for.

use std::any::Any;

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
        ConsumerGroupHeartbeatResponse ConsumerGroupDescribeResponse
    }
}

fn group(id: &StrBytes) -> Scope {
    Scope { groups: vec![id.to_string()], ..Scope::default() }
}

pub(super) fn transaction(id: &StrBytes) -> Scope {
    Scope { transactional_id: Some(id.to_string()), ..Scope::default() }
}

fn whole_topic(name: &StrBytes) -> TopicScope {
    TopicScope { name: name.to_string(), partitions: Vec::new() }
}

/// A topic by name, or by id where it has none.
pub(super) fn topic(
    context: &RequestContext,
    name: &StrBytes,
    id: Uuid,
    partitions: impl Iterator<Item = i32>,
) -> TopicScope {
    let name = match context.core.metadata.topic_by_id(id).filter(|_| name.is_empty()) {
        Some(found) => found.name().to_string(),
        None => name.to_string(),
    };
    TopicScope { name, partitions: partitions.collect() }
}

pub(super) fn topics(topics: impl Iterator<Item = TopicScope>) -> Scope {
    Scope { topics: topics.collect(), ..Scope::default() }
}

/// The topics among resources whose settings are asked for or changed.
const TOPIC_RESOURCE: i8 = 2;

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
    ListGroupsRequest => ListGroupsResponse;
    ListTransactionsRequest => ListTransactionsResponse;
    EndTxnRequest => EndTxnResponse, |request| transaction(&request.transactional_id);
    AddOffsetsToTxnRequest => AddOffsetsToTxnResponse, |request| Scope {
        groups: vec![request.group_id.to_string()],
        ..transaction(&request.transactional_id)
    };
    ConsumerGroupHeartbeatRequest => ConsumerGroupHeartbeatResponse, |request| group(&request.group_id);
    HeartbeatRequest => HeartbeatResponse, |request| group(&request.group_id);
    JoinGroupRequest => JoinGroupResponse, |request| group(&request.group_id);
    SyncGroupRequest => SyncGroupResponse, |request| group(&request.group_id);
    LeaveGroupRequest => LeaveGroupResponse, |request| group(&request.group_id);
    InitProducerIdRequest => InitProducerIdResponse, |request| Scope {
        transactional_id: request.transactional_id.as_ref().map(|id| id.to_string()),
        ..Scope::default()
    };
}

impl Rulable for m::OffsetDeleteRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::OffsetDeleteResponse {
        m::OffsetDeleteResponse { error_code: code.code(), ..Default::default() }
    }

    fn scope(&self, context: &RequestContext) -> Scope {
        let partitions = |t: &m::offset_delete::OffsetDeleteRequestTopic| {
            t.partitions.iter().map(|p| p.partition_index).collect()
        };
        let _ = context;
        Scope {
            topics: self
                .topics
                .iter()
                .map(|t| TopicScope { name: t.name.to_string(), partitions: partitions(t) })
                .collect(),
            ..group(&self.group_id)
        }
    }
}

impl Rulable for m::ProduceRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::ProduceResponse {
        use m::produce::{PartitionProduceResponse, TopicProduceResponse};
        let partition = |index| PartitionProduceResponse {
            index,
            error_code: code.code(),
            base_offset: -1,
            ..Default::default()
        };
        let responses = self.topic_data.iter().map(|topic| TopicProduceResponse {
            name: topic.name.clone(),
            topic_id: topic.topic_id,
            partition_responses: topic.partition_data.iter().map(|data| partition(data.index)).collect(),
        });
        m::ProduceResponse { responses: responses.collect(), ..Default::default() }
    }

    fn scope(&self, context: &RequestContext) -> Scope {
        let found = self
            .topic_data
            .iter()
            .map(|t| topic(context, &t.name, t.topic_id, t.partition_data.iter().map(|data| data.index)));
        let transactional_id = self.transactional_id.as_ref().map(|id| id.to_string());
        Scope { transactional_id, ..topics(found) }
    }
}

impl Rulable for m::FetchRequest {
    fn error_response(&self, code: ErrorCode, version: i16) -> m::FetchResponse {
        use m::fetch::{FetchableTopicResponse, PartitionData};
        let partition = |partition_index| PartitionData {
            partition_index,
            error_code: code.code(),
            high_watermark: -1,
            records: Some(Default::default()),
            ..Default::default()
        };
        let responses = self.topics.iter().map(|topic| FetchableTopicResponse {
            topic: topic.topic.clone(),
            topic_id: topic.topic_id,
            partitions: topic.partitions.iter().map(|asked| partition(asked.partition)).collect(),
        });
        // The place for the whole request is for what is wrong with the session.
        let of_session = matches!(
            code,
            ErrorCode::FetchSessionIdNotFound
                | ErrorCode::InvalidFetchSessionEpoch
                | ErrorCode::FetchSessionTopicIdError
        );
        match of_session && version >= 7 {
            true => m::FetchResponse { error_code: code.code(), ..Default::default() },
            false => m::FetchResponse { responses: responses.collect(), ..Default::default() },
        }
    }

    fn scope(&self, context: &RequestContext) -> Scope {
        topics(
            self.topics
                .iter()
                .map(|t| topic(context, &t.topic, t.topic_id, t.partitions.iter().map(|p| p.partition))),
        )
    }
}

impl Rulable for m::ListOffsetsRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::ListOffsetsResponse {
        use m::list_offsets::{ListOffsetsPartitionResponse, ListOffsetsTopicResponse};
        let partition = |partition_index| ListOffsetsPartitionResponse {
            partition_index,
            error_code: code.code(),
            ..Default::default()
        };
        let topics = self.topics.iter().map(|topic| ListOffsetsTopicResponse {
            name: topic.name.clone(),
            partitions: topic.partitions.iter().map(|asked| partition(asked.partition_index)).collect(),
        });
        m::ListOffsetsResponse { topics: topics.collect(), ..Default::default() }
    }

    fn scope(&self, context: &RequestContext) -> Scope {
        topics(
            self.topics
                .iter()
                .map(|t| topic(context, &t.name, Uuid::ZERO, t.partitions.iter().map(|p| p.partition_index))),
        )
    }
}

impl Rulable for m::OffsetForLeaderEpochRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::OffsetForLeaderEpochResponse {
        use m::offset_for_leader_epoch::{EpochEndOffset, OffsetForLeaderTopicResult};
        let partition =
            |partition| EpochEndOffset { partition, error_code: code.code(), ..Default::default() };
        let topics = self.topics.iter().map(|topic| OffsetForLeaderTopicResult {
            topic: topic.topic.clone(),
            partitions: topic.partitions.iter().map(|asked| partition(asked.partition)).collect(),
        });
        m::OffsetForLeaderEpochResponse { topics: topics.collect(), ..Default::default() }
    }

    fn scope(&self, context: &RequestContext) -> Scope {
        topics(
            self.topics
                .iter()
                .map(|t| topic(context, &t.topic, Uuid::ZERO, t.partitions.iter().map(|p| p.partition))),
        )
    }
}

impl Rulable for m::DeleteRecordsRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::DeleteRecordsResponse {
        use m::delete_records::{DeleteRecordsPartitionResult, DeleteRecordsTopicResult};
        let partition = |partition_index| DeleteRecordsPartitionResult {
            partition_index,
            low_watermark: -1,
            error_code: code.code(),
        };
        let topics = self.topics.iter().map(|topic| DeleteRecordsTopicResult {
            name: topic.name.clone(),
            partitions: topic.partitions.iter().map(|asked| partition(asked.partition_index)).collect(),
        });
        m::DeleteRecordsResponse { topics: topics.collect(), ..Default::default() }
    }

    fn scope(&self, context: &RequestContext) -> Scope {
        topics(
            self.topics
                .iter()
                .map(|t| topic(context, &t.name, Uuid::ZERO, t.partitions.iter().map(|p| p.partition_index))),
        )
    }
}

impl Rulable for m::MetadataRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::MetadataResponse {
        let topics = self.topics.iter().flatten().map(|topic| m::metadata::MetadataResponseTopic {
            error_code: code.code(),
            name: Some(topic.name.clone().unwrap_or_default()),
            topic_id: topic.topic_id,
            ..Default::default()
        });
        m::MetadataResponse { topics: topics.collect(), error_code: code.code(), ..Default::default() }
    }

    fn scope(&self, context: &RequestContext) -> Scope {
        let none = StrBytes::new();
        topics(
            self.topics
                .iter()
                .flatten()
                .map(|t| topic(context, t.name.as_ref().unwrap_or(&none), t.topic_id, std::iter::empty())),
        )
    }
}

impl Rulable for m::DescribeTopicPartitionsRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::DescribeTopicPartitionsResponse {
        let topics = self.topics.iter().map(|topic| {
            m::describe_topic_partitions::DescribeTopicPartitionsResponseTopic {
                error_code: code.code(),
                name: Some(topic.name.clone()),
                ..Default::default()
            }
        });
        m::DescribeTopicPartitionsResponse { topics: topics.collect(), ..Default::default() }
    }

    fn scope(&self, _: &RequestContext) -> Scope {
        topics(self.topics.iter().map(|topic| whole_topic(&topic.name)))
    }
}

impl Rulable for m::OffsetCommitRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::OffsetCommitResponse {
        use m::offset_commit::{OffsetCommitResponsePartition, OffsetCommitResponseTopic};
        let partition =
            |partition_index| OffsetCommitResponsePartition { partition_index, error_code: code.code() };
        let topics = self.topics.iter().map(|topic| OffsetCommitResponseTopic {
            name: topic.name.clone(),
            topic_id: topic.topic_id,
            partitions: topic.partitions.iter().map(|asked| partition(asked.partition_index)).collect(),
        });
        m::OffsetCommitResponse { topics: topics.collect(), ..Default::default() }
    }

    fn scope(&self, context: &RequestContext) -> Scope {
        let found = self
            .topics
            .iter()
            .map(|t| topic(context, &t.name, t.topic_id, t.partitions.iter().map(|p| p.partition_index)));
        Scope { groups: vec![self.group_id.to_string()], ..topics(found) }
    }
}

impl Rulable for m::OffsetFetchRequest {
    fn error_response(&self, code: ErrorCode, version: i16) -> m::OffsetFetchResponse {
        use m::offset_fetch::{
            OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponseTopic,
        };
        let groups = self.groups.iter().map(|group| OffsetFetchResponseGroup {
            group_id: group.group_id.clone(),
            error_code: code.code(),
            ..Default::default()
        });
        let mut response = m::OffsetFetchResponse {
            error_code: code.code(),
            groups: groups.collect(),
            ..Default::default()
        };
        if version < 2 {
            let partition = |partition_index: &i32| OffsetFetchResponsePartition {
                partition_index: *partition_index,
                committed_offset: -1,
                error_code: code.code(),
                ..Default::default()
            };
            let topics = self.topics.iter().flatten().map(|topic| OffsetFetchResponseTopic {
                name: topic.name.clone(),
                partitions: topic.partition_indexes.iter().map(partition).collect(),
            });
            response.topics = topics.collect();
        }
        response
    }

    fn scope(&self, context: &RequestContext) -> Scope {
        let old = self.topics.iter().flatten();
        let old = old.map(|t| topic(context, &t.name, Uuid::ZERO, t.partition_indexes.iter().copied()));
        let new = self.groups.iter().flat_map(|group| group.topics.iter().flatten());
        let new = new.map(|t| topic(context, &t.name, t.topic_id, t.partition_indexes.iter().copied()));
        let mut groups: Vec<_> = self.groups.iter().map(|group| group.group_id.to_string()).collect();
        if groups.is_empty() {
            groups.push(self.group_id.to_string());
        }
        Scope { groups, ..topics(old.chain(new)) }
    }
}

impl Rulable for m::FindCoordinatorRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::FindCoordinatorResponse {
        let coordinators = self.coordinator_keys.iter().map(|key| m::find_coordinator::Coordinator {
            key: key.clone(),
            node_id: -1,
            port: -1,
            error_code: code.code(),
            ..Default::default()
        });
        m::FindCoordinatorResponse {
            error_code: code.code(),
            node_id: -1,
            port: -1,
            coordinators: coordinators.collect(),
            ..Default::default()
        }
    }

    fn scope(&self, _: &RequestContext) -> Scope {
        let old = Some(&self.key).filter(|_| self.coordinator_keys.is_empty());
        let keys = self.coordinator_keys.iter().chain(old);
        match self.key_type {
            0 => Scope { groups: keys.map(|key| key.to_string()).collect(), ..Scope::default() },
            1 => Scope { transactional_id: keys.map(|key| key.to_string()).next(), ..Scope::default() },
            _ => Scope::default(),
        }
    }
}

impl Rulable for m::ConsumerGroupDescribeRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::ConsumerGroupDescribeResponse {
        let groups = self.group_ids.iter().map(|id| m::consumer_group_describe::DescribedGroup {
            error_code: code.code(),
            group_id: id.clone(),
            ..Default::default()
        });
        m::ConsumerGroupDescribeResponse { groups: groups.collect(), ..Default::default() }
    }

    fn scope(&self, _: &RequestContext) -> Scope {
        Scope { groups: self.group_ids.iter().map(|id| id.to_string()).collect(), ..Scope::default() }
    }
}

impl Rulable for m::DescribeGroupsRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::DescribeGroupsResponse {
        let groups = self.groups.iter().map(|group_id| m::describe_groups::DescribedGroup {
            error_code: code.code(),
            group_id: group_id.clone(),
            ..Default::default()
        });
        m::DescribeGroupsResponse { groups: groups.collect(), ..Default::default() }
    }

    fn scope(&self, _: &RequestContext) -> Scope {
        Scope { groups: self.groups.iter().map(|id| id.to_string()).collect(), ..Scope::default() }
    }
}

impl Rulable for m::DeleteGroupsRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::DeleteGroupsResponse {
        let results = self.groups_names.iter().map(|group_id| m::delete_groups::DeletableGroupResult {
            group_id: group_id.clone(),
            error_code: code.code(),
        });
        m::DeleteGroupsResponse { results: results.collect(), ..Default::default() }
    }

    fn scope(&self, _: &RequestContext) -> Scope {
        Scope { groups: self.groups_names.iter().map(|id| id.to_string()).collect(), ..Scope::default() }
    }
}

impl Rulable for m::CreateTopicsRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::CreateTopicsResponse {
        let topics = self.topics.iter().map(|topic| m::create_topics::CreatableTopicResult {
            name: topic.name.clone(),
            error_code: code.code(),
            error_message: None,
            ..Default::default()
        });
        m::CreateTopicsResponse { topics: topics.collect(), ..Default::default() }
    }

    fn scope(&self, _: &RequestContext) -> Scope {
        topics(self.topics.iter().map(|topic| whole_topic(&topic.name)))
    }
}

impl Rulable for m::CreatePartitionsRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::CreatePartitionsResponse {
        let results = self.topics.iter().map(|topic| m::create_partitions::CreatePartitionsTopicResult {
            name: topic.name.clone(),
            error_code: code.code(),
            error_message: None,
        });
        m::CreatePartitionsResponse { results: results.collect(), ..Default::default() }
    }

    fn scope(&self, _: &RequestContext) -> Scope {
        topics(self.topics.iter().map(|topic| whole_topic(&topic.name)))
    }
}

impl Rulable for m::DeleteTopicsRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::DeleteTopicsResponse {
        let result = |name: Option<StrBytes>, topic_id| m::delete_topics::DeletableTopicResult {
            name,
            topic_id,
            error_code: code.code(),
            error_message: None,
        };
        let by_name = self.topic_names.iter().map(|name| result(Some(name.clone()), Uuid::ZERO));
        let new = self.topics.iter().map(|topic| result(topic.name.clone(), topic.topic_id));
        m::DeleteTopicsResponse { responses: by_name.chain(new).collect(), ..Default::default() }
    }

    fn scope(&self, context: &RequestContext) -> Scope {
        let none = StrBytes::new();
        let by_name = self.topic_names.iter().map(whole_topic);
        let new = self
            .topics
            .iter()
            .map(|t| topic(context, t.name.as_ref().unwrap_or(&none), t.topic_id, std::iter::empty()));
        topics(by_name.chain(new))
    }
}

impl Rulable for m::AlterReplicaLogDirsRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::AlterReplicaLogDirsResponse {
        use m::alter_replica_log_dirs::{AlterReplicaLogDirPartitionResult, AlterReplicaLogDirTopicResult};
        let partition = |partition_index: &i32| AlterReplicaLogDirPartitionResult {
            partition_index: *partition_index,
            error_code: code.code(),
        };
        let asked = self.dirs.iter().flat_map(|dir| &dir.topics);
        let results = asked.map(|topic| AlterReplicaLogDirTopicResult {
            topic_name: topic.name.clone(),
            partitions: topic.partitions.iter().map(partition).collect(),
        });
        m::AlterReplicaLogDirsResponse { results: results.collect(), ..Default::default() }
    }

    fn scope(&self, context: &RequestContext) -> Scope {
        let asked = self.dirs.iter().flat_map(|dir| &dir.topics);
        topics(asked.map(|t| topic(context, &t.name, Uuid::ZERO, t.partitions.iter().copied())))
    }
}

impl Rulable for m::DescribeLogDirsRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::DescribeLogDirsResponse {
        m::DescribeLogDirsResponse { error_code: code.code(), ..Default::default() }
    }

    fn scope(&self, context: &RequestContext) -> Scope {
        let asked = self.topics.iter().flatten();
        topics(asked.map(|t| topic(context, &t.topic, Uuid::ZERO, t.partitions.iter().copied())))
    }
}

/// Requests about settings differ in nothing but their names.
macro_rules! settings {
    ($($file:ident $request:ident => $response:ident $list:ident: $result:ident;)*) => {$(
        impl Rulable for m::$request {
            fn error_response(&self, code: ErrorCode, _: i16) -> m::$response {
                let results = self.resources.iter().map(|resource| m::$file::$result {
                    error_code: code.code(),
                    error_message: None,
                    resource_type: resource.resource_type,
                    resource_name: resource.resource_name.clone(),
                    ..Default::default()
                });
                m::$response { $list: results.collect(), ..Default::default() }
            }

            fn scope(&self, _: &RequestContext) -> Scope {
                let of_topics = self.resources.iter().filter(|resource| resource.resource_type == TOPIC_RESOURCE);
                topics(of_topics.map(|resource| whole_topic(&resource.resource_name)))
            }
        }
    )*};
}

#[allow(clippy::needless_update, reason = "some results have more fields than these")]
mod of_settings {
    use super::*;

    settings! {
        describe_configs DescribeConfigsRequest => DescribeConfigsResponse results: DescribeConfigsResult;
        alter_configs AlterConfigsRequest => AlterConfigsResponse responses: AlterConfigsResourceResponse;
        incremental_alter_configs IncrementalAlterConfigsRequest => IncrementalAlterConfigsResponse
            responses: AlterConfigsResourceResponse;
    }
}
