//! Putting a compacted segment in the place of those that it was made of.

use std::sync::Arc;
use std::time::Duration;

use super::file_names::{CLEANED, SWAP};
use super::segment::LogSegment;
use super::{Log, LogError};

impl Log {
    /// Takes `cleaned`, whose files end in `.cleaned` and are on the disk, in place of `old`, which must be sealed and
    /// stand one after the other; the caller keeps others from changing them. Answers whether they were still there
    /// (Kafka: `LocalLog#replaceSegments`).
    ///
    /// Each step is on the disk before the next, since a disk that loses power may keep a later one and lose an
    /// earlier. Up to the first sync the old segments count, from then on the new one: whatever of the rest is
    /// missing then, the next opening does. An error in between, whatever its reason, therefore takes the log dir
    /// offline: what is half done would be in the way of the next compaction.
    pub(super) fn replace_segments(
        &self,
        cleaned: &Arc<LogSegment>,
        old: &[Arc<LogSegment>],
    ) -> Result<bool, LogError> {
        let Some(_) = self.segments().replacing(old, Arc::clone(cleaned)) else {
            cleaned.delete_files()?;
            return Ok(false);
        };
        self.dir.sync()?;
        self.swap_segments(cleaned, old).inspect_err(|error| self.log_dir.fail(error))
    }

    fn swap_segments(&self, cleaned: &Arc<LogSegment>, old: &[Arc<LogSegment>]) -> Result<bool, LogError> {
        cleaned.change_file_suffixes(CLEANED, SWAP)?;
        self.dir.sync()?;
        let delay_ms = self.config().file_delete_delay_ms;
        let delay = Duration::from_millis(u64::try_from(delay_ms).unwrap_or_default());
        {
            // Appends roll under this lock.
            let mut writer = self.writer.lock();
            let mut segments = self.segments.write();
            let Some(replaced) = segments.replacing(old, Arc::clone(cleaned)) else {
                drop(segments);
                cleaned.delete_files()?;
                return Ok(false);
            };
            *segments = Arc::new(replaced);
            drop(segments);
            for segment in old.iter().filter(|old| old.base_offset() != cleaned.base_offset()) {
                self.delete_snapshot_later(&mut writer.producers, segment.base_offset(), delay)?;
            }
        }
        for segment in old {
            self.delete_segment_later(segment, delay)?;
        }
        self.dir.sync()?;
        cleaned.change_file_suffixes(SWAP, "")?;
        // What a later compaction leaves half done must not be taken for the end of this one.
        self.dir.sync()?;
        Ok(true)
    }
}
