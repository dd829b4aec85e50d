//! InitProducerId, 0-5: an id for an idempotent producer, which numbers its batches from then on.
//!
//! 0 came with KIP-98; 2 is flexible; 3 brings the id and epoch that the producer has (KIP-360); 4 may answer
//! PRODUCER_FENCED (KIP-588), 5 TRANSACTION_ABORTABLE (KIP-890).
//!
//! Each call gives an id that nobody had before, with epoch 0. A transactional id is answered with
//! TRANSACTIONAL_ID_AUTHORIZATION_FAILED, at which clients give up at once: see `find_coordinator`.

use super::request::{Call, RequestContext};
use crate::model::{ErrorCode, NO_PRODUCER_EPOCH, NO_PRODUCER_ID};
use crate::protocol::{InitProducerIdRequest, InitProducerIdResponse};
use crate::server::network::Outcome;

pub(super) fn handle(call: Call<'_>, request: InitProducerIdRequest) -> Outcome {
    let refusal = match request.transactional_id.as_deref() {
        Some("") => Some(ErrorCode::InvalidRequest),
        Some(id) => {
            tracing::warn!("{}: transactional id {id}: this broker has no transactions yet", call.context);
            Some(ErrorCode::TransactionalIdAuthorizationFailed)
        }
        None => None,
    };
    match refusal {
        Some(error) => call.respond(&failed(error)),
        // Every thousandth id is made durable first.
        None => call.respond_on_io_thread((), |context, ()| generate(context)),
    }
}

fn generate(context: &RequestContext) -> InitProducerIdResponse {
    match context.core.generate_producer_id() {
        Ok(producer_id) => InitProducerIdResponse { producer_id, ..InitProducerIdResponse::default() },
        Err(error) => {
            tracing::error!("{context}: {error}");
            // Kafka's coordinator says so while it cannot get a block of ids: the producer asks again.
            failed(ErrorCode::CoordinatorLoadInProgress)
        }
    }
}

fn failed(error: ErrorCode) -> InitProducerIdResponse {
    InitProducerIdResponse {
        error_code: error.code(),
        producer_id: NO_PRODUCER_ID,
        producer_epoch: NO_PRODUCER_EPOCH,
        ..InitProducerIdResponse::default()
    }
}
