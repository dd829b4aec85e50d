//! Which files are there, once those are out of the way that a crash left half done.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::recovery::first_to_recover;
use crate::log::error::LogError;
use crate::log::file_names::{
    self, CLEANED, CUT, DELETED, DirName, LEADER_EPOCH_CHECKPOINT, LOG, OFFSET_INDEX, PARTITION_METADATA,
    PRODUCER_SNAPSHOT, SWAP, TEMPORARY, TIME_INDEX, TXN_INDEX,
};
use crate::log::file_records::{FileRecords, ScanError};
use crate::log::partition_dir::{PartitionDir, SegmentFile};
use crate::log::recovery_progress::RecoveryWork;
use crate::log::segment::ExistingFiles;
use crate::model::Offset;
use crate::sys::{DirEntry, FileSystem};

/// The files that make the log.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) segments: BTreeMap<Offset, ExistingFiles>,
    pub(super) snapshots: Vec<Offset>,
}

/// Ends what a crash interrupted, and lists what there is then (Kafka: `LogLoader#removeTempFilesAndCollectSwapFiles`
/// and the two passes that follow it).
pub(super) fn tidy(dir: &Arc<PartitionDir>) -> Result<Listing, LogError> {
    let names = list(dir)?;
    let is_interrupted = |name: &String| [DELETED, CLEANED, SWAP].iter().any(|suffix| name.ends_with(suffix));
    if names.iter().any(is_interrupted) {
        finish_interrupted(dir, &names)?;
        return sort_out(dir, &list(dir)?);
    }
    sort_out(dir, &names)
}

/// What recovery would read of a log that was not closed in order, by the look of its directory.
pub(in crate::log) fn recovery_work(
    dir: &PartitionDir,
    recovery_point: Offset,
) -> Result<RecoveryWork, LogError> {
    let names = list(dir)?;
    // Twenty digits: the order of names is that of offsets.
    let logs = names.iter().filter(|name| kind_of(name) == Some(LOG));
    let logs: Vec<_> = logs.filter_map(|name| Some((file_names::offset_of(name)?, name))).collect();
    let first = first_to_recover(logs.iter().map(|(base, _)| *base), recovery_point);
    let mut work = RecoveryWork::default();
    for (_, name) in logs.iter().filter(|(base, _)| first.is_some_and(|first| *base >= first)) {
        work.segments += 1;
        work.bytes += dir.size_of(name)?;
    }
    Ok(work)
}

fn list(dir: &PartitionDir) -> Result<Vec<String>, LogError> {
    let entries = dir.list()?.into_iter();
    Ok(entries.filter(|entry| !entry.is_dir).map(|entry| entry.name).collect())
}

fn finish_interrupted(dir: &Arc<PartitionDir>, names: &[String]) -> Result<(), LogError> {
    let mut min_cleaned = Offset::MAX;
    let mut swaps = Vec::new();
    for name in names {
        let Some(offset) = file_names::offset_of(name) else { continue };
        if name.ends_with(DELETED) {
            dir.remove(name)?;
        } else if name.ends_with(CLEANED) {
            min_cleaned = min_cleaned.min(offset);
            dir.remove(name)?;
        } else if name.ends_with(SWAP) {
            swaps.push((offset, name));
        }
    }
    // A swap file beside cleaned ones belongs to a split that has not come to its end: the old segment is whole.
    let (half_done, complete): (Vec<_>, Vec<_>) =
        swaps.into_iter().partition(|(offset, _)| *offset >= min_cleaned);
    for (_, name) in half_done {
        dir.remove(name)?;
    }
    // The segments that the complete ones replace.
    let mut replaced: Option<(Offset, Offset)> = None;
    for &(offset, name) in complete.iter().filter(|(_, name)| name.ends_with(&format!("{LOG}{SWAP}"))) {
        let next = next_offset(dir, name, offset)?;
        // Of one that compaction has left nothing of, the old indexes go all the same.
        let next = next.max(offset.saturating_add(1));
        let (start, end) = replaced.unwrap_or((offset, next));
        replaced = Some((start.min(offset), end.max(next)));
    }
    if let Some((start, end)) = replaced {
        for name in names.iter().filter(|name| kind_of(name).is_some()) {
            if file_names::offset_of(name).is_some_and(|offset| (start..end).contains(&offset)) {
                dir.remove(name)?;
            }
        }
    }
    // Were a swap file in its place before what it replaces is gone for good, both would be there after a crash.
    dir.sync()?;
    for (_, name) in complete {
        dir.rename(name, name.strip_suffix(SWAP).unwrap_or(name))?;
    }
    dir.sync()
}

