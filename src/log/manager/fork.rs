//! A second set of logs from the first.

use std::path::Path;
use std::sync::Arc;

use super::LogManager;
use crate::log::LogError;
use crate::log::file_names::{self, DirName, LOG, META_PROPERTIES};
use crate::log::fork::{ForkedLog, fork_file};
use crate::log::log_dir::{LogDir, LogDirFailureChannel};
use crate::model::{Offset, TopicPartition};
use crate::sys::FileSystem;

impl LogManager {
    /// Makes a log dir at `to` with all logs as they are now, as a clean stop leaves them, at the cost of links: see
    /// `Log::fork_to`. Each log is of one moment; what is appended meanwhile may be in one of them and not in another.
    pub(crate) fn fork_to(&self, to: &Path) -> Result<(), LogError> {
        let fs = &self.env.fs;
        fs.create_dir_all(to).map_err(LogError::storage("make", to))?;
        // No log is made or deleted meanwhile.
        let _changing = self.changing.lock();
        let mut forked: Vec<(TopicPartition, ForkedLog)> = Vec::new();
        for log in self.logs() {
            let partition = log.topic_partition().clone();
            forked.push((partition.clone(), log.fork_to(&to.join(partition.to_string()))?));
        }
        let first = self.online_dirs().next().ok_or_else(|| self.no_log_dir())?;
        let meta = first.dir.path().join(META_PROPERTIES);
        fork_file(&**fs, &meta, &to.join(META_PROPERTIES), false)?;
        write_checkpoints(fs, to, &forked)
    }
}

fn write_checkpoints(
    fs: &Arc<dyn FileSystem>,
    to: &Path,
    forked: &[(TopicPartition, ForkedLog)],
) -> Result<(), LogError> {
    let dir = LogDir::new(fs, to.to_owned(), LogDirFailureChannel::new());
    let all = |offset: fn(&ForkedLog) -> Option<Offset>| {
        forked.iter().filter_map(move |(partition, log)| Some((partition.clone(), offset(log)?)))
    };
    dir.recovery_points.write(all(|log| Some(log.log_end_offset)))?;
    dir.log_start_offsets
        .write(all(|log| Some(log.log_start_offset).filter(|_| log.starts_within_segment)))?;
    dir.high_watermarks.write(all(|log| Some(log.high_watermark)))?;
    dir.cleaner_offsets.write(all(|log| log.first_dirty_offset))?;
    dir.clean_shutdown.write()
}

/// Makes a log dir at `to` from the one at `from`, which nobody has opened, at the cost of links.
pub(crate) fn fork_log_dir(fs: &dyn FileSystem, from: &Path, to: &Path) -> Result<(), LogError> {
    let list = |path: &Path| fs.read_dir(path).map_err(LogError::storage("list", path));
    fs.create_dir_all(to).map_err(LogError::storage("make", to))?;
    for entry in list(from)? {
        let (source, target) = (from.join(&entry.name), to.join(&entry.name));
        if !entry.is_dir {
            if entry.name != file_names::LOCK {
                fork_file(fs, &source, &target, false)?;
            }
            continue;
        }
        if !matches!(file_names::dir_name(&entry.name), DirName::Partition(_)) {
            continue;
        }
        fs.create_dir_all(&target).map_err(LogError::storage("make", &target))?;
        let names: Vec<String> =
            list(&source)?.into_iter().filter(|file| !file.is_dir).map(|file| file.name).collect();
        // The opened log goes on with its last segment; those before it are never written to.
        let active = names.iter().filter(|name| name.ends_with(LOG)).max();
        for name in &names {
            let is_sealed = name.ends_with(LOG) && Some(name) != active;
            fork_file(fs, &source.join(name), &target.join(name), is_sealed)?;
        }
    }
    Ok(())
}
