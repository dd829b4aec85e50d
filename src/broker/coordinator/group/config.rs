use crate::config::{BrokerConfig, GroupMigrationPolicy};
use crate::record::CompressionType;

/// The broker settings that the group coordinator goes by; each is the Kafka key of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GroupConfig {
    pub(crate) group_min_session_timeout_ms: i32,
    pub(crate) group_max_session_timeout_ms: i32,
    pub(crate) group_initial_rebalance_delay_ms: i32,
    pub(crate) group_max_size: i32,
    pub(crate) offsets_retention_minutes: i32,
    pub(crate) offsets_retention_check_interval_ms: i64,
    pub(crate) offset_metadata_max_bytes: i32,
    pub(crate) offsets_topic_compression_codec: CompressionType,
    pub(crate) group_coordinator_rebalance_protocols: Vec<String>,
    pub(crate) group_consumer_session_timeout_ms: i32,
    pub(crate) group_consumer_heartbeat_interval_ms: i32,
    pub(crate) group_consumer_max_size: i32,
    /// The first is for groups that do not choose.
    pub(crate) group_consumer_assignors: Vec<String>,
    pub(crate) group_consumer_migration_policy: GroupMigrationPolicy,
    pub(crate) group_consumer_assignment_interval_ms: i32,
    pub(crate) group_consumer_regex_refresh_interval_ms: i32,
    pub(crate) group_share_session_timeout_ms: i32,
    pub(crate) group_share_heartbeat_interval_ms: i32,
    pub(crate) group_share_max_size: i32,
    pub(crate) group_share_assignors: Vec<String>,
    pub(crate) group_share_assignment_interval_ms: i32,
    pub(crate) group_share_initialize_retry_interval_ms: i32,
    pub(crate) offsets_commit_timeout_ms: i32,
}

impl From<&BrokerConfig> for GroupConfig {
    fn from(config: &BrokerConfig) -> Self {
        let codec = u8::try_from(config.offsets_topic_compression_codec).ok();
        GroupConfig {
            group_min_session_timeout_ms: config.group_min_session_timeout_ms,
            group_max_session_timeout_ms: config.group_max_session_timeout_ms,
            group_initial_rebalance_delay_ms: config.group_initial_rebalance_delay_ms,
            group_max_size: config.group_max_size,
            offsets_retention_minutes: config.offsets_retention_minutes,
            offsets_retention_check_interval_ms: config.offsets_retention_check_interval_ms,
            offset_metadata_max_bytes: config.offset_metadata_max_bytes,
            // The table of settings admits 0 to 4 only.
            offsets_topic_compression_codec: codec
                .and_then(CompressionType::from_id)
                .unwrap_or(CompressionType::None),
            group_coordinator_rebalance_protocols: config.group_coordinator_rebalance_protocols.clone(),
            group_consumer_session_timeout_ms: config.group_consumer_session_timeout_ms,
            group_consumer_heartbeat_interval_ms: config.group_consumer_heartbeat_interval_ms,
            group_consumer_max_size: config.group_consumer_max_size,
            group_consumer_assignors: config.group_consumer_assignors.clone(),
            group_consumer_migration_policy: config.group_consumer_migration_policy,
            group_consumer_assignment_interval_ms: config.group_consumer_assignment_interval_ms,
            group_consumer_regex_refresh_interval_ms: config.group_consumer_regex_refresh_interval_ms,
            group_share_session_timeout_ms: config.group_share_session_timeout_ms,
            group_share_heartbeat_interval_ms: config.group_share_heartbeat_interval_ms,
            group_share_max_size: config.group_share_max_size,
            group_share_assignors: config.group_share_assignors.clone(),
            group_share_assignment_interval_ms: config.group_share_assignment_interval_ms,
            group_share_initialize_retry_interval_ms: config.group_share_initialize_retry_interval_ms,
            offsets_commit_timeout_ms: config.offsets_commit_timeout_ms,
        }
    }
}

impl GroupConfig {
    pub(super) fn offsets_retention_ms(&self) -> i64 {
        i64::from(self.offsets_retention_minutes) * 60_000
    }
}
