//! CreatePartitions, 0-3: more partitions for topics that exist.
//!
//! 2 is flexible; 3 may answer THROTTLING_QUOTA_EXCEEDED (KIP-599).

use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    CreatePartitionsRequest {
        [0+] topics: Vec<CreatePartitionsTopic>;
        [0+] timeout_ms: i32;
        [0+] validate_only: bool;
    }

    CreatePartitionsTopic {
        [0+] name: StrBytes;
        [0+] count: i32;
        [0+] assignments: Option<Vec<CreatePartitionsAssignment>> = Some(Vec::new());
    }

    CreatePartitionsAssignment {
        [0+] broker_ids: Vec<i32>;
    }

    CreatePartitionsResponse {
        [0+] throttle_time_ms: i32;
        [0+] results: Vec<CreatePartitionsTopicResult>;
    }

    CreatePartitionsTopicResult {
        [0+] name: StrBytes;
        [0+] error_code: i16;
        [0+] error_message: Option<StrBytes>;
    }
}
