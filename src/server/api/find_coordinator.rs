//! FindCoordinator, 0-6: which broker coordinates a group or a transactional id: this one, if it is alone.
//!
//! 0 came with 0.8.2; 1 adds key types for transactional ids and error messages (KIP-98); 3 is flexible; 4 takes
//! several keys (KIP-699); 5 may answer TRANSACTION_ABORTABLE (KIP-890); 6 knows share groups (KIP-932).
//!
//! `__consumer_offsets` is made when the first group is asked for, `__transaction_state` with the first transactional
//! id, `__share_group_state` with the first share group's state, before the answer leaves. That state is asked for by
//! group, topic id and partition, with colons between them.

use super::request::{Call, RequestContext};
use crate::broker::SharePartitionKey;
use crate::model::ErrorCode;
use crate::protocol::messages::find_coordinator::Coordinator;
use crate::protocol::{FindCoordinatorRequest, FindCoordinatorResponse, StrBytes};
use crate::server::network::Outcome;

const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;
const SHARE: i8 = 2;
/// The first version that knows share groups.
const FIRST_SHARE: i16 = 6;

pub(super) fn handle(call: Call<'_>, request: FindCoordinatorRequest) -> Outcome {
    let core = &call.context.core;
    let is_ready = match request.key_type {
        GROUP => core.has_offsets_topic(),
        TRANSACTION => core.has_transaction_topic(),
        SHARE => core.has_share_state_topic(),
        _ => true,
    };
    if !is_ready {
        return call.respond_in_order_on_io_thread(request, find);
    }
    let response = find(&call.context, request);
    call.respond(&response)
}

fn find(context: &RequestContext, request: FindCoordinatorRequest) -> FindCoordinatorResponse {
    if context.version() >= 4 {
        let keys = request.coordinator_keys.into_iter();
        let coordinators = keys.map(|key| find_one(context, request.key_type, key)).collect();
        return FindCoordinatorResponse { coordinators, ..FindCoordinatorResponse::default() };
    }
    let found = find_one(context, request.key_type, request.key);
    let error_message = match ErrorCode::from_code(found.error_code) {
        // Kafka's text of no error.
        ErrorCode::None => Some(StrBytes::from_static("NONE")),
        _ => found.error_message,
    };
    FindCoordinatorResponse {
        error_code: found.error_code,
        error_message,
        node_id: found.node_id,
        host: found.host,
        port: found.port,
        ..FindCoordinatorResponse::default()
    }
}

fn find_one(context: &RequestContext, key_type: i8, key: StrBytes) -> Coordinator {
    let not_found = |error: ErrorCode, message: String| Coordinator {
        node_id: -1,
        port: -1,
        error_code: error.code(),
        error_message: Some(message.into()),
        ..Coordinator::default()
    };
    let is_share_key = context.version() >= FIRST_SHARE && SharePartitionKey::parse(&key).is_some();
    let topic = match key_type {
        GROUP => Some(context.core.ensure_offsets_topic()),
        TRANSACTION => Some(context.core.ensure_transaction_topic()),
        SHARE if is_share_key => Some(context.core.ensure_share_state_topic()),
        _ => None,
    };
    let mut coordinator = match topic {
        Some(Ok(())) => {
            let core = &context.core;
            let node = match key_type {
                GROUP => core.group_coordinator(&key),
                SHARE => core.share_state_coordinator(&key),
                _ => core.transaction_coordinator(&key),
            };
            match node.and_then(|node| Some((node, context.address_of(node)?))) {
                Some((node_id, address)) => Coordinator {
                    node_id,
                    host: address.host,
                    port: i32::from(address.port),
                    ..Coordinator::default()
                },
                None => {
                    let message = "The coordinator is not available.".to_owned();
                    not_found(ErrorCode::CoordinatorNotAvailable, message)
                }
            }
        }
        Some(Err(error)) => {
            tracing::error!(%error, "cannot make the topic of a coordinator");
            not_found(ErrorCode::CoordinatorNotAvailable, error.to_string())
        }
        None => not_found(ErrorCode::InvalidRequest, format!("Coordinator type {key_type} is not known.")),
    };
    coordinator.key = key;
    coordinator
}
