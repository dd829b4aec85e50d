//! Making topics (Kafka: `ReplicationControlManager#createTopics`).

use std::sync::Arc;

use super::checkpoint::{MetadataImage, Overrides, TopicRecord};
use super::store::MetadataStore;
use super::topic::{Topic, TopicSettings};
use crate::broker::core::BrokerCore;
use crate::broker::replica::Partition;
use crate::config::LogConfig;
use crate::error::{Error, Result};
use crate::model::{
    BrokerId, CONSUMER_OFFSETS_TOPIC, ErrorCode, SHARE_GROUP_STATE_TOPIC, TRANSACTION_STATE_TOPIC,
    TopicPartition, Uuid, has_collision, is_internal_topic, validate_topic_name,
};

/// The most partitions of one topic. A count beyond it is a mistake or an attack: each open partition holds
/// files and memory.
pub(crate) const MAX_PARTITIONS_PER_TOPIC: i32 = 100_000;

/// A topic to be made.
///
/// # Examples
/// ```
/// use ottla::{Broker, NewTopic};
/// # fn main() -> Result<(), ottla::Error> {
/// let broker = Broker::temporary()?;
/// broker.admin().create_topic(NewTopic::new("orders", 3).config("retention.ms", "86400000"))?;
/// assert_eq!(broker.admin().describe_topic("orders")?.partitions.len(), 3);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTopic {
    pub(crate) name: String,
    pub(crate) num_partitions: i32,
    pub(crate) replication_factor: i16,
    /// Partition -> replicas; empty: the broker assigns.
    pub(crate) assignments: Vec<(i32, Vec<i32>)>,
    /// `None` stands for a null value, which is refused.
    pub(crate) configs: Vec<(String, Option<String>)>,
}

impl NewTopic {
    /// A topic of `num_partitions` partitions; -1 stands for the broker's `num.partitions`.
    pub fn new(name: impl Into<String>, num_partitions: i32) -> Self {
        NewTopic {
            name: name.into(),
            num_partitions,
            replication_factor: -1,
            assignments: Vec::new(),
            configs: Vec::new(),
        }
    }

    pub(super) fn partitions(mut self, num_partitions: i32) -> Self {
        self.num_partitions = num_partitions;
        self
    }

    /// Sets one of the topic's own settings, by Kafka's key, such as `retention.ms`. It is checked when the
    /// topic is created.
    #[must_use]
    pub fn config(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.configs.push((key.into(), Some(value.into())));
        self
    }
}

/// A topic that was made, or would have been.
#[derive(Clone, Debug)]
pub(crate) struct CreatedTopic {
    pub(crate) id: Uuid,
    pub(crate) num_partitions: i32,
    pub(crate) replication_factor: i16,
    pub(crate) overrides: Arc<Overrides>,
}

/// What a request for a topic comes to.
struct Plan {
    name: Arc<str>,
    id: Uuid,
    num_partitions: i32,
    replication_factor: i16,
    /// The replicas of each partition, where the request says which.
    assignments: Vec<(i32, Vec<BrokerId>)>,
    settings: TopicSettings,
}

impl BrokerCore {
    /// Makes topics, each on its own: one that cannot be made does not keep the others from it. All of them
    /// become durable with one write.
    pub(crate) fn create_topics(
        &self,
        topics: &[NewTopic],
        validate_only: bool,
    ) -> Vec<Result<CreatedTopic>> {
        let mut image = self.store.lock();
        let mut planned = image.clone();
        let mut plans = Vec::new();
        let mut results: Vec<Result<CreatedTopic>> = Vec::with_capacity(topics.len());
        for topic in topics {
            let result = if topics.iter().filter(|other| other.name == topic.name).count() > 1 {
                Err(Error::new(ErrorCode::InvalidRequest, "Duplicate topic name."))
            } else {
                self.plan_topic(&planned, topic).map(|plan| {
                    let created = CreatedTopic {
                        id: plan.id,
                        num_partitions: plan.num_partitions,
                        replication_factor: plan.replication_factor,
                        overrides: Arc::clone(&plan.settings.overrides),
                    };
                    planned.topics.insert(plan.name.to_string(), plan.record());
                    plans.push((results.len(), plan));
                    created
                })
            };
            results.push(result);
        }
        if validate_only || plans.is_empty() {
            return results;
        }
        let stored =
            MetadataStore::commit(&mut image, &*self.env.fs, &self.live_log_dirs(), |image| *image = planned);
        match stored {
            Ok(()) => {
                for (at, plan) in plans {
                    if let Err(error) = self.open_new_topic(&plan)
                        && let Some(result) = results.get_mut(at)
                    {
                        self.forget_topic(&mut image, &plan);
                        *result = Err(error);
                    }
                }
            }
            Err(error) => {
                let error = Arc::new(Error::from(error));
                for (at, _) in plans {
                    if let Some(result) = results.get_mut(at) {
                        *result =
                            Err(Error::with_source(error.code(), error.to_string(), Arc::clone(&error)));
                    }
                }
            }
        }
        results
    }

