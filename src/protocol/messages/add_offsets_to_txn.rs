//! AddOffsetsToTxn, 0-4: a group whose offsets a transaction is going to commit.
//!
//! 2 may answer PRODUCER_FENCED; 3 is flexible; 4 may answer TRANSACTION_ABORTABLE (KIP-890).

use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    AddOffsetsToTxnRequest {
        [0+] transactional_id: StrBytes;
        [0+] producer_id: i64;
        [0+] producer_epoch: i16;
        [0+] group_id: StrBytes;
    }

    AddOffsetsToTxnResponse {
        [0+] throttle_time_ms: i32;
        [0+] error_code: i16;
    }
}
