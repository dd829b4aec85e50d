use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::fixture::*;
use crate::log::{EpochEndOffset, Log, LogError};
use crate::testkit::{CrashFileSystem, FileOperation, Loss};

#[test]
fn batches_that_reach_the_target_are_dropped_and_offsets_go_on_there() {
    let fixture = Fixture::with_config(|config| config.segment_bytes = 200);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    for _ in 0..6 {
        append(&log, records(&["a", "b"]));
    }
    assert!(log.number_of_segments() > 2);
    assert!(!log.truncate_to(12).unwrap());
    assert!(log.truncate_to(5).unwrap());
    assert_eq!((log.log_end_offset(), log.high_watermark()), (5, 5));
    assert_eq!(read_all(&log, 0).len(), 4);
    append(&log, records(&["c"]));
    assert_eq!(read_all(&log, 4), [(5, b"c".to_vec())]);
    manager.shutdown().unwrap();
    drop((manager, log));
    let manager = fixture.open();
    let log = manager.log(&partition()).unwrap();
    assert_eq!(log.log_end_offset(), 6);
    assert_eq!(read_all(&log, 2).len(), 3);
}

#[test]
fn truncation_below_the_first_segment_starts_over_there() {
    let fixture = Fixture::with_config(|config| config.segment_bytes = 100);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    for _ in 0..4 {
        append(&log, records(&["a"]));
    }
    log.maybe_increment_log_start_offset(3).unwrap();
    manager.cleanup_logs();
    assert!(log.truncate_to(1).unwrap());
    assert_eq!((log.log_start_offset(), log.log_end_offset(), log.size()), (1, 1, 0));
    append(&log, records(&["b"]));
    assert_eq!(read_all(&log, 1), numbered(1, &["b"]));
    log.truncate_fully_and_start_at(100).unwrap();
    append(&log, records(&["c"]));
    assert_eq!(read_all(&log, 100), numbered(100, &["c"]));
}

#[test]
fn producers_and_terms_are_as_they_were_at_the_target() {
    let fixture = Fixture::with_config(|config| config.segment_bytes = 200);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    log.assign_epoch_start_offset(0, 0);
    for i in 0..4 {
        append(&log, idempotent(9, 0, i, 1).build());
    }
    log.assign_epoch_start_offset(2, 4);
    for i in 4..8 {
        append(&log, idempotent(9, 0, i, 1).build());
    }
    assert_eq!(log.end_offset_for_epoch(1), EpochEndOffset { epoch: 0, end_offset: 4 });
    log.truncate_to(3).unwrap();
    assert_eq!(log.producer(9).unwrap().last_sequence(), 2);
    assert_eq!(log.latest_epoch(), Some(0));
    append(&log, idempotent(9, 0, 3, 1).build());
    assert_eq!(log.log_end_offset(), 4);
}

#[test]
fn an_open_transaction_is_open_again_when_its_marker_is_cut_off() {
    let fixture = Fixture::new();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, idempotent(9, 0, 0, 1).transactional().build());
    append(&log, marker(9, 0, false));
    assert_eq!(log.last_stable_offset(), 2);
    log.truncate_to(1).unwrap();
    assert_eq!(log.last_stable_offset(), 0);
    append(&log, marker(9, 0, true));
    assert_eq!(log.last_stable_offset(), 2);
}

#[test]
fn transactions_that_are_decided_stay_so_when_what_is_behind_them_is_cut_off() {
    let fixture = Fixture::new();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, idempotent(9, 0, 0, 2).transactional().build());
    append(&log, marker(9, 0, true));
    append(&log, records(&["cut"]));
    assert!(log.truncate_to(3).unwrap());
    assert_eq!((log.high_watermark(), log.last_stable_offset()), (3, 3));
}

/// Offset 0, of a transaction whose marker was cut off, lies below the start, and nobody knows of it any more. If it were
/// there again after a crash, it would be taken for decided.
#[test]
fn what_lies_below_the_start_of_a_log_that_was_truncated_does_not_come_back_with_a_crash() {
    let mut fixture = Fixture::new();
    let fs = CrashFileSystem::recording(fixture.clock.clone());
    fixture.fs = Arc::new(fs.clone());
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, idempotent(9, 0, 0, 1).transactional().build());
    append(&log, records(&["a"]));
    append(&log, marker(9, 0, false));
    log.maybe_increment_log_start_offset(1).unwrap();
    log.truncate_to(2).unwrap();
    append(&log, records(&["b"]));
    log.roll().unwrap();
    log.flush_to_end().unwrap();
    manager.abandon();
    drop((manager, log));
    fs.crash(Loss::Everything);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    assert_eq!((log.log_start_offset(), log.log_end_offset()), (1, 3));
}

