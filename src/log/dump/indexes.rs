//! Indexes and producer snapshots.

use std::fmt::Display;
use std::path::Path;

use super::{DECOMPRESSION_LIMIT, Dump, DumpError, sibling};
use crate::log::LogError;
use crate::log::file_names::{LOG, OFFSET_INDEX};
use crate::log::file_records::{FileRecords, ScanError};
use crate::log::index::AbortedTxn;
use crate::log::producer_state::parse_snapshot;
use crate::model::{NO_TIMESTAMP, Offset, Timestamp};

/// As Java writes an `OptionalLong`.
pub(super) fn optional(value: Option<impl Display>) -> String {
    value.map_or_else(|| "OptionalLong.empty".to_owned(), |value| format!("OptionalLong[{value}]"))
}

/// An entry of an offset index.
#[derive(Clone, Copy)]
struct OffsetEntry {
    offset: Offset,
    position: u32,
}

fn offset_entries(content: &[u8], base_offset: Offset) -> Vec<OffsetEntry> {
    let (entries, _) = content.as_chunks::<8>();
    let parse = |&[a, b, c, d, e, f, g, h]: &[u8; 8]| OffsetEntry {
        offset: base_offset.wrapping_add(i64::from(i32::from_be_bytes([a, b, c, d]))),
        position: u32::from_be_bytes([e, f, g, h]),
    };
    // What is left of the room that is reserved while a segment is written.
    let is_unused = |(i, entry): &(usize, OffsetEntry)| *i > 0 && entry.offset == base_offset;
    entries
        .iter()
        .map(parse)
        .enumerate()
        .take_while(|entry| !is_unused(entry))
        .map(|(_, entry)| entry)
        .collect()
}

fn time_entries(content: &[u8], base_offset: Offset) -> Vec<(Timestamp, Offset)> {
    let (entries, _) = content.as_chunks::<12>();
    let parse = |&[a, b, c, d, e, f, g, h, i, j, k, l]: &[u8; 12]| {
        let offset = base_offset.wrapping_add(i64::from(i32::from_be_bytes([i, j, k, l])));
        (i64::from_be_bytes([a, b, c, d, e, f, g, h]), offset)
    };
    let is_unused = |(i, (timestamp, offset)): &(usize, (Timestamp, Offset))| {
        *i > 0 && *offset == base_offset && *timestamp <= 0
    };
    entries
        .iter()
        .map(parse)
        .enumerate()
        .take_while(|entry| !is_unused(entry))
        .map(|(_, entry)| entry)
        .collect()
}

/// A batch that an index points at.
struct Found {
    last_offset: Offset,
    /// The largest timestamp of its records.
    max_timestamp: Timestamp,
    size: u64,
}

/// The first batch from `position` on that reaches `offset`, or just the first.
fn find(records: &FileRecords, position: u64, offset: Option<Offset>) -> Result<Option<Found>, LogError> {
    if position >= records.size() {
        return Ok(None);
    }
    let mut batches = records.batches_from(position)?;
    let mut scratch = Vec::new();
    loop {
        let batch = match batches.next() {
            Ok(Some((_, batch))) => batch,
            Ok(None) | Err(ScanError::Corrupt { .. }) => return Ok(None),
            Err(ScanError::Log(error)) => return Err(error),
        };
        if offset.is_some_and(|offset| batch.last_offset() < offset) {
            continue;
        }
        let mut max_timestamp = NO_TIMESTAMP;
        if offset.is_some()
            && let Ok(found) = batch.records(&mut scratch, DECOMPRESSION_LIMIT)
        {
            let timestamps = found.map_while(Result::ok).map(|record| record.timestamp());
            // A batch that compaction has emptied tells the timestamp that it had.
            max_timestamp = timestamps.max().unwrap_or_else(|| batch.max_timestamp());
        }
        return Ok(Some(Found {
            last_offset: batch.last_offset(),
            max_timestamp,
            size: batch.size_in_bytes() as u64,
        }));
    }
}

