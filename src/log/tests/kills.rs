//! What a process that was killed had not synced: the next one finds it, relies on it, and must make it last.

use std::sync::Arc;

use super::compaction::compacted;
use super::fixture::*;
use crate::config::CleanupPolicy;
use crate::log::file_names::{CLEAN_SHUTDOWN, RECOVERY_POINT_CHECKPOINT};
use crate::log::{Log, LogManager};
use crate::model::Offset;
use crate::sys::FileSystem;
use crate::testkit::{CrashFileSystem, Loss};

/// Something that a process does, and amid which it is killed.
type Operation = fn(&LogManager, &Log);

/// By name, with whether the log is compacted.
const OPERATIONS: [(&str, bool, Operation); 6] = [
    ("a truncation within a segment", false, |_, log| assert!(log.truncate_to(4).unwrap())),
    ("a truncation of whole segments", false, |_, log| assert!(log.truncate_to(1).unwrap())),
    ("a start over", false, |_, log| log.truncate_fully_and_start_at(9).unwrap()),
    ("retention", false, |manager, _| assert!(manager.cleanup_logs() > 1)),
    ("compaction", true, |manager, log| assert!(manager.clean_now(log).unwrap().bytes_read > 0)),
    ("appends", false, |_, log| {
        append_segments(log, &["5", "6"]);
        append(log, keyed_at(START_MS, &[("key", Some("7"))]));
    }),
];

fn append_segments(log: &Log, values: &[&str]) {
    for value in values {
        append(log, keyed_at(START_MS, &[("key", Some(value))]));
        log.roll().unwrap();
    }
}

/// Where the log starts and ends, and what is in it.
fn content(log: &Log) -> (Offset, Offset, Vec<String>) {
    log.update_high_watermark(log.log_end_offset()).unwrap();
    (log.log_start_offset(), log.log_end_offset(), texts(log))
}

fn losses() -> impl Iterator<Item = Loss> {
    [Loss::Everything, Loss::Content, Loss::Names].into_iter().chain((0..4).map(Loss::Reordered))
}

/// Has `go_on` called with the disk of a process that was killed after each step of each operation, and with a name for
/// that moment.
fn kill_amid_each_operation(mut go_on: impl FnMut(&mut Fixture, &CrashFileSystem, &str)) {
    for (name, is_compacted, operation) in OPERATIONS {
        let mut fixture = Fixture::with_config(|config| {
            if is_compacted {
                compacted(config);
            } else {
                config.cleanup_policy = CleanupPolicy::DELETE;
                config.retention_bytes = 200;
            }
        });
        let fs = CrashFileSystem::recording(fixture.clock.clone());
        fixture.fs = Arc::new(fs.clone());
        let manager = fixture.open();
        let log = fixture.log_of(&manager);
        append_segments(&log, &["0", "1", "2"]);
        append(&log, keyed_at(START_MS, &[("key", Some("3"))]));
        append(&log, keyed_at(START_MS, &[("key", Some("4"))]));
        log.flush_to_end().unwrap();
        log.update_high_watermark(log.log_end_offset()).unwrap();
        manager.checkpoint_recovery_offsets();
        let before = fs.steps();
        operation(&manager, &log);
        for steps in before..=fs.steps() {
            go_on(
                &mut fixture,
                &fs.killed_at(steps),
                &format!("{name}, killed after {} steps", steps - before),
            );
        }
        manager.abandon();
    }
}

/// Truncated records came back: a process was killed before it had synced the shorter file, the next one found the log short
/// and closed it in order, and then the power failed.
#[test]
fn what_a_killed_process_left_stays_as_the_next_one_found_it_and_closed_it() {
    kill_amid_each_operation(|fixture, fs, moment| {
        fixture.fs = Arc::new(fs.clone());
        let manager = fixture.open();
        let found = content(&fixture.log_of(&manager));
        manager.shutdown().unwrap();
        drop(manager);
        for loss in losses() {
            fixture.fs = Arc::new(fs.crashed_at(fs.steps(), loss));
            let manager = fixture.open();
            let log = fixture.log_of(&manager);
            assert!(log.had_clean_shutdown(), "{moment}");
            assert_eq!(content(&log), found, "{moment}, {loss:?}");
            manager.abandon();
        }
    });
}

