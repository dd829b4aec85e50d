use std::sync::Arc;
use std::time::Duration;

use super::coordinator::GroupCoordinator;
use super::group_metadata::CONSUMER_PROTOCOL_TYPE;
use super::group_offsets::OffsetAndMetadata;
use super::group_state::GroupState;
use super::record::CoordinatorRecord;
use super::turn::GroupTurn;
use crate::model::{ErrorCode, TopicPartition};

impl GroupCoordinator {
    /// Looks for expired offsets now and then, every `offsets.retention.check.interval.ms`, until
    /// [`shutdown`](Self::shutdown).
    pub(crate) fn schedule_offset_expiry(&self) {
        let interval_ms =
            u64::try_from(self.config().offsets_retention_check_interval_ms).unwrap_or(1).max(1);
        let coordinator = self.weak();
        let task = move || {
            let Some(due) = coordinator.upgrade() else { return };
            due.log().run_due(Box::new(move || {
                if let Some(coordinator) = coordinator.upgrade() {
                    coordinator.expire_offsets();
                    coordinator.schedule_offset_expiry();
                }
            }));
        };
        let mut expiry = self.expiry.lock();
        if self.is_active() {
            *expiry = Some(self.timer().schedule_housekeeping(Duration::from_millis(interval_ms), task));
        }
    }

    /// Removes offsets that have outlived their retention, and groups that have neither members nor offsets.
    /// Returns how many offsets were removed.
    pub(crate) fn expire_offsets(&self) -> usize {
        self.clean_up("expired", |turn| turn.expired_offsets())
    }

    /// Removes the offsets of topics that exist no more. Returns how many there were.
    pub(crate) fn on_topics_deleted(&self, topics: &[&str]) -> usize {
        for group in self.all_groups() {
            self.with_group(&group, |turn| {
                if !turn.state.is(GroupState::Dead) {
                    turn.forget_share_state_of(topics);
                }
            });
        }
        self.clean_up("deleted", |turn| {
            let mut partitions = turn.state.offsets.partitions();
            partitions.retain(|partition| topics.contains(&partition.topic()));
            partitions
        })
    }

    fn clean_up(&self, why: &str, select: impl Fn(&GroupTurn<'_>) -> Vec<TopicPartition>) -> usize {
        let mut removed = 0;
        for group in self.all_groups() {
            removed += self.with_group(&group, |turn| {
                if turn.state.is(GroupState::Dead) {
                    return 0;
                }
                // They have no offsets here, and stay until they are deleted.
                if turn.state.share().is_some() {
                    return 0;
                }
                let partitions = select(turn);
                let is_last = partitions.len() >= turn.state.offsets.partitions().len();
                // An id was handed out: its owner is about to join.
                let is_unused = turn.state.any_state() == GroupState::Empty
                    && is_last
                    && turn.state.pending_members.is_empty();
                match turn.remove_offsets_or_group(&partitions, is_unused) {
                    Ok(removed) => removed,
                    Err(error) => {
                        // Nothing was removed from memory either; the next round tries again.
                        let group = &turn.group.id;
                        turn.outbox
                            .warn(|| format!("Offsets of group {group} could not be removed: {error}"));
                        0
                    }
                }
            });
        }
        if removed > 0 {
            tracing::info!("Removed {removed} {why} offsets");
        }
        removed
    }
}

impl GroupTurn<'_> {
    /// Which offsets have expired (Kafka: `GroupMetadata#removeExpiredOffsets`). An offset that was committed
    /// with a retention of its own goes by that; others expire
    /// * in a group without members: one retention after the last member left,
    /// * in a stable consumer group: one retention after the commit, if nobody reads the topic any more,
    /// * in a group that never had members: one retention after the commit.
    fn expired_offsets(&self) -> Vec<TopicPartition> {
        let now_ms = self.now_ms();
        let retention_ms = self.coordinator.config().offsets_retention_ms();
        let has_expired = |since: i64, commit: &OffsetAndMetadata| match commit.expire_timestamp {
            Some(at) => now_ms >= at,
            None => now_ms.saturating_sub(since) >= retention_ms,
        };
        let state = &self.state;
        if let Some(group) = state.consumer() {
            return state.offsets.expired(|partition, commit| {
                !group.modern.subscribed_topics.contains(partition.topic())
                    && has_expired(commit.commit_timestamp, commit)
            });
        }
        match (state.protocol_type.as_deref(), state.state()) {
            (Some(_), GroupState::Empty) => state.offsets.expired(|_, commit| {
                has_expired(state.state_timestamp.unwrap_or(commit.commit_timestamp), commit)
            }),
            (Some(CONSUMER_PROTOCOL_TYPE), GroupState::Stable) if state.knows_subscribed_topics() => {
                state.offsets.expired(|partition, commit| {
                    !state.is_subscribed_to(partition.topic()) && has_expired(commit.commit_timestamp, commit)
                })
            }
            (None, _) => state.offsets.expired(|_, commit| has_expired(commit.commit_timestamp, commit)),
            (Some(_), _) => Vec::new(),
        }
    }

    /// Removes what is known of the partitions, and the group as well if it `is_unused` then: tombstones into
    /// the log first. Returns how many committed offsets there were.
    ///
    /// # Errors
    /// The append's. Nothing is removed then.
    pub(super) fn remove_offsets_or_group(
        &mut self,
        partitions: &[TopicPartition],
        is_unused: bool,
    ) -> Result<usize, ErrorCode> {
        let committed: Vec<_> =
            partitions.iter().filter(|partition| self.state.offsets.get(partition).is_some()).collect();
        let mut tombstones = Vec::with_capacity(committed.len() + 1);
        for partition in committed {
            let tombstone = CoordinatorRecord::offset_commit_tombstone(&self.group.id, partition);
            tombstones.push(tombstone.map_err(|_| ErrorCode::UnknownServerError)?);
        }
        if is_unused && let Some(group) = self.state.consumer() {
            for record in group.tombstones() {
                let tombstone = record.encode(&self.group.id);
                tombstones.push(tombstone.map_err(|_| ErrorCode::UnknownServerError)?);
            }
        }
        if is_unused && let Some(group) = self.state.share() {
            for record in group.tombstones() {
                let tombstone = record.encode(&self.group.id);
                tombstones.push(tombstone.map_err(|_| ErrorCode::UnknownServerError)?);
            }
        }
        // A group that never had a generation has no record of its own.
        if is_unused && self.state.generation_id > 0 {
            let tombstone = CoordinatorRecord::group_metadata_tombstone(&self.group.id);
            tombstones.push(tombstone.map_err(|_| ErrorCode::UnknownServerError)?);
        }
        if !tombstones.is_empty() {
            self.append(&tombstones)?;
        }
        let removed = partitions.iter().filter(|partition| self.state.offsets.remove(partition)).count();
        if is_unused {
            self.die();
            let (group, generation) = (Arc::clone(&self.group.id), self.state.generation_id);
            self.outbox.info(|| format!("Group {group} transitioned to Dead in generation {generation}"));
        }
        Ok(removed)
    }
}
