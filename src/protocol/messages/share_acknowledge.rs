//! ShareAcknowledge, 1-2: a member of a share group says what has become of records (KIP-932). Flexible from 0.
//!
//! 0 was Kafka 4.0's early access and is gone. 2 adds renewal of locks (KIP-1222).

use crate::model::Uuid;
use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    ShareAcknowledgeRequest {
        [0+] group_id: Option<StrBytes>;
        [0+] member_id: Option<StrBytes> = Some(StrBytes::from_static(""));
        [0+] share_session_epoch: i32;
        [2+] is_renew_ack: bool;
        [0+] topics: Vec<AcknowledgeTopic>;
    }

    AcknowledgeTopic {
        [0+] topic_id: Uuid = Uuid::ZERO;
        [0+] partitions: Vec<AcknowledgePartition>;
    }

    AcknowledgePartition {
        [0+] partition_index: i32;
        [0+] acknowledgement_batches: Vec<AcknowledgementBatch>;
    }

    AcknowledgementBatch {
        [0+] first_offset: i64;
        [0+] last_offset: i64;
        [0+] acknowledge_types: Vec<i8>;
    }

    ShareAcknowledgeResponse {
        [0+] throttle_time_ms: i32;
        [0+] error_code: i16;
        [0+] error_message: Option<StrBytes>;
        [2+] acquisition_lock_timeout_ms: i32;
        [0+] responses: Vec<ShareAcknowledgeTopicResponse>;
        [0+] node_endpoints: Vec<NodeEndpoint>;
    }

    ShareAcknowledgeTopicResponse {
        [0+] topic_id: Uuid = Uuid::ZERO;
        [0+] partitions: Vec<PartitionData>;
    }

    PartitionData {
        [0+] partition_index: i32;
        [0+] error_code: i16;
        [0+] error_message: Option<StrBytes>;
        [0+] current_leader: LeaderIdAndEpoch;
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
