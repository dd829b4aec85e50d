//! ApiVersions, 0-4: what the broker speaks.
//!
//! 1 adds the throttle time; 3 is flexible, names the client's software and lists features (KIP-511, KIP-584); 4 lets
//! a feature's lowest level be 0. The header of the response is never flexible, and a version that the broker does
//! not speak is answered in version 0.

use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    ApiVersionsRequest {
        [3+] client_software_name: StrBytes;
        [3+] client_software_version: StrBytes;
    }

    ApiVersionsResponse {
        [0+] error_code: i16;
        [0+] api_keys: Vec<ApiVersion>;
        [1+] throttle_time_ms: i32;
        [3+] supported_features: Vec<SupportedFeatureKey>, tag 0;
        [3+] finalized_features_epoch: i64, tag 1 = -1;
        [3+] finalized_features: Vec<FinalizedFeatureKey>, tag 2;
        [3+] zk_migration_ready: bool, tag 3;
    }

    ApiVersion {
        [0+] api_key: i16;
        [0+] min_version: i16;
        [0+] max_version: i16;
    }

    SupportedFeatureKey {
        [3+] name: StrBytes;
        [3+] min_version: i16;
        [3+] max_version: i16;
    }

    FinalizedFeatureKey {
        [3+] name: StrBytes;
        [3+] max_version_level: i16;
        [3+] min_version_level: i16;
    }
}
