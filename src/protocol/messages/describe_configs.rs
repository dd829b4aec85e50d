//! DescribeConfigs, 0-4: settings of topics and brokers, where each comes from and what else it might be.
//!
//! 0 only tells defaults from the rest; 1 names the source and adds synonyms (KIP-226); 3 adds types and
//! documentation (KIP-569); 4 is flexible.

use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    DescribeConfigsRequest {
        [0+] resources: Vec<DescribeConfigsResource>;
        [1+] include_synonyms: bool;
        [3+] include_documentation: bool;
    }

    DescribeConfigsResource {
        [0+] resource_type: i8;
        [0+] resource_name: StrBytes;
        [0+] configuration_keys: Option<Vec<StrBytes>> = Some(Vec::new());
    }

    DescribeConfigsResponse {
        [0+] throttle_time_ms: i32;
        [0+] results: Vec<DescribeConfigsResult>;
    }

    DescribeConfigsResult {
        [0+] error_code: i16;
        [0+] error_message: Option<StrBytes> = Some(StrBytes::new());
        [0+] resource_type: i8;
        [0+] resource_name: StrBytes;
        [0+] configs: Vec<DescribeConfigsResourceResult>;
    }

    DescribeConfigsResourceResult {
        [0+] name: StrBytes;
        [0+] value: Option<StrBytes> = Some(StrBytes::new());
        [0+] read_only: bool;
        [0]  is_default: bool;
        [1+] config_source: i8 = -1;
        [0+] is_sensitive: bool;
        [1+] synonyms: Vec<DescribeConfigsSynonym>;
        [3+] config_type: i8;
        [3+] documentation: Option<StrBytes> = Some(StrBytes::new());
    }

    DescribeConfigsSynonym {
        [1+] name: StrBytes;
        [1+] value: Option<StrBytes> = Some(StrBytes::new());
        [1+] source: i8;
    }
}
