//! WriteShareGroupState, 0-1: a partition's leader has kept what a share group has done (KIP-932). Flexible from 0.
//!
//! 1 adds how many records are dealt with (KIP-1226).

use crate::model::Uuid;
use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    WriteShareGroupStateRequest {
        [0+] group_id: StrBytes;
        [0+] topics: Vec<WriteStateData>;
    }

    WriteStateData {
        [0+] topic_id: Uuid = Uuid::ZERO;
        [0+] partitions: Vec<PartitionData>;
    }

    PartitionData {
        [0+] partition: i32;
        [0+] state_epoch: i32;
        [0+] leader_epoch: i32;
        [0+] start_offset: i64;
        [1+] delivery_complete_count: i32 = -1;
        [0+] state_batches: Vec<StateBatch>;
    }

    WriteShareGroupStateResponse {
        [0+] results: Vec<WriteStateResult>;
    }

    WriteStateResult {
        [0+] topic_id: Uuid = Uuid::ZERO;
        [0+] partitions: Vec<PartitionResult>;
    }

    PartitionResult {
        [0+] partition: i32;
        [0+] error_code: i16;
        [0+] error_message: Option<StrBytes>;
    }

    StateBatch {
        [0+] first_offset: i64;
        [0+] last_offset: i64;
        [0+] delivery_state: i8;
        [0+] delivery_count: i16;
    }
}
