//! DeleteShareGroupOffsets, 0: has a share group without members forget where it stands in topics (KIP-932). Flexible
//! from 0.

use crate::model::Uuid;
use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    DeleteShareGroupOffsetsRequest {
        [0+] group_id: StrBytes;
        [0+] topics: Vec<DeleteShareGroupOffsetsRequestTopic>;
    }

    DeleteShareGroupOffsetsRequestTopic {
        [0+] topic_name: StrBytes;
    }

    DeleteShareGroupOffsetsResponse {
        [0+] throttle_time_ms: i32;
        [0+] error_code: i16;
        [0+] error_message: Option<StrBytes>;
        [0+] responses: Vec<DeleteShareGroupOffsetsResponseTopic>;
    }

    DeleteShareGroupOffsetsResponseTopic {
        [0+] topic_name: StrBytes;
        [0+] topic_id: Uuid = Uuid::ZERO;
        [0+] error_code: i16;
        [0+] error_message: Option<StrBytes>;
    }
}
