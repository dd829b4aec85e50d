//! A bit that is not what was written, anywhere in any file. `OTTLA_CRASH_FLIPS=1000` flips as many in what each seed leaves.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::super::fixture::*;
use super::seeds;
use super::world::{Dice, World, verify_all};
use crate::log::checkpoint::OffsetCheckpointFile;
use crate::log::file_names::{
    CLEAN_SHUTDOWN, LOG_START_OFFSET_CHECKPOINT, RECOVERY_POINT_CHECKPOINT, log_file_offset,
};
use crate::log::{AbortedTxn, FetchIsolation, Log, LogManager, ReadParams};
use crate::model::{Offset, TopicPartition};
use crate::record::{Batches, RecordBatch};
use crate::sys::{Env, FileSystem, OpenOptions};
use crate::testkit::{CrashFileSystem, Loss};

/// All that readers and producers learn from a log.
#[derive(Clone, Debug, Default, PartialEq)]
struct Seen {
    start: Offset,
    end: Offset,
    last_stable_offset: Offset,
    /// What comes from there on has no record left.
    read_to: Offset,
    /// By offset.
    batches: BTreeMap<Offset, Vec<u8>>,
    /// Of batches of data, whether a reader of committed records leaves them out.
    aborted: BTreeMap<Offset, bool>,
    terms: BTreeMap<Offset, Option<i32>>,
    by_timestamp: BTreeMap<i64, Option<(Offset, i64)>>,
    producers: BTreeMap<i64, (i16, i32, Offset, Option<Offset>)>,
    /// Where the log starts once retention has been there.
    retained_from: Offset,
}

impl Seen {
    /// What of it is certain to be there where only what is below `flushed` is.
    fn below(&self, flushed: Offset) -> Seen {
        let batches: BTreeMap<_, _> =
            self.batches.range(..flushed).map(|(at, bytes)| (*at, bytes.clone())).collect();
        let timestamp = |bytes: &Vec<u8>| Batches::new(bytes).next().unwrap().unwrap().max_timestamp();
        let timestamps: BTreeSet<i64> = batches.values().map(timestamp).collect();
        let mut by_timestamp = self.by_timestamp.clone();
        by_timestamp.retain(|timestamp, _| timestamps.contains(timestamp));
        let terms = self.terms.range(..flushed).map(|(at, term)| (*at, *term)).collect();
        let (start, retained_from) = (self.start.min(flushed), self.retained_from.min(flushed));
        Seen { start, retained_from, batches, terms, by_timestamp, ..Seen::default() }
    }

    /// Reads as a consumer does, which looks at checksums; answers whether it met an error.
    fn read(&mut self, log: &Log) -> bool {
        (self.start, self.end) = (log.log_start_offset(), log.log_end_offset());
        self.last_stable_offset = log.last_stable_offset();
        for entry in log.active_producers() {
            let known = (
                entry.producer_epoch,
                entry.last_sequence(),
                entry.last_data_offset(),
                entry.current_txn_first_offset,
            );
            self.producers.insert(entry.producer_id, known);
        }
        let mut next = self.start;
        loop {
            let params =
                ReadParams { isolation: FetchIsolation::TxnCommitted, max_bytes: 1, ..read_params(next) };
            let aborted = log.read(&params);
            let read = log.read(&ReadParams { isolation: FetchIsolation::LogEnd, ..params });
            let (Ok(aborted), Ok(read)) = (aborted, read) else { return true };
            self.read_to = next;
            let Some(slice) = read.records else { return false };
            let Ok(Some(batch)) = RecordBatch::split_from(&mut slice.read().unwrap()) else { return true };
            let view = batch.view();
            if view.ensure_valid().is_err() || view.next_offset() <= next {
                return true;
            }
            let base = view.base_offset();
            if self.batches.is_empty() {
                // Between the start and the first record, nobody finds anything.
                self.start = self.start.max(base);
            }
            let is_aborted = |txn: &AbortedTxn| {
                txn.producer_id == view.producer_id() && txn.first_offset <= view.last_offset()
            };
            let aborted = aborted.aborted_transactions.unwrap();
            self.aborted.insert(base, !view.is_control() && aborted.iter().any(is_aborted));
            self.terms.insert(base, log.epoch_for_offset(base.max(self.start)));
            let Ok(found) = log.fetch_offset_by_timestamp(view.max_timestamp()) else { return true };
            self.by_timestamp
                .insert(view.max_timestamp(), found.map(|found| (found.offset, found.timestamp)));
            next = view.next_offset();
            self.batches.insert(base, batch.as_bytes().to_vec());
        }
    }
}

