//! FindCoordinator, 0-6: which broker coordinates a group. Here it is always this one.
//!
//! 0 came with 0.8.2; 1 adds key types for transactional ids and error messages (KIP-98); 3 is flexible; 4 takes
//! several keys (KIP-699); 5 may answer TRANSACTION_ABORTABLE (KIP-890); 6 knows share groups (KIP-932).
//!
//! `__consumer_offsets` is made when the first group is asked for, before the answer leaves.
//!
//! There is no transaction coordinator. A client that looks for one gets TRANSACTIONAL_ID_AUTHORIZATION_FAILED: of all
//! codes that this API may answer, it is the one at which Java clients and librdkafka give up at once;
//! COORDINATOR_NOT_AVAILABLE would have them ask until they time out, and librdkafka asks on at any other.

use super::request::{Call, RequestContext};
use crate::model::ErrorCode;
use crate::protocol::messages::find_coordinator::Coordinator;
use crate::protocol::{FindCoordinatorRequest, FindCoordinatorResponse, StrBytes};
use crate::server::network::Outcome;

const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;

pub(super) fn handle(call: Call<'_>, request: FindCoordinatorRequest) -> Outcome {
    if request.key_type == GROUP && !call.context.core.has_offsets_topic() {
        return call.respond_on_io_thread(request, find);
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
    FindCoordinatorResponse {
        error_code: found.error_code,
        error_message: found.error_message,
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
    let mut coordinator = match key_type {
        GROUP => match context.core.ensure_offsets_topic() {
            Ok(()) => {
                let endpoint = context.endpoints.advertised(&context.connection);
                Coordinator {
                    node_id: context.core.node_id,
                    host: endpoint.host,
                    port: i32::from(endpoint.port),
                    error_message: None,
                    ..Coordinator::default()
                }
            }
            Err(error) => {
                tracing::error!(%error, "cannot make the topic of committed offsets");
                not_found(ErrorCode::CoordinatorNotAvailable, error.to_string())
            }
        },
        TRANSACTION => not_found(
            ErrorCode::TransactionalIdAuthorizationFailed,
            "This broker has no transactions yet: do without a transactional.id.".to_owned(),
        ),
        _ => not_found(ErrorCode::InvalidRequest, format!("Coordinator type {key_type} is not known.")),
    };
    coordinator.key = key;
    coordinator
}
