//! ReadShareGroupState, 0: a partition's leader reads what a share group keeps of it (KIP-932). Flexible from 0.

use crate::model::Uuid;
use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    ReadShareGroupStateRequest {
        [0+] group_id: StrBytes;
        [0+] topics: Vec<ReadStateData>;
    }

    ReadStateData {
        [0+] topic_id: Uuid = Uuid::ZERO;
        [0+] partitions: Vec<PartitionData>;
    }

    PartitionData {
        [0+] partition: i32;
        [0+] leader_epoch: i32;
    }

    ReadShareGroupStateResponse {
        [0+] results: Vec<ReadStateResult>;
    }

    ReadStateResult {
        [0+] topic_id: Uuid = Uuid::ZERO;
        [0+] partitions: Vec<PartitionResult>;
    }

    PartitionResult {
        [0+] partition: i32;
        [0+] error_code: i16;
        [0+] error_message: Option<StrBytes>;
        [0+] state_epoch: i32;
        [0+] start_offset: i64;
        [0+] state_batches: Vec<StateBatch>;
    }

    StateBatch {
        [0+] first_offset: i64;
        [0+] last_offset: i64;
        [0+] delivery_state: i8;
        [0+] delivery_count: i16;
    }
}