fn files(fs: &CrashFileSystem, dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs.read_dir(dir).unwrap() {
        let path = dir.join(entry.name);
        if entry.is_dir { found.extend(files(fs, &path)) } else { found.push(path) }
    }
    found
}

fn open(fixture: &Fixture, fs: &CrashFileSystem) -> Result<LogManager, crate::log::LogError> {
    fixture.open_with(Env { fs: Arc::new(fs.clone()), ..fixture.env() })
}

fn flip(fs: &CrashFileSystem, path: &Path, at: usize, bit: usize) {
    let file = fs.open(path, OpenOptions::WRITE).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at as u64).unwrap();
    file.write_all_at(&[byte[0] ^ (1 << bit)], at as u64).unwrap();
}

/// What somebody learns who opens these files; `None` with whoever is told of an error.
fn look(fixture: &Fixture, fs: &CrashFileSystem) -> Option<BTreeMap<TopicPartition, Seen>> {
    let manager = open(fixture, fs).ok()?;
    let mut all = BTreeMap::new();
    for log in manager.logs() {
        let partition = log.topic_partition().clone();
        fixture.try_log_at(&manager, &partition).ok()?;
        let mut seen = Seen::default();
        let failed = log.update_high_watermark(log.log_end_offset()).is_err() || seen.read(&log);
        assert!(log.is_online(), "bits in files are no fault of the disk");
        if failed {
            manager.abandon();
            return None;
        }
        all.insert(partition, seen);
    }
    manager.cleanup_logs();
    for log in manager.logs() {
        assert!(log.is_online(), "bits in files are no fault of the disk");
        all.entry(log.topic_partition().clone()).or_default().retained_from = log.log_start_offset();
    }
    manager.abandon();
    Some(all)
}

fn unclean(fixture: &Fixture, fs: &CrashFileSystem) -> CrashFileSystem {
    let fs = fs.crashed_at(usize::MAX, Loss::Nothing);
    fs.remove_file(&fixture.log_dir(0).join(CLEAN_SHUTDOWN)).unwrap();
    fs
}

/// How many bits to flip in what each seed leaves: `OTTLA_CRASH_FLIPS`, or a few.
fn flips() -> usize {
    let Ok(text) = std::env::var("OTTLA_CRASH_FLIPS") else { return 60 };
    text.parse().unwrap_or_else(|_| panic!("OTTLA_CRASH_FLIPS is '{text}', and no number"))
}

/// The files of a log that came to its end, and what a check of them says without any damage.
struct Left {
    fixture: Fixture,
    fs: CrashFileSystem,
    told: Vec<String>,
    /// Up to where each log was flushed; `None` if they were closed in order.
    flushed: Option<BTreeMap<TopicPartition, Offset>>,
    /// The ways to open them, with what is seen then.
    openings: Vec<(Opening, BTreeMap<TopicPartition, Seen>)>,
}

/// Where a batch is.
struct Placed {
    file: PathBuf,
    bytes: Range<usize>,
    base_offset: Offset,
    next_offset: Offset,
}

fn base_of(log: &Path) -> Offset {
    log_file_offset(&log.file_name().unwrap().to_string_lossy()).unwrap()
}

type Opening = fn(&Fixture, &CrashFileSystem) -> CrashFileSystem;

fn as_it_is(_: &Fixture, fs: &CrashFileSystem) -> CrashFileSystem {
    fs.crashed_at(usize::MAX, Loss::Nothing)
}

