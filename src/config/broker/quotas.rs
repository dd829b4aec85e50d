//! Quotas and throttles: one row per setting.

macro_rules! quotas_rows {
    ($rest:tt $($done:tt)*) => {
        collect_rows! { $rest $($done)*
            /// Over how many windows a client's rate is measured.
            "quota.window.num" quota_window_num: i32 = 11, AtLeast(1), ReadOnly, Accepted;
            /// How long one window of a client's rate is, in seconds.
            "quota.window.size.seconds" quota_window_size_seconds: i32 = 1, AtLeast(1), ReadOnly, Accepted;
            /// How many bytes a second each client may produce, as before quotas could change while the broker
            /// runs.
            "quota.producer.default" quota_producer_default: i64 = i64::MAX, AtLeast(1), ReadOnly, Accepted;
            /// How many bytes a second each client may fetch, as before quotas could change while the broker
            /// runs.
            "quota.consumer.default" quota_consumer_default: i64 = i64::MAX, AtLeast(1), ReadOnly, Accepted;
            /// Over how many windows the rate of replication is measured.
            "replication.quota.window.num" replication_quota_window_num: i32 = 11, AtLeast(1), ReadOnly, Accepted;
            /// How long one window of replication's rate is, in seconds.
            "replication.quota.window.size.seconds" replication_quota_window_size_seconds: i32 = 1, AtLeast(1), ReadOnly, Accepted;
            /// Over how many windows the rate of moves between data directories is measured.
            "alter.log.dirs.replication.quota.window.num" alter_log_dirs_replication_quota_window_num: i32 = 11, AtLeast(1), ReadOnly, Accepted;
            /// How long one window of the moves' rate is, in seconds.
            "alter.log.dirs.replication.quota.window.size.seconds" alter_log_dirs_replication_quota_window_size_seconds: i32 = 1, AtLeast(1), ReadOnly, Accepted;
            /// Over how many windows the rate of changes to topics is measured.
            "controller.quota.window.num" controller_quota_window_num: i32 = 11, AtLeast(1), ReadOnly, Accepted;
            /// How long one window of the changes' rate is, in seconds.
            "controller.quota.window.size.seconds" controller_quota_window_size_seconds: i32 = 1, AtLeast(1), ReadOnly, Accepted;
            /// A plug-in that decides on clients' quotas.
            "client.quota.callback.class" client_quota_callback_class: Option<ClassName> = None, Any, ReadOnly, Accepted;
            /// How many bytes a second followers under throttle may be sent.
            "leader.replication.throttled.rate" leader_replication_throttled_rate: i64 = i64::MAX, AtLeast(0), PerBroker, Accepted;
            /// How many bytes a second a follower under throttle may fetch.
            "follower.replication.throttled.rate" follower_replication_throttled_rate: i64 = i64::MAX, AtLeast(0), PerBroker, Accepted;
            /// How many bytes a second moves between data directories may copy.
            "replica.alter.log.dirs.io.max.bytes.per.second" replica_alter_log_dirs_io_max_bytes_per_second: i64 = i64::MAX, AtLeast(0), PerBroker, Acts;
        }
    };
}
