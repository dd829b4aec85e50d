//! DescribeCluster, 0-2: the cluster's id, controller and brokers (KIP-700). Flexible from 0.
//!
//! 1 asks for brokers (endpoint type 1) or controllers (2) (KIP-919); 2 can list fenced brokers (KIP-1073).

use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    DescribeClusterRequest {
        [0+] include_cluster_authorized_operations: bool;
        [1+] endpoint_type: i8 = 1;
        [2+] include_fenced_brokers: bool;
    }

    DescribeClusterResponse {
        [0+] throttle_time_ms: i32;
        [0+] error_code: i16;
        [0+] error_message: Option<StrBytes>;
        [1+] endpoint_type: i8 = 1;
        [0+] cluster_id: StrBytes;
        [0+] controller_id: i32 = -1;
        [0+] brokers: Vec<DescribeClusterBroker>;
        [0+] cluster_authorized_operations: i32 = i32::MIN;
    }

    DescribeClusterBroker {
        [0+] broker_id: i32;
        [0+] host: StrBytes;
        [0+] port: i32;
        [0+] rack: Option<StrBytes>;
        [2+] is_fenced: bool;
    }
}
