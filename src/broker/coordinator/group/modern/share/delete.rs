//! How the state of a share group goes with the group, or with a topic (Kafka:
//! `GroupMetadataManager#shareGroupBuildPartitionDeleteRequest`, `#maybeCleanupShareGroupState`).

use super::state_partitions::{InitializedPartitions, StatePartitions, combined};
use crate::broker::coordinator::group::coordinator::GroupCoordinator;
use crate::broker::coordinator::group::modern::consumer::GroupError;
use crate::broker::coordinator::group::record::ShareGroupRecord;
use crate::broker::coordinator::group::turn::{Group, GroupTurn};
use crate::model::ErrorCode;
use std::sync::Arc;

impl GroupCoordinator {
    /// Has the share coordinator forget all that it has of a group, which is about to be deleted. Does nothing for
    /// groups of other types.
    ///
    /// # Errors
    /// NON_EMPTY_GROUP, and what keeps the state from being deleted: the group stays then, and a second try goes on.
    pub(in crate::broker::coordinator::group) fn delete_state_of_share_group(
        &self,
        group: &Arc<Group>,
    ) -> Result<(), GroupError> {
        let Some(to_delete) = self.with_group(group, |turn| turn.begin_deleting_share_group())? else {
            return Ok(());
        };
        let mut outcome = Ok(());
        for (topic_id, topic) in to_delete {
            if let Err(error) = self.delete_share_state(&group.id, topic_id, &topic.partitions) {
                outcome = Err(error);
            }
        }
        outcome
    }

    /// The names of the topics of which a group's state is to go and did not yet.
    pub(crate) fn share_state_to_delete(&self, group_id: &str) -> Vec<Arc<str>> {
        let Some(group) = self.group(group_id) else { return Vec::new() };
        let state = group.state.lock();
        let known = state.share().and_then(|share| share.state_partitions.as_ref());
        known.map(|known| known.deleting.values().cloned().collect()).unwrap_or_default()
    }
}

impl GroupTurn<'_> {
    /// Writes down that all of the group's state is to go; `None` if there is none.
    fn begin_deleting_share_group(&mut self) -> Result<Option<super::state_partitions::Topics>, GroupError> {
        if self.state.share().is_none() {
            return Ok(None);
        }
        let Some(known) = &self.empty_share_group()?.state_partitions else { return Ok(None) };
        let mut all = combined(&known.initialized, &known.initializing);
        let image = self.coordinator.image();
        // What could not be deleted before.
        let again = known.deleting.keys().filter_map(|id| {
            let topic = image.topic_by_id(*id)?;
            let partitions = (0..topic.num_partitions).collect();
            Some((*id, InitializedPartitions { name: topic.name, partitions }))
        });
        all = combined(&all, &again.collect());
        let deleting = all.iter().map(|(id, topic)| (*id, Arc::clone(&topic.name))).collect();
        let left = StatePartitions { deleting, ..StatePartitions::default() };
        self.change_share_group(None, &[ShareGroupRecord::StatePartitions(Some(left))])?;
        Ok(Some(all))
    }

    /// Topics of these names are gone, and whatever state there was of them.
    pub(in crate::broker::coordinator::group) fn forget_share_state_of(&mut self, topics: &[&str]) {
        let Some(known) = self.state.share().and_then(|group| group.state_partitions.as_ref()) else {
            return;
        };
        let image = self.coordinator.image();
        // There may be another of the same name by now.
        let left = known.forget(|id, name| topics.contains(&name) && image.topic_by_id(*id).is_none());
        let Some(left) = left else { return };
        let outcome = self.change_share_group(None, &[ShareGroupRecord::StatePartitions(Some(left))]);
        let group = &self.group.id;
        if let Err(error) = outcome {
            self.outbox.warn(|| format!("Group {group} could not forget topics {topics:?}: {error}"));
        }
    }

    /// Refuses what is not for share groups.
    pub(in crate::broker::coordinator::group) fn refuse_share_group(
        &self,
        error: ErrorCode,
    ) -> Result<(), ErrorCode> {
        if self.state.share().is_some() { Err(error) } else { Ok(()) }
    }
}
