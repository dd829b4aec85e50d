//! Log dirs: whose they are, and what they tell about themselves.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::{LogManager, LogManagerConfig, OpenDir};
use crate::log::LogError;
use crate::log::checkpoint::{MAX_FILE_BYTES, MetaProperties};
use crate::log::error::CLUSTER_ID;
use crate::log::file_names::{LOCK, META_PROPERTIES};
use crate::log::log_dir::{LogDir, LogDirFailureChannel};
use crate::model::{BrokerId, TopicPartition, Uuid};
use crate::sys::{Env, FileSystem, Space};

/// What DescribeLogDirs tells of a log dir.
#[derive(Clone, Debug)]
pub(crate) struct LogDirDescription {
    pub(crate) path: PathBuf,
    /// [`Uuid::ZERO`] if it could not be opened.
    pub(crate) directory_id: Uuid,
    /// Why it is offline, if it is.
    pub(crate) offline: Option<String>,
    /// The room of its volume, where the system tells.
    pub(crate) space: Option<Space>,
    /// The partitions in it, with the bytes of their records.
    pub(crate) partitions: Vec<(TopicPartition, u64)>,
    /// Those that move here.
    pub(crate) futures: Vec<FutureDescription>,
    /// Whether it gets nothing new.
    pub(crate) is_cordoned: bool,
}

/// A partition on its way to another log dir.
#[derive(Clone, Debug)]
pub(crate) struct FutureDescription {
    pub(crate) partition: TopicPartition,
    /// What is there already.
    pub(crate) size_bytes: u64,
    /// How many offsets it is behind.
    pub(crate) offset_lag: i64,
}

impl LogManager {
    /// Every log dir, offline ones too.
    pub(crate) fn describe_log_dirs(&self) -> Vec<LogDirDescription> {
        let open = self.dirs.iter().map(|open| {
            let offline = open.dir.check_online().err().map(|error| error.to_string());
            let sizes = |log: Arc<super::Log>| (log.topic_partition().clone(), log.size());
            LogDirDescription {
                path: open.dir.path().to_owned(),
                directory_id: open.directory_id,
                // A volume that does not answer says nothing about its room; reads and writes decide its fate.
                space: self.env.fs.space(open.dir.path()).unwrap_or_default(),
                partitions: self.logs_in(&open.dir).into_iter().map(sizes).collect(),
                futures: self.describe_futures(&open.dir),
                is_cordoned: self.is_cordoned(open.dir.path()),
                offline,
            }
        });
        let failed = self.failed_dirs.iter().map(|(path, reason)| LogDirDescription {
            path: path.clone(),
            directory_id: Uuid::ZERO,
            offline: Some(reason.clone()),
            space: None,
            partitions: Vec::new(),
            futures: Vec::new(),
            is_cordoned: self.is_cordoned(path),
        });
        open.chain(failed).collect()
    }

    fn describe_futures(&self, dir: &Arc<LogDir>) -> Vec<FutureDescription> {
        let futures = self.future_logs().into_iter().filter(|future| Arc::ptr_eq(&future.log_dir, dir));
        let describe = |future: Arc<super::Log>| {
            let partition = future.topic_partition().clone();
            let end = self.log(&partition)?.log_end_offset();
            let offset_lag = end.saturating_sub(future.log_end_offset()).max(0);
            Some(FutureDescription { partition, size_bytes: future.size(), offset_lag })
        };
        futures.filter_map(describe).collect()
    }

    /// Has these log dirs get nothing new, and all others take it again (Kafka: `LogManager#updateCordonedLogDirs`).
    pub(crate) fn set_cordoned_log_dirs(&self, dirs: Vec<String>) {
        *self.cordoned.write() = dirs.into_iter().map(PathBuf::from).collect();
    }

    /// Whether the log dir at `path`, as `log.dirs` names it, gets nothing new.
    pub(crate) fn is_cordoned(&self, path: &Path) -> bool {
        self.cordoned.read().iter().any(|dir| dir == path)
    }

    /// Whether some log dir that works takes new logs, so that there may be more of them. Where none works, that is not
    /// for want of one.
    pub(crate) fn takes_new_logs(&self) -> bool {
        let live = self.live_log_dirs();
        live.is_empty() || live.iter().any(|dir| !self.is_cordoned(dir.path()))
    }

