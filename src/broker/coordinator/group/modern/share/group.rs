use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::member::ShareGroupMember;
use super::state_partitions::{StatePartitions, Topics, combined};
use crate::broker::coordinator::group::group_state::GroupState;
use crate::broker::coordinator::group::modern::assignment::Partitions;
use crate::broker::coordinator::group::modern::group::ModernGroup;
use crate::broker::coordinator::group::modern::topics::CoordinatorMetadataImage;
use crate::model::Timestamp;

/// A group whose members share partitions (KIP-932; Kafka: `ShareGroup`).
///
/// It changes by [records](super::records) only. What is not in the log are the deadlines.
#[derive(Clone, Debug)]
pub(in crate::broker::coordinator::group) struct ShareGroup {
    pub(in crate::broker::coordinator::group) modern: ModernGroup<ShareGroupMember>,
    /// Of which partitions there is a state; `None` if nothing was ever written of it.
    pub(super) state_partitions: Option<StatePartitions>,
    /// When that was last written, or loaded.
    pub(super) state_partitions_at: Timestamp,
    /// Nothing has changed since a heartbeat found all states there and all partitions assigned.
    pub(super) is_settled: bool,
    /// Until when each member is to be heard of.
    pub(super) sessions: HashMap<Arc<str>, Duration>,
}

impl ShareGroup {
    pub(in crate::broker::coordinator::group) fn new() -> Self {
        ShareGroup {
            modern: ModernGroup::new(),
            state_partitions: None,
            state_partitions_at: 0,
            is_settled: false,
            sessions: HashMap::new(),
        }
    }

    pub(super) fn member(&self, id: &str) -> Option<&ShareGroupMember> {
        self.modern.members.get(id)
    }

    pub(in crate::broker::coordinator::group) fn is_empty(&self) -> bool {
        self.modern.members.is_empty()
    }

    pub(in crate::broker::coordinator::group) fn state(&self) -> GroupState {
        if self.is_empty() { GroupState::Empty } else { GroupState::Stable }
    }

    /// Whether partitions that have a state are nobody's, or are still somebody's that have none any more (Kafka:
    /// `initializedAssignmentPending`).
    pub(super) fn is_assignment_pending(&self) -> bool {
        let Some(known) = self.state_partitions.as_ref().filter(|_| !self.is_empty()) else { return false };
        let mut assigned: BTreeMap<_, BTreeSet<i32>> = BTreeMap::new();
        for (topic, partitions) in self.modern.target_assignment.values().flatten() {
            assigned.entry(*topic).or_default().extend(partitions);
        }
        let is_read = |name: &str| self.modern.subscribed_topics.contains(name);
        let mut read = known.initialized.iter().filter(|(_, topic)| is_read(&topic.name));
        read.any(|(id, topic)| assigned.get(id) != Some(&topic.partitions))
    }

    /// Partitions of these topics whose state is not there and has not lately been asked for (Kafka:
    /// `subscribedTopicsChangeMap`).
    pub(super) fn without_state<'n>(
        &self,
        names: impl Iterator<Item = &'n Arc<str>>,
        image: &dyn CoordinatorMetadataImage,
        asked_lately: bool,
    ) -> Topics {
        let known = match &self.state_partitions {
            Some(known) if asked_lately => combined(&known.initialized, &known.initializing),
            Some(known) => known.initialized.clone(),
            None => Topics::new(),
        };
        let missing = names.filter_map(|name| {
            let topic = image.topic(name)?;
            let of_topic = known.get(&topic.id).map(|topic| &topic.partitions);
            let is_missing = |partition: &i32| of_topic.is_none_or(|known| !known.contains(partition));
            let partitions: BTreeSet<i32> = (0..topic.num_partitions).filter(is_missing).collect();
            let missing = super::InitializedPartitions { name: topic.name, partitions };
            (!missing.partitions.is_empty()).then_some((topic.id, missing))
        });
        missing.collect()
    }

    /// Partitions that can be assigned.
    pub(super) fn assignable(&self) -> Partitions {
        self.state_partitions.as_ref().map(StatePartitions::assignable).unwrap_or_default()
    }
}
