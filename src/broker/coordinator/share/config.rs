use crate::config::BrokerConfig;

/// The broker settings that the share coordinator goes by; each is the Kafka key of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ShareCoordinatorConfig {
    pub(crate) share_coordinator_snapshot_update_records_per_snapshot: i32,
    pub(crate) share_coordinator_cold_partition_snapshot_interval_ms: i32,
}

impl From<&BrokerConfig> for ShareCoordinatorConfig {
    fn from(config: &BrokerConfig) -> Self {
        ShareCoordinatorConfig {
            share_coordinator_snapshot_update_records_per_snapshot: config
                .share_coordinator_snapshot_update_records_per_snapshot,
            share_coordinator_cold_partition_snapshot_interval_ms: config
                .share_coordinator_cold_partition_snapshot_interval_ms,
        }
    }
}
