//! ConsumerGroupHeartbeat, 0-1: a member of a consumer group joins, stays, is told what to read, and leaves (KIP-848).
//!
//! Up to 0 a member without an id gets one; from 1 on it brings its own (KIP-1082), and may subscribe by a pattern.

use std::collections::{BTreeMap, BTreeSet};

use super::request::Call;
use crate::broker::{ConsumerGroupHeartbeatParams, ConsumerGroupHeartbeatResult, GroupError};
use crate::model::ErrorCode;
use crate::protocol::messages::consumer_group_heartbeat::{Assignment, TopicPartitions};
use crate::protocol::{ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, StrBytes};
use crate::server::network::Outcome;

/// The first version in which members bring their ids.
const FIRST_OWN_MEMBER_ID: i16 = 1;

pub(super) fn handle(call: Call<'_>, request: ConsumerGroupHeartbeatRequest) -> Outcome {
    let context = &call.context;
    if let Err(error) = context.core.ensure_offsets_topic() {
        tracing::error!("{context}: {error}");
        return call.respond(&refused(ErrorCode::CoordinatorNotAvailable.into()));
    }
    let client_host = context.client_host();
    let client_id = context.header.client_id.clone().unwrap_or_default();
    let topic_partitions = request.topic_partitions.as_ref().map(|owned| {
        let mut partitions = BTreeMap::new();
        for topic in owned {
            let of_topic: &mut BTreeSet<i32> = partitions.entry(topic.topic_id).or_default();
            of_topic.extend(&topic.partitions);
        }
        partitions
    });
    let names = request.subscribed_topic_names.as_ref();
    let params = ConsumerGroupHeartbeatParams {
        group_id: &request.group_id,
        member_id: &request.member_id,
        member_epoch: request.member_epoch,
        requires_member_id: context.version() >= FIRST_OWN_MEMBER_ID,
        instance_id: request.instance_id.as_deref(),
        rack_id: request.rack_id.as_deref(),
        rebalance_timeout_ms: request.rebalance_timeout_ms,
        subscribed_topic_names: names.map(|names| names.iter().map(|name| &**name).collect()),
        subscribed_topic_regex: request.subscribed_topic_regex.as_deref(),
        server_assignor: request.server_assignor.as_deref(),
        topic_partitions,
        client_id: &client_id,
        client_host: &client_host,
    };
    let response = context.core.groups.consumer_group_heartbeat(&params).map_or_else(refused, accepted);
    call.respond(&response)
}

fn refused(error: GroupError) -> ConsumerGroupHeartbeatResponse {
    ConsumerGroupHeartbeatResponse {
        error_code: error.code.code(),
        error_message: Some(error.message.into()),
        ..ConsumerGroupHeartbeatResponse::default()
    }
}

fn accepted(result: ConsumerGroupHeartbeatResult) -> ConsumerGroupHeartbeatResponse {
    let assignment = result.assignment.map(|partitions| {
        let topics = partitions.into_iter().map(|(topic_id, partitions)| TopicPartitions {
            topic_id,
            partitions: partitions.into_iter().collect(),
        });
        Assignment { topic_partitions: topics.collect() }
    });
    ConsumerGroupHeartbeatResponse {
        member_id: Some(StrBytes::from(&*result.member_id)),
        member_epoch: result.member_epoch,
        heartbeat_interval_ms: result.heartbeat_interval_ms,
        assignment,
        ..ConsumerGroupHeartbeatResponse::default()
    }
}
