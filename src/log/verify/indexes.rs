//! The offset index and the time index of a segment, held against its batches.
//!
//! Every Kafka is to be satisfied. An entry of the offset index stands for all that was appended at once: where that
//! begins, and its last offset, which is that of a later batch where several came together, as old messages do. An entry of
//! the time index has the last offset of a batch, or, from Kafkas before 3.7, that of the very record.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Finding, Remedy};
use crate::log::LogError;
use crate::log::dump::DECOMPRESSION_LIMIT;
use crate::log::file_names::{self, OFFSET_INDEX, TIME_INDEX};
use crate::model::{NO_TIMESTAMP, Offset, Timestamp};
use crate::record::RecordBatchRef;
use crate::sys::FileSystem;

/// The entries that no batch was found for yet; they are taken away while the batches go by.
pub(super) struct Indexes {
    offset_index: PathBuf,
    time_index: PathBuf,
    /// With the positions that they tell.
    offsets: VecDeque<(Offset, u64)>,
    times: VecDeque<(Timestamp, Offset)>,
    /// The last offset of what was appended at once, by the entry for its first batch.
    append_ends_with: Option<Offset>,
    /// Of all batches so far.
    max_timestamp: Timestamp,
    findings: Vec<Finding>,
}

impl Indexes {
    /// Reads those of the segment at `base_offset`; what is not there has no entries.
    pub(super) fn read(
        fs: &Arc<dyn FileSystem>,
        dir: &Path,
        base_offset: Offset,
    ) -> Result<Indexes, LogError> {
        let path = |kind| dir.join(file_names::of_offset(base_offset, kind));
        let mut indexes = Indexes {
            offset_index: path(OFFSET_INDEX),
            time_index: path(TIME_INDEX),
            offsets: VecDeque::new(),
            times: VecDeque::new(),
            append_ends_with: None,
            max_timestamp: NO_TIMESTAMP,
            findings: Vec::new(),
        };
        let at = |relative: [u8; 4]| base_offset.saturating_add(i64::from(i32::from_be_bytes(relative)));
        let (path, content) = (indexes.offset_index.clone(), content(fs, &indexes.offset_index)?);
        for &[a, b, c, d, e, f, g, h] in indexes.entries(&path, &content) {
            let position = u64::from(u32::from_be_bytes([e, f, g, h]));
            indexes.offsets.push_back((at([a, b, c, d]), position));
        }
        let (path, content) = (indexes.time_index.clone(), self::content(fs, &indexes.time_index)?);
        for &[a, b, c, d, e, f, g, h, i, j, k, l] in indexes.entries(&path, &content) {
            let timestamp = i64::from_be_bytes([a, b, c, d, e, f, g, h]);
            indexes.times.push_back((timestamp, at([i, j, k, l])));
        }
        Ok(indexes)
    }