/// The offset after the last record of a `.log.swap`.
fn next_offset(dir: &Arc<PartitionDir>, name: &str, base_offset: Offset) -> Result<Offset, LogError> {
    let file = SegmentFile::new(Arc::clone(dir), name.to_owned());
    let records = FileRecords::existing(file, dir.size_of(name)?);
    let mut headers = records.headers_from(0)?;
    let mut next = base_offset;
    loop {
        match headers.next() {
            Ok(Some((_, header))) => next = header.next_offset(),
            Ok(None) | Err(ScanError::Corrupt { .. }) => return Ok(next),
            Err(ScanError::Log(error)) => return Err(error),
        }
    }
}

/// The suffix of one of the files that make a segment.
fn kind_of(name: &str) -> Option<&'static str> {
    [LOG, OFFSET_INDEX, TIME_INDEX, TXN_INDEX].into_iter().find(|kind| {
        file_names::offset_of(name).is_some_and(|offset| name == file_names::of_offset(offset, kind))
    })
}

fn sort_out(dir: &PartitionDir, names: &[String]) -> Result<Listing, LogError> {
    let mut listing = Listing::default();
    for name in names {
        if kind_of(name) == Some(LOG)
            && let Some(offset) = file_names::offset_of(name)
        {
            let files = ExistingFiles { log_size: dir.size_of(name)?, ..ExistingFiles::default() };
            listing.segments.insert(offset, files);
        }
    }
    for name in names {
        let offset = file_names::offset_of(name);
        match (kind_of(name), offset) {
            (Some(LOG), _) => {}
            (Some(kind), Some(offset)) => match listing.segments.get_mut(&offset) {
                Some(files) => *flag_of(files, kind) = true,
                // An index without records tells of nothing.
                None => {
                    tracing::warn!(path = %dir.path().join(name).display(), "index without a log is removed");
                    dir.remove(name)?;
                }
            },
            (None, Some(offset)) if *name == file_names::of_offset(offset, PRODUCER_SNAPSHOT) => {
                listing.snapshots.push(offset);
            }
            _ if is_known(name) => {}
            _ => {
                tracing::warn!(path = %dir.path().join(name).display(), "a foreign file is left untouched: move it elsewhere")
            }
        }
    }
    Ok(listing)
}

fn flag_of<'a>(files: &'a mut ExistingFiles, kind: &str) -> &'a mut bool {
    match kind {
        OFFSET_INDEX => &mut files.offset_index,
        TIME_INDEX => &mut files.time_index,
        _ => &mut files.txn_index,
    }
}

/// What the directory `name` of a log dir is, by its name and by what is in it.
pub(in crate::log) fn kind_of_dir(
    fs: &dyn FileSystem,
    log_dir: &Path,
    name: &str,
) -> Result<DirName, LogError> {
    match file_names::dir_name(name) {
        DirName::Partition(_) | DirName::Future(_) if is_foreign(fs, &log_dir.join(name))? => {
            Ok(DirName::Foreign)
        }
        kind => Ok(kind),
    }
}

/// Whether a directory that has a partition's name is none: it has something in it, and nothing of that is a partition's.
fn is_foreign(fs: &dyn FileSystem, path: &Path) -> Result<bool, LogError> {
    let metadata = path.join(PARTITION_METADATA);
    // Nearly all have it, so that they need not be listed once more.
    if fs.exists(&metadata).map_err(LogError::storage("look at", &metadata))? {
        return Ok(false);
    }
    let entries = fs.read_dir(path).map_err(LogError::storage("list", path))?;
    let is_own = |entry: &DirEntry| !entry.is_dir && is_file_of_partition(&entry.name);
    Ok(!entries.is_empty() && !entries.iter().any(is_own))
}

/// Whether a file within a partition's directory belongs there, by its name.
pub(in crate::log) fn is_file_of_partition(name: &str) -> bool {
    let unmarked = [DELETED, CLEANED, SWAP].iter().find_map(|suffix| name.strip_suffix(suffix));
    let name = unmarked.unwrap_or(name);
    let is_snapshot = |offset| name == file_names::of_offset(offset, PRODUCER_SNAPSHOT);
    kind_of(name).is_some() || file_names::offset_of(name).is_some_and(is_snapshot) || is_known(name)
}

/// Files that are Kafka's, yet no part of a segment.
fn is_known(name: &str) -> bool {
    [LEADER_EPOCH_CHECKPOINT, PARTITION_METADATA, "quorum-state"].contains(&name)
        || name.ends_with(TEMPORARY)
        || name.ends_with(CUT)
        || name.ends_with(".checkpoint")
}
