//! Checking the files of a log dir without a broker, and without a write.

mod checkpoints;
mod cluster_metadata;
mod indexes;
mod partition;
mod progress;
mod segment;
mod transactions;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::LogError;
use super::checkpoint::{CleanShutdownFile, ContentError, MAX_FILE_BYTES, MetaProperties};
use super::dump::DumpOptions;
use super::file_names::{self, DirName, LOCK, META_PROPERTIES, TEMPORARY};
use super::loader::kind_of_dir;
use crate::model::TopicPartition;
use crate::sys::{DirEntry, FileLock, FileSystem};
use progress::Progress;
pub use progress::VerifyProgress;

/// Of indexes and snapshots only what is wrong with them.
const ONLY_PROBLEMS: DumpOptions = DumpOptions {
    deep_iteration: false,
    print_data_log: false,
    skip_record_metadata: false,
    verify_index_only: true,
    index_sanity_check: false,
    max_message_size: u64::MAX,
    max_bytes: u64::MAX,
};

/// What a check has looked at, and what it has found.
#[derive(Debug, Default)]
pub(crate) struct Verified {
    pub(crate) partitions: usize,
    pub(crate) segments: usize,
    /// Bytes of records.
    pub(crate) bytes: u64,
    pub(crate) findings: Vec<Finding>,
    /// What is no part of a broker's logs, and is left alone.
    pub(crate) foreign: Vec<String>,
}

/// Something that is not as it should be.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) path: PathBuf,
    pub(crate) what: String,
    pub(crate) remedy: Remedy,
    /// An unclean stop leaves this, and the next start mends it.
    pub(crate) is_pending: bool,
}

/// What helps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// To cut the bytes from `start` to `end` out of a `.log` file.
    Cut { start: u64, end: u64 },
    /// To put a file aside: the next start does without it, or makes it anew.
    SetAside,
    /// To put the whole segment aside, of which this is the `.log` file.
    SetSegmentAside,
    /// To write this instead.
    Replace(Vec<u8>),
    /// The next start knows best.
    Start,
    /// Nothing that a tool could do.
    Nothing,
}

impl Finding {
    fn problem(path: &Path, what: impl std::fmt::Display, remedy: Remedy) -> Self {
        Finding { path: path.to_owned(), what: what.to_string(), remedy, is_pending: false }
    }

    fn pending(path: &Path, what: impl std::fmt::Display, remedy: Remedy) -> Self {
        Finding { is_pending: true, ..Finding::problem(path, what, remedy) }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.what)
    }
}

/// How one file of a log dir is checked, by its name.
pub(crate) type FileCheck<'a> = (&'a str, &'a dyn Fn(&[u8]) -> Result<(), ContentError>);

/// What is checked, and who is told of it.
pub(crate) struct VerifyParams<'a> {
    pub(crate) log_dir: &'a Path,
    /// Files of a log dir that the log engine does not know.
    pub(crate) files: &'a [FileCheck<'a>],
    /// Told before each partition, and while a large one is read.
    pub(crate) progress: &'a mut dyn FnMut(&VerifyProgress),
}

/// Checks every file of a log dir that a broker would use.
///
/// # Errors
/// A broker that is at work there, a directory that is no log dir, and a disk that refuses.
pub(crate) fn verify_log_dir(
    fs: &Arc<dyn FileSystem>,
    params: &mut VerifyParams<'_>,
) -> Result<Verified, LogError> {
    let lock = params.log_dir.join(LOCK);
    require_log_dir(fs, params.log_dir)?;
    // Nothing is written, so that a dir that nobody has locked yet stays without the file.
    let exists = fs.exists(&lock).map_err(LogError::storage("look at", &lock))?;
    let _lock = if exists { Some(locked(fs, params.log_dir)?) } else { None };
    check_log_dir(fs, params)
}

/// Keeps brokers away from a log dir.
pub(super) fn locked(fs: &Arc<dyn FileSystem>, log_dir: &Path) -> Result<Box<dyn FileLock>, LogError> {
    let path = log_dir.join(LOCK);
    let lock = fs.try_lock(&path).map_err(LogError::storage("lock", &path))?;
    lock.ok_or_else(|| LogError::LogDirInUse { dir: log_dir.to_owned() })
}

/// The check itself, of a log dir that no broker uses.
pub(super) fn check_log_dir(
    fs: &Arc<dyn FileSystem>,
    params: &mut VerifyParams<'_>,
) -> Result<Verified, LogError> {
    let log_dir = params.log_dir;
    let entries = fs.read_dir(log_dir).map_err(LogError::storage("list", log_dir))?;
    let partitions = partitions(fs, log_dir, &entries)?;
    let bytes = bytes_of(fs, log_dir, &partitions)?;
    let progress = Progress::new(&mut *params.progress, partitions.len(), bytes);
    let mut check = Check { fs, done: Verified::default(), progress };
    let had_clean_shutdown = CleanShutdownFile::new(Arc::clone(fs), log_dir).exists()?;
    let checkpoints = check.checkpoints(log_dir, had_clean_shutdown)?;
    let properties = log_dir.join(META_PROPERTIES);
    check.small_file(&properties, &|content| MetaProperties::parse(content).map(drop))?;
    for (name, parse) in params.files {
        check.small_file(&log_dir.join(name), parse)?;
    }
    for entry in entries.iter().filter(|entry| !entry.is_dir) {
        let is_ours = file_names::is_file_of_log_dir(&entry.name);
        if !is_ours {
            check.foreign(&log_dir.join(&entry.name), "a foreign file");
        } else if entry.name.ends_with(TEMPORARY) {
            check.stray(&log_dir.join(&entry.name));
        }
    }
    for entry in entries.iter().filter(|entry| entry.is_dir) {
        let what = match kind_of_dir(&**fs, log_dir, &entry.name)? {
            DirName::Foreign => "a foreign directory",
            DirName::Stray => "a partition that Kafka put aside",
            DirName::Partition(_) | DirName::Future(_) | DirName::Deleted | DirName::Exempt => continue,
        };
        check.foreign(&log_dir.join(&entry.name), what);
    }
    let mut ends: HashMap<_, Vec<_>> = HashMap::new();
    for (i, (partition, name)) in partitions.iter().enumerate() {
        check.progress.begin(name, i);
        let end = check.partition(&log_dir.join(name), checkpoints.of(partition))?;
        ends.entry(partition).or_default().push(end);
    }
    if entries.iter().any(|entry| entry.is_dir && entry.name == file_names::CLUSTER_METADATA_DIR) {
        check.cluster_metadata(log_dir, !had_clean_shutdown)?;
    }
    check.hold_against(&ends, log_dir, &checkpoints);
    Ok(check.done)
}

