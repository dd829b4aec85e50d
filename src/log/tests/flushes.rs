use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use super::fixture::*;
use crate::log::file_names::LOG;
use crate::model::ErrorCode;
use crate::sys::OsFileSystem;
use crate::testkit::{FaultyFileSystem, FileOperation};

/// Counts the syncs of logs.
fn counting(fixture: &mut Fixture, while_syncing: impl Fn() + Send + Sync + 'static) -> Arc<AtomicUsize> {
    let fs = Arc::new(FaultyFileSystem::new(Arc::new(OsFileSystem::without_sync())));
    let syncs = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&syncs);
    fs.set_plan(move |operation, path| {
        if operation == FileOperation::Sync && path.to_string_lossy().ends_with(LOG) {
            seen.fetch_add(1, Ordering::SeqCst);
            while_syncing();
        }
        None::<io::Error>
    });
    fixture.fs = fs;
    syncs
}

#[test]
fn a_flush_is_due_every_flush_messages() {
    let mut fixture = Fixture::with_config(|config| config.flush_messages = 3);
    let syncs = counting(&mut fixture, || {});
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    let due: Vec<bool> = (0..7)
        .map(|_| {
            let info = append(&log, records(&["a"]));
            if info.needs_flush {
                log.flush(info.last_offset + 1).unwrap();
            }
            info.needs_flush
        })
        .collect();
    assert_eq!(due, [false, false, true, false, false, true, false]);
    assert_eq!((syncs.load(Ordering::SeqCst), log.recovery_point()), (2, 6));
    // What is flushed already is not flushed again.
    log.flush(6).unwrap();
    assert_eq!(syncs.load(Ordering::SeqCst), 2);
}

#[test]
fn a_log_is_flushed_after_flush_ms_and_after_a_roll() {
    let mut fixture = Fixture::with_config(|config| {
        config.flush_ms = 1_000;
        config.segment_bytes = 200;
    });
    let syncs = counting(&mut fixture, || {});
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["a"]));
    fixture.clock.advance(Duration::from_millis(999));
    manager.flush_dirty_logs();
    assert_eq!((syncs.load(Ordering::SeqCst), log.recovery_point()), (0, 0));
    fixture.clock.advance(Duration::from_millis(1));
    manager.flush_dirty_logs();
    assert_eq!((syncs.load(Ordering::SeqCst), log.recovery_point()), (1, 1));
    fixture.clock.advance(Duration::from_millis(5_000));
    manager.flush_dirty_logs();
    assert_eq!(syncs.load(Ordering::SeqCst), 1);

    for _ in 0..6 {
        append(&log, records(&["a".repeat(100)]));
    }
    assert_eq!(log.number_of_segments(), 7);
    manager.flush_rolled_logs();
    assert_eq!((syncs.load(Ordering::SeqCst), log.recovery_point()), (8, 7));
    manager.flush_rolled_logs();
    assert_eq!(syncs.load(Ordering::SeqCst), 8);
    append(&log, records(&["a".repeat(100)]));
    manager.flush_rolled_logs();
    // Only the one that was active, and the new one.
    assert_eq!(syncs.load(Ordering::SeqCst), 10);
}

#[test]
fn concurrent_flushes_share_one_sync() {
    let mut fixture = Fixture::new();
    // The first sync does not end before all others have come to wait for it.
    let (arrived, wait) = crossbeam::channel::unbounded::<()>();
    let is_first = AtomicBool::new(true);
    let syncs = counting(&mut fixture, move || {
        if is_first.swap(false, Ordering::SeqCst) {
            for _ in 0..8 {
                wait.recv().unwrap();
            }
        }
    });
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["first"]));
    std::thread::scope(|scope| {
        scope.spawn(|| log.flush(1).unwrap());
        while syncs.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        for _ in 0..8 {
            let arrived = arrived.clone();
            let log = &log;
            scope.spawn(move || {
                let info = append(log, records(&["x"]));
                arrived.send(()).unwrap();
                log.flush(info.last_offset + 1).unwrap();
                assert!(log.recovery_point() > info.last_offset);
            });
        }
    });
    // One for the first; one, and rarely a second, for the eight that waited.
    assert!(syncs.load(Ordering::SeqCst) <= 3, "{syncs:?}");
    assert_eq!(log.recovery_point(), 9);
}

