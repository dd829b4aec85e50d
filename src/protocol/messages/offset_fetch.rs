//! OffsetFetch, 0-10: how far a group has read.
//!
//! 0 read offsets from ZooKeeper; 2 takes null for "all topics" and adds an error for the group; 3 the throttle time; 5
//! leader epochs (KIP-320); 6 is flexible; 7 can ask for offsets that no transaction may still change (KIP-447); 8 takes
//! several groups (KIP-709), in structs of their own; 9 adds members of the consumer protocol (KIP-848); 10 names topics
//! by id alone.

use crate::model::Uuid;
use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    OffsetFetchRequest {
        [0-7] group_id: StrBytes;
        [0-7] topics: Option<Vec<OffsetFetchRequestTopic>>, null [2+] = Some(Vec::new());
        [8+]  groups: Vec<OffsetFetchRequestGroup>;
        [7+]  require_stable: bool;
    }

    OffsetFetchRequestTopic {
        [0-7] name: StrBytes;
        [0-7] partition_indexes: Vec<i32>;
    }

    OffsetFetchRequestGroup {
        [8+] group_id: StrBytes;
        [9+] member_id: Option<StrBytes>;
        [9+] member_epoch: i32 = -1;
        [8+] topics: Option<Vec<OffsetFetchRequestTopics>> = Some(Vec::new());
    }

    OffsetFetchRequestTopics {
        [8-9] name: StrBytes;
        [10+] topic_id: Uuid = Uuid::ZERO;
        [8+]  partition_indexes: Vec<i32>;
    }

    OffsetFetchResponse {
        [3+]  throttle_time_ms: i32;
        [0-7] topics: Vec<OffsetFetchResponseTopic>;
        [2-7] error_code: i16;
        [8+]  groups: Vec<OffsetFetchResponseGroup>;
    }

    OffsetFetchResponseTopic {
        [0-7] name: StrBytes;
        [0-7] partitions: Vec<OffsetFetchResponsePartition>;
    }

    OffsetFetchResponsePartition {
        [0-7] partition_index: i32;
        [0-7] committed_offset: i64;
        [5-7] committed_leader_epoch: i32 = -1;
        [0-7] metadata: Option<StrBytes> = Some(StrBytes::new());
        [0-7] error_code: i16;
    }

    OffsetFetchResponseGroup {
        [8+] group_id: StrBytes;
        [8+] topics: Vec<OffsetFetchResponseTopics>;
        [8+] error_code: i16;
    }

    OffsetFetchResponseTopics {
        [8-9] name: StrBytes;
        [10+] topic_id: Uuid = Uuid::ZERO;
        [8+]  partitions: Vec<OffsetFetchResponsePartitions>;
    }

    OffsetFetchResponsePartitions {
        [8+] partition_index: i32;
        [8+] committed_offset: i64;
        [8+] committed_leader_epoch: i32 = -1;
        [8+] metadata: Option<StrBytes> = Some(StrBytes::new());
        [8+] error_code: i16;
    }
}
