//! DescribeLogDirs, 0-5: what lies in which log directory (KIP-113); null asks for all topics.
//!
//! 2 is flexible; 3 adds an error for the whole answer; 4 the size of the volume and what is free (KIP-827); 5 whether
//! the directory takes no new partitions (KIP-1066).

use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    DescribeLogDirsRequest {
        [0+] topics: Option<Vec<DescribableLogDirTopic>> = Some(Vec::new());
    }

    DescribableLogDirTopic {
        [0+] topic: StrBytes;
        [0+] partitions: Vec<i32>;
    }

    DescribeLogDirsResponse {
        [0+] throttle_time_ms: i32;
        [3+] error_code: i16;
        [0+] results: Vec<DescribeLogDirsResult>;
    }

    DescribeLogDirsResult {
        [0+] error_code: i16;
        [0+] log_dir: StrBytes;
        [0+] topics: Vec<DescribeLogDirsTopic>;
        [4+] total_bytes: i64 = -1;
        [4+] usable_bytes: i64 = -1;
        [5+] is_cordoned: bool;
    }

    DescribeLogDirsTopic {
        [0+] name: StrBytes;
        [0+] partitions: Vec<DescribeLogDirsPartition>;
    }

    DescribeLogDirsPartition {
        [0+] partition_index: i32;
        [0+] partition_size: i64;
        [0+] offset_lag: i64;
        [0+] is_future_key: bool;
    }
}
