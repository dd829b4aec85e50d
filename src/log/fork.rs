//! A second log from the first, that costs links and no copies.

use std::path::Path;
use std::sync::Arc;

use super::file_names::{
    LEADER_EPOCH_CHECKPOINT, LOG, OFFSET_INDEX, PARTITION_METADATA, PRODUCER_SNAPSHOT, TIME_INDEX, TXN_INDEX,
    of_offset,
};
use super::partition_dir::PartitionDir;
use super::{Log, LogError};
use crate::model::Offset;
use crate::sys::{FileSystem, OpenOptions};

/// What an active segment may hold to be copied. Beyond, a new one is begun, so that the old one can be linked.
const MAX_COPIED_BYTES: u64 = 1024 * 1024;

/// What the checkpoints tell of a log that was forked.
#[derive(Clone, Copy, Debug)]
pub(super) struct ForkedLog {
    pub(super) log_start_offset: Offset,
    pub(super) log_end_offset: Offset,
    pub(super) high_watermark: Offset,
    pub(super) starts_within_segment: bool,
    pub(super) first_dirty_offset: Option<Offset>,
}

impl Log {
    /// Makes a directory at `to` that opens as this log, as it is now, after a clean stop. Both may be written to from
    /// then on: a sealed segment never is, so it is one file with two names; the active segment is shared where the
    /// file system can do that, and else copied, if it is small, or sealed.
    pub(super) fn fork_to(&self, to: &Path) -> Result<ForkedLog, LogError> {
        let _pause = self.cleaning.interrupt();
        self.log_dir.run_unless_full(|| {
            let mut writer = self.writer.lock();
            self.check_open()?;
            let fs = &*self.env.fs;
            fs.create_dir_all(to).map_err(LogError::storage("make", to))?;
            let active = Arc::clone(self.segments.read().active());
            let size = active.size();
            if size > MAX_COPIED_BYTES && !is_shareable(fs, &active.records().segment_file().path(), to) {
                self.roll_to(&mut writer.producers, &self.config(), self.log_end_offset())?;
            }
            // As `close` leaves it; it opens itself again for the next record.
            let end = self.log_end_offset();
            writer.producers.update_map_end_offset(end);
            writer.producers.take_snapshot()?;
            self.write_epochs()?;
            let segments = self.segments();
            segments.active().on_become_inactive()?;
            let files = ForkedFiles { fs, from: &self.dir, to };
            for segment in segments.iter() {
                let is_active = segment.base_offset() == segments.active().base_offset();
                files.segment(segment.base_offset(), is_active)?;
            }
            files.the_others()?;
            let start = self.log_start_offset();
            Ok(ForkedLog {
                log_start_offset: start,
                log_end_offset: end,
                high_watermark: self.high_watermark(),
                starts_within_segment: start > segments.first().base_offset(),
                first_dirty_offset: self.cleaning.first_dirty_offset(),
            })
        })
    }
}

/// Whether the file system shares room between files until they differ.
fn is_shareable(fs: &dyn FileSystem, from: &Path, to: &Path) -> bool {
    let probe = to.join(".probe");
    // Another name would stay behind if it could not be removed, which costs nothing and is not looked at.
    fs.reflink(from, &probe).is_ok_and(|()| fs.remove_file(&probe).is_ok())
}

struct ForkedFiles<'a> {
    fs: &'a dyn FileSystem,
    from: &'a PartitionDir,
    to: &'a Path,
}

impl ForkedFiles<'_> {
    fn segment(&self, base_offset: Offset, is_active: bool) -> Result<(), LogError> {
        let log = of_offset(base_offset, LOG);
        let path = self.from.path().join(&log);
        fork_file(self.fs, &path, &self.to.join(&log), !is_active)?;
        for kind in [OFFSET_INDEX, TIME_INDEX, TXN_INDEX] {
            // An index may be made anew in its place, so it is copied.
            self.copy(&of_offset(base_offset, kind))?;
        }
        Ok(())
    }

    /// What the directory says beside its segments.
    fn the_others(&self) -> Result<(), LogError> {
        for entry in self.from.list()?.into_iter().filter(|entry| !entry.is_dir) {
            let is_checkpoint = [LEADER_EPOCH_CHECKPOINT, PARTITION_METADATA].contains(&entry.name.as_str());
            if is_checkpoint || entry.name.ends_with(PRODUCER_SNAPSHOT) {
                self.copy(&entry.name)?;
            }
        }
        Ok(())
    }

    fn copy(&self, name: &str) -> Result<(), LogError> {
        let path = self.from.path().join(name);
        match self.fs.exists(&path).map_err(LogError::storage("look at", &path))? {
            true => fork_file(self.fs, &path, &self.to.join(name), false),
            false => Ok(()),
        }
    }
}

/// Makes a file at `to` with the content of the one at `from`, in the cheapest way; by a link only if neither will be
/// written to.
pub(super) fn fork_file(
    fs: &dyn FileSystem,
    from: &Path,
    to: &Path,
    is_sealed: bool,
) -> Result<(), LogError> {
    // What the file system refuses here, such as a link to another volume, it will do as a copy, or say why not.
    if is_sealed && fs.hard_link(from, to).is_ok() {
        return Ok(());
    }
    if fs.reflink(from, to).is_err() {
        fs.copy(from, to).map_err(LogError::storage("copy", from))?;
    }
    // Retention of records without timestamps goes by it.
    let modified_ms = fs.metadata(from).map_err(LogError::storage("look at", from))?.modified_ms;
    let file = fs.open(to, OpenOptions::WRITE).map_err(LogError::storage("open", to))?;
    file.set_modified_ms(modified_ms).map_err(LogError::storage("set the time of", to))
}
