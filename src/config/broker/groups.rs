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
            /// How long a commit may wait until all replicas have it, which there are none of. A share group does not ask
            /// for the state of its partitions again before.
            "offsets.commit.timeout.ms" offsets_commit_timeout_ms: i32 = 5000, AtLeast(1), ReadOnly, Acts;
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
            /// The protocols that groups may use: classic, and consumer, without which members that want the broker
            /// to assign partitions are refused. Share groups do not go by it, and there are no groups of streams.
            "group.coordinator.rebalance.protocols" group_coordinator_rebalance_protocols: Vec<String> = list(&["classic", "consumer"]), Items(&["classic", "consumer", "share", "streams"]), ReadOnly, Acts;
            /// Whether Kafka's newer implementation of the coordinator is used. ottla has one.
            "group.coordinator.new.enable" group_coordinator_new_enable: bool = true, Any, ReadOnly, Accepted;
            /// How many threads coordinate groups.
            "group.coordinator.threads" group_coordinator_threads: i32 = 4, AtLeast(1), ReadOnly, Accepted;
            /// How long the coordinator gathers what it writes; -1 lets it decide.
            "group.coordinator.append.linger.ms" group_coordinator_append_linger_ms: i32 = -1, AtLeast(-1), ReadOnly, Accepted;
            /// How long a member of a consumer group may be silent before it is taken for dead.
            "group.consumer.session.timeout.ms" group_consumer_session_timeout_ms: i32 = 45_000, AtLeast(1), ReadOnly, Acts;
            /// The shortest session timeout that a consumer group may be given.
            "group.consumer.min.session.timeout.ms" group_consumer_min_session_timeout_ms: i32 = 45_000, AtLeast(1), ReadOnly, Acts;
            /// The longest session timeout that a consumer group may be given.
            "group.consumer.max.session.timeout.ms" group_consumer_max_session_timeout_ms: i32 = 60_000, AtLeast(1), ReadOnly, Acts;
            /// How often members of a consumer group are told to report.
            "group.consumer.heartbeat.interval.ms" group_consumer_heartbeat_interval_ms: i32 = 5000, AtLeast(1), ReadOnly, Acts;
            /// The shortest heartbeat interval that a consumer group may be given.
            "group.consumer.min.heartbeat.interval.ms" group_consumer_min_heartbeat_interval_ms: i32 = 5000, AtLeast(1), ReadOnly, Acts;
            /// The longest heartbeat interval that a consumer group may be given.
            "group.consumer.max.heartbeat.interval.ms" group_consumer_max_heartbeat_interval_ms: i32 = 15_000, AtLeast(1), ReadOnly, Acts;
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
            "group.consumer.assignment.interval.ms" group_consumer_assignment_interval_ms: i32 = 1000, AtLeast(0), ClusterWide, Acts;
            /// The shortest interval between assignments that a consumer group may be given.
            "group.consumer.min.assignment.interval.ms" group_consumer_min_assignment_interval_ms: i32 = 0, AtLeast(0), ReadOnly, Acts;
            /// The longest interval between assignments that a consumer group may be given.
            "group.consumer.max.assignment.interval.ms" group_consumer_max_assignment_interval_ms: i32 = 15_000, AtLeast(0), ReadOnly, Acts;
            /// Whether assignments of consumer groups are computed on a thread of their own. ottla's are not.
            "group.consumer.assignor.offload.enable" group_consumer_assignor_offload_enable: bool = true, Any, ClusterWide, Accepted;
            /// How often it is looked up which topics a consumer group's pattern matches.
            "group.consumer.regex.refresh.interval.ms" group_consumer_regex_refresh_interval_ms: i32 = 600_000, AtLeast(10_000), ReadOnly, Acts;
            /// How long a member of a share group may be silent before it is taken for dead.
            "group.share.session.timeout.ms" group_share_session_timeout_ms: i32 = 45_000, AtLeast(1), ReadOnly, Acts;
            /// How often members of a share group are told to report.
            "group.share.heartbeat.interval.ms" group_share_heartbeat_interval_ms: i32 = 5000, AtLeast(1), ReadOnly, Acts;
            /// The shortest session timeout that a share group may be given.
            "group.share.min.session.timeout.ms" group_share_min_session_timeout_ms: i32 = 45_000, AtLeast(1), ReadOnly, Acts;
            /// The longest session timeout that a share group may be given.
            "group.share.max.session.timeout.ms" group_share_max_session_timeout_ms: i32 = 60_000, AtLeast(1), ReadOnly, Acts;
            /// The shortest heartbeat interval that a share group may be given.
            "group.share.min.heartbeat.interval.ms" group_share_min_heartbeat_interval_ms: i32 = 5000, AtLeast(1), ReadOnly, Acts;
            /// The longest heartbeat interval that a share group may be given.
            "group.share.max.heartbeat.interval.ms" group_share_max_heartbeat_interval_ms: i32 = 15_000, AtLeast(1), ReadOnly, Acts;
            /// How the broker spreads partitions over a share group's members.
            "group.share.assignors" group_share_assignors: Vec<String> = list(&["simple"]), Items(&["simple"]), ReadOnly, Acts;
            /// How long a share group keeps its assignment before a new one is made.
            "group.share.assignment.interval.ms" group_share_assignment_interval_ms: i32 = 1000, AtLeast(0), ClusterWide, Acts;
            /// The shortest that a share group may be made to keep its assignment.
            "group.share.min.assignment.interval.ms" group_share_min_assignment_interval_ms: i32 = 0, AtLeast(0), ReadOnly, Acts;
            /// The longest that a share group may be made to keep its assignment.
            "group.share.max.assignment.interval.ms" group_share_max_assignment_interval_ms: i32 = 15_000, AtLeast(0), ReadOnly, Acts;
            /// Whether assignments of share groups are computed on a thread of their own. ottla's are not.
            "group.share.assignor.offload.enable" group_share_assignor_offload_enable: bool = true, Any, ClusterWide, Accepted;
            /// After which time the state of a share group's partition is asked for again.
            "group.share.initialize.retry.interval.ms" group_share_initialize_retry_interval_ms: i32 = 30_000, AtLeast(1), ReadOnly, Acts;
            /// How many members a share group may have.
            "group.share.max.size" group_share_max_size: i32 = 200, Between(1, 1000), ReadOnly, Acts;
            /// How often a share group is given a record that nobody acknowledges.
            "group.share.delivery.count.limit" group_share_delivery_count_limit: i32 = 5, Between(2, 10), ReadOnly, Acts;
            /// How long a member of a share group may hold a record without an answer.
            "group.share.record.lock.duration.ms" group_share_record_lock_duration_ms: i32 = 30_000, Between(1000, 3_600_000), ReadOnly, Acts;
            /// How many records of a partition a share group may hold at once.
            "group.share.partition.max.record.locks" group_share_partition_max_record_locks: i32 = 2000, Between(100, 10_000), ReadOnly, Acts;
            /// The most that a group may set for the count of deliveries.
            "group.share.max.delivery.count.limit" group_share_max_delivery_count_limit: i32 = 10, Between(5, 25), ReadOnly, Acts;
            /// The least that a group may set for the count of deliveries.
            "group.share.min.delivery.count.limit" group_share_min_delivery_count_limit: i32 = 2, Between(2, 5), ReadOnly, Acts;
            /// The longest that a group may have records locked for its members.
            "group.share.max.record.lock.duration.ms" group_share_max_record_lock_duration_ms: i32 = 60_000, Between(30_000, 3_600_000), ReadOnly, Acts;
            /// The shortest that a group may have records locked for its members.
            "group.share.min.record.lock.duration.ms" group_share_min_record_lock_duration_ms: i32 = 15_000, Between(1000, 30_000), ReadOnly, Acts;
            /// The most records of a partition that a group may allow itself to hold at once.
            "group.share.max.partition.max.record.locks" group_share_max_partition_max_record_locks: i32 = 4000, Between(2000, 10_000), ReadOnly, Acts;
            /// The fewest records of a partition that a group may allow itself to hold at once.
            "group.share.min.partition.max.record.locks" group_share_min_partition_max_record_locks: i32 = 100, Between(100, 2000), ReadOnly, Acts;
            /// How many members of share groups may have a session of fetches at once.
            "group.share.max.share.sessions" group_share_max_share_sessions: i32 = 2000, AtLeast(1), ReadOnly, Acts;
            /// After how many requests waiting share fetches that are over are let go of. ottla lets go at once.
            "share.fetch.purgatory.purge.interval.requests" share_fetch_purgatory_purge_interval_requests: i32 = 1000, Any, ReadOnly, Accepted;
            /// How many copies the topic of share groups' state has. Where fewer brokers live, it gets as many
            /// as there are.
            "share.coordinator.state.topic.replication.factor" share_coordinator_state_topic_replication_factor: i16 = 3, AtLeast(1), ReadOnly, Accepted;
            /// How many partitions the topic of share groups' state has.
            "share.coordinator.state.topic.num.partitions" share_coordinator_state_topic_num_partitions: i32 = 50, AtLeast(1), ReadOnly, Acts;
            /// How many replicas must have a share group's state before it counts. Never more than there are
            /// copies.
            "share.coordinator.state.topic.min.isr" share_coordinator_state_topic_min_isr: i16 = 2, AtLeast(1), ReadOnly, Accepted;
            /// How large a segment of the topic of share groups' state is: small ones load fast.
            "share.coordinator.state.topic.segment.bytes" share_coordinator_state_topic_segment_bytes: i32 = 104_857_600, AtLeast(1), ReadOnly, Acts;
            /// The codec of share groups' state: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.
            "share.coordinator.state.topic.compression.codec" share_coordinator_state_topic_compression_codec: i32 = 0, Between(0, 4), ReadOnly, Acts;
            /// How much is read at once when share groups' state is loaded.
            "share.coordinator.load.buffer.size" share_coordinator_load_buffer_size: i32 = 5_242_880, AtLeast(1), ReadOnly, Acts;
            /// After how many updates of a share partition's state all of it is written.
            "share.coordinator.snapshot.update.records.per.snapshot" share_coordinator_snapshot_update_records_per_snapshot: i32 = 500, Between(0, 500), ReadOnly, Acts;
            /// How long a write of share groups' state may wait until all replicas have it.
            "share.coordinator.write.timeout.ms" share_coordinator_write_timeout_ms: i32 = 5000, AtLeast(1), ReadOnly, Accepted;
            /// How many threads coordinate share groups' state.
            "share.coordinator.threads" share_coordinator_threads: i32 = 1, AtLeast(1), ReadOnly, Accepted;
            /// How long the coordinator of share groups' state gathers what it writes; -1 lets it decide.
            "share.coordinator.append.linger.ms" share_coordinator_append_linger_ms: i32 = -1, AtLeast(-1), ReadOnly, Accepted;
            /// How often what is not needed any more is deleted from the topic of share groups' state.
            "share.coordinator.state.topic.prune.interval.ms" share_coordinator_state_topic_prune_interval_ms: i32 = 300_000, AtLeast(1), ReadOnly, Acts;
            /// How long after the last snapshot of a share partition's state another is written in any case.
            "share.coordinator.cold.partition.snapshot.interval.ms" share_coordinator_cold_partition_snapshot_interval_ms: i32 = 300_000, AtLeast(1), ReadOnly, Acts;
            /// How many threads do for the coordinator what takes long. ottla has none for that.
            "group.coordinator.background.threads" group_coordinator_background_threads: i32 = 2, AtLeast(1), ReadOnly, Accepted;
            /// How large a buffer Kafka's coordinator of groups keeps for its next write.
            "group.coordinator.cached.buffer.max.bytes" group_coordinator_cached_buffer_max_bytes: i32 = 1_048_588, AtLeast(524_288), ClusterWide, Accepted;
            /// How long a member of a group of streams may be silent. ottla has no such groups (KIP-1071).
            "group.streams.session.timeout.ms" group_streams_session_timeout_ms: i32 = 45_000, AtLeast(1), ReadOnly, Accepted;
            /// The shortest session timeout that a group of streams may be given.
            "group.streams.min.session.timeout.ms" group_streams_min_session_timeout_ms: i32 = 45_000, AtLeast(1), ReadOnly, Accepted;
            /// The longest session timeout that a group of streams may be given.
            "group.streams.max.session.timeout.ms" group_streams_max_session_timeout_ms: i32 = 60_000, AtLeast(1), ReadOnly, Accepted;
            /// How often members of a group of streams are told to report.
            "group.streams.heartbeat.interval.ms" group_streams_heartbeat_interval_ms: i32 = 5000, AtLeast(1), ReadOnly, Accepted;
            /// The shortest heartbeat interval that a group of streams may be given.
            "group.streams.min.heartbeat.interval.ms" group_streams_min_heartbeat_interval_ms: i32 = 5000, AtLeast(1), ReadOnly, Accepted;
            /// The longest heartbeat interval that a group of streams may be given.
            "group.streams.max.heartbeat.interval.ms" group_streams_max_heartbeat_interval_ms: i32 = 15_000, AtLeast(1), ReadOnly, Accepted;
            /// How many members a group of streams may have.
            "group.streams.max.size" group_streams_max_size: i32 = i32::MAX, AtLeast(1), ReadOnly, Accepted;
            /// How many copies of each store a group of streams keeps ready.
            "group.streams.num.standby.replicas" group_streams_num_standby_replicas: i32 = 0, AtLeast(0), ReadOnly, Accepted;
            /// The most copies of a store that a group of streams may ask for.
            "group.streams.max.standby.replicas" group_streams_max_standby_replicas: i32 = 2, AtLeast(0), ReadOnly, Accepted;
            /// How long a new group of streams waits for more members.
            "group.streams.initial.rebalance.delay.ms" group_streams_initial_rebalance_delay_ms: i32 = 3000, AtLeast(0), ReadOnly, Accepted;
            /// How soon after one assignment of a group of streams the next may be made.
            "group.streams.assignment.interval.ms" group_streams_assignment_interval_ms: i32 = 1000, AtLeast(0), ClusterWide, Accepted;
            /// The shortest interval between assignments that a group of streams may be given.
            "group.streams.min.assignment.interval.ms" group_streams_min_assignment_interval_ms: i32 = 0, AtLeast(0), ReadOnly, Accepted;
            /// The longest interval between assignments that a group of streams may be given.
            "group.streams.max.assignment.interval.ms" group_streams_max_assignment_interval_ms: i32 = 15_000, AtLeast(0), ReadOnly, Accepted;
            /// How the broker would spread the tasks of a group of streams over its members.
            "group.streams.assignors" group_streams_assignors: Vec<String> = list(&["sticky"]), Any, ReadOnly, Accepted;
            /// By which tags of its members a group of streams would spread copies of stores.
            "group.streams.rack.aware.assignment.tags" group_streams_rack_aware_assignment_tags: Vec<String> = Vec::new(), Any, ReadOnly, Accepted;
            /// The Java class that would be told the topologies of groups of streams.
            "group.streams.topology.description.plugin.class" group_streams_topology_description_plugin_class: Option<ClassName> = None, Any, ReadOnly, Accepted;
            /// Whether topics come into being for records that a share group has given up.
            "errors.deadletterqueue.auto.create.topics.enable" errors_deadletterqueue_auto_create_topics_enable: bool = false, Any, ClusterWide, Accepted;
            /// What the names of topics begin with to which a share group's records go that it has given up.
            "errors.deadletterqueue.topic.name.prefix" errors_deadletterqueue_topic_name_prefix: String = "dlq.".to_owned(), Any, ClusterWide, Accepted;
            /// How large a buffer Kafka's coordinator of share groups' state keeps for its next write.
            "share.coordinator.cached.buffer.max.bytes" share_coordinator_cached_buffer_max_bytes: i32 = 1_048_588, AtLeast(524_288), ClusterWide, Accepted;
        }
    };
}
