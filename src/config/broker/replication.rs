//! Replicas, leadership, and the fetch and produce paths: one row per setting.

macro_rules! replication_rows {
    ($rest:tt $($done:tt)*) => {
        collect_rows! { $rest $($done)*
            /// The release whose protocol brokers speak between themselves, for upgrades one broker at a time.
            "inter.broker.protocol.version" inter_broker_protocol_version: String = "3.9-IV0".to_owned(), Any, ReadOnly, Accepted;
            /// How many threads copy from each other broker.
            "num.replica.fetchers" num_replica_fetchers: i32 = 1, AtLeast(1), ClusterWide, Accepted;
            /// How many partitions move between data directories at the same time, each on a thread; by default as many
            /// as there are directories.
            "num.replica.alter.log.dirs.threads" num_replica_alter_log_dirs_threads: Option<i32> = None, Any, ReadOnly, Acts;
            /// How many copies a topic gets that is created without saying. A broker on its own keeps one.
            "default.replication.factor" default_replication_factor: i32 = 1, AtLeast(1), ReadOnly, Accepted;
            /// How many replicas, the leader among them, must have a record before acks=all is answered.
            /// Never more than there are copies.
            "min.insync.replicas" min_insync_replicas: i32 = 1, AtLeast(1), ClusterWide, Accepted;
            /// Whether a replica that misses records may lead when no other is left: the missing ones are then
            /// lost.
            "unclean.leader.election.enable" unclean_leader_election_enable: bool = false, Any, ClusterWide, Accepted;
            /// Whether leadership goes back, from time to time, to the replica that is first in the list.
            "auto.leader.rebalance.enable" auto_leader_rebalance_enable: bool = true, Any, ReadOnly, Accepted;
            /// The share of a broker's partitions led elsewhere from which leadership goes back.
            "leader.imbalance.per.broker.percentage" leader_imbalance_per_broker_percentage: i32 = 10, Any, ReadOnly, Accepted;
            /// How often the spread of leadership is looked at, in seconds.
            "leader.imbalance.check.interval.seconds" leader_imbalance_check_interval_seconds: i64 = 300, Any, ReadOnly, Accepted;
            /// How long a follower may be behind before it counts as out of sync.
            "replica.lag.time.max.ms" replica_lag_time_max_ms: i64 = 30_000, Any, ReadOnly, Accepted;
            /// How much a follower waits for before it is answered.
            "replica.fetch.min.bytes" replica_fetch_min_bytes: i32 = 1, Any, ReadOnly, Accepted;
            /// How much of one partition a follower asks for at once; a larger first batch still passes.
            "replica.fetch.max.bytes" replica_fetch_max_bytes: i32 = 1_048_576, AtLeast(0), ReadOnly, Accepted;
            /// How much a follower asks for at once, over all partitions; a larger first batch still passes.
            "replica.fetch.response.max.bytes" replica_fetch_response_max_bytes: i32 = 10_485_760, AtLeast(0), ReadOnly, Accepted;
            /// How long a follower's request may wait for records.
            "replica.fetch.wait.max.ms" replica_fetch_wait_max_ms: i32 = 500, Any, ReadOnly, Accepted;
            /// The pause of a follower after a failed fetch.
            "replica.fetch.backoff.ms" replica_fetch_backoff_ms: i32 = 1000, AtLeast(0), ReadOnly, Accepted;
            /// How long an answer to a follower may take; not below `replica.fetch.wait.max.ms`.
            "replica.socket.timeout.ms" replica_socket_timeout_ms: i32 = 30_000, Any, ReadOnly, Accepted;
            /// The buffer of a follower's socket for what it receives.
            "replica.socket.receive.buffer.bytes" replica_socket_receive_buffer_bytes: i32 = 65_536, Any, ReadOnly, Accepted;
            /// How often the high watermarks are written to disk.
            "replica.high.watermark.checkpoint.interval.ms" replica_high_watermark_checkpoint_interval_ms: i64 = 5000, Any, ReadOnly, Acts;
            /// How a consumer is told which replica to read from; the plug-in RackAwareReplicaSelector goes by
            /// racks.
            "replica.selector.class" replica_selector_class: Option<String> = None, Any, ReadOnly, Accepted;
            /// How long an answer to the controller may take.
            "controller.socket.timeout.ms" controller_socket_timeout_ms: i32 = 30_000, Any, ReadOnly, Accepted;
            /// Whether a stopping broker first hands its partitions to others.
            "controlled.shutdown.enable" controlled_shutdown_enable: bool = true, Any, ReadOnly, Accepted;
            /// How often a stopping broker tries to hand over.
            "controlled.shutdown.max.retries" controlled_shutdown_max_retries: i32 = 3, Any, ReadOnly, Accepted;
            /// The pause between two attempts to hand over.
            "controlled.shutdown.retry.backoff.ms" controlled_shutdown_retry_backoff_ms: i64 = 5000, Any, ReadOnly, Accepted;
            /// The largest answer to one fetch; a larger first batch still passes.
            "fetch.max.bytes" fetch_max_bytes: i32 = 57_671_680, AtLeast(1024), ReadOnly, Acts;
            /// How many fetch sessions are remembered, so that clients need not name all partitions each time;
            /// 0 is none.
            "max.incremental.fetch.session.cache.slots" max_incremental_fetch_session_cache_slots: i32 = 1000, AtLeast(0), ReadOnly, Acts;
            /// After how many answered fetches the list of waiting ones is tidied.
            "fetch.purgatory.purge.interval.requests" fetch_purgatory_purge_interval_requests: i32 = 1000, Any, ReadOnly, Accepted;
            /// After how many answered produce requests the list of waiting ones is tidied.
            "producer.purgatory.purge.interval.requests" producer_purgatory_purge_interval_requests: i32 = 1000, Any, ReadOnly, Accepted;
            /// After how many answered DeleteRecords requests the list of waiting ones is tidied.
            "delete.records.purgatory.purge.interval.requests" delete_records_purgatory_purge_interval_requests: i32 = 1, Any, ReadOnly, Accepted;
        }
    };
}
