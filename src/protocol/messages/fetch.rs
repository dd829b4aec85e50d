//! Fetch, 0-18: records, for consumers and followers.
//!
//! 3 adds the limit of the whole answer, and the order of partitions begins to matter; 4 isolation levels and records
//! of magic 2; 5 the log start offset; 7 sessions (KIP-227); 9 the leader epoch that the client knows; 10 allows zstd;
//! 11 reading from the closest replica (KIP-392); 12 is flexible and tells of diverging epochs (KIP-595); 13 names
//! topics by id alone (KIP-516); 15 says with its epoch which replica asks; 16 gives the address of the present leader
//! (KIP-951); 17 adds the log directory's id; 18 the high watermark that the follower knows.
//!
//! Records that are null and records that are empty differ; a broker sends empty ones, and so does the default here.
//! `replica_id` is -1 for consumers; from 15 on the same is said by the tagged `replica_state`.

use crate::model::Uuid;
use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;
use crate::record::Records;

message! {
    FetchRequest {
        [12+]  cluster_id: Option<StrBytes>, tag 0;
        [0-14] replica_id: i32 = -1;
        [15+]  replica_state: ReplicaState, tag 1;
        [0+]   max_wait_ms: i32;
        [0+]   min_bytes: i32;
        [3+]   max_bytes: i32 = i32::MAX;
        [4+]   isolation_level: i8;
        [7+]   session_id: i32;
        [7+]   session_epoch: i32 = -1;
        [0+]   topics: Vec<FetchTopic>;
        [7+]   forgotten_topics_data: Vec<ForgottenTopic>;
        [11+]  rack_id: StrBytes;
    }

    ReplicaState {
        [15+] replica_id: i32 = -1;
        [15+] replica_epoch: i64 = -1;
    }

    FetchTopic {
        [0-12] topic: StrBytes;
        [13+]  topic_id: Uuid = Uuid::ZERO;
        [0+]   partitions: Vec<FetchPartition>;
    }

    FetchPartition {
        [0+]  partition: i32;
        [9+]  current_leader_epoch: i32 = -1;
        [0+]  fetch_offset: i64;
        [12+] last_fetched_epoch: i32 = -1;
        [5+]  log_start_offset: i64 = -1;
        [0+]  partition_max_bytes: i32;
        [17+] replica_directory_id: Uuid, tag 0 = Uuid::ZERO;
        [18+] high_watermark: i64, tag 1 = i64::MAX;
    }

    ForgottenTopic {
        [7-12] topic: StrBytes;
        [13+]  topic_id: Uuid = Uuid::ZERO;
        [7+]   partitions: Vec<i32>;
    }

    FetchResponse {
        [1+]  throttle_time_ms: i32;
        [7+]  error_code: i16;
        [7+]  session_id: i32;
        [0+]  responses: Vec<FetchableTopicResponse>;
        [16+] node_endpoints: Vec<NodeEndpoint>, tag 0;
    }

    FetchableTopicResponse {
        [0-12] topic: StrBytes;
        [13+]  topic_id: Uuid = Uuid::ZERO;
        [0+]   partitions: Vec<PartitionData>;
    }

    PartitionData {
        [0+]  partition_index: i32;
        [0+]  error_code: i16;
        [0+]  high_watermark: i64;
        [4+]  last_stable_offset: i64 = -1;
        [5+]  log_start_offset: i64 = -1;
        [12+] diverging_epoch: EpochEndOffset, tag 0;
        [12+] current_leader: LeaderIdAndEpoch, tag 1;
        [12+] snapshot_id: SnapshotId, tag 2;
        [4+]  aborted_transactions: Option<Vec<AbortedTransaction>> = Some(Vec::new());
        [11+] preferred_read_replica: i32 = -1;
        [0+]  records: Option<Records> = Some(Records::default());
    }

    EpochEndOffset {
        [12+] epoch: i32 = -1;
        [12+] end_offset: i64 = -1;
    }

    LeaderIdAndEpoch {
        [12+] leader_id: i32 = -1;
        [12+] leader_epoch: i32 = -1;
    }

    SnapshotId {
        [0+] end_offset: i64 = -1;
        [0+] epoch: i32 = -1;
    }

    AbortedTransaction {
        [4+] producer_id: i64;
        [4+] first_offset: i64;
    }

    NodeEndpoint {
        [16+] node_id: i32;
        [16+] host: StrBytes;
        [16+] port: i32;
        [16+] rack: Option<StrBytes>;
    }
}
