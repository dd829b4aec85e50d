use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;

use super::checkpoint::Overrides;
use crate::broker::coordinator::group::{CoordinatorMetadataImage, TopicMetadata};
use crate::broker::purgatory::WatcherList;
use crate::broker::replica::Partition;
use crate::config::LogConfig;
use crate::model::{TopicPartition, Uuid, is_internal_topic};

/// A topic that exists: its identity, its settings and its partitions.
pub(crate) struct Topic {
    name: Arc<str>,
    id: Uuid,
    partitions: RwLock<Vec<Arc<Partition>>>,
    settings: RwLock<TopicSettings>,
}

/// What the topic sets itself, and what results from it and the broker's settings.
#[derive(Clone)]
pub(crate) struct TopicSettings {
    pub(crate) overrides: Arc<Overrides>,
    pub(crate) config: Arc<LogConfig>,
}

impl Topic {
    pub(crate) fn new(name: Arc<str>, id: Uuid, settings: TopicSettings) -> Self {
        Topic { name, id, partitions: RwLock::default(), settings: RwLock::new(settings) }
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(crate) fn id(&self) -> Uuid {
        self.id
    }

    pub(crate) fn is_internal(&self) -> bool {
        is_internal_topic(&self.name)
    }

    pub(crate) fn num_partitions(&self) -> i32 {
        // Bounded by MAX_PARTITIONS_PER_TOPIC, which fits.
        self.partitions.read().len() as i32
    }

    pub(crate) fn partition(&self, partition: i32) -> Option<Arc<Partition>> {
        self.partitions.read().get(usize::try_from(partition).ok()?).cloned()
    }

    pub(crate) fn partitions(&self) -> Vec<Arc<Partition>> {
        self.partitions.read().clone()
    }

    pub(crate) fn add_partitions(&self, added: Vec<Arc<Partition>>) {
        self.partitions.write().extend(added);
    }

    pub(crate) fn settings(&self) -> TopicSettings {
        self.settings.read().clone()
    }

    pub(crate) fn config(&self) -> Arc<LogConfig> {
        Arc::clone(&self.settings.read().config)
    }

    /// Takes new settings, for the logs that are open and for those that will be.
    pub(crate) fn update_settings(&self, settings: TopicSettings) {
        let config = Arc::clone(&settings.config);
        *self.settings.write() = settings;
        for partition in self.partitions() {
            partition.update_config(&config);
        }
    }
}

impl std::fmt::Debug for Topic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Topic({}, {}, {} partitions)", self.name, self.id, self.num_partitions())
    }
}

/// The topics by name and by id (Kafka: `MetadataCache`). Reading takes no lock that waits for a change's disk
/// writes.
#[derive(Debug, Default)]
pub(crate) struct MetadataCache {
    topics: RwLock<Topics>,
    changes: AtomicU64,
    /// The change with which the last new topic came.
    last_insert: AtomicU64,
    watchers: WatcherList,
}

#[derive(Debug, Default)]
struct Topics {
    by_name: BTreeMap<Arc<str>, Arc<Topic>>,
    by_id: HashMap<Uuid, Arc<Topic>>,
}

/// What the coordinator of groups sees of it.
impl CoordinatorMetadataImage for MetadataCache {
    fn version(&self) -> u64 {
        self.changes()
    }

    fn last_version_with_new_topics(&self) -> u64 {
        self.last_insert.load(Ordering::SeqCst)
    }

    fn topic(&self, name: &str) -> Option<TopicMetadata> {
        self.topic(name).map(|topic| describe(&topic))
    }

    fn topic_by_id(&self, id: Uuid) -> Option<TopicMetadata> {
        self.topic_by_id(id).map(|topic| describe(&topic))
    }

    fn topic_names(&self) -> Vec<Arc<str>> {
        self.topics.read().by_name.keys().cloned().collect()
    }
}

fn describe(topic: &Topic) -> TopicMetadata {
    TopicMetadata { id: topic.id(), name: Arc::clone(topic.name()), num_partitions: topic.num_partitions() }
}

impl MetadataCache {
    pub(crate) fn topic(&self, name: &str) -> Option<Arc<Topic>> {
        self.topics.read().by_name.get(name).cloned()
    }

    pub(crate) fn topic_by_id(&self, id: Uuid) -> Option<Arc<Topic>> {
        self.topics.read().by_id.get(&id).cloned()
    }

    /// All topics, sorted by name.
    pub(crate) fn topics(&self) -> Vec<Arc<Topic>> {
        self.topics.read().by_name.values().cloned().collect()
    }

    pub(crate) fn partition(&self, topic: &str, partition: i32) -> Option<Arc<Partition>> {
        self.topics.read().by_name.get(topic)?.partition(partition)
    }

    pub(crate) fn contains(&self, tp: &TopicPartition) -> bool {
        self.partition(tp.topic(), tp.partition()).is_some()
    }

    pub(crate) fn insert(&self, topic: Arc<Topic>) {
        let mut topics = self.topics.write();
        topics.by_id.insert(topic.id(), Arc::clone(&topic));
        topics.by_name.insert(Arc::clone(topic.name()), topic);
        drop(topics);
        self.last_insert.store(self.changes() + 1, Ordering::SeqCst);
        self.changed();
    }

    pub(crate) fn remove(&self, name: &str) -> Option<Arc<Topic>> {
        let mut topics = self.topics.write();
        let topic = topics.by_name.remove(name)?;
        topics.by_id.remove(&topic.id());
        drop(topics);
        self.changed();
        Some(topic)
    }

    /// A number that is another one after each change of topics or of their numbers of partitions.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    /// Who waits for such a change.
    pub(crate) fn watchers(&self) -> &WatcherList {
        &self.watchers
    }

    /// Tells those who wait. Called by whoever gives a topic more partitions; the cache itself notices the rest.
    pub(crate) fn changed(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.watchers.check();
    }
}
