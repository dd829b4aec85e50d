//! ReadShareGroupState, 0: a partition's leader reads what a share group keeps of it (KIP-932). Leaders before it are
//! fenced from then on.
//!
//! Between the brokers of a cluster; here share partitions have a door of their own.

use super::request::Call;
use super::share_state::{self, message};
use crate::broker::{ReadState, SharePartitionKey, ShareStateError};
use crate::protocol::messages::read_share_group_state::{PartitionResult, ReadStateResult, StateBatch};
use crate::protocol::{ReadShareGroupStateRequest, ReadShareGroupStateResponse};
use crate::server::network::Outcome;

pub(super) fn handle(call: Call<'_>, request: ReadShareGroupStateRequest) -> Outcome {
    let counts = request.topics.iter().map(|topic| topic.partitions.len());
    if !share_state::is_answered(&call.context, &request.group_id, counts) {
        return call.respond(&ReadShareGroupStateResponse::default());
    }
    let results = request.topics.iter().map(|topic| ReadStateResult {
        topic_id: topic.topic_id,
        partitions: topic
            .partitions
            .iter()
            .map(|asked| {
                let key = SharePartitionKey::new(&*request.group_id, topic.topic_id, asked.partition);
                result(asked.partition, call.context.core.share_coordinator.read(&key, asked.leader_epoch))
            })
            .collect(),
    });
    let response = ReadShareGroupStateResponse { results: results.collect() };
    call.respond(&response)
}

fn result(partition: i32, outcome: Result<ReadState, ShareStateError>) -> PartitionResult {
    match outcome {
        Ok(state) => PartitionResult {
            partition,
            state_epoch: state.state_epoch,
            start_offset: state.start_offset,
            state_batches: state
                .state_batches
                .iter()
                .map(|batch| StateBatch {
                    first_offset: batch.first_offset,
                    last_offset: batch.last_offset,
                    delivery_state: batch.delivery_state,
                    delivery_count: batch.delivery_count,
                })
                .collect(),
            ..PartitionResult::default()
        },
        Err(error) => PartitionResult {
            partition,
            error_code: error.code.code(),
            error_message: message(&error),
            ..PartitionResult::default()
        },
    }
}
