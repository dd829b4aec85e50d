//! A compaction that is cut off, at each of its steps.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::compaction::{compacted, compacted_fixture, fill};
use super::fixture::*;
use crate::log::Log;
use crate::log::file_names::{CLEANED, SWAP};
use crate::model::{TopicPartition, Uuid};
use crate::testkit::{FaultyFileSystem, FileOperation};

fn on_a_faulty_disk() -> (Fixture, Arc<FaultyFileSystem>) {
    let mut fixture = Fixture::with_config(|config| {
        compacted(config);
        config.segment_bytes = 400;
    });
    let fs = fixture.faulty();
    (fixture, fs)
}

/// What each test compacts: of some keys several records, of one only a tombstone, and a producer.
fn fill_segments(log: &Log) {
    for round in ["1", "2", "3"] {
        fill(log, &[&[("a", Some(round)), ("b", Some(round))], &[("c", Some(round)), ("gone", Some(round))]]);
    }
    fill(log, &[&[("gone", None), ("late", Some("x"))], &[("c", Some("4"))]]);
    let options = idempotent(7, 0, 0, 1).options;
    append(log, keyed_with(options, START_MS, &[("a", Some("0"))]));
    fill(log, &[&[("a", Some("5"))]]);
    log.flush_to_end().unwrap();
}

/// The last record of each key is there, behind those before it.
fn assert_nothing_is_lost(log: &Log, n: usize) {
    let end = log.log_end_offset();
    assert_eq!(end, 17, "after {n} changes");
    log.maybe_update_high_watermark(end).unwrap();
    let found = texts(log);
    let mut last = BTreeMap::new();
    let mut offset_before = -1;
    for text in &found {
        let (offset, pair) = text.split_once(' ').unwrap();
        let (offset, (key, value)) = (offset.parse::<i64>().unwrap(), pair.split_once('=').unwrap());
        assert!(offset > offset_before, "after {n} changes: {found:?}");
        offset_before = offset;
        last.insert(key.to_owned(), (offset, value.to_owned()));
    }
    let expected = [("a", 16, "5"), ("b", 9, "3"), ("c", 14, "4"), ("gone", 12, "-"), ("late", 13, "x")];
    let expected = expected.map(|(key, offset, value)| (key.to_owned(), (offset, value.to_owned())));
    assert_eq!(last, expected.into(), "after {n} changes: {found:?}");
}

/// An error that says nothing of the disk, and then goes away: the process had no descriptor left, of which each sync of
/// a directory wants one. The compaction after it took what the first had left half done for its own, and what it had
/// made itself was removed.
#[cfg(unix)]
#[test]
fn wherever_a_compaction_finds_no_descriptor_nothing_is_lost_by_it_or_by_the_next_one() {
    const EMFILE: i32 = 24;
    let (mut n, mut went_offline, mut went_on) = (0, 0, 0);
    loop {
        let (fixture, fs) = on_a_faulty_disk();
        let manager = fixture.open();
        let log = fixture.log_of(&manager);
        fill_segments(&log);
        let changes = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&changes);
        fs.set_plan(move |operation, _| {
            let takes_one = matches!(operation, FileOperation::Open | FileOperation::Sync);
            let fails = takes_one && count.fetch_add(1, Ordering::Relaxed) == n;
            fails.then(|| io::Error::from_raw_os_error(EMFILE))
        });
        manager.clean_now(&log);
        let has_failed = changes.load(Ordering::Relaxed) > n;
        fs.clear_plan();
        if log.is_online() {
            went_on += 1;
            assert_nothing_is_lost(&log, n);
            fill(&log, &[]);
            manager.clean_now(&log);
            manager.delete_logs();
            assert_nothing_is_lost(&log, n);
        } else {
            went_offline += 1;
        }
        manager.abandon();
        drop((manager, log));
        let manager = fixture.open();
        let log = fixture.log_of(&manager);
        assert_nothing_is_lost(&log, n);
        manager.clean_now(&log);
        assert_nothing_is_lost(&log, n);
        manager.shutdown().unwrap();
        if !has_failed {
            break;
        }
        n += 1;
    }
    assert!(went_offline > 1 && went_on > 5, "{went_offline} {went_on}");
}

