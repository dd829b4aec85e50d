//! One stretch of a log: a file of records and its indexes (Kafka: `LogSegment`).

mod append;
mod read;
mod recover;
mod roll;
mod truncate;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use super::error::LogError;
use super::file_names::{self, LOG, OFFSET_INDEX, TIME_INDEX, TXN_INDEX};
use super::file_records::FileRecords;
use super::index::{OffsetIndex, TimeIndex, TimestampOffset, TransactionIndex};
use super::partition_dir::{PartitionDir, SegmentFile};
use crate::config::LogConfig;
use crate::model::{Offset, Timestamp};

pub(crate) use append::BatchEntry;
pub(crate) use read::{SegmentRead, SegmentReadLimits, TimestampMatch};
pub(crate) use recover::Recovered;
#[cfg(feature = "cli")]
pub(in crate::log) use recover::check_batch;
pub(crate) use roll::RollParams;
#[cfg(feature = "cli")]
pub(in crate::log) use roll::can_hold;

/// What a segment needs to know of its log.
#[derive(Clone, Debug)]
pub(crate) struct SegmentParams {
    pub(crate) dir: Arc<PartitionDir>,
    pub(crate) base_offset: Offset,
    /// `.swap` and the like; empty for a segment in use.
    pub(crate) suffix: &'static str,
    pub(crate) now_ms: Timestamp,
    /// Random in 0 to `segment.jitter.ms`: not all logs shall roll at once.
    pub(crate) jitter_ms: i64,
}

/// Which of a segment's files are there.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ExistingFiles {
    pub(crate) log_size: u64,
    pub(crate) offset_index: bool,
    pub(crate) time_index: bool,
    pub(crate) txn_index: bool,
}

/// A segment of a log. Appends come from one thread at a time (the one that has the log's writer); reads from any.
#[derive(Debug)]
pub(crate) struct LogSegment {
    base_offset: Offset,
    records: FileRecords,
    offset_index: OffsetIndex,
    time_index: TimeIndex,
    txn_index: TransactionIndex,
    /// Whether the offset index was there when the segment was opened.
    had_offset_index: bool,
    index_interval_bytes: u64,
    jitter_ms: i64,
    state: Mutex<SegmentState>,
    /// Everything in it, indexes included, is known to survive a power loss.
    flushed: AtomicBool,
}

#[derive(Clone, Copy, Debug)]
struct SegmentState {
    created_ms: Timestamp,
    bytes_since_last_index_entry: u64,
    /// The largest timestamp and its batch's last offset; `None`: still to be looked up in the time index.
    max_timestamp_so_far: Option<TimestampOffset>,
    /// The largest timestamp of the first batch; `None`: still to be read.
    rolling_based_timestamp: Option<Timestamp>,
}

impl LogSegment {
    /// A segment whose files are there.
    pub(crate) fn existing(params: &SegmentParams, config: &LogConfig, files: ExistingFiles) -> Self {
        let log = segment_file(params, LOG);
        Self::new(params, config, FileRecords::existing(log, files.log_size), files)
    }

    /// A new, empty segment. Only the `.log` file is made at once; the indexes follow with their first entry.
    pub(crate) fn create(params: &SegmentParams, config: &LogConfig) -> Result<Self, LogError> {
        let preallocate = config.preallocate.then(|| u64::try_from(config.segment_bytes).unwrap_or_default());
        let records = FileRecords::create(segment_file(params, LOG), preallocate)?;
        Ok(Self::new(params, config, records, ExistingFiles::default()))
    }

    fn new(params: &SegmentParams, config: &LogConfig, records: FileRecords, files: ExistingFiles) -> Self {
        let index_bytes = usize::try_from(config.segment_index_bytes).unwrap_or_default();
        let base_offset = params.base_offset;
        let max_timestamp_so_far = (records.size() == 0).then_some(TimestampOffset::UNKNOWN);
        LogSegment {
            base_offset,
            offset_index: OffsetIndex::new(
                segment_file(params, OFFSET_INDEX),
                base_offset,
                index_bytes,
                files.offset_index,
            ),
            time_index: TimeIndex::new(
                segment_file(params, TIME_INDEX),
                base_offset,
                index_bytes,
                files.time_index,
            ),
            txn_index: TransactionIndex::new(segment_file(params, TXN_INDEX), files.txn_index),
            records,
            had_offset_index: files.offset_index,
            index_interval_bytes: u64::try_from(config.index_interval_bytes).unwrap_or_default(),
            jitter_ms: params.jitter_ms,
            state: Mutex::new(SegmentState {
                created_ms: params.now_ms,
                bytes_since_last_index_entry: 0,
                max_timestamp_so_far,
                rolling_based_timestamp: None,
            }),
            flushed: AtomicBool::new(false),
        }
    }