impl Left {
    fn new(
        fixture: Fixture,
        fs: CrashFileSystem,
        flushed: Option<BTreeMap<TopicPartition, Offset>>,
        openings: &[Opening],
    ) -> Self {
        let whole = fs.crashed_at(0, Loss::Nothing);
        // Some of what there is gets too old.
        fixture.clock.advance(Duration::from_secs(10));
        let told = verify_all(&fixture, &as_it_is(&fixture, &whole)).expect("all is well");
        // What is below the start of a log, it need not know when it is read again: each opening has its own truth.
        let seen = |open: &Opening| (*open, look(&fixture, &open(&fixture, &whole)).expect("all is well"));
        let openings = openings.iter().map(seen).collect();
        Left { openings, fixture, fs, told, flushed }
    }

    /// Whether nothing tells of a bit of a log that was not closed, in Kafka's format:
    ///
    /// * A batch's checksum leaves out its offset and its leader epoch, which are for the broker to set. Of an offset, those
    ///   of the batches around it tell, unless the wrong one fits between them: that of the last batch, or beside a gap, which
    ///   compaction leaves, or a repair. Of a leader epoch, later batches tell, and up to the recovery point the checkpoint
    ///   of leader epochs; what comes behind that may be of a term that it was not told of yet.
    /// * Where a log starts is told by one checkpoint alone. It need not know a log that starts with a segment, and a start
    ///   anywhere within the log is as good as any other.
    fn is_told_by_nothing(&self, damaged: &CrashFileSystem, path: &Path, at: usize) -> bool {
        let Some(flushed) = &self.flushed else { return false };
        if path.ends_with(LOG_START_OFFSET_CHECKPOINT) {
            let (before, after) = (self.offsets(&self.fs, path), self.offsets(damaged, path));
            return after.is_some_and(|after| {
                flushed.keys().any(|partition| {
                    let start = |starts: &HashMap<_, Offset>| starts.get(partition).copied().unwrap_or(0);
                    let (before, after) = (before.as_ref().map_or(0, start), start(&after));
                    before != after && after <= self.openings[0].1[partition].end
                })
            });
        }
        if path.extension().is_none_or(|kind| kind != "log") {
            return false;
        }
        let placed = self.placed(path);
        let Some(i) = placed.iter().position(|batch| batch.file == path && batch.bytes.contains(&at)) else {
            return false;
        };
        let Placed { file, bytes, base_offset, next_offset } = &placed[i];
        match at - bytes.start {
            0..8 => {
                let mut field = [0; 8];
                let found = damaged.open(path, OpenOptions::READ).unwrap();
                found.read_exact_at(&mut field, bytes.start as u64).unwrap();
                let base = i64::from_be_bytes(field);
                let from = placed[..i].last().map_or(0, |before| before.next_offset).max(base_of(file));
                let next_batch = placed.get(i + 1).map(|next| next.base_offset);
                let next_file = self.logs_beside(path).into_iter().find(|other| other > path);
                let to = next_batch.into_iter().chain(next_file.map(|next| base_of(&next))).min();
                base >= from && to.is_none_or(|to| base.saturating_add(next_offset - base_offset) <= to)
            }
            12..16 => {
                let points = self.offsets(&self.fs, &self.fixture.log_dir(0).join(RECOVERY_POINT_CHECKPOINT));
                let name = path.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
                let point = points.as_ref().and_then(|points| points.get(&TopicPartition::parse(&name)?));
                point.is_none_or(|point| base_offset >= point)
            }
            _ => false,
        }
    }

    /// What a checkpoint has; `None` if it is none.
    fn offsets(&self, fs: &CrashFileSystem, path: &Path) -> Option<HashMap<TopicPartition, Offset>> {
        let name = path.file_name().unwrap().to_string_lossy();
        OffsetCheckpointFile::new(Arc::new(fs.clone()), path.parent().unwrap(), &name).read().ok()
    }

    /// The segments of a partition, in order.
    fn logs_beside(&self, path: &Path) -> Vec<PathBuf> {
        let mut logs = files(&self.fs, path.parent().unwrap());
        logs.retain(|path| log_file_offset(&path.file_name().unwrap().to_string_lossy()).is_some());
        logs.sort();
        logs
    }

