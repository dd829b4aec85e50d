//! InitializeShareGroupState, 0: what a share group keeps of partitions begins, or begins anew (KIP-932). Flexible
//! from 0.

use crate::model::Uuid;
use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    InitializeShareGroupStateRequest {
        [0+] group_id: StrBytes;
        [0+] topics: Vec<InitializeStateData>;
    }

    InitializeStateData {
        [0+] topic_id: Uuid = Uuid::ZERO;
        [0+] partitions: Vec<PartitionData>;
    }

    PartitionData {
        [0+] partition: i32;
        [0+] state_epoch: i32;
        [0+] start_offset: i64;
    }

    InitializeShareGroupStateResponse {
        [0+] results: Vec<InitializeStateResult>;
    }

    InitializeStateResult {
        [0+] topic_id: Uuid = Uuid::ZERO;
        [0+] partitions: Vec<PartitionResult>;
    }

    PartitionResult {
        [0+] partition: i32;
        [0+] error_code: i16;
        [0+] error_message: Option<StrBytes>;
    }
}
