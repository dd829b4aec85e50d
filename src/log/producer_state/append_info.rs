use super::entry::{BatchMetadata, ProducerStateEntry};
use super::manager::CompletedTxn;
use crate::log::error::LogError;
use crate::log::offset_metadata::LogOffsetMetadata;
use crate::model::{NO_PRODUCER_EPOCH, NO_SEQUENCE, Offset, ProducerEpoch, ProducerId, Timestamp};
use crate::record::{AppendOrigin, BatchHeader, EndTransactionMarker};

/// Where a batch is going to stand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AppendOffsets {
    pub(crate) first: LogOffsetMetadata,
    pub(crate) last_offset: Offset,
}

/// One producer's share of an append that is being checked: a copy of its entry, which replaces the entry once
/// the records are in the file (Kafka: `ProducerAppendInfo`).
#[derive(Debug)]
pub(crate) struct ProducerAppendInfo {
    origin: AppendOrigin,
    /// As before the append.
    current: ProducerStateEntry,
    pub(super) updated: ProducerStateEntry,
    /// Where transactions start that these records open.
    pub(super) started_txns: Vec<LogOffsetMetadata>,
}

impl ProducerAppendInfo {
    pub(super) fn new(current: ProducerStateEntry, origin: AppendOrigin) -> Self {
        ProducerAppendInfo { origin, current, updated: current, started_txns: Vec::new() }
    }

    pub(crate) fn producer_id(&self) -> ProducerId {
        self.updated.producer_id
    }

    /// Checks a batch of data and takes it into account.
    pub(crate) fn append_data_batch(
        &mut self,
        batch: BatchHeader<'_>,
        offsets: AppendOffsets,
    ) -> Result<(), LogError> {
        let epoch = batch.producer_epoch();
        self.check_producer_epoch(epoch)?;
        if self.origin == AppendOrigin::Client {
            self.check_sequence(epoch, batch.base_sequence())?;
        }
        let first_offset = offsets.first.offset;
        let offset_delta = offsets.last_offset.saturating_sub(first_offset);
        self.updated.add_batch(
            epoch,
            BatchMetadata {
                last_sequence: batch.last_sequence(),
                last_offset: offsets.last_offset,
                offset_delta: i32::try_from(offset_delta).unwrap_or(i32::MAX),
                timestamp: batch.max_timestamp(),
            },
        );
        match (self.updated.current_txn_first_offset, batch.is_transactional()) {
            (Some(first_offset), false) if self.origin != AppendOrigin::Replication => {
                Err(LogError::InvalidTxnState { producer_id: self.producer_id(), first_offset })
            }
            (None, true) => {
                self.updated.current_txn_first_offset = Some(first_offset);
                self.started_txns.push(offsets.first);
                Ok(())
            }
            (None, false) | (Some(_), _) => Ok(()),
        }
    }

    /// Checks the end of a transaction; what it completes, if there was data.
    pub(crate) fn append_end_txn_marker(
        &mut self,
        marker: EndTransactionMarker,
        epoch: ProducerEpoch,
        offset: Offset,
        timestamp: Timestamp,
    ) -> Result<Option<CompletedTxn>, LogError> {
        self.check_producer_epoch(epoch)?;
        // A log that is copied or read again holds what was decided already.
        if self.origin != AppendOrigin::Replication
            && self.updated.coordinator_epoch > marker.coordinator_epoch
        {
            return Err(LogError::TransactionCoordinatorFenced {
                producer_id: self.producer_id(),
                epoch: marker.coordinator_epoch,
                current: self.updated.coordinator_epoch,
            });
        }
        let completed = self.updated.current_txn_first_offset.map(|first_offset| CompletedTxn {
            producer_id: self.producer_id(),
            first_offset,
            last_offset: offset,
            is_aborted: !marker.is_commit,
        });
        self.updated.maybe_update_producer_epoch(epoch);
        self.updated.current_txn_first_offset = None;
        self.updated.coordinator_epoch = marker.coordinator_epoch;
        self.updated.last_timestamp = timestamp;
        Ok(completed)
    }

    fn check_producer_epoch(&self, epoch: ProducerEpoch) -> Result<(), LogError> {
        if epoch < self.updated.producer_epoch && self.origin != AppendOrigin::Replication {
            return Err(LogError::InvalidProducerEpoch {
                producer_id: self.producer_id(),
                epoch,
                current: self.updated.producer_epoch,
            });
        }
        Ok(())
    }

    fn check_sequence(&self, epoch: ProducerEpoch, sequence: i32) -> Result<(), LogError> {
        let out_of_order = |last_sequence| LogError::OutOfOrderSequence {
            producer_id: self.producer_id(),
            epoch,
            sequence,
            last_sequence,
        };
        if epoch != self.updated.producer_epoch {
            let known = self.updated.producer_epoch != NO_PRODUCER_EPOCH;
            return if known && sequence != 0 { Err(out_of_order(NO_SEQUENCE)) } else { Ok(()) };
        }
        // Retention or DeleteRecords may have taken everything that was known of the producer; then any sequence
        // is as good as another.
        if self.current.producer_epoch == NO_PRODUCER_EPOCH && self.updated.batches().is_empty() {
            return Ok(());
        }
        let last_sequence = self.updated.last_sequence();
        let follows = i64::from(sequence) == i64::from(last_sequence) + 1
            || (sequence == 0 && last_sequence == i32::MAX);
        if follows { Ok(()) } else { Err(out_of_order(last_sequence)) }
    }
}
