//! ReadShareGroupStateSummary, 0-1: where a share group stands in partitions (KIP-932). Flexible from 0.
//!
//! 1 adds how many records are dealt with (KIP-1226).

use crate::model::Uuid;
use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    ReadShareGroupStateSummaryRequest {
        [0+] group_id: StrBytes;
        [0+] topics: Vec<ReadStateSummaryData>;
    }

    ReadStateSummaryData {
        [0+] topic_id: Uuid = Uuid::ZERO;
        [0+] partitions: Vec<PartitionData>;
    }

    PartitionData {
        [0+] partition: i32;
        [0+] leader_epoch: i32;
    }

    ReadShareGroupStateSummaryResponse {
        [0+] results: Vec<ReadStateSummaryResult>;
    }

    ReadStateSummaryResult {
        [0+] topic_id: Uuid = Uuid::ZERO;
        [0+] partitions: Vec<PartitionResult>;
    }

    PartitionResult {
        [0+] partition: i32;
        [0+] error_code: i16;
        [0+] error_message: Option<StrBytes>;
        [0+] state_epoch: i32;
        [0+] leader_epoch: i32;
        [0+] start_offset: i64;
        [1+] delivery_complete_count: i32 = -1;
    }
}
