//! InitializeShareGroupState, 0: what a share group keeps of partitions begins, or begins anew in a later epoch (KIP-932).
//!
//! Between the brokers of a cluster; here the coordinator of groups has a door of its own.

use super::request::Call;
use super::share_state::{self, message};
use crate::broker::{SharePartitionKey, ShareStateError};
use crate::protocol::messages::initialize_share_group_state::{InitializeStateResult, PartitionResult};
use crate::protocol::{InitializeShareGroupStateRequest, InitializeShareGroupStateResponse};
use crate::server::network::Outcome;

pub(super) fn handle(call: Call<'_>, request: InitializeShareGroupStateRequest) -> Outcome {
    let counts = request.topics.iter().map(|topic| topic.partitions.len());
    if !share_state::is_answered(&call.context, &request.group_id, counts) {
        return call.respond(&InitializeShareGroupStateResponse::default());
    }
    let results = request.topics.iter().map(|topic| InitializeStateResult {
        topic_id: topic.topic_id,
        partitions: topic
            .partitions
            .iter()
            .map(|asked| {
                let key = SharePartitionKey::new(&*request.group_id, topic.topic_id, asked.partition);
                result(
                    asked.partition,
                    call.context.core.share_coordinator.initialize(
                        &key,
                        asked.state_epoch,
                        asked.start_offset,
                    ),
                )
            })
            .collect(),
    });
    let response = InitializeShareGroupStateResponse { results: results.collect() };
    call.respond(&response)
}

fn result(partition: i32, outcome: Result<(), ShareStateError>) -> PartitionResult {
    match outcome {
        Ok(()) => PartitionResult { partition, ..PartitionResult::default() },
        Err(error) => {
            PartitionResult { partition, error_code: error.code.code(), error_message: message(&error) }
        }
    }
}
