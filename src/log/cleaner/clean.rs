//! One compaction of one log (Kafka: `Cleaner`).

use std::sync::Arc;

use super::choose::Cleanable;
use super::copy::{CopyParams, SegmentCopy};
use super::group::{GroupLimits, group_segments};
use super::offset_map::{Fingerprint, KEYS_AT_ONCE, OffsetMap, OffsetMapParams};
use super::transactions::CleanedTransactions;
use super::{CleanerConfig, CleaningError, LogCleaner};
use crate::config::LogConfig;
use crate::log::file_records::{BatchScan, ScanError};
use crate::log::segment::LogSegment;
use crate::log::validation::decompression_limit_bytes;
use crate::log::{Log, LogError};
use crate::model::{Offset, Timestamp};
use crate::record::{BatchError, ControlRecordType, RecordBatchRef};

/// What a compaction did.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct CleanerStats {
    /// Everything below is compacted now.
    pub(crate) end_offset: Offset,
    pub(crate) records_read: u64,
    pub(crate) records_written: u64,
    pub(crate) bytes_read: u64,
    pub(crate) bytes_written: u64,
    /// Records without a key, which a compacted log cannot keep.
    pub(crate) records_without_key: u64,
    /// How full the map of keys was.
    pub(crate) buffer_utilization: f64,
}

/// Holds a compaction to its rate, and ends it when somebody wants it to.
pub(super) struct Pace<'a> {
    pub(super) log: &'a Log,
    pub(super) cleaner: &'a LogCleaner,
    pub(super) is_stopping: &'a dyn Fn() -> bool,
    uncounted_bytes: u64,
    chunk_size: usize,
}

impl Pace<'_> {
    fn is_over(&self) -> bool {
        let is_online = self.log.is_online();
        self.log.cleaning.is_interrupted() || self.log.is_closed() || !is_online || (self.is_stopping)()
    }

    /// To be called for everything that is read or written.
    pub(super) fn step(&mut self, bytes: usize) -> Result<(), CleaningError> {
        self.uncounted_bytes += bytes as u64;
        if self.uncounted_bytes >= self.chunk_size as u64 {
            let bytes = std::mem::take(&mut self.uncounted_bytes);
            let bytes_per_second = self.cleaner.config().io_max_bytes_per_second;
            self.cleaner.throttler.throttle(bytes, bytes_per_second, || self.is_over());
        }
        if self.is_over() { Err(CleaningError::Aborted) } else { Ok(()) }
    }
}

/// Everything that one compaction needs to know.
pub(super) struct Cleaning<'a> {
    pub(super) pace: Pace<'a>,
    pub(super) config: Arc<LogConfig>,
    pub(super) now_ms: Timestamp,
    pub(super) chunk_size: usize,
    pub(super) decompression_limit: usize,
    pub(super) stats: CleanerStats,
}

/// The least that is read at once, however many threads share the buffers.
const MIN_CHUNK: usize = 4096;

impl<'a> Cleaning<'a> {
    pub(super) fn new(
        log: &'a Log,
        cleaner: &'a LogCleaner,
        config: &CleanerConfig,
        is_stopping: &'a dyn Fn() -> bool,
    ) -> Self {
        let log_config = log.config();
        let chunk_size = config.io_buffer_per_thread().max(MIN_CHUNK);
        Cleaning {
            pace: Pace { log, cleaner, is_stopping, uncounted_bytes: 0, chunk_size },
            now_ms: cleaner.env.clock.now_ms(),
            decompression_limit: decompression_limit_bytes(&log_config),
            config: log_config,
            chunk_size,
            stats: CleanerStats::default(),
        }
    }

