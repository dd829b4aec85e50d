//! Deleting topics (Kafka: `ReplicationControlManager#deleteTopics`).

use std::sync::Arc;

use super::checkpoint::{MetadataError, MetadataImage};
use super::store::MetadataStore;
use super::topic::Topic;
use crate::broker::core::BrokerCore;
use crate::error::{Error, Result};
use crate::log::{LogError, LogManager};
use crate::model::{
    CONSUMER_OFFSETS_TOPIC, ErrorCode, SHARE_GROUP_STATE_TOPIC, TRANSACTION_STATE_TOPIC, TopicPartition,
};

/// A topic that is gone.
#[derive(Clone, Debug)]
pub(crate) struct DeletedTopic {
    pub(crate) name: Arc<str>,
}

impl BrokerCore {
    /// Deletes a topic with its records and the offsets committed on it. Who reads it at the moment keeps what
    /// was handed out; the files go after `file.delete.delay.ms`, or at once where the disk is too full to write down
    /// that the topic is gone.
    pub(crate) fn delete_topic(&self, name: &str) -> Result<DeletedTopic> {
        self.check_deletion()?;
        let mut image = self.store.lock();
        let topic =
            self.metadata.topic(name).ok_or_else(|| Error::from(ErrorCode::UnknownTopicOrPartition))?;
        match self.commit_deletion(&mut image, name) {
            Err(error) if error.is_disk_full() => {
                tracing::warn!(topic = name, "the disk is full: the topic's records go first, to make room");
                self.drop_logs(&topic, LogManager::delete_at_once);
                self.commit_deletion(&mut image, name).map_err(|error| {
                    topic.partitions().iter().for_each(|partition| partition.unmark_deleted());
                    Error::from(error).context("the topic's records are deleted, the topic is not")
                })?;
            }
            committed => committed?,
        }
        self.metadata.remove(name);
        let deleted = DeletedTopic { name: Arc::clone(topic.name()) };
        self.drop_logs(&topic, LogManager::delete);
        drop(image);
        match name {
            CONSUMER_OFFSETS_TOPIC => self.on_offsets_topic_deleted(topic.num_partitions()),
            TRANSACTION_STATE_TOPIC => self.on_transaction_topic_deleted(topic.num_partitions()),
            SHARE_GROUP_STATE_TOPIC => self.on_share_state_topic_deleted(topic.num_partitions()),
            _ => {}
        }
        self.groups.on_topics_deleted(&[name]);
        self.share_groups.on_topic_deleted(topic.id());
        self.share_coordinator.on_topics_deleted(&[topic.id()]);
        tracing::info!(topic = %deleted.name, "deleted topic");
        Ok(deleted)
    }

    /// Whether topics may be deleted at all.
    pub(crate) fn check_deletion(&self) -> Result<()> {
        self.ensure_open()?;
        if !self.config().delete_topic_enable {
            return Err(Error::from(ErrorCode::TopicDeletionDisabled));
        }
        Ok(())
    }

    fn commit_deletion(&self, image: &mut MetadataImage, name: &str) -> Result<(), MetadataError> {
        MetadataStore::commit(image, &*self.env.fs, &self.live_log_dirs(), |image| {
            image.topics.remove(name);
        })
    }

    fn drop_logs(
        &self,
        topic: &Topic,
        delete: impl Fn(&LogManager, &TopicPartition) -> Result<bool, LogError>,
    ) {
        for partition in topic.partitions() {
            let has_log = partition.mark_deleted();
            if has_log && let Err(error) = delete(&self.log_manager, partition.tp()) {
                tracing::error!(partition = %partition.tp(), %error, "cannot delete the log of a deleted topic");
            }
            // Those who wait for records learn that there will be none.
            partition.watchers().check();
        }
    }
}
