//! Kafka's own metadata, which a broker reads topics and settings from and never writes.

use std::path::Path;

use super::checkpoints::Known;
use super::{Check, Finding, Remedy};
use crate::log::LogError;
use crate::log::dump::DECOMPRESSION_LIMIT;
use crate::log::file_names::CLUSTER_METADATA_DIR;
use crate::model::Offset;
use crate::record::Batches;

/// Kafka takes a snapshot every 20 MB, so that no file comes near this.
const MAX_SNAPSHOT_BYTES: usize = i32::MAX as usize;

impl Check<'_> {
    /// Checks its log as any other, and its snapshots. A repair leaves both to Kafka.
    pub(super) fn cluster_metadata(&mut self, log_dir: &Path, was_unclean: bool) -> Result<(), LogError> {
        let (path, before) = (log_dir.join(CLUSTER_METADATA_DIR), self.done.findings.len());
        // Kafka looks for a torn end in the last segment, where it can be.
        let known = Known { recovery_point: was_unclean.then_some(Offset::MAX), log_start_offset: None };
        self.partition(&path, known)?;
        let entries = self.fs.read_dir(&path).map_err(LogError::storage("list", &path))?;
        for entry in entries.iter().filter(|entry| entry.name.ends_with(".checkpoint")) {
            self.metadata_snapshot(&path.join(&entry.name))?;
        }
        for finding in self.done.findings.iter_mut().skip(before) {
            finding.what.push_str("; Kafka's metadata is left as it is");
            finding.remedy = Remedy::Nothing;
        }
        Ok(())
    }

    fn metadata_snapshot(&mut self, path: &Path) -> Result<(), LogError> {
        let content = self.fs.read(path, MAX_SNAPSHOT_BYTES).map_err(LogError::storage("read", path))?;
        let (mut batches, mut scratch) = (Batches::new(&content), Vec::new());
        let wrong = batches.by_ref().find_map(|batch| {
            let check = batch.and_then(|batch| {
                batch.ensure_valid()?;
                batch.records(&mut scratch, DECOMPRESSION_LIMIT)?.try_for_each(|record| record.map(drop))
            });
            check.err().map(|error| error.to_string())
        });
        let wrong = wrong.or_else(|| {
            let rest = batches.remainder_len();
            (rest > 0).then(|| format!("its last {rest} bytes are no records"))
        });
        if let Some(what) = wrong {
            self.found(Finding::problem(path, what, Remedy::Nothing));
        }
        Ok(())
    }
}
