//! Making records survive a power loss, many callers at once.
//!
//! Within a log, one thread syncs and all who wait have their share of it. Logs are synced side by side, by a thread each:
//! a file system with a journal commits for all of them at once, so that eight files took a half to an eighth of the time
//! (ext4) that they take one after the other. `syncfs` would be one call for all, and would wait for the files of everybody
//! else on the volume too.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use parking_lot::Mutex;

use super::flush_turns::{FlushTurn, FlushTurns};
use super::segments::Segments;
use super::{Log, LogError};
use crate::model::{Offset, Timestamp};
use crate::sys::OpenOptions;

/// Who flushes, and up to where it was done.
#[derive(Debug)]
pub(super) struct Flusher {
    /// Everything below is known to survive a power loss.
    recovery_point: AtomicI64,
    last_flushed_ms: AtomicI64,
    /// The checkpoint of the log dir tells of this log.
    is_checkpointed: AtomicBool,
    turns: FlushTurns,
    /// Those who do not wait themselves.
    waiting: Mutex<Waiting>,
}

/// Whether there was room for the terms, which the records that were flushed do not need; until there is, the recovery
/// point stays where it was.
type TermsWritten = Result<(), LogError>;

/// What is called once a flush has come to its end.
type Flushed = Box<dyn FnOnce(Result<(), LogError>) + Send>;

#[derive(Default)]
struct Waiting {
    /// How far each wants the log flushed.
    callbacks: Vec<(Offset, Flushed)>,
    /// Somebody is going to flush for them.
    is_taken_care_of: bool,
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").field("callbacks", &self.callbacks.len()).finish_non_exhaustive()
    }
}

impl Flusher {
    pub(super) fn new(recovery_point: Offset, is_checkpointed: bool, now_ms: Timestamp) -> Self {
        Flusher {
            recovery_point: AtomicI64::new(recovery_point),
            is_checkpointed: AtomicBool::new(is_checkpointed),
            last_flushed_ms: AtomicI64::new(now_ms),
            turns: FlushTurns::default(),
            waiting: Mutex::default(),
        }
    }

    fn recovery_point(&self) -> Offset {
        self.recovery_point.load(Ordering::Acquire)
    }

    /// Keeps flushes away while the log is truncated, since one that is on its way would raise the recovery point
    /// above the new end. To be taken before the writer's lock, which a flush takes too.
    pub(super) fn pause(&self) -> FlushPause<'_> {
        loop {
            if let Some(turn) = self.turns.take(Offset::MAX, || false) {
                return FlushPause { flusher: self, turn };
            }
        }
    }
}

/// No flush runs while this lives.
pub(super) struct FlushPause<'a> {
    flusher: &'a Flusher,
    turn: FlushTurn<'a>,
}

impl FlushPause<'_> {
    /// Nothing from `offset` on is there any more.
    pub(super) fn truncate_to(&self, offset: Offset) {
        self.flusher.recovery_point.fetch_min(offset, Ordering::AcqRel);
    }

    /// The log starts over at `offset`.
    pub(super) fn restart_at(&self, offset: Offset) {
        self.flusher.recovery_point.store(offset, Ordering::Release);
    }
}

impl Drop for FlushPause<'_> {
    fn drop(&mut self) {
        self.turn.reached(self.flusher.recovery_point());
    }
}

impl Log {
    /// Everything below this offset is known to survive a power loss; recovery starts there.
    pub(crate) fn recovery_point(&self) -> Offset {
        self.flusher.recovery_point()
    }

