//! Holding a log against its model.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::super::fixture::{DECOMPRESSION_LIMIT, read_params};
use super::model::{Batch, Entry, Kind, Model, Outcome};
use crate::log::{FetchIsolation, Log, ReadParams};
use crate::model::{Offset, Timestamp};
use crate::record::{RecordBatch, RecordBatchRef};

/// What may be there after a crash that came between two moments of a log.
pub(super) struct AfterCrash<'a> {
    pub(super) before: &'a Model,
    pub(super) after: &'a Model,
    pub(super) is_compacted: bool,
    /// What was not synced is there, and not safe yet.
    pub(super) is_killed: bool,
}

impl AfterCrash<'_> {
    /// Checks the log, which has its high watermark at its end, and answers what it is from now on.
    pub(super) fn check(&self, log: &Log) -> Model {
        let (before, after) = (self.before, self.after);
        let (start, end) = (log.log_start_offset(), log.log_end_offset());
        let at_least = before.flushed.min(after.flushed);
        assert!(end >= at_least, "the log ends at {end}, and all below {at_least} was flushed");
        let at_most = before.end.max(after.end);
        assert!(end <= at_most, "the log ends at {end}, and never ended beyond {at_most}");
        let at_least_start = before.checkpointed_start.min(after.checkpointed_start);
        assert!(start >= at_least_start, "the log starts at {start}, and {at_least_start} was written down");
        // A copy in another log dir may know of a start that a crash took from this one.
        let starts = [before.start, after.start, before.furthest_start, after.furthest_start];
        let at_most = starts.into_iter().max().unwrap_or(0);
        // A copy may begin with what follows where compaction, or the crash, has left nothing.
        let fits = start <= at_most || self.is_compacted;
        assert!(fits, "the log starts at {start}, and never started beyond {at_most}");

        let longer = if after.batches.len() >= before.batches.len() { after } else { before };
        let mut model = longer.clone();
        model.cut_at(end);
        model.start = start.min(at_most);
        model.furthest_start = at_most.min(end);
        model.cleaned = before.cleaned.max(after.cleaned);
        model.decided = before.decided.max(after.decided);
        model.flushed = before.flushed.min(after.flushed);
        // What is there may still be gone after the next crash, if it was not written down.
        let here = model.start.min(before.start.max(after.start));
        model.checkpointed_start = if self.is_killed { at_least_start } else { here };
        if self.is_compacted {
            // Gaps are nothing that recovery takes for damage then: what was not flushed may be missing anywhere.
            let found: BTreeSet<Offset> =
                read_batches(log, start).iter().map(|batch| batch.view().base_offset()).collect();
            let is_left = |batch: &Rc<Batch>| {
                batch.next_offset() <= model.flushed.max(start) || found.contains(&batch.base_offset)
            };
            model.batches.retain(is_left);
        }
        check(log, &model, self.is_compacted);
        model
    }
}

/// Checks everything that readers and producers may ask of the log.
pub(super) fn check(log: &Log, model: &Model, is_compacted: bool) {
    let start = log.log_start_offset();
    // Where compaction, or a crash, has left nothing at the start, the copy of the log begins with what follows; what must
    // not be gone is looked for from the start of the model on.
    let starts = if is_compacted { model.start..=start } else { model.start..=model.start };
    assert!(starts.contains(&start), "the log starts at {start}, and not at {}", model.start);
    assert_eq!(log.log_end_offset(), model.end);
    let found = read_batches(log, start);
    if is_compacted {
        check_compacted(&found, model);
    } else {
        let expected: Vec<Batch> = model.readable().map(|batch| (**batch).clone()).collect();
        let found: Vec<Batch> = found.iter().map(|batch| parse(batch.view())).collect();
        assert_eq!(found, expected);
        check_timestamps(log, model);
    }
    for batch in &found {
        let batch = batch.view();
        let offset = batch.base_offset().max(model.start);
        assert_eq!(log.epoch_for_offset(offset), Some(batch.partition_leader_epoch()), "term of {offset}");
        for offset in [offset, batch.last_offset()] {
            let first = read_one(log, offset).expect("there is a batch");
            assert_eq!(first, batch.as_bytes(), "a read from {offset}");
        }
    }
    if let Some(last) = found.last() {
        // A leader may have begun a term that has no record yet.
        assert!(log.latest_epoch() >= Some(last.view().partition_leader_epoch()));
    }
    check_producers(log, model);
    let (stable, expected) = (log.last_stable_offset(), model.last_stable_offsets());
    assert!(expected.contains(&stable), "the last stable offset is {stable}, not one of {expected:?}");
    check_aborted(log, model, &found);
}

fn read_batches(log: &Log, start: Offset) -> Vec<RecordBatch> {
    let mut found: Vec<RecordBatch> = Vec::new();
    let mut next = start;
    loop {
        let params = ReadParams { isolation: FetchIsolation::LogEnd, ..read_params(next) };
        let Some(slice) = log.read(&params).unwrap().records else { return found };
        let mut bytes = slice.read().unwrap();
        while let Some(batch) = RecordBatch::split_from(&mut bytes).unwrap() {
            batch.view().ensure_valid().unwrap();
            let follows =
                found.last().is_none_or(|last| last.view().last_offset() < batch.view().base_offset());
            assert!(follows, "batches follow each other");
            next = batch.view().next_offset();
            found.push(batch);
        }
    }
}

fn read_one(log: &Log, offset: Offset) -> Option<Vec<u8>> {
    let params = ReadParams { max_bytes: 1, isolation: FetchIsolation::LogEnd, ..read_params(offset) };
    Some(log.read(&params).unwrap().records?.read().unwrap().to_vec())
}

