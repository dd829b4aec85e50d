//! Who this broker is, its threads, its topics: one row per setting.

macro_rules! general_rows {
    ($rest:tt $($done:tt)*) => {
        collect_rows! { $rest $($done)*
            /// The broker's number in a cluster coordinated by ZooKeeper; -1 has one generated there. `node.id`
            /// says the same for newer Kafka and wins; with neither, a broker on its own is number 1.
            "broker.id" broker_id: i32 = -1, AtLeast(-1), ReadOnly, Acts;
            /// The broker's number, unique in its cluster. -1 leaves it to `broker.id`, and with neither of
            /// them to 1.
            "node.id" node_id: i32 = -1, AtLeast(-1), ReadOnly, Acts;
            /// Whether ZooKeeper may hand out broker ids, above `reserved.broker.max.id`.
            "broker.id.generation.enable" broker_id_generation_enable: bool = true, Any, ReadOnly, Accepted;
            /// The highest id that is given by hand; generated ids start above it.
            "reserved.broker.max.id" reserved_broker_max_id: i32 = 1000, AtLeast(0), ReadOnly, Accepted;
            /// Where the broker stands, in words of the operator's. Replicas are spread over racks, and a
            /// consumer may read from the replica in its own.
            "broker.rack" broker_rack: Option<String> = None, Any, ReadOnly, Acts;
            /// How many threads do the upkeep: flushing, retention, checkpoints, expiry.
            "background.threads" background_threads: i32 = 10, AtLeast(1), ClusterWide, Accepted;
            /// How many threads per data directory read logs back after a crash and flush them when the broker
            /// stops.
            "num.recovery.threads.per.data.dir" num_recovery_threads_per_data_dir: i32 = 2, AtLeast(1), ClusterWide, Acts;
            /// How many partitions a topic gets that is created without saying.
            "num.partitions" num_partitions: i32 = 1, AtLeast(1), ReadOnly, Acts;
            /// Whether a topic comes into being when a client first asks for it.
            "auto.create.topics.enable" auto_create_topics_enable: bool = true, Any, ReadOnly, Acts;
            /// Whether topics can be deleted; if not, the attempt answers TOPIC_DELETION_DISABLED.
            "delete.topic.enable" delete_topic_enable: bool = true, Any, ReadOnly, Acts;
            /// A plug-in that may refuse new topics.
            "create.topic.policy.class.name" create_topic_policy_class_name: Option<ClassName> = None, Any, ReadOnly, Accepted;
            /// A plug-in that may refuse changes of settings.
            "alter.config.policy.class.name" alter_config_policy_class_name: Option<ClassName> = None, Any, ReadOnly, Accepted;
        }
    };
}
