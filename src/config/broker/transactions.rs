//! Transactions and producer ids: one row per setting.

macro_rules! transactions_rows {
    ($rest:tt $($done:tt)*) => {
        collect_rows! { $rest $($done)*
            /// How long a transactional id is remembered without being used.
            "transactional.id.expiration.ms" transactional_id_expiration_ms: i32 = 604_800_000, AtLeast(1), ReadOnly, Acts;
            /// The longest a producer may let its transactions take.
            "transaction.max.timeout.ms" transaction_max_timeout_ms: i32 = 900_000, AtLeast(1), ReadOnly, Acts;
            /// How many copies the topic of transactions has. Where fewer brokers live, it gets as many as
            /// there are.
            "transaction.state.log.replication.factor" transaction_state_log_replication_factor: i16 = 3, AtLeast(1), ReadOnly, Accepted;
            /// How many partitions the topic of transactions has. Not to be changed once it exists: a
            /// transactional id is found by it.
            "transaction.state.log.num.partitions" transaction_state_log_num_partitions: i32 = 50, AtLeast(1), ReadOnly, Acts;
            /// How many replicas must have a transaction's state before it counts. Never more than there are
            /// copies.
            "transaction.state.log.min.isr" transaction_state_log_min_isr: i32 = 2, AtLeast(1), ReadOnly, Accepted;
            /// The size of a segment of the topic of transactions: small ones load fast.
            "transaction.state.log.segment.bytes" transaction_state_log_segment_bytes: i32 = 104_857_600, AtLeast(1), ReadOnly, Acts;
            /// How much is read at once when transactions are loaded.
            "transaction.state.log.load.buffer.size" transaction_state_log_load_buffer_size: i32 = 5_242_880, AtLeast(1), ReadOnly, Acts;
            /// How often transactions past their time are looked for, to be aborted.
            "transaction.abort.timed.out.transaction.cleanup.interval.ms" transaction_abort_timed_out_transaction_cleanup_interval_ms: i32 = 10_000, AtLeast(1), ReadOnly, Acts;
            /// How often transactional ids past their time are looked for, to be forgotten.
            "transaction.remove.expired.transaction.cleanup.interval.ms" transaction_remove_expired_transaction_cleanup_interval_ms: i32 = 3_600_000, AtLeast(1), ReadOnly, Acts;
            /// Whether a partition asks, before the first record of a transaction, if it really belongs to that
            /// transaction.
            "transaction.partition.verification.enable" transaction_partition_verification_enable: bool = true, Any, ClusterWide, Acts;
            /// Whether producers may have transactions without a timeout, for a coordinator outside of Kafka.
            "transaction.two.phase.commit.enable" transaction_two_phase_commit_enable: bool = false, Any, ReadOnly, Accepted;
            /// How long Kafka waits before it tries once more to add a partition to a transaction while the one
            /// before is being completed. Here that is complete before its end is answered.
            "add.partitions.to.txn.retry.backoff.ms" add_partitions_to_txn_retry_backoff_ms: i32 = 20, AtLeast(1), ReadOnly, Accepted;
            /// How long Kafka goes on trying.
            "add.partitions.to.txn.retry.backoff.max.ms" add_partitions_to_txn_retry_backoff_max_ms: i32 = 100, AtLeast(0), ReadOnly, Accepted;
            /// How long a partition remembers the last batches of a producer that is silent.
            "producer.id.expiration.ms" producer_id_expiration_ms: i32 = 86_400_000, AtLeast(1), ClusterWide, Acts;
            /// How often silent producers are looked for, to be forgotten.
            "producer.id.expiration.check.interval.ms" producer_id_expiration_check_interval_ms: i32 = 600_000, AtLeast(1), ReadOnly, Acts;
        }
    };
}
