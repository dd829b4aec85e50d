//! What a log should be, as a list of batches.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::model::{LeaderEpoch, NO_PRODUCER_ID, Offset, ProducerEpoch, ProducerId, Timestamp};

/// A key and a value; without a value it is a tombstone.
pub(super) type Entry = (Vec<u8>, Option<Vec<u8>>);

/// What a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Data,
    /// Data of a transaction.
    TxnData,
    /// The end of one.
    Marker {
        is_commit: bool,
    },
}

/// A batch as it was appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) base_offset: Offset,
    pub(super) leader_epoch: LeaderEpoch,
    pub(super) producer_id: ProducerId,
    pub(super) producer_epoch: ProducerEpoch,
    pub(super) base_sequence: i32,
    pub(super) kind: Kind,
    /// Of data.
    pub(super) entries: Vec<Entry>,
    /// Of each record, of a marker too.
    pub(super) timestamps: Vec<Timestamp>,
}

impl Batch {
    pub(super) fn next_offset(&self) -> Offset {
        self.base_offset + self.entries.len().max(1) as Offset
    }

    /// Each record's offset and timestamp.
    pub(super) fn times(&self) -> impl Iterator<Item = (Offset, Timestamp)> {
        (self.base_offset..).zip(self.timestamps.iter().copied())
    }

    pub(super) fn is_control(&self) -> bool {
        matches!(self.kind, Kind::Marker { .. })
    }
}

/// The last that a log should know of a producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ProducerModel {
    pub(super) epoch: ProducerEpoch,
    pub(super) last_sequence: i32,
    pub(super) last_offset: Offset,
    pub(super) open_since: Option<Offset>,
}

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    NoTransaction,
    Open,
    Ended { is_commit: bool },
}

/// A log.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    /// Everything appended and not cut off again; compaction and retention take nothing out of it.
    pub(super) batches: Vec<Rc<Batch>>,
    pub(super) start: Offset,
    /// The furthest start that was ever asked for, before a crash brought an earlier one back.
    pub(super) furthest_start: Offset,
    pub(super) end: Offset,
    /// Everything below was acknowledged as flushed.
    pub(super) flushed: Offset,
    /// The start that a checkpoint was told.
    pub(super) checkpointed_start: Offset,
    /// How often the topic was deleted.
    pub(super) deletions: usize,
    /// How often everything in it was dropped.
    pub(super) restarts: usize,
    /// Below, compaction may have been.
    pub(super) cleaned: Offset,
    /// What a compaction went by lies below.
    pub(super) decided: Offset,
}

impl Model {
    pub(super) fn append(&mut self, batch: Batch) {
        assert_eq!(batch.base_offset, self.end, "the next offset");
        self.end = batch.next_offset();
        self.batches.push(Rc::new(batch));
    }

    /// Nothing from `end` on is there any more.
    pub(super) fn cut_at(&mut self, end: Offset) {
        self.batches.retain(|batch| batch.next_offset() <= end);
        self.end = end;
        self.start = self.start.min(end);
        self.furthest_start = self.furthest_start.min(end);
        // What a power loss has taken out of a compacted log was not flushed, and does not come back as an empty end.
        let records_end = self.batches.last().map_or(self.start, |batch| batch.next_offset());
        self.flushed = self.flushed.min(end).min(records_end.max(self.start));
        self.checkpointed_start = self.checkpointed_start.min(self.start);
    }

    /// Nothing is there any more, and the log goes on at `offset`.
    pub(super) fn restart_at(&mut self, offset: Offset) {
        let (deletions, restarts) = (self.deletions, self.restarts + 1);
        *self = Model { start: offset, end: offset, deletions, restarts, ..Model::default() };
        (self.flushed, self.checkpointed_start) = (offset, offset);
    }

    /// The batches of which something is to be read.
    pub(super) fn readable(&self) -> impl Iterator<Item = &Rc<Batch>> {
        self.batches.iter().filter(|batch| batch.next_offset() > self.start)
    }

    /// What the log knows of each producer that has a batch which can be read.
    pub(super) fn producers(&self) -> BTreeMap<ProducerId, ProducerModel> {
        let mut producers: BTreeMap<ProducerId, ProducerModel> = BTreeMap::new();
        for batch in self.readable().filter(|batch| batch.producer_id != NO_PRODUCER_ID) {
            let entry = producers.entry(batch.producer_id).or_insert(ProducerModel {
                epoch: batch.producer_epoch,
                last_sequence: -1,
                last_offset: -1,
                open_since: None,
            });
            if std::mem::replace(&mut entry.epoch, batch.producer_epoch) < batch.producer_epoch {
                // A new epoch counts from the start; a hole that a crash left may have its data, and not its marker.
                (entry.last_sequence, entry.last_offset) = (-1, -1);
            }
            if batch.is_control() {
                entry.open_since = None;
                continue;
            }
            entry.last_sequence = batch.base_sequence + batch.entries.len() as i32 - 1;
            entry.last_offset = batch.next_offset() - 1;
            if batch.kind == Kind::TxnData {
                entry.open_since.get_or_insert(batch.base_offset);
            }
        }
        // Of one that has only ended something here, nobody knows what it wrote before.
        producers.retain(|_, producer| producer.last_offset >= 0);
        producers
    }

    /// What became of each batch's transaction.
    pub(super) fn outcomes(&self) -> Vec<(&Rc<Batch>, Outcome)> {
        let mut outcomes: Vec<(&Rc<Batch>, Outcome)> = Vec::new();
        for batch in &self.batches {
            if let Kind::Marker { is_commit } = batch.kind {
                for (earlier, outcome) in &mut outcomes {
                    if earlier.producer_id == batch.producer_id && *outcome == Outcome::Open {
                        *outcome = Outcome::Ended { is_commit };
                    }
                }
            }
            let outcome = if batch.kind == Kind::TxnData { Outcome::Open } else { Outcome::NoTransaction };
            outcomes.push((batch, outcome));
        }
        outcomes
    }

    /// Where the first transaction starts that has no end. One of which all is deleted may be known or forgotten.
    pub(super) fn last_stable_offsets(&self) -> [Offset; 2] {
        let open: Vec<&Rc<Batch>> = self
            .outcomes()
            .into_iter()
            .filter_map(|(batch, outcome)| (outcome == Outcome::Open).then_some(batch))
            .collect();
        let first =
            |batch: Option<&&Rc<Batch>>| batch.map_or(self.end, |batch| batch.base_offset.max(self.start));
        [first(open.first()), first(open.iter().find(|batch| batch.next_offset() > self.start))]
    }

    /// The last value of each key that a reader of committed records meets, of the records for which `is_there` holds.
    pub(super) fn table(&self, is_there: impl Fn(Offset) -> bool) -> BTreeMap<Vec<u8>, (Offset, Vec<u8>)> {
        let mut table = BTreeMap::new();
        for (batch, outcome) in self.outcomes() {
            let is_committed = matches!(outcome, Outcome::NoTransaction | Outcome::Ended { is_commit: true });
            if batch.is_control() || !is_committed {
                continue;
            }
            for (offset, (key, value)) in (batch.base_offset..).zip(&batch.entries) {
                match value {
                    _ if offset < self.start || !is_there(offset) => {}
                    Some(value) => drop(table.insert(key.clone(), (offset, value.clone()))),
                    None => drop(table.remove(key)),
                }
            }
        }
        table
    }
}