#[test]
fn names_of_files_are_synced_before_a_flush_counts() {
    let mut fixture = Fixture::with_config(|config| config.segment_bytes = 100);
    let fs = Arc::new(FaultyFileSystem::new(Arc::new(OsFileSystem::without_sync())));
    let manager_dir = fixture.partition_dir();
    let syncs = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&syncs);
    fs.set_plan(move |operation, path| {
        if operation == FileOperation::Sync && path == manager_dir {
            seen.fetch_add(1, Ordering::SeqCst);
        }
        None::<io::Error>
    });
    fixture.fs = fs;
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["a"]));
    log.flush_to_end().unwrap();
    let after_first = syncs.load(Ordering::SeqCst);
    assert!(after_first > 0);
    // Another segment is another name.
    append(&log, records(&["a"]));
    log.flush_to_end().unwrap();
    assert_eq!(syncs.load(Ordering::SeqCst), after_first + 1);
    log.flush_to_end().unwrap();
    assert_eq!(syncs.load(Ordering::SeqCst), after_first + 1);
}

#[test]
fn those_who_leave_a_call_share_one_sync_and_are_told_when_it_is_done() {
    let mut fixture = Fixture::new();
    let syncs = counting(&mut fixture, || {});
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    let (told, done) = crossbeam::channel::unbounded();
    for offset in 0..3 {
        append(&log, records(&["a"]));
        let told = told.clone();
        let is_first =
            log.flush_then(offset + 1, move |flushed| told.send((offset, flushed.is_ok())).unwrap());
        assert_eq!(is_first, offset == 0, "one is asked to flush for all");
    }
    assert!(done.is_empty());
    assert!(!log.flush_for_waiting());
    assert_eq!(done.try_iter().collect::<Vec<_>>(), [(0, true), (1, true), (2, true)]);
    assert_eq!((syncs.load(Ordering::SeqCst), log.recovery_point()), (1, 3));
    // What is on the disk already needs nobody to put it there.
    assert!(!log.flush_then(2, move |flushed| told.send((7, flushed.is_ok())).unwrap()));
    assert_eq!(done.try_iter().collect::<Vec<_>>(), [(7, true)]);
}

#[test]
fn who_comes_while_the_disk_is_busy_is_flushed_for_in_the_next_round() {
    let mut fixture = Fixture::new();
    let syncs = counting(&mut fixture, || {});
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    let (told, done) = crossbeam::channel::unbounded();
    append(&log, records(&["a"]));
    let (second, first_told) = (Arc::clone(&log), told.clone());
    assert!(log.flush_then(1, move |_| {
        append(&second, records(&["b"]));
        assert!(!second.flush_then(2, move |_| told.send(2).unwrap()));
        first_told.send(1).unwrap();
    }));
    assert!(log.flush_for_waiting());
    assert_eq!((done.try_iter().collect::<Vec<_>>(), log.recovery_point()), (vec![1], 1));
    assert!(!log.flush_for_waiting());
    assert_eq!((done.try_iter().collect::<Vec<_>>(), log.recovery_point()), (vec![2], 2));
    assert_eq!(syncs.load(Ordering::SeqCst), 2);
}

#[test]
fn all_who_wait_for_a_sync_hear_that_it_failed_and_none_is_tried_for_them_again() {
    let mut fixture = Fixture::new();
    let fs = fixture.faulty();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    let syncs = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&syncs);
    fs.set_plan(move |operation, path| {
        let is_sync = operation == FileOperation::Sync && path.to_string_lossy().ends_with(LOG);
        is_sync.then(|| {
            seen.fetch_add(1, Ordering::SeqCst);
            io::Error::other("the disk is gone")
        })
    });
    let (told, done) = crossbeam::channel::unbounded();
    let wait = |offset| {
        let told = told.clone();
        log.flush_then(offset, move |flushed| told.send(flushed.unwrap_err().code()).unwrap())
    };
    for offset in 1..=3 {
        append(&log, records(&["a"]));
        assert_eq!(wait(offset), offset == 1);
    }
    assert!(!log.flush_for_waiting());
    assert_eq!(done.try_iter().collect::<Vec<_>>(), [ErrorCode::KafkaStorageError; 3]);
    assert!(wait(3));
    assert!(!log.flush_for_waiting());
    assert_eq!(done.try_iter().collect::<Vec<_>>(), [ErrorCode::KafkaStorageError]);
    assert_eq!((syncs.load(Ordering::SeqCst), log.recovery_point()), (1, 0));
}

