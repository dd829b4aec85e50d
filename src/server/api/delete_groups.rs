//! DeleteGroups, 0-2: removes groups without members, and what they have committed (KIP-229); 2 is flexible.

use std::collections::HashSet;

use super::request::Call;
use crate::protocol::messages::delete_groups::DeletableGroupResult;
use crate::protocol::{DeleteGroupsRequest, DeleteGroupsResponse};
use crate::server::network::Outcome;

pub(super) fn handle(call: Call<'_>, request: DeleteGroupsRequest) -> Outcome {
    let mut group_ids = request.groups_names;
    let mut seen = HashSet::new();
    // Named twice it is deleted once.
    group_ids.retain(|group_id| seen.insert(group_id.clone()));
    let names: Vec<&str> = group_ids.iter().map(|group_id| &**group_id).collect();
    let codes = call.context.core.groups.delete_groups(&names);
    let results = group_ids.iter().zip(codes).map(|(group_id, error)| DeletableGroupResult {
        group_id: group_id.clone(),
        error_code: error.code(),
    });
    let response = DeleteGroupsResponse { results: results.collect(), ..DeleteGroupsResponse::default() };
    call.respond(&response)
}
