//! OffsetDelete, 0: forgets the offsets of topics that no member of the group reads (KIP-496). Never flexible.

use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    OffsetDeleteRequest {
        [0+] group_id: StrBytes;
        [0+] topics: Vec<OffsetDeleteRequestTopic>;
    }

    OffsetDeleteRequestTopic {
        [0+] name: StrBytes;
        [0+] partitions: Vec<OffsetDeleteRequestPartition>;
    }

    OffsetDeleteRequestPartition {
        [0+] partition_index: i32;
    }

    OffsetDeleteResponse {
        [0+] error_code: i16;
        [0+] throttle_time_ms: i32;
        [0+] topics: Vec<OffsetDeleteResponseTopic>;
    }

    OffsetDeleteResponseTopic {
        [0+] name: StrBytes;
        [0+] partitions: Vec<OffsetDeleteResponsePartition>;
    }

    OffsetDeleteResponsePartition {
        [0+] partition_index: i32;
        [0+] error_code: i16;
    }
}
