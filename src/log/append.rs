//! Appending: offsets given, producers checked, one write.

use std::io::IoSlice;

use bytes::Bytes;

use super::index::AbortedTxn;
use super::offset_metadata::{LogOffsetMetadata, Place};
use super::producer_state::{BatchMetadata, CompletedTxn, ProducerAppendInfo};
use super::producers::{append_to_info, marker_of};
use super::segment::{BatchEntry, LogSegment, RollParams};
use super::{Log, LogError, Writer};
use crate::config::LogConfig;
use crate::model::{LeaderEpoch, NO_TIMESTAMP, Offset, Timestamp};
use crate::record::{
    AppendOrigin, BatchError, BatchHeader, Batches, EndTransactionMarker, RecordBatchRef, ValidatedRecords,
};

/// What [`Log::append_as_leader`] takes.
#[derive(Debug)]
pub(crate) struct AppendParams {
    /// Checked records; see [`Log::validation_options`].
    pub(crate) records: ValidatedRecords,
    /// Who appends.
    pub(crate) origin: AppendOrigin,
    /// The term of the leader that appends.
    pub(crate) leader_epoch: LeaderEpoch,
}

/// What became of an append (Kafka: `LogAppendInfo`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogAppendInfo {
    /// The offset of the first record.
    pub(crate) first_offset: Offset,
    /// The offset of the last record.
    pub(crate) last_offset: Offset,
    /// The time that the log gave the records; -1 where they keep their own.
    pub(crate) log_append_time: Timestamp,
    /// Where the log starts.
    pub(crate) log_start_offset: Offset,
    /// The same batch is in the log already, at these offsets; nothing was written.
    pub(crate) is_duplicate: bool,
    /// The topic's `flush.messages` is reached: [`Log::flush`] up to `last_offset + 1` must succeed before the
    /// append is acknowledged. It is not done here, since it may block for long.
    pub(crate) needs_flush: bool,
}

/// A batch with its offsets, about to be written.
struct IncomingBatch<'a> {
    header: BatchHeader<'a>,
    marker: Option<EndTransactionMarker>,
}

/// What the producers say to an append.
enum Producers {
    Duplicate(BatchMetadata),
    Checked { updated: Vec<ProducerAppendInfo>, completed: Vec<CompletedTxn> },
}

impl Log {
    /// Appends records that a producer or a coordinator sent, at the next offsets
    /// (Kafka: `UnifiedLog#appendAsLeader`).
    ///
    /// # Errors
    /// What the producer's state says against it; [`LogError::RecordListTooLarge`]; errors of the disk. A disk that is
    /// full takes nothing, and the log goes on as it was.
    pub(crate) fn append_as_leader(&self, params: AppendParams) -> Result<LogAppendInfo, LogError> {
        self.log_dir.run_unless_full(|| {
            let AppendParams { mut records, origin, leader_epoch } = params;
            let config = self.config();
            check_fits_segment(records.size_in_bytes(), &config)?;
            let marker = match records.header().is_control() {
                true => parse_marker(&records.to_bytes())?,
                false => None,
            };
            let mut writer = self.writer.lock();
            self.check_open()?;
            records.assign_offsets(self.log_end_offset(), leader_epoch);
            let batches = [IncomingBatch { header: records.header(), marker }];
            let duplicate = self.append(&mut writer, &config, &batches, &mut records.io_slices(), origin)?;
            drop(writer);
            let info = match duplicate {
                None => {
                    self.append_info(records.base_offset(), records.last_offset(), records.log_append_time())
                }
                Some(batch) => LogAppendInfo {
                    is_duplicate: true,
                    ..self.append_info(batch.first_offset(), batch.last_offset, batch.timestamp)
                },
            };
            Ok(info)
        })
    }