impl Dump<'_> {
    pub(super) fn offset_index(&mut self, path: &Path, base_offset: Offset) -> Result<(), DumpError> {
        let content = self.content(path)?;
        let entries = offset_entries(&content, base_offset);
        let Some(last) = entries.last() else {
            writeln!(self.out, "{} is empty.", path.display())?;
            return Ok(());
        };
        if self.options.index_sanity_check {
            let is_sane = content.len().is_multiple_of(8) && last.offset >= base_offset;
            return self.sanity(path, is_sane);
        }
        self.unused(path, content.get(entries.len() * 8..));
        let records = self.records(&sibling(path, base_offset, LOG))?;
        let mut mismatches = Vec::new();
        for entry in entries {
            let found = find(&records, u64::from(entry.position), None)?;
            let found = found.filter(|found| found.size <= self.options.max_message_size);
            if found.as_ref().map(|found| found.last_offset) != Some(entry.offset) {
                let found = found.map_or_else(|| "none".to_owned(), |found| found.last_offset.to_string());
                mismatches.push(format!("Index offset: {}, log offset: {found}", entry.offset));
            }
            if !self.options.verify_index_only {
                writeln!(self.out, "offset: {} position: {}", entry.offset, entry.position)?;
            }
        }
        self.problem_list(format!("Mismatches in :{}", path.display()), mismatches);
        Ok(())
    }

    pub(super) fn time_index(&mut self, path: &Path, base_offset: Offset) -> Result<(), DumpError> {
        let content = self.content(path)?;
        let entries = time_entries(&content, base_offset);
        if self.options.index_sanity_check {
            let is_sane = content.len().is_multiple_of(12)
                && entries
                    .first()
                    .zip(entries.last())
                    .is_none_or(|(first, last)| last.0 >= first.0 && last.1 >= base_offset);
            return self.sanity(path, is_sane);
        }
        self.unused(path, content.get(entries.len() * 12..));
        let records = self.records(&sibling(path, base_offset, LOG))?;
        let index = sibling(path, base_offset, OFFSET_INDEX);
        let offsets = match self.fs.exists(&index).map_err(LogError::storage("look at", &index))? {
            true => offset_entries(&self.content(&index)?, base_offset),
            false => Vec::new(),
        };
        let [mut mismatches, mut out_of_order, mut not_found] = [Vec::new(), Vec::new(), Vec::new()];
        let mut previous = NO_TIMESTAMP;
        for (timestamp, offset) in entries {
            // As a reader looks it up; what is out of order is told of with the offset index itself.
            let below = offsets.partition_point(|entry| entry.offset <= offset);
            let start = below.checked_sub(1).and_then(|at| offsets.get(at));
            let position = start.map_or(0, |entry| u64::from(entry.position));
            match find(&records, position, Some(offset))? {
                Some(found) if found.last_offset == offset => {
                    let log = found.max_timestamp;
                    if log != timestamp {
                        mismatches.push(format!("Index timestamp: {timestamp}, log timestamp: {log}"));
                    }
                    if previous >= timestamp {
                        let before = previous;
                        out_of_order.push(format!(
                            "Index timestamp: {timestamp}, Previously indexed timestamp: {before}"
                        ));
                    }
                }
                found => {
                    let found = found.map_or(-1, |found| found.last_offset);
                    not_found.push(format!("Indexed offset: {offset}, found log offset: {found}"));
                }
            }
            if !self.options.verify_index_only {
                writeln!(self.out, "timestamp: {timestamp} offset: {offset}")?;
            }
            previous = timestamp;
        }
        let of = path.display();
        self.problem_list(format!("Found timestamp mismatch in :{of}"), mismatches);
        self.problem_list(format!("Found out of order timestamp in :{of}"), out_of_order);
        self.problem_list(format!("The following indexed offsets are not found in :{of}"), not_found);
        Ok(())
    }

    /// Behind the last entry there is only room that was reserved.
    fn unused(&mut self, path: &Path, rest: Option<&[u8]>) {
        if rest.is_some_and(|rest| rest.iter().any(|byte| *byte != 0)) {
            self.problems.push(format!("{}: an entry without an offset", path.display()));
        }
    }

    fn sanity(&mut self, path: &Path, is_sane: bool) -> Result<(), DumpError> {
        if is_sane {
            writeln!(self.out, "{} passed sanity check.", path.display())?;
        } else {
            self.problems.push(format!("{} does not pass the sanity check.", path.display()));
        }
        Ok(())
    }

    pub(super) fn txn_index(&mut self, path: &Path) -> Result<(), DumpError> {
        let content = self.content(path)?;
        let (entries, rest) = content.as_chunks::<{ AbortedTxn::SIZE }>();
        for entry in entries {
            let Some(txn) = AbortedTxn::parse(entry) else {
                self.problems.push(format!("{}: an entry of an unknown version", path.display()));
                continue;
            };
            writeln!(
                self.out,
                "version: 0 producerId: {} firstOffset: {} lastOffset: {} lastStableOffset: {}",
                txn.producer_id, txn.first_offset, txn.last_offset, txn.last_stable_offset
            )?;
        }
        if !rest.is_empty() {
            self.problems.push(format!("{}: {} bytes at the end are no entry", path.display(), rest.len()));
        }
        Ok(())
    }

    pub(super) fn producer_snapshot(&mut self, path: &Path) -> Result<(), DumpError> {
        let entries = match parse_snapshot(&self.content(path)?) {
            Ok(entries) => entries,
            Err(what) => {
                self.problems.push(format!("{}: {what}", path.display()));
                return Ok(());
            }
        };
        for entry in entries {
            write!(
                self.out,
                "producerId: {} producerEpoch: {} coordinatorEpoch: {} currentTxnFirstOffset: {} lastTimestamp: {}",
                entry.producer_id,
                entry.producer_epoch,
                entry.coordinator_epoch,
                optional(entry.current_txn_first_offset),
                entry.last_timestamp,
            )?;
            if let Some(batch) = entry.batches().first() {
                write!(
                    self.out,
                    " firstSequence: {} lastSequence: {} lastOffset: {} offsetDelta: {} timestamp: {}",
                    batch.first_sequence(),
                    batch.last_sequence,
                    batch.last_offset,
                    batch.offset_delta,
                    batch.timestamp
                )?;
            }
            writeln!(self.out)?;
        }
        Ok(())
    }
}
