//! What is left to do after an unclean stop, told while it is done (Kafka: `LogManager#addRemainingLogMetrics`).

use std::cell::Cell;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

/// How far the recovery of one log directory is, after a stop that was not a clean one.
///
/// `logs` counts partitions, `bytes` those of records that are read again. The totals grow if it turns out that more has
/// to be read than was known when recovery began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecoveryProgress {
    /// The log directory.
    pub log_dir: PathBuf,
    /// The partitions that are, or were, to be recovered.
    pub logs: usize,
    /// Those that are not yet (Kafka's metric `remainingLogsToRecover`).
    pub remaining_logs: usize,
    /// The segments that are, or were, to be read.
    pub segments: usize,
    /// Those that are not yet (Kafka's metric `remainingSegmentsToRecover`, summed up over the threads).
    pub remaining_segments: usize,
    /// The bytes that are, or were, to be read.
    pub bytes: u64,
    /// Those that are not yet.
    pub remaining_bytes: u64,
}

impl RecoveryProgress {
    /// Whether everything that is known to need it has been recovered.
    pub fn is_done(&self) -> bool {
        self.remaining_logs == 0
    }
}

/// Who is told.
pub(crate) type RecoveryListener = Arc<dyn Fn(&RecoveryProgress) + Send + Sync>;

/// What is to be read of a log, or of several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RecoveryWork {
    pub(super) segments: usize,
    pub(super) bytes: u64,
}

/// The recovery of a log dir.
pub(super) struct DirRecovery {
    listener: Option<RecoveryListener>,
    /// Held while the listener is told, so that what it hears is in order.
    progress: Mutex<RecoveryProgress>,
}

impl DirRecovery {
    pub(super) fn new(log_dir: PathBuf, listener: Option<RecoveryListener>) -> Self {
        let progress = RecoveryProgress { log_dir, ..RecoveryProgress::default() };
        DirRecovery { listener, progress: Mutex::new(progress) }
    }

    pub(super) fn progress(&self) -> RecoveryProgress {
        self.progress.lock().clone()
    }

    /// Tells where things stand.
    pub(super) fn tell(&self) {
        self.change(|_| {});
    }

    fn change(&self, change: impl FnOnce(&mut RecoveryProgress)) {
        let mut progress = self.progress.lock();
        change(&mut progress);
        // A log that is let go of in a panic, perhaps the listener's own, is counted without a word.
        if let Some(listener) = self.listener.as_ref().filter(|_| !std::thread::panicking()) {
            listener(&progress);
        }
    }
}

impl fmt::Debug for DirRecovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.progress.lock().fmt(f)
    }
}

/// The part of one log in the recovery of its log dir. One thread has it.
#[derive(Debug, Default)]
pub(super) struct LogRecovery {
    /// None: a log that is made, or opened later, is nobody's concern.
    dir: Option<Arc<DirRecovery>>,
    /// It is among the logs that the dir counts.
    is_counted: Cell<bool>,
    left: Cell<RecoveryWork>,
}

impl LogRecovery {
    pub(super) fn new(dir: Arc<DirRecovery>) -> Self {
        LogRecovery { dir: Some(dir), is_counted: Cell::new(false), left: Cell::default() }
    }

    /// Counts the log, with what is known to be read; nobody is told yet.
    pub(super) fn plan(&self, work: RecoveryWork) {
        if let Some(dir) = &self.dir {
            self.put(&mut dir.progress.lock(), work);
        }
    }

    /// This is to be read, whatever was known before.
    pub(super) fn expect(&self, work: RecoveryWork) {
        if let Some(dir) = &self.dir {
            dir.change(|progress| self.put(progress, work));
        }
    }

    fn put(&self, progress: &mut RecoveryProgress, work: RecoveryWork) {
        if !self.is_counted.replace(true) {
            progress.logs += 1;
            progress.remaining_logs += 1;
        }
        let known = self.left.replace(work);
        for (count, known, found) in [
            (&mut progress.segments, known.segments, work.segments),
            (&mut progress.remaining_segments, known.segments, work.segments),
        ] {
            *count = (*count + found).saturating_sub(known);
        }
        for count in [&mut progress.bytes, &mut progress.remaining_bytes] {
            *count = (*count + work.bytes).saturating_sub(known.bytes);
        }
    }

    /// So many bytes were read.
    pub(super) fn advance(&self, bytes: u64) {
        self.take(RecoveryWork { segments: 0, bytes });
    }

    /// The last bytes of a segment were read.
    pub(super) fn segment_done(&self, bytes: u64) {
        self.take(RecoveryWork { segments: 1, bytes });
    }

    fn take(&self, done: RecoveryWork) {
        let left = self.left.get();
        let done =
            RecoveryWork { segments: done.segments.min(left.segments), bytes: done.bytes.min(left.bytes) };
        self.left
            .set(RecoveryWork { segments: left.segments - done.segments, bytes: left.bytes - done.bytes });
        if let Some(dir) = self.dir.as_ref().filter(|_| self.is_counted.get()) {
            dir.change(|progress| {
                progress.remaining_segments = progress.remaining_segments.saturating_sub(done.segments);
                progress.remaining_bytes = progress.remaining_bytes.saturating_sub(done.bytes);
            });
        }
    }
}

/// The log is open, or never will be.
impl Drop for LogRecovery {
    fn drop(&mut self) {
        let left = self.left.take();
        if let Some(dir) = self.dir.as_ref().filter(|_| self.is_counted.get()) {
            dir.change(|progress| {
                progress.remaining_segments = progress.remaining_segments.saturating_sub(left.segments);
                progress.remaining_bytes = progress.remaining_bytes.saturating_sub(left.bytes);
                progress.remaining_logs = progress.remaining_logs.saturating_sub(1);
            });
        }
    }
}
