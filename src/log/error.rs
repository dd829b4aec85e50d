//! What can go wrong in a log.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::model::{ErrorCode, Offset, ProducerEpoch, ProducerId, TopicPartition, Uuid};
use crate::record::BatchError;

/// The property that names the cluster.
pub(in crate::log) const CLUSTER_ID: &str = "cluster.id";

/// An operation on a log, or on a directory of logs, that did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogError {
    /// The disk refused; the log dir is offline from now on, unless the disk was only full.
    #[error("cannot {action} {}: {source}{}", path.display(), remedy(source))]
    Storage {
        /// What was tried, as a verb with its preposition.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An earlier error took the log dir offline.
    #[error("log dir {} is offline: {reason}", dir.display())]
    LogDirOffline {
        /// The log dir.
        dir: PathBuf,
        /// The error that did it.
        reason: Arc<str>,
    },
    /// Work on a directory ended in a panic, which is a fault of this program; its log dir is offline from now on.
    #[error(
        "work on {} ended in a panic, which is a bug: {what}; the log dir is used no more, its files are left as they are",
        path.display()
    )]
    Panicked {
        /// The directory.
        path: PathBuf,
        /// What the panic said.
        what: String,
    },
    /// No log dir is left to work with.
    #[error(
        "none of the log dirs can be used: {reasons}; see that they have room, have this user make and write to them, or \
         name others in log.dirs"
    )]
    NoLogDir {
        /// What went wrong with each, by its path.
        reasons: String,
    },
    /// Another broker holds the lock of a log dir.
    #[error("log dir {} is in use by another broker: stop that one, or choose another directory", dir.display())]
    LogDirInUse {
        /// The log dir.
        dir: PathBuf,
    },
    /// A directory was named in which nothing is a broker's.
    #[error(
        "{} is no log dir{}", dir.display(),
        if *is_of_partition { " but that of one partition: name the directory above it" }
        else { ", nothing in it is a broker's: name one of log.dirs" }
    )]
    NotALogDir {
        /// The directory.
        dir: PathBuf,
        /// It has segments itself.
        is_of_partition: bool,
    },
    /// A directory was named that is not among the log dirs.
    #[error("{} is not among the log dirs", dir.display())]
    LogDirNotFound {
        /// The directory.
        dir: PathBuf,
    },
    /// A file of ours has content that we did not write.
    #[error("{} is malformed: {what}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and how.
        what: String,
    },
    /// A later version wrote a file, and knows more than this one.
    #[error(
        "{} is of a newer format: {what}; open the directory with the version that wrote it, the file is left as it is",
        path.display()
    )]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// What in it is newer.
        what: String,
    },
    /// The directories, or the settings, belong to different brokers or clusters.
    #[error(
        "{} says {key}={found}, but {expected} is expected: {}", path.display(),
        if *key == CLUSTER_ID { "name only directories of one cluster in log.dirs" }
        else { "set it so, or name another directory in log.dirs" }
    )]
    MetaPropertiesMismatch {
        /// The file.
        path: PathBuf,
        /// The property.
        key: &'static str,
        /// Its value in the file.
        found: String,
        /// The value that the settings or another directory have.
        expected: String,
    },
    /// Two log dirs have the same partition.
    #[error("{partition} is in two log dirs, {dirs}: move one of the two elsewhere")]
    DuplicateLog {
        /// The partition.
        partition: TopicPartition,
        /// The log dirs.
        dirs: String,
    },
    /// The directory of a move would have a name that file systems do not take.
    #[error("the name of the topic of {partition} is too long for a move to another log dir")]
    TopicNameTooLong {
        /// The partition.
        partition: TopicPartition,
    },
    /// The partition's log is gone.
    #[error("the log of {partition} was deleted or closed")]
    Closed {
        /// The partition.
        partition: TopicPartition,
    },
    /// The log holds another incarnation of the topic.
    #[error("the log of {partition} belongs to topic id {found}, not {expected}")]
    InconsistentTopicId {
        /// The partition.
        partition: TopicPartition,
        /// The id on disk.
        found: Uuid,
        /// The id asked for.
        expected: Uuid,
    },
    /// The offset is not in the log.
    #[error("offset {offset} of {partition} is outside {log_start_offset} to {log_end_offset}")]
    OffsetOutOfRange {
        /// The partition.
        partition: TopicPartition,
        /// The offset asked for.
        offset: Offset,
        /// The first offset that the log has.
        log_start_offset: Offset,
        /// The offset after the last one.
        log_end_offset: Offset,
    },
    /// The batch, or the message set, is too long for a segment.
    #[error("{size} bytes do not fit a segment of {segment_bytes} bytes")]
    RecordListTooLarge {
        /// Bytes of the records.
        size: usize,
        /// The topic's `segment.bytes`.
        segment_bytes: i32,
    },
    /// The records are not what an append takes.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// Bytes in a log file are not a batch.
    #[error("offset {offset} cannot be read: there is no batch at byte {position} of {}", path.display())]
    CorruptRecord {
        /// The offset searched for.
        offset: Offset,
        /// The file.
        path: PathBuf,
        /// Where in it.
        position: u64,
    },
    /// A file that a reader was about to open is gone: retention or a truncation was faster.
    #[error("{} was deleted", path.display())]
    Deleted {
        /// The file.
        path: PathBuf,
    },
    /// Replicated records do not follow the ones that are there.
    #[error("records at offset {first_offset} cannot follow log end offset {log_end_offset}")]
    UnexpectedAppendOffset {
        /// The first offset of the records.
        first_offset: Offset,
        /// The end of the log.
        log_end_offset: Offset,
    },
    /// A producer skipped a sequence number, or sent one again that is no longer remembered.
    #[error("sequence {sequence} of producer {producer_id} (epoch {epoch}) does not follow {last_sequence}")]
    OutOfOrderSequence {
        /// The producer.
        producer_id: ProducerId,
        /// Its epoch in the batch.
        epoch: ProducerEpoch,
        /// The first sequence of the batch.
        sequence: i32,
        /// The last one appended; -1: none in this epoch.
        last_sequence: i32,
    },
    /// A newer instance of the producer has written already.
    #[error("epoch {epoch} of producer {producer_id} is older than {current}")]
    InvalidProducerEpoch {
        /// The producer.
        producer_id: ProducerId,
        /// Its epoch in the batch.
        epoch: ProducerEpoch,
        /// The epoch that the log knows.
        current: ProducerEpoch,
    },
    /// A write outside of a transaction while one of the same producer is open.
    #[error("producer {producer_id} wrote outside of its transaction, open since offset {first_offset}")]
    InvalidTxnState {
        /// The producer.
        producer_id: ProducerId,
        /// Where its transaction starts.
        first_offset: Offset,
    },
    /// A marker of a transaction coordinator that has been replaced.
    #[error("coordinator epoch {epoch} for producer {producer_id} is older than {current}")]
    TransactionCoordinatorFenced {
        /// The producer.
        producer_id: ProducerId,
        /// The epoch in the marker.
        epoch: i32,
        /// The epoch that the log knows.
        current: i32,
    },
}

