//! DescribeTopicPartitions, 0: topics page by page, with the replicas that may still be elected (KIP-966). Flexible from
//! 0.
//!
//! The response's cursor, if there is one, is where the next request goes on. The struct is the same in both.

use crate::model::Uuid;
use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    DescribeTopicPartitionsRequest {
        [0+] topics: Vec<TopicRequest>;
        [0+] response_partition_limit: i32 = 2000;
        [0+] cursor: Option<Cursor>;
    }

    TopicRequest {
        [0+] name: StrBytes;
    }

    Cursor {
        [0+] topic_name: StrBytes;
        [0+] partition_index: i32;
    }

    DescribeTopicPartitionsResponse {
        [0+] throttle_time_ms: i32;
        [0+] topics: Vec<DescribeTopicPartitionsResponseTopic>;
        [0+] next_cursor: Option<Cursor>;
    }

    DescribeTopicPartitionsResponseTopic {
        [0+] error_code: i16;
        [0+] name: Option<StrBytes> = Some(StrBytes::new());
        [0+] topic_id: Uuid = Uuid::ZERO;
        [0+] is_internal: bool;
        [0+] partitions: Vec<DescribeTopicPartitionsResponsePartition>;
        [0+] topic_authorized_operations: i32 = i32::MIN;
    }

    DescribeTopicPartitionsResponsePartition {
        [0+] error_code: i16;
        [0+] partition_index: i32;
        [0+] leader_id: i32;
        [0+] leader_epoch: i32 = -1;
        [0+] replica_nodes: Vec<i32>;
        [0+] isr_nodes: Vec<i32>;
        [0+] eligible_leader_replicas: Option<Vec<i32>>;
        [0+] last_known_elr: Option<Vec<i32>>;
        [0+] offline_replicas: Vec<i32>;
    }
}
