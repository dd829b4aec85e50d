//! ListConfigResources, 0-1: whose settings there are to describe. 0 is about clients' metrics alone, of which there is
//! no type in the answer (KIP-1000); 1 asks for types (KIP-1142).

use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    ListConfigResourcesRequest {
        [1+] resource_types: Vec<i8>;
    }

    ListConfigResourcesResponse {
        [0+] throttle_time_ms: i32;
        [0+] error_code: i16;
        [0+] config_resources: Vec<ConfigResource>;
    }

    ConfigResource {
        [0+] resource_name: StrBytes;
        [1+] resource_type: i8 = 16;
    }
}
