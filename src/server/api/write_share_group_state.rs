//! WriteShareGroupState, 0-1: a partition's leader has kept what a share group has done (KIP-932). 1 tells how many records
//! are dealt with (KIP-1226).
//!
//! Between the brokers of a cluster; here share partitions have a door of their own.

use super::request::Call;
use super::share_state::{self, message};
use crate::broker::{SharePartitionKey, ShareStateError, StateBatch, WriteState};
use crate::protocol::messages::write_share_group_state::{PartitionData, PartitionResult, WriteStateResult};
use crate::protocol::{WriteShareGroupStateRequest, WriteShareGroupStateResponse};
use crate::server::network::Outcome;

pub(super) fn handle(call: Call<'_>, request: WriteShareGroupStateRequest) -> Outcome {
    let counts = request.topics.iter().map(|topic| topic.partitions.len());
    if !share_state::is_answered(&call.context, &request.group_id, counts) {
        return call.respond(&WriteShareGroupStateResponse::default());
    }
    let results = request.topics.iter().map(|topic| WriteStateResult {
        topic_id: topic.topic_id,
        partitions: topic
            .partitions
            .iter()
            .map(|asked| {
                let key = SharePartitionKey::new(&*request.group_id, topic.topic_id, asked.partition);
                result(asked.partition, call.context.core.share_coordinator.write(&key, &written(asked)))
            })
            .collect(),
    });
    let response = WriteShareGroupStateResponse { results: results.collect() };
    call.respond(&response)
}

fn written(asked: &PartitionData) -> WriteState {
    let batches = asked.state_batches.iter().map(|batch| StateBatch {
        first_offset: batch.first_offset,
        last_offset: batch.last_offset,
        delivery_state: batch.delivery_state,
        delivery_count: batch.delivery_count,
    });
    WriteState {
        state_epoch: asked.state_epoch,
        leader_epoch: asked.leader_epoch,
        start_offset: asked.start_offset,
        delivery_complete_count: asked.delivery_complete_count,
        state_batches: batches.collect(),
    }
}

fn result(partition: i32, outcome: Result<(), ShareStateError>) -> PartitionResult {
    match outcome {
        Ok(()) => PartitionResult { partition, ..PartitionResult::default() },
        Err(error) => {
            PartitionResult { partition, error_code: error.code.code(), error_message: message(&error) }
        }
    }
}
