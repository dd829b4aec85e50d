//! A bit that is not what was written, anywhere in any file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::fixture::*;
use super::seeds;
use super::world::{World, verify};
use crate::log::file_names::{CLEAN_SHUTDOWN, RECOVERY_POINT_CHECKPOINT, TXN_INDEX};
use crate::log::{AbortedTxn, FetchIsolation, Log, LogManager, ReadParams};
use crate::model::Offset;
use crate::record::RecordBatch;
use crate::sys::{Env, FileSystem, OpenOptions};
use crate::testkit::{CrashFileSystem, Loss};

/// All that readers and producers learn from a log.
#[derive(Clone, Debug, Default, PartialEq)]
struct Seen {
    start: Offset,
    end: Offset,
    last_stable_offset: Offset,
    /// By offset.
    batches: BTreeMap<Offset, Vec<u8>>,
    /// Of batches of data, whether a reader of committed records leaves them out.
    aborted: BTreeMap<Offset, bool>,
    terms: BTreeMap<Offset, Option<i32>>,
    by_timestamp: BTreeMap<i64, Option<(Offset, i64)>>,
    producers: BTreeMap<i64, (i16, i32, Offset, Option<Offset>)>,
}

impl Seen {
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
            let Some(slice) = read.records else { return next < self.end };
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
fn look(fixture: &Fixture, fs: &CrashFileSystem) -> Option<Seen> {
    let manager = open(fixture, fs).ok()?;
    let log = fixture.try_log_of(&manager).ok()?;
    let mut seen = Seen::default();
    let failed = log.update_high_watermark(log.log_end_offset()).is_err() || seen.read(&log);
    assert!(log.is_online(), "bits in files are no fault of the disk");
    drop(log);
    manager.abandon();
    (!failed).then_some(seen)
}

fn unclean(fixture: &Fixture, fs: &CrashFileSystem) -> CrashFileSystem {
    let fs = fs.crashed_at(usize::MAX, Loss::Nothing);
    fs.remove_file(&fixture.log_dir(0).join(CLEAN_SHUTDOWN)).unwrap();
    fs
}

/// What nobody can know, neither the broker nor a check of all files: of a log that was compacted, or of which the
/// first records were deleted, the index of transactions has where one began and what was stable then, and the records
/// that would tell are gone. A changed offset there is noticed unless it fits what is left. And from where a log is read
/// again after a crash decides whether producers are known of which all records were deleted.
fn is_beyond_knowledge(name: &str, is_incomplete: bool) -> bool {
    (name.ends_with(TXN_INDEX) || name == RECOVERY_POINT_CHECKPOINT) && is_incomplete
}

#[test]
fn no_bit_flips_without_being_found_or_being_harmless() {
    for seed in seeds(0..4) {
        let mut world = World::new(seed);
        world.work(25);
        let (fixture, fs, dice) = world.into_files();
        let whole = fs.crashed_at(0, Loss::Nothing);
        // What is below the start of a log, it need not know when it is read again.
        let expected = [
            look(&fixture, &whole.crashed_at(usize::MAX, Loss::Nothing)).expect("all is well"),
            look(&fixture, &unclean(&fixture, &whole)).expect("all is well"),
        ];
        let files: Vec<(PathBuf, usize)> = files(&fs, &fixture.log_dir(0))
            .into_iter()
            .map(|path| (path.clone(), usize::try_from(fs.metadata(&path).unwrap().len).unwrap()))
            .filter(|(_, len)| *len > 0)
            .collect();
        let mut unnoticed = Vec::new();
        for _ in 0..60 {
            let (path, len) = &files[dice.below(files.len())];
            let (at, bit) = (dice.below(*len), dice.below(8));
            let damaged = fs.crashed_at(0, Loss::Nothing);
            flip(&damaged, path, at, bit);
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let verified = verify(&fixture, &damaged.crashed_at(usize::MAX, Loss::Nothing));
            if verified.map_or(true, |problems| !problems.is_empty()) {
                continue;
            }
            let opened = [damaged.crashed_at(usize::MAX, Loss::Nothing), unclean(&fixture, &damaged)];
            for (clean, (fs, expected)) in [true, false].into_iter().zip(opened.iter().zip(&expected)) {
                let Some(seen) = look(&fixture, fs) else { continue };
                let is_incomplete = fixture.config.cleanup_policy.compact || expected.start > 0;
                if seen != *expected && !is_beyond_knowledge(&name, is_incomplete) {
                    unnoticed.push(format!("seed {seed}: {name} byte {at} bit {bit}, clean: {clean}"));
                }
            }
        }
        assert!(unnoticed.is_empty(), "{}", unnoticed.join("\n"));
    }
}
