//! Transactions, as the batches of a log tell of them, held against its transaction indexes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::{Check, Finding, Remedy};
use crate::log::LogError;
use crate::log::checkpoint::MAX_FILE_BYTES;
use crate::log::index::AbortedTxn;
use crate::log::producers::marker_of;
use crate::model::{Offset, ProducerId};
use crate::record::RecordBatchRef;

/// What the log has told of transactions up to here.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    /// Where those begin, as far as their records are there, that have no marker yet.
    open: HashMap<ProducerId, Offset>,
    /// The last marker of each producer.
    ended: HashMap<ProducerId, Offset>,
    /// Where the log starts.
    start: Offset,
    /// From here on, every record that was ever written is there.
    complete_from: Offset,
    next_offset: Offset,
    /// The markers of the segment that abort something.
    aborted: Vec<Aborted>,
    /// Those that have a marker: where that is, and where they begin.
    complete: Vec<(Offset, Offset)>,
    /// What the indexes say was stable.
    stable: Vec<Stable>,
}

/// What an entry says.
#[derive(Debug)]
struct Stable {
    index: PathBuf,
    marker: Offset,
    last_stable_offset: Offset,
}

#[derive(Clone, Copy, Debug)]
struct Aborted {
    producer_id: ProducerId,
    marker: Offset,
    /// Where the transaction begins, of which earlier records may be gone.
    first: Option<Offset>,
    /// No record of the transaction is at or below.
    ended_before: Option<Offset>,
    complete_from: Offset,
}

impl Transactions {
    /// Of a log that starts at `start`: whoever opens it need not know what is below.
    pub(super) fn new(start: Offset) -> Self {
        Transactions { start, complete_from: start, ..Transactions::default() }
    }

    pub(super) fn note(&mut self, batch: RecordBatchRef<'_>) {
        let (base, next) = (batch.base_offset(), batch.next_offset());
        if base != self.next_offset {
            self.complete_from = self.complete_from.max(base);
        }
        if batch.records_count().is_some_and(|count| i64::from(count) != next - base) {
            self.complete_from = self.complete_from.max(next);
        }
        self.next_offset = next;
        let producer_id = batch.producer_id();
        if !batch.has_producer_id() || !batch.is_transactional() {
            return;
        }
        if !batch.is_control() {
            // Compaction takes a marker when all records of its transaction are gone, but it keeps the last batch of a
            // producer, then an empty one.
            if batch.last_offset() >= self.start && batch.records_count() != Some(0) {
                self.open.entry(producer_id).or_insert(base);
            }
            return;
        }
        let Ok(Some(marker)) = marker_of(batch) else { return };
        let first = self.open.remove(&producer_id);
        self.complete.extend(first.map(|first| (base, first)));
        let ended_before = self.ended.insert(producer_id, base);
        if !marker.is_commit {
            self.aborted.push(Aborted {
                producer_id,
                marker: base,
                first,
                ended_before,
                complete_from: self.complete_from,
            });
        }
    }

    /// The segment is not held against its index.
    pub(super) fn skip_segment(&mut self) {
        self.aborted.clear();
    }

    /// What indexes have too high, of a log that ends at `end`: whoever looks for aborted transactions looks no further
    /// than that, so none that ends behind the entry's marker may begin below. Too low a one costs a look at entries that
    /// are not needed; and Kafka's may be that of all that was appended at once.
    pub(super) fn too_stable(&self, end: Offset) -> Vec<(&Path, String)> {
        let mut first_of_rest = self.open.values().copied().fold(end, Offset::min);
        let mut limits = vec![(Offset::MAX, first_of_rest)];
        for &(marker, first) in self.complete.iter().rev() {
            first_of_rest = first_of_rest.min(first);
            limits.push((marker, first_of_rest));
        }
        limits.reverse();
        let mut found = Vec::new();
        for Stable { index, marker, last_stable_offset } in &self.stable {
            let behind = limits.partition_point(|(other, _)| other <= marker);
            let limit = limits.get(behind).map_or(end, |(_, limit)| *limit);
            if *last_stable_offset > limit {
                let what = format!(
                    "with the marker at offset {marker}, {last_stable_offset} is not stable yet, but {limit}"
                );
                found.push((index.as_path(), what));
            }
        }
        found
    }
}

impl Aborted {
    /// What is wrong with its entry.
    fn fault_of(&self, entry: &AbortedTxn) -> Option<String> {
        // Compaction and retention take the first records, or all.
        let of_those_gone = self.complete_from.min(self.first.unwrap_or(self.marker));
        let fits = self.first == Some(entry.first_offset) || entry.first_offset < of_those_gone;
        let fits = fits && self.ended_before.is_none_or(|ended| entry.first_offset > ended);
        (!fits).then(|| format!("it begins at {}, not at {:?}", entry.first_offset, self.first))
    }
}

impl Check<'_> {
    /// Holds the index of a segment, which need not be there, against what was noted since the last call.
    pub(super) fn transaction_index(
        &mut self,
        path: &Path,
        transactions: &mut Transactions,
    ) -> Result<(), LogError> {
        let aborted = std::mem::take(&mut transactions.aborted);
        let content = match self.fs.read(path, MAX_FILE_BYTES) {
            Ok(content) => content,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(LogError::storage("read", path)(error)),
        };
        // Entries of another version, and half ones, are told of with the format of the file.
        let (entries, _) = content.as_chunks::<{ AbortedTxn::SIZE }>();
        let entries: Vec<AbortedTxn> =
            entries.iter().filter_map(|entry| AbortedTxn::parse(entry.as_slice())).collect();
        let is_of = |txn: &Aborted, entry: &AbortedTxn| {
            (txn.producer_id, txn.marker) == (entry.producer_id, entry.last_offset)
        };
        let mut wrong = Vec::new();
        for entry in &entries {
            transactions.stable.push(Stable {
                index: path.to_owned(),
                marker: entry.last_offset,
                last_stable_offset: entry.last_stable_offset,
            });
            let fault = match aborted.iter().find(|txn| is_of(txn, entry)) {
                Some(txn) => txn.fault_of(entry),
                None => Some("there is no such marker".to_owned()),
            };
            if let Some(fault) = fault {
                let (producer_id, marker) = (entry.producer_id, entry.last_offset);
                wrong.push(format!(
                    "producer {producer_id}, aborted by the marker at offset {marker}: {fault}"
                ));
            }
        }
        for txn in &aborted {
            let is_known = entries.iter().any(|entry| is_of(txn, entry));
            if !is_known && txn.first.is_some() {
                let (producer_id, marker) = (txn.producer_id, txn.marker);
                wrong.push(format!(
                    "it lacks the transaction of producer {producer_id} that the marker at offset {marker} aborts"
                ));
            }
        }
        for what in wrong {
            self.found(Finding::problem(path, what, Remedy::SetAside));
        }
        Ok(())
    }
}
