//! AddOffsetsToTxn, 0-4: the transaction is going to commit offsets of a group: its partition of `__consumer_offsets`
//! becomes part of the transaction.
//!
//! 2 may answer PRODUCER_FENCED (KIP-588); 3 is flexible; 4 may answer TRANSACTION_ABORTABLE (KIP-890).

use super::request::{Call, RequestContext};
use super::transactional::{FIRST_PRODUCER_FENCED_OF_TXN, for_version};
use crate::broker::{ProducerIdAndEpoch, TransactionVersion};
use crate::model::{CONSUMER_OFFSETS_TOPIC, ErrorCode, TopicPartition};
use crate::protocol::{AddOffsetsToTxnRequest, AddOffsetsToTxnResponse};
use crate::server::network::Outcome;

pub(super) fn handle(call: Call<'_>, request: AddOffsetsToTxnRequest) -> Outcome {
    if !call.context.core.has_offsets_topic() {
        return call.respond_in_order_on_io_thread(request, answer);
    }
    let response = answer(&call.context, request);
    call.respond(&response)
}

fn answer(context: &RequestContext, request: AddOffsetsToTxnRequest) -> AddOffsetsToTxnResponse {
    let error = add(context, &request).err().unwrap_or(ErrorCode::None);
    let error = for_version(error, context.version(), FIRST_PRODUCER_FENCED_OF_TXN);
    AddOffsetsToTxnResponse { error_code: error.code(), ..AddOffsetsToTxnResponse::default() }
}

fn add(context: &RequestContext, request: &AddOffsetsToTxnRequest) -> Result<(), ErrorCode> {
    let core = &context.core;
    core.ensure_offsets_topic().map_err(|error| {
        tracing::error!("{context}: {error}");
        ErrorCode::CoordinatorNotAvailable
    })?;
    let partition = core.groups.partition_for(&request.group_id).ok_or(ErrorCode::CoordinatorNotAvailable)?;
    let AddOffsetsToTxnRequest { producer_id, producer_epoch, .. } = *request;
    core.transactions.add_partitions(
        &request.transactional_id,
        ProducerIdAndEpoch { producer_id, producer_epoch },
        &[TopicPartition::new(CONSUMER_OFFSETS_TOPIC, partition)],
        TransactionVersion::V0,
    )
}
