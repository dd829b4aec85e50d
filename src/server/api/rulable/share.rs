//! The requests of share groups, as rules need to know them.

use super::*;

/// The requests about the state of a share group, which all have the same shape.
macro_rules! share_state {
    ($($request:ident => $response:ident, $module:ident::$result:ident;)*) => {$(
        impl Rulable for m::$request {
            fn error_response(&self, code: ErrorCode, _: i16) -> m::$response {
                use m::$module::{PartitionResult, $result};
                let results = self.topics.iter().map(|topic| $result {
                    topic_id: topic.topic_id,
                    partitions: topic
                        .partitions
                        .iter()
                        .map(|asked| PartitionResult {
                            partition: asked.partition,
                            error_code: code.code(),
                            ..Default::default()
                        })
                        .collect(),
                });
                m::$response { results: results.collect() }
            }

            fn scope(&self, context: &RequestContext) -> Scope {
                let none = StrBytes::new();
                let found = self.topics.iter().map(|asked| {
                    topic(context, &none, asked.topic_id, asked.partitions.iter().map(|p| p.partition))
                });
                Scope { groups: vec![self.group_id.to_string()], ..topics(found) }
            }
        }
    )*};
}

share_state! {
    InitializeShareGroupStateRequest => InitializeShareGroupStateResponse,
        initialize_share_group_state::InitializeStateResult;
    ReadShareGroupStateRequest => ReadShareGroupStateResponse, read_share_group_state::ReadStateResult;
    WriteShareGroupStateRequest => WriteShareGroupStateResponse, write_share_group_state::WriteStateResult;
    DeleteShareGroupStateRequest => DeleteShareGroupStateResponse, delete_share_group_state::DeleteStateResult;
    ReadShareGroupStateSummaryRequest => ReadShareGroupStateSummaryResponse,
        read_share_group_state_summary::ReadStateSummaryResult;
}

fn group(id: &StrBytes) -> Scope {
    Scope { groups: vec![id.to_string()], ..Scope::default() }
}

/// The requests that one group is asked, and whose answer has one error.
macro_rules! of_one_group {
    ($($request:ident => $response:ident;)*) => {$(
        impl Rulable for m::$request {
            fn error_response(&self, code: ErrorCode, _: i16) -> m::$response {
                m::$response { error_code: code.code(), ..Default::default() }
            }

            fn scope(&self, _: &RequestContext) -> Scope {
                group(&self.group_id)
            }
        }
    )*};
}

of_one_group! {
    ShareGroupHeartbeatRequest => ShareGroupHeartbeatResponse;
    AlterShareGroupOffsetsRequest => AlterShareGroupOffsetsResponse;
    DeleteShareGroupOffsetsRequest => DeleteShareGroupOffsetsResponse;
}

impl Rulable for m::ShareGroupDescribeRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::ShareGroupDescribeResponse {
        let groups = self.group_ids.iter().map(|id| m::share_group_describe::DescribedGroup {
            error_code: code.code(),
            group_id: id.clone(),
            ..Default::default()
        });
        m::ShareGroupDescribeResponse { groups: groups.collect(), ..Default::default() }
    }

    fn scope(&self, _: &RequestContext) -> Scope {
        Scope { groups: self.group_ids.iter().map(|id| id.to_string()).collect(), ..Scope::default() }
    }
}

impl Rulable for m::DescribeShareGroupOffsetsRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::DescribeShareGroupOffsetsResponse {
        let of_group = |asked: &m::describe_share_group_offsets::DescribeShareGroupOffsetsRequestGroup| {
            m::describe_share_group_offsets::DescribeShareGroupOffsetsResponseGroup {
                group_id: asked.group_id.clone(),
                error_code: code.code(),
                ..Default::default()
            }
        };
        let groups = self.groups.iter().map(of_group).collect();
        m::DescribeShareGroupOffsetsResponse { groups, ..Default::default() }
    }

    fn scope(&self, _: &RequestContext) -> Scope {
        Scope { groups: self.groups.iter().map(|of| of.group_id.to_string()).collect(), ..Scope::default() }
    }
}

/// Those of a member about its records, which have a place for an error of the whole request.
macro_rules! share_members {
    ($($request:ident => $response:ident;)*) => {$(
        impl Rulable for m::$request {
            fn error_response(&self, code: ErrorCode, _: i16) -> m::$response {
                m::$response { error_code: code.code(), ..Default::default() }
            }

            fn scope(&self, context: &RequestContext) -> Scope {
                let none = StrBytes::new();
                let found = self.topics.iter().map(|asked| {
                    topic(context, &none, asked.topic_id, asked.partitions.iter().map(|p| p.partition_index))
                });
                Scope { groups: self.group_id.iter().map(|id| id.to_string()).collect(), ..topics(found) }
            }
        }
    )*};
}

share_members! {
    ShareFetchRequest => ShareFetchResponse;
    ShareAcknowledgeRequest => ShareAcknowledgeResponse;
}
