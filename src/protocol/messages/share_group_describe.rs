//! ShareGroupDescribe, 1: share groups with their members (KIP-932). Flexible from 0.

use crate::model::Uuid;
use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    ShareGroupDescribeRequest {
        [0+] group_ids: Vec<StrBytes>;
        [0+] include_authorized_operations: bool;
    }

    ShareGroupDescribeResponse {
        [0+] throttle_time_ms: i32;
        [0+] groups: Vec<DescribedGroup>;
    }

    DescribedGroup {
        [0+] error_code: i16;
        [0+] error_message: Option<StrBytes>;
        [0+] group_id: StrBytes;
        [0+] group_state: StrBytes;
        [0+] group_epoch: i32;
        [0+] assignment_epoch: i32;
        [0+] assignor_name: StrBytes;
        [0+] members: Vec<Member>;
        [0+] authorized_operations: i32 = i32::MIN;
    }

    Member {
        [0+] member_id: StrBytes;
        [0+] rack_id: Option<StrBytes>;
        [0+] member_epoch: i32;
        [0+] client_id: StrBytes;
        [0+] client_host: StrBytes;
        [0+] subscribed_topic_names: Vec<StrBytes>;
        [0+] assignment: Assignment;
    }

    Assignment {
        [0+] topic_partitions: Vec<TopicPartitions>;
    }

    TopicPartitions {
        [0+] topic_id: Uuid = Uuid::ZERO;
        [0+] topic_name: StrBytes;
        [0+] partitions: Vec<i32>;
    }
}