    /// The offset in its name: no record in it is below.
    pub(crate) fn base_offset(&self) -> Offset {
        self.base_offset
    }

    /// Bytes of records.
    pub(crate) fn size(&self) -> u64 {
        self.records.size()
    }

    pub(crate) fn records(&self) -> &FileRecords {
        &self.records
    }

    pub(crate) fn offset_index(&self) -> &OffsetIndex {
        &self.offset_index
    }

    /// Whether the offset index was there when the segment was opened.
    pub(crate) fn has_offset_index(&self) -> bool {
        self.had_offset_index
    }

    pub(crate) fn time_index(&self) -> &TimeIndex {
        &self.time_index
    }

    pub(crate) fn txn_index(&self) -> &TransactionIndex {
        &self.txn_index
    }

    fn files(&self) -> [&SegmentFile; 4] {
        [self.records.segment_file(), self.offset_index.file(), self.time_index.file(), self.txn_index.file()]
    }

    /// The largest timestamp and its batch's last offset (Kafka: `LogSegment#maxTimestampAndOffsetSoFar`).
    pub(crate) fn max_timestamp_and_offset(&self) -> Result<TimestampOffset, LogError> {
        if let Some(known) = self.state.lock().max_timestamp_so_far {
            return Ok(known);
        }
        let last = self.time_index.last()?;
        Ok(*self.state.lock().max_timestamp_so_far.get_or_insert(last))
    }

    /// The largest timestamp; where records have none, when the file last changed
    /// (Kafka: `LogSegment#largestTimestamp`).
    pub(crate) fn largest_timestamp(&self) -> Result<Timestamp, LogError> {
        match self.max_timestamp_and_offset()?.timestamp {
            timestamp if timestamp >= 0 => Ok(timestamp),
            _ => self.last_modified_ms(),
        }
    }

    /// When the file last changed.
    pub(crate) fn last_modified_ms(&self) -> Result<Timestamp, LogError> {
        self.records.segment_file().modified_ms()
    }

    /// Makes the records survive a power loss, and the indexes too once the segment is sealed: those of the
    /// active segment are built again after a crash anyway.
    pub(crate) fn flush(&self, sealed: bool) -> Result<(), LogError> {
        match self.try_flush(sealed) {
            // Retention or compaction was faster, and nobody needs it any more.
            Err(LogError::Deleted { .. }) => Ok(()),
            flushed => flushed,
        }
    }

    fn try_flush(&self, sealed: bool) -> Result<(), LogError> {
        if self.flushed.load(Ordering::Acquire) {
            return Ok(());
        }
        self.records.flush()?;
        if sealed {
            self.flush_indexes()?;
            self.records.release();
            self.flushed.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Whether everything in it, indexes included, is known to survive a power loss.
    pub(crate) fn is_flushed(&self) -> bool {
        self.flushed.load(Ordering::Acquire)
    }

    /// What the recovery point says of a sealed segment below it.
    pub(crate) fn assume_flushed(&self) {
        self.flushed.store(true, Ordering::Release);
    }

    /// Makes the indexes survive a power loss.
    pub(crate) fn flush_indexes(&self) -> Result<(), LogError> {
        self.offset_index.flush()?;
        self.time_index.flush()?;
        self.txn_index.flush()
    }

    /// Renames all files, from one suffix to another.
    pub(crate) fn change_file_suffixes(&self, old: &str, new: &str) -> Result<(), LogError> {
        self.files().into_iter().try_for_each(|file| file.change_suffix(old, new))
    }

    /// Removes all files. Slices that were read before stay readable.
    pub(crate) fn delete_files(&self) -> Result<(), LogError> {
        self.records.remove()?;
        self.offset_index.remove()?;
        self.time_index.remove()?;
        self.txn_index.file().remove()
    }
}

fn segment_file(params: &SegmentParams, kind: &str) -> SegmentFile {
    let name = file_names::of_offset(params.base_offset, kind) + params.suffix;
    SegmentFile::new(Arc::clone(&params.dir), name)
}
