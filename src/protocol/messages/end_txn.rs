//! EndTxn, 0-5: commits a transaction, or aborts it.
//!
//! 2 may answer PRODUCER_FENCED; 3 is flexible; 4 may answer TRANSACTION_ABORTABLE; 5 is for the second generation of
//! transactions: it raises the producer's epoch, and answers with the id and epoch to go on with (KIP-890).

use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    EndTxnRequest {
        [0+] transactional_id: StrBytes;
        [0+] producer_id: i64;
        [0+] producer_epoch: i16;
        [0+] committed: bool;
    }

    EndTxnResponse {
        [0+] throttle_time_ms: i32;
        [0+] error_code: i16;
        [5+] producer_id: i64 = -1;
        [5+] producer_epoch: i16 = -1;
    }
}
