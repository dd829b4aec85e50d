//! WriteTxnMarkers, 0-2: a transaction coordinator, or an administrator, has the ends of transactions written into
//! partitions.
//!
//! 1 is flexible; 2 tells the generation of the transaction (KIP-1228).

use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    WriteTxnMarkersRequest {
        [0+] markers: Vec<WritableTxnMarker>;
    }

    WritableTxnMarker {
        [0+] producer_id: i64;
        [0+] producer_epoch: i16;
        [0+] transaction_result: bool;
        [0+] topics: Vec<WritableTxnMarkerTopic>;
        [0+] coordinator_epoch: i32;
        [2+] transaction_version: i8;
    }

    WritableTxnMarkerTopic {
        [0+] name: StrBytes;
        [0+] partition_indexes: Vec<i32>;
    }

    WriteTxnMarkersResponse {
        [0+] markers: Vec<WritableTxnMarkerResult>;
    }

    WritableTxnMarkerResult {
        [0+] producer_id: i64;
        [0+] topics: Vec<WritableTxnMarkerTopicResult>;
    }

    WritableTxnMarkerTopicResult {
        [0+] name: StrBytes;
        [0+] partitions: Vec<WritableTxnMarkerPartitionResult>;
    }

    WritableTxnMarkerPartitionResult {
        [0+] partition_index: i32;
        [0+] error_code: i16;
    }
}
