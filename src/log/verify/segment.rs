//! The records of one segment.

use std::path::Path;
use std::sync::Arc;

use super::indexes::Indexes;
use super::partition::LogSoFar;
use super::progress::Progress;
use super::{Check, Finding, Remedy, newer};
use crate::log::LogError;
use crate::log::dump::DECOMPRESSION_LIMIT;
use crate::log::file_names::{self, LOG};
use crate::log::file_records::{FileRecords, ScanError};
use crate::log::partition_dir::{PartitionDir, SegmentFile};
use crate::log::segment::{can_hold, check_batch};
use crate::model::{LeaderEpoch, Offset};
use crate::record::{BatchError, MAGIC_OFFSET, MAGIC_VALUE_V0, MAGIC_VALUE_V2, RecordBatchRef};

/// Bytes among which a batch is searched at once.
const SEARCH_CHUNK: usize = 256 * 1024;
/// The bytes by which one may be told.
const START: usize = MAGIC_OFFSET + 1;

/// What is wrong with a batch.
enum Fault {
    /// Recovery would not keep it either.
    Batch(String),
    /// Recovery would keep it, since it does not look into records.
    Records(String),
    /// This ottla cannot tell.
    Unknown { what: String, next_offset: Offset },
}

impl Check<'_> {
    /// Checks the segment at `base_offset`; whether it is sound.
    pub(super) fn segment(
        &mut self,
        dir: &Arc<PartitionDir>,
        base_offset: Offset,
        place: Place,
        log: &mut LogSoFar,
    ) -> Result<bool, LogError> {
        let file = SegmentFile::new(Arc::clone(dir), file_names::of_offset(base_offset, LOG));
        let records = FileRecords::open_read_only(file)?;
        self.done.segments += 1;
        self.done.bytes += records.size();
        let path = records.segment_file().path();
        if log.is_over {
            self.progress.segment_done(records.size());
            let what =
                format!("it lies behind damage, and the next start drops its {} bytes", records.size());
            self.found(Finding::pending(&path, what, Remedy::SetSegmentAside));
            return Ok(false);
        }
        let overlapped = Some(log.next_offset).filter(|end| *end > base_offset);
        // Batches that the segment before it has, too, cannot follow.
        log.next_offset = log.next_offset.max(base_offset);
        let mut walk = Walk {
            records: &records,
            path: &path,
            base_offset,
            place,
            // What is read again gets its indexes anew.
            indexes: match place.is_recovered {
                false => Some(Indexes::read(self.fs, &dir.path(), base_offset)?),
                true => None,
            },
            scratch: Vec::new(),
            stale: Vec::new(),
            progress: &mut self.progress,
        };
        let found = walk.run(log)?;
        walk.progress.segment_done(records.size());
        let is_sound = found.is_empty();
        if let Some(end) = overlapped.filter(|_| is_sound) {
            let what = format!(
                "it begins at offset {base_offset}, and the segment before it ends at {end}; both are left"
            );
            self.done.findings.push(Finding::problem(&path, what, Remedy::Nothing));
        }
        if let Some(indexes) = walk.indexes.filter(|_| is_sound) {
            self.done.findings.extend(indexes.finish());
        }
        // The checksum does not cover it, and recovery does not mind.
        for (position, epoch, latest) in walk.stale {
            let what = format!("byte {position}: leader epoch {epoch} after {latest}; the batch is left");
            self.found(Finding::problem(&path, what, Remedy::Nothing));
        }
        self.done.findings.extend(found);
        Ok(is_sound)
    }
}

/// Where in the log a segment is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The next start reads it again, and cuts it before the first batch that is none.
    pub(super) is_recovered: bool,
    pub(super) is_last: bool,
}

struct Walk<'a, 'p> {
    records: &'a FileRecords,
    path: &'a Path,
    base_offset: Offset,
    place: Place,
    indexes: Option<Indexes>,
    scratch: Vec<u8>,
    /// Batches of a leader that comes after a later one: where, and the two leader epochs.
    stale: Vec<(u64, LeaderEpoch, LeaderEpoch)>,
    progress: &'a mut Progress<'p>,
}

/// Something that is no good batch.
struct Bad {
    position: u64,
    /// Where it ends, if it is whole.
    end: Option<u64>,
    fault: Fault,
}

impl Walk<'_, '_> {
    fn run(&mut self, log: &mut LogSoFar) -> Result<Vec<Finding>, LogError> {
        let (mut found, size) = (Vec::new(), self.records.size());
        let mut from = 0;
        while let Some(Bad { position, end, fault }) = self.next_bad(from, log)? {
            let says = |what: &str, rest: String| {
                format!("byte {position}, offset {}: {what}; {rest}", log.next_offset)
            };
            let what = match (fault, end) {
                (Fault::Unknown { what, next_offset }, Some(end)) => {
                    found.push(Finding::problem(
                        self.path,
                        says(&what, "it is left".to_owned()),
                        Remedy::Nothing,
                    ));
                    log.next_offset = next_offset;
                    from = end;
                    continue;
                }
                (Fault::Batch(what), _) => match self.records.check_not_newer(position, log.next_offset) {
                    Err(error @ LogError::NewerFormat { .. }) => {
                        found.push(Finding::problem(self.path, newer(&error), Remedy::Nothing));
                        return Ok(found);
                    }
                    Err(error) => return Err(error),
                    Ok(()) if self.place.is_recovered => {
                        let rest = format!("the next start cuts the {} bytes from there on", size - position);
                        let remedy = Remedy::Cut { start: position, end: size };
                        found.push(Finding::pending(self.path, says(&what, rest), remedy));
                        log.is_over = true;
                        return Ok(found);
                    }
                    Ok(()) => what,
                },
                (Fault::Records(what) | Fault::Unknown { what, .. }, _) => what,
            };
            let next = self.next_good(position, end, log.next_offset)?;
            let end = next.unwrap_or(size);
            let to = if next.is_some() { "to the next good batch" } else { "to the end" };
            let rest = format!("{} bytes from there {to}", end - position);
            let remedy = match (position, next) {
                // Where another segment follows, an empty one serves nobody.
                (0, None) if !self.place.is_last => Remedy::SetSegmentAside,
                _ => Remedy::Cut { start: position, end },
            };
            found.push(Finding::problem(self.path, says(&what, rest), remedy));
            from = end;
        }
        Ok(found)
    }

