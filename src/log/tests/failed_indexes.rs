//! Disks that fail, or are full, where they hold an index.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::fixture::*;
use crate::log::file_names::{self, OFFSET_INDEX, TIME_INDEX};
use crate::log::{Log, LogError, LogManager};
use crate::model::{ErrorCode, TopicPartition};
use crate::sys::FileSystem;
use crate::testkit::{FaultyFileSystem, FileOperation};

/// Batches, each but the first with an entry in both indexes: more than one page of either has.
const BATCHES: usize = 700;

struct Disks {
    fixture: Fixture,
    fs: Arc<FaultyFileSystem>,
}

impl Disks {
    fn new() -> Self {
        let mut fixture = Fixture::with_config(|config| config.index_interval_bytes = 0);
        fixture.log_dirs = 2;
        let fs = fixture.faulty();
        Disks { fixture, fs }
    }

    /// A log in each of the two log dirs.
    fn logs(&self, manager: &LogManager) -> (Arc<Log>, Arc<Log>) {
        let make = |i| self.fixture.log_at(manager, &TopicPartition::new("t", i));
        let logs = (make(0), make(1));
        assert_ne!(logs.0.log_dir(), logs.1.log_dir());
        logs
    }

    /// From now on, this operation on indexes of this kind fails in the directory of `log`.
    fn fail(&self, operation: FileOperation, kind: &'static str, log: &Log, error: fn() -> io::Error) {
        let dir = log.log_dir().to_owned();
        self.fs.set_plan(move |asked, path| {
            let is_meant = asked == operation && path.starts_with(&dir);
            (is_meant && path.to_string_lossy().ends_with(kind)).then(error)
        });
    }

    /// Opens all anew, and finds `BATCHES` in each log.
    fn assert_all_is_there_afterwards(&self, of_first: usize) {
        self.fs.clear_plan();
        let manager = self.fixture.open();
        let (first, second) = self.logs(&manager);
        for (log, count) in [(&first, of_first), (&second, BATCHES)] {
            log.maybe_update_high_watermark(log.log_end_offset()).unwrap();
            assert_eq!(read_all(log, 0).len(), count);
            for i in [0, 17, 400] {
                if i < count {
                    assert_found(log, i);
                }
            }
        }
        manager.shutdown().unwrap();
    }
}

fn broken() -> io::Error {
    io::Error::other("input/output error")
}

fn no_space() -> io::Error {
    io::ErrorKind::StorageFull.into()
}

fn try_append_at(log: &Log, i: usize) -> Result<(), LogError> {
    try_append(log, records_at(&[i.to_string()], START_MS + offset(i)))?;
    log.maybe_update_high_watermark(log.log_end_offset()).map(drop)
}

/// Appends records `from` to [`BATCHES`], until one is refused; answers how many are there then, and the error.
fn fill(log: &Log, from: usize) -> (usize, Option<LogError>) {
    for i in from..BATCHES {
        if let Err(error) = try_append_at(log, i) {
            return (i, Some(error));
        }
    }
    (BATCHES, None)
}

fn offset(i: usize) -> i64 {
    i64::try_from(i).unwrap()
}

fn assert_found(log: &Log, i: usize) {
    let first = &try_read_all(log, offset(i)).unwrap()[0];
    assert_eq!(*first, (offset(i), i.to_string().into_bytes()));
    let found = log.fetch_offset_by_timestamp(START_MS + offset(i)).unwrap();
    assert_eq!(found.map(|found| found.offset), Some(offset(i)));
}

/// What an index of this kind is asked for record `i`.
fn look(log: &Log, kind: &str, i: usize) -> Result<(), LogError> {
    match kind {
        OFFSET_INDEX => log.read(&read_params(offset(i))).map(drop),
        _ => log.fetch_offset_by_timestamp(START_MS + offset(i)).map(drop),
    }
}

fn is_storage_error(result: Result<(), LogError>) -> bool {
    result.is_err_and(|error| error.code() == ErrorCode::KafkaStorageError)
}