    /// Compacts what `cleanable` says. The caller keeps everybody else from changing the sealed segments.
    pub(super) fn run(
        mut self,
        cleanable: &Cleanable,
        config: &CleanerConfig,
    ) -> Result<CleanerStats, CleaningError> {
        let log = self.pace.log;
        let segments = log.segments();
        let last_clean = segments.within(-1, cleanable.first_dirty_offset).last();
        // For tombstones of magic 0 and 1, which cannot tell their horizon themselves.
        let legacy_horizon_ms = match last_clean {
            Some(segment) => segment.last_modified_ms()?.saturating_sub(self.config.delete_retention_ms),
            None => 0,
        };
        let map = self.build_offset_map(cleanable, config)?;
        let end_offset = map.latest_offset().saturating_add(1);
        let params = CopyParams { map: &map, legacy_horizon_ms, high_watermark: log.high_watermark() };
        let to_clean: Vec<Arc<LogSegment>> = segments.within(0, end_offset).cloned().collect();
        let limits = GroupLimits {
            segment_bytes: u64::try_from(self.config.segment_bytes).unwrap_or_default(),
            index_bytes: u64::try_from(self.config.segment_index_bytes).unwrap_or_default(),
            first_uncleanable_offset: cleanable.first_uncleanable_offset,
        };
        let mut transactions = CleanedTransactions::default();
        for group in group_segments(&to_clean, limits)? {
            self.clean_group(&group, &params, &mut transactions)?;
        }
        self.stats.end_offset = end_offset;
        self.stats.buffer_utilization = map.utilization();
        Ok(self.stats)
    }

    /// Copies a group of segments into one, and puts that in their place.
    fn clean_group(
        &mut self,
        group: &[Arc<LogSegment>],
        params: &CopyParams<'_>,
        transactions: &mut CleanedTransactions,
    ) -> Result<(), CleaningError> {
        let Some(first) = group.first() else { return Ok(()) };
        let log = self.pace.log;
        let cleaned = log.create_cleaned_segment(&self.config, first.base_offset());
        let cleaned = Arc::new(cleaned.map_err(|error| put_off_if_full(log, error.into()))?);
        // What made records obsolete, later ones or the end of their transaction, must not be lost once those are gone.
        // (Kafka trusts that it has been flushed meanwhile.)
        let copied = SegmentCopy::new(self, params, &cleaned)
            .copy_all(group, transactions)
            .and_then(|()| Ok(log.flush_to_end()?));
        if let Err(error) = copied {
            // Whatever was wrong before comes first.
            if let Err(also) = cleaned.delete_files() {
                tracing::warn!(error = %also, "what an aborted compaction wrote could not be removed");
            }
            return Err(put_off_if_full(log, error));
        }
        match log.replace_segments(&cleaned, group)? {
            true => Ok(()),
            false => Err(CleaningError::Aborted),
        }
    }

    /// Reads the dirty part, or as much of it as the map has room for.
    fn build_offset_map(
        &mut self,
        cleanable: &Cleanable,
        config: &CleanerConfig,
    ) -> Result<OffsetMap, CleaningError> {
        let (start, end) = (cleanable.first_dirty_offset, cleanable.first_uncleanable_offset);
        let log = self.pace.log;
        let rng = &log.env.rng;
        let mut map = OffsetMap::new(OffsetMapParams {
            max_bytes: config.dedupe_buffer_per_thread(),
            load_factor: config.load_factor,
            // A key has an offset at least.
            expected_keys: u64::try_from(end.saturating_sub(start)).unwrap_or_default(),
            seed: [rng.next_u64(), rng.next_u64()],
        });
        let segments = log.segments();
        let dirty: Vec<&Arc<LogSegment>> = segments.within(start, end).collect();
        let mut transactions = CleanedTransactions::default();
        transactions.add_aborted(log.collect_aborted_txns(&segments, start, end)?);
        for (i, segment) in dirty.iter().enumerate() {
            let next_start = dirty.get(i + 1).map_or(end, |next| next.base_offset());
            if self.map_segment(&mut map, segment, start, &mut transactions)? {
                break;
            }
            // Offsets that are not in it any more have been looked at, too.
            map.update_latest_offset(next_start.saturating_sub(1));
        }
        Ok(map)
    }

