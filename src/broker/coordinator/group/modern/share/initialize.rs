//! How partitions get their state (Kafka: `GroupCoordinatorService#persisterInitialize`,
//! `GroupMetadataManager#initializeShareGroupState`, `#uninitializeShareGroupState`).
//!
//! It is written down that their state is asked for, then the share coordinator is asked, with no group's lock held, then
//! it is written down that it is there. What was not answered, because the broker died, is asked for again later.

use std::collections::BTreeMap;

use super::group::ShareGroup;
use super::state_partitions::Topics;
use crate::broker::coordinator::group::coordinator::GroupCoordinator;
use crate::broker::coordinator::group::modern::assignment::Partitions;
use crate::broker::coordinator::group::modern::consumer::GroupError;
use crate::broker::coordinator::group::record::ShareGroupRecord;
use crate::broker::coordinator::group::turn::GroupTurn;
use crate::broker::coordinator::share::{SharePartitionKey, ShareStateError};
use crate::model::{ErrorCode, Offset, Uuid};

/// What the share coordinator is asked for.
pub(super) struct Initialization {
    /// Of the group.
    pub(super) epoch: i32,
    /// -1 where it is left to who reads the partition where to begin.
    pub(super) start_offsets: BTreeMap<(Uuid, i32), Offset>,
}

impl Initialization {
    fn partitions(&self) -> Partitions {
        let mut partitions = Partitions::new();
        for (topic, partition) in self.start_offsets.keys() {
            partitions.entry(*topic).or_default().insert(*partition);
        }
        partitions
    }
}

impl From<ShareStateError> for GroupError {
    fn from(error: ShareStateError) -> Self {
        GroupError { code: error.code, message: error.message.into_owned() }
    }
}

impl GroupCoordinator {
    /// Has states begun that were written down as asked for, and writes down what came of it. Each failure is told.
    pub(super) fn begin_share_states(
        &self,
        group_id: &str,
        initialization: &Initialization,
    ) -> Result<BTreeMap<(Uuid, i32), GroupError>, GroupError> {
        let mut failures = BTreeMap::new();
        for (&(topic, partition), &start_offset) in &initialization.start_offsets {
            let key = SharePartitionKey::new(group_id, topic, partition);
            if let Err(error) = self.persister().initialize(&key, initialization.epoch, start_offset) {
                failures.insert((topic, partition), error.into());
            }
        }
        let partitions = initialization.partitions();
        let Some(group) = self.group(group_id) else { return Ok(failures) };
        self.with_group(&group, |turn| turn.end_share_initialization(&partitions, failures.is_empty()))?;
        Ok(failures)
    }

    /// The same, where one failure is a failure of all.
    pub(super) fn initialize_share_state(
        &self,
        group_id: &str,
        initialization: &Initialization,
    ) -> Result<(), GroupError> {
        let failures = self.begin_share_states(group_id, initialization)?;
        failures.into_values().next().map_or(Ok(()), Err)
    }
}

impl GroupTurn<'_> {
    /// Writes down that the state of these partitions is asked for.
    pub(super) fn begin_share_state(
        &mut self,
        fresh: Option<ShareGroup>,
        topics: &Topics,
    ) -> Result<(), ErrorCode> {
        let group = fresh.as_ref().or(self.state.share());
        let known = group.and_then(|group| group.state_partitions.clone()).unwrap_or_default();
        self.change_share_group(fresh, &[ShareGroupRecord::StatePartitions(Some(known.begin(topics)))])
    }

    fn end_share_initialization(&mut self, partitions: &Partitions, is_there: bool) -> Result<(), ErrorCode> {
        let Some(known) = self.state.share().map(|group| group.state_partitions.clone().unwrap_or_default())
        else {
            return Ok(());
        };
        let ended = match is_there {
            true => known.complete(partitions, self.coordinator.image()),
            false => known.give_up(partitions),
        };
        if partitions.is_empty() || ended == known {
            return Ok(());
        }
        self.change_share_group(None, &[ShareGroupRecord::StatePartitions(Some(ended))])
    }
}
