//! CreateTopics, 0-7: topics with their partitions, replicas and settings.
//!
//! 1 adds `validate_only` and error messages; 2 the throttle time; 4 allows -1 for the broker's default number of
//! partitions and replicas (KIP-464); 5 is flexible and answers with what was created (KIP-525); 6 may answer
//! THROTTLING_QUOTA_EXCEEDED (KIP-599); 7 answers with the topic's id (KIP-516).

use crate::model::Uuid;
use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    CreateTopicsRequest {
        [0+] topics: Vec<CreatableTopic>;
        [0+] timeout_ms: i32 = 60_000;
        [1+] validate_only: bool;
    }

    CreatableTopic {
        [0+] name: StrBytes;
        [0+] num_partitions: i32;
        [0+] replication_factor: i16;
        [0+] assignments: Vec<CreatableReplicaAssignment>;
        [0+] configs: Vec<CreatableTopicConfig>;
    }

    CreatableReplicaAssignment {
        [0+] partition_index: i32;
        [0+] broker_ids: Vec<i32>;
    }

    CreatableTopicConfig {
        [0+] name: StrBytes;
        [0+] value: Option<StrBytes> = Some(StrBytes::new());
    }

    CreateTopicsResponse {
        [2+] throttle_time_ms: i32;
        [0+] topics: Vec<CreatableTopicResult>;
    }

    CreatableTopicResult {
        [0+] name: StrBytes;
        [7+] topic_id: Uuid = Uuid::ZERO;
        [0+] error_code: i16;
        [1+] error_message: Option<StrBytes> = Some(StrBytes::new());
        [5+] topic_config_error_code: i16, tag 0;
        [5+] num_partitions: i32 = -1;
        [5+] replication_factor: i16 = -1;
        [5+] configs: Option<Vec<CreatableTopicConfigs>> = Some(Vec::new());
    }

    CreatableTopicConfigs {
        [5+] name: StrBytes;
        [5+] value: Option<StrBytes> = Some(StrBytes::new());
        [5+] read_only: bool;
        [5+] config_source: i8 = -1;
        [5+] is_sensitive: bool;
    }
}
