//! LeaveGroup, 0-5: members of a classic group go.
//!
//! 1 adds the throttle time; 3 takes several members, static ones by their instance id (KIP-345); 4 is flexible; 5 adds
//! the reason (KIP-800).

use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    LeaveGroupRequest {
        [0+]  group_id: StrBytes;
        [0-2] member_id: StrBytes;
        [3+]  members: Vec<MemberIdentity>;
    }

    MemberIdentity {
        [3+] member_id: StrBytes;
        [3+] group_instance_id: Option<StrBytes>;
        [5+] reason: Option<StrBytes>;
    }

    LeaveGroupResponse {
        [1+] throttle_time_ms: i32;
        [0+] error_code: i16;
        [3+] members: Vec<MemberResponse>;
    }

    MemberResponse {
        [3+] member_id: StrBytes;
        [3+] group_instance_id: Option<StrBytes> = Some(StrBytes::new());
        [3+] error_code: i16;
    }
}
