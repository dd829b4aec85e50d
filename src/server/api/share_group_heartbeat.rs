//! ShareGroupHeartbeat, 1: a member of a share group joins, stays, is told what to read, and leaves (KIP-932).

use super::request::Call;
use crate::broker::{GroupError, ShareGroupHeartbeatParams, ShareGroupHeartbeatResult};
use crate::model::ErrorCode;
use crate::protocol::messages::share_group_heartbeat::{Assignment, TopicPartitions};
use crate::protocol::{ShareGroupHeartbeatRequest, ShareGroupHeartbeatResponse, StrBytes};
use crate::server::network::Outcome;

pub(super) fn handle(call: Call<'_>, request: ShareGroupHeartbeatRequest) -> Outcome {
    let context = &call.context;
    if let Err(error) = context.core.ensure_offsets_topic() {
        tracing::error!("{context}: {error}");
        return call.respond(&refused(ErrorCode::CoordinatorNotAvailable.into()));
    }
    let client_host = context.client_host();
    let client_id = context.header.client_id.clone().unwrap_or_default();
    let names = request.subscribed_topic_names.as_ref();
    let params = ShareGroupHeartbeatParams {
        group_id: &request.group_id,
        member_id: &request.member_id,
        member_epoch: request.member_epoch,
        rack_id: request.rack_id.as_deref(),
        subscribed_topic_names: names.map(|names| names.iter().map(|name| &**name).collect()),
        client_id: &client_id,
        client_host: &client_host,
    };
    let response = context.core.groups.share_group_heartbeat(&params).map_or_else(refused, accepted);
    call.respond(&response)
}

fn refused(error: GroupError) -> ShareGroupHeartbeatResponse {
    ShareGroupHeartbeatResponse {
        error_code: error.code.code(),
        error_message: Some(error.message.into()),
        ..ShareGroupHeartbeatResponse::default()
    }
}

fn accepted(result: ShareGroupHeartbeatResult) -> ShareGroupHeartbeatResponse {
    let assignment = result.assignment.map(|partitions| {
        let topics = partitions.into_iter().map(|(topic_id, partitions)| TopicPartitions {
            topic_id,
            partitions: partitions.into_iter().collect(),
        });
        Assignment { topic_partitions: topics.collect() }
    });
    ShareGroupHeartbeatResponse {
        member_id: Some(StrBytes::from(&*result.member_id)),
        member_epoch: result.member_epoch,
        heartbeat_interval_ms: result.heartbeat_interval_ms,
        assignment,
        ..ShareGroupHeartbeatResponse::default()
    }
}
