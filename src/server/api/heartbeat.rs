//! Heartbeat, 0-4: a member of a group is alive. REBALANCE_IN_PROGRESS asks it to join again.
//!
//! 3 knows static members (KIP-345); 4 is flexible.

use super::request::Call;
use crate::broker::HeartbeatParams;
use crate::protocol::{HeartbeatRequest, HeartbeatResponse};
use crate::server::network::Outcome;

pub(super) fn handle(call: Call<'_>, request: HeartbeatRequest) -> Outcome {
    let error = call.context.core.groups.heartbeat(HeartbeatParams {
        group_id: &request.group_id,
        member_id: &request.member_id,
        group_instance_id: request.group_instance_id.as_deref(),
        generation_id: request.generation_id,
    });
    call.respond(&HeartbeatResponse { error_code: error.code(), ..HeartbeatResponse::default() })
}
