//! JoinGroup, 0-9: enters a classic group, or asks it to rebalance.
//!
//! 1 adds the rebalance timeout, which before was the session timeout; 2 the throttle time; 4 may answer
//! MEMBER_ID_REQUIRED (KIP-394); 5 adds static members (KIP-345); 6 is flexible; 7 answers with the protocol type, and
//! with null where no protocol was chosen (KIP-559); 8 adds the reason for joining (KIP-800); 9 tells a leader that it
//! need not assign (KIP-814).

use bytes::Bytes;

use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    JoinGroupRequest {
        [0+] group_id: StrBytes;
        [0+] session_timeout_ms: i32;
        [1+] rebalance_timeout_ms: i32 = -1;
        [0+] member_id: StrBytes;
        [5+] group_instance_id: Option<StrBytes>;
        [0+] protocol_type: StrBytes;
        [0+] protocols: Vec<JoinGroupRequestProtocol>;
        [8+] reason: Option<StrBytes>;
    }

    JoinGroupRequestProtocol {
        [0+] name: StrBytes;
        [0+] metadata: Bytes;
    }

    JoinGroupResponse {
        [2+] throttle_time_ms: i32;
        [0+] error_code: i16;
        [0+] generation_id: i32 = -1;
        [7+] protocol_type: Option<StrBytes>;
        [0+] protocol_name: Option<StrBytes>, null [7+] = Some(StrBytes::new());
        [0+] leader: StrBytes;
        [9+] skip_assignment: bool;
        [0+] member_id: StrBytes;
        [0+] members: Vec<JoinGroupResponseMember>;
    }

    JoinGroupResponseMember {
        [0+] member_id: StrBytes;
        [5+] group_instance_id: Option<StrBytes>;
        [0+] metadata: Bytes;
    }
}
