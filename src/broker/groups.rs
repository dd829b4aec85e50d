//! Making `__consumer_offsets`, and the group coordinator's taking it over.

use std::sync::atomic::Ordering;

use super::core::BrokerCore;
use crate::error::{Error, Result};
use crate::model::{CONSUMER_OFFSETS_TOPIC, ErrorCode};

impl BrokerCore {
    /// Whether there is a topic that groups can be kept in, and what it says has been loaded.
    pub(crate) fn has_offsets_topic(&self) -> bool {
        self.offsets_topic_is_ready.load(Ordering::Acquire)
    }

    /// Takes over the groups in `__consumer_offsets`, which has just been found or made.
    pub(super) fn load_groups(&self) {
        if let Err(error) = self.groups.load_all() {
            tracing::error!(%error, "some groups cannot be coordinated");
        }
        self.offsets_topic_is_ready.store(true, Ordering::Release);
    }

    /// `__consumer_offsets` is gone with the groups in it, and comes back when somebody asks for a group.
    pub(super) fn on_offsets_topic_deleted(&self, num_partitions: i32) {
        self.offsets_topic_is_ready.store(false, Ordering::Release);
        (0..num_partitions).for_each(|partition| self.groups.unload_partition(partition));
        // Somebody may have asked for a group, and so have made the topic anew, before the old groups were gone.
        if self.metadata.topic(CONSUMER_OFFSETS_TOPIC).is_some() {
            self.load_groups();
        }
    }

    /// What the coordinator's code means to who is in this process.
    pub(super) fn group_error(&self, code: ErrorCode, group_id: &str) -> Error {
        let stored = self.offsets_log.failure(self.groups.partition_for(group_id), code);
        stored.unwrap_or_else(|| Error::from(code)).context(format_args!("group '{group_id}'"))
    }

    /// Makes `__consumer_offsets` if it is not there, as the first request for a group does in Kafka.
    pub(crate) fn ensure_offsets_topic(&self) -> Result<()> {
        if self.has_offsets_topic() {
            return Ok(());
        }
        self.internal_topic(CONSUMER_OFFSETS_TOPIC).map(drop)
    }
}
