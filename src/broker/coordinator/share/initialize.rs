use super::coordinator::ShareCoordinator;
use super::error::ShareStateError;
use super::key::SharePartitionKey;
use super::shard::ShareRecord;
use super::share_group_offset::ShareGroupOffset;
use crate::model::{ErrorCode, Offset};

impl ShareCoordinator {
    /// Begins the state of a key, or begins it anew in a later epoch. A start of -1 leaves it to the share partition
    /// where to begin.
    ///
    /// # Errors
    /// FENCED_STATE_EPOCH for an older epoch, UNKNOWN_TOPIC_OR_PARTITION, INVALID_REQUEST, or what keeps it from being
    /// written.
    pub(crate) fn initialize(
        &self,
        key: &SharePartitionKey,
        state_epoch: i32,
        start_offset: Offset,
    ) -> Result<(), ShareStateError> {
        self.turn("initialize", key, |shard| {
            Self::check_partition_id(key)?;
            Self::check_state_epoch(state_epoch)?;
            let known = shard.states.get(key);
            if known.and_then(|known| known.state_epoch).is_some_and(|epoch| epoch > state_epoch) {
                return Err(ErrorCode::FencedStateEpoch.into());
            }
            self.check_exists(key)?;
            let now_ms = self.now_ms();
            let snapshot = ShareGroupOffset {
                snapshot_epoch: known.map_or(0, |known| known.offset.snapshot_epoch.saturating_add(1)),
                state_epoch,
                leader_epoch: 0,
                start_offset,
                delivery_complete_count: if start_offset == -1 { -1 } else { 0 },
                create_timestamp: now_ms,
                write_timestamp: now_ms,
                state_batches: Vec::new(),
            };
            Ok((Some(ShareRecord::Snapshot(snapshot)), ()))
        })
    }
}
