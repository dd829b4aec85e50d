//! What was renamed and waits for its removal.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::log::error::LogError;
use crate::log::log_dir::LogDir;
use crate::log::partition_dir::PartitionDir;
use crate::log::segment::LogSegment;

#[derive(Debug)]
enum Target {
    Segment(Arc<LogSegment>),
    File(Arc<PartitionDir>, String),
    Dir(Arc<PartitionDir>),
}

#[derive(Debug)]
struct Pending {
    /// On the monotonic clock.
    due: Duration,
    log_dir: Arc<LogDir>,
    target: Target,
}

/// Files and directories that are removed once `file.delete.delay.ms` has passed, so that readers who found them
/// before can still open them.
#[derive(Debug, Default)]
pub(crate) struct DeletionQueue {
    pending: Mutex<Vec<Pending>>,
}

impl DeletionQueue {
    pub(crate) fn push_segment(&self, due: Duration, log_dir: Arc<LogDir>, segment: Arc<LogSegment>) {
        self.pending.lock().push(Pending { due, log_dir, target: Target::Segment(segment) });
    }

    pub(crate) fn push_file(
        &self,
        due: Duration,
        log_dir: Arc<LogDir>,
        dir: Arc<PartitionDir>,
        name: String,
    ) {
        self.pending.lock().push(Pending { due, log_dir, target: Target::File(dir, name) });
    }

    pub(crate) fn push_dir(&self, due: Duration, log_dir: Arc<LogDir>, dir: Arc<PartitionDir>) {
        self.pending.lock().push(Pending { due, log_dir, target: Target::Dir(dir) });
    }

    /// Removes what is due; answers when the next is, on the monotonic clock.
    pub(crate) fn run(&self, now: Duration) -> Option<Duration> {
        let due: Vec<Pending> = self.pending.lock().extract_if(.., |pending| pending.due <= now).collect();
        for pending in due {
            // A dir that is offline keeps its files; they are found again when it comes back.
            if pending.log_dir.is_online()
                && let Err(error) = pending.log_dir.run(|| pending.target.remove())
            {
                tracing::error!(%error, "a deleted file could not be removed");
            }
        }
        self.pending.lock().iter().map(|pending| pending.due).min()
    }
}

impl Target {
    fn remove(&self) -> Result<(), LogError> {
        match self {
            Target::Segment(segment) => segment.delete_files(),
            Target::File(dir, name) => dir.remove(name),
            Target::Dir(dir) => dir.remove_all(),
        }
    }
}
