//! InitProducerId, 0-5: an id and an epoch for an idempotent or transactional producer, which numbers its batches from then on.
//!
//! 0 came with KIP-98; 2 is flexible; 3 brings the id and epoch that the producer has (KIP-360); 4 may answer
//! PRODUCER_FENCED (KIP-588), 5 TRANSACTION_ABORTABLE (KIP-890).
//!
//! Without a transactional id, each call gives an id that nobody had before, with epoch 0.

use super::request::{Call, RequestContext};
use super::transactional::{FIRST_PRODUCER_FENCED, for_version};
use crate::broker::ProducerIdAndEpoch;
use crate::model::{ErrorCode, NO_PRODUCER_EPOCH, NO_PRODUCER_ID};
use crate::protocol::{InitProducerIdRequest, InitProducerIdResponse, StrBytes};
use crate::server::network::Outcome;

pub(super) fn handle(call: Call<'_>, request: InitProducerIdRequest) -> Outcome {
    // Every thousandth id is made durable first, and a transaction may have to be aborted.
    call.respond_in_order_on_io_thread(request, |context, request| {
        let expected = match expected(&request) {
            Ok(expected) => expected,
            Err(error) => return failed(error),
        };
        match &request.transactional_id {
            Some(id) => match init(context, id, &request, expected) {
                Ok(producer) => answer(producer),
                Err(error) => failed(for_version(error, context.version(), FIRST_PRODUCER_FENCED)),
            },
            None => generate(context),
        }
    })
}

/// The id and the epoch that the producer has, if it has them; either without the other is none, whether there is a
/// transactional id or not.
fn expected(request: &InitProducerIdRequest) -> Result<Option<ProducerIdAndEpoch>, ErrorCode> {
    let InitProducerIdRequest { producer_id, producer_epoch, .. } = *request;
    match (producer_id, producer_epoch) {
        (NO_PRODUCER_ID, NO_PRODUCER_EPOCH) => Ok(None),
        (NO_PRODUCER_ID, _) | (_, NO_PRODUCER_EPOCH) => Err(ErrorCode::InvalidRequest),
        _ => Ok(Some(ProducerIdAndEpoch { producer_id, producer_epoch })),
    }
}

fn init(
    context: &RequestContext,
    id: &StrBytes,
    request: &InitProducerIdRequest,
    expected: Option<ProducerIdAndEpoch>,
) -> Result<ProducerIdAndEpoch, ErrorCode> {
    context.core.transactions.init_producer_id(id, request.transaction_timeout_ms, expected)
}

fn answer(producer: ProducerIdAndEpoch) -> InitProducerIdResponse {
    let ProducerIdAndEpoch { producer_id, producer_epoch } = producer;
    InitProducerIdResponse { producer_id, producer_epoch, ..InitProducerIdResponse::default() }
}

fn generate(context: &RequestContext) -> InitProducerIdResponse {
    match context.core.generate_producer_id() {
        Ok(producer_id) => answer(ProducerIdAndEpoch { producer_id, producer_epoch: 0 }),
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
