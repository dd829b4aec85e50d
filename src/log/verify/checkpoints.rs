//! The offsets that a log dir has for each of its partitions.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use super::{Check, Finding, Remedy, newer};
use crate::log::LogError;
use crate::log::checkpoint::OffsetCheckpointFile;
use crate::log::file_names::{
    CLEANER_CHECKPOINT, HIGH_WATERMARK_CHECKPOINT, LOG_START_OFFSET_CHECKPOINT, RECOVERY_POINT_CHECKPOINT,
};
use crate::model::{Offset, TopicPartition};

type Offsets = HashMap<TopicPartition, Offset>;

/// What the files say, of which a damaged one says nothing.
#[derive(Default)]
pub(super) struct Checkpoints {
    recovery_points: Offsets,
    high_watermarks: Offsets,
    log_starts: Offsets,
    cleaned: Offsets,
    /// Every log was closed in order, and they were written behind that.
    pub(super) are_final: bool,
}

/// What they say of one partition.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Known {
    /// Of a log that was not closed in order.
    pub(super) recovery_point: Option<Offset>,
    pub(super) log_start_offset: Option<Offset>,
}

impl Checkpoints {
    pub(super) fn of(&self, partition: &TopicPartition) -> Known {
        let recovery_point = self.recovery_points.get(partition).copied().unwrap_or_default().max(0);
        Known {
            recovery_point: (!self.are_final).then_some(recovery_point),
            log_start_offset: self.log_starts.get(partition).copied(),
        }
    }

    fn files(&self) -> [(&'static str, &Offsets); 4] {
        [
            (RECOVERY_POINT_CHECKPOINT, &self.recovery_points),
            (HIGH_WATERMARK_CHECKPOINT, &self.high_watermarks),
            (LOG_START_OFFSET_CHECKPOINT, &self.log_starts),
            (CLEANER_CHECKPOINT, &self.cleaned),
        ]
    }
}

impl Check<'_> {
    /// Reads them. Without its file, every log is read from its start.
    pub(super) fn checkpoints(&mut self, log_dir: &Path, are_final: bool) -> Result<Checkpoints, LogError> {
        Ok(Checkpoints {
            recovery_points: self.offsets(log_dir, RECOVERY_POINT_CHECKPOINT)?,
            high_watermarks: self.offsets(log_dir, HIGH_WATERMARK_CHECKPOINT)?,
            log_starts: self.offsets(log_dir, LOG_START_OFFSET_CHECKPOINT)?,
            cleaned: self.offsets(log_dir, CLEANER_CHECKPOINT)?,
            are_final,
        })
    }

    fn offsets(&mut self, log_dir: &Path, name: &str) -> Result<Offsets, LogError> {
        match OffsetCheckpointFile::new(Arc::clone(self.fs), log_dir, name).read() {
            Ok(offsets) => return Ok(offsets),
            Err(LogError::Malformed { path, what }) => {
                self.found(Finding::problem(&path, what, Remedy::SetAside));
            }
            Err(error @ LogError::NewerFormat { .. }) => {
                self.found(Finding::problem(&log_dir.join(name), newer(&error), Remedy::Nothing));
            }
            Err(error) => return Err(error),
        }
        Ok(Offsets::new())
    }

    /// Once all logs were closed in order, a file has none that is not there. A deletion that a crash has cut short may
    /// leave one.
    pub(super) fn unknown_partitions(
        &mut self,
        log_dir: &Path,
        checkpoints: &Checkpoints,
        there: &HashSet<&TopicPartition>,
    ) {
        if !checkpoints.are_final {
            return;
        }
        // Kafka leaves those of deleted partitions in the fourth.
        for (name, offsets) in checkpoints.files().into_iter().take(3) {
            for partition in offsets.keys().filter(|partition| !there.contains(partition)) {
                let what = format!("it has an offset for {partition}, which is not there");
                self.found(Finding::problem(&log_dir.join(name), what, Remedy::Start));
            }
        }
    }

    /// Holds them against where the log ends.
    pub(super) fn ends(
        &mut self,
        log_dir: &Path,
        checkpoints: &Checkpoints,
        partition: &TopicPartition,
        end: Offset,
    ) {
        if !checkpoints.are_final {
            return;
        }
        for (name, offsets) in checkpoints.files() {
            if let Some(offset) = offsets.get(partition).filter(|offset| **offset > end || **offset < 0) {
                let what = format!("it has offset {offset} for {partition}, which ends at {end}");
                self.found(Finding::problem(&log_dir.join(name), what, Remedy::SetAside));
            }
        }
    }
}
