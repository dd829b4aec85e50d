//! ConsumerGroupHeartbeat, 0-1: a member of a consumer group joins, stays, moves on and leaves (KIP-848). Flexible from 0.
//!
//! 1 adds subscriptions by pattern; members make their own ids from then on (KIP-1082).

use crate::model::Uuid;
use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    ConsumerGroupHeartbeatRequest {
        [0+] group_id: StrBytes;
        [0+] member_id: StrBytes;
        [0+] member_epoch: i32;
        [0+] instance_id: Option<StrBytes>;
        [0+] rack_id: Option<StrBytes>;
        [0+] rebalance_timeout_ms: i32 = -1;
        [0+] subscribed_topic_names: Option<Vec<StrBytes>>;
        [1+] subscribed_topic_regex: Option<StrBytes>;
        [0+] server_assignor: Option<StrBytes>;
        [0+] topic_partitions: Option<Vec<TopicPartitions>>;
    }

    TopicPartitions {
        [0+] topic_id: Uuid = Uuid::ZERO;
        [0+] partitions: Vec<i32>;
    }

    ConsumerGroupHeartbeatResponse {
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
}
