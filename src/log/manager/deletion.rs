//! What was renamed and waits for its removal.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;

use crate::log::error::LogError;
use crate::log::log_dir::LogDir;
use crate::log::partition_dir::PartitionDir;
use crate::log::segment::LogSegment;
use crate::model::Offset;

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

/// After which what could not be removed is tried again, though no disk is to blame: for want of descriptors, a directory
/// cannot be looked into.
const RETRY_DELAY: Duration = Duration::from_secs(60);

/// Files and directories that are removed once `file.delete.delay.ms` has passed, so that readers who found them
/// before can still open them. Nobody need look at it while it is empty: it tells when it wants to be run.
#[derive(Default)]
pub(crate) struct DeletionQueue {
    queue: Mutex<Queue>,
    alarm: OnceLock<Alarm>,
}

/// Called with the time, on the monotonic clock, at which [`DeletionQueue::run`] has something to do.
type Alarm = Box<dyn Fn(Duration) + Send + Sync>;

#[derive(Debug, Default)]
struct Queue {
    pending: Vec<Pending>,
    /// The earliest time for which the alarm was set, and at which nobody has come yet.
    alarm_at: Option<Duration>,
}

impl DeletionQueue {
    /// Has `alarm` called from now on, also for what waits already.
    pub(crate) fn set_alarm(&self, alarm: impl Fn(Duration) + Send + Sync + 'static) {
        // There is one broker to a log manager, which asks once.
        self.alarm.get_or_init(|| Box::new(alarm));
        self.ask_for_run();
    }

    /// Sets the alarm for the first that is due, unless it is set for then or earlier; answers when that is.
    fn ask_for_run(&self) -> Option<Duration> {
        let mut queue = self.queue.lock();
        let next = queue.pending.iter().map(|pending| pending.due).min()?;
        let Some(alarm) = self.alarm.get() else { return Some(next) };
        if queue.alarm_at.is_none_or(|at| next < at) {
            queue.alarm_at = Some(next);
            drop(queue);
            alarm(next);
        }
        Some(next)
    }

    fn push(&self, pending: Pending) {
        self.queue.lock().pending.push(pending);
        self.ask_for_run();
    }

    pub(crate) fn push_segment(&self, due: Duration, log_dir: Arc<LogDir>, segment: Arc<LogSegment>) {
        self.push(Pending { due, log_dir, target: Target::Segment(segment) });
    }

    pub(crate) fn push_file(
        &self,
        due: Duration,
        log_dir: Arc<LogDir>,
        dir: Arc<PartitionDir>,
        name: String,
    ) {
        self.push(Pending { due, log_dir, target: Target::File(dir, name) });
    }

    pub(crate) fn push_dir(&self, due: Duration, log_dir: Arc<LogDir>, dir: Arc<PartitionDir>) {
        self.push(Pending { due, log_dir, target: Target::Dir(dir) });
    }

    /// Removes the files of a segment that waits, before its time.
    pub(crate) fn remove_segment_now(
        &self,
        dir: &Arc<PartitionDir>,
        base_offset: Offset,
    ) -> Result<(), LogError> {
        let waits = |pending: &mut Pending| match &pending.target {
            Target::Segment(segment) => {
                segment.base_offset() == base_offset
                    && Arc::ptr_eq(segment.records().segment_file().dir(), dir)
            }
            Target::File(..) | Target::Dir(_) => false,
        };
        let found: Vec<Pending> = self.queue.lock().pending.extract_if(.., waits).collect();
        found.iter().try_for_each(|pending| pending.target.remove())
    }

    /// Removes what is due; answers when the next is, on the monotonic clock.
    pub(crate) fn run(&self, now: Duration) -> Option<Duration> {
        let due: Vec<Pending> = {
            let mut queue = self.queue.lock();
            queue.alarm_at = None;
            queue.pending.extract_if(.., |pending| pending.due <= now).collect()
        };
        let (removed, left): (Vec<_>, Vec<_>) = due.into_iter().partition(Pending::remove);
        // Once for all files of a directory: the first time leaves nothing to do for the others.
        for pending in removed.iter().filter(|pending| pending.log_dir.is_online()) {
            let Some(dir) = pending.target.dir() else { continue };
            let synced = pending.log_dir.run(|| if dir.is_removed() { Ok(()) } else { dir.sync() });
            if let Err(error) = synced {
                tracing::error!(%error, "the removal of a file may not last");
            }
        }
        // A dir that is offline keeps its files; they are found again when it comes back.
        let left = left.into_iter().filter(|pending| pending.log_dir.is_online());
        let again = left.map(|pending| Pending { due: now.saturating_add(RETRY_DELAY), ..pending });
        self.queue.lock().pending.extend(again);
        self.ask_for_run()
    }
}

impl fmt::Debug for DeletionQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.queue.lock().fmt(f)
    }
}

impl Pending {
    /// Answers whether that was done.
    fn remove(&self) -> bool {
        let removed = self.log_dir.run_unless_full(|| self.target.remove());
        match &removed {
            Ok(()) | Err(LogError::LogDirOffline { .. }) => {}
            Err(error) => tracing::error!(%error, "a deleted file could not be removed"),
        }
        removed.is_ok()
    }
}

impl Target {
    /// The partition's directory that loses a file.
    fn dir(&self) -> Option<&Arc<PartitionDir>> {
        match self {
            Target::Segment(segment) => Some(segment.records().segment_file().dir()),
            Target::File(dir, _) => Some(dir),
            Target::Dir(_) => None,
        }
    }

    fn remove(&self) -> Result<(), LogError> {
        match self {
            Target::Segment(segment) => segment.delete_files(),
            Target::File(dir, name) => dir.remove(name),
            Target::Dir(dir) => dir.remove_all(),
        }
    }
}
