use super::coordinator::ShareCoordinator;
use super::error::ShareStateError;
use super::key::SharePartitionKey;
use super::shard::ShareRecord;

impl ShareCoordinator {
    /// Forgets the state of a key, if there is any.
    ///
    /// # Errors
    /// UNKNOWN_TOPIC_OR_PARTITION, INVALID_REQUEST, or what keeps it from being written.
    pub(crate) fn delete(&self, key: &SharePartitionKey) -> Result<(), ShareStateError> {
        self.turn("delete", key, |shard| {
            Self::check_partition_id(key)?;
            self.check_exists(key)?;
            Ok((shard.states.contains_key(key).then_some(ShareRecord::Tombstone), ()))
        })
    }
}
