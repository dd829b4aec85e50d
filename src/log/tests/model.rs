//! Random operations on a log, held against a list of records.

use std::collections::VecDeque;
use std::time::Duration;

use proptest::prelude::*;

use super::fixture::*;
use crate::log::{FetchIsolation, Log, LogManager, ReadParams};
use crate::model::Offset;

#[derive(Clone, Debug)]
enum Step {
    /// Values, and how far the clock goes before.
    Append(Vec<Vec<u8>>, u16),
    /// A batch of the idempotent producer; with `true` the last one again.
    AppendIdempotent(u8, bool),
    Read(prop::sample::Index, usize),
    Roll,
    Truncate(prop::sample::Index),
    DeleteRecords(prop::sample::Index),
    CleanUp,
    Flush,
    Checkpoint,
    Find(prop::sample::Index),
    Reopen {
        clean: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    use Step::*;
    let value = prop::collection::vec(any::<u8>(), 0..40);
    prop_oneof![
        8 => (prop::collection::vec(value, 1..6), 0..2_000u16).prop_map(|(values, ms)| Append(values, ms)),
        4 => (1..4u8, prop::bool::weighted(0.3)).prop_map(|(count, again)| AppendIdempotent(count, again)),
        4 => (any::<prop::sample::Index>(), 0..600usize).prop_map(|(from, max)| Read(from, max)),
        1 => Just(Roll),
        1 => any::<prop::sample::Index>().prop_map(Truncate),
        1 => any::<prop::sample::Index>().prop_map(DeleteRecords),
        2 => Just(CleanUp),
        1 => Just(Flush),
        1 => Just(Checkpoint),
        2 => any::<prop::sample::Index>().prop_map(Find),
        2 => any::<bool>().prop_map(|clean| Reopen { clean }),
    ]
}

#[derive(Clone, Debug, PartialEq)]
struct Stored {
    offset: Offset,
    timestamp: i64,
    value: Vec<u8>,
    /// Batches are dropped as a whole.
    batch: Offset,
}

struct Model {
    fixture: Fixture,
    manager: Option<LogManager>,
    stored: Vec<Stored>,
    start: Offset,
    end: Offset,
    /// What the idempotent producer sends next, and its last batch: sequence, count and offset.
    next_sequence: i32,
    last_batch: Option<(i32, u8, Offset)>,
}

impl Model {
    fn new() -> Self {
        let fixture = Fixture::with_config(|config| {
            config.segment_bytes = 700;
            config.index_interval_bytes = 100;
            config.segment_index_bytes = 120;
            config.retention_bytes = 2_500;
            config.retention_ms = 20_000;
            config.file_delete_delay_ms = 10;
        });
        let manager = Some(fixture.open());
        Model { fixture, manager, stored: Vec::new(), start: 0, end: 0, next_sequence: 0, last_batch: None }
    }

    fn manager(&self) -> &LogManager {
        self.manager.as_ref().unwrap()
    }

    fn log(&self) -> std::sync::Arc<Log> {
        self.fixture.log_of(self.manager())
    }

    fn readable(&self) -> impl Iterator<Item = &Stored> {
        self.stored.iter().filter(|stored| stored.offset >= self.start)
    }

    fn now_ms(&self) -> i64 {
        crate::sys::Clock::now_ms(&*self.fixture.clock)
    }

    fn store(&mut self, values: &[Vec<u8>], timestamp: i64) {
        let batch = self.end;
        for value in values {
            self.stored.push(Stored { offset: self.end, timestamp, value: value.clone(), batch });
            self.end += 1;
        }
    }

