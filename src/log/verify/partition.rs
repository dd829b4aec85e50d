//! The files of one partition.

use std::path::Path;
use std::sync::Arc;

use super::checkpoints::Known;
use super::segment::Place;
use super::transactions::Transactions;
use super::{Check, Finding, ONLY_PROBLEMS, Remedy};
use crate::log::LogError;
use crate::log::checkpoint::{
    ContentError, EpochEntry, format_leader_epochs, parse_leader_epochs, parse_partition_metadata,
};
use crate::log::dump::{Dump, DumpError, RecordText};
use crate::log::epoch_cache::LeaderEpochFileCache;
use crate::log::file_names::{
    self, CLEANED, DELETED, LEADER_EPOCH_CHECKPOINT, LOG, OFFSET_INDEX, PARTITION_METADATA,
    PRODUCER_SNAPSHOT, SWAP, TEMPORARY, TIME_INDEX, TXN_INDEX,
};
use crate::log::loader::{first_to_recover, is_file_of_partition};
use crate::log::open_files::OpenFiles;
use crate::log::partition_dir::PartitionDir;
use crate::log::producer_state::parse_snapshot;
use crate::model::{LeaderEpoch, NO_LEADER_EPOCH, Offset};
use crate::record::RecordBatchRef;

/// Files that are replaced as a whole.
const SMALL_FILES: [&str; 2] = [LEADER_EPOCH_CHECKPOINT, PARTITION_METADATA];
const INDEXES: [&str; 3] = [OFFSET_INDEX, TIME_INDEX, TXN_INDEX];

