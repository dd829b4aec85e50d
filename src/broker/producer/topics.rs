use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use parking_lot::RwLock;

use super::accumulator::Accumulator;
use super::partitioner::next_sticky_partition;
use super::shared::Common;
use crate::broker::metadata::Topic;
use crate::sys::Rng;

/// The topics that a producer has sent to.
#[derive(Default)]
pub(super) struct Topics {
    by_name: RwLock<HashMap<Arc<str>, Arc<TopicEntry>>>,
}

/// A topic as a producer knows it.
pub(super) struct TopicEntry {
    topic: Arc<Topic>,
    accumulators: RwLock<Vec<Arc<Accumulator>>>,
    /// Where records without a key go, until the batch there is full; -1: not chosen yet.
    sticky: AtomicI32,
}

impl Topics {
    pub(super) fn get(&self, name: &str) -> Option<Arc<TopicEntry>> {
        self.by_name.read().get(name).cloned()
    }

    /// Takes in a topic; gives the entry that another thread made in the meantime, if it did.
    pub(super) fn insert(&self, topic: Arc<Topic>) -> Arc<TopicEntry> {
        let mut by_name = self.by_name.write();
        let name = Arc::clone(topic.name());
        Arc::clone(by_name.entry(name).or_insert_with(|| TopicEntry::new(topic)))
    }

    /// Forgets a topic that was deleted.
    pub(super) fn remove(&self, name: &str, entry: &Arc<TopicEntry>) {
        let mut by_name = self.by_name.write();
        if by_name.get(name).is_some_and(|known| Arc::ptr_eq(known, entry)) {
            by_name.remove(name);
        }
    }

    /// All partitions sent to.
    pub(super) fn accumulators(&self) -> Vec<Arc<Accumulator>> {
        let entries: Vec<_> = self.by_name.read().values().cloned().collect();
        entries.iter().flat_map(|entry| entry.accumulators()).collect()
    }
}

impl TopicEntry {
    fn new(topic: Arc<Topic>) -> Arc<Self> {
        Arc::new(TopicEntry { topic, accumulators: RwLock::default(), sticky: AtomicI32::new(-1) })
    }

    pub(super) fn is_of(&self, topic: &Arc<Topic>) -> bool {
        Arc::ptr_eq(&self.topic, topic)
    }

    pub(super) fn accumulators(&self) -> Vec<Arc<Accumulator>> {
        self.accumulators.read().clone()
    }

    pub(super) fn num_partitions(&self) -> i32 {
        // A topic has at most MAX_PARTITIONS_PER_TOPIC.
        self.accumulators.read().len() as i32
    }

    /// Takes in partitions that the topic was given since.
    pub(super) fn refresh(&self, common: &Arc<Common>) {
        let partitions = self.topic.partitions();
        let mut accumulators = self.accumulators.write();
        for partition in partitions.into_iter().skip(accumulators.len()) {
            accumulators.push(Accumulator::new(Arc::clone(common), partition));
        }
    }

    pub(super) fn accumulator(&self, partition: i32) -> Option<Arc<Accumulator>> {
        self.accumulators.read().get(usize::try_from(partition).ok()?).cloned()
    }

    /// Where the next record without a key goes.
    pub(super) fn sticky_partition(&self, rng: &dyn Rng) -> i32 {
        let sticky = self.sticky.load(Ordering::Relaxed);
        if sticky >= 0 { sticky } else { self.leave_sticky_partition(sticky, rng) }
    }

    /// Chooses another partition for records without a key, unless another thread has since `current`.
    pub(super) fn leave_sticky_partition(&self, current: i32, rng: &dyn Rng) -> i32 {
        let known = (current >= 0).then_some(current);
        let next = next_sticky_partition(known, self.num_partitions(), rng.next_u64());
        match self.sticky.compare_exchange(current, next, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => next,
            Err(chosen) => chosen,
        }
    }
}