/// Refuses a directory that was named by mistake, of which nothing could be told but that no problem is found in it. An
/// empty one may be a log dir that was never used.
pub(super) fn require_log_dir(fs: &Arc<dyn FileSystem>, log_dir: &Path) -> Result<(), LogError> {
    let entries = fs.read_dir(log_dir).map_err(LogError::storage("list", log_dir))?;
    for entry in &entries {
        let is_foreign = match entry.is_dir {
            true => kind_of_dir(&**fs, log_dir, &entry.name)? == DirName::Foreign,
            false => !file_names::is_file_of_log_dir(&entry.name),
        };
        if !is_foreign {
            return Ok(());
        }
    }
    if entries.is_empty() {
        return Ok(());
    }
    let is_of_partition = entries.iter().any(|entry| file_names::log_file_offset(&entry.name).is_some());
    Err(LogError::NotALogDir { dir: log_dir.to_owned(), is_of_partition })
}

/// The directories that are checked, with the partition that each is of.
fn partitions<'a>(
    fs: &Arc<dyn FileSystem>,
    log_dir: &Path,
    entries: &'a [DirEntry],
) -> Result<Vec<(TopicPartition, &'a str)>, LogError> {
    let mut partitions = Vec::new();
    for entry in entries.iter().filter(|entry| entry.is_dir) {
        match kind_of_dir(&**fs, log_dir, &entry.name)? {
            // A copy that is not complete yet has its offsets in the same files.
            DirName::Partition(partition) | DirName::Future(partition) => {
                partitions.push((partition, &*entry.name));
            }
            DirName::Deleted | DirName::Stray | DirName::Exempt | DirName::Foreign => {}
        }
    }
    Ok(partitions)
}

/// How many bytes of records they have.
fn bytes_of(
    fs: &Arc<dyn FileSystem>,
    log_dir: &Path,
    partitions: &[(TopicPartition, &str)],
) -> Result<u64, LogError> {
    let mut bytes = 0;
    for (_, name) in partitions {
        let dir = log_dir.join(name);
        for entry in fs.read_dir(&dir).map_err(LogError::storage("list", &dir))? {
            if file_names::log_file_offset(&entry.name).is_some() {
                let path = dir.join(entry.name);
                bytes += fs.metadata(&path).map_err(LogError::storage("look at", &path))?.len;
            }
        }
    }
    Ok(bytes)
}

struct Check<'a> {
    fs: &'a Arc<dyn FileSystem>,
    done: Verified,
    progress: Progress<'a>,
}

impl Check<'_> {
    fn found(&mut self, finding: Finding) {
        self.done.findings.push(finding);
    }

    /// Something that opening the log dir leaves alone, too.
    fn foreign(&mut self, path: &Path, what: &str) {
        self.done.foreign.push(format!("{}: {what} is left alone", path.display()));
    }

    /// What is left of the replacement of a file that was cut short.
    fn stray(&mut self, path: &Path) {
        let what = "it was never put in its place";
        self.found(Finding::pending(path, what, Remedy::SetAside));
    }

    /// A file that need not be there.
    fn small_file(
        &mut self,
        path: &Path,
        parse: &dyn Fn(&[u8]) -> Result<(), ContentError>,
    ) -> Result<(), LogError> {
        if let Some(error) = self.wrong_with(path, parse)? {
            let remedy = match error {
                ContentError::Newer { .. } => Remedy::Nothing,
                ContentError::Malformed(_) => Remedy::SetAside,
            };
            self.found(Finding::problem(path, error, remedy));
        }
        Ok(())
    }

    fn wrong_with(
        &self,
        path: &Path,
        parse: &dyn Fn(&[u8]) -> Result<(), ContentError>,
    ) -> Result<Option<ContentError>, LogError> {
        match self.fs.read(path, MAX_FILE_BYTES) {
            Ok(content) => Ok(parse(&content).err()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == std::io::ErrorKind::FileTooLarge => {
                Ok(Some(ContentError::Malformed(error.to_string())))
            }
            Err(error) => Err(LogError::storage("read", path)(error)),
        }
    }
}

/// What an error says beside its path, which a finding has anyway.
fn newer(error: &LogError) -> String {
    match error {
        LogError::NewerFormat { what, .. } => format!("{what}: use the version that wrote it"),
        other => other.to_string(),
    }
}
