//! ListPartitionReassignments, 0: which partitions are on their way to other brokers (KIP-455): none ever is. What is on
//! its way to another directory is in DescribeLogDirs.

use super::request::Call;
use crate::protocol::{ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse};
use crate::server::network::Outcome;

pub(super) fn handle(call: Call<'_>, _: ListPartitionReassignmentsRequest) -> Outcome {
    let response = ListPartitionReassignmentsResponse { error_message: None, ..Default::default() };
    call.respond(&response)
}