    /// Has the checkpoint of the log dir tell of this log, if it does not yet. Recovery takes records that are missing between
    /// two segments for lost if it knows from where on nothing was synced, and a log that never was in the checkpoint for
    /// one that came from elsewhere, with all its gaps: so this comes before there is a second segment.
    pub(super) fn ensure_checkpointed(&self) -> Result<(), LogError> {
        if !self.flusher.is_checkpointed.load(Ordering::Acquire) {
            self.log_dir.recovery_points.add(&self.partition, || self.recovery_point())?;
            self.flusher.is_checkpointed.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// When the log was last flushed.
    pub(crate) fn last_flush_time_ms(&self) -> Timestamp {
        self.flusher.last_flushed_ms.load(Ordering::Acquire)
    }

    /// Makes every record below `up_to` survive a power loss, and whatever else has been appended when the disk is
    /// asked. Concurrent calls share one pass: one thread does it for all who wait.
    ///
    /// # Errors
    /// Errors of the disk. A failed flush is not tried again, since what the first attempt lost stays lost: the
    /// log dir is offline from then on.
    pub(crate) fn flush(&self, up_to: Offset) -> Result<(), LogError> {
        // Where there is no room for the terms, recovery finds them again in the records. To deny these, which are in the
        // log and last, would have who wrote them go on as if they were not.
        self.flush_unless(up_to, || self.recovery_point() >= up_to).map(drop)
    }

    /// Makes all records survive a power loss, and raises the recovery point to the end.
    pub(crate) fn flush_to_end(&self) -> Result<(), LogError> {
        let end = self.log_end_offset();
        self.flush_unless(end, || self.recovery_point() >= end)?
    }

    /// Has `then` called once every record below `up_to` survives a power loss, at once if they do already. With
    /// `true`, the caller must have [`Log::flush_for_waiting`] called on a thread that may block; all who come until
    /// that has begun share its pass over the disk.
    #[must_use = "with true, somebody must flush"]
    pub(crate) fn flush_then(
        &self,
        up_to: Offset,
        then: impl FnOnce(Result<(), LogError>) + Send + 'static,
    ) -> bool {
        if self.recovery_point() >= up_to {
            then(Ok(()));
            return false;
        }
        let mut waiting = self.flusher.waiting.lock();
        waiting.callbacks.push((up_to, Box::new(then)));
        !std::mem::replace(&mut waiting.is_taken_care_of, true)
    }

    /// Flushes for those who left a call with [`Log::flush_then`]. With `true`, more have come meanwhile, and it must
    /// be called once more.
    #[must_use = "with true, somebody must flush"]
    pub(crate) fn flush_for_waiting(&self) -> bool {
        let callbacks = std::mem::take(&mut self.flusher.waiting.lock().callbacks);
        let up_to = callbacks.iter().map(|(up_to, _)| *up_to).max().unwrap_or(0);
        let mut flushed = self.flush(up_to);
        for (_, then) in callbacks {
            let next = match &flushed {
                Ok(()) => Ok(()),
                Err(error) => self.log_dir.check_online().and_then(|()| Err(self.told_again(error))),
            };
            then(std::mem::replace(&mut flushed, next));
        }
        let mut waiting = self.flusher.waiting.lock();
        waiting.is_taken_care_of = !waiting.callbacks.is_empty();
        waiting.is_taken_care_of
    }

    /// Errors cannot be copied. After most of them, the log dir is offline and has it; too few descriptors are no disk's
    /// fault.
    fn told_again(&self, error: &LogError) -> LogError {
        let source = match error {
            LogError::Storage { source, .. } => source.raw_os_error().map(io::Error::from_raw_os_error),
            _ => None,
        };
        LogError::storage("flush", &self.dir.path())(
            source.unwrap_or_else(|| io::Error::other(error.reason())),
        )
    }

    /// Makes everything survive a power loss, files without a record included.
    pub(super) fn flush_everything(&self) -> Result<(), LogError> {
        self.flush_unless(Offset::MAX, || false)?
    }

    fn flush_unless(&self, up_to: Offset, is_done: impl Fn() -> bool) -> Result<TermsWritten, LogError> {
        loop {
            if is_done() {
                return Ok(Ok(()));
            }
            self.log_dir.check_online()?;
            if let Some(mut turn) = self.flusher.turns.take(up_to, &is_done) {
                turn.gather();
                let flushed = self.flush_all();
                if flushed.is_ok() {
                    turn.reached(self.recovery_point());
                }
                return flushed;
            }
        }
    }

    fn flush_all(&self) -> Result<TermsWritten, LogError> {
        // The end first: what is appended after this look may or may not be covered.
        let end = self.log_end_offset();
        let terms = match self.log_dir.run_unless_full(|| self.unless_removed(self.write_epochs())) {
            Err(error) if !error.is_disk_full() => return Err(error),
            written => written,
        };
        self.log_dir.run(|| self.unless_removed(self.try_flush_all(end, terms.is_ok())))?;
        Ok(terms)
    }

    fn unless_removed(&self, flushed: Result<(), LogError>) -> Result<(), LogError> {
        match flushed {
            // The partition was deleted, or has moved, and its files are gone: there is nothing left to lose here.
            Err(_) if self.dir.is_removed() => Ok(()),
            flushed => flushed,
        }
    }

    fn try_flush_all(&self, end: Offset, has_terms: bool) -> Result<(), LogError> {
        let snapshots = self.writer.lock().producers.take_unsynced_snapshots();
        for name in snapshots {
            // One that was removed meanwhile needs no sync.
            if self.dir.exists(&name)? {
                let file = self.dir.open(&name, OpenOptions::WRITE)?;
                let path = self.dir.path();
                file.sync_all().map_err(LogError::storage("flush", &path.join(name)))?;
            }
        }
        let segments = self.segments();
        flush_sealed(&segments)?;
        if end > self.recovery_point() {
            segments.active().flush(false)?;
        }
        self.dir.sync()?;
        if has_terms {
            self.flusher.recovery_point.fetch_max(end, Ordering::AcqRel);
        }
        self.flusher.last_flushed_ms.store(self.env.clock.now_ms(), Ordering::Release);
        Ok(())
    }

    /// Whether `flush.messages` asks for a flush before the record at `last_offset` is acknowledged.
    pub(super) fn is_flush_due(&self, last_offset: Offset) -> bool {
        let flush_messages = self.config.read().flush_messages;
        let recovery_point = self.recovery_point();
        last_offset >= recovery_point && last_offset - recovery_point >= flush_messages.saturating_sub(1)
    }

    /// Flushes if `flush.ms` has passed since the last time and something was appended
    /// (Kafka: `LogManager#flushDirtyLogs`).
    pub(crate) fn maybe_flush(&self) -> Result<(), LogError> {
        let flush_ms = self.config.read().flush_ms;
        let is_old = self.env.clock.now_ms().saturating_sub(self.last_flush_time_ms()) >= flush_ms;
        if is_old { self.flush_to_end() } else { Ok(()) }
    }

    /// Flushes if a segment was rolled since the last time: Kafka schedules that flush with the roll.
    pub(crate) fn flush_if_rolled(&self) -> Result<(), LogError> {
        let has_rolled = self.segments.read().sealed().last().is_some_and(|last| !last.is_flushed());
        if has_rolled { self.flush_everything() } else { Ok(()) }
    }
}

/// Flushes the sealed segments that are not yet.
fn flush_sealed(segments: &Segments) -> Result<(), LogError> {
    // Flushed ones come first, so the walk back ends at the first of them.
    let unflushed = segments.sealed().iter().rev().take_while(|segment| !segment.is_flushed()).count();
    let skipped = segments.sealed().len() - unflushed;
    segments.sealed().iter().skip(skipped).try_for_each(|segment| segment.flush(true))
}
