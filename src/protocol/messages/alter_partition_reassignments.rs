//! AlterPartitionReassignments, 0-1: on which brokers partitions are to be (KIP-455). 1 says whether they may become more
//! or fewer (KIP-860).

use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    AlterPartitionReassignmentsRequest {
        [0+] timeout_ms: i32 = 60_000;
        [1+] allow_replication_factor_change: bool = true;
        [0+] topics: Vec<ReassignableTopic>;
    }

    ReassignableTopic {
        [0+] name: StrBytes;
        [0+] partitions: Vec<ReassignablePartition>;
    }

    ReassignablePartition {
        [0+] partition_index: i32;
        [0+] replicas: Option<Vec<i32>>;
    }

    AlterPartitionReassignmentsResponse {
        [0+] throttle_time_ms: i32;
        [1+] allow_replication_factor_change: bool = true;
        [0+] error_code: i16;
        [0+] error_message: Option<StrBytes> = Some(StrBytes::new());
        [0+] responses: Vec<ReassignableTopicResponse>;
    }

    ReassignableTopicResponse {
        [0+] name: StrBytes;
        [0+] partitions: Vec<ReassignablePartitionResponse>;
    }

    ReassignablePartitionResponse {
        [0+] partition_index: i32;
        [0+] error_code: i16;
        [0+] error_message: Option<StrBytes> = Some(StrBytes::new());
    }
}
