use std::sync::Arc;
use std::time::Duration;

use super::coordinator::GroupCoordinator;
use super::group_metadata::CONSUMER_PROTOCOL_TYPE;
use super::group_offsets::OffsetAndMetadata;
use super::group_state::GroupState;
use super::record::CoordinatorRecord;
use super::turn::GroupTurn;
use crate::broker::coordinator::operation_error;
use crate::model::{ErrorCode, Timestamp, TopicPartition};

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
        self.clean_up("expired", true, |turn| turn.expired_offsets())
    }

    /// Removes the offsets of topics that exist no more. Returns how many there were. No group goes with them: who comes
    /// back to one that is empty had better be told that it is no member than that there is no such group.
    pub(crate) fn on_topics_deleted(&self, topics: &[&str]) -> usize {
        for group in self.all_groups() {
            self.with_group(&group, |turn| {
                if !turn.state.is(GroupState::Dead) {
                    turn.forget_share_state_of(topics);
                }
            });
        }
        self.clean_up("deleted", false, |turn| {
            let mut partitions = turn.state.offsets.partitions();
            partitions.retain(|partition| topics.contains(&partition.topic()));
            partitions
        })
    }

    /// The first time after `after` at which [`expire_offsets`](Self::expire_offsets) has something to do.
    pub(crate) fn next_offset_expiry_ms(&self, after: Timestamp) -> Option<Timestamp> {
        let deadline = |group: &Arc<_>| self.with_group(group, |turn| turn.next_expiry_ms(after));
        self.all_groups().iter().filter_map(deadline).min()
    }

    fn clean_up(
        &self,
        why: &str,
        removes_groups: bool,
        select: impl Fn(&GroupTurn<'_>) -> Vec<TopicPartition>,
    ) -> usize {
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
                let is_unused = removes_groups
                    && turn.state.any_state() == GroupState::Empty
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
        self.state.offsets.expired(|partition, commit| {
            self.expires_at(partition, commit, retention_ms).is_some_and(|at| now_ms >= at)
        })
    }

    /// When a committed offset expires, if nothing happens to the group until then.
    fn expires_at(
        &self,
        partition: &TopicPartition,
        commit: &OffsetAndMetadata,
        retention_ms: i64,
    ) -> Option<Timestamp> {
        let since = |since: Timestamp| {
            Some(commit.expire_timestamp.unwrap_or_else(|| since.saturating_add(retention_ms)))
        };
        let state = &self.state;
        if let Some(group) = state.consumer() {
            let is_read = group.modern.subscribed_topics.contains(partition.topic());
            return if is_read { None } else { since(commit.commit_timestamp) };
        }
        match (state.protocol_type.as_deref(), state.state()) {
            (Some(_), GroupState::Empty) => since(state.state_timestamp.unwrap_or(commit.commit_timestamp)),
            (Some(CONSUMER_PROTOCOL_TYPE), GroupState::Stable)
                if state.knows_subscribed_topics() && !state.is_subscribed_to(partition.topic()) =>
            {
                since(commit.commit_timestamp)
            }
            (None, _) => since(commit.commit_timestamp),
            (Some(_), _) => None,
        }
    }

    /// The first time after `after` at which an offset expires, or the group, which has none and no members, is looked
    /// at for that.
    fn next_expiry_ms(&self, after: Timestamp) -> Option<Timestamp> {
        let (state, config) = (&self.state, self.coordinator.config());
        if state.is(GroupState::Dead) || state.share().is_some() {
            return None;
        }
        let offsets = state.offsets.iter();
        let retention_ms = config.offsets_retention_ms();
        let expiries =
            offsets.filter_map(|(partition, commit)| self.expires_at(partition, commit, retention_ms));
        let is_unused = state.any_state() == GroupState::Empty && state.offsets.is_empty();
        let check_interval_ms = config.offsets_retention_check_interval_ms;
        let look = state.state_timestamp.filter(|_| is_unused).map(|at| at.saturating_add(check_interval_ms));
        expiries.chain(look).filter(|at| *at > after).min()
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
        let offsets = &self.state.offsets;
        // Also for what a transaction would still commit: another coordinator must not find it again.
        let known =
            |partition: &&TopicPartition| offsets.get(partition).is_some() || offsets.is_unstable(partition);
        let mut tombstones = Vec::with_capacity(partitions.len() + 1);
        for partition in partitions.iter().filter(known) {
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
            self.append(&tombstones).map_err(operation_error)?;
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
