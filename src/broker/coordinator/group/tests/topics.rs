use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::broker::coordinator::group::{CoordinatorMetadataImage, TopicMetadata};
use crate::model::Uuid;

/// Topics that a test makes and deletes.
#[derive(Debug, Default)]
pub(super) struct MemoryTopics(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    topics: BTreeMap<Arc<str>, TopicMetadata>,
    version: u64,
    last_new: u64,
    next_id: u128,
}

impl MemoryTopics {
    /// Makes a topic, or gives it more partitions. Returns its id.
    pub(super) fn put(&self, name: &str, num_partitions: i32) -> Uuid {
        let mut state = self.0.lock();
        state.version += 1;
        if let Some(topic) = state.topics.get_mut(name) {
            topic.num_partitions = num_partitions;
            return topic.id;
        }
        state.last_new = state.version;
        state.next_id += 1;
        // Spread over the whole range, as random ones are.
        let id = Uuid::from_bytes(
            state.next_id.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes(),
        );
        let name: Arc<str> = Arc::from(name);
        state.topics.insert(Arc::clone(&name), TopicMetadata { id, name, num_partitions });
        id
    }

    pub(super) fn delete(&self, name: &str) {
        let mut state = self.0.lock();
        state.version += 1;
        state.topics.remove(name);
    }
}

impl CoordinatorMetadataImage for MemoryTopics {
    fn version(&self) -> u64 {
        self.0.lock().version
    }

    fn last_version_with_new_topics(&self) -> u64 {
        self.0.lock().last_new
    }

    fn topic(&self, name: &str) -> Option<TopicMetadata> {
        self.0.lock().topics.get(name).cloned()
    }

    fn topic_by_id(&self, id: Uuid) -> Option<TopicMetadata> {
        self.0.lock().topics.values().find(|topic| topic.id == id).cloned()
    }

    fn topic_names(&self) -> Vec<Arc<str>> {
        self.0.lock().topics.keys().cloned().collect()
    }
}
