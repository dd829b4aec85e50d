//! OffsetDelete, 0: forgets what a group has committed of partitions that no member reads (KIP-496).

use super::request::Call;
use crate::model::{ErrorCode, TopicPartition};
use crate::protocol::messages::offset_delete::{
    OffsetDeleteRequestTopic, OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use crate::protocol::{OffsetDeleteRequest, OffsetDeleteResponse};
use crate::server::network::Outcome;

pub(super) fn handle(call: Call<'_>, request: OffsetDeleteRequest) -> Outcome {
    let core = &call.context.core;
    let find = |topic: &OffsetDeleteRequestTopic, index: i32| {
        core.metadata.partition(&topic.name, index).map(|partition| partition.tp().clone())
    };
    let known: Vec<TopicPartition> = request
        .topics
        .iter()
        .flat_map(|topic| topic.partitions.iter().filter_map(|asked| find(topic, asked.partition_index)))
        .collect();
    let codes = match core.groups.delete_offsets(&request.group_id, &known) {
        Ok(codes) => codes,
        Err(error) => {
            let error_code = error.code();
            return call.respond(&OffsetDeleteResponse { error_code, ..OffsetDeleteResponse::default() });
        }
    };
    let mut deleted = known.into_iter().zip(codes).peekable();
    let topics = request.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|asked| {
            let partition_index = asked.partition_index;
            let is_it = |(tp, _): &(TopicPartition, ErrorCode)| {
                tp.topic() == &*topic.name && tp.partition() == partition_index
            };
            // Those that do not exist were left out, and the others come in the same order.
            let error = deleted.next_if(is_it).map_or(ErrorCode::UnknownTopicOrPartition, |(_, error)| error);
            OffsetDeleteResponsePartition { partition_index, error_code: error.code() }
        });
        OffsetDeleteResponseTopic { name: topic.name.clone(), partitions: partitions.collect() }
    });
    let response = OffsetDeleteResponse { topics: topics.collect(), ..OffsetDeleteResponse::default() };
    call.respond(&response)
}
