//! The end of a log's life: closed, or deleted.

use std::path::Path;
use std::sync::atomic::Ordering;

use super::{Log, LogError};

impl Log {
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub(super) fn check_open(&self) -> Result<(), LogError> {
        if self.is_closed() { Err(self.closed()) } else { Ok(()) }
    }

    /// Ends appends and leaves the files so that the next opening need not scan them
    /// (Kafka: `UnifiedLog#close`). Reads go on to work.
    ///
    /// # Errors
    /// Those of the disk. Where it is full, the records are flushed nevertheless, and the log dir goes on.
    pub(crate) fn close(&self) -> Result<(), LogError> {
        let closed = self.log_dir.run_unless_full(|| {
            let has_cut_file = {
                let mut writer = self.writer.lock();
                if self.closed.swap(true, Ordering::AcqRel) {
                    return Ok(());
                }
                let end = self.log_end_offset();
                writer.producers.update_map_end_offset(end);
                writer.producers.take_snapshot()?;
                self.segments().active().on_become_inactive()?
            };
            drop(self.cleaning.interrupt());
            if has_cut_file {
                // All records may be synced already, and the flush below would pass over it: reserved room that comes back
                // with a power loss would be taken for damage.
                self.segments().active().flush(false)?;
            }
            self.segments().active().flush_indexes()
        });
        match closed {
            Err(error) if !error.is_disk_full() => Err(error),
            // The indexes above are empty files of a new segment at least, so there is always something to sync.
            closed => closed.and(self.flush_everything()),
        }
    }

    /// Ends appends and moves the directory to `to`, where it waits for its removal; without room for that, removes what
    /// is in it until there is.
    pub(super) fn rename_for_deletion(&self, to: &Path) -> Result<(), LogError> {
        self.closed.store(true, Ordering::Release);
        // A file that compaction makes while the directory is removed would keep it from going.
        let _pause = self.cleaning.interrupt();
        self.log_dir.run_unless_full(|| {
            let _writer = self.writer.lock();
            let segments = self.segments();
            // From the end on, and each step on the disk before the next: what a crash leaves under the log's name is
            // opened.
            let mut left = segments.iter().rev();
            loop {
                match (self.dir.rename_dir(to), left.next()) {
                    // A name takes room as well. What goes at once needs none, and makes some.
                    (Err(error), Some(segment)) if error.is_disk_full() => {
                        segment.delete_files()?;
                        self.dir.sync()?;
                    }
                    (Err(error), None) if error.is_disk_full() => return self.dir.remove_all(),
                    (renamed, _) => return renamed,
                }
            }
        })
    }

    /// Ends appends, without a word to the disk: the log dir is offline, or its content is not wanted any more.
    pub(crate) fn abandon(&self) {
        self.closed.store(true, Ordering::Release);
        let _pause = self.cleaning.interrupt();
        let _writer = self.writer.lock();
    }
}