    /// The batches of a partition.
    fn placed(&self, path: &Path) -> Vec<Placed> {
        let mut placed = Vec::new();
        for file in self.logs_beside(path) {
            let content = self.fs.read(&file, 1 << 20).unwrap();
            let mut start = 0;
            for batch in Batches::new(&content).map_while(Result::ok) {
                let bytes = start..start + batch.size_in_bytes();
                start = bytes.end;
                let (base_offset, next_offset) = (batch.base_offset(), batch.next_offset());
                placed.push(Placed { file: file.clone(), bytes, base_offset, next_offset });
            }
        }
        placed
    }

    /// Whether whoever opens the logs is told the same; of those that were not closed, what was not flushed may be there or
    /// not.
    fn is_the_same(
        &self,
        seen: &BTreeMap<TopicPartition, Seen>,
        expected: &BTreeMap<TopicPartition, Seen>,
    ) -> bool {
        let Some(flushed) = &self.flushed else { return seen == expected };
        let of = |all: &BTreeMap<TopicPartition, Seen>, partition, offset| {
            all.get(partition).map(|seen| seen.below(offset))
        };
        flushed
            .iter()
            .all(|(partition, offset)| of(seen, partition, *offset) == of(expected, partition, *offset))
    }

    /// Flips bits anywhere, and answers those that change something and that nobody is told of.
    fn unnoticed(&self, dice: &Dice) -> Vec<String> {
        let files: Vec<(PathBuf, usize)> = files(&self.fs, &self.fixture.log_dir(0))
            .into_iter()
            .map(|path| (path.clone(), usize::try_from(self.fs.metadata(&path).unwrap().len).unwrap()))
            .filter(|(_, len)| *len > 0)
            .collect();
        let mut unnoticed = Vec::new();
        for _ in 0..flips() {
            let (path, len) = &files[dice.below(files.len())];
            let (at, bit) = (dice.below(*len), dice.below(8));
            let damaged = self.fs.crashed_at(0, Loss::Nothing);
            flip(&damaged, path, at, bit);
            if self.is_told_by_nothing(&damaged, path, at) {
                continue;
            }
            let name = path.file_name().unwrap().to_string_lossy();
            match verify_all(&self.fixture, &as_it_is(&self.fixture, &damaged)) {
                Ok(told) if told.iter().all(|finding| self.told.contains(finding)) => {}
                Ok(_) | Err(_) => continue,
            }
            for (i, (open, expected)) in self.openings.iter().enumerate() {
                let seen = look(&self.fixture, &open(&self.fixture, &damaged));
                if let Some(seen) = seen.filter(|seen| !self.is_the_same(seen, expected)) {
                    let told = &self.told;
                    unnoticed.push(format!(
                        "{name} byte {at} bit {bit}, opening {i}, told {told:?}:\n{seen:?}\nand not\n{expected:?}"
                    ));
                }
            }
        }
        unnoticed
    }
}

#[test]
fn no_bit_flips_without_being_found_or_being_harmless() {
    for seed in seeds(0..4) {
        let mut world = World::new(seed);
        world.work(25);
        let (fixture, fs, dice) = world.into_files();
        let unnoticed = Left::new(fixture, fs, None, &[as_it_is, unclean]).unnoticed(&dice);
        assert!(unnoticed.is_empty(), "seed {seed}:\n{}", unnoticed.join("\n"));
    }
}

/// What was not flushed may be torn, and a flipped bit looks like that: then whoever checks is told that the next start
/// cuts it off.
#[test]
fn no_bit_flips_in_what_a_power_loss_left_without_being_found_or_being_harmless() {
    for seed in seeds(0..4) {
        let mut world = World::new(seed);
        world.work(25);
        let flushed = world.flushed();
        let (fixture, fs, dice) = world.into_files_after_power_loss();
        let unnoticed = Left::new(fixture, fs, Some(flushed), &[as_it_is]).unnoticed(&dice);
        assert!(unnoticed.is_empty(), "seed {seed}:\n{}", unnoticed.join("\n"));
    }
}