    /// Appends what was copied from the leader, at the offsets that it has there
    /// (Kafka: `UnifiedLog#appendAsFollower`). A batch that is cut at the end is left out; `None` if there is no
    /// whole one.
    ///
    /// # Errors
    /// [`LogError::UnexpectedAppendOffset`] if the offsets do not follow those in the log.
    pub(crate) fn append_as_follower(&self, records: &Bytes) -> Result<Option<LogAppendInfo>, LogError> {
        self.log_dir.run_unless_full(|| {
            let mut batches = Vec::new();
            let mut entries = Batches::new(records);
            for batch in &mut entries {
                let batch = batch?;
                batch.ensure_valid()?;
                let marker = if batch.is_control() { marker_of(batch)? } else { None };
                batches.push(IncomingBatch { header: batch.header(), marker });
            }
            let Some(whole) = records.get(..records.len().saturating_sub(entries.remainder_len())) else {
                return Ok(None);
            };
            let (Some(first), Some(last)) = (batches.first(), batches.last()) else { return Ok(None) };
            let (first_offset, last_offset) = (first.header.base_offset(), last.header.last_offset());
            let config = self.config();
            check_fits_segment(whole.len(), &config)?;
            let mut writer = self.writer.lock();
            self.check_open()?;
            self.check_follows(&batches)?;
            let parts = &mut [IoSlice::new(whole)];
            self.append(&mut writer, &config, &batches, parts, AppendOrigin::Replication)?;
            drop(writer);
            Ok(Some(self.append_info(first_offset, last_offset, NO_TIMESTAMP)))
        })
    }

