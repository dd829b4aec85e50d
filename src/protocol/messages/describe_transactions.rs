//! DescribeTransactions, 0: the transactions of transactional ids (KIP-664).

use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    DescribeTransactionsRequest {
        [0+] transactional_ids: Vec<StrBytes>;
    }

    DescribeTransactionsResponse {
        [0+] throttle_time_ms: i32;
        [0+] transaction_states: Vec<DescribeTransactionsState>;
    }

    DescribeTransactionsState {
        [0+] error_code: i16;
        [0+] transactional_id: StrBytes;
        [0+] transaction_state: StrBytes;
        [0+] transaction_timeout_ms: i32;
        [0+] transaction_start_time_ms: i64;
        [0+] producer_id: i64;
        [0+] producer_epoch: i16;
        [0+] topics: Vec<DescribeTransactionsTopic>;
    }

    DescribeTransactionsTopic {
        [0+] topic: StrBytes;
        [0+] partitions: Vec<i32>;
    }
}
