//! DeleteGroups, 0-2: groups without members go, with their offsets. 2 is flexible.

use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    DeleteGroupsRequest {
        [0+] groups_names: Vec<StrBytes>;
    }

    DeleteGroupsResponse {
        [0+] throttle_time_ms: i32;
        [0+] results: Vec<DeletableGroupResult>;
    }

    DeletableGroupResult {
        [0+] group_id: StrBytes;
        [0+] error_code: i16;
    }
}