    fn check_follows(&self, batches: &[IncomingBatch<'_>]) -> Result<(), LogError> {
        let mut log_end_offset = self.log_end_offset();
        for IncomingBatch { header, .. } in batches {
            let (first_offset, last_offset) = (header.base_offset(), header.last_offset());
            if first_offset < log_end_offset || last_offset < first_offset {
                return Err(LogError::UnexpectedAppendOffset { first_offset, log_end_offset });
            }
            log_end_offset = header.next_offset();
        }
        Ok(())
    }

    fn append_info(&self, first_offset: Offset, last_offset: Offset, time: Timestamp) -> LogAppendInfo {
        LogAppendInfo {
            first_offset,
            last_offset,
            log_append_time: time,
            log_start_offset: self.log_start_offset(),
            is_duplicate: false,
            needs_flush: self.is_flush_due(last_offset),
        }
    }

    /// The steps under the writer's lock. With `Some`, the batch was there already and nothing was written.
    fn append(
        &self,
        writer: &mut Writer,
        config: &LogConfig,
        batches: &[IncomingBatch<'_>],
        parts: &mut [IoSlice<'_>],
        origin: AppendOrigin,
    ) -> Result<Option<BatchMetadata>, LogError> {
        let entries = batches.iter().map(|batch| BatchEntry::of(batch.header));
        let (mut size, mut max_timestamp, mut last_offset) = (0, NO_TIMESTAMP, 0);
        for entry in entries.clone() {
            size += entry.size;
            max_timestamp = max_timestamp.max(entry.max_timestamp);
            last_offset = entry.last_offset;
        }
        let first_offset = batches.first().map_or(0, |batch| batch.header.base_offset());
        // A damaged log may end so high that nothing fits behind it.
        let end = match last_offset.checked_add(1) {
            Some(end) if end > first_offset => end,
            _ => {
                let log_end_offset = self.log_end_offset();
                return Err(LogError::UnexpectedAppendOffset { first_offset, log_end_offset });
            }
        };
        let segment = self.maybe_roll(
            writer,
            config,
            &RollParams {
                max_segment_ms: max_segment_ms(config),
                max_segment_bytes: u64::try_from(config.segment_bytes).unwrap_or_default(),
                max_timestamp,
                first_offset,
                last_offset,
                size,
                now_ms: self.env.clock.now_ms(),
            },
        )?;
        let (updated, completed) = match check_producers(writer, batches, &segment, origin)? {
            Producers::Duplicate(batch) => return Ok(Some(batch)),
            Producers::Checked { updated, completed } => (updated, completed),
        };
        let aborted = writer.producers.aborted_txns(&updated, &completed);
        self.write(&segment, entries, parts, &aborted)?;
        self.log_dir.note_room();
        for batch in batches {
            self.note_epoch_of(batch.header);
        }
        for info in updated {
            writer.producers.update(info);
        }
        for completed in &completed {
            writer.producers.complete_txn(completed);
        }
        writer.producers.update_map_end_offset(end);
        self.bounds.lock().end = end_of(&segment, end);
        self.publish_first_unstable(&writer.producers)?;
        Ok(None)
    }

    /// Writes batches, and before them which transactions they abort: once they are in the log, they count, and the disk
    /// may be full. Recovery builds that index again, so that entries whose markers a crash took do not stay.
    fn write(
        &self,
        segment: &LogSegment,
        entries: impl Iterator<Item = BatchEntry> + Clone,
        parts: &mut [IoSlice<'_>],
        aborted: &[AbortedTxn],
    ) -> Result<(), LogError> {
        segment.txn_index().prepare(aborted)?;
        segment.append(entries, parts).inspect_err(|_| {
            if !aborted.is_empty()
                && let Err(error) = segment.txn_index().trim()
            {
                self.log_dir.fail(&error);
            }
        })?;
        segment.txn_index().admit(aborted.len());
        Ok(())
    }
}

/// The end of the log, in its active segment.
pub(super) fn end_of(active: &LogSegment, offset: Offset) -> LogOffsetMetadata {
    let place = u32::try_from(active.size())
        .ok()
        .map(|position| Place { segment_base_offset: active.base_offset(), position });
    LogOffsetMetadata { offset, place }
}

/// The age at which a segment ends: soon enough for compaction to get at it in time, since it leaves the active one
/// alone (Kafka: `LogConfig#maxSegmentMs`).
fn max_segment_ms(config: &LogConfig) -> i64 {
    match config.cleanup_policy.compact {
        true => config.segment_ms.min(config.max_compaction_lag_ms),
        false => config.segment_ms,
    }
}

fn check_fits_segment(size: usize, config: &LogConfig) -> Result<(), LogError> {
    match usize::try_from(config.segment_bytes) {
        Ok(limit) if size <= limit => Ok(()),
        _ => Err(LogError::RecordListTooLarge { size, segment_bytes: config.segment_bytes }),
    }
}

fn parse_marker(batch: &[u8]) -> Result<Option<EndTransactionMarker>, LogError> {
    match RecordBatchRef::parse(batch)? {
        Some((batch, _)) => Ok(marker_of(batch)?),
        None => Err(BatchError::NoBatch.into()),
    }
}

/// (Kafka: `UnifiedLog#analyzeAndValidateProducerState`.)
fn check_producers(
    writer: &Writer,
    batches: &[IncomingBatch<'_>],
    segment: &LogSegment,
    origin: AppendOrigin,
) -> Result<Producers, LogError> {
    let mut updated: Vec<ProducerAppendInfo> = Vec::new();
    let mut completed = Vec::new();
    let mut position = segment.size();
    for IncomingBatch { header, marker } in batches {
        let size = header.size_in_bytes() as u64;
        if !header.has_producer_id() {
            position += size;
            continue;
        }
        let producer_id = header.producer_id();
        if origin == AppendOrigin::Client
            && let Some(entry) = writer.producers.last_entry(producer_id)
            && let Some(duplicate) = entry.find_duplicate_batch(*header)
        {
            return Ok(Producers::Duplicate(duplicate));
        }
        let place = u32::try_from(position)
            .ok()
            .map(|position| Place { segment_base_offset: segment.base_offset(), position });
        let first = LogOffsetMetadata { offset: header.base_offset(), place };
        let known = updated.iter().position(|info| info.producer_id() == producer_id);
        let mut info = match known {
            Some(i) => updated.swap_remove(i),
            None => writer.producers.prepare_update(producer_id, origin),
        };
        completed.extend(append_to_info(&mut info, *header, *marker, first)?);
        updated.push(info);
        position += size;
    }
    Ok(Producers::Checked { updated, completed })
}
