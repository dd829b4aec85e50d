//! What the requests of consumer groups have in common.

use super::group::ConsumerGroup;
use super::heartbeat::GroupError;
use super::update::Update;
use crate::broker::coordinator::group::group_metadata::GroupMetadata;
use crate::broker::coordinator::group::group_state::GroupState;
use crate::broker::coordinator::group::record::{ConsumerGroupRecord, CoordinatorRecord};
use crate::broker::coordinator::group::turn::GroupTurn;
use crate::broker::coordinator::operation_error;
use crate::model::ErrorCode;

impl GroupTurn<'_> {
    /// The consumer group that this one is about to become, since somebody joins it as one.
    pub(super) fn consumer_group_in_place(&self, update: &mut Update) -> Result<ConsumerGroup, GroupError> {
        if self.state.share().is_some() {
            let message = format!("Group {} is not a consumer group.", self.group.id);
            return Err(GroupError::new(ErrorCode::GroupIdNotFound, message));
        }
        if !self.state.is(GroupState::Empty) {
            return self.consumer_group_of_classic(update);
        }
        // A group that never had a generation has no record of its own.
        update.removes_classic = self.state.generation_id > 0;
        Ok(ConsumerGroup::new())
    }

    /// A consumer group without members is a classic one again as soon as a classic member joins.
    pub(in crate::broker::coordinator::group) fn leave_empty_consumer_group(
        &mut self,
    ) -> Result<(), ErrorCode> {
        let Some(group) = self.state.consumer().filter(|group| group.is_empty()) else { return Ok(()) };
        let tombstones = group.tombstones();
        self.append_consumer_records(false, &tombstones)?;
        self.state.become_classic(GroupMetadata::new(self.coordinator.clock().now_ms()));
        Ok(())
    }

    /// What waits in a classic group is told to join again: it will be a member of the consumer group by then.
    pub(super) fn become_consumer_group(&mut self, group: ConsumerGroup) {
        self.answer_all(ErrorCode::RebalanceInProgress);
        let now_ms = self.now_ms();
        self.state.become_consumer(group, now_ms);
        let group = &self.group.id;
        self.outbox.info(|| format!("Group {group} is a consumer group now"));
    }

    /// Appends records as one batch, so that they are all in the log or none of them is.
    pub(super) fn append_consumer_records(
        &mut self,
        removes_classic: bool,
        records: &[ConsumerGroupRecord],
    ) -> Result<(), ErrorCode> {
        if records.is_empty() && !removes_classic {
            return Ok(());
        }
        let classic = removes_classic.then(|| CoordinatorRecord::group_metadata_tombstone(&self.group.id));
        let classic = classic.transpose().map_err(|_| ErrorCode::UnknownServerError)?;
        let mut encoded: Vec<CoordinatorRecord> = classic.into_iter().collect();
        encoded.extend(self.encode_consumer_records(records)?);
        self.append_encoded(&encoded)
    }

    pub(super) fn encode_consumer_records(
        &self,
        records: &[ConsumerGroupRecord],
    ) -> Result<Vec<CoordinatorRecord>, ErrorCode> {
        let records = records.iter().map(|record| record.encode(&self.group.id));
        records.collect::<Result<_, _>>().map_err(|_| ErrorCode::UnknownServerError)
    }

    pub(in crate::broker::coordinator::group) fn append_encoded(
        &mut self,
        records: &[CoordinatorRecord],
    ) -> Result<(), ErrorCode> {
        self.append(records).map_err(operation_error)?;
        // Members in this process need not wait for their next heartbeat to hear of it.
        self.starts_rebalance = true;
        Ok(())
    }
}
