//! ListGroups, 0-5: the groups that this broker coordinates.
//!
//! 1 adds the throttle time; 3 is flexible; 4 adds the state and a filter by it (KIP-518); 5 the type and a filter by it
//! (KIP-848).

use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    ListGroupsRequest {
        [4+] states_filter: Vec<StrBytes>;
        [5+] types_filter: Vec<StrBytes>;
    }

    ListGroupsResponse {
        [1+] throttle_time_ms: i32;
        [0+] error_code: i16;
        [0+] groups: Vec<ListedGroup>;
    }

    ListedGroup {
        [0+] group_id: StrBytes;
        [0+] protocol_type: StrBytes;
        [4+] group_state: StrBytes;
        [5+] group_type: StrBytes;
    }
}
