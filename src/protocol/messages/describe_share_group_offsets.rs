//! DescribeShareGroupOffsets, 0-1: from where on share groups read (KIP-932). Flexible from 0; 1 adds how far behind they
//! are (KIP-1226).

use crate::model::Uuid;
use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    DescribeShareGroupOffsetsRequest {
        [0+] groups: Vec<DescribeShareGroupOffsetsRequestGroup>;
    }

    DescribeShareGroupOffsetsRequestGroup {
        [0+] group_id: StrBytes;
        [0+] topics: Option<Vec<DescribeShareGroupOffsetsRequestTopic>>;
    }

    DescribeShareGroupOffsetsRequestTopic {
        [0+] topic_name: StrBytes;
        [0+] partitions: Vec<i32>;
    }

    DescribeShareGroupOffsetsResponse {
        [0+] throttle_time_ms: i32;
        [0+] groups: Vec<DescribeShareGroupOffsetsResponseGroup>;
    }

    DescribeShareGroupOffsetsResponseGroup {
        [0+] group_id: StrBytes;
        [0+] topics: Vec<DescribeShareGroupOffsetsResponseTopic>;
        [0+] error_code: i16;
        [0+] error_message: Option<StrBytes>;
    }

    DescribeShareGroupOffsetsResponseTopic {
        [0+] topic_name: StrBytes;
        [0+] topic_id: Uuid = Uuid::ZERO;
        [0+] partitions: Vec<DescribeShareGroupOffsetsResponsePartition>;
    }

    DescribeShareGroupOffsetsResponsePartition {
        [0+] partition_index: i32;
        [0+] start_offset: i64;
        [0+] leader_epoch: i32;
        [1+] lag: i64 = -1;
        [0+] error_code: i16;
        [0+] error_message: Option<StrBytes>;
    }
}
