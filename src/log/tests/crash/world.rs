//! A log at work on a disk that will lose power, and its model beside it.

use std::sync::Arc;
use std::time::Duration;

use super::super::fixture::*;
use super::expect::{AfterCrash, check};
use super::model::{Batch, Entry, Kind, Model};
use crate::config::CleanupPolicy;
use crate::log::file_names::{CLEANED, SWAP};
use crate::log::{AppendParams, FetchIsolation, Log, LogError, LogManager, VerifyParams, verify_log_dir};
use crate::model::{NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE, Offset, ProducerId};
use crate::record::{AppendOrigin, BatchOptions, EndTransactionMarker, MarkerParams, ValidatedRecords};
use crate::sys::{Clock, Env, FileSystem, Rng, SeededRng};
use crate::testkit::{CrashFileSystem, Loss};

/// Those that write without transactions, and those with.
const IDEMPOTENT: [ProducerId; 2] = [1, 2];
const TRANSACTIONAL: [ProducerId; 2] = [3, 4];

pub(super) struct Dice(SeededRng);

impl Dice {
    pub(super) fn below(&self, limit: usize) -> usize {
        usize::try_from(self.0.next_u64() % limit as u64).unwrap()
    }

    fn one_in(&self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn pick<T: Copy>(&self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// What has happened, told if the test fails.
struct Story {
    seed: u64,
    lines: Vec<String>,
    /// The disk that lost power last, and when.
    crashed: Option<(CrashFileSystem, usize)>,
}

impl Drop for Story {
    fn drop(&mut self) {
        if std::thread::panicking() {
            if let Some((fs, steps)) = &self.crashed {
                let journal = fs.journal();
                let last = &journal[steps.saturating_sub(60)..*steps];
                eprintln!("the last steps of the disk:\n{}\nand all operations:", last.join("\n"));
            }
            let seed = self.seed;
            eprintln!("{}\nOTTLA_CRASH_SEEDS={seed}..{} does it again", self.lines.join("\n"), seed + 1);
        }
    }
}

pub(super) struct World {
    pub(super) dice: Dice,
    fixture: Fixture,
    fs: CrashFileSystem,
    manager: Option<LogManager>,
    model: Model,
    /// The model after each operation, with the steps that the disk had taken then.
    history: Vec<(usize, Model)>,
    leader_epoch: i32,
    producer_epochs: [i16; 5],
    values: usize,
    story: Story,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let dice = Dice(SeededRng::new(seed));
        let mut fixture = Fixture::with_config(|config| {
            config.cleanup_policy = match dice.below(5) {
                0 | 1 => CleanupPolicy::COMPACT,
                2 => CleanupPolicy { compact: true, delete: true },
                _ => CleanupPolicy::DELETE,
            };
            config.segment_bytes = dice.pick(&[600, 900, 2_000]);
            config.index_interval_bytes = dice.pick(&[0, 100, 400]);
            config.segment_index_bytes = 240;
            config.preallocate = dice.one_in(4);
            config.retention_bytes = 2_500;
            config.retention_ms = 20_000;
            config.delete_retention_ms = 1_000;
            config.file_delete_delay_ms = dice.pick(&[0, 10]);
        });
        fixture.cleaner.dedupe_buffer_size = 1 << 16;
        let fs = CrashFileSystem::recording(fixture.clock.clone());
        fixture.fs = Arc::new(fs.clone());
        let mut world = World {
            dice,
            fixture,
            fs,
            manager: None,
            model: Model::default(),
            history: vec![(0, Model::default())],
            leader_epoch: 0,
            producer_epochs: [0; 5],
            values: 0,
            story: Story { seed, lines: Vec::new(), crashed: None },
        };
        let config = &world.fixture.config;
        let settings = (config.segment_bytes, config.index_interval_bytes, config.preallocate);
        world.tell(format!(
            "{:?}, segments, index interval, preallocate: {settings:?}",
            config.cleanup_policy
        ));
        world.open();
        world
    }

    fn tell(&mut self, line: String) {
        self.story.lines.push(line);
    }

    fn is_compacted(&self) -> bool {
        self.fixture.config.cleanup_policy.compact
    }

    fn manager(&self) -> &LogManager {
        self.manager.as_ref().unwrap()
    }

    fn log(&self) -> Arc<Log> {
        self.fixture.log_of(self.manager())
    }

    pub(super) fn steps(&self) -> usize {
        self.fs.steps()
    }

    fn open(&mut self) {
        self.manager = Some(open(&self.fixture, &self.fs));
        self.note();
    }

    fn note(&mut self) {
        self.history.push((self.fs.steps(), self.model.clone()));
    }

    /// Does so many random operations.
    pub(super) fn work(&mut self, operations: usize) {
        for _ in 0..operations {
            self.operate();
            self.note();
        }
        check(&self.log(), &self.model, self.is_compacted());
    }

    fn operate(&mut self) {
        let ms = self.dice.below(1_500) as u64;
        self.fixture.clock.advance(Duration::from_millis(ms));
        let log = self.log();
        match self.dice.below(37) {
            0..=5 => self.append(&log, NO_PRODUCER_ID),
            6..=10 => self.append(&log, self.dice.pick(&IDEMPOTENT)),
            11..=15 => self.append(&log, self.dice.pick(&TRANSACTIONAL)),
            16..=18 => self.end_transaction(&log),
            19 | 20 => {
                self.tell("roll".to_owned());
                log.roll().unwrap();
            }
            21 | 22 => {
                self.tell(format!("flush up to {}", self.model.end));
                log.flush_to_end().unwrap();
                self.model.flushed = self.model.end;
            }
            23 => {
                self.tell("flush if rolled".to_owned());
                log.flush_if_rolled().unwrap();
            }
            24..=26 => self.clean(&log),
            27 => {
                self.manager().cleanup_logs();
                self.fixture.clock.advance(Duration::from_millis(10));
                self.manager().delete_logs();
                self.model.start = log.log_start_offset();
                self.tell(format!("retention up to {}", self.model.start));
            }
            28 => self.delete_records(&log),
            29 => self.truncate(&log),
            30 => {
                self.tell(format!("checkpoint, start {}", self.model.start));
                self.checkpoint();
            }
            31 => {
                self.leader_epoch += 1 + self.dice.below(2) as i32;
                self.tell(format!("term {}", self.leader_epoch));
                log.assign_epoch_start_offset(self.leader_epoch, log.log_end_offset());
            }
            32 => {
                drop(log);
                self.reopen();
            }
            33 => self.recreate(),
            34 => self.start_over(&log),
            35 => {
                self.tell("checkpoint of leader epochs".to_owned());
                log.write_epochs().unwrap();
            }
            _ => {
                self.tell(format!("checkpoint of the start {}", self.model.start));
                self.manager().checkpoint_log_start_offsets();
                self.model.checkpointed_start = self.model.start;
            }
        }
    }

    fn entries(&mut self) -> Vec<Entry> {
        let count = 1 + self.dice.below(4);
        let mut entries = Vec::new();
        for _ in 0..count {
            self.values += 1;
            let key = format!("k{}", self.dice.below(5)).into_bytes();
            let value = format!("{}{}", self.values, "-".repeat(self.dice.below(80))).into_bytes();
            entries.push((key, Some(value).filter(|_| !self.dice.one_in(6))));
        }
        entries
    }

    fn append(&mut self, log: &Log, producer_id: ProducerId) {
        let entries = self.entries();
        let transactional = TRANSACTIONAL.contains(&producer_id);
        let (producer_epoch, base_sequence) = match usize::try_from(producer_id) {
            Ok(id) => self.next_sequence(log, id),
            Err(_) => (NO_PRODUCER_EPOCH, NO_SEQUENCE),
        };
        let options = BatchOptions {
            producer_id,
            producer_epoch,
            base_sequence,
            transactional,
            ..BatchOptions::default()
        };
        let mut builder = crate::record::RecordBatchBuilder::new(options);
        let timestamp = self.fixture.clock.now_ms();
        for (key, value) in &entries {
            builder.append(timestamp, Some(key), value.as_deref()).unwrap();
        }
        let kind = if transactional { Kind::TxnData } else { Kind::Data };
        let batch = Batch {
            base_offset: self.model.end,
            leader_epoch: self.leader_epoch,
            producer_id,
            producer_epoch,
            base_sequence,
            kind,
            timestamp,
            entries,
        };
        self.append_batch(log, ValidatedRecords::of_builder(&mut builder).unwrap(), batch);
    }

    /// The epoch and the sequence with which a producer goes on, from what the log knows of it.
    fn next_sequence(&mut self, log: &Log, id: usize) -> (i16, i32) {
        let entry = log.producer(id as ProducerId);
        if let Some(entry) = &entry {
            self.producer_epochs[id] = self.producer_epochs[id].max(entry.producer_epoch);
        }
        let is_open = entry.is_some_and(|entry| entry.current_txn_first_offset.is_some());
        if !is_open && self.dice.one_in(8) {
            self.producer_epochs[id] += 1;
        }
        let epoch = self.producer_epochs[id];
        let known = entry.filter(|entry| entry.producer_epoch == epoch);
        (epoch, known.map_or(0, |entry| entry.last_sequence() + 1))
    }

    fn end_transaction(&mut self, log: &Log) {
        let producer_id = self.dice.pick(&TRANSACTIONAL);
        let Some(entry) = log.producer(producer_id) else { return };
        if entry.current_txn_first_offset.is_none() {
            return;
        }
        let is_commit = self.dice.one_in(2);
        let producer_epoch = entry.producer_epoch;
        let marker = EndTransactionMarker { is_commit, coordinator_epoch: 0 };
        let timestamp = self.fixture.clock.now_ms();
        let params = MarkerParams { marker, producer_id, producer_epoch, timestamp, leader_epoch: 0 };
        let records =
            ValidatedRecords::of_builder(&mut EndTransactionMarker::builder(params).unwrap()).unwrap();
        let batch = Batch {
            base_offset: self.model.end,
            leader_epoch: self.leader_epoch,
            producer_id,
            producer_epoch,
            base_sequence: NO_SEQUENCE,
            kind: Kind::Marker { is_commit },
            timestamp,
            entries: Vec::new(),
        };
        self.append_batch(log, records, batch);
    }

    fn append_batch(&mut self, log: &Log, records: ValidatedRecords, batch: Batch) {
        self.tell(format!(
            "append {}..{} of {} epoch {} sequence {} {:?}, {} bytes",
            batch.base_offset,
            batch.next_offset(),
            batch.producer_id,
            batch.producer_epoch,
            batch.base_sequence,
            batch.kind,
            records.size_in_bytes()
        ));
        let origin = if batch.is_control() { AppendOrigin::Coordinator } else { AppendOrigin::Client };
        let params = AppendParams { records, origin, leader_epoch: self.leader_epoch };
        let info = log.append_as_leader(params).unwrap();
        log.maybe_update_high_watermark(log.log_end_offset()).unwrap();
        assert_eq!((info.first_offset, info.is_duplicate), (batch.base_offset, false));
        self.model.append(batch);
    }

    fn clean(&mut self, log: &Log) {
        if !self.is_compacted() {
            return;
        }
        let stats = self.manager().clean_now(log).expect("nobody disturbs it");
        // Retention comes with it.
        self.model.start = log.log_start_offset();
        self.model.cleaned = self.model.cleaned.max(stats.end_offset);
        // What makes older records obsolete is flushed first.
        if stats.bytes_read > 0 {
            self.model.flushed = self.model.end;
            self.model.decided = self.model.end;
        }
        self.tell(format!("clean up to {}, start {}", stats.end_offset, self.model.start));
    }

    fn delete_records(&mut self, log: &Log) {
        let span = usize::try_from(self.model.end - self.model.start).unwrap();
        let to = self.model.start + self.dice.below(span + 1) as Offset;
        self.tell(format!("delete records up to {to}"));
        log.maybe_increment_log_start_offset(to).unwrap();
        self.model.start = to;
    }

    /// To the start of a batch, as leaders and followers agree; never below what a compaction has seen, since that lies
    /// below the high watermark.
    fn truncate(&mut self, log: &Log) {
        let start = if self.dice.one_in(4) { 0 } else { self.model.start };
        let lowest = start.max(self.model.decided);
        let bases: Vec<Offset> = self.model.batches.iter().map(|batch| batch.base_offset).collect();
        let bases: Vec<Offset> = bases.into_iter().filter(|base| *base >= lowest).rev().take(6).collect();
        if bases.is_empty() {
            return;
        }
        let to = self.dice.pick(&bases);
        self.tell(format!("truncate to {to}"));
        assert!(log.truncate_to(to).unwrap());
        self.model.cut_at(to);
        // Another leader's records follow.
        self.leader_epoch += 1;
    }

    /// As a follower does whose log ends below its leader's start, or is not of its leader's log at all.
    fn start_over(&mut self, log: &Log) {
        if self.model.decided > 0 {
            return;
        }
        let to = self.dice.below(usize::try_from(self.model.end).unwrap() + 20) as Offset;
        self.tell(format!("start over at {to}"));
        log.truncate_fully_and_start_at(to).unwrap();
        self.model.restart_at(to);
        self.leader_epoch += 1;
    }

    fn checkpoint(&mut self) {
        let manager = self.manager();
        manager.checkpoint_recovery_offsets();
        manager.checkpoint_log_start_offsets();
        manager.checkpoint_high_watermarks();
        self.model.checkpointed_start = self.model.start;
    }

    fn reopen(&mut self) {
        let clean = self.dice.one_in(2);
        self.tell(format!("reopen, clean: {clean}"));
        let manager = self.manager.take().unwrap();
        if clean {
            manager.shutdown().unwrap();
            self.model.flushed = self.model.end;
            self.model.checkpointed_start = self.model.start;
        } else {
            // Where it starts is only as durable as its checkpoint; the model shall not have to guess.
            manager.checkpoint_log_start_offsets();
            manager.abandon();
        }
        drop(manager);
        self.note();
        self.manager = Some(open(&self.fixture, &self.fs));
        check(&self.log(), &self.model, self.is_compacted());
    }

    fn recreate(&mut self) {
        if self.dice.one_in(2) {
            return;
        }
        self.tell("delete the topic and make it again".to_owned());
        self.manager().delete(&partition()).unwrap();
        self.model = Model { deletions: self.model.deletions + 1, ..Model::default() };
        self.note();
        self.manager().delete_logs();
        self.log();
        self.manager().checkpoint_recovery_offsets();
    }

    /// The moments between which the disk had taken so many steps.
    fn around(&self, steps: usize) -> (&Model, &Model) {
        let later = self.history.iter().position(|(taken, _)| *taken > steps);
        let later = later.unwrap_or(self.history.len() - 1);
        (&self.history[later.saturating_sub(1)].1, &self.history[later].1)
    }

    /// What is left after a crash, once it is opened again.
    fn check_after_crash(&self, steps: usize, log: &Log) -> Model {
        let is_compacted = self.is_compacted();
        let (before, after) = self.around(steps);
        if before.deletions != after.deletions {
            // The deletion counts, or it does not.
            let is_deleted = (log.log_start_offset(), log.log_end_offset()) == (0, 0);
            let only = if is_deleted { after } else { before };
            return AfterCrash { before: only, after: only, is_compacted }.check(log);
        }
        if before.restarts != after.restarts {
            let is_done =
                (log.log_start_offset(), log.log_end_offset(), log.size()) == (after.end, after.end, 0);
            let mut only = if is_done { after.clone() } else { before.clone() };
            if !is_done {
                // Nobody needs what is left.
                only.flushed = 0;
                only.start = only.start.max(after.start).min(only.end);
                only.checkpointed_start = only.checkpointed_start.min(after.start);
            }
            return AfterCrash { before: &only, after: &only, is_compacted }.check(log);
        }
        AfterCrash { before, after, is_compacted }.check(log)
    }

    /// Opens what a crash would have left, and looks whether that is whole.
    pub(super) fn look_after_crash(&mut self, steps: usize, loss: Loss) {
        self.tell(format!("look after {steps} steps, {loss:?}"));
        self.story.crashed = Some((self.fs.clone(), steps));
        let fs = self.fs.crashed_at(steps, loss);
        let manager = open(&self.fixture, &fs);
        let log = self.fixture.log_of(&manager);
        let model = self.check_after_crash(steps, &log);
        drop(log);
        close(manager, &self.fixture, &fs);
        let manager = open(&self.fixture, &fs);
        check(&self.fixture.log_of(&manager), &model, self.is_compacted());
        manager.abandon();
        self.story.lines.pop();
    }

    /// Loses power after one of the steps so far, and goes on with what is left.
    pub(super) fn crash_somewhere(&mut self) {
        let steps = self.dice.below(self.fs.steps() + 1);
        let loss = match self.dice.below(7) {
            0 => Loss::Nothing,
            1 => Loss::Everything,
            2 => Loss::Content,
            3 => Loss::Names,
            _ => Loss::Chance(self.dice.0.next_u64()),
        };
        let manager = self.manager.take().unwrap();
        manager.abandon();
        drop(manager);
        self.tell(format!("crash after {steps} of {} steps, {loss:?}", self.fs.steps()));
        let fs = self.fs.crashed_at(steps, loss);
        self.story.crashed = Some((self.fs.clone(), steps));
        self.manager = Some(open(&self.fixture, &fs));
        let model = self.check_after_crash(steps, &self.log());
        self.tell(format!("there is {}..{}, flushed {}", model.start, model.end, model.flushed));
        self.fs = fs;
        self.fixture.fs = Arc::new(self.fs.clone());
        self.model = model.clone();
        // A crash that comes before the log is open again leaves it as it is now.
        self.history = vec![(0, model)];
        self.note();
    }

    /// Closes the log in order, and gives away what it has left.
    pub(super) fn into_files(mut self) -> (Fixture, CrashFileSystem, Dice) {
        close(self.manager.take().unwrap(), &self.fixture, &self.fs);
        self.fs.crash(Loss::Nothing);
        (self.fixture, self.fs, self.dice)
    }

    /// Closes the log in order; all files are as they should be then.
    pub(super) fn finish(mut self) {
        let manager = self.manager.take().unwrap();
        check(&self.fixture.log_of(&manager), &self.model, self.is_compacted());
        close(manager, &self.fixture, &self.fs);
    }
}

fn open(fixture: &Fixture, fs: &CrashFileSystem) -> LogManager {
    let env = Env { fs: Arc::new(fs.clone()), ..fixture.env() };
    let manager = fixture.open_with(env).unwrap();
    let log = fixture.log_of(&manager);
    log.update_high_watermark(log.log_end_offset()).unwrap();
    assert!(log.is_online());
    // As it is done every minute; before the first time, a gap may mean anything.
    manager.checkpoint_recovery_offsets();
    manager
}

fn close(manager: LogManager, fixture: &Fixture, fs: &CrashFileSystem) {
    let log = fixture.log_of(&manager);
    assert!(log.upper_bound(FetchIsolation::LogEnd).offset == log.log_end_offset());
    drop(log);
    manager.shutdown().unwrap();
    manager.delete_logs();
    drop(manager);
    assert_eq!(verify(fixture, fs).unwrap(), Vec::<String>::new());
    let entries = fs.read_dir(&fixture.partition_dir()).unwrap();
    let is_leftover = |name: &str| name.ends_with(CLEANED) || name.ends_with(SWAP);
    assert!(!entries.iter().any(|entry| is_leftover(&entry.name)), "{entries:?}");
}

/// What a check of all files finds that no next start mends.
pub(super) fn verify(fixture: &Fixture, fs: &CrashFileSystem) -> Result<Vec<String>, LogError> {
    let fs: Arc<dyn FileSystem> = Arc::new(fs.clone());
    let log_dir = fixture.log_dir(0);
    let mut params = VerifyParams { log_dir: &log_dir, files: &[], progress: &mut |_, _, _| {} };
    let findings = verify_log_dir(&fs, &mut params)?.findings;
    Ok(findings.iter().filter(|finding| !finding.is_pending).map(ToString::to_string).collect())
}