    /// The log dirs that work.
    pub(crate) fn live_log_dirs(&self) -> Vec<Arc<LogDir>> {
        self.dirs.iter().filter(|open| open.dir.is_online()).map(|open| Arc::clone(&open.dir)).collect()
    }

    /// Why the log dir at `path` cannot be used, if it cannot.
    pub(crate) fn offline_reason(&self, path: &Path) -> Option<String> {
        let failed = self.failed_dirs.iter().find(|(failed, _)| failed == path);
        let lost = || self.dirs.iter().find(|open| open.dir.path() == path)?.dir.offline_reason();
        failed.map(|(_, reason)| reason.clone()).or_else(|| lost().map(|reason| reason.to_string()))
    }

    /// The log dirs that cannot be used now.
    pub(crate) fn offline_log_dirs(&self) -> Vec<PathBuf> {
        let failed = self.failed_dirs.iter().map(|(path, _)| path.clone());
        let lost =
            self.dirs.iter().filter(|open| !open.dir.is_online()).map(|open| open.dir.path().to_owned());
        failed.chain(lost).collect()
    }
}

/// The id of the broker that a log dir belongs to, if it says so.
pub(crate) fn node_id_of_dir(fs: &dyn FileSystem, dir: &Path) -> Option<BrokerId> {
    // Opening the dir tells what is wrong with it.
    MetaProperties::parse(&fs.read(&dir.join(META_PROPERTIES), MAX_FILE_BYTES).ok()?).ok()?.node_id
}

/// Makes a log dir, and those above it, so that it is there after a power loss too.
fn make_log_dir(fs: &dyn FileSystem, path: &Path) -> Result<(), LogError> {
    // It is the first file there, and comes after all this. Why it cannot be looked at is told by what follows.
    if matches!(fs.exists(&path.join(META_PROPERTIES)), Ok(true)) {
        return Ok(());
    }
    let dirs: Vec<&Path> = path.ancestors().filter(|dir| !dir.as_os_str().is_empty()).collect();
    let mut missing = 0;
    for dir in &dirs {
        if fs.exists(dir).map_err(LogError::storage("make", dir))? {
            break;
        }
        missing += 1;
    }
    fs.create_dir_all(path).map_err(|error| {
        let is_file = error.kind() == io::ErrorKind::AlreadyExists;
        let error = if is_file { io::Error::other("there is a file, and no directory") } else { error };
        LogError::storage("make", path)(error)
    })?;
    for (i, dir) in dirs.into_iter().enumerate() {
        let parent = match dir.parent() {
            Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
            Some(parent) => parent,
            None => break,
        };
        match fs.sync_dir(parent) {
            Ok(()) => {}
            Err(error) if i < missing => return Err(LogError::storage("sync", parent)(error)),
            // A start that was killed may have made those that are there, too, but hardly where nothing can be synced.
            Err(_) => break,
        }
    }
    Ok(())
}

/// The log dirs while they are being opened.
pub(super) struct DirsOpening<'a> {
    env: &'a Env,
    config: &'a LogManagerConfig,
    failures: &'a LogDirFailureChannel,
    /// The cluster's id, once a setting or a directory has told it, and who did.
    cluster_id: Option<String>,
    opened: Vec<(OpenDir, Option<MetaProperties>)>,
    failed: Vec<(PathBuf, String)>,
}

/// The log dirs, opened.
pub(super) struct OpenedDirs {
    pub(super) cluster_id: String,
    pub(super) dirs: Vec<OpenDir>,
    pub(super) failed: Vec<(PathBuf, String)>,
}

impl<'a> DirsOpening<'a> {
    pub(super) fn new(
        env: &'a Env,
        config: &'a LogManagerConfig,
        failures: &'a LogDirFailureChannel,
    ) -> Self {
        let cluster_id = config.cluster_id.clone();
        DirsOpening { env, config, failures, cluster_id, opened: Vec::new(), failed: Vec::new() }
    }

