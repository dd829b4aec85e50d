//! Checking the files of a log dir without a broker, and without a write.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::LogError;
use super::checkpoint::{
    MAX_FILE_BYTES, MetaProperties, OffsetCheckpointFile, parse_leader_epochs, parse_partition_metadata,
};
use super::dump::{DECOMPRESSION_LIMIT, Dump, DumpError, DumpOptions, RecordText};
use super::file_names::{
    self, CLEANER_CHECKPOINT, DirName, HIGH_WATERMARK_CHECKPOINT, LEADER_EPOCH_CHECKPOINT, LOCK, LOG,
    LOG_START_OFFSET_CHECKPOINT, META_PROPERTIES, OFFSET_INDEX, PARTITION_METADATA, PRODUCER_SNAPSHOT,
    RECOVERY_POINT_CHECKPOINT, TIME_INDEX, TXN_INDEX,
};
use super::file_records::{FileRecords, ScanError};
use super::open_files::OpenFiles;
use super::partition_dir::{PartitionDir, SegmentFile};
use crate::model::Offset;
use crate::record::{BatchError, RecordBatchRef};
use crate::sys::FileSystem;

/// Of indexes and snapshots only what is wrong with them.
const ONLY_PROBLEMS: DumpOptions = DumpOptions {
    deep_iteration: false,
    print_data_log: false,
    skip_record_metadata: false,
    verify_index_only: true,
    index_sanity_check: false,
    max_bytes: u64::MAX,
};

/// What a check has looked at, and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verified {
    pub(crate) partitions: usize,
    pub(crate) segments: usize,
    /// Bytes of records.
    pub(crate) bytes: u64,
    pub(crate) problems: Vec<String>,
}

/// Checks every file of `log_dir` that a broker would use. `progress` is told the name of each partition before it is
/// looked at, how many were, and how many there are.
///
/// # Errors
/// A broker that is at work there, and a disk that refuses.
pub(crate) fn verify_log_dir(
    fs: &Arc<dyn FileSystem>,
    log_dir: &Path,
    progress: &mut dyn FnMut(&str, usize, usize),
) -> Result<Verified, LogError> {
    let entries = fs.read_dir(log_dir).map_err(LogError::storage("list", log_dir))?;
    let lock = log_dir.join(LOCK);
    let _lock = match entries.iter().any(|entry| entry.name == LOCK) {
        true => match fs.try_lock(&lock).map_err(LogError::storage("lock", &lock))? {
            Some(lock) => Some(lock),
            None => return Err(LogError::LogDirInUse { dir: log_dir.to_owned() }),
        },
        false => None,
    };
    let mut check = Check { fs, done: Verified::default() };
    check.checkpoints(log_dir)?;
    let partitions: Vec<&str> = entries
        .iter()
        .filter(|entry| entry.is_dir && matches!(file_names::dir_name(&entry.name), DirName::Partition(_)))
        .map(|entry| entry.name.as_str())
        .collect();
    for (i, name) in partitions.iter().enumerate() {
        progress(name, i, partitions.len());
        check.partition(&log_dir.join(name))?;
    }
    Ok(check.done)
}

struct Check<'a> {
    fs: &'a Arc<dyn FileSystem>,
    done: Verified,
}

