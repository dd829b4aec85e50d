//! Copying segments without what is obsolete.

use std::collections::HashMap;
use std::io::IoSlice;
use std::sync::Arc;

use super::CleaningError;
use super::clean::{Cleaning, SegmentWalk, control_type};
use super::offset_map::{Fingerprint, KEYS_AT_ONCE, OffsetMap};
use super::transactions::CleanedTransactions;
use crate::config::LogConfig;
use crate::log::file_names::{self, CLEANED, LOG, OFFSET_INDEX, TIME_INDEX, TXN_INDEX};
use crate::log::segment::{BatchEntry, LogSegment, SegmentParams};
use crate::log::{Log, LogError};
use crate::model::{Offset, ProducerEpoch, ProducerId, Timestamp};
use crate::record::{
    BatchFilter, BatchHeader, FilterParams, MAGIC_VALUE_V2, RecordBatchRef, RecordRef, RecordRetention,
};

/// What decides which records stay.
#[derive(Clone, Copy, Debug)]
pub(super) struct CopyParams<'a> {
    pub(super) map: &'a OffsetMap,
    /// Tombstones of magic 0 and 1 may go from segments that did not change since.
    pub(super) legacy_horizon_ms: Timestamp,
    /// Where the records end that all replicas have.
    pub(super) high_watermark: Offset,
}

/// The last that a producer wrote, which must not go before the producer is forgotten.
#[derive(Clone, Copy, Debug)]
struct LastRecord {
    /// `None`: it has only ever ended transactions.
    data_offset: Option<Offset>,
    producer_epoch: ProducerEpoch,
}

impl Log {
    /// An empty segment beside those in use (Kafka: `UnifiedLog#createNewCleanedSegment`).
    pub(super) fn create_cleaned_segment(
        &self,
        config: &LogConfig,
        base_offset: Offset,
    ) -> Result<LogSegment, LogError> {
        for kind in [LOG, OFFSET_INDEX, TIME_INDEX, TXN_INDEX] {
            self.dir.remove(&(file_names::of_offset(base_offset, kind) + CLEANED))?;
        }
        // It grows to a size that nobody knows.
        let config = LogConfig { preallocate: false, ..config.clone() };
        let params = SegmentParams {
            dir: Arc::clone(&self.dir),
            base_offset,
            suffix: CLEANED,
            now_ms: self.env.clock.now_ms(),
            jitter_ms: 0,
        };
        LogSegment::create(&params, &config)
    }

    fn last_records_of_active_producers(&self) -> HashMap<ProducerId, LastRecord> {
        let writer = self.writer.lock();
        let last_record = |entry: &crate::log::producer_state::ProducerStateEntry| LastRecord {
            data_offset: Some(entry.last_data_offset()).filter(|offset| *offset >= 0),
            producer_epoch: entry.producer_epoch,
        };
        writer.producers.active_producers().map(|entry| (entry.producer_id, last_record(entry))).collect()
    }
}

/// Copies a group of segments into one.
pub(super) struct SegmentCopy<'a, 'l> {
    cleaning: &'a mut Cleaning<'l>,
    params: &'a CopyParams<'a>,
    dest: &'a LogSegment,
    last_records: HashMap<ProducerId, LastRecord>,
    filter: BatchFilter,
    verdicts: Verdicts,
    /// Batches that are not yet written, and what the indexes need to know of them.
    out: Vec<u8>,
    entries: Vec<BatchEntry>,
}

impl<'a, 'l> SegmentCopy<'a, 'l> {
    pub(super) fn new(
        cleaning: &'a mut Cleaning<'l>,
        params: &'a CopyParams<'a>,
        dest: &'a LogSegment,
    ) -> Self {
        SegmentCopy {
            last_records: cleaning.pace.log.last_records_of_active_producers(),
            cleaning,
            params,
            dest,
            filter: BatchFilter::default(),
            verdicts: Verdicts::default(),
            out: Vec::new(),
            entries: Vec::new(),
        }
    }

