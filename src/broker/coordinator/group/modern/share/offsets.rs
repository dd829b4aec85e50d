//! From where on share groups read, seen and set from outside (Kafka: `GroupCoordinatorService#describeShareGroupOffsets`,
//! `#alterShareGroupOffsets`, `#deleteShareGroupOffsets`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::describe::group_not_found;
use super::group::ShareGroup;
use super::heartbeat::not_a_share_group;
use super::initialize::Initialization;
use super::state_partitions::{InitializedPartitions, Topics};
use crate::broker::coordinator::group::coordinator::{Api, GroupCoordinator};
use crate::broker::coordinator::group::group_state::GroupState;
use crate::broker::coordinator::group::modern::assignment::Partitions;
use crate::broker::coordinator::group::modern::consumer::GroupError;
use crate::broker::coordinator::group::record::ShareGroupRecord;
use crate::broker::coordinator::group::turn::GroupTurn;
use crate::broker::coordinator::share::{SharePartitionKey, StateSummary};
use crate::model::{ErrorCode, Offset, TopicPartition, Uuid};

/// Where a share group stands in a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ShareGroupOffset {
    pub(crate) topic_partition: TopicPartition,
    /// Zero of a topic that does not exist.
    pub(crate) topic_id: Uuid,
    /// `None` if there is no state, or it could not be read.
    pub(crate) summary: Option<StateSummary>,
}

/// What became of a change in a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ShareGroupOffsetOutcome {
    pub(crate) topic_partition: TopicPartition,
    /// Zero of a topic that does not exist.
    pub(crate) topic_id: Uuid,
    pub(crate) error: Option<GroupError>,
}

/// What became of a change in a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ShareGroupTopicOutcome {
    pub(crate) topic: Arc<str>,
    /// Zero of a topic that does not exist, or of which there was nothing.
    pub(crate) topic_id: Uuid,
    pub(crate) error: Option<GroupError>,
}

impl GroupCoordinator {
    /// Where a group stands in these partitions. Of a group that does not exist nothing is known, which is no error.
    pub(crate) fn share_group_offsets(
        &self,
        group_id: &str,
        partitions: impl IntoIterator<Item = TopicPartition>,
    ) -> Result<Vec<ShareGroupOffset>, GroupError> {
        if !self.is_active() {
            return Err(ErrorCode::CoordinatorNotAvailable.into());
        }
        let of = |topic_partition: TopicPartition| {
            let topic = self.image().topic(topic_partition.topic());
            let topic_id = topic.map_or(Uuid::ZERO, |topic| topic.id);
            let key = SharePartitionKey::new(group_id, topic_id, topic_partition.partition());
            let is_there = topic_id != Uuid::ZERO;
            let summary = is_there.then(|| self.persister().read_summary(&key).ok()).flatten();
            ShareGroupOffset { topic_partition, topic_id, summary }
        };
        Ok(partitions.into_iter().map(of).collect())
    }

    /// Where a group stands in all partitions that it has a state of.
    pub(crate) fn all_share_group_offsets(
        &self,
        group_id: &str,
    ) -> Result<Vec<ShareGroupOffset>, GroupError> {
        self.validate_group_status(group_id, Api::AnyGroup)?;
        let known = self.group(group_id).map(|group| {
            let state = group.state.lock();
            state.share().map(ShareGroup::assignable).unwrap_or_default()
        });
        let named = known.unwrap_or_default().into_iter().filter_map(|(id, partitions)| {
            let name = self.image().topic_by_id(id)?.name;
            Some(
                partitions
                    .into_iter()
                    .map(move |partition| TopicPartition::new(Arc::clone(&name), partition)),
            )
        });
        let partitions: Vec<TopicPartition> = named.flatten().collect();
        self.share_group_offsets(group_id, partitions)
    }

    /// Has a group without members read from these offsets on; a group that is not there is made. What came of it is
    /// told in the same order.
    ///
    /// # Errors
    /// INVALID_GROUP_ID, NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND for a group of another type.
    pub(crate) fn alter_share_group_offsets(
        &self,
        group_id: &str,
        offsets: &[(TopicPartition, Offset)],
    ) -> Result<Vec<ShareGroupOffsetOutcome>, GroupError> {
        self.validate_group_status(group_id, Api::Membership)?;
        let mut topics = Topics::new();
        let mut start_offsets = BTreeMap::new();
        let mut outcomes = Vec::with_capacity(offsets.len());
        for (topic_partition, start_offset) in offsets {
            let partition = topic_partition.partition();
            let topic = self.image().topic(topic_partition.topic());
            let is_there = topic.as_ref().is_some_and(|topic| (0..topic.num_partitions).contains(&partition));
            let topic_id = topic.as_ref().map_or(Uuid::ZERO, |topic| topic.id);
            if let Some(topic) = topic.filter(|_| is_there) {
                let of_topic = topics.entry(topic.id).or_insert_with(|| InitializedPartitions {
                    name: topic.name,
                    partitions: BTreeSet::new(),
                });
                of_topic.partitions.insert(partition);
                start_offsets.insert((topic.id, partition), *start_offset);
            }
            let error = (!is_there).then(|| ErrorCode::UnknownTopicOrPartition.into());
            outcomes.push(ShareGroupOffsetOutcome {
                topic_partition: topic_partition.clone(),
                topic_id,
                error,
            });
        }
        let group = self.get_or_create_group(group_id)?;
        let epoch = self.with_group(&group, |turn| {
            let epoch = turn.begin_altering_share_offsets(&topics, !offsets.is_empty());
            turn.forget_blank_group();
            epoch
        })?;
        if start_offsets.is_empty() {
            return Ok(outcomes);
        }
        let initialization = Initialization { epoch, start_offsets };
        let mut failures = self.begin_share_states(group_id, &initialization)?;
        for outcome in outcomes.iter_mut().filter(|outcome| outcome.error.is_none()) {
            outcome.error = failures.remove(&(outcome.topic_id, outcome.topic_partition.partition()));
        }
        Ok(outcomes)
    }

