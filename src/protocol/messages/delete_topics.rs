//! DeleteTopics, 0-6.
//!
//! 1 adds the throttle time; 3 may answer TOPIC_DELETION_DISABLED; 4 is flexible; 5 adds error messages (KIP-599); 6
//! takes ids beside names (KIP-516).

use crate::model::Uuid;
use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    DeleteTopicsRequest {
        [6+]  topics: Vec<DeleteTopicState>;
        [0-5] topic_names: Vec<StrBytes>;
        [0+]  timeout_ms: i32;
    }

    DeleteTopicState {
        [6+] name: Option<StrBytes>;
        [6+] topic_id: Uuid = Uuid::ZERO;
    }

    DeleteTopicsResponse {
        [1+] throttle_time_ms: i32;
        [0+] responses: Vec<DeletableTopicResult>;
    }

    DeletableTopicResult {
        [0+] name: Option<StrBytes>, null [6+] = Some(StrBytes::new());
        [6+] topic_id: Uuid = Uuid::ZERO;
        [0+] error_code: i16;
        [5+] error_message: Option<StrBytes>;
    }
}
