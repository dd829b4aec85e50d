//! Random operations on a compacted log, held against a list of records.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::compaction::compacted;
use super::fixture::*;
use crate::log::{Log, LogManager};
use crate::model::Offset;
use crate::record::{BatchOptions, CompressionType};

#[derive(Clone, Debug)]
enum Step {
    /// Keys with values or tombstones; the codec; whether the producer is idempotent.
    Append(Vec<(u8, Option<u8>)>, u8, bool),
    /// The same in a transaction, which is committed or not.
    Transaction(Vec<(u8, Option<u8>)>, bool),
    Roll,
    Clean,
    Advance(u16),
    CleanUp,
    Reopen {
        clean: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let entries = || prop::collection::vec((0..6u8, prop::option::weighted(0.8, any::<u8>())), 1..5);
    prop_oneof![
        8 => (entries(), 0..5u8, any::<bool>()).prop_map(|(entries, codec, id)| Step::Append(entries, codec, id)),
        3 => (entries(), any::<bool>()).prop_map(|(entries, commit)| Step::Transaction(entries, commit)),
        3 => Just(Step::Roll),
        4 => Just(Step::Clean),
        2 => (0..2_000u16).prop_map(Step::Advance),
        1 => Just(Step::CleanUp),
        2 => any::<bool>().prop_map(|clean| Step::Reopen { clean }),
    ]
}

type Entry = (Vec<u8>, Option<Vec<u8>>);

struct Model {
    fixture: Fixture,
    manager: Option<LogManager>,
    /// Everything that was ever appended and not aborted.
    appended: BTreeMap<Offset, Entry>,
    end: Offset,
    sequences: [i32; 2],
}

impl Model {
    fn new(dedupe_buffer_size: usize) -> Self {
        let mut fixture = Fixture::with_config(|config| {
            compacted(config);
            config.segment_bytes = 900;
            config.index_interval_bytes = 100;
            config.file_delete_delay_ms = 10;
        });
        fixture.cleaner.dedupe_buffer_size = dedupe_buffer_size;
        let manager = Some(fixture.open());
        Model { fixture, manager, appended: BTreeMap::new(), end: 0, sequences: [0; 2] }
    }

    fn manager(&self) -> &LogManager {
        self.manager.as_ref().unwrap()
    }

    fn log(&self) -> Arc<Log> {
        self.fixture.log_of(self.manager())
    }

    fn append(&mut self, entries: &[(u8, Option<u8>)], mut options: BatchOptions, is_kept: bool) {
        if options.producer_id >= 0 {
            options.producer_epoch = 0;
            let sequence = &mut self.sequences[usize::from(options.transactional)];
            options.base_sequence = *sequence;
            *sequence += entries.len() as i32;
        }
        let texts: Vec<(String, Option<String>)> = entries
            .iter()
            .map(|(key, value)| {
                (format!("k{key}"), value.map(|value| format!("{value}").repeat(usize::from(value % 9))))
            })
            .collect();
        let borrowed: Vec<(&str, Option<&str>)> =
            texts.iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect();
        let now_ms = crate::sys::Clock::now_ms(&*self.fixture.clock);
        let info = append(&self.log(), keyed_with(options, now_ms, &borrowed));
        assert_eq!((info.first_offset, info.is_duplicate), (self.end, false));
        for (key, value) in texts {
            if is_kept {
                self.appended.insert(self.end, (key.into_bytes(), value.map(String::into_bytes)));
            }
            self.end += 1;
        }
    }

    fn run(&mut self, step: &Step) {
        match step {
            Step::Append(entries, codec, is_idempotent) => {
                let codecs: Vec<_> =
                    CompressionType::ALL.into_iter().filter(|codec| codec.is_supported()).collect();
                let compression = codecs[usize::from(*codec) % codecs.len()];
                let producer_id = if *is_idempotent { 7 } else { -1 };
                self.append(
                    entries,
                    BatchOptions { compression, producer_id, ..BatchOptions::default() },
                    true,
                );
            }
            Step::Transaction(entries, commits) => {
                let options = BatchOptions { producer_id: 8, transactional: true, ..BatchOptions::default() };
                self.append(entries, options, *commits);
                append(&self.log(), marker(8, 0, *commits));
                self.end += 1;
            }
            Step::Roll => self.log().roll().unwrap(),
            Step::Clean => drop(self.manager().clean_now(&self.log()).unwrap()),
            Step::Advance(ms) => self.fixture.clock.advance(Duration::from_millis(u64::from(*ms))),
            Step::CleanUp => {
                self.manager().cleanup_logs();
                self.manager().delete_logs();
                self.manager().flush_dirty_logs();
                self.manager().checkpoint_recovery_offsets();
            }
            Step::Reopen { clean } => {
                let manager = self.manager.take().unwrap();
                if *clean {
                    manager.shutdown().unwrap();
                } else {
                    manager.abandon();
                }
                drop(manager);
                self.manager = Some(self.fixture.open());
                let log = self.log();
                log.maybe_update_high_watermark(log.log_end_offset()).unwrap();
            }
        }
        self.check();
    }

