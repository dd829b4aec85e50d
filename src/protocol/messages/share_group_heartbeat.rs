//! ShareGroupHeartbeat, 1: a member of a share group reports, and is told what to read (KIP-932). Flexible from 0.

use crate::model::Uuid;
use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    ShareGroupHeartbeatRequest {
        [0+] group_id: StrBytes;
        [0+] member_id: StrBytes;
        [0+] member_epoch: i32;
        [0+] rack_id: Option<StrBytes>;
        [0+] subscribed_topic_names: Option<Vec<StrBytes>>;
    }

    ShareGroupHeartbeatResponse {
        [0+] throttle_time_ms: i32;
        [0+] error_code: i16;
        [0+] error_message: Option<StrBytes>;
        [0+] member_id: Option<StrBytes>;
        [0+] member_epoch: i32;
        [0+] heartbeat_interval_ms: i32;
        [0+] assignment: Option<Assignment>;
    }

    Assignment {
        [0+] topic_partitions: Vec<TopicPartitions>;
    }

    TopicPartitions {
        [0+] topic_id: Uuid = Uuid::ZERO;
        [0+] partitions: Vec<i32>;
    }
}
