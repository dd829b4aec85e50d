//! The nouns that every layer shares. Imports nothing.

mod error_code;
mod ids;
mod topic_name;
mod topic_partition;
mod uuid;

pub use error_code::ErrorCode;
pub use ids::IsolationLevel;
pub(crate) use ids::{
    BrokerId, LeaderEpoch, NO_LEADER_EPOCH, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE, NO_TIMESTAMP,
    Offset, ProducerEpoch, ProducerId, Timestamp,
};
pub(crate) use topic_name::{
    CONSUMER_OFFSETS_TOPIC, InvalidTopicName, SHARE_GROUP_STATE_TOPIC, TRANSACTION_STATE_TOPIC,
    has_collision, is_internal_topic, validate_topic_name,
};
pub use topic_partition::TopicPartition;
pub use uuid::{ParseUuidError, Uuid};
