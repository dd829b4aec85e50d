//! Making `__share_group_state`, and the share coordinator's taking it over; the door to it for the rest of the broker.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock, Weak};

use super::coordinator::share::{
    Persister, ReadState, SharePartitionKey, ShareStateError, StateSummary, WriteState,
};
use super::core::BrokerCore;
use crate::error::{Error, Result};
use crate::model::{ErrorCode, LeaderEpoch, Offset, SHARE_GROUP_STATE_TOPIC};

impl BrokerCore {
    /// Whether there is a topic that share groups' state can be kept in, and what it says has been loaded.
    pub(crate) fn has_share_state_topic(&self) -> bool {
        self.share_state_topic_is_ready.load(Ordering::Acquire)
    }

    /// Takes over the state in `__share_group_state`, which has just been found or made.
    pub(super) fn load_share_state(&self) {
        if let Err(error) = self.share_coordinator.load_all() {
            tracing::error!(%error, "the state of some share groups cannot be coordinated");
        }
        self.share_state_topic_is_ready.store(true, Ordering::Release);
    }

    /// `__share_group_state` is gone with what was in it, and comes back when somebody asks for a share group's state.
    pub(super) fn on_share_state_topic_deleted(&self, num_partitions: i32) {
        self.share_state_topic_is_ready.store(false, Ordering::Release);
        (0..num_partitions).for_each(|partition| self.share_coordinator.unload_partition(partition));
        // Somebody may have made the topic anew before that was done.
        if self.metadata.topic(SHARE_GROUP_STATE_TOPIC).is_some() {
            self.load_share_state();
        }
    }

    /// Why the state of a share partition could not be kept, if that is what the code means that its members are told.
    pub(super) fn share_state_failure(&self, key: &SharePartitionKey, code: ErrorCode) -> Option<Error> {
        let is_of_log = code == ErrorCode::CoordinatorNotAvailable;
        let partition = self.share_coordinator.partition_for(key).filter(|_| is_of_log);
        self.share_state_log.failure(partition, ErrorCode::NotCoordinator)
    }

    /// What a coordinator's code means to who is in this process, be it of a share group or of its state of these
    /// topics.
    pub(super) fn share_group_failure<'a>(
        &self,
        code: ErrorCode,
        group_id: &str,
        topics: impl IntoIterator<Item = &'a str>,
    ) -> Option<Error> {
        let of_group = self.offsets_log.failure(self.groups.partition_for(group_id), code);
        let of_state = of_group.or_else(|| {
            let topics = topics.into_iter().filter_map(|name| self.metadata.topic(name));
            let mut keys = topics.flat_map(|topic| {
                let partitions = 0..topic.num_partitions();
                partitions.map(move |number| SharePartitionKey::new(group_id, topic.id(), number))
            });
            keys.find_map(|key| {
                self.share_state_log.failure(self.share_coordinator.partition_for(&key), code)
            })
        });
        // Where there is no topic to keep the state in, why there is none is told by who tries to make it.
        let of_topic = || self.ensure_share_state_topic().err();
        of_state.or_else(|| (code == ErrorCode::CoordinatorNotAvailable).then(of_topic).flatten())
    }

    /// The same of a group that was to be deleted, before which its state goes.
    pub(super) fn share_group_deletion_failure(&self, code: ErrorCode, group_id: &str) -> Option<Error> {
        let topics = self.groups.share_state_to_delete(group_id);
        self.share_group_failure(code, group_id, topics.iter().map(AsRef::as_ref))
    }

    /// Makes `__share_group_state` if it is not there, as the first request for a share group's state does in Kafka.
    pub(crate) fn ensure_share_state_topic(&self) -> Result<()> {
        if self.has_share_state_topic() {
            return Ok(());
        }
        self.internal_topic(SHARE_GROUP_STATE_TOPIC).map(drop)
    }
}

/// The [`Persister`] of a broker: its own share coordinator.
#[derive(Debug, Default)]
pub(super) struct BrokerPersister {
    /// Set right after the broker was made, which in turn owns who calls.
    core: OnceLock<Weak<BrokerCore>>,
}

impl BrokerPersister {
    pub(super) fn attach(&self, core: &Arc<BrokerCore>) {
        // Attached once, in `open`; a second time would name the same broker.
        self.core.get_or_init(|| Arc::downgrade(core));
    }

    fn core(&self) -> Result<Arc<BrokerCore>, ShareStateError> {
        let core = self.core.get().and_then(Weak::upgrade).ok_or(ErrorCode::CoordinatorNotAvailable)?;
        core.ensure_share_state_topic().map_err(|error| {
            tracing::error!(%error, "cannot make the topic of share groups' state");
            ErrorCode::CoordinatorNotAvailable
        })?;
        Ok(core)
    }
}

impl Persister for BrokerPersister {
    fn initialize(
        &self,
        key: &SharePartitionKey,
        state_epoch: i32,
        start_offset: Offset,
    ) -> Result<(), ShareStateError> {
        self.core()?.share_coordinator.initialize(key, state_epoch, start_offset)
    }

    fn read(&self, key: &SharePartitionKey, leader_epoch: LeaderEpoch) -> Result<ReadState, ShareStateError> {
        self.core()?.share_coordinator.read(key, leader_epoch)
    }

    fn write(&self, key: &SharePartitionKey, write: &WriteState) -> Result<(), ShareStateError> {
        self.core()?.share_coordinator.write(key, write)
    }

    fn read_summary(&self, key: &SharePartitionKey) -> Result<StateSummary, ShareStateError> {
        self.core()?.share_coordinator.read_summary(key)
    }

    fn delete(&self, key: &SharePartitionKey) -> Result<(), ShareStateError> {
        self.core()?.share_coordinator.delete(key)
    }
}
