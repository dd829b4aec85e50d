use bytes::Bytes;

use super::group_metadata::GroupMetadata;
use super::record::{CoordinatorRecord, GroupMetadataMember, GroupMetadataValue};
use super::turn::GroupTurn;
use crate::broker::coordinator::operation_error;
use crate::broker::coordinator::transaction::ProducerIdAndEpoch;
use crate::model::{ErrorCode, NO_TIMESTAMP, Offset};
use crate::record::{BatchOptions, RecordBatchBuilder};

/// How records come into the log.
impl GroupTurn<'_> {
    /// Writes down the group as it is: its generation, its members and their assignments.
    pub(super) fn store_group(&mut self) -> Result<(), ErrorCode> {
        let record = self.record_of(&self.state)?;
        self.append(&[record]).map(|_| ()).map_err(store_error)
    }

    /// The record of a classic group as it is.
    pub(super) fn record_of(&self, state: &GroupMetadata) -> Result<CoordinatorRecord, ErrorCode> {
        let protocol_name = state.protocol_name.as_deref();
        let value = GroupMetadataValue {
            protocol_type: state.protocol_type.clone().unwrap_or_default(),
            generation_id: state.generation_id,
            protocol_name: state.protocol_name.clone(),
            leader_id: state.leader_id.clone(),
            state_timestamp: state.state_timestamp.unwrap_or(NO_TIMESTAMP),
            members: state
                .members()
                .iter()
                .map(|member| GroupMetadataMember {
                    member_id: member.id.clone(),
                    group_instance_id: member.group_instance_id.clone(),
                    client_id: member.client_id.clone(),
                    client_host: member.client_host.clone(),
                    rebalance_timeout_ms: member.rebalance_timeout_ms,
                    session_timeout_ms: member.session_timeout_ms,
                    subscription: member.metadata(protocol_name.unwrap_or_default()),
                    assignment: member.assignment.clone(),
                })
                .collect(),
        };
        let record = CoordinatorRecord::group_metadata(&self.group.id, &value);
        record.map_err(|_| ErrorCode::UnknownServerError)
    }

    /// Appends records of this group as one batch; returns the offset of the first.
    pub(super) fn append(&mut self, records: &[CoordinatorRecord]) -> Result<Offset, ErrorCode> {
        let batch = self.build_batch(records, None)?;
        let offset = self.coordinator.log().append(self.group.partition, batch)?;
        self.outbox.appended();
        Ok(offset)
    }

    /// One batch; within a transaction, that of `producer`.
    pub(super) fn build_batch(
        &self,
        records: &[CoordinatorRecord],
        producer: Option<ProducerIdAndEpoch>,
    ) -> Result<Bytes, ErrorCode> {
        let now_ms = self.now_ms();
        let compression = self.coordinator.config().offsets_topic_compression_codec;
        let mut options = BatchOptions { compression, ..BatchOptions::default() };
        if let Some(ProducerIdAndEpoch { producer_id, producer_epoch }) = producer {
            // Without sequence numbers: what the coordinator appends is never sent twice.
            options = BatchOptions { producer_id, producer_epoch, transactional: true, ..options };
        }
        let mut builder = RecordBatchBuilder::new(options);
        for record in records {
            let appended = builder.append(now_ms, Some(&record.key), record.value.as_deref());
            appended.map_err(|error| error.code())?;
        }
        builder.build().map_err(|error| error.code())
    }
}

/// What a member is told when the record of its group could not be written (Kafka:
/// `GroupMetadataManager#storeGroup`).
fn store_error(error: ErrorCode) -> ErrorCode {
    match error {
        ErrorCode::RequestTimedOut => ErrorCode::RebalanceInProgress,
        other => operation_error(other),
    }
}

/// What a member is told when its commit could not be written (Kafka:
/// `GroupMetadataManager#maybeConvertOffsetCommitError`).
pub(super) fn commit_error(error: ErrorCode) -> ErrorCode {
    match error {
        ErrorCode::MessageTooLarge | ErrorCode::RecordListTooLarge | ErrorCode::InvalidFetchSize => {
            ErrorCode::InvalidCommitOffsetSize
        }
        other => operation_error(other),
    }
}
