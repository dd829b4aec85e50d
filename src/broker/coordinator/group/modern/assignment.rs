//! Partitions of topics, by the topics' ids.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::Uuid;

/// Partitions that are, or are to be, somebody's (Kafka: `Assignment`). No topic is without partitions.
pub(in super::super) type Partitions = BTreeMap<Uuid, BTreeSet<i32>>;

/// Partitions with the epoch in which each was given to the member that has it.
pub(in super::super) type PartitionsWithEpochs = BTreeMap<Uuid, BTreeMap<i32, i32>>;

/// Gives all partitions the same epoch.
pub(in super::super) fn with_epoch(partitions: &Partitions, epoch: i32) -> PartitionsWithEpochs {
    let of_topic =
        |partitions: &BTreeSet<i32>| partitions.iter().map(|partition| (*partition, epoch)).collect();
    partitions.iter().map(|(topic, partitions)| (*topic, of_topic(partitions))).collect()
}

pub(in super::super) fn without_epochs(partitions: &PartitionsWithEpochs) -> Partitions {
    partitions.iter().map(|(topic, partitions)| (*topic, partitions.keys().copied().collect())).collect()
}

pub(in super::super) fn contains(partitions: &PartitionsWithEpochs, topic: Uuid, partition: i32) -> bool {
    partitions.get(&topic).is_some_and(|partitions| partitions.contains_key(&partition))
}

/// Whether all of `some` are among `all`.
pub(in super::super) fn is_subset(some: &Partitions, all: &PartitionsWithEpochs) -> bool {
    some.iter().all(|(topic, partitions)| {
        all.contains_key(topic) && partitions.iter().all(|partition| contains(all, *topic, *partition))
    })
}
