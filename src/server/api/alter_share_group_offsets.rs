//! AlterShareGroupOffsets, 0: has a share group without members read from other offsets on (KIP-932). A group that is not
//! there is made.

use super::request::Call;
use crate::broker::{GroupError, ShareGroupOffsetOutcome};
use crate::model::TopicPartition;
use crate::protocol::messages::alter_share_group_offsets::{
    AlterShareGroupOffsetsResponsePartition, AlterShareGroupOffsetsResponseTopic,
};
use crate::protocol::{AlterShareGroupOffsetsRequest, AlterShareGroupOffsetsResponse, StrBytes};
use crate::server::network::Outcome;

pub(super) fn handle(call: Call<'_>, request: AlterShareGroupOffsetsRequest) -> Outcome {
    let offsets = request.topics.iter().flat_map(|topic| {
        topic
            .partitions
            .iter()
            .map(|of| (TopicPartition::new(&*topic.topic_name, of.partition_index), of.start_offset))
    });
    let offsets: Vec<_> = offsets.collect();
    let altered = call.context.core.groups.alter_share_group_offsets(&request.group_id, &offsets);
    call.respond(&altered.map_or_else(refused, altered_offsets))
}

fn refused(error: GroupError) -> AlterShareGroupOffsetsResponse {
    AlterShareGroupOffsetsResponse {
        error_code: error.code.code(),
        error_message: Some(error.message.into()),
        ..AlterShareGroupOffsetsResponse::default()
    }
}

fn altered_offsets(outcomes: Vec<ShareGroupOffsetOutcome>) -> AlterShareGroupOffsetsResponse {
    let mut responses: Vec<AlterShareGroupOffsetsResponseTopic> = Vec::new();
    for outcome in outcomes {
        let name = outcome.topic_partition.topic();
        if responses.last().is_none_or(|topic| &*topic.topic_name != name) {
            responses.push(AlterShareGroupOffsetsResponseTopic {
                topic_name: StrBytes::from(name),
                topic_id: outcome.topic_id,
                partitions: Vec::new(),
            });
        }
        if let Some(topic) = responses.last_mut() {
            topic.partitions.push(AlterShareGroupOffsetsResponsePartition {
                partition_index: outcome.topic_partition.partition(),
                error_code: outcome.error.as_ref().map_or(0, |error| error.code.code()),
                error_message: outcome.error.map(|error| error.message.into()),
            });
        }
    }
    AlterShareGroupOffsetsResponse { responses, ..AlterShareGroupOffsetsResponse::default() }
}