impl Check<'_> {
    /// Answers where the log ends.
    pub(super) fn partition(&mut self, path: &Path, known: Known) -> Result<Offset, LogError> {
        let recovery_point = known.recovery_point;
        self.done.partitions += 1;
        self.small_file(&path.join(PARTITION_METADATA), &|content| {
            parse_partition_metadata(content).map(drop)
        })?;
        let entries = self.fs.read_dir(path).map_err(LogError::storage("list", path))?;
        let names: Vec<&str> =
            entries.iter().filter(|entry| !entry.is_dir).map(|entry| &*entry.name).collect();
        self.left_behind(path, &names);
        for entry in &entries {
            match entry.is_dir {
                true => self.foreign(&path.join(&entry.name), "a foreign directory"),
                false if is_file_of_partition(&entry.name) => {}
                false => self.foreign(&path.join(&entry.name), "a foreign file"),
            }
        }
        let dir =
            Arc::new(PartitionDir::new(Arc::clone(self.fs), path.to_owned(), Arc::new(OpenFiles::default())));
        // Twenty digits: the order of names is that of offsets.
        let logs: Vec<Offset> = names.iter().filter_map(|name| base_of(name, LOG)).collect();
        let first = recovery_point.and_then(|point| first_to_recover(logs.iter().copied(), point));
        let is_recovered = |base: Offset| first.is_some_and(|first| base >= first);
        let first_base = logs.first().copied().unwrap_or_default();
        let start = known.log_start_offset.unwrap_or_default().max(first_base);
        let (mut log, mut damaged) =
            (LogSoFar { start, transactions: Transactions::new(start), ..LogSoFar::default() }, Vec::new());
        for &base in &logs {
            let place = Place { is_recovered: is_recovered(base), is_last: logs.last() == Some(&base) };
            let is_sound = self.segment(&dir, base, place, &mut log)?;
            if !is_sound {
                damaged.push(base);
            }
            if is_sound && !is_recovered(base) {
                self.transaction_index(
                    &path.join(file_names::of_offset(base, TXN_INDEX)),
                    &mut log.transactions,
                )?;
            } else {
                log.transactions.skip_segment();
            }
        }
        for (index, what) in log.transactions.too_stable(log.next_offset.max(first_base)) {
            self.found(Finding::problem(index, what, Remedy::SetAside));
        }
        self.leader_epochs(&path.join(LEADER_EPOCH_CHECKPOINT), &log, recovery_point)?;
        for name in &names {
            let file = path.join(name);
            if let Some(base) = INDEXES.iter().find_map(|kind| base_of(name, kind)) {
                if !logs.contains(&base) {
                    self.found(Finding::problem(&file, "an index without a log", Remedy::SetAside));
                } else if base_of(name, TXN_INDEX).is_some()
                    && !is_recovered(base)
                    && !damaged.contains(&base)
                {
                    self.transaction_index_entries(&file)?;
                }
            } else if base_of(name, PRODUCER_SNAPSHOT).is_some() {
                self.snapshot(&file, recovery_point.is_some())?;
            }
        }
        Ok(log.next_offset.max(first_base))
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

    /// Holds the terms of the file against those of the batches.
    fn leader_epochs(
        &mut self,
        path: &Path,
        log: &LogSoFar,
        recovery_point: Option<Offset>,
    ) -> Result<(), LogError> {
        let known = std::cell::Cell::new(Vec::new());
        let wrong =
            self.wrong_with(path, &|content| parse_leader_epochs(content).map(|epochs| known.set(epochs)))?;
        let written = known.take();
        let right = || Remedy::Replace(format_leader_epochs(log.epochs().entries()));
        if wrong.is_none()
            && let Some(what) = contradiction(&written, log, recovery_point)
        {
            self.found(Finding::problem(path, what, right()));
        }
        if let Some(error) = wrong {
            let remedy = match error {
                ContentError::Newer { .. } => Remedy::Nothing,
                ContentError::Malformed(_) => right(),
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

    /// Whether they are entries at all.
    fn transaction_index_entries(&mut self, path: &Path) -> Result<(), LogError> {
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

/// What the entries of a file have that the batches do not. There is a recovery point if the log was not closed in order.
fn contradiction(written: &[EpochEntry], log: &LogSoFar, recovery_point: Option<Offset>) -> Option<String> {
    if !log.terms.is_sorted_by_key(|term| term.epoch) {
        // Told of with the batch that is wrong, and which that is, nobody knows.
        return None;
    }
    let known = LeaderEpochFileCache::new(written.to_vec());
    if known.entries() != written {
        return Some("its leader epochs are not in order".to_owned());
    }
    // Terms that no flush has told it of yet, it need not know after an unclean stop.
    let is_behind = |term: &Term| {
        recovery_point.is_some_and(|flushed| term.first_offset >= flushed)
            && known.latest_epoch().is_none_or(|latest| term.epoch > latest)
    };
    for term in log.terms.iter().filter(|term| !is_behind(term)) {
        for offset in [term.first_offset, term.last_offset] {
            if known.epoch_for_offset(offset) != Some(term.epoch) {
                return Some(format!("it does not have leader epoch {} at offset {offset}", term.epoch));
            }
        }
    }
    // Where the log starts is written to both files before it is closed.
    let first =
        known.earliest().filter(|first| recovery_point.is_none() && first.start_offset < log.start)?;
    Some(format!("it begins at offset {}, and the log at {}", first.start_offset, log.start))
}

/// Batches of one leader.
#[derive(Clone, Copy, Debug)]
pub(super) struct Term {
    epoch: LeaderEpoch,
    first_offset: Offset,
    /// Where the last batch ends.
    last_offset: Offset,
}

/// What the segments up to here tell.
#[derive(Debug, Default)]
pub(super) struct LogSoFar {
    /// Where the log starts, by the checkpoint or the first segment.
    pub(super) start: Offset,
    /// The offset after the last good batch.
    pub(super) next_offset: Offset,
    terms: Vec<Term>,
    pub(super) transactions: Transactions,
    /// The next start cuts the log before this segment.
    pub(super) is_over: bool,
}

impl LogSoFar {
    pub(super) fn note(&mut self, batch: RecordBatchRef<'_>) {
        self.next_offset = batch.next_offset();
        self.transactions.note(batch);
        let epoch = batch.partition_leader_epoch();
        if epoch < 0 || batch.last_offset() < self.start {
            return;
        }
        let offset = batch.base_offset().max(self.start);
        match self.terms.last_mut() {
            Some(term) if term.epoch == epoch => term.last_offset = batch.last_offset(),
            _ => self.terms.push(Term { epoch, first_offset: offset, last_offset: batch.last_offset() }),
        }
    }

    /// Whether a batch is of a leader that comes before the latest one, which is answered.
    pub(super) fn goes_back(&self, batch: RecordBatchRef<'_>) -> Option<LeaderEpoch> {
        let epoch = batch.partition_leader_epoch();
        let latest = self.terms.last().map_or(NO_LEADER_EPOCH, |term| term.epoch);
        // Batches of old formats have none.
        (epoch < latest && epoch != NO_LEADER_EPOCH).then_some(latest)
    }

    /// The terms as a file has them.
    fn epochs(&self) -> LeaderEpochFileCache {
        let mut epochs = LeaderEpochFileCache::default();
        for term in &self.terms {
            if epochs.latest_epoch().is_none_or(|latest| latest < term.epoch) {
                epochs.assign(term.epoch, term.first_offset);
            }
        }
        epochs
    }
}
