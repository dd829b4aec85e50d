//! The partitions that a session remembers, in the order in which they are served.

use std::collections::{BTreeMap, HashMap};

use super::{FetchTarget, FetchTopic};
use crate::broker::replica::fetch::FetchPartitionData;
use crate::model::{ErrorCode, Offset};

/// A partition as the client asked for it last, and what it was told last (Kafka: `CachedPartition`).
#[derive(Debug)]
pub(super) struct CachedPartition {
    target: FetchTarget,
    /// -1 if the client has to be told of the partition in any case.
    high_watermark: Offset,
    log_start_offset: Offset,
}

impl CachedPartition {
    fn unanswered(target: FetchTarget) -> Self {
        CachedPartition { target, high_watermark: -1, log_start_offset: -1 }
    }

    /// A partition of which the client has been told `data`.
    pub(super) fn answered(target: FetchTarget, data: &FetchPartitionData) -> Self {
        CachedPartition {
            target,
            high_watermark: data.high_watermark,
            log_start_offset: data.log_start_offset,
        }
    }

    /// Whether the client has to be told (Kafka: `CachedPartition#maybeUpdateResponseData`).
    fn note_answer(&mut self, data: &FetchPartitionData) -> bool {
        let has_error = data.error != ErrorCode::None;
        let is_news = !data.records.is_empty()
            || self.high_watermark != data.high_watermark
            || self.log_start_offset != data.log_start_offset
            || data.diverging_epoch.is_some()
            || has_error;
        // After an error the partition is told of again, to show that the error has gone.
        self.high_watermark = if has_error { -1 } else { data.high_watermark };
        self.log_start_offset = data.log_start_offset;
        is_news
    }
}

/// Those that gave records go to the end, so that each gets its turn although answers are bounded (Kafka:
/// `ImplicitLinkedHashCollection`).
#[derive(Debug, Default)]
pub(super) struct SessionPartitions {
    in_order: BTreeMap<u64, CachedPartition>,
    places: HashMap<FetchTopic, HashMap<i32, u64>>,
    next_place: u64,
}

impl SessionPartitions {
    pub(super) fn targets(&self) -> impl Iterator<Item = &FetchTarget> {
        self.in_order.values().map(|cached| &cached.target)
    }

    /// Adds a partition, or takes note of what is asked of it from now on.
    pub(super) fn update(&mut self, target: FetchTarget) {
        let place = self.place(&target.topic, target.partition);
        match place.and_then(|place| self.in_order.get_mut(&place)) {
            Some(cached) => cached.target = target,
            None => self.push(CachedPartition::unanswered(target)),
        }
    }

    pub(super) fn remove(&mut self, topic: &FetchTopic, partition: i32) -> Option<CachedPartition> {
        let partitions = self.places.get_mut(topic)?;
        let place = partitions.remove(&partition)?;
        if partitions.is_empty() {
            self.places.remove(topic);
        }
        self.in_order.remove(&place)
    }

    /// Whether the client has to be told of `data`. A partition that the session has forgotten meanwhile is not.
    pub(super) fn note_answer(&mut self, target: &FetchTarget, data: &FetchPartitionData) -> bool {
        let place = self.place(&target.topic, target.partition);
        let Some(cached) = place.and_then(|place| self.in_order.get_mut(&place)) else { return false };
        let is_news = cached.note_answer(data);
        if !data.records.is_empty()
            && let Some(cached) = self.remove(&target.topic, target.partition)
        {
            self.push(cached);
        }
        is_news
    }

    fn place(&self, topic: &FetchTopic, partition: i32) -> Option<u64> {
        self.places.get(topic)?.get(&partition).copied()
    }

    fn push(&mut self, cached: CachedPartition) {
        let FetchTarget { topic, partition, .. } = &cached.target;
        match self.places.get_mut(topic) {
            Some(partitions) => drop(partitions.insert(*partition, self.next_place)),
            None => {
                let partitions = HashMap::from([(*partition, self.next_place)]);
                self.places.insert(topic.clone(), partitions);
            }
        }
        self.in_order.insert(self.next_place, cached);
        self.next_place += 1;
    }
}

impl FromIterator<CachedPartition> for SessionPartitions {
    fn from_iter<I: IntoIterator<Item = CachedPartition>>(partitions: I) -> Self {
        let mut collected = SessionPartitions::default();
        partitions.into_iter().for_each(|cached| collected.push(cached));
        collected
    }
}
