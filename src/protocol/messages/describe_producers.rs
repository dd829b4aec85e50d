//! DescribeProducers, 0: who writes to partitions, as their logs know it (KIP-664).

use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    DescribeProducersRequest {
        [0+] topics: Vec<DescribeProducersTopicRequest>;
    }

    DescribeProducersTopicRequest {
        [0+] name: StrBytes;
        [0+] partition_indexes: Vec<i32>;
    }

    DescribeProducersResponse {
        [0+] throttle_time_ms: i32;
        [0+] topics: Vec<DescribeProducersTopicResponse>;
    }

    DescribeProducersTopicResponse {
        [0+] name: StrBytes;
        [0+] partitions: Vec<DescribeProducersPartitionResponse>;
    }

    DescribeProducersPartitionResponse {
        [0+] partition_index: i32;
        [0+] error_code: i16;
        [0+] error_message: Option<StrBytes>;
        [0+] active_producers: Vec<ProducerState>;
    }

    ProducerState {
        [0+] producer_id: i64;
        [0+] producer_epoch: i32;
        [0+] last_sequence: i32 = -1;
        [0+] last_timestamp: i64 = -1;
        [0+] coordinator_epoch: i32;
        [0+] current_txn_start_offset: i64 = -1;
    }
}
