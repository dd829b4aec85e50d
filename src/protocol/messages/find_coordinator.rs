//! FindCoordinator, 0-6: which broker coordinates a group or a transactional id.
//!
//! 0 knows groups only; 1 adds the key type (0 group, 1 transaction), the throttle time and error messages; 3 is
//! flexible; 4 takes several keys at once (KIP-699); 5 may answer TRANSACTION_ABORTABLE (KIP-890); 6 adds share groups
//! (key type 2, KIP-932).

use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    FindCoordinatorRequest {
        [0-3] key: StrBytes;
        [1+]  key_type: i8;
        [4+]  coordinator_keys: Vec<StrBytes>;
    }

    FindCoordinatorResponse {
        [1+]  throttle_time_ms: i32;
        [0-3] error_code: i16;
        [1-3] error_message: Option<StrBytes> = Some(StrBytes::new());
        [0-3] node_id: i32;
        [0-3] host: StrBytes;
        [0-3] port: i32;
        [4+]  coordinators: Vec<Coordinator>;
    }

    Coordinator {
        [4+] key: StrBytes;
        [4+] node_id: i32;
        [4+] host: StrBytes;
        [4+] port: i32;
        [4+] error_code: i16;
        [4+] error_message: Option<StrBytes> = Some(StrBytes::new());
    }
}
