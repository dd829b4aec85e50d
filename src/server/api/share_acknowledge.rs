//! ShareAcknowledge, 1-2: a member of a share group says what has become of records that it has acquired (KIP-932).
//!
//! 2 adds the renewal of locks (KIP-1222). Epoch -1 ends the session: what the member still holds is given back.

use super::request::{Call, RequestContext};
use super::share_acknowledgements::{
    Acknowledgements, FIRST_RENEW, ShareMember, acknowledge, leader_of, told,
};
use crate::broker::share::{AcknowledgementBatch, FINAL_EPOCH};
use crate::model::{ErrorCode, Uuid};
use crate::protocol::messages::share_acknowledge::{
    AcknowledgePartition, LeaderIdAndEpoch, NodeEndpoint, PartitionData, ShareAcknowledgeTopicResponse,
};
use crate::protocol::{ShareAcknowledgeRequest, ShareAcknowledgeResponse, StrBytes};
use crate::server::network::Outcome;

pub(super) fn handle(call: Call<'_>, request: ShareAcknowledgeRequest) -> Outcome {
    let member = match ShareMember::of(request.group_id.as_ref(), request.member_id.as_ref()) {
        Ok(member) => member,
        Err(message) => {
            return call.respond(&ShareAcknowledgeResponse {
                error_code: ErrorCode::InvalidRequest.code(),
                error_message: Some(StrBytes::from_static(message)),
                ..ShareAcknowledgeResponse::default()
            });
        }
    };
    let share_groups = &call.context.core.share_groups;
    let session = member.session_key(&call.context);
    if let Err(error) = share_groups.acknowledge_session(&session, request.share_session_epoch) {
        return call.respond(&ShareAcknowledgeResponse {
            error_code: error.code(),
            error_message: Some(error.to_string().into()),
            ..ShareAcknowledgeResponse::default()
        });
    }
    let is_renew_ack = call.version() >= FIRST_RENEW && request.is_renew_ack;
    let answer = |topic_id: Uuid, asked: &AcknowledgePartition| {
        let said = acknowledgements(topic_id, asked);
        let outcome = acknowledge(&call.context, &member, &said, is_renew_ack);
        // Of who has nothing said about it, nothing is said.
        if outcome.is_ok() && said.batches.is_empty() {
            return None;
        }
        let (error_code, error_message) = outcome.err().as_ref().map(told).unwrap_or_default();
        Some(PartitionData {
            partition_index: asked.partition_index,
            error_code,
            error_message,
            ..PartitionData::default()
        })
    };
    let responses = request.topics.iter().map(|topic| ShareAcknowledgeTopicResponse {
        topic_id: topic.topic_id,
        partitions: topic.partitions.iter().filter_map(|asked| answer(topic.topic_id, asked)).collect(),
    });
    let mut response = ShareAcknowledgeResponse {
        responses: responses.filter(|topic| !topic.partitions.is_empty()).collect(),
        acquisition_lock_timeout_ms: share_groups.settings(&member.group_id).record_lock_duration_ms,
        ..ShareAcknowledgeResponse::default()
    };
    tell_leaders(&call.context, &mut response);
    if request.share_session_epoch == FINAL_EPOCH {
        share_groups.release_session(&session);
    }
    call.respond(&response)
}

/// Who leads what is led elsewhere.
fn tell_leaders(context: &RequestContext, response: &mut ShareAcknowledgeResponse) {
    let not_here = ErrorCode::NotLeaderOrFollower.code();
    for topic in &mut response.responses {
        for data in topic.partitions.iter_mut().filter(|data| data.error_code == not_here) {
            let found = leader_of(context, topic.topic_id, data.partition_index);
            let Some((node_id, leader_epoch, address)) = found else { continue };
            data.current_leader = LeaderIdAndEpoch { leader_id: node_id, leader_epoch };
            if let Some(address) =
                address.filter(|_| response.node_endpoints.iter().all(|of| of.node_id != node_id))
            {
                let (host, port) = (address.host, i32::from(address.port));
                response.node_endpoints.push(NodeEndpoint { node_id, host, port, ..NodeEndpoint::default() });
            }
        }
    }
}

fn acknowledgements(topic_id: Uuid, asked: &AcknowledgePartition) -> Acknowledgements {
    let batch =
        |batch: &crate::protocol::messages::share_acknowledge::AcknowledgementBatch| AcknowledgementBatch {
            first_offset: batch.first_offset,
            last_offset: batch.last_offset,
            types: batch.acknowledge_types.clone(),
        };
    Acknowledgements {
        topic_id,
        index: asked.partition_index,
        batches: asked.acknowledgement_batches.iter().map(batch).collect(),
    }
}
