//! Cutting what is damaged out of a log dir that no broker uses. Nothing is lost by it: what is cut stays beside.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::LogError;
use super::checkpoint::CleanShutdownFile;
use super::file_names::{self, CUT, OFFSET_INDEX, TEMPORARY, TIME_INDEX, TXN_INDEX};
use super::verify::{self, Finding, Remedy, Verified, VerifyParams};
use crate::model::Offset;
use crate::sys::{File, FileSystem, OpenOptions};

/// Bytes that are copied at once.
const CHUNK: usize = 1 << 20;

/// What is to be done to a log dir, or was done.
#[derive(Debug, Default)]
pub(crate) struct Repaired {
    pub(crate) verified: Verified,
    /// In words, a step each.
    pub(crate) steps: Vec<String>,
    /// The files that hold what was cut.
    pub(crate) kept: Vec<PathBuf>,
    /// What cannot be mended here.
    pub(crate) left: Vec<String>,
}

/// Says what would have to be done to a log dir, and does it if `apply`.
///
/// # Errors
/// A broker that is at work there, a directory that is no log dir, and a disk that refuses. Then what was done so far is
/// done; what was to be cut is still there, in its place or beside.
pub(crate) fn repair_log_dir(
    fs: &Arc<dyn FileSystem>,
    params: &mut VerifyParams<'_>,
    apply: bool,
) -> Result<Repaired, LogError> {
    let log_dir = params.log_dir.to_owned();
    let mut done = Repaired::default();
    if !apply {
        done.verified = verify::verify_log_dir(fs, params)?;
        done.tell();
        return Ok(done);
    }
    // A lock file is made if need be, but no directory, and none in one that is no log dir.
    verify::require_log_dir(fs, &log_dir)?;
    let _lock = verify::locked(fs, &log_dir)?;
    done.verified = verify::check_log_dir(fs, params)?;
    done.tell();
    if done.steps.is_empty() {
        return Ok(done);
    }
    let mut repair = Repair { fs, kept: Vec::new() };
    let mut cuts: BTreeMap<&Path, Vec<(u64, u64)>> = BTreeMap::new();
    for Finding { path, remedy, .. } in &done.verified.findings {
        match remedy {
            Remedy::Cut { start, end } => cuts.entry(path).or_default().push((*start, *end)),
            Remedy::SetAside => repair.set_index_or_file_aside(path)?,
            Remedy::SetSegmentAside => {
                repair.set_indexes_aside(path)?;
                repair.set_aside(path)?;
            }
            Remedy::Replace(content) => {
                // Where there is none, nothing is lost.
                if fs.exists(path).map_err(LogError::storage("look at", path))? {
                    let kept = repair.kept_name(path, "")?;
                    repair.copy(path, &[(0, u64::MAX)], &kept)?;
                    repair.kept.push(kept);
                }
                fs.replace(path, content).map_err(LogError::storage("write", path))?;
            }
            Remedy::Start | Remedy::Nothing => {}
        }
    }
    for (path, ranges) in cuts {
        repair.cut(path, &ranges)?;
    }
    // The files are not as they were closed: the next start has to look. Not before all is done: were it gone, the ends of
    // logs would be for the next start to cut, and this could not be run again.
    CleanShutdownFile::new(Arc::clone(fs), &log_dir).take()?;
    done.kept = repair.kept;
    Ok(done)
}

impl Repaired {
    fn tell(&mut self) {
        for finding in &self.verified.findings {
            let path = finding.path.display();
            let step = match &finding.remedy {
                Remedy::Cut { start, end } => {
                    format!("{path}: cut {} bytes from byte {start} on", end - start)
                }
                Remedy::SetAside => format!("{path}: put it aside"),
                Remedy::SetSegmentAside => format!("{path}: put the segment aside"),
                Remedy::Replace(_) => {
                    format!("{path}: write what the batches tell, and put the old one aside")
                }
                Remedy::Start => continue,
                Remedy::Nothing => {
                    self.left.push(finding.to_string());
                    continue;
                }
            };
            self.steps.push(format!("{step} ({})", finding.what));
        }
    }
}

struct Repair<'a> {
    fs: &'a Arc<dyn FileSystem>,
    kept: Vec<PathBuf>,
}

