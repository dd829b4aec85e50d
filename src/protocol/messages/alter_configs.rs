//! AlterConfigs, 0-2: replaces all settings of a resource; see IncrementalAlterConfigs for single ones. 2 is flexible.

use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    AlterConfigsRequest {
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
        [0+] value: Option<StrBytes> = Some(StrBytes::new());
    }

    AlterConfigsResponse {
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
