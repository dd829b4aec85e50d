//! How batches in a log change what it knows of their producers.

use super::error::LogError;
use super::index::TransactionIndex;
use super::offset_metadata::LogOffsetMetadata;
use super::producer_state::{AppendOffsets, CompletedTxn, ProducerAppendInfo, ProducerStateManager};
use crate::record::{AppendOrigin, BatchError, BatchHeader, EndTransactionMarker, RecordBatchRef};

/// A control record is never compressed, so nothing is decompressed for it.
const NO_DECOMPRESSION: usize = 0;

/// The end of a transaction that a control batch tells of. The cleaner leaves control batches without their
/// record, and newer Kafkas have other control records: neither is one.
pub(crate) fn marker_of(batch: RecordBatchRef<'_>) -> Result<Option<EndTransactionMarker>, BatchError> {
    let mut scratch = Vec::new();
    match batch.records(&mut scratch, NO_DECOMPRESSION)?.next() {
        Some(record) => {
            let record = record?;
            EndTransactionMarker::parse(record.key(), record.value())
        }
        None => Ok(None),
    }
}

/// Checks a batch, which has its offsets, against what is known of its producer. A control batch without `marker`
/// changes nothing.
pub(crate) fn append_to_info(
    info: &mut ProducerAppendInfo,
    batch: BatchHeader<'_>,
    marker: Option<EndTransactionMarker>,
    first: LogOffsetMetadata,
) -> Result<Option<CompletedTxn>, LogError> {
    if !batch.is_control() {
        let offsets = AppendOffsets { first, last_offset: batch.last_offset() };
        info.append_data_batch(batch, offsets)?;
        return Ok(None);
    }
    let (epoch, timestamp) = (batch.producer_epoch(), batch.max_timestamp());
    match marker {
        Some(marker) => info.append_end_txn_marker(marker, epoch, batch.base_offset(), timestamp),
        None => Ok(None),
    }
}

/// Takes over a batch that was read from the log (Kafka: `LogSegment#updateProducerState`). With `txn_index`, an
/// aborted transaction is noted there.
pub(crate) fn update_from_batch(
    producers: &mut ProducerStateManager,
    batch: RecordBatchRef<'_>,
    txn_index: Option<&TransactionIndex>,
) -> Result<(), LogError> {
    if batch.has_producer_id() {
        let mut info = producers.prepare_update(batch.producer_id(), AppendOrigin::Replication);
        let first = LogOffsetMetadata::of_offset(batch.base_offset());
        let marker = if batch.is_control() { marker_of(batch).unwrap_or_default() } else { None };
        match append_to_info(&mut info, batch.header(), marker, first) {
            Ok(completed) => {
                producers.update(info);
                if let Some(completed) = completed {
                    complete_txn(producers, &completed, txn_index)?;
                }
            }
            Err(error) if error.is_storage() => return Err(error),
            // What is in the log was accepted once; a producer that it confuses must not keep it from opening.
            Err(error) => {
                tracing::warn!(%error, offset = batch.base_offset(), "producer state skips a batch")
            }
        }
    }
    producers.update_map_end_offset(batch.last_offset().saturating_add(1));
    Ok(())
}

/// Closes a transaction whose marker is in the log.
fn complete_txn(
    producers: &mut ProducerStateManager,
    completed: &CompletedTxn,
    txn_index: Option<&TransactionIndex>,
) -> Result<(), LogError> {
    if let Some(index) = txn_index {
        let aborted = producers.aborted_txns(&[], std::slice::from_ref(completed));
        aborted.iter().try_for_each(|txn| index.append(txn))?;
    }
    producers.complete_txn(completed);
    Ok(())
}