impl Repair<'_> {
    /// Cuts ranges, in order, out of a `.log` file. They are on the disk elsewhere before they are gone here, and whatever
    /// moment a crash chooses, the file is the old one or the new one.
    fn cut(&mut self, path: &Path, ranges: &[(u64, u64)]) -> Result<(), LogError> {
        for &(start, end) in ranges {
            let kept = self.kept_name(path, &format!(".{start}-{end}"))?;
            self.copy(path, &[(start, end)], &kept)?;
            self.kept.push(kept);
        }
        // They tell of positions that change now; without them, the next start builds them again.
        self.set_indexes_aside(path)?;
        let metadata = self.fs.metadata(path).map_err(LogError::storage("look at", path))?;
        let mut whole = Vec::new();
        let mut position = 0;
        for &(start, end) in ranges {
            whole.push((position, start));
            position = end;
        }
        whole.push((position, metadata.len));
        let mut name = path.as_os_str().to_owned();
        name.push(TEMPORARY);
        let temporary = PathBuf::from(name);
        let file = self.copy(path, &whole, &temporary)?;
        // Where records have no timestamps, their age is that of the file.
        file.set_modified_ms(metadata.modified_ms)
            .map_err(LogError::storage("set the time of", &temporary))?;
        drop(file);
        self.fs.rename(&temporary, path).map_err(LogError::storage("rename", &temporary))?;
        self.sync_around(path)
    }

    /// Writes ranges of `from` into a new file, and syncs it.
    fn copy(&self, from: &Path, ranges: &[(u64, u64)], to: &Path) -> Result<Arc<dyn File>, LogError> {
        let source = self.fs.open(from, OpenOptions::READ).map_err(LogError::storage("open", from))?;
        let len = source.len().map_err(LogError::storage("look at", from))?;
        let target = self.fs.open(to, OpenOptions::REPLACE).map_err(LogError::storage("make", to))?;
        let mut chunk = Vec::new();
        let mut written = 0;
        for &(start, end) in ranges {
            let (mut at, end) = (start, end.min(len));
            while at < end {
                let size = usize::try_from(end - at).unwrap_or(CHUNK).min(CHUNK);
                chunk.resize(size, 0);
                source.read_exact_at(&mut chunk, at).map_err(LogError::storage("read", from))?;
                target.write_all_at(&chunk, written).map_err(LogError::storage("write", to))?;
                at += size as u64;
                written += size as u64;
            }
        }
        target.sync_all().map_err(LogError::storage("flush", to))?;
        self.sync_around(to)?;
        Ok(target)
    }

    /// Of an index that is not right: all of its segment, since only a missing offset index has them built again.
    fn set_index_or_file_aside(&mut self, path: &Path) -> Result<(), LogError> {
        match path.extension().and_then(|end| end.to_str()) {
            Some("index" | "timeindex" | "txnindex") => self.set_indexes_aside(path),
            _ => self.set_aside(path),
        }
    }

    fn set_indexes_aside(&mut self, file_of_segment: &Path) -> Result<(), LogError> {
        let name = file_of_segment.file_name().unwrap_or_default().to_string_lossy();
        let Some(base_offset): Option<Offset> = file_names::offset_of(&name) else { return Ok(()) };
        for kind in [OFFSET_INDEX, TIME_INDEX, TXN_INDEX] {
            self.set_aside(&file_of_segment.with_file_name(file_names::of_offset(base_offset, kind)))?;
        }
        Ok(())
    }

    /// Renames a file; one that is not there any more is aside already.
    fn set_aside(&mut self, path: &Path) -> Result<(), LogError> {
        let kept = self.kept_name(path, "")?;
        match self.fs.rename(path, &kept) {
            Ok(()) => {
                self.kept.push(kept);
                self.sync_around(path)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(LogError::storage("rename", path)(error)),
        }
    }

    /// The name of a file that is not there yet, beside the one at `path`.
    fn kept_name(&self, path: &Path, part: &str) -> Result<PathBuf, LogError> {
        let mut number = 0_u64;
        loop {
            let mut name = path.as_os_str().to_owned();
            name.push(match number {
                0 => format!("{part}{CUT}"),
                number => format!("{part}.{number}{CUT}"),
            });
            let kept = PathBuf::from(name);
            if !self.fs.exists(&kept).map_err(LogError::storage("look at", &kept))? {
                return Ok(kept);
            }
            number += 1;
        }
    }

    fn sync_around(&self, path: &Path) -> Result<(), LogError> {
        match path.parent() {
            Some(dir) => self.fs.sync_dir(dir).map_err(LogError::storage("sync", dir)),
            None => Ok(()),
        }
    }
}
