//! Which transactional batches may go (Kafka: `CleanedTransactionMetadata`).

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use crate::log::index::AbortedTxn;
use crate::model::{Offset, ProducerId};
use crate::record::{BatchHeader, ControlRecordType};

/// The transactions that are open at the place that a walk through the log has reached.
#[derive(Debug, Default)]
pub(super) struct CleanedTransactions {
    ongoing_committed: HashSet<ProducerId>,
    ongoing_aborted: HashMap<ProducerId, OngoingAborted>,
    /// Those that the walk has not reached yet, by their first offset.
    upcoming: BinaryHeap<Reverse<ByFirstOffset>>,
}

#[derive(Clone, Copy, Debug)]
struct OngoingAborted {
    txn: AbortedTxn,
    /// A batch of it is still in the log.
    has_batches: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct ByFirstOffset(AbortedTxn);

impl Ord for ByFirstOffset {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.first_offset.cmp(&other.0.first_offset)
    }
}

impl PartialOrd for ByFirstOffset {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// What is to become of a control batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ControlBatchFate {
    /// Nothing of its transaction is left, so it may go when its time has come.
    pub(super) can_discard: bool,
    /// It stays, and the index of aborted transactions must tell of it.
    pub(super) index_entry: Option<AbortedTxn>,
}

impl CleanedTransactions {
    /// Tells of aborted transactions that the walk is going to meet.
    pub(super) fn add_aborted(&mut self, aborted: impl IntoIterator<Item = AbortedTxn>) {
        self.upcoming.extend(aborted.into_iter().map(|txn| Reverse(ByFirstOffset(txn))));
    }

    /// The walk meets a control batch; `kind` is what its record is about, `None` if it was emptied before.
    pub(super) fn on_control_batch(
        &mut self,
        batch: BatchHeader<'_>,
        kind: Option<ControlRecordType>,
    ) -> ControlBatchFate {
        self.reach(batch.last_offset());
        let producer_id = batch.producer_id();
        match kind {
            Some(ControlRecordType::Abort) => {
                let aborted = self.ongoing_aborted.remove(&producer_id);
                let index_entry = aborted.filter(|aborted| aborted.has_batches).map(|aborted| aborted.txn);
                ControlBatchFate { can_discard: index_entry.is_none(), index_entry }
            }
            Some(ControlRecordType::Commit) => {
                let has_batches = self.ongoing_committed.remove(&producer_id);
                ControlBatchFate { can_discard: !has_batches, index_entry: None }
            }
            Some(_) => ControlBatchFate::default(),
            None => ControlBatchFate { can_discard: true, index_entry: None },
        }
    }

    /// The walk meets a batch of data; answers whether its transaction was aborted.
    pub(super) fn on_batch(&mut self, batch: BatchHeader<'_>) -> bool {
        self.reach(batch.last_offset());
        if !batch.is_transactional() {
            return false;
        }
        match self.ongoing_aborted.get_mut(&batch.producer_id()) {
            Some(aborted) => {
                aborted.has_batches = true;
                true
            }
            None => {
                self.ongoing_committed.insert(batch.producer_id());
                false
            }
        }
    }

    fn reach(&mut self, offset: Offset) {
        while let Some(Reverse(ByFirstOffset(txn))) = self.upcoming.peek()
            && txn.first_offset <= offset
        {
            // One that spans segments is told of by each of them.
            self.ongoing_aborted
                .entry(txn.producer_id)
                .or_insert(OngoingAborted { txn: *txn, has_batches: false });
            self.upcoming.pop();
        }
    }
}
