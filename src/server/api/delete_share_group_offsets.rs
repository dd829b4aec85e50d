//! DeleteShareGroupOffsets, 0: has a share group without members forget where it stands in topics (KIP-932).

use super::request::Call;
use crate::broker::{GroupError, ShareGroupTopicOutcome};
use crate::protocol::messages::delete_share_group_offsets::DeleteShareGroupOffsetsResponseTopic;
use crate::protocol::{DeleteShareGroupOffsetsRequest, DeleteShareGroupOffsetsResponse, StrBytes};
use crate::server::network::Outcome;

pub(super) fn handle(call: Call<'_>, request: DeleteShareGroupOffsetsRequest) -> Outcome {
    let topics: Vec<&str> = request.topics.iter().map(|topic| &*topic.topic_name).collect();
    let deleted = call.context.core.groups.delete_share_group_offsets(&request.group_id, &topics);
    call.respond(&deleted.map_or_else(refused, deleted_offsets))
}

fn refused(error: GroupError) -> DeleteShareGroupOffsetsResponse {
    DeleteShareGroupOffsetsResponse {
        error_code: error.code.code(),
        error_message: Some(error.message.into()),
        ..DeleteShareGroupOffsetsResponse::default()
    }
}

fn deleted_offsets(outcomes: Vec<ShareGroupTopicOutcome>) -> DeleteShareGroupOffsetsResponse {
    let responses = outcomes.into_iter().map(|outcome| DeleteShareGroupOffsetsResponseTopic {
        topic_name: StrBytes::from(&*outcome.topic),
        topic_id: outcome.topic_id,
        error_code: outcome.error.as_ref().map_or(0, |error| error.code.code()),
        error_message: outcome.error.map(|error| error.message.into()),
    });
    DeleteShareGroupOffsetsResponse { responses: responses.collect(), ..Default::default() }
}
