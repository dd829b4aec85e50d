//! DescribeGroups, 0-6: state, members and assignments of groups.
//!
//! 3 tells authorized operations (KIP-430); 4 knows static members (KIP-345); 5 is flexible; 6 explains errors, and says
//! GROUP_ID_NOT_FOUND of a group that does not exist (KIP-1043), which versions before call a dead one.

use std::sync::Arc;

use super::authorized_operations;
use super::request::{Call, RequestContext};
use crate::broker::{DescribedGroup as Described, GroupState};
use crate::model::ErrorCode;
use crate::protocol::messages::describe_groups::{DescribedGroup, DescribedGroupMember};
use crate::protocol::{DescribeGroupsRequest, DescribeGroupsResponse, StrBytes};
use crate::server::network::Outcome;

/// The first version with GROUP_ID_NOT_FOUND.
const FIRST_NOT_FOUND: i16 = 6;

pub(super) fn handle(call: Call<'_>, request: DescribeGroupsRequest) -> Outcome {
    let asked = request.include_authorized_operations;
    let groups = request.groups.into_iter().map(|group_id| DescribedGroup {
        authorized_operations: authorized_operations::on_group(asked),
        ..describe(&call.context, group_id)
    });
    let response = DescribeGroupsResponse { groups: groups.collect(), ..DescribeGroupsResponse::default() };
    call.respond(&response)
}

fn describe(context: &RequestContext, group_id: StrBytes) -> DescribedGroup {
    match context.core.groups.describe_group(&group_id) {
        Ok(group) => described(group_id, group),
        Err(ErrorCode::GroupIdNotFound) => {
            let dead = DescribedGroup { group_state: GroupState::Dead.name().into(), ..Default::default() };
            if context.version() < FIRST_NOT_FOUND {
                return DescribedGroup { group_id, ..dead };
            }
            DescribedGroup {
                error_code: ErrorCode::GroupIdNotFound.code(),
                error_message: Some(format!("Group {group_id} not found.").into()),
                group_id,
                ..dead
            }
        }
        Err(error) => DescribedGroup { error_code: error.code(), group_id, ..DescribedGroup::default() },
    }
}

fn described(group_id: StrBytes, group: Described) -> DescribedGroup {
    let text = |text: &Arc<str>| StrBytes::from(&**text);
    let members = group.members.into_iter().map(|member| DescribedGroupMember {
        member_id: text(&member.member_id),
        group_instance_id: member.group_instance_id.as_ref().map(text),
        client_id: text(&member.client_id),
        client_host: text(&member.client_host),
        member_metadata: member.metadata,
        member_assignment: member.assignment,
    });
    DescribedGroup {
        group_id,
        group_state: group.state.name().into(),
        protocol_type: text(&group.protocol_type),
        protocol_data: text(&group.protocol_name),
        members: members.collect(),
        ..DescribedGroup::default()
    }
}