/// From the n-th change on, the disk takes nothing: the process is as good as dead. The next one finds each key's last
/// record, and nothing that was obsolete before comes back in front of it.
#[test]
fn wherever_a_compaction_is_cut_off_every_key_keeps_its_last_record() {
    let mut n = 0;
    loop {
        let (fixture, fs) = on_a_faulty_disk();
        let manager = fixture.open();
        let log = fixture.log_of(&manager);
        fill_segments(&log);
        manager.checkpoint_recovery_offsets();

        let changes = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&changes);
        fs.set_plan(move |operation, _| {
            let fails = operation.is_change() && count.fetch_add(1, Ordering::Relaxed) >= n;
            fails.then(|| io::Error::other("the power is gone"))
        });
        let cleaned = manager.clean_now(&log);
        manager.abandon();
        drop((manager, log));
        fs.clear_plan();

        let manager = fixture.open();
        let log = fixture.log_of(&manager);
        assert_nothing_is_lost(&log, n);
        let leftovers = |name: &String| name.ends_with(CLEANED) || name.ends_with(SWAP);
        assert!(!fixture.files().iter().any(leftovers), "{:?}", fixture.files());
        // The producer may go on where it was.
        let next = keyed_with(idempotent(7, 0, 1, 1).options, START_MS, &[("a", Some("6"))]);
        append(&log, next);
        log.roll().unwrap();
        fixture.clock.advance(Duration::from_secs(3600));
        assert!(manager.clean_now(&log).is_some());
        let after = texts(&log);
        assert_eq!(after.iter().filter(|text| text.contains(" a=")).count(), 1, "{after:?}");
        assert_eq!(after.iter().filter(|text| text.contains(" b=3")).count(), 1, "{after:?}");
        manager.shutdown().unwrap();
        if cleaned.is_some() {
            break;
        }
        n += 1;
    }
    assert!(n > 20, "{n}");
}

/// The log of the full disk stays the one that needs it most. It was tried again at once, without a rest, and the one
/// behind it never had its turn.
#[test]
fn a_full_disk_keeps_the_logs_of_others_from_no_compaction() {
    let (mut fixture, fs) = on_a_faulty_disk();
    fixture.log_dirs = 2;
    let manager = fixture.open();
    let filthy = fixture.log_of(&manager);
    let other = TopicPartition::new("views", 0);
    let id = Uuid::from_bytes([9; 16]);
    let other = manager.get_or_create_log(&other, id, Arc::new(fixture.config.clone())).unwrap();
    for log in [&filthy, &other] {
        fill_segments(log);
    }
    assert!(manager.clean_now(&other).is_some());
    for _ in 0..20 {
        fill(&other, &[&[("a", Some("6")), ("b", Some("7"))]]);
    }
    let full = filthy.dir.path();
    assert!(!other.dir.path().starts_with(full.parent().unwrap()));
    fs.set_plan(move |operation, path| {
        let is_copy = path.starts_with(&full) && path.to_string_lossy().ends_with(CLEANED);
        (operation == FileOperation::Write && is_copy).then(|| io::ErrorKind::StorageFull.into())
    });
    let before = texts(&other).len();
    assert!(manager.clean_filthiest_log());
    assert!(texts(&other).len() + 10 < before, "{:?}", texts(&other));
    assert!(!manager.clean_filthiest_log(), "there is nothing but the full one");
    assert_nothing_is_lost(&filthy, 0);
    fs.clear_plan();
    assert!(manager.clean_filthiest_log());
    assert_nothing_is_lost(&filthy, 0);
}

#[test]
fn a_compaction_that_finds_the_disk_full_is_put_off_and_leaves_the_log_as_it_was() {
    let mut fixture = compacted_fixture();
    let fs = fixture.faulty();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    fill(&log, &[&[("a", Some("1"))], &[("a", Some("2")), ("b", Some("3"))], &[("b", Some("4"))]]);
    let before = texts(&log);
    let files = fixture.files();
    fs.set_plan(|operation, path| {
        let is_copy = path.to_string_lossy().ends_with(".cleaned");
        (operation == FileOperation::Write && is_copy).then(|| std::io::ErrorKind::StorageFull.into())
    });
    assert!(manager.clean_now(&log).is_none());
    assert!(log.is_online());
    assert_eq!((texts(&log), fixture.files()), (before, files));
    fs.clear_plan();
    assert!(manager.clean_now(&log).is_some());
    assert_eq!(texts(&log), ["1 a=2", "3 b=4"]);
}