#[test]
fn appends_and_reads_go_on_while_the_disk_is_busy_and_count_as_flushed_only_afterwards() {
    let mut fixture = Fixture::new();
    let (begun, begins) = crossbeam::channel::unbounded();
    let (release, held) = crossbeam::channel::unbounded::<()>();
    counting(&mut fixture, move || {
        begun.send(()).unwrap();
        // Ends when the other end is dropped.
        let _ = held.recv();
    });
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["a"]));
    std::thread::scope(|scope| {
        let flushing = scope.spawn(|| log.flush(1).unwrap());
        begins.recv().unwrap();
        append(&log, records(&["b"]));
        log.maybe_update_high_watermark(2).unwrap();
        assert_eq!(read_all(&log, 0), numbered(0, &["a", "b"]));
        assert_eq!(log.recovery_point(), 0);
        drop(release);
        flushing.join().unwrap();
        // The disk may have taken the second one too, but nobody can know.
        assert_eq!(log.recovery_point(), 1);
    });
}

/// The records last, and who waits for them is told so; but recovery has to read them.
#[test]
fn terms_for_which_there_is_no_room_leave_the_recovery_point_where_it_is() {
    let mut fixture = Fixture::new();
    let fs = fixture.faulty();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["a"]));
    let synced = Arc::new(AtomicUsize::new(0));
    let in_plan = Arc::clone(&synced);
    fs.set_plan(move |operation, path| {
        if operation == FileOperation::Sync && path.extension().is_some_and(|kind| kind == "log") {
            in_plan.fetch_add(1, Ordering::Relaxed);
        }
        let is_of_terms = path.to_string_lossy().contains("leader-epoch-checkpoint");
        (is_of_terms && operation == FileOperation::Write).then(|| io::ErrorKind::StorageFull.into())
    });
    assert!(log.flush_to_end().unwrap_err().is_disk_full());
    let before = synced.load(Ordering::Relaxed);
    let told = Arc::new(AtomicUsize::new(0));
    for i in 0..3 {
        let told = Arc::clone(&told);
        let is_first = log.flush_then(1, move |flushed| {
            flushed.unwrap();
            told.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(is_first, i == 0);
    }
    assert!(!log.flush_for_waiting());
    assert_eq!(synced.load(Ordering::Relaxed), before + 1);
    assert_eq!((told.load(Ordering::Relaxed), log.recovery_point(), log.is_online()), (3, 0, true));
    fs.clear_plan();
    log.flush_to_end().unwrap();
    assert_eq!(log.recovery_point(), 1);
}

/// All but the first were told to make room.
#[cfg(unix)]
#[test]
fn all_who_wait_for_a_flush_that_runs_out_of_descriptors_are_told_so() {
    let mut fixture = Fixture::new();
    let fs = fixture.faulty();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["a"]));
    log.roll().unwrap();
    let no_descriptor = || io::Error::from_raw_os_error(24);
    let dir = fixture.partition_dir();
    fs.set_plan(move |operation, path| (operation == FileOperation::Sync && path == dir).then(no_descriptor));
    let told = Arc::new(AtomicUsize::new(0));
    for _ in 0..3 {
        let told = Arc::clone(&told);
        let _ = log.flush_then(1, move |flushed| {
            let message = flushed.unwrap_err().to_string();
            assert!(message.contains(&no_descriptor().to_string()), "{message}");
            told.fetch_add(1, Ordering::Relaxed);
        });
    }
    assert!(!log.flush_for_waiting());
    assert_eq!((told.load(Ordering::Relaxed), log.is_online()), (3, true));
}