impl LogError {
    /// For `map_err` on what the file system answers.
    pub(crate) fn storage(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LogError {
        move |source| LogError::Storage { action, path: path.to_owned(), source }
    }

    /// Kafka's code for it.
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            LogError::Storage { .. }
            | LogError::LogDirOffline { .. }
            | LogError::Panicked { .. }
            | LogError::NoLogDir { .. }
            | LogError::LogDirInUse { .. }
            | LogError::NotALogDir { .. }
            | LogError::DuplicateLog { .. } => ErrorCode::KafkaStorageError,
            LogError::LogDirNotFound { .. } => ErrorCode::LogDirNotFound,
            LogError::TopicNameTooLong { .. } => ErrorCode::InvalidTopicException,
            LogError::Malformed { .. } | LogError::NewerFormat { .. } => ErrorCode::KafkaStorageError,
            LogError::MetaPropertiesMismatch { .. } => ErrorCode::InconsistentClusterId,
            LogError::Closed { .. } => ErrorCode::NotLeaderOrFollower,
            LogError::InconsistentTopicId { .. } => ErrorCode::InconsistentTopicId,
            LogError::OffsetOutOfRange { .. } | LogError::Deleted { .. } => ErrorCode::OffsetOutOfRange,
            LogError::RecordListTooLarge { .. } => ErrorCode::RecordListTooLarge,
            LogError::Batch(error) => error.code(),
            LogError::CorruptRecord { .. } => ErrorCode::CorruptMessage,
            LogError::UnexpectedAppendOffset { .. } => ErrorCode::UnknownServerError,
            LogError::OutOfOrderSequence { .. } => ErrorCode::OutOfOrderSequenceNumber,
            LogError::InvalidProducerEpoch { .. } => ErrorCode::InvalidProducerEpoch,
            LogError::InvalidTxnState { .. } => ErrorCode::InvalidTxnState,
            LogError::TransactionCoordinatorFenced { .. } => ErrorCode::TransactionCoordinatorFenced,
        }
    }

    /// What it says, without what would help if its log dir went on.
    pub(crate) fn reason(&self) -> String {
        match self {
            LogError::Storage { action, path, source } => {
                format!("cannot {action} {}: {source}", path.display())
            }
            other => other.to_string(),
        }
    }

    /// Whether the disk had no room left: what was tried was not done, and may be tried again. A sync is never that: what
    /// it should have written may be gone from the cache.
    pub(crate) fn is_disk_full(&self) -> bool {
        matches!(self, LogError::Storage { action, source, .. } if !is_sync(action) && is_disk_full(source))
    }

    /// Whether the disk is to blame, so that its log dir must go offline (Kafka: `KafkaStorageException`).
    pub(crate) fn is_storage(&self) -> bool {
        matches!(self, LogError::Storage { source, .. } if !is_out_of_descriptors(source))
    }
}

fn is_sync(action: &str) -> bool {
    matches!(action, "flush" | "sync")
}

fn is_disk_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

fn remedy(error: &io::Error) -> &'static str {
    if is_disk_full(error) { "; make room there: until then, only reads succeed" } else { "" }
}

/// The process, or the system, has too many files open, which is no disk's fault and may pass.
#[cfg(unix)]
fn is_out_of_descriptors(error: &io::Error) -> bool {
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    matches!(error.raw_os_error(), Some(ENFILE | EMFILE))
}

#[cfg(not(unix))]
fn is_out_of_descriptors(_error: &io::Error) -> bool {
    false
}
