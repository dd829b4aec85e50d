//! The KRaft quorum and its metadata log: one row per setting.

macro_rules! kraft_rows {
    ($rest:tt $($done:tt)*) => {
        collect_rows! { $rest $($done)*
            /// What this process is in a KRaft cluster: broker, controller, or both. Empty outside of one.
            "process.roles" process_roles: Vec<String> = list(&[]), Items(&["broker", "controller"]), ReadOnly, Accepted;
            /// The listeners that the controllers of a KRaft cluster speak on; they are not for clients, and not
            /// opened.
            "controller.listener.names" controller_listener_names: Option<String> = None, Any, ReadOnly, Acts;
            /// The listeners that open before the authorizer knows all of its rules, so that it can learn them
            /// over these.
            "early.start.listeners" early_start_listeners: Option<String> = None, Any, ReadOnly, Accepted;
            /// The controllers of a KRaft cluster with a fixed membership, each as id@host:port.
            "controller.quorum.voters" controller_quorum_voters: Vec<String> = list(&[]), Any, ReadOnly, Accepted;
            /// Where a KRaft cluster with a changing membership is found, as host:port.
            "controller.quorum.bootstrap.servers" controller_quorum_bootstrap_servers: Vec<String> = list(&[]), Any, ReadOnly, Accepted;
            /// How long a candidate waits for votes before it stands again.
            "controller.quorum.election.timeout.ms" controller_quorum_election_timeout_ms: i32 = 1000, Any, ReadOnly, Accepted;
            /// How long a follower of the quorum goes without word from the leader before it stands for
            /// election.
            "controller.quorum.fetch.timeout.ms" controller_quorum_fetch_timeout_ms: i32 = 2000, Any, ReadOnly, Accepted;
            /// The longest pause between two elections that nobody won.
            "controller.quorum.election.backoff.max.ms" controller_quorum_election_backoff_max_ms: i32 = 1000, Any, ReadOnly, Accepted;
            /// How long the quorum's leader gathers records before it writes them.
            "controller.quorum.append.linger.ms" controller_quorum_append_linger_ms: i32 = 25, Any, ReadOnly, Accepted;
            /// How long a request to another member of the quorum may take.
            "controller.quorum.request.timeout.ms" controller_quorum_request_timeout_ms: i32 = 2000, Any, ReadOnly, Accepted;
            /// The pause before a request to the quorum is made again.
            "controller.quorum.retry.backoff.ms" controller_quorum_retry_backoff_ms: i32 = 20, Any, ReadOnly, Accepted;
            /// How often a broker tells the KRaft controller that it lives.
            "broker.heartbeat.interval.ms" broker_heartbeat_interval_ms: i32 = 2000, Any, ReadOnly, Accepted;
            /// How long the KRaft controller goes without a heartbeat before it takes a broker for dead.
            "broker.session.timeout.ms" broker_session_timeout_ms: i32 = 9000, Any, ReadOnly, Accepted;
            /// How long a starting broker tries to register with the KRaft controller before it gives up.
            "initial.broker.registration.timeout.ms" initial_broker_registration_timeout_ms: i32 = 60_000, Any, ReadOnly, Accepted;
            /// The directory of the cluster's metadata log; by default the first data directory.
            "metadata.log.dir" metadata_log_dir: Option<String> = None, Any, ReadOnly, Acts;
            /// The size at which a segment of the metadata log is full.
            "metadata.log.segment.bytes" metadata_log_segment_bytes: i32 = 1_073_741_824, AtLeast(12), ReadOnly, Accepted;
            /// The age at which a segment of the metadata log ends.
            "metadata.log.segment.ms" metadata_log_segment_ms: i64 = 604_800_000, Any, ReadOnly, Accepted;
            /// By how much the metadata log may grow before a snapshot of it is taken.
            "metadata.log.max.record.bytes.between.snapshots" metadata_log_max_record_bytes_between_snapshots: i64 = 20_971_520, AtLeast(1), ReadOnly, Accepted;
            /// The time after which a snapshot of the metadata log is taken, however little it grew; 0 is
            /// never.
            "metadata.log.max.snapshot.interval.ms" metadata_log_max_snapshot_interval_ms: i64 = 3_600_000, AtLeast(0), ReadOnly, Accepted;
            /// How large the metadata log and its snapshots together may be.
            "metadata.max.retention.bytes" metadata_max_retention_bytes: i64 = 104_857_600, Any, ReadOnly, Accepted;
            /// How long the metadata log and its snapshots are kept.
            "metadata.max.retention.ms" metadata_max_retention_ms: i64 = 604_800_000, Any, ReadOnly, Accepted;
            /// How often a controller with nothing to say writes a record all the same, so that its followers
            /// see it alive; 0 is never.
            "metadata.max.idle.interval.ms" metadata_max_idle_interval_ms: i32 = 500, AtLeast(0), ReadOnly, Accepted;
            /// Whether replicas that fell out of sync without losing data may still lead.
            "eligible.leader.replicas.enable" eligible_leader_replicas_enable: bool = false, Any, ReadOnly, Accepted;
            /// Whether clients may use versions of requests that are still being designed.
            "unstable.api.versions.enable" unstable_api_versions_enable: bool = false, Any, ReadOnly, Accepted;
            /// Whether the cluster may use feature levels that are still being designed.
            "unstable.feature.versions.enable" unstable_feature_versions_enable: bool = false, Any, ReadOnly, Accepted;
        }
    };
}
