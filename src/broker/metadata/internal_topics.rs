//! The broker's own topics, one row each: its name, and how it is made (Kafka: `AutoTopicCreationManager#creatableTopic`).
//!
//! The replication factors that the settings name are for clusters that have as many brokers: here it is what a
//! broker of one can have, as is the number of replicas that have to be in sync.

use super::checkpoint::Overrides;
use super::create_topics::NewTopic;
use crate::config::BrokerConfig;
use crate::model::{CONSUMER_OFFSETS_TOPIC, SHARE_GROUP_STATE_TOPIC, TRANSACTION_STATE_TOPIC};

type Making = fn(NewTopic, &BrokerConfig) -> NewTopic;

const INTERNAL_TOPICS: [(&str, Making); 3] = [
    (CONSUMER_OFFSETS_TOPIC, |topic, config| {
        topic
            .partitions(config.offsets_topic_num_partitions)
            .config("cleanup.policy", "compact")
            .config("compression.type", "producer")
            .config("segment.bytes", config.offsets_topic_segment_bytes.to_string())
    }),
    (TRANSACTION_STATE_TOPIC, |topic, config| {
        topic
            .partitions(config.transaction_state_log_num_partitions)
            .config("unclean.leader.election.enable", "false")
            .config("compression.type", "uncompressed")
            .config("cleanup.policy", "compact")
            .config("min.insync.replicas", config.transaction_state_log_min_isr.min(1).to_string())
            .config("segment.bytes", config.transaction_state_log_segment_bytes.to_string())
    }),
    (SHARE_GROUP_STATE_TOPIC, |topic, config| {
        topic
            .partitions(config.share_coordinator_state_topic_num_partitions)
            .config("cleanup.policy", "delete")
            .config("compression.type", "producer")
            .config("min.insync.replicas", config.share_coordinator_state_topic_min_isr.min(1).to_string())
            .config("retention.ms", "-1")
            .config("segment.bytes", config.share_coordinator_state_topic_segment_bytes.to_string())
    }),
];

/// How the topic is to be made if it is one of the broker's own.
pub(super) fn internal_topic(name: &str, config: &BrokerConfig) -> Option<NewTopic> {
    let (name, make) = INTERNAL_TOPICS.iter().find(|(internal, _)| *internal == name)?;
    Some(make(NewTopic::new(*name, -1), config))
}

/// How the topic is set if it is one of the broker's own.
pub(crate) fn internal_topic_overrides(name: &str, config: &BrokerConfig) -> Option<Overrides> {
    let configs = internal_topic(name, config)?.configs;
    Some(configs.into_iter().filter_map(|(key, value)| Some((key, value?))).collect())
}
