//! Who this broker is, its threads, its topics: one row per setting.

macro_rules! general_rows {
    ($rest:tt $($done:tt)*) => {
        collect_rows! { $rest $($done)*
            /// Numeric identity of the broker; -1 asks ZooKeeper for a generated id.
            "broker.id" broker_id: i32 = -1, AtLeast(-1), ReadOnly, Acts;
            /// Identity in KRaft mode; required when process.roles is set.
            "node.id" node_id: i32 = -1, AtLeast(-1), ReadOnly, Acts;
            /// Allow automatic broker ids above reserved.broker.max.id.
            "broker.id.generation.enable" broker_id_generation_enable: bool = true, Any, ReadOnly, Accepted;
            /// Highest id users may assign by hand; generated ids start above it.
            "reserved.broker.max.id" reserved_broker_max_id: i32 = 1000, AtLeast(0), ReadOnly, Accepted;
            /// Rack label used for rack-aware placement and follower fetching.
            "broker.rack" broker_rack: Option<String> = None, Any, ReadOnly, Acts;
            /// Scheduler threads for log maintenance and other upkeep.
            "background.threads" background_threads: i32 = 10, AtLeast(1), ClusterWide, Acts;
            /// Threads per log dir for start-up recovery and shutdown flush.
            "num.recovery.threads.per.data.dir" num_recovery_threads_per_data_dir: i32 = 2, AtLeast(1), ClusterWide, Acts;
            /// Default partition count for new topics.
            "num.partitions" num_partitions: i32 = 1, AtLeast(1), ReadOnly, Acts;
            /// Create missing topics on Metadata requests that allow it.
            "auto.create.topics.enable" auto_create_topics_enable: bool = true, Any, ReadOnly, Acts;
            /// Permit DeleteTopics.
            "delete.topic.enable" delete_topic_enable: bool = true, Any, ReadOnly, Acts;
            /// CreateTopicPolicy plug-in; failure is POLICY_VIOLATION (44).
            "create.topic.policy.class.name" create_topic_policy_class_name: Option<ClassName> = None, Any, ReadOnly, Accepted;
            /// AlterConfigPolicy plug-in.
            "alter.config.policy.class.name" alter_config_policy_class_name: Option<ClassName> = None, Any, ReadOnly, Accepted;
        }
    };
}
