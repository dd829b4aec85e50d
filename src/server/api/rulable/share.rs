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
