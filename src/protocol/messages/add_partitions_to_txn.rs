//! AddPartitionsToTxn, 0-5: partitions that a transaction is going to write to.
//!
//! 3 is flexible, and the last one for clients; from 4 on a broker asks for several transactions at once, to add their
//! partitions or only to verify that they were added (KIP-890); 5 may answer TRANSACTION_ABORTABLE.

use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    AddPartitionsToTxnRequest {
        [4+]  transactions: Vec<AddPartitionsToTxnTransaction>;
        [0-3] v3_and_below_transactional_id: StrBytes;
        [0-3] v3_and_below_producer_id: i64;
        [0-3] v3_and_below_producer_epoch: i16;
        [0-3] v3_and_below_topics: Vec<AddPartitionsToTxnTopic>;
    }

    AddPartitionsToTxnTransaction {
        [4+] transactional_id: StrBytes;
        [4+] producer_id: i64;
        [4+] producer_epoch: i16;
        [4+] verify_only: bool;
        [4+] topics: Vec<AddPartitionsToTxnTopic>;
    }

    AddPartitionsToTxnTopic {
        [0+] name: StrBytes;
        [0+] partitions: Vec<i32>;
    }

    AddPartitionsToTxnResponse {
        [0+]  throttle_time_ms: i32;
        [4+]  error_code: i16;
        [4+]  results_by_transaction: Vec<AddPartitionsToTxnResult>;
        [0-3] results_by_topic_v3_and_below: Vec<AddPartitionsToTxnTopicResult>;
    }

    AddPartitionsToTxnResult {
        [4+] transactional_id: StrBytes;
        [4+] topic_results: Vec<AddPartitionsToTxnTopicResult>;
    }

    AddPartitionsToTxnTopicResult {
        [0+] name: StrBytes;
        [0+] results_by_partition: Vec<AddPartitionsToTxnPartitionResult>;
    }

    AddPartitionsToTxnPartitionResult {
        [0+] partition_index: i32;
        [0+] partition_error_code: i16;
    }
}