type Truncate = fn(&Log) -> Result<(), LogError>;

/// Whatever is the first that a full disk has no room for.
#[test]
fn a_truncation_for_which_a_full_disk_has_no_room_changes_nothing_and_can_be_done_later() {
    let ways: [(Truncate, i64, i64); 3] = [
        (|log| log.truncate_to(4).map(drop), 2, 4),
        (|log| log.truncate_to(1).map(drop), 1, 1),
        (|log| log.truncate_fully_and_start_at(40), 40, 40),
    ];
    for (truncate, start, end) in ways {
        let mut n = 0;
        loop {
            let mut fixture = Fixture::with_config(|config| config.segment_bytes = 100);
            let fs = fixture.faulty();
            let manager = fixture.open();
            let log = fixture.log_of(&manager);
            for _ in 0..6 {
                append(&log, records(&["a"]));
            }
            log.flush_to_end().unwrap();
            manager.checkpoint_recovery_offsets();
            log.maybe_increment_log_start_offset(2).unwrap();
            manager.cleanup_logs();
            let (count, is_full) = (AtomicUsize::new(0), Arc::new(AtomicBool::new(false)));
            let seen = Arc::clone(&is_full);
            fs.set_plan(move |operation, _| {
                let takes_room = matches!(operation, FileOperation::Write | FileOperation::Allocate);
                seen.fetch_or(takes_room && count.fetch_add(1, Ordering::SeqCst) >= n, Ordering::SeqCst);
                (takes_room && seen.load(Ordering::SeqCst)).then(|| io::ErrorKind::StorageFull.into())
            });
            if let Err(error) = truncate(&log) {
                assert!(error.is_disk_full(), "operation {n}: {error}");
                assert_eq!(read_all(&log, 2), numbered(2, &["a"; 4]), "operation {n}");
            }
            assert!(log.is_online(), "operation {n}");
            fs.clear_plan();
            truncate(&log).unwrap();
            assert_eq!((log.log_start_offset(), log.log_end_offset()), (start, end), "operation {n}");
            append(&log, records(&["b"]));
            assert_eq!(read_all(&log, end), numbered(end, &["b"]), "operation {n}");
            manager.shutdown().unwrap();
            if !is_full.load(Ordering::SeqCst) {
                break;
            }
            n += 1;
        }
        assert!(n > 0, "nothing was written");
    }
}

/// The call was refused and no disk blamed; the log went on with a part of what it had, and what was appended then was in
/// a file that had no name any more, or behind a gap.
#[cfg(unix)]
#[test]
fn a_truncation_that_runs_out_of_descriptors_halfway_is_not_followed_by_appends_that_are_lost() {
    for is_whole in [false, true] {
        let mut n = 0;
        loop {
            let mut fixture = Fixture::new();
            let fs = fixture.faulty();
            let manager = fixture.open();
            let log = fixture.log_of(&manager);
            for value in ["0", "1", "2"] {
                append(&log, records(&[value]));
                log.roll().unwrap();
            }
            log.flush_to_end().unwrap();
            manager.checkpoint_recovery_offsets();
            let count = Arc::new(AtomicUsize::new(0));
            let in_plan = Arc::clone(&count);
            let dir = fixture.partition_dir();
            fs.set_plan(move |operation, path| {
                // A directory is opened to be synced.
                let opens =
                    operation == FileOperation::Open || (operation == FileOperation::Sync && path == dir);
                let fails = opens && in_plan.fetch_add(1, Ordering::Relaxed) == n;
                fails.then(|| io::Error::from_raw_os_error(24))
            });
            let truncated = match is_whole {
                true => log.truncate_fully_and_start_at(9),
                false => log.truncate_to(1).map(drop),
            };
            fs.clear_plan();
            let appended = try_append(&log, records(&["new"])).ok().map(|info| info.first_offset);
            manager.abandon();
            drop((manager, log));
            let manager = fixture.open();
            let log = fixture.log_of(&manager);
            log.update_high_watermark(log.log_end_offset()).unwrap();
            let found = read_all(&log, log.log_start_offset());
            let (start, end) = (log.log_start_offset(), log.log_end_offset());
            assert!(found.iter().map(|(offset, _)| *offset).eq(start..end), "open {n}: {found:?}");
            if let Some(offset) = appended {
                assert_eq!(found.last(), Some(&(offset, b"new".to_vec())), "open {n}");
            }
            if truncated.is_ok() && count.load(Ordering::Relaxed) <= n {
                assert!(appended.is_some() && n > 0);
                break;
            }
            n += 1;
        }
    }
}
