//! Quotas and throttles: one row per setting.

macro_rules! quotas_rows {
    ($rest:tt $($done:tt)*) => {
        collect_rows! { $rest $($done)*
            /// Sample windows of client quotas.
            "quota.window.num" quota_window_num: i32 = 11, AtLeast(1), ReadOnly, Accepted;
            /// Window length.
            "quota.window.size.seconds" quota_window_size_seconds: i32 = 1, AtLeast(1), ReadOnly, Accepted;
            /// Static default produce quota.
            "quota.producer.default" quota_producer_default: i64 = i64::MAX, AtLeast(1), ReadOnly, Accepted;
            /// Static default fetch quota.
            "quota.consumer.default" quota_consumer_default: i64 = i64::MAX, AtLeast(1), ReadOnly, Accepted;
            /// Replication throttle samples.
            "replication.quota.window.num" replication_quota_window_num: i32 = 11, AtLeast(1), ReadOnly, Accepted;
            /// Replication throttle window.
            "replication.quota.window.size.seconds" replication_quota_window_size_seconds: i32 = 1, AtLeast(1), ReadOnly, Accepted;
            /// Intra-broker move throttle samples.
            "alter.log.dirs.replication.quota.window.num" alter_log_dirs_replication_quota_window_num: i32 = 11, AtLeast(1), ReadOnly, Accepted;
            /// Intra-broker move throttle window.
            "alter.log.dirs.replication.quota.window.size.seconds" alter_log_dirs_replication_quota_window_size_seconds: i32 = 1, AtLeast(1), ReadOnly, Accepted;
            /// Mutation quota samples.
            "controller.quota.window.num" controller_quota_window_num: i32 = 11, AtLeast(1), ReadOnly, Accepted;
            /// Mutation quota window.
            "controller.quota.window.size.seconds" controller_quota_window_size_seconds: i32 = 1, AtLeast(1), ReadOnly, Accepted;
            /// ClientQuotaCallback plug-in.
            "client.quota.callback.class" client_quota_callback_class: Option<ClassName> = None, Any, ReadOnly, Accepted;
            /// Leader-side replication throttle.
            "leader.replication.throttled.rate" leader_replication_throttled_rate: i64 = i64::MAX, AtLeast(0), PerBroker, Accepted;
            /// Follower-side replication throttle.
            "follower.replication.throttled.rate" follower_replication_throttled_rate: i64 = i64::MAX, AtLeast(0), PerBroker, Accepted;
            /// Intra-broker move throttle.
            "replica.alter.log.dirs.io.max.bytes.per.second" replica_alter_log_dirs_io_max_bytes_per_second: i64 = i64::MAX, AtLeast(0), PerBroker, Accepted;
        }
    };
}
