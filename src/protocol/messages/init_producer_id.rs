//! InitProducerId, 0-5: the id and epoch of an idempotent or transactional producer.
//!
//! 2 is flexible; 3 lets a producer keep its id and raise its epoch (KIP-360); 4 may answer PRODUCER_FENCED; 5
//! TRANSACTION_ABORTABLE (KIP-890).

use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    InitProducerIdRequest {
        [0+] transactional_id: Option<StrBytes> = Some(StrBytes::new());
        [0+] transaction_timeout_ms: i32;
        [3+] producer_id: i64 = -1;
        [3+] producer_epoch: i16 = -1;
    }

    InitProducerIdResponse {
        [0+] throttle_time_ms: i32;
        [0+] error_code: i16;
        [0+] producer_id: i64 = -1;
        [0+] producer_epoch: i16;
    }
}
