//! Replicas, leadership, and the fetch and produce paths: one row per setting.

macro_rules! replication_rows {
    ($rest:tt $($done:tt)*) => {
        collect_rows! { $rest $($done)*
            /// Protocol level brokers use among themselves during rolling upgrades.
            "inter.broker.protocol.version" inter_broker_protocol_version: String = "3.9-IV0".to_owned(), Any, ReadOnly, Accepted;
            /// Fetcher threads per source broker.
            "num.replica.fetchers" num_replica_fetchers: i32 = 1, AtLeast(1), ClusterWide, Accepted;
            /// Threads that move replicas between log dirs.
            "num.replica.alter.log.dirs.threads" num_replica_alter_log_dirs_threads: Option<i32> = None, Any, ReadOnly, Accepted;
            /// Default replication for new and auto-created topics.
            "default.replication.factor" default_replication_factor: i32 = 1, AtLeast(1), ReadOnly, Acts;
            /// ISR size needed for acks=all.
            "min.insync.replicas" min_insync_replicas: i32 = 1, AtLeast(1), ClusterWide, Acts;
            /// Elect out-of-sync leaders.
            "unclean.leader.election.enable" unclean_leader_election_enable: bool = false, Any, ClusterWide, Accepted;
            /// Periodic preferred-leader election.
            "auto.leader.rebalance.enable" auto_leader_rebalance_enable: bool = true, Any, ReadOnly, Accepted;
            /// Imbalance that triggers rebalance.
            "leader.imbalance.per.broker.percentage" leader_imbalance_per_broker_percentage: i32 = 10, Any, ReadOnly, Accepted;
            /// How often imbalance is checked.
            "leader.imbalance.check.interval.seconds" leader_imbalance_check_interval_seconds: i64 = 300, Any, ReadOnly, Accepted;
            /// Followers not caught up for this long leave the ISR.
            "replica.lag.time.max.ms" replica_lag_time_max_ms: i64 = 30_000, Any, ReadOnly, Accepted;
            /// Follower fetch minimum.
            "replica.fetch.min.bytes" replica_fetch_min_bytes: i32 = 1, Any, ReadOnly, Accepted;
            /// Follower per-partition fetch size (not a hard limit).
            "replica.fetch.max.bytes" replica_fetch_max_bytes: i32 = 1_048_576, AtLeast(0), ReadOnly, Accepted;
            /// Follower total fetch size.
            "replica.fetch.response.max.bytes" replica_fetch_response_max_bytes: i32 = 10_485_760, AtLeast(0), ReadOnly, Accepted;
            /// Follower long-poll; must be < replica.lag.time.max.ms.
            "replica.fetch.wait.max.ms" replica_fetch_wait_max_ms: i32 = 500, Any, ReadOnly, Accepted;
            /// Pause after a fetch error.
            "replica.fetch.backoff.ms" replica_fetch_backoff_ms: i32 = 1000, AtLeast(0), ReadOnly, Accepted;
            /// Socket timeout of follower; >= replica.fetch.wait.max.ms.
            "replica.socket.timeout.ms" replica_socket_timeout_ms: i32 = 30_000, Any, ReadOnly, Accepted;
            /// SO_RCVBUF of follower.
            "replica.socket.receive.buffer.bytes" replica_socket_receive_buffer_bytes: i32 = 65_536, Any, ReadOnly, Accepted;
            /// How often HW file is written.
            "replica.high.watermark.checkpoint.interval.ms" replica_high_watermark_checkpoint_interval_ms: i64 = 5000, Any, ReadOnly, Acts;
            /// ReplicaSelector plug-in for follower fetching (RackAwareReplicaSelector).
            "replica.selector.class" replica_selector_class: Option<String> = None, Any, ReadOnly, Accepted;
            /// Controller-to-broker socket timeout.
            "controller.socket.timeout.ms" controller_socket_timeout_ms: i32 = 30_000, Any, ReadOnly, Accepted;
            /// Migrate leaders before stopping.
            "controlled.shutdown.enable" controlled_shutdown_enable: bool = true, Any, ReadOnly, Accepted;
            /// Retries of controlled shutdown.
            "controlled.shutdown.max.retries" controlled_shutdown_max_retries: i32 = 3, Any, ReadOnly, Accepted;
            /// Pause between retries.
            "controlled.shutdown.retry.backoff.ms" controlled_shutdown_retry_backoff_ms: i64 = 5000, Any, ReadOnly, Accepted;
            /// Upper bound for total bytes of one fetch response.
            "fetch.max.bytes" fetch_max_bytes: i32 = 57_671_680, AtLeast(1024), ReadOnly, Acts;
            /// Fetch session cache size; 0 disables sessions.
            "max.incremental.fetch.session.cache.slots" max_incremental_fetch_session_cache_slots: i32 = 1000, AtLeast(0), ReadOnly, Acts;
            /// Purge watermark of delayed fetches.
            "fetch.purgatory.purge.interval.requests" fetch_purgatory_purge_interval_requests: i32 = 1000, Any, ReadOnly, Acts;
            /// Purge watermark of delayed produces.
            "producer.purgatory.purge.interval.requests" producer_purgatory_purge_interval_requests: i32 = 1000, Any, ReadOnly, Acts;
            /// Purge watermark of DeleteRecords.
            "delete.records.purgatory.purge.interval.requests" delete_records_purgatory_purge_interval_requests: i32 = 1, Any, ReadOnly, Acts;
        }
    };
}
