//! AlterPartitionReassignments, 0-1: on which brokers partitions are to be (KIP-455).
//!
//! There is no other broker to go to, so that only those may be asked for where a partition is: which is what Kafka's tool
//! does when it moves partitions between the directories of one broker. Kafka: `ReplicationControlManager`.

use std::collections::HashSet;

use super::request::{Call, RequestContext};
use crate::error::{Error, Result};
use crate::model::{BrokerId, ErrorCode};
use crate::protocol::messages::alter_partition_reassignments::{
    ReassignablePartition, ReassignablePartitionResponse, ReassignableTopicResponse,
};
use crate::protocol::{AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse};
use crate::server::network::Outcome;

pub(super) fn handle(call: Call<'_>, request: AlterPartitionReassignmentsRequest) -> Outcome {
    let may_resize = request.allow_replication_factor_change;
    let responses = request.topics.iter().map(|topic| ReassignableTopicResponse {
        name: topic.name.clone(),
        partitions: topic
            .partitions
            .iter()
            .map(|asked| result(asked, reassign(&call.context, &topic.name, asked, may_resize)))
            .collect(),
    });
    let response = AlterPartitionReassignmentsResponse {
        allow_replication_factor_change: may_resize,
        error_message: None,
        responses: responses.collect(),
        ..AlterPartitionReassignmentsResponse::default()
    };
    call.respond(&response)
}

fn reassign(
    context: &RequestContext,
    topic: &str,
    asked: &ReassignablePartition,
    may_resize: bool,
) -> Result<()> {
    let core = &context.core;
    let partition = core.metadata.partition(topic, asked.partition_index);
    let partition = partition.ok_or_else(|| Error::from(ErrorCode::UnknownTopicOrPartition))?;
    let Some(replicas) = &asked.replicas else {
        return Err(ErrorCode::NoReassignmentInProgress.into());
    };
    let brokers: Vec<BrokerId> = context.brokers().into_iter().map(|(id, _)| id).collect();
    check_replicas(replicas, &brokers)?;
    let present = core.placement(&partition).replicas;
    if !may_resize && replicas.len() != present.len() {
        let message =
            "The replication factor of the partition would change, which the request does not allow.";
        return Err(Error::new(ErrorCode::InvalidReplicationFactor, message));
    }
    let wanted: HashSet<_> = replicas.iter().collect();
    match wanted == present.iter().collect() {
        true => Ok(()),
        false => Err(invalid("Partitions stay with the brokers that have them.".to_owned())),
    }
}

fn check_replicas(replicas: &[BrokerId], brokers: &[BrokerId]) -> Result<()> {
    if replicas.is_empty() {
        return Err(invalid("The replica list must not be empty.".to_owned()));
    }
    let mut seen = HashSet::new();
    for id in replicas {
        if !brokers.contains(id) {
            return Err(invalid(format!("There is no broker {id}.")));
        }
        if !seen.insert(id) {
            return Err(invalid(format!("Broker {id} is named twice.")));
        }
    }
    Ok(())
}

fn invalid(message: String) -> Error {
    Error::new(ErrorCode::InvalidReplicaAssignment, message)
}

fn result(asked: &ReassignablePartition, outcome: Result<()>) -> ReassignablePartitionResponse {
    let (error_code, error_message) = super::config_resource::outcome(&outcome);
    ReassignablePartitionResponse { partition_index: asked.partition_index, error_code, error_message }
}