    /// Copies `group`; everything is on the disk then, but for the names.
    pub(super) fn copy_all(
        mut self,
        group: &[Arc<LogSegment>],
        transactions: &mut CleanedTransactions,
    ) -> Result<(), CleaningError> {
        for (i, segment) in group.iter().enumerate() {
            let upper = match group.get(i + 1) {
                Some(next) => next.base_offset(),
                None => segment.read_next_offset()?,
            };
            let log = self.cleaning.pace.log;
            let aborted = log.collect_aborted_txns(&log.segments(), segment.base_offset(), upper)?;
            transactions.add_aborted(aborted);
            self.copy_segment(segment, transactions)?;
        }
        self.write_out()?;
        self.dest.on_become_inactive()?;
        // Retention goes by it where records have no timestamps, and so does the age of old tombstones.
        if let Some(last) = group.last() {
            self.dest.records().set_modified_ms(last.last_modified_ms()?)?;
        }
        self.dest.flush(true)?;
        Ok(())
    }

    fn copy_segment(
        &mut self,
        source: &LogSegment,
        transactions: &mut CleanedTransactions,
    ) -> Result<(), CleaningError> {
        let retain_legacy_deletes = source.last_modified_ms()? > self.params.legacy_horizon_ms;
        let mut walk = SegmentWalk::new(source, 0, self.cleaning.chunk_size)?;
        while let Some(batch) = walk.next()? {
            self.cleaning.pace.step(batch.size_in_bytes())?;
            self.cleaning.stats.bytes_read += batch.size_in_bytes() as u64;
            self.copy_batch(batch, retain_legacy_deletes, transactions)?;
            if self.out.len() >= self.cleaning.chunk_size {
                self.write_out()?;
            }
        }
        Ok(())
    }

    fn copy_batch(
        &mut self,
        batch: RecordBatchRef<'_>,
        retain_legacy_deletes: bool,
        transactions: &mut CleanedTransactions,
    ) -> Result<(), CleaningError> {
        let now_ms = self.cleaning.now_ms;
        let is_control = batch.is_control();
        let can_discard = if is_control {
            let fate = transactions.on_control_batch(batch.header(), control_type(batch)?);
            if let Some(txn) = &fate.index_entry {
                self.dest.txn_index().append(txn)?;
            }
            fate.can_discard
        } else {
            transactions.on_batch(batch.header())
        };
        // A reader in the middle of a transaction must still meet its marker.
        let is_past_horizon = batch.delete_horizon_ms().is_some_and(|horizon| horizon <= now_ms);
        let discard = can_discard && (!is_control || is_past_horizon);
        let retain_empty = self.is_last_of_producer(batch.header())
            // The last of all, which tells where the log ends.
            || batch.next_offset() == self.params.high_watermark;
        let params = FilterParams {
            retain_empty,
            is_marker_of_empty_txn: can_discard && is_control,
            delete_horizon_ms: now_ms.saturating_add(self.cleaning.config.delete_retention_ms),
            decompression_limit: self.cleaning.decompression_limit,
        };
        if discard && !retain_empty {
            self.cleaning.stats.records_read +=
                u64::try_from(batch.records_count().unwrap_or_default()).unwrap_or_default();
            return Ok(());
        }
        let fate = match (discard, is_control) {
            (true, _) => Fate::Goes,
            (false, true) => Fate::Stays,
            (false, false) => Fate::ByKey {
                retains_deletes: retains_deletes(batch.header(), retain_legacy_deletes, now_ms),
            },
        };
        self.verdicts.clear();
        let mut retention = Retention { map: self.params.map, fate, verdicts: &mut self.verdicts };
        let start = self.out.len();
        let filtered = self.filter.filter(batch, &params, &mut retention, &mut self.out)?;
        let stats = &mut self.cleaning.stats;
        stats.records_read += filtered.records_read;
        stats.records_written += filtered.records_retained;
        stats.records_without_key += self.verdicts.without_key;
        if let Some(header) = BatchHeader::parse(self.out.get(start..).unwrap_or_default())? {
            self.entries.push(BatchEntry::of(header));
        }
        Ok(())
    }

