//! SyncGroup, 0-5: brings the leader's assignment, and fetches the member's own.
//!
//! 1 adds the throttle time; 3 static members (KIP-345); 4 is flexible; 5 repeats the protocol, so that it can be checked
//! (KIP-559).

use bytes::Bytes;

use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    SyncGroupRequest {
        [0+] group_id: StrBytes;
        [0+] generation_id: i32;
        [0+] member_id: StrBytes;
        [3+] group_instance_id: Option<StrBytes>;
        [5+] protocol_type: Option<StrBytes>;
        [5+] protocol_name: Option<StrBytes>;
        [0+] assignments: Vec<SyncGroupRequestAssignment>;
    }

    SyncGroupRequestAssignment {
        [0+] member_id: StrBytes;
        [0+] assignment: Bytes;
    }

    SyncGroupResponse {
        [1+] throttle_time_ms: i32;
        [0+] error_code: i16;
        [5+] protocol_type: Option<StrBytes>;
        [5+] protocol_name: Option<StrBytes>;
        [0+] assignment: Bytes;
    }
}
