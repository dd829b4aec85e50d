//! Keeping compaction out of the way of whoever else changes or ends a log (Kafka: `LogCleanerManager` and its
//! `LogCleaningState`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};

use parking_lot::{Mutex, MutexGuard};

use crate::model::Offset;
use crate::sys::Waiter;

/// What compaction knows of one log.
pub(super) struct Cleaning {
    /// Held by the one who compacts the log, or by one who must not be disturbed by that.
    running: Mutex<()>,
    /// How many wait for compaction to stop.
    interruptions: AtomicUsize,
    /// Everything below has been compacted; negative: nothing is known.
    first_dirty_offset: AtomicI64,
    /// Compaction met something that it cannot make sense of, and leaves the log alone until the next start.
    uncleanable: AtomicBool,
    /// The log moves to another log dir, and is left as it is until it is there.
    moving: AtomicBool,
    /// Where those wait who compact, or are held up while they do.
    wakeup: Arc<Waiter>,
}

impl std::fmt::Debug for Cleaning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cleaning")
            .field("first_dirty_offset", &self.first_dirty_offset)
            .field("uncleanable", &self.uncleanable)
            .finish_non_exhaustive()
    }
}

const UNKNOWN: Offset = -1;

impl Cleaning {
    pub(super) fn new(wakeup: Arc<Waiter>, first_dirty_offset: Option<Offset>) -> Self {
        Cleaning {
            running: Mutex::new(()),
            interruptions: AtomicUsize::new(0),
            first_dirty_offset: AtomicI64::new(first_dirty_offset.unwrap_or(UNKNOWN)),
            uncleanable: AtomicBool::new(false),
            moving: AtomicBool::new(false),
            wakeup,
        }
    }

    /// Up to where the log was compacted, if that is known.
    pub(super) fn first_dirty_offset(&self) -> Option<Offset> {
        Some(self.first_dirty_offset.load(Ordering::Acquire)).filter(|offset| *offset >= 0)
    }

    pub(super) fn set_first_dirty_offset(&self, offset: Offset) {
        self.first_dirty_offset.store(offset, Ordering::Release);
    }

    pub(super) fn is_uncleanable(&self) -> bool {
        self.uncleanable.load(Ordering::Acquire)
    }

    pub(super) fn mark_uncleanable(&self) {
        self.uncleanable.store(true, Ordering::Release);
    }

    /// Whether compaction leaves the log alone because it moves.
    pub(super) fn is_moving(&self) -> bool {
        self.moving.load(Ordering::Acquire)
    }

    pub(super) fn set_moving(&self, is_moving: bool) {
        self.moving.store(is_moving, Ordering::Release);
    }

    /// Whether somebody waits for compaction to stop.
    pub(super) fn is_interrupted(&self) -> bool {
        self.interruptions.load(Ordering::Acquire) > 0
    }

    /// Begins to compact the log, or to change it as compaction must not see; `None` if somebody else is at it.
    pub(super) fn try_start(&self) -> Option<MutexGuard<'_, ()>> {
        self.running.try_lock()
    }

    /// Waits for the end of a compaction that is under way.
    pub(super) fn settle(&self) {
        drop(self.running.lock());
    }

    /// Ends a compaction that is under way, and keeps others from beginning (Kafka: `abortAndPauseCleaning`). To be
    /// taken before all other locks of the log.
    pub(super) fn interrupt(&self) -> CleaningPause<'_> {
        self.interruptions.fetch_add(1, Ordering::AcqRel);
        self.wakeup.notify();
        let running = self.running.lock();
        self.interruptions.fetch_sub(1, Ordering::AcqRel);
        CleaningPause { cleaning: self, _running: running }
    }
}

/// Nobody compacts the log while this lives.
pub(super) struct CleaningPause<'a> {
    cleaning: &'a Cleaning,
    _running: MutexGuard<'a, ()>,
}

impl CleaningPause<'_> {
    /// Nothing from `offset` on is there any more, or not as it was (Kafka: `maybeTruncateCheckpoint`).
    pub(super) fn truncate_to(&self, offset: Offset) {
        self.cleaning.first_dirty_offset.fetch_min(offset, Ordering::AcqRel);
    }
}
