use super::Admin;
use crate::broker::metadata::{NewPartitions, NewTopic, Topic};
use crate::error::Result;
use crate::model::Uuid;

/// A topic as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TopicDescription {
    /// The name.
    pub name: String,
    /// The id, which no other topic has, not even a later one of the same name.
    pub id: Uuid,
    /// Whether the topic is the broker's own, such as `__consumer_offsets`.
    pub is_internal: bool,
    /// The partitions, in order.
    pub partitions: Vec<PartitionDescription>,
}

/// A partition as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartitionDescription {
    /// Its number, from 0.
    pub partition: i32,
    /// The broker that leads it.
    pub leader: i32,
    /// The leader's term.
    pub leader_epoch: i32,
    /// The brokers that have it.
    pub replicas: Vec<i32>,
    /// The offset of the first record that is still there.
    pub earliest_offset: i64,
    /// The offset that the next record will get.
    pub latest_offset: i64,
}

impl Admin {
    /// Makes a topic.
    ///
    /// # Errors
    /// Nothing was made then.
    /// - [`TopicAlreadyExists`](crate::ErrorCode::TopicAlreadyExists).
    /// - [`InvalidTopicException`](crate::ErrorCode::InvalidTopicException): the name is not allowed, or differs
    ///   from another only by `.` and `_`.
    /// - [`InvalidPartitions`](crate::ErrorCode::InvalidPartitions): a number below 1 (other than -1), or too large.
    /// - [`InvalidConfig`](crate::ErrorCode::InvalidConfig): a setting is wrong; the message names all of them.
    /// - [`KafkaStorageError`](crate::ErrorCode::KafkaStorageError): the disk failed.
    /// - [`BrokerNotAvailable`](crate::ErrorCode::BrokerNotAvailable): the broker is closed.
    pub fn create_topic(&self, topic: NewTopic) -> Result<TopicDescription> {
        self.create_topics([topic]).swap_remove(0)
    }

    /// Makes several topics with one write to the disk. Each has its own result, in order; one that cannot be made
    /// does not keep the others from it.
    pub fn create_topics(&self, topics: impl IntoIterator<Item = NewTopic>) -> Vec<Result<TopicDescription>> {
        let topics: Vec<NewTopic> = topics.into_iter().collect();
        let created = self.core.create_topics(&topics, false);
        created
            .into_iter()
            .zip(&topics)
            .map(|(created, topic)| created.and_then(|_| self.describe_topic(&topic.name)))
            .collect()
    }

    /// Finds out whether a topic could be made, without making it.
    ///
    /// # Errors
    /// As [`create_topic`](Self::create_topic).
    pub fn validate_topic(&self, topic: NewTopic) -> Result<()> {
        self.core.create_topics(&[topic], true).swap_remove(0).map(drop)
    }

    /// Deletes a topic with its records, and the offsets that groups have committed on it. Its files are removed
    /// after the topic's `file.delete.delay.ms`; records that a reader holds stay readable.
    ///
    /// # Errors
    /// [`UnknownTopicOrPartition`](crate::ErrorCode::UnknownTopicOrPartition) if it does not exist;
    /// [`TopicDeletionDisabled`](crate::ErrorCode::TopicDeletionDisabled) if `delete.topic.enable` is false;
    /// [`KafkaStorageError`](crate::ErrorCode::KafkaStorageError): the disk refuses to write that down; where it is
    /// only full, the records have gone already, to make room, and the topic is still there;
    /// [`BrokerNotAvailable`](crate::ErrorCode::BrokerNotAvailable).
    pub fn delete_topic(&self, name: &str) -> Result<()> {
        self.core.delete_topic(name).map(drop)
    }

    /// Adds partitions to a topic, so that it has `total_count` of them. The new ones are empty; records stay where
    /// they are, so that a key may be in two partitions from now on.
    ///
    /// # Errors
    /// [`InvalidPartitions`](crate::ErrorCode::InvalidPartitions) if the topic has that many already, or more;
    /// [`UnknownTopicOrPartition`](crate::ErrorCode::UnknownTopicOrPartition) if it does not exist;
    /// [`KafkaStorageError`](crate::ErrorCode::KafkaStorageError),
    /// [`BrokerNotAvailable`](crate::ErrorCode::BrokerNotAvailable).
    pub fn create_partitions(&self, topic: &str, total_count: i32) -> Result<()> {
        let request = NewPartitions { topic: topic.to_owned(), count: total_count, assignments: None };
        self.core.create_partitions(&request, false)
    }

    /// The names of all topics, sorted, without those of the broker itself.
    pub fn list_topics(&self) -> Vec<String> {
        let topics = self.core.metadata.topics();
        topics.iter().filter(|topic| !topic.is_internal()).map(|topic| topic.name().to_string()).collect()
    }

    /// What there is to know about a topic.
    ///
    /// # Errors
    /// [`UnknownTopicOrPartition`](crate::ErrorCode::UnknownTopicOrPartition) if it does not exist;
    /// [`BrokerNotAvailable`](crate::ErrorCode::BrokerNotAvailable) if the broker is closed.
    pub fn describe_topic(&self, name: &str) -> Result<TopicDescription> {
        let topic = self.core.existing_topic(name)?;
        Ok(TopicDescription {
            name: topic.name().to_string(),
            id: topic.id(),
            is_internal: topic.is_internal(),
            partitions: self.describe_partitions(&topic),
        })
    }

    fn describe_partitions(&self, topic: &Topic) -> Vec<PartitionDescription> {
        let describe = |partition: std::sync::Arc<crate::broker::replica::Partition>| {
            // A partition that was never used has no log yet.
            let log = partition.existing_log();
            let placement = self.core.placement(&partition);
            PartitionDescription {
                partition: partition.tp().partition(),
                leader: placement.leader_id(),
                leader_epoch: partition.leader_epoch(),
                replicas: placement.replicas,
                earliest_offset: log.as_ref().map_or(0, |log| log.log_start_offset()),
                latest_offset: log.map_or(0, |log| log.high_watermark()),
            }
        };
        topic.partitions().into_iter().map(describe).collect()
    }
}
