//! Of which partitions a share group has a state (Kafka: `ShareGroupStatePartitionMetadataInfo`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::broker::coordinator::group::modern::assignment::Partitions;
use crate::broker::coordinator::group::modern::topics::CoordinatorMetadataImage;
use crate::model::Uuid;

/// Where the state of a group's partitions stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::broker::coordinator::group) struct StatePartitions {
    /// Their state has been asked for.
    pub(in crate::broker::coordinator::group) initializing: BTreeMap<Uuid, InitializedPartitions>,
    /// Their state is there: they can be assigned.
    pub(in crate::broker::coordinator::group) initialized: BTreeMap<Uuid, InitializedPartitions>,
    /// Topics whose state is to go, by their names.
    pub(in crate::broker::coordinator::group) deleting: BTreeMap<Uuid, Arc<str>>,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::broker::coordinator::group) struct InitializedPartitions {
    pub(in crate::broker::coordinator::group) name: Arc<str>,
    pub(in crate::broker::coordinator::group) partitions: BTreeSet<i32>,
}

pub(super) type Topics = BTreeMap<Uuid, InitializedPartitions>;

/// All partitions of both; where both know a topic, the second knows its name.
pub(super) fn combined(first: &Topics, second: &Topics) -> Topics {
    let mut all = first.clone();
    for (id, topic) in second {
        match all.get_mut(id) {
            Some(known) => {
                known.name = Arc::clone(&topic.name);
                known.partitions.extend(&topic.partitions);
            }
            None => _ = all.insert(*id, topic.clone()),
        }
    }
    all
}

/// What of the first is not in the second.
fn without(first: &Topics, second: &Partitions) -> Topics {
    let mut left = first.clone();
    for (id, partitions) in second {
        if let Some(topic) = left.get_mut(id) {
            topic.partitions.retain(|partition| !partitions.contains(partition));
            if topic.partitions.is_empty() {
                left.remove(id);
            }
        }
    }
    left
}

impl StatePartitions {
    /// Partitions that have a state.
    pub(super) fn assignable(&self) -> Partitions {
        self.initialized.iter().map(|(id, topic)| (*id, topic.partitions.clone())).collect()
    }

    pub(super) fn knows(&self, topic: Uuid) -> bool {
        self.initialized.contains_key(&topic) || self.initializing.contains_key(&topic)
    }

    /// The state of these is asked for.
    pub(super) fn begin(&self, topics: &Topics) -> Self {
        let initializing = combined(&self.initializing, topics);
        let mut deleting = self.deleting.clone();
        deleting.retain(|id, _| !initializing.contains_key(id));
        StatePartitions { initializing, initialized: self.initialized.clone(), deleting }
    }

    /// The state of these is there.
    pub(super) fn complete(&self, partitions: &Partitions, image: &dyn CoordinatorMetadataImage) -> Self {
        let name = |id: &Uuid| {
            let known = self.initializing.get(id).or_else(|| self.initialized.get(id));
            let known = known.map(|topic| Arc::clone(&topic.name));
            image.topic_by_id(*id).map(|topic| topic.name).or(known).unwrap_or_else(|| UNKNOWN_TOPIC.into())
        };
        let topics = partitions.iter().map(|(id, partitions)| {
            (*id, InitializedPartitions { name: name(id), partitions: partitions.clone() })
        });
        StatePartitions {
            initializing: without(&self.initializing, partitions),
            initialized: combined(&self.initialized, &topics.collect()),
            deleting: self.deleting.clone(),
        }
    }

    /// The state of these could not be had.
    pub(super) fn give_up(&self, partitions: &Partitions) -> Self {
        StatePartitions { initializing: without(&self.initializing, partitions), ..self.clone() }
    }

    /// These topics are gone, and their state with them; `None` if nothing was known of them.
    pub(super) fn forget(&self, is_gone: impl Fn(&Uuid, &str) -> bool) -> Option<Self> {
        let mut left = self.clone();
        left.initializing.retain(|id, topic| !is_gone(id, &topic.name));
        left.initialized.retain(|id, topic| !is_gone(id, &topic.name));
        left.deleting.retain(|id, name| !is_gone(id, name));
        (left != *self).then_some(left)
    }
}

/// Kafka's name of a topic that is not there.
pub(super) const UNKNOWN_TOPIC: &str = "<UNKNOWN>";
