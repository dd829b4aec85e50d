//! AlterShareGroupOffsets, 0: has a share group without members read from other offsets on (KIP-932). Flexible from 0.

use crate::model::Uuid;
use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    AlterShareGroupOffsetsRequest {
        [0+] group_id: StrBytes;
        [0+] topics: Vec<AlterShareGroupOffsetsRequestTopic>;
    }

    AlterShareGroupOffsetsRequestTopic {
        [0+] topic_name: StrBytes;
        [0+] partitions: Vec<AlterShareGroupOffsetsRequestPartition>;
    }

    AlterShareGroupOffsetsRequestPartition {
        [0+] partition_index: i32;
        [0+] start_offset: i64;
    }

    AlterShareGroupOffsetsResponse {
        [0+] throttle_time_ms: i32;
        [0+] error_code: i16;
        [0+] error_message: Option<StrBytes>;
        [0+] responses: Vec<AlterShareGroupOffsetsResponseTopic>;
    }

    AlterShareGroupOffsetsResponseTopic {
        [0+] topic_name: StrBytes;
        [0+] topic_id: Uuid = Uuid::ZERO;
        [0+] partitions: Vec<AlterShareGroupOffsetsResponsePartition>;
    }

    AlterShareGroupOffsetsResponsePartition {
        [0+] partition_index: i32;
        [0+] error_code: i16;
        [0+] error_message: Option<StrBytes>;
    }
}
