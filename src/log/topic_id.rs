//! Which incarnation of its topic a log belongs to.

use super::checkpoint::format_partition_metadata;
use super::file_names::PARTITION_METADATA;
use super::{Log, LogError};
use crate::model::Uuid;

impl Log {
    /// Gives the log the topic's id if it has none yet, and fails if it has another
    /// (Kafka: `UnifiedLog#assignTopicId`).
    pub(crate) fn ensure_topic_id(&self, topic_id: Uuid) -> Result<(), LogError> {
        if topic_id.is_zero() || self.topic_id() == topic_id {
            return Ok(());
        }
        self.log_dir.run_unless_full(|| {
            let mut found = self.topic_id.write();
            if found.is_zero() {
                self.dir.replace(PARTITION_METADATA, &format_partition_metadata(topic_id))?;
                *found = topic_id;
            }
            if *found == topic_id {
                return Ok(());
            }
            let (partition, found) = (self.partition.clone(), *found);
            Err(LogError::InconsistentTopicId { partition, found, expected: topic_id })
        })
    }
}
