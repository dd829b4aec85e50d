//! SyncGroup, 0-5: the leader brings the assignment of a generation, and every member gets its part.
//!
//! 3 knows static members (KIP-345); 4 is flexible; 5 says what the member believes the group to do (KIP-559).
//!
//! A member's answer leaves when the leader's assignment is in `__consumer_offsets`.

use std::sync::Arc;

use super::request::Call;
use crate::broker::{SyncGroupParams, SyncGroupResult};
use crate::model::ErrorCode;
use crate::protocol::{StrBytes, SyncGroupRequest, SyncGroupResponse};
use crate::server::network::Outcome;

/// The first version that has to name the protocol and its type.
const FIRST_PROTOCOL: i16 = 5;

pub(super) fn handle(call: Call<'_>, request: SyncGroupRequest) -> Outcome {
    let names_protocol = request.protocol_type.is_some() && request.protocol_name.is_some();
    if call.version() >= FIRST_PROTOCOL && !names_protocol {
        let error_code = ErrorCode::InconsistentGroupProtocol.code();
        return call.respond(&SyncGroupResponse { error_code, ..SyncGroupResponse::default() });
    }
    let groups = Arc::clone(&call.context.core.groups);
    let assignments = request.assignments.iter();
    let params = SyncGroupParams {
        group_id: &request.group_id,
        generation_id: request.generation_id,
        member_id: &request.member_id,
        group_instance_id: request.group_instance_id.as_deref(),
        protocol_type: request.protocol_type.as_deref(),
        protocol_name: request.protocol_name.as_deref(),
        assignments: assignments.map(|of| (&*of.member_id, of.assignment.clone())).collect(),
    };
    let reply = call.defer();
    groups.sync_group(params, Box::new(move |result| reply.send(&response(result))));
    Outcome::Pending
}

fn response(result: SyncGroupResult) -> SyncGroupResponse {
    let text = |text: &Arc<str>| StrBytes::from(&**text);
    SyncGroupResponse {
        error_code: result.error.code(),
        protocol_type: result.protocol_type.as_ref().map(text),
        protocol_name: result.protocol_name.as_ref().map(text),
        assignment: result.assignment,
        ..SyncGroupResponse::default()
    }
}
