//! ListTransactions, 0-2: the transactional ids that this broker coordinates (KIP-664).
//!
//! 1 asks for those whose transaction has been open for long (KIP-994), 2 for ids that match a pattern (KIP-1152).

use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    ListTransactionsRequest {
        [0+] state_filters: Vec<StrBytes>;
        [0+] producer_id_filters: Vec<i64>;
        [1+] duration_filter: i64 = -1;
        [2+] transactional_id_pattern: Option<StrBytes>;
    }

    ListTransactionsResponse {
        [0+] throttle_time_ms: i32;
        [0+] error_code: i16;
        [0+] unknown_state_filters: Vec<StrBytes>;
        [0+] transaction_states: Vec<ListTransactionsState>;
    }

    ListTransactionsState {
        [0+] transactional_id: StrBytes;
        [0+] producer_id: i64;
        [0+] transaction_state: StrBytes;
    }
}
