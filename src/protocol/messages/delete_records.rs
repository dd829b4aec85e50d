//! DeleteRecords, 0-2: moves the log start offset up; -1 stands for the high watermark. 2 is flexible.

use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    DeleteRecordsRequest {
        [0+] topics: Vec<DeleteRecordsTopic>;
        [0+] timeout_ms: i32;
    }

    DeleteRecordsTopic {
        [0+] name: StrBytes;
        [0+] partitions: Vec<DeleteRecordsPartition>;
    }

    DeleteRecordsPartition {
        [0+] partition_index: i32;
        [0+] offset: i64;
    }

    DeleteRecordsResponse {
        [0+] throttle_time_ms: i32;
        [0+] topics: Vec<DeleteRecordsTopicResult>;
    }

    DeleteRecordsTopicResult {
        [0+] name: StrBytes;
        [0+] partitions: Vec<DeleteRecordsPartitionResult>;
    }

    DeleteRecordsPartitionResult {
        [0+] partition_index: i32;
        [0+] low_watermark: i64;
        [0+] error_code: i16;
    }
}