    fn plan_topic(&self, image: &MetadataImage, topic: &NewTopic) -> Result<Plan> {
        self.ensure_open()?;
        validate_topic_name(&topic.name)?;
        if image.topics.contains_key(&topic.name) {
            let message = format!("Topic '{}' already exists.", topic.name);
            return Err(Error::new(ErrorCode::TopicAlreadyExists, message));
        }
        if let Some(other) = image.topics.keys().find(|other| has_collision(other, &topic.name)) {
            let message = format!("Topic '{}' collides with existing topic: {other}", topic.name);
            return Err(Error::new(ErrorCode::InvalidTopicException, message));
        }
        let num_partitions = self.plan_partitions(topic)?;
        let settings = self.plan_settings(topic)?;
        let id = self.env.random_uuid();
        let replication_factor = match (topic.assignments.first(), topic.replication_factor) {
            (Some((_, replicas)), _) => i16::try_from(replicas.len()).unwrap_or(i16::MAX),
            (None, -1) => self.default_replication_factor(&topic.name),
            (None, wanted) => wanted,
        };
        let assignments = topic.assignments.clone();
        Ok(Plan {
            name: topic.name.as_str().into(),
            id,
            num_partitions,
            replication_factor,
            assignments,
            settings,
        })
    }

    fn plan_partitions(&self, topic: &NewTopic) -> Result<i32> {
        if !topic.assignments.is_empty() {
            if topic.num_partitions != -1 || topic.replication_factor != -1 {
                return Err(Error::new(
                    ErrorCode::InvalidRequest,
                    "A manual partition assignment was specified, but numPartitions or replicationFactor was not set to -1.",
                ));
            }
            return self.check_assignments(&topic.assignments, 0);
        }
        match topic.replication_factor {
            -1 | 1 => self.check_takes_new_logs(topic.replication_factor)?,
            n if n < 1 => {
                return Err(Error::new(
                    ErrorCode::InvalidReplicationFactor,
                    "Replication factor must be larger than 0, or -1 to use the default value.",
                ));
            }
            n if usize::try_from(n).is_ok_and(|wanted| wanted <= self.brokers_up().len()) => {
                self.check_takes_new_logs(n)?;
            }
            n => {
                let up = self.brokers_up().len();
                return Err(Error::new(
                    ErrorCode::InvalidReplicationFactor,
                    format!(
                        "Unable to replicate the partition {n} time(s): The target replication factor of {n} cannot be reached because only {up} broker(s) are registered or some brokers have all their log directories cordoned."
                    ),
                ));
            }
        }
        match topic.num_partitions {
            -1 => Ok(self.config().num_partitions),
            n if n < 1 => Err(Error::new(
                ErrorCode::InvalidPartitions,
                "Number of partitions was set to an invalid non-positive value.",
            )),
            n if n > MAX_PARTITIONS_PER_TOPIC => Err(Error::new(
                ErrorCode::InvalidPartitions,
                format!(
                    "Number of partitions was set to {n}; a topic may have at most {MAX_PARTITIONS_PER_TOPIC}."
                ),
            )),
            n => Ok(n),
        }
    }

    /// There is a log dir for new partitions (Kafka: `StripedReplicaPlacer`).
    pub(super) fn check_takes_new_logs(&self, replication_factor: i16) -> Result<()> {
        if self.log_manager.takes_new_logs() {
            return Ok(());
        }
        // -1 stands for the default, which is what one broker can do.
        let times = replication_factor.max(1);
        let message = format!(
            "Unable to replicate the partition {times} time(s): All brokers are currently fenced, or have all their log directories cordoned."
        );
        Err(Error::new(ErrorCode::InvalidReplicationFactor, message))
    }

