//! ShareFetch, 1-2: a member of a share group acquires records, and acknowledges others on the way (KIP-932). Flexible
//! from 0.
//!
//! 0 was Kafka 4.0's early access and is gone. 2 adds the mode of acquiring (KIP-1206) and renewal of locks (KIP-1222).

use crate::model::Uuid;
use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;
use crate::record::Records;

message! {
    ShareFetchRequest {
        [0+] group_id: Option<StrBytes>;
        [0+] member_id: Option<StrBytes> = Some(StrBytes::from_static(""));
        [0+] share_session_epoch: i32;
        [0+] max_wait_ms: i32;
        [0+] min_bytes: i32;
        [0+] max_bytes: i32 = i32::MAX;
        [1+] max_records: i32;
        [1+] batch_size: i32;
        [2+] share_acquire_mode: i8;
        [2+] is_renew_ack: bool;
        [0+] topics: Vec<FetchTopic>;
        [0+] forgotten_topics_data: Vec<ForgottenTopic>;
    }

    FetchTopic {
        [0+] topic_id: Uuid = Uuid::ZERO;
        [0+] partitions: Vec<FetchPartition>;
    }

    FetchPartition {
        [0+] partition_index: i32;
        [0+] acknowledgement_batches: Vec<AcknowledgementBatch>;
    }

    AcknowledgementBatch {
        [0+] first_offset: i64;
        [0+] last_offset: i64;
        [0+] acknowledge_types: Vec<i8>;
    }

    ForgottenTopic {
        [0+] topic_id: Uuid = Uuid::ZERO;
        [0+] partitions: Vec<i32>;
    }

    ShareFetchResponse {
        [0+] throttle_time_ms: i32;
        [0+] error_code: i16;
        [0+] error_message: Option<StrBytes>;
        [1+] acquisition_lock_timeout_ms: i32;
        [0+] responses: Vec<ShareFetchableTopicResponse>;
        [0+] node_endpoints: Vec<NodeEndpoint>;
    }

    ShareFetchableTopicResponse {
        [0+] topic_id: Uuid = Uuid::ZERO;
        [0+] partitions: Vec<PartitionData>;
    }

    PartitionData {
        [0+] partition_index: i32;
        [0+] error_code: i16;
        [0+] error_message: Option<StrBytes>;
        [0+] acknowledge_error_code: i16;
        [0+] acknowledge_error_message: Option<StrBytes>;
        [0+] current_leader: LeaderIdAndEpoch;
        [0+] records: Option<Records>, null [0] = Some(Records::default());
        [0+] acquired_records: Vec<AcquiredRecords>;
    }

    AcquiredRecords {
        [0+] first_offset: i64;
        [0+] last_offset: i64;
        [0+] delivery_count: i16;
    }

    LeaderIdAndEpoch {
        [0+] leader_id: i32;
        [0+] leader_epoch: i32;
    }

    NodeEndpoint {
        [0+] node_id: i32;
        [0+] host: StrBytes;
        [0+] port: i32;
        [0+] rack: Option<StrBytes>;
    }
}
