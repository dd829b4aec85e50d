//! AlterReplicaLogDirs, 0-2: moves partitions to other log directories of the same broker (KIP-113).
//!
//! 2 is flexible.

use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    AlterReplicaLogDirsRequest {
        [0+] dirs: Vec<AlterReplicaLogDir>;
    }

    AlterReplicaLogDir {
        [0+] path: StrBytes;
        [0+] topics: Vec<AlterReplicaLogDirTopic>;
    }

    AlterReplicaLogDirTopic {
        [0+] name: StrBytes;
        [0+] partitions: Vec<i32>;
    }

    AlterReplicaLogDirsResponse {
        [0+] throttle_time_ms: i32;
        [0+] results: Vec<AlterReplicaLogDirTopicResult>;
    }

    AlterReplicaLogDirTopicResult {
        [0+] topic_name: StrBytes;
        [0+] partitions: Vec<AlterReplicaLogDirPartitionResult>;
    }

    AlterReplicaLogDirPartitionResult {
        [0+] partition_index: i32;
        [0+] error_code: i16;
    }
}