impl Check<'_> {
    fn problem(&mut self, path: &Path, what: impl std::fmt::Display) {
        self.done.problems.push(format!("{}: {what}", path.display()));
    }

    fn checkpoints(&mut self, log_dir: &Path) -> Result<(), LogError> {
        for name in [
            RECOVERY_POINT_CHECKPOINT,
            HIGH_WATERMARK_CHECKPOINT,
            LOG_START_OFFSET_CHECKPOINT,
            CLEANER_CHECKPOINT,
        ] {
            match OffsetCheckpointFile::new(Arc::clone(self.fs), log_dir, name).read() {
                Ok(_) => {}
                Err(LogError::Malformed { path, what }) => self.problem(&path, what),
                Err(error) => return Err(error),
            }
        }
        self.small_file(&log_dir.join(META_PROPERTIES), |content| MetaProperties::parse(content).map(drop))
    }

    /// A file that need not be there.
    fn small_file(
        &mut self,
        path: &Path,
        parse: impl FnOnce(&[u8]) -> Result<(), String>,
    ) -> Result<(), LogError> {
        if !self.fs.exists(path).map_err(LogError::storage("look at", path))? {
            return Ok(());
        }
        let content = self.fs.read(path, MAX_FILE_BYTES).map_err(LogError::storage("read", path))?;
        if let Err(what) = parse(&content) {
            self.problem(path, what);
        }
        Ok(())
    }

    fn partition(&mut self, path: &Path) -> Result<(), LogError> {
        self.done.partitions += 1;
        self.small_file(&path.join(LEADER_EPOCH_CHECKPOINT), |content| {
            parse_leader_epochs(content).map(drop)
        })?;
        self.small_file(&path.join(PARTITION_METADATA), |content| {
            parse_partition_metadata(content).map(drop)
        })?;
        let entries = self.fs.read_dir(path).map_err(LogError::storage("list", path))?;
        let names: Vec<&str> =
            entries.iter().filter(|entry| !entry.is_dir).map(|entry| &*entry.name).collect();
        let dir =
            Arc::new(PartitionDir::new(Arc::clone(self.fs), path.to_owned(), Arc::new(OpenFiles::default())));
        let mut next_offset = 0;
        // Twenty digits: the order of names is that of offsets.
        for name in &names {
            let Some(base_offset) = file_names::offset_of(name) else { continue };
            let file = path.join(name);
            let is = |kind| **name == *file_names::of_offset(base_offset, kind);
            if is(LOG) {
                if base_offset < next_offset {
                    self.problem(&file, format_args!("the segment before it ends at offset {next_offset}"));
                }
                next_offset = self.segment(&dir, name, base_offset)?.max(base_offset);
            } else if [OFFSET_INDEX, TIME_INDEX, TXN_INDEX].into_iter().any(is)
                && !names.contains(&&*file_names::of_offset(base_offset, LOG))
            {
                self.problem(&file, "an index without a log");
            } else if [OFFSET_INDEX, TIME_INDEX, TXN_INDEX, PRODUCER_SNAPSHOT].into_iter().any(is) {
                self.index(&file)?;
            }
        }
        Ok(())
    }

    /// Answers the offset after the last good batch.
    fn segment(
        &mut self,
        dir: &Arc<PartitionDir>,
        name: &str,
        base_offset: Offset,
    ) -> Result<Offset, LogError> {
        let records = FileRecords::open_read_only(SegmentFile::new(Arc::clone(dir), name.to_owned()))?;
        self.done.segments += 1;
        self.done.bytes += records.size();
        let path: PathBuf = records.segment_file().path();
        let mut next_offset = base_offset;
        let mut batches = records.batches_from(0)?;
        let mut scratch = Vec::new();
        loop {
            let position = batches.position();
            let wrong = match batches.next() {
                Ok(Some((_, batch))) => match check_batch(batch, (base_offset, next_offset), &mut scratch) {
                    Ok(next) => {
                        next_offset = next;
                        continue;
                    }
                    Err(what) => what,
                },
                Ok(None) if position == records.size() => return Ok(next_offset),
                Ok(None) => "the last batch is cut".to_owned(),
                Err(ScanError::Corrupt { error, .. }) => error.to_string(),
                Err(ScanError::Log(error)) => return Err(error),
            };
            let left = records.size() - position;
            self.problem(
                &path,
                format_args!(
                    "byte {position}, offset {next_offset}: {wrong}; {left} bytes from there to the end"
                ),
            );
            return Ok(next_offset);
        }
    }

    fn index(&mut self, path: &Path) -> Result<(), LogError> {
        let nothing = |_: &crate::record::RecordRef<'_>| RecordText::default();
        let mut sink = std::io::sink();
        match Dump::new(self.fs, ONLY_PROBLEMS, &nothing, &mut sink).file(path) {
            Ok(problems) => {
                for problem in problems {
                    self.problem(path, problem);
                }
                Ok(())
            }
            Err(DumpError::Log(error)) => Err(error),
            // A sink takes everything.
            Err(DumpError::Out(_)) => Ok(()),
        }
    }
}

/// Checks a batch with all its records; the offset after it, or what is wrong.
fn check_batch(
    batch: RecordBatchRef<'_>,
    (base_offset, expected): (Offset, Offset),
    scratch: &mut Vec<u8>,
) -> Result<Offset, String> {
    let text = |error: BatchError| error.to_string();
    batch.ensure_valid().map_err(text)?;
    let (first, last) = (batch.base_offset(), batch.last_offset());
    let is_near = last.checked_sub(base_offset).is_some_and(|delta| delta <= i64::from(i32::MAX));
    if first < expected || last < first || !is_near || last == Offset::MAX {
        return Err(format!("offsets {first} to {last} cannot follow"));
    }
    for record in batch.records(scratch, DECOMPRESSION_LIMIT).map_err(text)? {
        let offset = record.map_err(text)?.offset();
        // A set of magic 0 or 1 tells of its last offset only.
        let is_within = offset <= last && (offset >= first || batch.records_count().is_none());
        if !is_within {
            return Err(format!("a record at offset {offset} in a batch of {first} to {last}"));
        }
    }
    Ok(last + 1)
}