fn entries(batch: RecordBatchRef<'_>) -> Vec<(Offset, Entry)> {
    let mut scratch = Vec::new();
    let records = batch.records(&mut scratch, DECOMPRESSION_LIMIT).unwrap().map(Result::unwrap);
    let entry = |record: crate::record::RecordRef<'_>| {
        let (key, value) = (record.key().unwrap_or_default(), record.value().map(<[u8]>::to_vec));
        (record.offset(), (key.to_vec(), value))
    };
    records.map(entry).collect()
}

fn timestamps(batch: RecordBatchRef<'_>) -> Vec<Timestamp> {
    let mut scratch = Vec::new();
    let records = batch.records(&mut scratch, DECOMPRESSION_LIMIT).unwrap().map(Result::unwrap);
    records.map(|record| record.timestamp()).collect()
}

fn parse(batch: RecordBatchRef<'_>) -> Batch {
    let marker = || crate::log::producers::marker_of(batch).unwrap().expect("it ends a transaction");
    let kind = match (batch.is_control(), batch.is_transactional()) {
        (true, _) => Kind::Marker { is_commit: marker().is_commit },
        (false, true) => Kind::TxnData,
        (false, false) => Kind::Data,
    };
    let entries = if batch.is_control() { Vec::new() } else { entries(batch) };
    Batch {
        base_offset: batch.base_offset(),
        leader_epoch: batch.partition_leader_epoch(),
        producer_id: batch.producer_id(),
        producer_epoch: batch.producer_epoch(),
        base_sequence: batch.base_sequence(),
        kind,
        entries: entries.into_iter().map(|(_, entry)| entry).collect(),
        timestamps: timestamps(batch),
    }
}

/// Nothing that was never written, and the last value of each key.
fn check_compacted(found: &[RecordBatch], model: &Model) {
    let mut offsets = BTreeSet::new();
    for batch in found.iter().filter(|batch| !batch.view().is_control()) {
        for ((offset, entry), timestamp) in entries(batch.view()).into_iter().zip(timestamps(batch.view())) {
            let written = model.batches.iter().find(|written| offset < written.next_offset());
            let written = written.filter(|written| !written.is_control() && offset >= written.base_offset);
            let index = written.and_then(|written| usize::try_from(offset - written.base_offset).ok());
            let original = written
                .zip(index)
                .and_then(|(written, index)| written.entries.get(index).zip(written.timestamps.get(index)));
            assert_eq!(Some((&entry, &timestamp)), original, "offset {offset}");
            offsets.insert(offset);
        }
    }
    let table = model.table(|offset| offsets.contains(&offset));
    assert_eq!(table, model.table(|_| true), "the last values of the keys");
    // What compaction has not come to yet is as it was.
    for batch in model.readable().filter(|batch| batch.base_offset >= model.cleaned) {
        // An empty batch that stands for a marker cannot be parsed.
        let mut at_its_offset =
            found.iter().map(RecordBatch::view).filter(|found| found.base_offset() == batch.base_offset);
        let is_there = at_its_offset.any(|found| parse(found) == **batch);
        assert!(is_there, "a batch that was not compacted is gone: {batch:?}");
    }
}

fn check_timestamps(log: &Log, model: &Model) {
    let times =
        || model.readable().flat_map(|batch| batch.times()).filter(|(offset, _)| *offset >= model.start);
    for (_, wanted) in times() {
        let expected = times().find(|(_, timestamp)| *timestamp >= wanted);
        let found = log.fetch_offset_by_timestamp(wanted).unwrap();
        assert_eq!(found.map(|found| (found.offset, found.timestamp)), expected, "at {wanted}");
    }
}

fn check_producers(log: &Log, model: &Model) {
    for (producer_id, expected) in model.producers() {
        let Some(entry) = log.producer(producer_id) else {
            panic!("producer {producer_id} is not known: {expected:?}");
        };
        let found = (entry.producer_epoch, entry.last_sequence(), entry.last_data_offset());
        let wanted = (expected.epoch, expected.last_sequence, expected.last_offset);
        assert_eq!(found, wanted, "epoch, sequence and offset of producer {producer_id}");
        // One that began below the start of the log may be known from there on only.
        let since = entry.current_txn_first_offset;
        let fits = since == expected.open_since || since.is_some_and(|since| since < model.start);
        assert!(fits, "producer {producer_id} has a transaction open since {since:?}: {expected:?}");
    }
}

/// Readers of committed records are told of what was aborted, and of nothing else.
fn check_aborted(log: &Log, model: &Model, found: &[RecordBatch]) {
    let outcomes = model.outcomes();
    for batch in found.iter().map(RecordBatch::view).filter(|batch| !batch.is_control()) {
        let outcome = outcomes.iter().find(|(written, _)| batch.last_offset() < written.next_offset());
        let outcome = outcome.map_or(Outcome::NoTransaction, |(_, outcome)| *outcome);
        let offset = batch.base_offset().max(model.start);
        if offset >= log.last_stable_offset() {
            continue;
        }
        let params =
            ReadParams { max_bytes: 1, isolation: FetchIsolation::TxnCommitted, ..read_params(offset) };
        let aborted = log.read(&params).unwrap().aborted_transactions.unwrap();
        let is_aborted = aborted.iter().any(|txn| {
            txn.producer_id == batch.producer_id()
                && (txn.first_offset..=txn.last_offset).contains(&batch.last_offset())
        });
        let expected = outcome == Outcome::Ended { is_commit: false };
        assert_eq!(is_aborted, expected, "whether {offset} is told to be aborted: {outcome:?}, {aborted:?}");
    }
}
