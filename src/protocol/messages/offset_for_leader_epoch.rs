//! OffsetForLeaderEpoch, 0-4: where the records of a leader epoch end, so that a reader can tell that the log was
//! truncated.
//!
//! 1 answers with the epoch too; 2 adds the leader epoch that the client knows and the throttle time; 3 says which
//! replica asks, -2 being a debugging consumer (KIP-320, KIP-392); 4 is flexible.

use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    OffsetForLeaderEpochRequest {
        [3+] replica_id: i32 = -2;
        [0+] topics: Vec<OffsetForLeaderTopic>;
    }

    OffsetForLeaderTopic {
        [0+] topic: StrBytes;
        [0+] partitions: Vec<OffsetForLeaderPartition>;
    }

    OffsetForLeaderPartition {
        [0+] partition: i32;
        [2+] current_leader_epoch: i32 = -1;
        [0+] leader_epoch: i32;
    }

    OffsetForLeaderEpochResponse {
        [2+] throttle_time_ms: i32;
        [0+] topics: Vec<OffsetForLeaderTopicResult>;
    }

    OffsetForLeaderTopicResult {
        [0+] topic: StrBytes;
        [0+] partitions: Vec<EpochEndOffset>;
    }

    EpochEndOffset {
        [0+] error_code: i16;
        [0+] partition: i32;
        [1+] leader_epoch: i32 = -1;
        [0+] end_offset: i64 = -1;
    }
}
