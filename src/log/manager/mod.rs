//! All logs of a broker, in all its log dirs (Kafka: `LogManager`).

mod create;
mod deletion;
mod dirs;
#[cfg(feature = "testkit")]
mod fork;
mod jobs;
mod moves;
mod open;
mod shutdown;
mod tasks;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use parking_lot::{Mutex, RwLock};

pub(crate) use deletion::DeletionQueue;
pub(crate) use dirs::{FutureDescription, node_id_of_dir};
#[cfg(feature = "testkit")]
pub(crate) use fork::fork_log_dir;
pub(crate) use moves::Move;

use super::cleaner::{CleanerConfig, LogCleaner};
use super::log_dir::{LogDir, LogDirFailureChannel};
use super::open_files::OpenFiles;
use super::{Log, LogError, RecoveryListener};
use crate::config::LogConfig;
use crate::model::{BrokerId, TopicPartition, Uuid};
use crate::sys::{Env, FileLock};

/// What a topic's logs are opened with.
pub(crate) type TopicConfigs = Arc<dyn Fn(&str) -> Arc<LogConfig> + Send + Sync>;

/// How to open the logs of a broker.
#[derive(Clone)]
pub(crate) struct LogManagerConfig {
    /// `log.dirs`; made if need be.
    pub(crate) log_dirs: Vec<PathBuf>,
    /// The broker's id, which `meta.properties` must agree with.
    pub(crate) node_id: BrokerId,
    /// The cluster's id, which `meta.properties` must agree with; `None`: as it says, or a new one.
    pub(crate) cluster_id: Option<String>,
    /// `num.recovery.threads.per.data.dir`.
    pub(crate) recovery_threads_per_data_dir: usize,
    /// Told of what is to be recovered after an unclean stop, and how far that is.
    pub(crate) on_recovery: Option<RecoveryListener>,
    /// `producer.id.expiration.ms`.
    pub(crate) producer_id_expiration_ms: i64,
    /// The settings of compaction.
    pub(crate) cleaner: CleanerConfig,
    /// The settings of the topics that are found.
    pub(crate) topic_configs: TopicConfigs,
}

/// The logs of a broker. Shared between threads.
#[derive(Debug)]
pub(crate) struct LogManager {
    env: Env,
    cluster_id: String,
    producer_id_expiration_ms: AtomicI64,
    recovery_threads_per_data_dir: usize,
    /// Those that could be opened; some may have failed since.
    dirs: Vec<OpenDir>,
    /// Those that failed before they were open, with the reason.
    failed_dirs: Vec<(PathBuf, String)>,
    failures: LogDirFailureChannel,
    /// Log dirs that get nothing new.
    cordoned: RwLock<Vec<PathBuf>>,
    logs: RwLock<HashMap<TopicPartition, Arc<Log>>>,
    /// Those that are to take the place of one of `logs`, in another log dir. Changed only by who holds `changing`.
    futures: RwLock<HashMap<TopicPartition, Arc<Log>>>,
    /// Partitions, with their topics' ids, whose logs may be in a log dir that is offline.
    missing: RwLock<HashMap<TopicPartition, Uuid>>,
    /// Held while logs are made, moved or deleted; whether that is over, since the log dirs were given back.
    changing: Mutex<bool>,
    deletions: Arc<DeletionQueue>,
    cleaner: Arc<LogCleaner>,
    open_files: Arc<OpenFiles>,
}

/// A log dir that this broker has the lock of.
#[derive(Debug)]
struct OpenDir {
    dir: Arc<LogDir>,
    directory_id: Uuid,
    /// Given back on shutdown.
    lock: Mutex<Option<Box<dyn FileLock>>>,
}

impl LogManager {
    /// The id of the cluster that the log dirs belong to.
    pub(crate) fn cluster_id(&self) -> &str {
        &self.cluster_id
    }

    /// The log of a partition, if there is one.
    pub(crate) fn log(&self, partition: &TopicPartition) -> Option<Arc<Log>> {
        self.logs.read().get(partition).cloned()
    }

    /// All logs.
    pub(crate) fn logs(&self) -> Vec<Arc<Log>> {
        self.logs.read().values().cloned().collect()
    }

    /// Tells of log dirs that cannot be used, from the start or from some time on.
    pub(crate) fn failures(&self) -> &LogDirFailureChannel {
        &self.failures
    }

    pub(super) fn cleaner(&self) -> &Arc<LogCleaner> {
        &self.cleaner
    }

    fn logs_in(&self, dir: &Arc<LogDir>) -> Vec<Arc<Log>> {
        self.logs.read().values().filter(|log| Arc::ptr_eq(&log.log_dir, dir)).cloned().collect()
    }

    /// The error when no log dir is left: those that never worked, and those that failed since, with their reasons.
    fn no_log_dir(&self) -> LogError {
        let never = self.failed_dirs.iter().map(|(_, reason)| reason.clone());
        let since = self.dirs.iter().filter_map(|open| open.dir.offline_reason());
        no_log_dir(never.chain(since.map(|reason| reason.to_string())))
    }

    fn online_dirs(&self) -> impl Iterator<Item = &OpenDir> {
        self.dirs.iter().filter(|dir| dir.dir.is_online())
    }
}

impl std::fmt::Debug for LogManagerConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogManagerConfig")
            .field("log_dirs", &self.log_dirs)
            .field("node_id", &self.node_id)
            .field("cluster_id", &self.cluster_id)
            .finish_non_exhaustive()
    }
}

/// The error when nothing is left to work with. Each reason has the path of what refused.
fn no_log_dir(reasons: impl IntoIterator<Item = String>) -> LogError {
    LogError::NoLogDir { reasons: reasons.into_iter().collect::<Vec<_>>().join("; ") }
}
