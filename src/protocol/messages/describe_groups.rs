//! DescribeGroups, 0-6: classic groups with their members.
//!
//! 1 adds the throttle time; 3 authorized operations; 4 static members (KIP-345); 5 is flexible; 6 answers an unknown
//! group with GROUP_ID_NOT_FOUND and a message, where before it was a group in state Dead (KIP-1043).

use bytes::Bytes;

use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    DescribeGroupsRequest {
        [0+] groups: Vec<StrBytes>;
        [3+] include_authorized_operations: bool;
    }

    DescribeGroupsResponse {
        [1+] throttle_time_ms: i32;
        [0+] groups: Vec<DescribedGroup>;
    }

    DescribedGroup {
        [0+] error_code: i16;
        [6+] error_message: Option<StrBytes>;
        [0+] group_id: StrBytes;
        [0+] group_state: StrBytes;
        [0+] protocol_type: StrBytes;
        [0+] protocol_data: StrBytes;
        [0+] members: Vec<DescribedGroupMember>;
        [3+] authorized_operations: i32 = i32::MIN;
    }

    DescribedGroupMember {
        [0+] member_id: StrBytes;
        [4+] group_instance_id: Option<StrBytes>;
        [0+] client_id: StrBytes;
        [0+] client_host: StrBytes;
        [0+] member_metadata: Bytes;
        [0+] member_assignment: Bytes;
    }
}
