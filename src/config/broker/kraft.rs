//! The KRaft quorum and its metadata log: one row per setting.

macro_rules! kraft_rows {
    ($rest:tt $($done:tt)*) => {
        collect_rows! { $rest $($done)*
            /// Which roles the process plays: broker, controller or both; empty means ZK mode.
            "process.roles" process_roles: Vec<String> = list(&[]), Items(&["broker", "controller"]), ReadOnly, Accepted;
            /// Listener names the controllers use; required in KRaft.
            "controller.listener.names" controller_listener_names: Option<String> = None, Any, ReadOnly, Accepted;
            /// Listeners that open before the authorizer finished loading.
            "early.start.listeners" early_start_listeners: Option<String> = None, Any, ReadOnly, Accepted;
            /// Static voter set.
            "controller.quorum.voters" controller_quorum_voters: Vec<String> = list(&[]), Any, ReadOnly, Accepted;
            /// Where to find the quorum with dynamic voters (KIP-853).
            "controller.quorum.bootstrap.servers" controller_quorum_bootstrap_servers: Vec<String> = list(&[]), Any, ReadOnly, Accepted;
            /// Election timeout.
            "controller.quorum.election.timeout.ms" controller_quorum_election_timeout_ms: i32 = 1000, Any, ReadOnly, Accepted;
            /// No successful fetch for this long => candidate / look for leader.
            "controller.quorum.fetch.timeout.ms" controller_quorum_fetch_timeout_ms: i32 = 2000, Any, ReadOnly, Accepted;
            /// Election backoff cap.
            "controller.quorum.election.backoff.max.ms" controller_quorum_election_backoff_max_ms: i32 = 1000, Any, ReadOnly, Accepted;
            /// Batching before the leader flushes.
            "controller.quorum.append.linger.ms" controller_quorum_append_linger_ms: i32 = 25, Any, ReadOnly, Accepted;
            /// Raft RPC timeout.
            "controller.quorum.request.timeout.ms" controller_quorum_request_timeout_ms: i32 = 2000, Any, ReadOnly, Accepted;
            /// Raft RPC retry backoff.
            "controller.quorum.retry.backoff.ms" controller_quorum_retry_backoff_ms: i32 = 20, Any, ReadOnly, Accepted;
            /// KRaft broker heartbeat.
            "broker.heartbeat.interval.ms" broker_heartbeat_interval_ms: i32 = 2000, Any, ReadOnly, Accepted;
            /// Lease lost after this without heartbeat.
            "broker.session.timeout.ms" broker_session_timeout_ms: i32 = 9000, Any, ReadOnly, Accepted;
            /// Exit if not registered in this time.
            "initial.broker.registration.timeout.ms" initial_broker_registration_timeout_ms: i32 = 60_000, Any, ReadOnly, Accepted;
            /// Where __cluster_metadata-0 lives.
            "metadata.log.dir" metadata_log_dir: Option<String> = None, Any, ReadOnly, Accepted;
            /// Metadata log segment size.
            "metadata.log.segment.bytes" metadata_log_segment_bytes: i32 = 1_073_741_824, AtLeast(12), ReadOnly, Accepted;
            /// Metadata log segment age.
            "metadata.log.segment.ms" metadata_log_segment_ms: i64 = 604_800_000, Any, ReadOnly, Accepted;
            /// Log growth that triggers a snapshot.
            "metadata.log.max.record.bytes.between.snapshots" metadata_log_max_record_bytes_between_snapshots: i64 = 20_971_520, AtLeast(1), ReadOnly, Accepted;
            /// Time that triggers a snapshot; 0 disables.
            "metadata.log.max.snapshot.interval.ms" metadata_log_max_snapshot_interval_ms: i64 = 3_600_000, AtLeast(0), ReadOnly, Accepted;
            /// Retention of metadata log + snapshots.
            "metadata.max.retention.bytes" metadata_max_retention_bytes: i64 = 104_857_600, Any, ReadOnly, Accepted;
            /// Retention of metadata log + snapshots.
            "metadata.max.retention.ms" metadata_max_retention_ms: i64 = 604_800_000, Any, ReadOnly, Accepted;
            /// Active controller writes a NoOp this often; 0 disables.
            "metadata.max.idle.interval.ms" metadata_max_idle_interval_ms: i32 = 500, AtLeast(0), ReadOnly, Accepted;
            /// ELR (early form; later a feature flag).
            "eligible.leader.replicas.enable" eligible_leader_replicas_enable: bool = false, Any, ReadOnly, Accepted;
            /// Expose unstable API versions.
            "unstable.api.versions.enable" unstable_api_versions_enable: bool = false, Any, ReadOnly, Accepted;
            /// Allow unstable features.
            "unstable.feature.versions.enable" unstable_feature_versions_enable: bool = false, Any, ReadOnly, Accepted;
        }
    };
}
