//! ListGroups, 0-5: the groups of this coordinator.
//!
//! 3 is flexible; 4 asks for groups in some states (KIP-518), 5 for groups of some types (KIP-848).

use super::request::Call;
use crate::protocol::messages::list_groups::ListedGroup;
use crate::protocol::{ListGroupsRequest, ListGroupsResponse, StrBytes};
use crate::server::network::Outcome;

pub(super) fn handle(call: Call<'_>, request: ListGroupsRequest) -> Outcome {
    let states: Vec<&str> = request.states_filter.iter().map(|state| &**state).collect();
    let types: Vec<&str> = request.types_filter.iter().map(|type_| &**type_).collect();
    let (error, groups) = call.context.core.groups.list_groups(&states, &types);
    let here = call.context.node();
    let is_here = |id: &str| here.is_none() || call.context.core.group_coordinator(id) == here;
    let groups = groups.into_iter().filter(|group| is_here(&group.group_id)).map(|group| ListedGroup {
        group_id: StrBytes::from(&*group.group_id),
        protocol_type: StrBytes::from(&*group.protocol_type),
        group_state: StrBytes::from_static(group.state.name()),
        group_type: StrBytes::from_static(group.group_type.name()),
    });
    let response =
        ListGroupsResponse { error_code: error.code(), groups: groups.collect(), ..Default::default() };
    call.respond(&response)
}
