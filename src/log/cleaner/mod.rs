//! Compaction: of all records with one key, only the last stays (Kafka: `LogCleaner`).
//!
//! A log has a clean part, which was compacted before, and behind it a dirty part, which ends where records may still
//! be taken back, are too young, or are in the active segment. Compaction reads the dirty part and remembers the last
//! offset of each key ([`offset_map`]); then it copies all segments up to there, without the records that a later one
//! with the same key has made obsolete ([`copy`]), and puts the copies in their place. Offsets never change.
//!
//! Records of aborted transactions go at once; tombstones and transaction markers once `delete.retention.ms` has
//! passed since the first compaction that saw them with nothing before them left. A batch may lose all its records and
//! stay for what its header tells: the last sequence of a producer that is still known.

mod choose;
mod clean;
mod copy;
mod group;
mod key_hash;
mod offset_map;
mod threads;
mod throttle;
mod transactions;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Mutex, RwLock};

use throttle::Throttler;

use super::LogError;
use crate::config::BrokerConfig;
use crate::sys::{Env, Waiter};

/// The settings of compaction.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CleanerConfig {
    /// `log.cleaner.enable`.
    pub(crate) enable: bool,
    /// `log.cleaner.threads`.
    pub(crate) threads: usize,
    /// `log.cleaner.dedupe.buffer.size`, of all threads together.
    pub(crate) dedupe_buffer_size: usize,
    /// `log.cleaner.io.buffer.load.factor`.
    pub(crate) load_factor: f64,
    /// `log.cleaner.io.buffer.size`, of all threads together.
    pub(crate) io_buffer_size: usize,
    /// `log.cleaner.io.max.bytes.per.second`, of all threads together.
    pub(crate) io_max_bytes_per_second: f64,
    /// `log.cleaner.backoff.ms`.
    pub(crate) backoff_ms: u64,
}

impl Default for CleanerConfig {
    fn default() -> Self {
        CleanerConfig {
            enable: true,
            threads: 1,
            dedupe_buffer_size: 128 << 20,
            load_factor: 0.9,
            io_buffer_size: 512 << 10,
            io_max_bytes_per_second: f64::MAX,
            backoff_ms: 15_000,
        }
    }
}

impl From<&BrokerConfig> for CleanerConfig {
    fn from(config: &BrokerConfig) -> Self {
        CleanerConfig {
            enable: config.log_cleaner_enable,
            threads: usize::try_from(config.log_cleaner_threads).unwrap_or_default(),
            dedupe_buffer_size: usize::try_from(config.log_cleaner_dedupe_buffer_size).unwrap_or_default(),
            load_factor: config.log_cleaner_io_buffer_load_factor,
            io_buffer_size: usize::try_from(config.log_cleaner_io_buffer_size).unwrap_or_default(),
            io_max_bytes_per_second: config.log_cleaner_io_max_bytes_per_second,
            backoff_ms: u64::try_from(config.log_cleaner_backoff_ms).unwrap_or_default(),
        }
    }
}

impl CleanerConfig {
    /// The share of one thread.
    fn dedupe_buffer_per_thread(&self) -> usize {
        self.dedupe_buffer_size / self.threads.max(1)
    }

    /// The share of one thread, which reads through one half and writes through the other.
    fn io_buffer_per_thread(&self) -> usize {
        self.io_buffer_size / self.threads.max(1) / 2
    }
}

/// Why a compaction did not come to its end.
#[derive(Debug)]
pub(super) enum CleaningError {
    /// Somebody needed the log, or its end has come. There will be another time, or no need.
    Aborted,
    /// The disk refused, or a segment holds something that cannot be read.
    Log(LogError),
}

impl From<LogError> for CleaningError {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Closed { .. } | LogError::Deleted { .. } | LogError::LogDirOffline { .. } => {
                CleaningError::Aborted
            }
            error => CleaningError::Log(error),
        }
    }
}

/// What all threads that compact share.
pub(crate) struct LogCleaner {
    env: Env,
    config: RwLock<Arc<CleanerConfig>>,
    /// Where the threads wait; notified when one of them is to stop, or to let go of a log.
    wakeup: Arc<Waiter>,
    throttler: Throttler,
    started: AtomicBool,
    stopped: AtomicBool,
    threads: Mutex<Vec<std::thread::JoinHandle<()>>>,
}

impl LogCleaner {
    /// Nothing runs before [`super::LogManager::start_cleaner`].
    pub(super) fn new(env: &Env, config: CleanerConfig) -> Self {
        let wakeup = Waiter::new(Arc::clone(&env.clock));
        LogCleaner {
            env: env.clone(),
            config: RwLock::new(Arc::new(config)),
            throttler: Throttler::new(Arc::clone(&env.clock), Arc::clone(&wakeup)),
            wakeup,
            started: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            threads: Mutex::default(),
        }
    }

    pub(super) fn wakeup(&self) -> &Arc<Waiter> {
        &self.wakeup
    }

    fn config(&self) -> Arc<CleanerConfig> {
        Arc::clone(&self.config.read())
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }
}

impl std::fmt::Debug for LogCleaner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogCleaner")
            .field("config", &self.config)
            .field("stopped", &self.stopped)
            .finish_non_exhaustive()
    }
}