    /// What a table of the last values holds at the end, with where they are; deleted keys are not in it.
    fn table<'a>(records: impl Iterator<Item = (Offset, &'a Entry)>) -> BTreeMap<Vec<u8>, (Offset, Vec<u8>)> {
        let mut table = BTreeMap::new();
        for (offset, (key, value)) in records {
            match value {
                Some(value) => drop(table.insert(key.clone(), (offset, value.clone()))),
                None => drop(table.remove(key)),
            }
        }
        table
    }

    /// The records that a reader takes for data, as one of committed records would.
    fn readable(&self) -> BTreeMap<Offset, Entry> {
        let log = self.log();
        let mut found = BTreeMap::new();
        let mut last_offset = -1;
        for batch in batches(&log, 0) {
            assert!(batch.view().base_offset() > last_offset, "offsets never go back");
            last_offset = batch.view().last_offset();
            if batch.view().is_control() {
                continue;
            }
            for record in batch.records(DECOMPRESSION_LIMIT).unwrap().map(Result::unwrap) {
                let entry = (record.key().unwrap().to_vec(), record.value().map(<[u8]>::to_vec));
                found.insert(record.offset(), entry);
            }
        }
        let params = crate::log::ReadParams {
            isolation: crate::log::FetchIsolation::TxnCommitted,
            max_bytes: usize::MAX,
            ..read_params(0)
        };
        // What is aborted and still there is told to be.
        let mut next = 0;
        while let Some(records) =
            log.read(&crate::log::ReadParams { start_offset: next, ..params }).unwrap().records
        {
            let aborted = log
                .read(&crate::log::ReadParams { start_offset: next, ..params })
                .unwrap()
                .aborted_transactions;
            for txn in aborted.unwrap() {
                found.retain(|offset, _| {
                    let in_txn = (txn.first_offset..txn.last_offset).contains(offset);
                    !in_txn || self.appended.contains_key(offset)
                });
            }
            let mut bytes = records.read().unwrap();
            while let Some(batch) = crate::record::RecordBatch::split_from(&mut bytes).unwrap() {
                next = batch.view().next_offset();
            }
        }
        found
    }

    fn check(&self) {
        let log = self.log();
        assert_eq!(log.log_end_offset(), self.end);
        let found = self.readable();
        for (offset, entry) in &found {
            assert_eq!(Some(entry), self.appended.get(offset), "offset {offset}");
        }
        assert_eq!(
            Self::table(found.iter().map(|(offset, entry)| (*offset, entry))),
            Self::table(self.appended.iter().map(|(offset, entry)| (*offset, entry))),
        );
    }

    /// Once everything is compacted and all horizons have passed, one record of each key is left and no tombstone.
    fn finish(&mut self) {
        for _ in 0..4 {
            self.append(&[(9, Some(1))], BatchOptions::default(), true);
            self.run(&Step::Roll);
            while self.manager().clean_now(&self.log()).unwrap().end_offset < self.end {
                self.check();
            }
            self.run(&Step::Advance(1_000));
        }
        let found = self.readable();
        let mut keys: Vec<_> = found.values().map(|(key, _)| key).collect();
        keys.sort();
        let before = keys.len();
        keys.dedup();
        assert_eq!(keys.len(), before, "{found:?}");
        assert!(found.values().all(|(_, value)| value.is_some()), "{found:?}");
        assert!(self.manager().uncleanable_partitions().is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_compacted_log_tells_the_last_value_of_each_key_whatever_happens(
        steps in prop::collection::vec(step(), 1..60),
        keys in prop_oneof![Just(3usize), Just(100usize)],
    ) {
        let mut model = Model::new(keys * 24);
        for step in &steps {
            model.run(step);
        }
        model.finish();
    }
}