    fn is_last_of_producer(&self, batch: BatchHeader<'_>) -> bool {
        let Some(last) = self.last_records.get(&batch.producer_id()) else { return false };
        match last.data_offset {
            _ if !batch.has_producer_id() => false,
            Some(offset) => batch.last_offset() == offset,
            // The epoch in its marker fences older instances.
            None => batch.is_control() && batch.producer_epoch() == last.producer_epoch,
        }
    }

    fn write_out(&mut self) -> Result<(), CleaningError> {
        if self.out.is_empty() {
            return Ok(());
        }
        self.cleaning.pace.step(self.out.len())?;
        self.dest.append(self.entries.iter().copied(), &mut [IoSlice::new(&self.out)])?;
        self.cleaning.stats.bytes_written += self.out.len() as u64;
        self.out.clear();
        self.entries.clear();
        Ok(())
    }
}

/// Whether tombstones stay that nothing else makes obsolete.
fn retains_deletes(batch: BatchHeader<'_>, retain_legacy_deletes: bool, now_ms: Timestamp) -> bool {
    if batch.magic() < MAGIC_VALUE_V2 {
        return retain_legacy_deletes;
    }
    batch.delete_horizon_ms().is_none_or(|horizon| now_ms < horizon)
}

/// What is to become of the records of a batch.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Stays,
    Goes,
    /// The map knows it of each.
    ByKey {
        retains_deletes: bool,
    },
}

/// What was decided about the records of one batch.
#[derive(Debug, Default)]
struct Verdicts {
    stays: Vec<bool>,
    /// What the map is to be asked; of these, `stays` says nothing yet.
    questions: Vec<Question>,
    without_key: u64,
}

#[derive(Clone, Copy, Debug)]
struct Question {
    key: Fingerprint,
    offset: Offset,
    /// The place of the record in the batch.
    number: usize,
}

impl Verdicts {
    fn clear(&mut self) {
        self.stays.clear();
        self.questions.clear();
        self.without_key = 0;
    }
}

/// Which records of a batch stay (Kafka: `Cleaner#shouldRetainRecord`).
struct Retention<'a> {
    map: &'a OffsetMap,
    fate: Fate,
    verdicts: &'a mut Verdicts,
}

impl RecordRetention for Retention<'_> {
    fn meet(&mut self, record: &RecordRef<'_>) {
        let stays = match (self.fate, record.key()) {
            (Fate::Stays, _) => true,
            (Fate::Goes, _) => false,
            (Fate::ByKey { .. }, _) if record.offset() > self.map.latest_offset() => true,
            (Fate::ByKey { .. }, None) => {
                self.verdicts.without_key += 1;
                false
            }
            (Fate::ByKey { retains_deletes }, Some(_)) if record.value().is_none() && !retains_deletes => {
                false
            }
            (Fate::ByKey { .. }, Some(key)) => {
                let (key, number) = (self.map.fingerprint(key), self.verdicts.stays.len());
                self.verdicts.questions.push(Question { key, offset: record.offset(), number });
                false
            }
        };
        self.verdicts.stays.push(stays);
    }

    fn decide(&mut self) -> &[bool] {
        let Verdicts { stays, questions, .. } = &mut *self.verdicts;
        for questions in questions.chunks(KEYS_AT_ONCE) {
            self.map.warm_up(questions.iter().map(|question| question.key));
            for Question { key, offset, number } in questions {
                if let Some(stays) = stays.get_mut(*number) {
                    *stays = self.map.get(*key).is_none_or(|latest| *offset >= latest);
                }
            }
        }
        stays
    }
}