    /// The entries of a file, without the room that Kafka reserves behind them.
    fn entries<'a, const N: usize>(&mut self, path: &Path, content: &'a [u8]) -> &'a [[u8; N]] {
        let (entries, rest) = content.as_chunks::<N>();
        if !rest.is_empty() {
            self.wrong(path, format!("{} bytes at the end are no entry", rest.len()));
        }
        let is_unused = |entry: &[u8; N]| entry.iter().all(|byte| *byte == 0);
        let used = entries.iter().position(is_unused).unwrap_or(entries.len());
        let (used, unused) = entries.split_at(used);
        if !unused.iter().all(is_unused) {
            self.wrong(
                path,
                format!("there are entries behind the one at byte {}, which is empty", used.len() * N),
            );
        }
        used
    }

    fn wrong(&mut self, path: &Path, what: String) {
        self.findings.push(Finding::problem(path, what, Remedy::SetAside));
    }

    /// Takes the next batch, which is a good one, at `position`; the one before it ended before offset `expected`.
    pub(super) fn note(
        &mut self,
        position: u64,
        expected: Offset,
        batch: RecordBatchRef<'_>,
        scratch: &mut Vec<u8>,
    ) {
        self.hold_offsets(position, batch.last_offset());
        self.hold_times(expected, batch, scratch);
        self.max_timestamp = self.max_timestamp.max(batch.max_timestamp());
    }

    fn hold_offsets(&mut self, position: u64, last_offset: Offset) {
        while let Some(&(offset, start)) = self.offsets.front()
            && start <= position
        {
            self.offsets.pop_front();
            self.end_append();
            match start == position {
                true => self.append_ends_with = Some(offset),
                false => self.wrong_offset(offset, &format!("byte {start}, where no batch begins")),
            }
        }
        match self.append_ends_with {
            Some(end) if end == last_offset => self.append_ends_with = None,
            Some(end) if end < last_offset => {
                self.append_ends_with = None;
                self.wrong_offset(
                    end,
                    &format!("byte {position}, and the batch there ends with {last_offset}"),
                );
            }
            _ => {}
        }
    }

    /// No more of what was appended at once is to come.
    fn end_append(&mut self) {
        if let Some(end) = self.append_ends_with.take() {
            self.wrong_offset(end, "batches of which none ends with it");
        }
    }

    fn wrong_offset(&mut self, offset: Offset, what: &str) {
        let path = self.offset_index.clone();
        self.wrong(&path, format!("the entry for offset {offset} leads to {what}"));
    }

    fn hold_times(&mut self, expected: Offset, batch: RecordBatchRef<'_>, scratch: &mut Vec<u8>) {
        let (last, found) = (batch.last_offset(), batch.max_timestamp());
        // An old wrapper has the last offset of what is in it.
        let first = if batch.records_count().is_some() { batch.base_offset() } else { expected };
        while let Some(&(timestamp, offset)) = self.times.front()
            && offset <= last
        {
            self.times.pop_front();
            let what = if offset < first {
                "there is no such record".to_owned()
            } else if timestamp <= self.max_timestamp {
                format!("timestamp {} comes before it", self.max_timestamp)
            } else if timestamp != found || !has_record(batch, offset, timestamp, scratch) {
                format!("the batch there has timestamp {found}")
            } else {
                continue;
            };
            self.wrong_time(timestamp, offset, &what);
        }
    }

    fn wrong_time(&mut self, timestamp: Timestamp, offset: Offset, what: &str) {
        let path = self.time_index.clone();
        self.wrong(&path, format!("the entry for timestamp {timestamp} has offset {offset}: {what}"));
    }

    /// What is wrong, after the last batch.
    pub(super) fn finish(mut self) -> Vec<Finding> {
        self.end_append();
        for (offset, position) in std::mem::take(&mut self.offsets) {
            self.wrong_offset(offset, &format!("byte {position}, where no batch begins"));
        }
        for (timestamp, offset) in std::mem::take(&mut self.times) {
            self.wrong_time(timestamp, offset, "there is no such record");
        }
        self.findings
    }
}

/// Whether a batch, which has `timestamp` as its largest, has it at `offset`: as a whole, or in the record there.
fn has_record(
    batch: RecordBatchRef<'_>,
    offset: Offset,
    timestamp: Timestamp,
    scratch: &mut Vec<u8>,
) -> bool {
    offset == batch.last_offset()
        || batch.records(scratch, DECOMPRESSION_LIMIT).is_ok_and(|records| {
            let mut records = records.map_while(Result::ok);
            records.any(|record| (record.offset(), record.timestamp()) == (offset, timestamp))
        })
}

fn content(fs: &Arc<dyn FileSystem>, path: &Path) -> Result<Vec<u8>, LogError> {
    // The largest index that the settings admit has as many bytes.
    match fs.read(path, i32::MAX as usize) {
        Ok(content) => Ok(content),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(LogError::storage("read", path)(error)),
    }
}
