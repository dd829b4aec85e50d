use std::collections::BTreeMap;

use parking_lot::Mutex;

use crate::broker::coordinator::share::{
    Persister, ReadState, SharePartitionKey, ShareStateError, StateSummary, WriteState,
};
use crate::model::{ErrorCode, LeaderEpoch, Offset, Uuid};

/// The state of share groups in memory: in which epoch and with which start each was begun. Fails when told to.
#[derive(Debug, Default)]
pub(super) struct MemoryPersister {
    states: Mutex<BTreeMap<SharePartitionKey, (i32, Offset)>>,
    failure: Mutex<Option<ErrorCode>>,
}

impl MemoryPersister {
    /// Everything fails with `error` until this is called with `None`.
    pub(super) fn fail(&self, error: Option<ErrorCode>) {
        *self.failure.lock() = error;
    }

    /// The epoch and the start of the state of each partition of a topic.
    pub(super) fn states(&self, group_id: &str, topic_id: Uuid) -> BTreeMap<i32, (i32, Offset)> {
        let states = self.states.lock();
        let of_topic =
            states.iter().filter(|(key, _)| *key.group_id == *group_id && key.topic_id == topic_id);
        of_topic.map(|(key, state)| (key.partition, *state)).collect()
    }

    fn check(&self) -> Result<(), ShareStateError> {
        self.failure.lock().map_or(Ok(()), |error| Err(error.into()))
    }
}

impl Persister for MemoryPersister {
    fn initialize(
        &self,
        key: &SharePartitionKey,
        state_epoch: i32,
        start_offset: Offset,
    ) -> Result<(), ShareStateError> {
        self.check()?;
        self.states.lock().insert(key.clone(), (state_epoch, start_offset));
        Ok(())
    }

    fn read(&self, _: &SharePartitionKey, _: LeaderEpoch) -> Result<ReadState, ShareStateError> {
        unreachable!("groups do not read records")
    }

    fn write(&self, _: &SharePartitionKey, _: &WriteState) -> Result<(), ShareStateError> {
        unreachable!("groups do not read records")
    }

    fn read_summary(&self, key: &SharePartitionKey) -> Result<StateSummary, ShareStateError> {
        self.check()?;
        let (state_epoch, start_offset) = self.states.lock().get(key).copied().unwrap_or((0, -1));
        Ok(StateSummary { state_epoch, leader_epoch: 0, start_offset, delivery_complete_count: -1 })
    }

    fn delete(&self, key: &SharePartitionKey) -> Result<(), ShareStateError> {
        self.check()?;
        self.states.lock().remove(key);
        Ok(())
    }
}
