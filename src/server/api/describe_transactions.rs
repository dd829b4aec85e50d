//! DescribeTransactions, 0: where transactional ids stand (KIP-664).

use super::request::{Call, RequestContext};
use crate::protocol::messages::describe_transactions::{
    DescribeTransactionsState, DescribeTransactionsTopic,
};
use crate::protocol::{DescribeTransactionsRequest, DescribeTransactionsResponse, StrBytes};
use crate::server::network::Outcome;

pub(super) fn handle(call: Call<'_>, request: DescribeTransactionsRequest) -> Outcome {
    let ids = request.transactional_ids.into_iter();
    let transaction_states = ids.map(|id| describe(&call.context, id)).collect();
    call.respond(&DescribeTransactionsResponse {
        transaction_states,
        ..DescribeTransactionsResponse::default()
    })
}

fn describe(context: &RequestContext, transactional_id: StrBytes) -> DescribeTransactionsState {
    let described = match context.core.transactions.describe(&transactional_id) {
        Ok(described) => described,
        Err(error) => {
            return DescribeTransactionsState {
                error_code: error.code(),
                transactional_id,
                ..DescribeTransactionsState::default()
            };
        }
    };
    let topics = described.partitions.chunk_by(|a, b| a.topic() == b.topic());
    let topics = topics.map(|partitions| DescribeTransactionsTopic {
        topic: partitions.first().map_or("", |partition| partition.topic()).into(),
        partitions: partitions.iter().map(|partition| partition.partition()).collect(),
    });
    DescribeTransactionsState {
        error_code: 0,
        transactional_id,
        transaction_state: StrBytes::from_static(described.state.name()),
        transaction_timeout_ms: described.timeout_ms,
        transaction_start_time_ms: described.start_timestamp,
        producer_id: described.producer.producer_id,
        producer_epoch: described.producer.producer_epoch,
        topics: topics.collect(),
    }
}
