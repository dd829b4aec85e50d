//! ListOffsets, 0-11: offsets by timestamp, where some negative timestamps stand for places in the log.
//!
//! 0 gives several offsets by segment, from 1 on it is one, with its timestamp. 2 adds isolation levels; 4 leader epochs;
//! 6 is flexible; 10 adds a timeout. Places: -1 the end and -2 the start; from 7 on -3 the largest timestamp (KIP-734),
//! from 8 -4 the local start (KIP-405), from 9 -5 the end of what is tiered (KIP-1005), from 11 -6 the first that still
//! has to be tiered (KIP-1023).

use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    ListOffsetsRequest {
        [0+]  replica_id: i32;
        [2+]  isolation_level: i8;
        [0+]  topics: Vec<ListOffsetsTopic>;
        [10+] timeout_ms: i32;
    }

    ListOffsetsTopic {
        [0+] name: StrBytes;
        [0+] partitions: Vec<ListOffsetsPartition>;
    }

    ListOffsetsPartition {
        [0+] partition_index: i32;
        [4+] current_leader_epoch: i32 = -1;
        [0+] timestamp: i64;
        [0]  max_num_offsets: i32 = 1;
    }

    ListOffsetsResponse {
        [2+] throttle_time_ms: i32;
        [0+] topics: Vec<ListOffsetsTopicResponse>;
    }

    ListOffsetsTopicResponse {
        [0+] name: StrBytes;
        [0+] partitions: Vec<ListOffsetsPartitionResponse>;
    }

    ListOffsetsPartitionResponse {
        [0+] partition_index: i32;
        [0+] error_code: i16;
        [0]  old_style_offsets: Vec<i64>;
        [1+] timestamp: i64 = -1;
        [1+] offset: i64 = -1;
        [4+] leader_epoch: i32 = -1;
    }
}
