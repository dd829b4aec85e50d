//! TxnOffsetCommit, 0-5: offsets of a group that count once a transaction is committed.
//!
//! 2 adds leader epochs (KIP-320); 3 is flexible, and tells who commits as a member of the group (KIP-447); 4 may answer
//! TRANSACTION_ABORTABLE; 5 is for the second generation of transactions: the group need not be added before (KIP-890).

use crate::protocol::message::message;
use crate::protocol::wire::StrBytes;

message! {
    TxnOffsetCommitRequest {
        [0+] transactional_id: StrBytes;
        [0+] group_id: StrBytes;
        [0+] producer_id: i64;
        [0+] producer_epoch: i16;
        [3+] generation_id: i32 = -1;
        [3+] member_id: StrBytes;
        [3+] group_instance_id: Option<StrBytes>;
        [0+] topics: Vec<TxnOffsetCommitRequestTopic>;
    }

    TxnOffsetCommitRequestTopic {
        [0+] name: StrBytes;
        [0+] partitions: Vec<TxnOffsetCommitRequestPartition>;
    }

    TxnOffsetCommitRequestPartition {
        [0+] partition_index: i32;
        [0+] committed_offset: i64;
        [2+] committed_leader_epoch: i32 = -1;
        [0+] committed_metadata: Option<StrBytes> = Some(StrBytes::new());
    }

    TxnOffsetCommitResponse {
        [0+] throttle_time_ms: i32;
        [0+] topics: Vec<TxnOffsetCommitResponseTopic>;
    }

    TxnOffsetCommitResponseTopic {
        [0+] name: StrBytes;
        [0+] partitions: Vec<TxnOffsetCommitResponsePartition>;
    }

    TxnOffsetCommitResponsePartition {
        [0+] partition_index: i32;
        [0+] error_code: i16;
    }
}
