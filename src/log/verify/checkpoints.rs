//! The offsets that a log dir has for each of its partitions.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use super::{Check, Finding, Remedy, newer};
use crate::log::LogError;
use crate::log::checkpoint::{OffsetCheckpointFile, format_offsets};
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

    /// Holds them against where the logs end: the one of a partition, or that and the one of its copy. Once all were closed
    /// in order, everything was flushed, a file has none beyond, and none of a partition that is not there; a crash may
    /// leave any of that, but for a recovery point beyond the end.
    pub(super) fn hold_against(
        &mut self,
        ends: &HashMap<&TopicPartition, Vec<Offset>>,
        log_dir: &Path,
        checkpoints: &Checkpoints,
    ) {
        let are_final = checkpoints.are_final;
        if !are_final {
            self.hold_starts_against(ends, &log_dir.join(LOG_START_OFFSET_CHECKPOINT), checkpoints);
        }
        for (name, offsets) in checkpoints.files() {
            let fits = |offset: Offset, end: Offset| match (name, are_final) {
                (RECOVERY_POINT_CHECKPOINT, true) => offset == end,
                // All below it was synced.
                (RECOVERY_POINT_CHECKPOINT, false) => offset <= end,
                (_, true) => (0..=end).contains(&offset),
                (_, false) => true,
            };
            let wrong_with = |partition: &TopicPartition, offset: Offset| match ends.get(partition) {
                Some(ends) if ends.iter().any(|end| fits(offset, *end)) => None,
                Some(ends) => {
                    let end = ends.iter().max().copied().unwrap_or_default();
                    Some(format!("it has offset {offset} for {partition}, which ends at {end}"))
                }
                // Kafka leaves those of deleted partitions there.
                None if name == CLEANER_CHECKPOINT || !are_final => None,
                None => Some(format!("it has an offset for {partition}, which is not there")),
            };
            let wrong: BTreeMap<&TopicPartition, String> = offsets
                .iter()
                .filter_map(|(partition, offset)| Some((partition, wrong_with(partition, *offset)?)))
                .collect();
            let right = || {
                let right = offsets.iter().filter(|(partition, _)| !wrong.contains_key(partition));
                format_offsets(right.map(|(partition, offset)| (partition.clone(), *offset)))
            };
            let path = log_dir.join(name);
            for what in wrong.values() {
                self.found(Finding::problem(&path, what, Remedy::Replace(right())));
            }
        }
    }

    /// Of a log that was not closed in order and ends before its start, the next start keeps nothing.
    fn hold_starts_against(
        &mut self,
        ends: &HashMap<&TopicPartition, Vec<Offset>>,
        path: &Path,
        checkpoints: &Checkpoints,
    ) {
        let beyond: BTreeMap<&TopicPartition, (Offset, Offset)> = checkpoints
            .log_starts
            .iter()
            .filter_map(|(partition, start)| {
                let end = ends.get(partition)?.iter().max()?;
                (start > end).then_some((partition, (*start, *end)))
            })
            .collect();
        for (partition, (start, end)) in beyond {
            let what = format!(
                "{partition} starts at offset {start} and ends at {end}; the next start has it begin there, empty"
            );
            self.found(Finding::pending(path, what, Remedy::Start));
        }
    }
}