    /// Takes the locks and checks that all dirs belong to this broker. A dir whose disk refuses is left out; one
    /// that is somebody else's is an error.
    pub(super) fn open(mut self) -> Result<OpenedDirs, LogError> {
        for path in &self.config.log_dirs {
            match self.open_dir(path) {
                Ok(opened) => self.opened.push(opened),
                Err(error @ LogError::Storage { .. }) => self.leave_out(path, &error),
                Err(error) => return Err(error),
            }
        }
        let cluster_id = match &self.cluster_id {
            Some(id) => id.clone(),
            None => self.env.random_uuid().to_string(),
        };
        let mut dirs = Vec::new();
        for (mut open, found) in std::mem::take(&mut self.opened) {
            match self.complete_meta_properties(&mut open, found, &cluster_id) {
                Ok(()) => dirs.push(open),
                Err(error) => self.leave_out(open.dir.path(), &error),
            }
        }
        if dirs.is_empty() {
            return Err(super::no_log_dir(self.failed.into_iter().map(|(_, reason)| reason)));
        }
        Ok(OpenedDirs { cluster_id, dirs, failed: self.failed })
    }

    fn leave_out(&mut self, path: &Path, error: &LogError) {
        let reason = error.reason();
        tracing::error!(log_dir = %path.display(), error = %reason, "log dir cannot be used");
        self.failed.push((path.to_owned(), reason));
    }

    fn open_dir(&mut self, path: &Path) -> Result<(OpenDir, Option<MetaProperties>), LogError> {
        let fs = &self.env.fs;
        make_log_dir(&**fs, path)?;
        let lock_path = path.join(LOCK);
        let lock = fs.try_lock(&lock_path).map_err(LogError::storage("lock", &lock_path))?;
        let Some(lock) = lock else { return Err(LogError::LogDirInUse { dir: path.to_owned() }) };
        let found = self.read_meta_properties(&path.join(META_PROPERTIES))?;
        let dir = Arc::new(LogDir::new(fs, path.to_owned(), self.failures.clone()));
        Ok((OpenDir { dir, directory_id: Uuid::ZERO, lock: Mutex::new(Some(lock)) }, found))
    }

    fn read_meta_properties(&mut self, path: &Path) -> Result<Option<MetaProperties>, LogError> {
        let content = match self.env.fs.read(path, MAX_FILE_BYTES) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                return Err(LogError::Malformed { path: path.to_owned(), what: error.to_string() });
            }
            Err(error) => return Err(LogError::storage("read", path)(error)),
        };
        let found = MetaProperties::parse(&content).map_err(|error| match error.at(path) {
            LogError::Malformed { path, what } => {
                // Without it, nobody can tell whose logs these are.
                let what = format!("{what}; restore it, or name another directory in log.dirs");
                LogError::Malformed { path, what }
            }
            newer => newer,
        })?;
        let mismatch = |key, found: &str, expected: &str| LogError::MetaPropertiesMismatch {
            path: path.to_owned(),
            key,
            found: found.to_owned(),
            expected: expected.to_owned(),
        };
        if let Some(id) = found.node_id
            && id != self.config.node_id
        {
            return Err(mismatch(found.node_id_key(), &id.to_string(), &self.config.node_id.to_string()));
        }
        match (&found.cluster_id, &self.cluster_id) {
            (Some(id), Some(expected)) if id != expected => return Err(mismatch(CLUSTER_ID, id, expected)),
            (Some(id), _) => self.cluster_id = Some(id.clone()),
            (None, _) => {}
        }
        Ok(Some(found))
    }

    /// Writes what is missing. A file that ZooKeeper mode wrote stays one.
    fn complete_meta_properties(
        &self,
        open: &mut OpenDir,
        found: Option<MetaProperties>,
        cluster_id: &str,
    ) -> Result<(), LogError> {
        let directory_id = found.as_ref().and_then(|found| found.directory_id);
        let complete = MetaProperties {
            version: found.as_ref().map_or(1, |found| found.version),
            node_id: Some(self.config.node_id),
            cluster_id: Some(cluster_id.to_owned()),
            directory_id: directory_id.or_else(|| Some(self.env.random_uuid())),
        };
        open.directory_id = complete.directory_id.unwrap_or_default();
        if found.as_ref() == Some(&complete) {
            return Ok(());
        }
        let path = open.dir.path().join(META_PROPERTIES);
        self.env.fs.replace(&path, &complete.format()).map_err(LogError::storage("write", &path))
    }
}