/// Indexes were mapped into memory once, and this was the end of the process.
#[test]
fn an_index_that_cannot_be_read_takes_its_log_dir_offline_and_the_others_go_on() {
    for kind in [OFFSET_INDEX, TIME_INDEX] {
        let disks = Disks::new();
        let manager = disks.fixture.open();
        let (first, second) = disks.logs(&manager);
        assert!(fill(&first, 0).1.is_none());
        assert!(fill(&second, 0).1.is_none());
        disks.fail(FileOperation::Read, kind, &first, broken);
        // The latest entries are in memory.
        look(&first, kind, BATCHES - 1).unwrap();
        assert!(is_storage_error(look(&first, kind, 17)), "{kind}");
        assert!(!first.is_online());
        assert!(is_storage_error(look(&first, kind, BATCHES - 1)));
        assert!(is_storage_error(try_append_at(&first, BATCHES)));
        assert_eq!(manager.offline_log_dirs(), [first.log_dir()]);
        look(&second, kind, 17).unwrap();
        assert!(second.is_online());
        assert!(manager.shutdown().is_err());
        drop((manager, first, second));
        disks.assert_all_is_there_afterwards(BATCHES);
    }
}

#[test]
fn an_index_that_cannot_be_written_takes_its_log_dir_offline_and_the_others_go_on() {
    for kind in [OFFSET_INDEX, TIME_INDEX] {
        let disks = Disks::new();
        let manager = disks.fixture.open();
        let (first, second) = disks.logs(&manager);
        disks.fail(FileOperation::Write, kind, &first, broken);
        let (count, error) = fill(&first, 0);
        assert!((2..BATCHES).contains(&count), "{count} batches have no whole page of entries");
        assert_eq!(error.map(|error| error.code()), Some(ErrorCode::KafkaStorageError));
        assert!(!first.is_online());
        assert!(is_storage_error(look(&first, kind, 0)));
        assert!(fill(&second, 0).1.is_none());
        look(&second, kind, 17).unwrap();
        assert_eq!(manager.offline_log_dirs(), [first.log_dir()]);
        assert!(manager.shutdown().is_err());
        drop((manager, first, second));
        disks.assert_all_is_there_afterwards(count);
    }
}

#[test]
fn an_append_is_refused_when_there_is_no_room_for_a_page_of_an_index_and_taken_when_there_is() {
    for kind in [OFFSET_INDEX, TIME_INDEX] {
        let disks = Disks::new();
        let manager = disks.fixture.open();
        let (first, second) = disks.logs(&manager);
        disks.fail(FileOperation::Write, kind, &first, no_space);
        let (count, error) = fill(&first, 0);
        assert!(error.is_some_and(|error| error.is_disk_full()), "{kind}");
        assert!(try_append_at(&first, count).is_err_and(|error| error.is_disk_full()));
        assert!(first.roll().is_err_and(|error| error.is_disk_full()));
        assert_eq!(first.log_end_offset(), offset(count));
        assert!(first.is_online());
        assert_found(&first, 17);
        disks.fs.clear_plan();
        assert!(fill(&first, count).1.is_none());
        assert!(fill(&second, 0).1.is_none());
        first.roll().unwrap();
        assert_found(&first, 17);
        let path = index_path(&first, kind);
        let entry = if kind == OFFSET_INDEX { 8 } else { 12 };
        assert_eq!(DISK().metadata(&path).unwrap().len, (BATCHES as u64 - 1) * entry);
        manager.shutdown().unwrap();
        drop((manager, first, second));
        disks.assert_all_is_there_afterwards(BATCHES);
    }
}

/// What a write left behind that failed is no entry, even if none is ever written over it.
#[test]
fn of_a_page_that_found_no_room_nothing_stays_when_the_log_is_truncated() {
    for kind in [OFFSET_INDEX, TIME_INDEX] {
        let disks = Disks::new();
        let manager = disks.fixture.open();
        let (first, second) = disks.logs(&manager);
        disks.fail(FileOperation::Write, kind, &first, no_space);
        let path = index_path(&first, kind);
        assert!(fill(&first, 0).1.is_some() && DISK().metadata(&path).unwrap().len > 0);
        disks.fs.clear_plan();
        first.truncate_to(20).unwrap();
        assert!(fill(&second, 0).1.is_none());
        manager.shutdown().unwrap();
        let entry = if kind == OFFSET_INDEX { 8 } else { 12 };
        assert_eq!(DISK().metadata(&path).unwrap().len, 19 * entry);
        drop((manager, first, second));
        disks.assert_all_is_there_afterwards(20);
    }
}

fn index_path(log: &Log, kind: &str) -> PathBuf {
    log.dir.path().join(file_names::of_offset(0, kind))
}
