//! LeaveGroup, 0-5: members leave their group, or an administrator removes them.
//!
//! Up to 2 it is one member, whose error is that of the answer; from 3 on (KIP-345) they are many, also static members
//! named by their instance alone. 4 is flexible; 5 says why (KIP-800).

use super::request::Call;
use crate::broker::LeavingMember;
use crate::model::ErrorCode;
use crate::protocol::messages::leave_group::{MemberIdentity, MemberResponse};
use crate::protocol::{LeaveGroupRequest, LeaveGroupResponse};
use crate::server::network::Outcome;

/// The first version in which several members may leave.
const FIRST_MEMBERS: i16 = 3;

pub(super) fn handle(call: Call<'_>, mut request: LeaveGroupRequest) -> Outcome {
    let version = call.version();
    if version < FIRST_MEMBERS {
        request.members = vec![MemberIdentity { member_id: request.member_id, ..MemberIdentity::default() }];
    }
    let leaving: Vec<LeavingMember<'_>> = request.members.iter().map(leaving).collect();
    let result = call.context.core.groups.leave_group(&request.group_id, &leaving);
    let mut response =
        LeaveGroupResponse { error_code: result.error.code(), ..LeaveGroupResponse::default() };
    if version >= FIRST_MEMBERS {
        let members = request.members.into_iter().zip(result.members);
        response.members = members.map(|(member, error)| member_response(member, error)).collect();
    } else if result.error == ErrorCode::None
        && let Some(error) = result.members.first()
    {
        response.error_code = error.code();
    }
    call.respond(&response)
}

fn leaving(member: &MemberIdentity) -> LeavingMember<'_> {
    LeavingMember {
        member_id: &member.member_id,
        group_instance_id: member.group_instance_id.as_deref(),
        reason: member.reason.as_deref(),
    }
}

fn member_response(member: MemberIdentity, error: ErrorCode) -> MemberResponse {
    MemberResponse {
        member_id: member.member_id,
        group_instance_id: member.group_instance_id,
        error_code: error.code(),
    }
}
