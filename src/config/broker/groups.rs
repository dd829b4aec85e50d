//! Consumer groups, share groups and committed offsets: one row per setting.

macro_rules! groups_rows {
    ($rest:tt $($done:tt)*) => {
        collect_rows! { $rest $($done)*
            /// Longest commit metadata string; else OFFSET_METADATA_TOO_LARGE (12).
            "offset.metadata.max.bytes" offset_metadata_max_bytes: i32 = 4096, AtLeast(0), ReadOnly, Acts;
            /// Partitions of __consumer_offsets (fixed at creation).
            "offsets.topic.num.partitions" offsets_topic_num_partitions: i32 = 50, AtLeast(1), ReadOnly, Acts;
            /// Replication of __consumer_offsets; auto-creation fails below it.
            "offsets.topic.replication.factor" offsets_topic_replication_factor: i16 = 3, AtLeast(1), ReadOnly, Acts;
            /// Segment size of __consumer_offsets.
            "offsets.topic.segment.bytes" offsets_topic_segment_bytes: i32 = 104_857_600, AtLeast(1), ReadOnly, Acts;
            /// Codec for offset records: 0 none,1 gzip,2 snappy,3 lz4,4 zstd.
            "offsets.topic.compression.codec" offsets_topic_compression_codec: i32 = 0, Between(0, 4), ReadOnly, Acts;
            /// Read batch when loading groups (soft).
            "offsets.load.buffer.size" offsets_load_buffer_size: i32 = 5_242_880, AtLeast(1), ReadOnly, Acts;
            /// How long offsets outlive an empty group / last commit.
            "offsets.retention.minutes" offsets_retention_minutes: i32 = 10_080, AtLeast(1), ReadOnly, Acts;
            /// Offset expiry scan period.
            "offsets.retention.check.interval.ms" offsets_retention_check_interval_ms: i64 = 600_000, AtLeast(1), ReadOnly, Acts;
            /// Wait for offset commit replication.
            "offsets.commit.timeout.ms" offsets_commit_timeout_ms: i32 = 5000, AtLeast(1), ReadOnly, Acts;
            /// Acks for offset commits.
            "offsets.commit.required.acks" offsets_commit_required_acks: i16 = -1, Any, ReadOnly, Accepted;
            /// Lower bound of classic session timeout.
            "group.min.session.timeout.ms" group_min_session_timeout_ms: i32 = 6000, AtLeast(1), ReadOnly, Acts;
            /// Upper bound of classic session timeout.
            "group.max.session.timeout.ms" group_max_session_timeout_ms: i32 = 1_800_000, AtLeast(1), ReadOnly, Acts;
            /// Wait for more members when an empty group starts.
            "group.initial.rebalance.delay.ms" group_initial_rebalance_delay_ms: i32 = 3000, AtLeast(0), ReadOnly, Acts;
            /// Max classic members; GROUP_MAX_SIZE_REACHED (81).
            "group.max.size" group_max_size: i32 = i32::MAX, AtLeast(1), ReadOnly, Acts;
            /// Enabled group protocols.
            "group.coordinator.rebalance.protocols" group_coordinator_rebalance_protocols: Vec<String> = list(&["classic", "consumer"]), Items(&["classic", "consumer", "share", "streams"]), ReadOnly, Accepted;
            /// Use the Java group coordinator.
            "group.coordinator.new.enable" group_coordinator_new_enable: bool = true, Any, ReadOnly, Accepted;
            /// Group coordinator event threads.
            "group.coordinator.threads" group_coordinator_threads: i32 = 4, AtLeast(1), ReadOnly, Accepted;
            /// Batching delay of coordinator writes.
            "group.coordinator.append.linger.ms" group_coordinator_append_linger_ms: i32 = 5, AtLeast(-1), ReadOnly, Accepted;
            /// KIP-848 session timeout.
            "group.consumer.session.timeout.ms" group_consumer_session_timeout_ms: i32 = 45_000, AtLeast(1), ReadOnly, Accepted;
            /// Lower bound of the group-level value.
            "group.consumer.min.session.timeout.ms" group_consumer_min_session_timeout_ms: i32 = 45_000, AtLeast(1), ReadOnly, Accepted;
            /// Upper bound of the group-level value.
            "group.consumer.max.session.timeout.ms" group_consumer_max_session_timeout_ms: i32 = 60_000, AtLeast(1), ReadOnly, Accepted;
            /// KIP-848 heartbeat interval handed to members.
            "group.consumer.heartbeat.interval.ms" group_consumer_heartbeat_interval_ms: i32 = 5000, AtLeast(1), ReadOnly, Accepted;
            /// Lower bound.
            "group.consumer.min.heartbeat.interval.ms" group_consumer_min_heartbeat_interval_ms: i32 = 5000, AtLeast(1), ReadOnly, Accepted;
            /// Upper bound.
            "group.consumer.max.heartbeat.interval.ms" group_consumer_max_heartbeat_interval_ms: i32 = 15_000, AtLeast(1), ReadOnly, Accepted;
            /// Max KIP-848 members.
            "group.consumer.max.size" group_consumer_max_size: i32 = i32::MAX, AtLeast(1), ReadOnly, Accepted;
            /// Server-side assignors; first is default.
            "group.consumer.assignors" group_consumer_assignors: Vec<String> = list(&["uniform", "range"]), Any, ReadOnly, Accepted;
            /// Online conversion classic<->consumer: disabled, upgrade, downgrade, bidirectional.
            "group.consumer.migration.policy" group_consumer_migration_policy: GroupMigrationPolicy = GroupMigrationPolicy::Bidirectional, Any, ReadOnly, Accepted;
            /// Regex subscription re-evaluation.
            "group.consumer.regex.refresh.interval.ms" group_consumer_regex_refresh_interval_ms: i32 = 600_000, AtLeast(10_000), ReadOnly, Accepted;
            /// Share group session timeout.
            "group.share.session.timeout.ms" group_share_session_timeout_ms: i32 = 45_000, AtLeast(1), ReadOnly, Accepted;
            /// Share group heartbeat.
            "group.share.heartbeat.interval.ms" group_share_heartbeat_interval_ms: i32 = 5000, AtLeast(1), ReadOnly, Accepted;
            /// Max members of a share group.
            "group.share.max.size" group_share_max_size: i32 = 200, Between(1, 1000), ReadOnly, Accepted;
            /// Deliveries before a record is archived.
            "group.share.delivery.count.limit" group_share_delivery_count_limit: i32 = 5, Between(2, 10), ReadOnly, Accepted;
            /// Acquisition lock duration.
            "group.share.record.lock.duration.ms" group_share_record_lock_duration_ms: i32 = 30_000, Between(1000, 3_600_000), ReadOnly, Accepted;
            /// In-flight records per share partition.
            "group.share.partition.max.record.locks" group_share_partition_max_record_locks: i32 = 2000, Between(100, 10_000), ReadOnly, Accepted;
            /// Replication of __share_group_state.
            "share.coordinator.state.topic.replication.factor" share_coordinator_state_topic_replication_factor: i16 = 3, AtLeast(1), ReadOnly, Accepted;
            /// Partitions of __share_group_state.
            "share.coordinator.state.topic.num.partitions" share_coordinator_state_topic_num_partitions: i32 = 50, AtLeast(1), ReadOnly, Accepted;
            /// min ISR of __share_group_state.
            "share.coordinator.state.topic.min.isr" share_coordinator_state_topic_min_isr: i16 = 2, AtLeast(1), ReadOnly, Accepted;
        }
    };
}
