//! ShareAcknowledge, 1-2: a member of a share group says what has become of records that it has acquired (KIP-932).
//!
//! 2 adds the renewal of locks (KIP-1222). Epoch -1 ends the session: what the member still holds is given back.

use super::request::Call;
use super::share_acknowledgements::{Acknowledgements, FIRST_RENEW, ShareMember, acknowledge, told};
use crate::broker::share::{AcknowledgementBatch, FINAL_EPOCH};
use crate::model::ErrorCode;
use crate::protocol::messages::share_acknowledge::{
    AcknowledgePartition, PartitionData, ShareAcknowledgeTopicResponse,
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
    let ShareMember { group_id, member_id } = &member;
    if let Err(error) = share_groups.acknowledge_session(group_id, member_id, request.share_session_epoch) {
        return call.respond(&ShareAcknowledgeResponse {
            error_code: error.code(),
            error_message: Some(error.to_string().into()),
            ..ShareAcknowledgeResponse::default()
        });
    }
    let is_renew_ack = call.version() >= FIRST_RENEW && request.is_renew_ack;
    let responses = request.topics.iter().map(|topic| ShareAcknowledgeTopicResponse {
        topic_id: topic.topic_id,
        partitions: topic
            .partitions
            .iter()
            .map(|asked| {
                let said = acknowledgements(topic.topic_id, asked);
                let outcome = acknowledge(&call.context, &member, &said, is_renew_ack);
                let (error_code, error_message) = outcome.err().as_ref().map(told).unwrap_or_default();
                PartitionData {
                    partition_index: asked.partition_index,
                    error_code,
                    error_message,
                    ..PartitionData::default()
                }
            })
            .collect(),
    });
    let response = ShareAcknowledgeResponse {
        responses: responses.collect(),
        acquisition_lock_timeout_ms: share_groups.settings(group_id).record_lock_duration_ms,
        ..ShareAcknowledgeResponse::default()
    };
    if request.share_session_epoch == FINAL_EPOCH {
        share_groups.release_session(group_id, member_id);
    }
    call.respond(&response)
}

fn acknowledgements(topic_id: crate::model::Uuid, asked: &AcknowledgePartition) -> Acknowledgements {
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
