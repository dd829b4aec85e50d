//! Transactions and producer ids: one row per setting.

macro_rules! transactions_rows {
    ($rest:tt $($done:tt)*) => {
        collect_rows! { $rest $($done)*
            /// Idle transactional ids are removed after this.
            "transactional.id.expiration.ms" transactional_id_expiration_ms: i32 = 604_800_000, AtLeast(1), ReadOnly, Accepted;
            /// Largest timeout a producer may ask; INVALID_TRANSACTION_TIMEOUT (50).
            "transaction.max.timeout.ms" transaction_max_timeout_ms: i32 = 900_000, AtLeast(1), ReadOnly, Accepted;
            /// Replication of __transaction_state.
            "transaction.state.log.replication.factor" transaction_state_log_replication_factor: i16 = 3, AtLeast(1), ReadOnly, Accepted;
            /// Partitions of __transaction_state.
            "transaction.state.log.num.partitions" transaction_state_log_num_partitions: i32 = 50, AtLeast(1), ReadOnly, Accepted;
            /// min ISR of __transaction_state.
            "transaction.state.log.min.isr" transaction_state_log_min_isr: i32 = 2, AtLeast(1), ReadOnly, Accepted;
            /// Segment size of __transaction_state.
            "transaction.state.log.segment.bytes" transaction_state_log_segment_bytes: i32 = 104_857_600, AtLeast(1), ReadOnly, Accepted;
            /// Load batch size.
            "transaction.state.log.load.buffer.size" transaction_state_log_load_buffer_size: i32 = 5_242_880, AtLeast(1), ReadOnly, Accepted;
            /// Scan period for timed-out transactions.
            "transaction.abort.timed.out.transaction.cleanup.interval.ms" transaction_abort_timed_out_transaction_cleanup_interval_ms: i32 = 10_000, AtLeast(1), ReadOnly, Accepted;
            /// Scan period for expired ids.
            "transaction.remove.expired.transaction.cleanup.interval.ms" transaction_remove_expired_transaction_cleanup_interval_ms: i32 = 3_600_000, AtLeast(1), ReadOnly, Accepted;
            /// Verify partition membership before first transactional append (KIP-890).
            "transaction.partition.verification.enable" transaction_partition_verification_enable: bool = true, Any, ClusterWide, Accepted;
            /// Allow producers with unlimited txn timeout (KIP-939).
            "transaction.two.phase.commit.enable" transaction_two_phase_commit_enable: bool = false, Any, ReadOnly, Accepted;
            /// Idle producer state in logs expires after this.
            "producer.id.expiration.ms" producer_id_expiration_ms: i32 = 86_400_000, AtLeast(1), ClusterWide, Acts;
            /// Producer expiry scan.
            "producer.id.expiration.check.interval.ms" producer_id_expiration_check_interval_ms: i32 = 600_000, AtLeast(1), ReadOnly, Acts;
        }
    };
}
