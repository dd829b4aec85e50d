use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::RwLock;

use super::coordinator::GroupCoordinator;
use super::group_offsets::CommittedOffset;
use super::group_state::GroupState;
use super::offsets::{CommitOffsetsParams, OffsetCommit, PreparedCommit};
use super::record::CoordinatorRecord;
use super::store::commit_error;
use super::turn::GroupTurn;
use crate::broker::coordinator::transaction::ProducerIdAndEpoch;
use crate::model::{ErrorCode, ProducerId};

/// Offsets that count once a transaction is committed.
impl GroupCoordinator {
    /// Commits offsets as part of a transaction (Kafka: `OffsetMetadataManager#commitTransactionalOffset`). One code
    /// for each of them comes back, in the same order; when this returns they are in the log, and wait for the
    /// transaction's end.
    ///
    /// To be called while the transaction cannot end, which is a lock: so readers of the log are not woken, and the
    /// caller must [do that](Self::wake_readers_of) afterwards.
    pub(crate) fn commit_transactional_offsets(
        &self,
        producer: ProducerIdAndEpoch,
        params: CommitOffsetsParams<'_>,
    ) -> Vec<ErrorCode> {
        let count = params.offsets.len();
        let all = |error| vec![error; count];
        let group = match self.group_to_commit_to(&params) {
            Ok(group) => group,
            Err(error) => return all(error),
        };
        let _no_end = self.transaction_ends(group.partition).read();
        self.with_group(&group, |turn| match turn.validate_transactional_commit(&params) {
            Ok(()) => turn.commit_transactional(producer, params.offsets),
            Err(error) => all(error),
        })
    }

    /// Something was appended for this group, and no lock is held any more.
    pub(crate) fn wake_readers_of(&self, group_id: &str) {
        if let Some(partition) = self.partition_for(group_id) {
            self.log().wake_readers(partition);
        }
    }

    /// Ends a transaction in a partition of `__consumer_offsets`: `append` writes its marker there, and the offsets that
    /// it committed there count from then on, or are forgotten.
    ///
    /// An administrator's marker may come at any time. Offsets are before it in the log and in memory, or after it in
    /// both: no others are committed in a transaction meanwhile, and nobody reads the partition to take it over.
    ///
    /// # Errors
    /// Those of `append`; the transaction has not ended then.
    pub(crate) fn end_transaction<E>(
        &self,
        partition: i32,
        producer_id: ProducerId,
        is_commit: bool,
        append: impl FnOnce() -> Result<(), E>,
    ) -> Result<(), E> {
        let _no_commit = self.transaction_ends(partition).write();
        append()?;
        let groups = self.open_transactions.lock().remove(&(partition, producer_id));
        for group in groups.into_iter().flatten().filter_map(|id| self.group(&id)) {
            self.with_group(&group, |turn| {
                turn.state.offsets.complete_transaction(producer_id, is_commit);
            });
        }
        Ok(())
    }

    /// Held to write while a transaction ends in the partition, and to read while one commits offsets there. Comes
    /// before the lock of a group.
    pub(super) fn transaction_ends(&self, partition: i32) -> &RwLock<()> {
        let at = usize::try_from(partition).unwrap_or(0);
        &self.transaction_ends[at % self.transaction_ends.len()]
    }

    /// Remembers that a transaction has offsets of a group, to be found again at its end.
    pub(super) fn note_transaction(&self, partition: i32, producer_id: ProducerId, group_id: &Arc<str>) {
        let mut open = self.open_transactions.lock();
        let groups: &mut BTreeSet<Arc<str>> = open.entry((partition, producer_id)).or_default();
        if !groups.contains(group_id) {
            groups.insert(Arc::clone(group_id));
        }
    }
}

impl GroupTurn<'_> {
    /// Older clients do not say who they are (KIP-447), so that only what is said can be checked; a group that is
    /// about to rebalance takes the offsets, since the transaction may be older than that.
    fn validate_transactional_commit(&self, params: &CommitOffsetsParams<'_>) -> Result<(), ErrorCode> {
        let (member_id, instance_id) = (params.member_id, params.group_instance_id);
        if self.state.is(GroupState::Dead) {
            return Err(ErrorCode::CoordinatorNotAvailable);
        }
        self.refuse_share_group(ErrorCode::GroupIdNotFound)?;
        if let Some(group) = self.state.consumer() {
            // No version of the request knows STALE_MEMBER_EPOCH.
            return self.validate_consumer_commit(group, params, true).map_err(|error| match error {
                ErrorCode::StaleMemberEpoch => ErrorCode::IllegalGeneration,
                other => other,
            });
        }
        if params.generation_id < 0
            && (self.state.is(GroupState::Empty) || (member_id.is_empty() && instance_id.is_none()))
        {
            return Ok(());
        }
        self.validate_current_member(member_id, instance_id)?;
        if params.generation_id == self.state.generation_id {
            Ok(())
        } else {
            Err(ErrorCode::IllegalGeneration)
        }
    }

    fn commit_transactional(
        &mut self,
        producer: ProducerIdAndEpoch,
        offsets: Vec<OffsetCommit<'_>>,
    ) -> Vec<ErrorCode> {
        let PreparedCommit { mut errors, records, commits } = self.records_of_commit(offsets, None);
        if records.is_empty() {
            return errors;
        }
        match self.append_in_transaction(producer, &records) {
            Ok(record_offset) => {
                let (partition, producer_id) = (self.group.partition, producer.producer_id);
                for (_, topic_partition, commit) in commits {
                    let committed = CommittedOffset { record_offset, commit };
                    self.state.offsets.commit_transactional(producer_id, topic_partition, committed);
                }
                self.coordinator.note_transaction(partition, producer_id, &self.group.id);
            }
            Err(error) => {
                let group = &self.group.id;
                self.outbox.warn(|| {
                    format!("Offsets of a transaction of group {group} could not be written: {error}")
                });
                for (index, ..) in commits {
                    errors[index] = commit_error(error);
                }
            }
        }
        errors
    }

    fn append_in_transaction(
        &self,
        producer: ProducerIdAndEpoch,
        records: &[CoordinatorRecord],
    ) -> Result<i64, ErrorCode> {
        let batch = self.build_batch(records, Some(producer))?;
        self.coordinator.log().append(self.group.partition, batch)
    }
}
