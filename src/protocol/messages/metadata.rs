//! Metadata, 0-13: brokers, topics, partitions and who leads them.
//!
//! 1 adds racks, the controller, internal topics, and null for "all topics", which version 0 says with no topic; 2 the
//! cluster id; 3 the throttle time; 4 whether topics may be created by asking; 5 offline replicas; 7 leader epochs;
//! 8 authorized operations (those of the cluster only up to 10); 9 is flexible; 10 adds topic ids, and 12 asking by
//! them; 13 adds an error for the whole answer (KIP-1102).

use crate::model::Uuid;
use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    MetadataRequest {
        [0+]   topics: Option<Vec<MetadataRequestTopic>>, null [1+] = Some(Vec::new());
        [4+]   allow_auto_topic_creation: bool = true;
        [8-10] include_cluster_authorized_operations: bool;
        [8+]   include_topic_authorized_operations: bool;
    }

    MetadataRequestTopic {
        [10+] topic_id: Uuid = Uuid::ZERO;
        [0+]  name: Option<StrBytes>, null [10+] = Some(StrBytes::new());
    }

    MetadataResponse {
        [3+]   throttle_time_ms: i32;
        [0+]   brokers: Vec<MetadataResponseBroker>;
        [2+]   cluster_id: Option<StrBytes>;
        [1+]   controller_id: i32 = -1;
        [0+]   topics: Vec<MetadataResponseTopic>;
        [8-10] cluster_authorized_operations: i32 = i32::MIN;
        [13+]  error_code: i16;
    }

    MetadataResponseBroker {
        [0+] node_id: i32;
        [0+] host: StrBytes;
        [0+] port: i32;
        [1+] rack: Option<StrBytes>;
    }

    MetadataResponseTopic {
        [0+]  error_code: i16;
        [0+]  name: Option<StrBytes>, null [12+] = Some(StrBytes::new());
        [10+] topic_id: Uuid = Uuid::ZERO;
        [1+]  is_internal: bool;
        [0+]  partitions: Vec<MetadataResponsePartition>;
        [8+]  topic_authorized_operations: i32 = i32::MIN;
    }

    MetadataResponsePartition {
        [0+] error_code: i16;
        [0+] partition_index: i32;
        [0+] leader_id: i32;
        [7+] leader_epoch: i32 = -1;
        [0+] replica_nodes: Vec<i32>;
        [0+] isr_nodes: Vec<i32>;
        [5+] offline_replicas: Vec<i32>;
    }
}
