//! One entry of `log.dirs`, and whether its disk still works (Kafka: `LogDirFailureChannel`).

use std::collections::HashSet;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use crossbeam::channel::{Receiver, Sender, unbounded};

use parking_lot::Mutex;

use super::checkpoint::{CleanShutdownFile, OffsetCheckpointFile};
use super::error::LogError;
use super::file_names::{
    CLEANER_CHECKPOINT, HIGH_WATERMARK_CHECKPOINT, LOG_START_OFFSET_CHECKPOINT, RECOVERY_POINT_CHECKPOINT,
};
use crate::model::TopicPartition;
use crate::sys::{FileSystem, panic_message};

/// Tells of log dirs that went offline, each once.
#[derive(Clone)]
pub(crate) struct LogDirFailureChannel {
    sender: Sender<PathBuf>,
    receiver: Receiver<PathBuf>,
    /// Called for each one, once there is somebody to look.
    notify: Arc<Mutex<Option<Notify>>>,
}

type Notify = Arc<dyn Fn() + Send + Sync>;

impl LogDirFailureChannel {
    pub(crate) fn new() -> Self {
        let (sender, receiver) = unbounded();
        LogDirFailureChannel { sender, receiver, notify: Arc::default() }
    }

    /// Has `notify` called when there is something to take, which may be now. It is called with the locks of a log held,
    /// and must leave the work to another thread.
    pub(crate) fn on_failure(&self, notify: impl Fn() + Send + Sync + 'static) {
        let notify: Notify = Arc::new(notify);
        // Who sends holds the lock, too: one of the two sees that there is something.
        let mut notified = self.notify.lock();
        *notified = Some(Arc::clone(&notify));
        let is_due = !self.receiver.is_empty();
        drop(notified);
        if is_due {
            notify();
        }
    }

    pub(super) fn send(&self, log_dir: PathBuf) {
        let notified = self.notify.lock();
        // The receiver lives as long as this sender.
        let _ = self.sender.send(log_dir);
        let notify = notified.clone();
        drop(notified);
        if let Some(notify) = notify {
            notify();
        }
    }

    /// The next log dir that failed, if there is one that nobody has taken yet.
    pub(crate) fn take_next_offline_log_dir(&self) -> Option<PathBuf> {
        self.receiver.try_recv().ok()
    }
}

impl fmt::Debug for LogDirFailureChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogDirFailureChannel").field("untaken", &self.receiver.len()).finish_non_exhaustive()
    }
}

/// A directory with partitions.
#[derive(Debug)]
pub(crate) struct LogDir {
    path: PathBuf,
    failures: LogDirFailureChannel,
    /// The error that took it offline.
    offline: OnceLock<Arc<str>>,
    /// The last write found no room.
    is_full: AtomicBool,
    /// Partitions that were deleted here and may still be in the checkpoints.
    pub(super) deleted: Mutex<HashSet<TopicPartition>>,
    pub(crate) recovery_points: OffsetCheckpointFile,
    pub(crate) log_start_offsets: OffsetCheckpointFile,
    pub(crate) high_watermarks: OffsetCheckpointFile,
    /// Up to where each log was compacted.
    pub(crate) cleaner_offsets: OffsetCheckpointFile,
    pub(crate) clean_shutdown: CleanShutdownFile,
}

impl LogDir {
    /// The directory at `path`; nothing is touched.
    pub(crate) fn new(fs: &Arc<dyn FileSystem>, path: PathBuf, failures: LogDirFailureChannel) -> Self {
        let checkpoint = |name| OffsetCheckpointFile::new(Arc::clone(fs), &path, name);
        LogDir {
            recovery_points: checkpoint(RECOVERY_POINT_CHECKPOINT),
            log_start_offsets: checkpoint(LOG_START_OFFSET_CHECKPOINT),
            high_watermarks: checkpoint(HIGH_WATERMARK_CHECKPOINT),
            cleaner_offsets: checkpoint(CLEANER_CHECKPOINT),
            clean_shutdown: CleanShutdownFile::new(Arc::clone(fs), &path),
            failures,
            offline: OnceLock::new(),
            is_full: AtomicBool::new(false),
            deleted: Mutex::default(),
            path,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn is_online(&self) -> bool {
        self.offline.get().is_none()
    }

    /// The error that took it offline.
    pub(crate) fn offline_reason(&self) -> Option<&Arc<str>> {
        self.offline.get()
    }

    /// Fails once the dir is offline.
    pub(crate) fn check_online(&self) -> Result<(), LogError> {
        match self.offline.get() {
            None => Ok(()),
            Some(reason) => {
                Err(LogError::LogDirOffline { dir: self.path.clone(), reason: Arc::clone(reason) })
            }
        }
    }

    /// Takes the dir offline: whatever its disk says from now on is not to be trusted.
    pub(crate) fn fail(&self, error: &LogError) {
        let reason: Arc<str> = error.reason().into();
        if self.offline.set(Arc::clone(&reason)).is_ok() {
            tracing::error!(log_dir = %self.path.display(), error = %reason, "log dir goes offline");
            self.failures.send(self.path.clone());
        }
    }

    /// Runs `operation` unless the dir is offline, and takes the dir offline if the disk refuses
    /// (Kafka: `LocalLog#maybeHandleIOException`).
    pub(crate) fn run<T>(&self, operation: impl FnOnce() -> Result<T, LogError>) -> Result<T, LogError> {
        self.check_online()?;
        operation().inspect_err(|error| {
            if error.is_storage() {
                self.fail(error);
            }
        })
    }

    /// The same for an operation that changes nothing if the disk has no room for it: then it is refused, and the dir
    /// goes on. (In Kafka, a full disk takes the dir offline for good.)
    pub(crate) fn run_unless_full<T>(
        &self,
        operation: impl FnOnce() -> Result<T, LogError>,
    ) -> Result<T, LogError> {
        self.check_online()?;
        operation().inspect_err(|error| {
            if error.is_disk_full() {
                self.note_full(error);
            } else if error.is_storage() {
                self.fail(error);
            }
        })
    }

    /// Replaces a file of its own in one step; refused without harm if there is no room.
    pub(crate) fn replace(&self, fs: &dyn FileSystem, name: &str, content: &[u8]) -> Result<(), LogError> {
        let path = self.path.join(name);
        self.run_unless_full(|| fs.replace(&path, content).map_err(LogError::storage("write", &path)))
    }

    /// Does work on the directory of one partition. A panic, which nobody expects, takes the dir offline as a disk does
    /// that refuses: what it left half done, nobody knows. (Kafka's `LogManager` ends the start of the broker.)
    pub(crate) fn contain<T>(
        &self,
        path: &Path,
        work: impl FnOnce() -> Result<T, LogError>,
    ) -> Result<T, LogError> {
        // What it worked on is not looked at again.
        std::panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
            let what = panic_message(&*panic).to_owned();
            let error = LogError::Panicked { path: path.to_owned(), what };
            self.fail(&error);
            Err(error)
        })
    }

    /// Says so when it begins, not with every write that is refused.
    fn note_full(&self, error: &LogError) {
        if !self.is_full.swap(true, Ordering::Relaxed) {
            tracing::error!(log_dir = %self.path.display(), %error, "log dir is full");
        }
    }

    /// Records were written.
    pub(super) fn note_room(&self) {
        if self.is_full.load(Ordering::Relaxed) && self.is_full.swap(false, Ordering::Relaxed) {
            tracing::info!(log_dir = %self.path.display(), "log dir has room again");
        }
    }
}