/// What is appended after a kill takes the place of what was cut off before it, and of as many bytes.
#[test]
fn what_a_killed_process_has_dropped_does_not_come_back_behind_what_the_next_one_appends() {
    kill_amid_each_operation(|fixture, fs, moment| {
        fixture.fs = Arc::new(fs.clone());
        let manager = fixture.open();
        let log = fixture.log_of(&manager);
        let (start, end, mut found) = content(&log);
        append(&log, records(&["n"]));
        manager.abandon();
        drop((manager, log));
        for loss in losses() {
            fixture.fs = Arc::new(fs.crashed_at(fs.steps(), loss));
            let manager = fixture.open();
            let after = content(&fixture.log_of(&manager));
            let is_as_found = after == (start, end, found.clone());
            found.push(format!("{end} -=n"));
            let is_with_the_new = after == (start, end + 1, found.clone());
            found.pop();
            assert!(is_as_found || is_with_the_new, "{moment}, {loss:?}: {after:?}, and not {found:?}");
            manager.abandon();
        }
    });
}

/// Segments of two batches each, and so of an entry in each index, on a disk that crashes.
fn indexed_segments(count: i64) -> (Fixture, CrashFileSystem) {
    let mut fixture = Fixture::with_config(|config| config.index_interval_bytes = 0);
    let fs = CrashFileSystem::recording(fixture.clock.clone());
    fixture.fs = Arc::new(fs.clone());
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    for i in 0..count {
        append(&log, records_at(&["a"], START_MS + 2 * i));
        append(&log, records_at(&["b"], START_MS + 2 * i + 1));
        log.roll().unwrap();
    }
    manager.shutdown().unwrap();
    (fixture, fs)
}

fn index_files(fixture: &Fixture, fs: &CrashFileSystem, base_offset: Offset) -> [Vec<u8>; 2] {
    let read =
        |kind| fs.read(&fixture.partition_dir().join(format!("{base_offset:020}.{kind}")), 1 << 20).unwrap();
    [read("index"), read("timeindex")]
}

/// A search by timestamp passed over the segment: its time index held zeros.
#[test]
fn indexes_that_were_built_again_after_a_clean_stop_outlive_a_power_loss() {
    let (fixture, fs) = indexed_segments(2);
    let whole = index_files(&fixture, &fs, 0);
    fs.remove_file(&fixture.partition_dir().join("00000000000000000000.index")).unwrap();
    fs.crash(Loss::Nothing);
    fixture.open().shutdown().unwrap();
    for loss in losses() {
        assert_eq!(index_files(&fixture, &fs.crashed_at(fs.steps(), loss), 0), whole, "{loss:?}");
    }
}

#[test]
fn indexes_and_terms_of_a_log_that_came_from_elsewhere_with_its_gaps_outlive_a_power_loss() {
    let (fixture, fs) = indexed_segments(4);
    let whole = index_files(&fixture, &fs, 0);
    let log_dir = fixture.log_dir(0);
    let terms = "orders-eu-3/leader-epoch-checkpoint";
    let segment = "orders-eu-3/00000000000000000002.log";
    let terms_before = fs.read(&log_dir.join(terms), 100).unwrap();
    for name in [CLEAN_SHUTDOWN, RECOVERY_POINT_CHECKPOINT, terms, segment] {
        fs.remove_file(&log_dir.join(name)).unwrap();
    }
    fs.crash(Loss::Nothing);
    let manager = fixture.open();
    fixture.log_of(&manager).flush_to_end().unwrap();
    manager.checkpoint_recovery_offsets();
    manager.abandon();
    for loss in losses() {
        let left = fs.crashed_at(fs.steps(), loss);
        assert_eq!(index_files(&fixture, &left, 0), whole, "{loss:?}");
        assert_eq!(left.read(&log_dir.join(terms), 100).unwrap(), terms_before, "{loss:?}");
    }
}
