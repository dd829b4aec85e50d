//! ListPartitionReassignments, 0: which partitions are on their way to other brokers (KIP-455).

use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    ListPartitionReassignmentsRequest {
        [0+] timeout_ms: i32 = 60_000;
        [0+] topics: Option<Vec<ListPartitionReassignmentsTopics>>;
    }

    ListPartitionReassignmentsTopics {
        [0+] name: StrBytes;
        [0+] partition_indexes: Vec<i32>;
    }

    ListPartitionReassignmentsResponse {
        [0+] throttle_time_ms: i32;
        [0+] error_code: i16;
        [0+] error_message: Option<StrBytes> = Some(StrBytes::new());
        [0+] topics: Vec<OngoingTopicReassignment>;
    }

    OngoingTopicReassignment {
        [0+] name: StrBytes;
        [0+] partitions: Vec<OngoingPartitionReassignment>;
    }

    OngoingPartitionReassignment {
        [0+] partition_index: i32;
        [0+] replicas: Vec<i32>;
        [0+] adding_replicas: Vec<i32>;
        [0+] removing_replicas: Vec<i32>;
    }
}
