//! EndTxn, 0-5: commits a transaction, or aborts it.
//!
//! 2 may answer PRODUCER_FENCED (KIP-588); 3 is flexible; 4 may answer TRANSACTION_ABORTABLE; 5 raises the producer's
//! epoch, and answers with the id and epoch to go on with (both KIP-890).
//!
//! When the answer leaves, the transaction is decided, and its partitions have their markers unless a disk refused.

use super::request::{Call, RequestContext};
use super::transactional::{FIRST_PRODUCER_FENCED_OF_TXN, for_version};
use crate::broker::{ProducerIdAndEpoch, TransactionVersion};
use crate::protocol::{EndTxnRequest, EndTxnResponse};
use crate::server::network::Outcome;

/// The first version of the second generation.
const FIRST_BUMP: i16 = 5;

pub(super) fn handle(call: Call<'_>, request: EndTxnRequest) -> Outcome {
    // Every partition gets its marker, and some may have to be flushed.
    call.respond_in_order_on_io_thread(request, answer)
}

fn answer(context: &RequestContext, request: EndTxnRequest) -> EndTxnResponse {
    let version = context.version();
    let generation = if version >= FIRST_BUMP { TransactionVersion::V2 } else { TransactionVersion::V0 };
    let EndTxnRequest { transactional_id, producer_id, producer_epoch, committed } = request;
    let producer = ProducerIdAndEpoch { producer_id, producer_epoch };
    match context.core.transactions.end_txn(&transactional_id, producer, committed, generation) {
        Ok(ProducerIdAndEpoch { producer_id, producer_epoch }) => {
            EndTxnResponse { producer_id, producer_epoch, ..EndTxnResponse::default() }
        }
        Err(error) => EndTxnResponse {
            error_code: for_version(error, version, FIRST_PRODUCER_FENCED_OF_TXN).code(),
            ..EndTxnResponse::default()
        },
    }
}