    fn run(&mut self, step: &Step) {
        let log = self.log();
        match step {
            Step::Append(values, ms) => {
                self.fixture.clock.advance(Duration::from_millis(u64::from(*ms)));
                let now_ms = self.now_ms();
                let info = append(&log, records_at(values, now_ms));
                assert_eq!(info.first_offset, self.end);
                self.store(values, now_ms);
            }
            Step::AppendIdempotent(count, again) => self.append_idempotent(&log, *count, *again),
            Step::Read(from, max_bytes) => self.read(&log, self.offset(from), *max_bytes),
            Step::Roll => log.roll().unwrap(),
            Step::Truncate(to) => {
                // Leaders and followers agree on whole batches.
                let to = self.offset(to);
                let batch = self.stored.iter().find(|stored| stored.offset == to).map(|stored| stored.batch);
                self.truncate(&log, batch.unwrap_or(to));
            }
            Step::DeleteRecords(to) => {
                let to = self.offset(to);
                assert_eq!(log.maybe_increment_log_start_offset(to).unwrap(), to > self.start);
                self.start = self.start.max(to);
            }
            Step::CleanUp => self.clean_up(&log),
            Step::Flush => {
                log.flush_to_end().unwrap();
                assert_eq!(log.recovery_point(), self.end);
            }
            Step::Checkpoint => {
                self.manager().checkpoint_recovery_offsets();
                self.manager().checkpoint_log_start_offsets();
                self.manager().checkpoint_high_watermarks();
            }
            Step::Find(offset) => self.find(&log, self.offset(offset)),
            Step::Reopen { clean } => {
                drop(log);
                self.reopen(*clean);
            }
        }
    }

    fn offset(&self, index: &prop::sample::Index) -> Offset {
        let count = usize::try_from(self.end - self.start).unwrap() + 1;
        self.start + i64::try_from(index.index(count)).unwrap()
    }

    fn append_idempotent(&mut self, log: &Log, count: u8, again: bool) {
        if let Some((sequence, count, offset)) = self.last_batch.filter(|_| again) {
            let info = append(log, idempotent(9, 0, sequence, usize::from(count)).build());
            assert_eq!((info.is_duplicate, info.first_offset), (true, offset));
            return;
        }
        let mut batch = idempotent(9, 0, self.next_sequence, usize::from(count));
        batch.timestamp = self.now_ms();
        let info = append(log, batch.build());
        assert_eq!((info.is_duplicate, info.first_offset), (false, self.end));
        self.last_batch = Some((self.next_sequence, count, self.end));
        self.next_sequence += i32::from(count);
        self.store(&vec![b"v".to_vec(); usize::from(count)], batch.timestamp);
    }

    fn read(&self, log: &Log, from: Offset, max_bytes: usize) {
        let params = ReadParams { max_bytes, isolation: FetchIsolation::LogEnd, ..read_params(from) };
        let info = log.read(&params).unwrap();
        let wanted: Vec<&Stored> = self.stored.iter().filter(|stored| stored.offset >= from).collect();
        let Some(slice) = info.records else {
            assert!(wanted.is_empty(), "nothing from {from}");
            return;
        };
        let bytes = slice.read().unwrap();
        let mut scratch = Vec::new();
        let mut found = Vec::new();
        let mut first_size = None;
        for batch in crate::record::Batches::new(&bytes) {
            let batch = batch.unwrap();
            batch.ensure_valid().unwrap();
            first_size.get_or_insert(batch.size_in_bytes());
            let records = batch.records(&mut scratch, DECOMPRESSION_LIMIT).unwrap().map(Result::unwrap);
            found.extend(records.map(|record| (record.offset(), record.value().unwrap().to_vec())));
        }
        assert!(bytes.len() <= max_bytes.max(first_size.unwrap()));
        found.retain(|(offset, _)| *offset >= from);
        assert!(!found.is_empty());
        let expected: Vec<_> =
            wanted.iter().take(found.len()).map(|stored| (stored.offset, stored.value.clone())).collect();
        assert_eq!(found, expected);
    }

