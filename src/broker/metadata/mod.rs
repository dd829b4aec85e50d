//! Which topics there are and how they are set; creating, changing and deleting them.

mod auto_create;
mod checkpoint;
mod configs;
mod create_partitions;
mod create_topics;
mod delete_topics;
mod internal_topics;
mod kraft;
mod producer_ids;
mod store;
mod topic;

#[cfg(feature = "cli")]
pub(crate) use checkpoint::METADATA_CHECKPOINT;
pub(crate) use checkpoint::{MetadataError, MetadataImage, Overrides, TopicRecord};
pub(crate) use configs::ConfigResource;
pub(crate) use create_partitions::NewPartitions;
pub(crate) use create_topics::CreatedTopic;
pub use create_topics::NewTopic;
pub(crate) use internal_topics::internal_topic_overrides;
pub(crate) use kraft::ClusterMetadata;
pub(crate) use producer_ids::ProducerIds;
pub(crate) use store::MetadataStore;
pub(crate) use topic::{MetadataCache, Topic, TopicSettings};
