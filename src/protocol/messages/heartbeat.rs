//! Heartbeat, 0-4: a member of a classic group is alive.
//!
//! 1 adds the throttle time; 3 static members (KIP-345); 4 is flexible.

use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    HeartbeatRequest {
        [0+] group_id: StrBytes;
        [0+] generation_id: i32;
        [0+] member_id: StrBytes;
        [3+] group_instance_id: Option<StrBytes>;
    }

    HeartbeatResponse {
        [1+] throttle_time_ms: i32;
        [0+] error_code: i16;
    }
}
