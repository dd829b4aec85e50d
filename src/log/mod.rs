//! The log of a partition, in Apache Kafka's own on-disk format, and the manager of many.
//!
//! [`Log`] is the whole of one partition (Kafka: `UnifiedLog` and `LocalLog`); its verbs are the files of this folder.
//! A `Log` is made of [`segment::LogSegment`]s: a [`file_records::FileRecords`] and its [`index`]es. [`LogManager`]
//! opens, makes and removes logs, and has the tasks that somebody must call from time to time.
//!
//! Locks, in the order in which they may be taken: that of compaction, the flusher's, the writer, then the segment list or the epochs, then the bounds,
//! then what is inside of a segment. Readers take only the latter ones, each for as long as a copy takes.

mod append;
mod bounds;
mod checkpoint;
mod cleaner;
mod cleaning;
mod close;
#[cfg(feature = "cli")]
mod dump;
mod epoch_cache;
mod epochs;
mod error;
mod file_names;
mod file_records;
mod flush;
mod flush_turns;
#[cfg(feature = "testkit")]
mod fork;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod index;
mod loader;
mod log_dir;
mod manager;
mod moving;
mod offset_metadata;
mod offsets;
mod open_files;
mod partition_dir;
mod producer_api;
mod producer_state;
mod producers;
mod read;
mod recover;
mod recovery_progress;
#[cfg(feature = "cli")]
mod repair;
mod replace;
mod retention;
mod roll;
mod segment;
mod segments;
mod timestamps;
mod topic_id;
mod truncate;
mod upkeep;
mod validation;
#[cfg(feature = "cli")]
mod verify;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use parking_lot::{Mutex, RwLock};

pub(crate) use append::{AppendParams, LogAppendInfo};
pub(crate) use bounds::FetchIsolation;
#[cfg(feature = "cli")]
pub(crate) use checkpoint::ContentError;
pub(crate) use cleaner::CleanerConfig;
#[cfg(feature = "cli")]
pub(crate) use dump::{Dump, DumpError, DumpOptions, RecordText};
pub(crate) use epoch_cache::EpochEndOffset;
pub(crate) use error::LogError;
pub(crate) use file_names::{CLUSTER_METADATA_DIR, log_file_offset};
pub(crate) use index::AbortedTxn;
pub(crate) use log_dir::LogDir;
#[cfg(test)]
pub(crate) use log_dir::LogDirFailureChannel;
#[cfg(feature = "testkit")]
pub(crate) use manager::fork_log_dir;
pub(crate) use manager::{FutureDescription, LogManager, LogManagerConfig, Move, node_id_of_dir};
pub(crate) use offset_metadata::LogOffsetMetadata;
pub(crate) use read::ReadParams;
pub(crate) use recovery_progress::RecoveryListener;
pub use recovery_progress::RecoveryProgress;
#[cfg(feature = "cli")]
pub(crate) use repair::repair_log_dir;
pub(crate) use segment::TimestampMatch;
#[cfg(feature = "cli")]
pub use verify::VerifyProgress;
#[cfg(feature = "cli")]
pub(crate) use verify::{FileCheck, VerifyParams, verify_log_dir};

use crate::config::LogConfig;
use crate::model::{TopicPartition, Uuid};
use crate::sys::Env;
use bounds::Bounds;
use cleaning::Cleaning;
use epoch_cache::LeaderEpochFileCache;
use flush::Flusher;
use manager::DeletionQueue;
use partition_dir::PartitionDir;
use producer_state::ProducerStateManager;
use segments::Segments;

/// One partition's records. Shared freely between threads: appends queue for one lock, reads do not wait for them.
#[derive(Debug)]
pub(crate) struct Log {
    partition: TopicPartition,
    env: Env,
    log_dir: Arc<LogDir>,
    dir: Arc<PartitionDir>,
    deletions: Arc<DeletionQueue>,
    topic_id: RwLock<Uuid>,
    config: RwLock<Arc<LogConfig>>,
    writer: Mutex<Writer>,
    segments: RwLock<Arc<Segments>>,
    epochs: RwLock<LeaderEpochFileCache>,
    /// Held while the leader epoch checkpoint is written.
    epoch_file: Mutex<()>,
    bounds: Mutex<Bounds>,
    flusher: Flusher,
    cleaning: Cleaning,
    /// Set once the log was closed, renamed or deleted: nothing may be appended any more.
    closed: AtomicBool,
    /// Whether whoever had it open before closed it in order.
    had_clean_shutdown: bool,
}

/// What only the thread may touch that appends, rolls or truncates.
#[derive(Debug)]
struct Writer {
    producers: ProducerStateManager,
}

impl Log {
    /// Whose records they are.
    pub(crate) fn topic_partition(&self) -> &TopicPartition {
        &self.partition
    }

    /// The topic's id; [`Uuid::ZERO`] if its directory tells none.
    pub(crate) fn topic_id(&self) -> Uuid {
        *self.topic_id.read()
    }

    /// The log dir in which the partition lies.
    pub(crate) fn log_dir(&self) -> &std::path::Path {
        self.log_dir.path()
    }

    /// Whether nothing can have been lost when it was open before.
    pub(crate) fn had_clean_shutdown(&self) -> bool {
        self.had_clean_shutdown
    }

    /// Whether the disk under it still works.
    pub(crate) fn is_online(&self) -> bool {
        self.log_dir.is_online()
    }

    /// Fails once its log dir is offline.
    pub(crate) fn check_online(&self) -> Result<(), LogError> {
        self.log_dir.check_online()
    }

    /// The settings.
    pub(crate) fn config(&self) -> Arc<LogConfig> {
        Arc::clone(&self.config.read())
    }

    /// Changes the settings, from the next operation on (Kafka: `UnifiedLog#updateConfig`).
    pub(crate) fn update_config(&self, config: Arc<LogConfig>) {
        *self.config.write() = config;
    }

    /// Bytes of records.
    pub(crate) fn size(&self) -> u64 {
        self.segments().iter().map(|segment| segment.size()).sum()
    }

    /// The number of segments.
    pub(crate) fn number_of_segments(&self) -> usize {
        self.segments().len()
    }

    /// Where the first segment starts; the log may start later.
    pub(crate) fn first_segment_base_offset(&self) -> crate::model::Offset {
        self.segments.read().first().base_offset()
    }

    /// The segments as they are now; those that are deleted meanwhile stay readable.
    fn segments(&self) -> Arc<Segments> {
        Arc::clone(&self.segments.read())
    }

    fn closed(&self) -> LogError {
        LogError::Closed { partition: self.partition.clone() }
    }
}
