//! The files of one partition.

use std::path::Path;
use std::sync::Arc;

use super::segment::Place;
use super::{Check, Finding, ONLY_PROBLEMS, Remedy};
use crate::log::LogError;
use crate::log::checkpoint::{
    ContentError, format_leader_epochs, parse_leader_epochs, parse_partition_metadata,
};
use crate::log::dump::{Dump, DumpError, RecordText};
use crate::log::epoch_cache::LeaderEpochFileCache;
use crate::log::file_names::{
    self, CLEANED, DELETED, LEADER_EPOCH_CHECKPOINT, LOG, OFFSET_INDEX, PARTITION_METADATA,
    PRODUCER_SNAPSHOT, SWAP, TEMPORARY, TIME_INDEX, TXN_INDEX,
};
use crate::log::loader::first_to_recover;
use crate::log::open_files::OpenFiles;
use crate::log::partition_dir::PartitionDir;
use crate::log::producer_state::parse_snapshot;
use crate::model::Offset;

/// Files that are replaced as a whole.
const SMALL_FILES: [&str; 2] = [LEADER_EPOCH_CHECKPOINT, PARTITION_METADATA];
const INDEXES: [&str; 3] = [OFFSET_INDEX, TIME_INDEX, TXN_INDEX];

impl Check<'_> {
    /// `recovery_point` is that of a log which was not closed in order.
    pub(super) fn partition(&mut self, path: &Path, recovery_point: Option<Offset>) -> Result<(), LogError> {
        self.done.partitions += 1;
        self.small_file(&path.join(PARTITION_METADATA), &|content| {
            parse_partition_metadata(content).map(drop)
        })?;
        let entries = self.fs.read_dir(path).map_err(LogError::storage("list", path))?;
        let names: Vec<&str> =
            entries.iter().filter(|entry| !entry.is_dir).map(|entry| &*entry.name).collect();
        self.left_behind(path, &names);
        let dir =
            Arc::new(PartitionDir::new(Arc::clone(self.fs), path.to_owned(), Arc::new(OpenFiles::default())));
        // Twenty digits: the order of names is that of offsets.
        let logs: Vec<Offset> = names.iter().filter_map(|name| base_of(name, LOG)).collect();
        let first = recovery_point.and_then(|point| first_to_recover(logs.iter().copied(), point));
        let is_recovered = |base: Offset| first.is_some_and(|first| base >= first);
        let (mut log, mut damaged) = (LogSoFar::default(), Vec::new());
        for &base in &logs {
            let place = Place { is_recovered: is_recovered(base), is_last: logs.last() == Some(&base) };
            let is_sound = self.segment(&dir, base, place, &mut log)?;
            if !is_sound {
                damaged.push(base);
            }
        }
        self.leader_epochs(&path.join(LEADER_EPOCH_CHECKPOINT), &log.epochs, recovery_point.is_some())?;
        for name in &names {
            let file = path.join(name);
            if let Some(base) = INDEXES.iter().find_map(|kind| base_of(name, kind)) {
                if !logs.contains(&base) {
                    self.found(Finding::problem(&file, "an index without a log", Remedy::SetAside));
                } else if !is_recovered(base) && !damaged.contains(&base) {
                    self.index(&file)?;
                }
            } else if base_of(name, PRODUCER_SNAPSHOT).is_some() {
                self.snapshot(&file, recovery_point.is_some())?;
            }
        }
        Ok(())
    }

    /// What work that was cut short has left.
    fn left_behind(&mut self, path: &Path, names: &[&str]) {
        for name in names {
            let replaced = name.strip_suffix(TEMPORARY);
            if replaced
                .is_some_and(|name| SMALL_FILES.contains(&name) || file_names::offset_of(name).is_some())
            {
                self.stray(&path.join(name));
            } else if file_names::offset_of(name).is_some() {
                let what = match [DELETED, CLEANED, SWAP].into_iter().find(|suffix| name.ends_with(suffix)) {
                    Some(SWAP) => "the next start puts it in its place, or removes it",
                    Some(_) => "the next start removes it",
                    None => continue,
                };
                self.found(Finding::pending(&path.join(name), what, Remedy::Start));
            }
        }
    }

    fn leader_epochs(
        &mut self,
        path: &Path,
        read: &LeaderEpochFileCache,
        was_unclean: bool,
    ) -> Result<(), LogError> {
        let known = std::cell::Cell::new(Vec::new());
        let wrong =
            self.wrong_with(path, &|content| parse_leader_epochs(content).map(|epochs| known.set(epochs)))?;
        let known = LeaderEpochFileCache::new(known.take());
        // Terms that no flush has told it of yet, it need not know after an unclean stop.
        let is_behind = |epoch| was_unclean && known.latest_epoch().is_none_or(|latest| epoch > latest);
        let contradicted = read.entries().iter().find(|entry| {
            let found = known.epoch_for_offset(entry.start_offset);
            found.is_some_and(|epoch| epoch != entry.epoch) && !is_behind(entry.epoch)
        });
        if let Some(entry) = contradicted {
            let what =
                format!("it does not have leader epoch {} at offset {}", entry.epoch, entry.start_offset);
            self.found(Finding::problem(path, what, Remedy::Replace(format_leader_epochs(read.entries()))));
        }
        if let Some(error) = wrong {
            let remedy = match error {
                ContentError::Newer { .. } => Remedy::Nothing,
                ContentError::Malformed(_) => Remedy::Replace(format_leader_epochs(read.entries())),
            };
            self.found(Finding::problem(path, error, remedy));
        }
        Ok(())
    }

    /// A snapshot that an unclean stop has torn is made anew.
    fn snapshot(&mut self, path: &Path, was_unclean: bool) -> Result<(), LogError> {
        match self.wrong_with(path, &|content| parse_snapshot(content).map(drop))? {
            None => {}
            Some(error @ ContentError::Newer { .. }) => {
                self.found(Finding::problem(path, error, Remedy::Nothing));
            }
            Some(error) => {
                let finding = Finding::problem(path, error, Remedy::SetAside);
                self.found(Finding { is_pending: was_unclean, ..finding });
            }
        }
        Ok(())
    }

    fn index(&mut self, path: &Path) -> Result<(), LogError> {
        let nothing = |_: &crate::record::RecordRef<'_>| RecordText::default();
        let mut sink = std::io::sink();
        match Dump::new(self.fs, ONLY_PROBLEMS, &nothing, &mut sink).file(path) {
            Ok(problems) => {
                for problem in problems {
                    self.found(Finding::problem(path, problem, Remedy::SetAside));
                }
                Ok(())
            }
            Err(DumpError::Log(error)) => Err(error),
            // A sink takes everything.
            Err(DumpError::Out(_)) => Ok(()),
        }
    }
}

/// The base offset in the name of a segment's file of this kind.
fn base_of(name: &str, kind: &str) -> Option<Offset> {
    file_names::offset_of(name).filter(|base| name == file_names::of_offset(*base, kind))
}

/// What the segments up to here tell.
#[derive(Debug, Default)]
pub(super) struct LogSoFar {
    /// The offset after the last good batch.
    pub(super) next_offset: Offset,
    pub(super) epochs: LeaderEpochFileCache,
    /// The next start cuts the log before this segment.
    pub(super) is_over: bool,
}
