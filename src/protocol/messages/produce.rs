//! Produce, 0-13: batches to append.
//!
//! 0 to 2 carry message sets of magic 0 and 1, from 3 on records are batches of magic 2; 3 adds the transactional id.
//! 7 allows zstd. 9 is flexible. 13 names topics by id alone (KIP-516). 12 marks a client that adds partitions to its
//! transaction by producing to them (KIP-890).
//!
//! In the response, 1 adds the throttle time, 2 the append time, 5 the log start offset, 8 the errors of single records
//! (KIP-467), 10 the present leader and its address where the client asked the wrong broker (KIP-951).

use crate::model::Uuid;
use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;
use crate::record::Records;

message! {
    ProduceRequest {
        [3+] transactional_id: Option<StrBytes>;
        [0+] acks: i16;
        [0+] timeout_ms: i32;
        [0+] topic_data: Vec<TopicProduceData>;
    }

    TopicProduceData {
        [0-12] name: StrBytes;
        [13+]  topic_id: Uuid = Uuid::ZERO;
        [0+]   partition_data: Vec<PartitionProduceData>;
    }

    PartitionProduceData {
        [0+] index: i32;
        [0+] records: Option<Records>;
    }

    ProduceResponse {
        [0+]  responses: Vec<TopicProduceResponse>;
        [1+]  throttle_time_ms: i32;
        [10+] node_endpoints: Vec<NodeEndpoint>, tag 0;
    }

    TopicProduceResponse {
        [0-12] name: StrBytes;
        [13+]  topic_id: Uuid = Uuid::ZERO;
        [0+]   partition_responses: Vec<PartitionProduceResponse>;
    }

    PartitionProduceResponse {
        [0+]  index: i32;
        [0+]  error_code: i16;
        [0+]  base_offset: i64;
        [2+]  log_append_time_ms: i64 = -1;
        [5+]  log_start_offset: i64 = -1;
        [8+]  record_errors: Vec<BatchIndexAndErrorMessage>;
        [8+]  error_message: Option<StrBytes>;
        [10+] current_leader: LeaderIdAndEpoch, tag 0;
    }

    BatchIndexAndErrorMessage {
        [8+] batch_index: i32;
        [8+] batch_index_error_message: Option<StrBytes>;
    }

    LeaderIdAndEpoch {
        [10+] leader_id: i32 = -1;
        [10+] leader_epoch: i32 = -1;
    }

    NodeEndpoint {
        [10+] node_id: i32;
        [10+] host: StrBytes;
        [10+] port: i32;
        [10+] rack: Option<StrBytes>;
    }
}