    fn truncate(&mut self, log: &Log, to: Offset) {
        assert_eq!(log.truncate_to(to).unwrap(), to < self.end);
        if to < self.end {
            self.stored.retain(|stored| stored.offset < to);
            self.end = to;
            self.start = self.start.min(to);
        }
        self.meet_producer(log);
    }

    /// The producer goes on where the log has it. What was cut off, or deleted before the producers were read
    /// again, the log need not know.
    fn meet_producer(&mut self, log: &Log) {
        let entry = log.producer(9);
        let known = entry.as_ref().and_then(|entry| entry.batches().last());
        if let Some((sequence, count, offset)) = self.last_batch
            && self.readable().any(|stored| stored.batch == offset)
        {
            let found =
                known.map(|batch| (batch.first_sequence(), batch.offset_delta + 1, batch.first_offset()));
            assert_eq!(found, Some((sequence, i32::from(count), offset)));
        }
        (self.next_sequence, self.last_batch) = match known {
            Some(last) => {
                let count = u8::try_from(last.offset_delta + 1).unwrap();
                (last.last_sequence + 1, Some((last.first_sequence(), count, last.first_offset())))
            }
            None => (0, None),
        };
    }

    /// The rules once more, over what the segments hold.
    fn clean_up(&mut self, log: &Log) {
        let now_ms = self.now_ms();
        let mut kept: VecDeque<(Offset, u64, i64)> = log
            .segments()
            .iter()
            .map(|segment| (segment.base_offset(), segment.size(), segment.largest_timestamp().unwrap()))
            .collect();
        while kept.get(1).is_some_and(|(base, ..)| *base <= self.start) {
            kept.pop_front();
        }
        let mut total: u64 = kept.iter().map(|(_, size, _)| size).sum();
        while let Some((_, size, _)) = kept.front()
            && *size > 0
            && total > 2_500
            && total - size >= 2_500
        {
            total -= size;
            kept.pop_front();
        }
        while kept.front().is_some_and(|(_, size, timestamp)| *size > 0 && now_ms - timestamp > 20_000) {
            kept.pop_front();
        }
        let first = kept.front().map_or(self.end, |(base, ..)| *base);

        self.manager().cleanup_logs();
        self.fixture.clock.advance(Duration::from_millis(10));
        assert_eq!(self.manager().delete_logs(), None);
        assert_eq!(log.first_segment_base_offset(), first);
        self.start = self.start.max(first);
        self.stored.retain(|stored| stored.offset >= first);
    }

    fn find(&self, log: &Log, offset: Offset) {
        let Some(timestamp) = self.stored.iter().find(|s| s.offset == offset).map(|s| s.timestamp) else {
            return;
        };
        let expected = self.readable().find(|stored| stored.timestamp >= timestamp);
        let found = log.fetch_offset_by_timestamp(timestamp).unwrap();
        assert_eq!(
            found.map(|found| (found.offset, found.timestamp)),
            expected.map(|stored| (stored.offset, stored.timestamp))
        );
    }

    fn reopen(&mut self, clean: bool) {
        let manager = self.manager.take().unwrap();
        // The start offset is only as durable as its checkpoint; the model shall not have to guess.
        manager.checkpoint_log_start_offsets();
        if clean {
            manager.shutdown().unwrap();
        }
        manager.abandon();
        drop(manager);
        self.manager = Some(self.fixture.open());
        let log = self.log();
        log.update_high_watermark(log.log_end_offset()).unwrap();
        self.meet_producer(&log);
    }

    fn check(&self) {
        let log = self.log();
        assert_eq!((log.log_start_offset(), log.log_end_offset()), (self.start, self.end));
        let expected: Vec<_> = self.readable().map(|stored| (stored.offset, stored.value.clone())).collect();
        assert_eq!(read_all(&log, self.start), expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_log_is_a_list_of_records_whatever_happens_to_it(steps in prop::collection::vec(step(), 1..60)) {
        let mut model = Model::new();
        for step in &steps {
            model.run(step);
            model.check();
        }
    }
}
