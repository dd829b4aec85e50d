use crate::config::BrokerConfig;
use crate::record::CompressionType;

/// The broker settings that the share coordinator goes by; each is the Kafka key of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ShareCoordinatorConfig {
    pub(crate) share_coordinator_snapshot_update_records_per_snapshot: i32,
    pub(crate) share_coordinator_cold_partition_snapshot_interval_ms: i32,
    pub(crate) share_coordinator_state_topic_compression_codec: CompressionType,
}

impl From<&BrokerConfig> for ShareCoordinatorConfig {
    fn from(config: &BrokerConfig) -> Self {
        let codec = u8::try_from(config.share_coordinator_state_topic_compression_codec).ok();
        ShareCoordinatorConfig {
            share_coordinator_snapshot_update_records_per_snapshot: config
                .share_coordinator_snapshot_update_records_per_snapshot,
            share_coordinator_cold_partition_snapshot_interval_ms: config
                .share_coordinator_cold_partition_snapshot_interval_ms,
            // The table of settings admits 0 to 4 only.
            share_coordinator_state_topic_compression_codec: codec
                .and_then(CompressionType::from_id)
                .unwrap_or(CompressionType::None),
        }
    }
}