    /// Answers whether the map is full.
    fn map_segment(
        &mut self,
        map: &mut OffsetMap,
        segment: &LogSegment,
        start: Offset,
        transactions: &mut CleanedTransactions,
    ) -> Result<bool, CleaningError> {
        let Some(found) = segment.translate_offset(start)? else { return Ok(false) };
        let mut walk = SegmentWalk::new(segment, found.position, self.chunk_size)?;
        let (mut scratch, mut keys) = (Vec::new(), Vec::new());
        while let Some(batch) = walk.next()? {
            self.pace.step(batch.size_in_bytes())?;
            if batch.is_control() {
                transactions.on_control_batch(batch.header(), control_type(batch)?);
            } else if !transactions.on_batch(batch.header()) {
                let records =
                    batch.records(&mut scratch, self.decompression_limit).map_err(LogError::Batch)?;
                for record in records {
                    let record = record.map_err(LogError::Batch)?;
                    if let Some(key) = record.key()
                        && record.offset() >= start
                    {
                        keys.push((map.fingerprint(key), record.offset()));
                    }
                }
                if !put_all(map, &mut keys) {
                    return Ok(true);
                }
            }
            if batch.last_offset() >= start {
                map.update_latest_offset(batch.last_offset());
            }
        }
        Ok(false)
    }
}

/// Answers whether there was room for all `keys`, which are none then.
fn put_all(map: &mut OffsetMap, keys: &mut Vec<(Fingerprint, Offset)>) -> bool {
    let has_room = keys.chunks(KEYS_AT_ONCE).all(|keys| {
        map.warm_up(keys.iter().map(|(key, _)| *key));
        keys.iter().all(|(key, offset)| map.put(*key, *offset))
    });
    keys.clear();
    has_room
}

/// What a control batch is about; `None` if its record is gone.
pub(super) fn control_type(batch: RecordBatchRef<'_>) -> Result<Option<ControlRecordType>, LogError> {
    // They are never compressed.
    match batch.records(&mut Vec::new(), 0)?.next() {
        Some(record) => Ok(Some(ControlRecordType::parse(record?.key())?)),
        None => Ok(None),
    }
}

/// Goes over the batches of a sealed segment, and lets nothing pass that is damaged: what is copied gets a new
/// checksum, which must not vouch for what the old one denied.
pub(super) struct SegmentWalk<'a> {
    segment: &'a LogSegment,
    scan: BatchScan<'a>,
    next_offset: Offset,
}

impl<'a> SegmentWalk<'a> {
    pub(super) fn new(segment: &'a LogSegment, position: u64, chunk_size: usize) -> Result<Self, LogError> {
        let scan = segment.records().batches_from(position)?.with_chunk_size(chunk_size);
        Ok(SegmentWalk { segment, scan, next_offset: segment.base_offset() })
    }

    pub(super) fn next(&mut self) -> Result<Option<RecordBatchRef<'_>>, LogError> {
        let position = self.scan.position();
        if position >= self.segment.size() {
            return Ok(None);
        }
        let (segment, expected) = (self.segment, self.next_offset);
        let corrupt = || LogError::CorruptRecord {
            offset: expected,
            path: segment.records().segment_file().path(),
            position,
        };
        match self.scan.next() {
            Ok(Some((_, batch))) => {
                let (first, last) = (batch.base_offset(), batch.last_offset());
                let fits = first >= expected && last >= first && segment.can_hold(last);
                if !fits || batch.ensure_valid().is_err() {
                    return Err(corrupt());
                }
                self.next_offset = batch.next_offset();
                Ok(Some(batch))
            }
            // A batch that does not end where the file does.
            Ok(None) | Err(ScanError::Corrupt { .. }) => Err(corrupt()),
            Err(ScanError::Log(error)) => Err(error),
        }
    }
}

impl From<BatchError> for CleaningError {
    fn from(error: BatchError) -> Self {
        CleaningError::Log(LogError::Batch(error))
    }
}

/// Where there is no room for the copy of a segment, the segment stays as it is until the next time.
fn put_off_if_full(log: &Log, error: CleaningError) -> CleaningError {
    match error {
        CleaningError::Log(error) if error.is_disk_full() => {
            tracing::warn!(partition = %log.topic_partition(), %error, "a compaction is put off");
            CleaningError::Aborted
        }
        error => error,
    }
}
