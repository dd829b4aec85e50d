//! DescribeProducers, 0: who writes to partitions, as their logs know it (KIP-664).

use super::request::{Call, RequestContext};
use crate::error::Error;
use crate::protocol::messages::describe_producers::{
    DescribeProducersPartitionResponse, DescribeProducersTopicResponse, ProducerState,
};
use crate::protocol::{DescribeProducersRequest, DescribeProducersResponse};
use crate::server::network::Outcome;

pub(super) fn handle(call: Call<'_>, request: DescribeProducersRequest) -> Outcome {
    // A producer is known from its first record on, so that there may be many.
    call.respond_on_io_thread(request, |context, request| {
        let topics = request.topics.into_iter().map(|topic| DescribeProducersTopicResponse {
            partitions: topic
                .partition_indexes
                .iter()
                .map(|index| describe(context, &topic.name, *index))
                .collect(),
            name: topic.name,
        });
        DescribeProducersResponse { topics: topics.collect(), ..DescribeProducersResponse::default() }
    })
}

fn describe(
    context: &RequestContext,
    topic: &str,
    partition_index: i32,
) -> DescribeProducersPartitionResponse {
    match producers(context, topic, partition_index) {
        Ok(active_producers) => DescribeProducersPartitionResponse {
            partition_index,
            active_producers,
            ..DescribeProducersPartitionResponse::default()
        },
        Err(error) => DescribeProducersPartitionResponse {
            partition_index,
            error_code: error.code().code(),
            error_message: Some(error.to_string().into()),
            ..DescribeProducersPartitionResponse::default()
        },
    }
}

fn producers(context: &RequestContext, topic: &str, partition: i32) -> Result<Vec<ProducerState>, Error> {
    let partition = context.core.partition(topic, partition)?;
    let Some(log) = partition.existing_log() else { return Ok(Vec::new()) };
    let mut producers = log.active_producers();
    producers.sort_unstable_by_key(|producer| producer.producer_id);
    let described = producers.into_iter().map(|producer| ProducerState {
        producer_id: producer.producer_id,
        producer_epoch: i32::from(producer.producer_epoch),
        last_sequence: producer.last_sequence(),
        last_timestamp: producer.last_timestamp,
        coordinator_epoch: producer.coordinator_epoch,
        current_txn_start_offset: producer.current_txn_first_offset.unwrap_or(-1),
    });
    Ok(described.collect())
}
