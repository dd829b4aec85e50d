//! ReadShareGroupStateSummary, 0-1: where a share group stands in partitions (KIP-932). 1 tells how many records are dealt
//! with (KIP-1226).
//!
//! Between the brokers of a cluster; here the coordinator of groups has a door of its own.

use super::request::Call;
use super::share_state::{self, message};
use crate::broker::{SharePartitionKey, ShareStateError, StateSummary};
use crate::protocol::messages::read_share_group_state_summary::{PartitionResult, ReadStateSummaryResult};
use crate::protocol::{ReadShareGroupStateSummaryRequest, ReadShareGroupStateSummaryResponse};
use crate::server::network::Outcome;

pub(super) fn handle(call: Call<'_>, request: ReadShareGroupStateSummaryRequest) -> Outcome {
    let counts = request.topics.iter().map(|topic| topic.partitions.len());
    if !share_state::is_answered(&call.context, &request.group_id, counts) {
        return call.respond(&ReadShareGroupStateSummaryResponse::default());
    }
    let results = request.topics.iter().map(|topic| ReadStateSummaryResult {
        topic_id: topic.topic_id,
        partitions: topic
            .partitions
            .iter()
            .map(|asked| {
                let key = SharePartitionKey::new(&*request.group_id, topic.topic_id, asked.partition);
                result(asked.partition, call.context.core.share_coordinator.read_summary(&key))
            })
            .collect(),
    });
    let response = ReadShareGroupStateSummaryResponse { results: results.collect() };
    call.respond(&response)
}

fn result(partition: i32, outcome: Result<StateSummary, ShareStateError>) -> PartitionResult {
    match outcome {
        Ok(summary) => PartitionResult {
            partition,
            state_epoch: summary.state_epoch,
            leader_epoch: summary.leader_epoch,
            start_offset: summary.start_offset,
            delivery_complete_count: summary.delivery_complete_count,
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