    /// Has a group without members forget where it stands in these topics. What came of it is told, failures first.
    ///
    /// # Errors
    /// INVALID_GROUP_ID, NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND also for a group of another type.
    pub(crate) fn delete_share_group_offsets(
        &self,
        group_id: &str,
        topics: &[&str],
    ) -> Result<Vec<ShareGroupTopicOutcome>, GroupError> {
        self.validate_group_status(group_id, Api::Membership)?;
        let group = self.group(group_id).ok_or_else(|| group_not_found(group_id))?;
        let (mut outcomes, partitions) =
            self.with_group(&group, |turn| turn.begin_deleting_share_offsets(topics))?;
        let mut deleted: BTreeMap<Uuid, Arc<str>> = BTreeMap::new();
        for (topic_id, partitions) in partitions {
            let name = self.image().topic_by_id(topic_id).map(|topic| topic.name).unwrap_or_default();
            match self.delete_share_state(group_id, topic_id, &partitions) {
                Ok(()) => _ = deleted.insert(topic_id, name),
                Err(error) => {
                    outcomes.push(ShareGroupTopicOutcome { topic: name, topic_id, error: Some(error) });
                }
            }
        }
        if !deleted.is_empty() {
            self.with_group(&group, |turn| turn.end_deleting_share_offsets(&deleted))?;
        }
        let deleted = deleted.into_iter();
        outcomes.extend(deleted.map(|(topic_id, topic)| ShareGroupTopicOutcome {
            topic,
            topic_id,
            error: None,
        }));
        Ok(outcomes)
    }

    /// Deletes the state of partitions of one topic; the last failure is told.
    pub(super) fn delete_share_state(
        &self,
        group_id: &str,
        topic_id: Uuid,
        partitions: &BTreeSet<i32>,
    ) -> Result<(), GroupError> {
        let mut outcome = Ok(());
        for partition in partitions {
            let key = SharePartitionKey::new(group_id, topic_id, *partition);
            if let Err(error) = self.persister().delete(&key) {
                outcome = Err(error.into());
            }
        }
        outcome
    }
}

impl GroupTurn<'_> {
    /// The share group, without members.
    pub(super) fn empty_share_group(&self) -> Result<&ShareGroup, GroupError> {
        if self.state.is(GroupState::Dead) {
            return Err(group_not_found(&self.group.id));
        }
        let group = self.state.share().ok_or_else(|| not_a_share_group(&self.group.id))?;
        if group.is_empty() { Ok(group) } else { Err(ErrorCode::NonEmptyGroup.into()) }
    }

    /// Writes down that the state of these is asked for; returns the epoch of the group. One that is not there is made for
    /// whatever is asked, also if none of it is there.
    fn begin_altering_share_offsets(&mut self, topics: &Topics, is_asked: bool) -> Result<i32, GroupError> {
        let fresh = (self.state.share().is_none() && self.is_blank()).then(ShareGroup::new);
        let epoch = match &fresh {
            Some(fresh) => fresh.modern.epoch,
            None => self.empty_share_group()?.modern.epoch,
        };
        if !topics.is_empty() || (is_asked && fresh.is_some()) {
            self.begin_share_state(fresh, topics)?;
        }
        Ok(epoch)
    }

    /// Writes down that the state of these topics is to go. Returns those of which there is none, and the partitions
    /// whose state is to be deleted.
    fn begin_deleting_share_offsets(
        &mut self,
        topics: &[&str],
    ) -> Result<(Vec<ShareGroupTopicOutcome>, Partitions), GroupError> {
        let (mut outcomes, mut partitions) = (Vec::new(), Partitions::new());
        let Some(known) = self.empty_share_group()?.state_partitions.clone() else {
            return Ok((outcomes, partitions));
        };
        let mut left = known.clone();
        for name in topics {
            let refused = |error: GroupError| ShareGroupTopicOutcome {
                topic: Arc::from(*name),
                topic_id: Uuid::ZERO,
                error: Some(error),
            };
            let Some(topic) = self.coordinator.image().topic(name) else {
                outcomes.push(refused(ErrorCode::UnknownTopicOrPartition.into()));
                continue;
            };
            if let Some(initialized) = left.initialized.remove(&topic.id) {
                partitions.insert(topic.id, initialized.partitions);
                left.deleting.insert(topic.id, topic.name);
            } else if left.deleting.contains_key(&topic.id) {
                // It could not be deleted before.
                partitions.insert(topic.id, (0..topic.num_partitions).collect());
            } else {
                let message = "There is no offset information to delete.";
                outcomes.push(refused(GroupError::new(ErrorCode::UnknownTopicOrPartition, message)));
            }
        }
        if left != known {
            self.change_share_group(None, &[ShareGroupRecord::StatePartitions(Some(left))])?;
        }
        Ok((outcomes, partitions))
    }

    fn end_deleting_share_offsets(&mut self, deleted: &BTreeMap<Uuid, Arc<str>>) -> Result<(), GroupError> {
        let Some(known) = self.state.share().and_then(|group| group.state_partitions.as_ref()) else {
            return Ok(());
        };
        let mut left = known.clone();
        left.deleting.retain(|id, _| !deleted.contains_key(id));
        Ok(self.change_share_group(None, &[ShareGroupRecord::StatePartitions(Some(left))])?)
    }
}
