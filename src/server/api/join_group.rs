//! JoinGroup, 0-9: a wish to be a member of the next generation of a group.
//!
//! 1 adds the time that a rebalance may take (KIP-62); 4 gives a new member its id first, with MEMBER_ID_REQUIRED
//! (KIP-394); 5 knows static members (KIP-345); 6 is flexible; 7 answers the protocol's type (KIP-559); 8 says why
//! (KIP-800); 9 can tell a leader that is back not to assign anything (KIP-814).
//!
//! The answer leaves when the generation is complete: the join is parked without a thread until then.

use std::sync::Arc;

use super::request::Call;
use crate::broker::{JoinGroupParams, JoinGroupProtocol, JoinGroupResult};
use crate::protocol::messages::join_group::JoinGroupResponseMember;
use crate::protocol::{JoinGroupRequest, JoinGroupResponse, StrBytes};
use crate::server::network::Outcome;

/// The first version that has the time that a rebalance may take.
const FIRST_REBALANCE_TIMEOUT: i16 = 1;
/// The first version that a new member gets its id by before it joins.
const FIRST_MEMBER_ID_REQUIRED: i16 = 4;
/// The first version in which a protocol's name may be null.
const FIRST_NULLABLE_PROTOCOL: i16 = 7;
/// The first version that can tell a leader not to assign.
const FIRST_SKIP_ASSIGNMENT: i16 = 9;

pub(super) fn handle(call: Call<'_>, request: JoinGroupRequest) -> Outcome {
    let version = call.version();
    let groups = Arc::clone(&call.context.core.groups);
    let client_host = call.context.client_host();
    let client_id = call.context.header.client_id.clone().unwrap_or_default();
    let protocols = request
        .protocols
        .into_iter()
        .map(|protocol| JoinGroupProtocol { name: Arc::from(&*protocol.name), metadata: protocol.metadata });
    let params = JoinGroupParams {
        group_id: &request.group_id,
        member_id: &request.member_id,
        group_instance_id: request.group_instance_id.as_deref(),
        require_known_member_id: version >= FIRST_MEMBER_ID_REQUIRED && request.group_instance_id.is_none(),
        supports_skipping_assignment: version >= FIRST_SKIP_ASSIGNMENT,
        client_id: &client_id,
        client_host: &client_host,
        rebalance_timeout_ms: match version {
            FIRST_REBALANCE_TIMEOUT.. => request.rebalance_timeout_ms,
            _ => request.session_timeout_ms,
        },
        session_timeout_ms: request.session_timeout_ms,
        protocol_type: &request.protocol_type,
        protocols: protocols.collect(),
        reason: request.reason.as_deref(),
    };
    let reply = call.defer();
    groups.join_group(params, Box::new(move |result| reply.send(&response(version, result))));
    Outcome::Pending
}

fn response(version: i16, result: JoinGroupResult) -> JoinGroupResponse {
    let text = |text: &Arc<str>| StrBytes::from(&**text);
    let members = result.members.into_iter().map(|member| JoinGroupResponseMember {
        member_id: text(&member.member_id),
        group_instance_id: member.group_instance_id.as_ref().map(text),
        metadata: member.metadata,
    });
    JoinGroupResponse {
        error_code: result.error.code(),
        generation_id: result.generation_id,
        protocol_type: result.protocol_type.as_ref().map(text),
        protocol_name: match result.protocol_name {
            None if version < FIRST_NULLABLE_PROTOCOL => Some(StrBytes::new()),
            name => name.as_ref().map(text),
        },
        leader: text(&result.leader_id),
        skip_assignment: result.skip_assignment,
        member_id: text(&result.member_id),
        members: members.collect(),
        ..JoinGroupResponse::default()
    }
}
