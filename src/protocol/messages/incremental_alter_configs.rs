//! IncrementalAlterConfigs, 0-1: sets (0), deletes (1), appends to (2) or subtracts from (3) single settings (KIP-339).
//! 1 is flexible.

use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    IncrementalAlterConfigsRequest {
        [0+] resources: Vec<AlterConfigsResource>;
        [0+] validate_only: bool;
    }

    AlterConfigsResource {
        [0+] resource_type: i8;
        [0+] resource_name: StrBytes;
        [0+] configs: Vec<AlterableConfig>;
    }

    AlterableConfig {
        [0+] name: StrBytes;
        [0+] config_operation: i8;
        [0+] value: Option<StrBytes> = Some(StrBytes::new());
    }

    IncrementalAlterConfigsResponse {
        [0+] throttle_time_ms: i32;
        [0+] responses: Vec<AlterConfigsResourceResponse>;
    }

    AlterConfigsResourceResponse {
        [0+] error_code: i16;
        [0+] error_message: Option<StrBytes> = Some(StrBytes::new());
        [0+] resource_type: i8;
        [0+] resource_name: StrBytes;
    }
}