    /// Goes over good batches to the first bad one.
    fn next_bad(&mut self, from: u64, log: &mut LogSoFar) -> Result<Option<Bad>, LogError> {
        let mut batches = self.records.batches_from(from)?;
        loop {
            let position = batches.position();
            let bad = |end, fault| Ok(Some(Bad { position, end, fault }));
            match batches.next() {
                Ok(Some((_, batch))) => {
                    match check(batch, self.base_offset, log.next_offset, &mut self.scratch) {
                        Ok(()) => {
                            if let Some(latest) = log.goes_back(batch) {
                                self.stale.push((position, batch.partition_leader_epoch(), latest));
                            }
                            if let Some(indexes) = &mut self.indexes {
                                indexes.note(position, log.next_offset, batch, &mut self.scratch);
                            }
                            log.note(batch);
                            self.progress.reached(position);
                        }
                        Err(fault) => return bad(Some(position + batch.size_in_bytes() as u64), fault),
                    }
                }
                Ok(None) if position == self.records.size() => return Ok(None),
                Ok(None) => return bad(None, Fault::Batch("the last batch is cut".to_owned())),
                Err(ScanError::Corrupt { error, .. }) => return bad(None, Fault::Batch(error.to_string())),
                Err(ScanError::Log(error)) => return Err(error),
            }
        }
    }

    /// Where a good batch stands behind the bad one at `position`.
    fn next_good(
        &mut self,
        position: u64,
        end: Option<u64>,
        expected: Offset,
    ) -> Result<Option<u64>, LogError> {
        if let Some(end) = end {
            // Its own size is to be believed if it leads to another one: what a record carries may look like a batch.
            if end == self.records.size() {
                return Ok(None);
            }
            if self.is_good_at(end, expected)? {
                return Ok(Some(end));
            }
        }
        let (size, file) = (self.records.size(), self.records.file()?);
        let mut chunk = Vec::new();
        let mut at = position + 1;
        while at + START as u64 <= size {
            let len = usize::try_from(size - at).unwrap_or(usize::MAX).min(SEARCH_CHUNK);
            chunk.resize(len, 0);
            file.read_exact_at(&mut chunk, at).map_err(LogError::storage("read", self.path))?;
            for (i, start) in chunk.windows(START).enumerate() {
                if self.may_start(start, expected) && self.is_good_at(at + i as u64, expected)? {
                    return Ok(Some(at + i as u64));
                }
            }
            at += (len - START + 1) as u64;
        }
        Ok(None)
    }

    fn may_start(&self, start: &[u8], expected: Offset) -> bool {
        let offset = start.first_chunk().map_or(-1, |offset| i64::from_be_bytes(*offset));
        let is_magic = |magic: &u8| (MAGIC_VALUE_V0..=MAGIC_VALUE_V2).contains(&i8::from_be_bytes([*magic]));
        start.last().is_some_and(is_magic) && offset >= expected && can_hold(self.base_offset, offset)
    }

    fn is_good_at(&mut self, position: u64, expected: Offset) -> Result<bool, LogError> {
        // No more is read than the batch has.
        let mut batches = self.records.batches_from(position)?.with_chunk_size(0);
        match batches.next() {
            Ok(Some((_, batch))) => Ok(check(batch, self.base_offset, expected, &mut self.scratch).is_ok()),
            Ok(None) | Err(ScanError::Corrupt { .. }) => Ok(false),
            Err(ScanError::Log(error)) => Err(error),
        }
    }
}

/// Checks a batch with all its records.
fn check(
    batch: RecordBatchRef<'_>,
    base_offset: Offset,
    expected: Offset,
    scratch: &mut Vec<u8>,
) -> Result<(), Fault> {
    check_batch(batch, base_offset, expected).map_err(|error| Fault::Batch(error.to_string()))?;
    let (first, last) = (batch.base_offset(), batch.last_offset());
    let fault = |error: BatchError| match error {
        // A build without the codec, or a codec that is newer.
        BatchError::UnsupportedCompression { .. }
        | BatchError::UnknownCompression { .. }
        | BatchError::DecompressedTooLarge { .. } => {
            Fault::Unknown { what: error.to_string(), next_offset: batch.next_offset() }
        }
        error => Fault::Records(error.to_string()),
    };
    for record in batch.records(scratch, DECOMPRESSION_LIMIT).map_err(fault)? {
        let offset = record.map_err(fault)?.offset();
        // A set of magic 0 or 1 tells of its last offset only.
        let is_within = offset <= last && (offset >= first || batch.records_count().is_none());
        if !is_within {
            return Err(Fault::Records(format!(
                "a record at offset {offset} in a batch of {first} to {last}"
            )));
        }
    }
    Ok(())
}
