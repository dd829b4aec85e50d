//! Transactions, as the batches of a log tell of them, held against its transaction indexes.

use std::collections::HashMap;
use std::path::Path;

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
    /// From here on, every record that was ever written is there.
    complete_from: Offset,
    next_offset: Offset,
    /// The markers of the segment that abort something.
    aborted: Vec<Aborted>,
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
    last_stable_offset: Offset,
}

impl Transactions {
    /// Of a log that starts at `start`: whoever opens it need not know what is below.
    pub(super) fn new(start: Offset) -> Self {
        Transactions { complete_from: start, ..Transactions::default() }
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
            self.open.entry(producer_id).or_insert(base);
            return;
        }
        let Ok(Some(marker)) = marker_of(batch) else { return };
        let first = self.open.remove(&producer_id);
        let ended_before = self.ended.insert(producer_id, base);
        if !marker.is_commit {
            // Of one that begins earlier, the marker may be gone.
            let still_open = self.open.values().copied().filter(|first| *first >= self.complete_from);
            self.aborted.push(Aborted {
                producer_id,
                marker: base,
                first,
                ended_before,
                complete_from: self.complete_from,
                last_stable_offset: still_open.min().unwrap_or(next),
            });
        }
    }
}

impl Aborted {
    /// What is wrong with its entry.
    fn fault_of(&self, entry: &AbortedTxn) -> Option<String> {
        let fits = match self.first {
            Some(first) if entry.first_offset == first => true,
            // Compaction and retention take the first records, and compaction takes markers of other transactions.
            Some(first) if first < self.complete_from => entry.first_offset < self.marker,
            Some(_) | None => entry.first_offset < self.complete_from.min(self.marker),
        };
        let fits = fits && self.ended_before.is_none_or(|ended| entry.first_offset > ended);
        if !fits {
            return Some(format!("it begins at {}, not at {:?}", entry.first_offset, self.first));
        }
        // Too low a one costs a look at entries that are not needed.
        let is_stable = entry.last_stable_offset > self.last_stable_offset;
        is_stable.then(|| {
            format!("{} is not stable yet, but {}", entry.last_stable_offset, self.last_stable_offset)
        })
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
            if !is_known && txn.first.is_some_and(|first| first >= txn.complete_from) {
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