    /// Checks an assignment by hand of the partitions from `first` on, and returns their count.
    pub(super) fn check_assignments(&self, assignments: &[(i32, Vec<i32>)], first: i32) -> Result<i32> {
        let invalid = |message: String| Err(Error::new(ErrorCode::InvalidReplicaAssignment, message));
        let mut partitions: Vec<i32> = assignments.iter().map(|(partition, _)| *partition).collect();
        partitions.sort_unstable();
        for (expected, partition) in (first..).zip(&partitions) {
            if *partition != expected {
                return invalid(
                    "partitions should be a consecutive 0-based integer sequence, each named once".to_owned(),
                );
            }
        }
        if !self.log_manager.takes_new_logs() {
            return invalid(format!(
                "The manual partition assignment includes broker {}, but all its log directories are cordoned.",
                self.node_id
            ));
        }
        for (partition, replicas) in assignments {
            let known = self.nodes().map_or_else(|| vec![self.node_id], |nodes| nodes.ids().to_vec());
            let is_twice = (1..replicas.len()).any(|at| replicas[..at].contains(&replicas[at]));
            if replicas.is_empty() || is_twice || !replicas.iter().all(|id| known.contains(id)) {
                return invalid(format!(
                    "The manual partition assignment of partition {partition} is {replicas:?}; this cluster has the brokers {known:?}.",
                ));
            }
        }
        Ok(assignments.len() as i32)
    }

    fn plan_settings(&self, topic: &NewTopic) -> Result<TopicSettings> {
        let mut overrides = Overrides::new();
        for (key, value) in &topic.configs {
            let Some(value) = value else {
                let message = format!("Null value not supported for topic configs: {key}");
                return Err(Error::new(ErrorCode::InvalidConfig, message));
            };
            overrides.insert(key.clone(), value.clone());
        }
        self.topic_settings(overrides)
    }

    /// What the overrides of a topic and the broker's settings come to.
    pub(crate) fn topic_settings(&self, overrides: Overrides) -> Result<TopicSettings> {
        let config = LogConfig::from_overrides(&self.config(), &overrides)?;
        Ok(TopicSettings { overrides: Arc::new(overrides), config: Arc::new(config) })
    }

    fn open_new_topic(&self, plan: &Plan) -> Result<()> {
        let topic = Arc::new(Topic::new(Arc::clone(&plan.name), plan.id, plan.settings.clone()));
        if let Some(nodes) = self.nodes() {
            nodes.assign_all(plan.id, 0..plan.num_partitions, &plan.assignments, plan.replication_factor);
        }
        self.add_new_partitions(&topic, plan.num_partitions)?;
        self.metadata.insert(topic);
        match &*plan.name {
            CONSUMER_OFFSETS_TOPIC => self.load_groups(),
            TRANSACTION_STATE_TOPIC => self.load_transactions(),
            SHARE_GROUP_STATE_TOPIC => self.load_share_state(),
            _ => {}
        }
        tracing::info!(topic = %plan.name, partitions = plan.num_partitions, "created topic");
        Ok(())
    }

    /// Undoes what was done for a topic whose logs could not be made, so that it does not come up half-made at
    /// the next start.
    fn forget_topic(&self, image: &mut MetadataImage, plan: &Plan) {
        for partition in 0..plan.num_partitions {
            let tp = TopicPartition::new(Arc::clone(&plan.name), partition);
            if let Err(error) = self.log_manager.delete(&tp) {
                tracing::warn!(partition = %tp, %error, "cannot remove the log of a topic that was not made");
            }
        }
        let forgotten = MetadataStore::commit(image, &*self.env.fs, &self.live_log_dirs(), |image| {
            image.topics.remove(&*plan.name);
        });
        if let Err(error) = forgotten {
            tracing::error!(topic = %plan.name, %error, "a topic that could not be made stays in the checkpoint");
        }
    }

    /// Adds `count` partitions that never had a log.
    pub(super) fn add_new_partitions(&self, topic: &Topic, count: i32) -> Result<()> {
        let first = topic.num_partitions();
        let mut added = Vec::with_capacity(usize::try_from(count).unwrap_or(0));
        for number in first..first + count {
            let partition = self.new_partition(topic, number);
            if !is_internal_topic(topic.name()) {
                partition.log()?;
            }
            added.push(Arc::new(partition));
        }
        topic.add_partitions(added);
        Ok(())
    }

    pub(in crate::broker) fn new_partition(&self, topic: &Topic, number: i32) -> Partition {
        let tp = TopicPartition::new(Arc::clone(topic.name()), number);
        Partition::new(tp, topic.id(), topic.config(), Arc::clone(&self.log_manager))
    }
}

impl Plan {
    fn record(&self) -> TopicRecord {
        TopicRecord {
            id: self.id,
            num_partitions: self.num_partitions,
            overrides: (*self.settings.overrides).clone(),
        }
    }
}
