//! Consumer groups, share groups and committed offsets: one row per setting.

macro_rules! groups_rows {
    ($rest:tt $($done:tt)*) => {
        collect_rows! { $rest $($done)*
            /// How long the text may be that a client adds to a committed offset.
            "offset.metadata.max.bytes" offset_metadata_max_bytes: i32 = 4096, AtLeast(0), ReadOnly, Acts;
            /// How many partitions the topic of committed offsets has. Not to be changed once it exists: a
            /// group's offsets are found by it.
            "offsets.topic.num.partitions" offsets_topic_num_partitions: i32 = 50, AtLeast(1), ReadOnly, Acts;
            /// How many copies the topic of committed offsets has. Where fewer brokers live, it gets as many as
            /// there are.
            "offsets.topic.replication.factor" offsets_topic_replication_factor: i16 = 3, AtLeast(1), ReadOnly, Accepted;
            /// The size of a segment of the topic of committed offsets: small ones load fast.
            "offsets.topic.segment.bytes" offsets_topic_segment_bytes: i32 = 104_857_600, AtLeast(1), ReadOnly, Acts;
            /// The codec of committed offsets: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.
            "offsets.topic.compression.codec" offsets_topic_compression_codec: i32 = 0, Between(0, 4), ReadOnly, Acts;
            /// How much is read at once when committed offsets are loaded.
            "offsets.load.buffer.size" offsets_load_buffer_size: i32 = 5_242_880, AtLeast(1), ReadOnly, Acts;
            /// How long a group's offsets are kept, in minutes, after its last member left.
            "offsets.retention.minutes" offsets_retention_minutes: i32 = 10_080, AtLeast(1), ReadOnly, Acts;
            /// How often offsets past their time are looked for.
            "offsets.retention.check.interval.ms" offsets_retention_check_interval_ms: i64 = 600_000, AtLeast(1), ReadOnly, Acts;
            /// How long a commit may wait until all replicas have it.
            "offsets.commit.timeout.ms" offsets_commit_timeout_ms: i32 = 5000, AtLeast(1), ReadOnly, Accepted;
            /// How many replicas must have a commit before it is answered; -1 is all that are in sync.
            "offsets.commit.required.acks" offsets_commit_required_acks: i16 = -1, Any, ReadOnly, Accepted;
            /// The shortest session timeout that a member of a classic group may ask for.
            "group.min.session.timeout.ms" group_min_session_timeout_ms: i32 = 6000, AtLeast(1), ReadOnly, Acts;
            /// The longest session timeout that a member of a classic group may ask for.
            "group.max.session.timeout.ms" group_max_session_timeout_ms: i32 = 1_800_000, AtLeast(1), ReadOnly, Acts;
            /// How long a new group waits for more members before partitions are handed out. 0 for tests.
            "group.initial.rebalance.delay.ms" group_initial_rebalance_delay_ms: i32 = 3000, AtLeast(0), ReadOnly, Acts;
            /// How many members a classic group may have.
            "group.max.size" group_max_size: i32 = i32::MAX, AtLeast(1), ReadOnly, Acts;
            /// The protocols that groups may use: classic, consumer, share, streams.
            "group.coordinator.rebalance.protocols" group_coordinator_rebalance_protocols: Vec<String> = list(&["classic", "consumer"]), Items(&["classic", "consumer", "share", "streams"]), ReadOnly, Accepted;
            /// Whether Kafka's newer implementation of the coordinator is used. ottla has one.
            "group.coordinator.new.enable" group_coordinator_new_enable: bool = true, Any, ReadOnly, Accepted;
            /// How many threads coordinate groups.
            "group.coordinator.threads" group_coordinator_threads: i32 = 4, AtLeast(1), ReadOnly, Accepted;
            /// How long the coordinator gathers what it writes; -1 lets it decide.
            "group.coordinator.append.linger.ms" group_coordinator_append_linger_ms: i32 = 5, AtLeast(-1), ReadOnly, Accepted;
            /// How long a member of a consumer group may be silent before it is taken for dead.
            "group.consumer.session.timeout.ms" group_consumer_session_timeout_ms: i32 = 45_000, AtLeast(1), ReadOnly, Acts;
            /// The shortest session timeout that a consumer group may be given.
            "group.consumer.min.session.timeout.ms" group_consumer_min_session_timeout_ms: i32 = 45_000, AtLeast(1), ReadOnly, Accepted;
            /// The longest session timeout that a consumer group may be given.
            "group.consumer.max.session.timeout.ms" group_consumer_max_session_timeout_ms: i32 = 60_000, AtLeast(1), ReadOnly, Accepted;
            /// How often members of a consumer group are told to report.
            "group.consumer.heartbeat.interval.ms" group_consumer_heartbeat_interval_ms: i32 = 5000, AtLeast(1), ReadOnly, Acts;
            /// The shortest heartbeat interval that a consumer group may be given.
            "group.consumer.min.heartbeat.interval.ms" group_consumer_min_heartbeat_interval_ms: i32 = 5000, AtLeast(1), ReadOnly, Accepted;
            /// The longest heartbeat interval that a consumer group may be given.
            "group.consumer.max.heartbeat.interval.ms" group_consumer_max_heartbeat_interval_ms: i32 = 15_000, AtLeast(1), ReadOnly, Accepted;
            /// How many members a consumer group may have.
            "group.consumer.max.size" group_consumer_max_size: i32 = i32::MAX, AtLeast(1), ReadOnly, Acts;
            /// How the broker can spread partitions over a consumer group's members; the first is what a group
            /// gets that does not choose.
            "group.consumer.assignors" group_consumer_assignors: Vec<String> = list(&["uniform", "range"]), Items(&["uniform", "range"]), ReadOnly, Acts;
            /// In which directions a group with members may change between the classic and the consumer
            /// protocol.
            "group.consumer.migration.policy" group_consumer_migration_policy: GroupMigrationPolicy = GroupMigrationPolicy::Bidirectional, Any, ReadOnly, Acts;
            /// How soon after one assignment of a consumer group the next may be made: changes that come together are
            /// answered together. 0 for tests.
            "group.consumer.assignment.interval.ms" group_consumer_assignment_interval_ms: i32 = 1000, AtLeast(0), ReadOnly, Acts;
            /// The shortest interval between assignments that a consumer group may be given.
            "group.consumer.min.assignment.interval.ms" group_consumer_min_assignment_interval_ms: i32 = 0, AtLeast(0), ReadOnly, Accepted;
            /// The longest interval between assignments that a consumer group may be given.
            "group.consumer.max.assignment.interval.ms" group_consumer_max_assignment_interval_ms: i32 = 15_000, AtLeast(0), ReadOnly, Accepted;
            /// How often it is looked up which topics a consumer group's pattern matches.
            "group.consumer.regex.refresh.interval.ms" group_consumer_regex_refresh_interval_ms: i32 = 600_000, AtLeast(10_000), ReadOnly, Acts;
            /// How long a member of a share group may be silent before it is taken for dead.
            "group.share.session.timeout.ms" group_share_session_timeout_ms: i32 = 45_000, AtLeast(1), ReadOnly, Accepted;
            /// How often members of a share group are told to report.
            "group.share.heartbeat.interval.ms" group_share_heartbeat_interval_ms: i32 = 5000, AtLeast(1), ReadOnly, Accepted;
            /// How many members a share group may have.
            "group.share.max.size" group_share_max_size: i32 = 200, Between(1, 1000), ReadOnly, Accepted;
            /// How often a share group is given a record that nobody acknowledges.
            "group.share.delivery.count.limit" group_share_delivery_count_limit: i32 = 5, Between(2, 10), ReadOnly, Accepted;
            /// How long a member of a share group may hold a record without an answer.
            "group.share.record.lock.duration.ms" group_share_record_lock_duration_ms: i32 = 30_000, Between(1000, 3_600_000), ReadOnly, Accepted;
            /// How many records of a partition a share group may hold at once.
            "group.share.partition.max.record.locks" group_share_partition_max_record_locks: i32 = 2000, Between(100, 10_000), ReadOnly, Accepted;
            /// How many copies the topic of share groups' state has. Where fewer brokers live, it gets as many
            /// as there are.
            "share.coordinator.state.topic.replication.factor" share_coordinator_state_topic_replication_factor: i16 = 3, AtLeast(1), ReadOnly, Accepted;
            /// How many partitions the topic of share groups' state has.
            "share.coordinator.state.topic.num.partitions" share_coordinator_state_topic_num_partitions: i32 = 50, AtLeast(1), ReadOnly, Accepted;
            /// How many replicas must have a share group's state before it counts. Never more than there are
            /// copies.
            "share.coordinator.state.topic.min.isr" share_coordinator_state_topic_min_isr: i16 = 2, AtLeast(1), ReadOnly, Accepted;
        }
    };
}
