//! OffsetCommit, 0-10: how far a group has read.
//!
//! 0 kept offsets in ZooKeeper; 1 adds the member and a timestamp for each offset, which 2 replaces by one retention
//! time, which 5 drops; 3 adds the throttle time; 6 leader epochs (KIP-320); 7 static members (KIP-345); 8 is flexible; 9
//! lets members of the consumer protocol commit (KIP-848); 10 names topics by id alone.

use crate::model::Uuid;
use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    OffsetCommitRequest {
        [0+]  group_id: StrBytes;
        [1+]  generation_id_or_member_epoch: i32 = -1;
        [1+]  member_id: StrBytes;
        [7+]  group_instance_id: Option<StrBytes>;
        [2-4] retention_time_ms: i64 = -1;
        [0+]  topics: Vec<OffsetCommitRequestTopic>;
    }

    OffsetCommitRequestTopic {
        [0-9] name: StrBytes;
        [10+] topic_id: Uuid = Uuid::ZERO;
        [0+]  partitions: Vec<OffsetCommitRequestPartition>;
    }

    OffsetCommitRequestPartition {
        [0+] partition_index: i32;
        [0+] committed_offset: i64;
        [6+] committed_leader_epoch: i32 = -1;
        [1]  commit_timestamp: i64 = -1;
        [0+] committed_metadata: Option<StrBytes> = Some(StrBytes::new());
    }

    OffsetCommitResponse {
        [3+] throttle_time_ms: i32;
        [0+] topics: Vec<OffsetCommitResponseTopic>;
    }

    OffsetCommitResponseTopic {
        [0-9] name: StrBytes;
        [10+] topic_id: Uuid = Uuid::ZERO;
        [0+]  partitions: Vec<OffsetCommitResponsePartition>;
    }

    OffsetCommitResponsePartition {
        [0+] partition_index: i32;
        [0+] error_code: i16;
    }
}
