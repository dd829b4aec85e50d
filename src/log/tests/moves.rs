use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::fixture::*;
use crate::log::{Log, LogError, LogManager, Move};
use crate::model::{ErrorCode, Offset, TopicPartition, Uuid};
use crate::sys::{FileSystem, OpenOptions};
use crate::testkit::{CrashFileSystem, FaultyFileSystem, FileOperation, Loss};

fn two_dirs(change: impl FnOnce(&mut crate::config::LogConfig)) -> Fixture {
    let mut fixture = Fixture::with_config(change);
    fixture.log_dirs = 2;
    fixture
}

fn other_dir(fixture: &Fixture, log: &Log) -> PathBuf {
    if log.log_dir() == fixture.log_dir(0) { fixture.log_dir(1) } else { fixture.log_dir(0) }
}

fn begin(manager: &LogManager, log: &Arc<Log>, to: &std::path::Path) -> Arc<Log> {
    match manager.move_log(log, to).unwrap() {
        Move::Begun(future) => future,
        other => panic!("{other:?}"),
    }
}

fn copy_all(log: &Log, future: &Log) {
    while log.copy_next_to(future).unwrap() > 0 {}
}

fn move_all(fixture: &Fixture, manager: &LogManager) -> Arc<Log> {
    let log = manager.log(&partition()).unwrap();
    let future = begin(manager, &log, &other_dir(fixture, &log));
    copy_all(&log, &future);
    assert!(manager.finish_move(&log, &future).unwrap());
    future
}

/// The names of what the log dirs have, without those of files.
fn directories(fixture: &Fixture) -> Vec<String> {
    let mut names = Vec::new();
    for i in 0..2 {
        let entries = DISK().read_dir(&fixture.log_dir(i)).unwrap();
        names.extend(entries.into_iter().filter(|entry| entry.is_dir).map(|entry| entry.name));
    }
    names
}

fn values(count: u8) -> Vec<[u8; 1]> {
    (0..count).map(|i| [i]).collect()
}

fn end_is_seen(log: &Log) {
    log.maybe_update_high_watermark(log.log_end_offset()).unwrap();
}

#[test]
fn a_log_moves_while_it_is_written_and_takes_all_of_its_records_along() {
    let fixture = two_dirs(|config| config.segment_bytes = 300);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    for i in 0..10 {
        append(&log, records(&[[i]]));
    }
    log.flush_to_end().unwrap();
    let to = other_dir(&fixture, &log);
    let future = begin(&manager, &log, &to);
    for i in 10..20 {
        assert!(log.copy_next_to(&future).unwrap() > 0);
        append(&log, records(&[[i]]));
    }
    let described = manager.describe_log_dirs().into_iter().find(|dir| dir.path == to).unwrap();
    let lag = log.log_end_offset() - future.log_end_offset();
    assert!(described.partitions.is_empty());
    assert_eq!((&described.futures[0].partition, described.futures[0].offset_lag), (&partition(), lag));
    assert!(matches!(manager.move_log(&log, &to).unwrap(), Move::UnderWay));
    assert!(manager.finish_move(&log, &future).unwrap());

    let moved = manager.log(&partition()).unwrap();
    assert!(Arc::ptr_eq(&moved, &future) && manager.future_logs().is_empty());
    assert_eq!((moved.log_dir(), moved.topic_id(), moved.recovery_point()), (&*to, topic_id(), 20));
    assert_eq!(read_all(&moved, 0), numbered(0, &values(20)));
    // Who has the old one cannot write to it any more, and reads on.
    assert!(matches!(try_append(&log, records(&["x"])), Err(LogError::Closed { .. })));
    assert_eq!(read_all(&log, 0), numbered(0, &values(20)));
    log.flush_to_end().unwrap();
    append(&moved, records(&[[20]]));
    manager.delete_logs();
    manager.shutdown().unwrap();
    drop((manager, log, moved, future));

    let manager = fixture.open();
    manager.delete_logs();
    assert_eq!(directories(&fixture), [partition().to_string()]);
    let log = manager.log(&partition()).unwrap();
    assert_eq!(log.log_dir(), to);
    end_is_seen(&log);
    assert_eq!(read_all(&log, 0), numbered(0, &values(21)));
}

#[test]
fn producers_and_open_transactions_move_along() {
    let fixture = two_dirs(|config| config.segment_bytes = 400);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    for i in 0..4 {
        append(&log, idempotent(9, 0, i, 1).build());
        append(&log, idempotent(10, 3, i, 1).transactional().build());
    }
    assert_eq!(log.last_stable_offset(), 1);
    let moved = move_all(&fixture, &manager);
    assert_eq!((moved.last_stable_offset(), moved.high_watermark()), (1, 8));
    let again = append(&moved, idempotent(9, 0, 3, 1).build());
    assert_eq!((again.is_duplicate, again.first_offset), (true, 6));
    append(&moved, marker(10, 3, false));
    assert_eq!(moved.last_stable_offset(), 9);
    let aborted = moved.collect_aborted_txns(&moved.segments(), 0, 9).unwrap();
    assert_eq!(aborted.iter().map(|txn| (txn.producer_id, txn.first_offset)).collect::<Vec<_>>(), [(10, 1)]);
}

#[test]
fn the_start_of_a_log_moves_along_even_if_it_lies_within_a_batch_and_stays_there_after_a_crash() {
    let fixture = two_dirs(|_| {});
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["a", "b", "c"]));
    append(&log, records(&["d"]));
    log.maybe_increment_log_start_offset(2).unwrap();
    let moved = move_all(&fixture, &manager);
    assert_eq!((moved.log_start_offset(), moved.log_end_offset()), (2, 4));
    assert_eq!(read_all(&moved, 2), numbered(2, &["c", "d"]));
    manager.abandon();
    drop((manager, log, moved));
    let manager = fixture.open();
    let log = manager.log(&partition()).unwrap();
    end_is_seen(&log);
    assert_eq!((log.log_start_offset(), read_all(&log, 2)), (2, numbered(2, &["c", "d"])));
}

#[test]
fn a_log_whose_last_offsets_have_no_records_ends_where_it_did() {
    let fixture = two_dirs(|_| {});
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["a"]));
    log.skip_to(7).unwrap();
    let moved = move_all(&fixture, &manager);
    assert_eq!(moved.log_end_offset(), 7);
    assert_eq!(append(&moved, records(&["b"])).first_offset, 7);
}

/// A compacted log on a disk that keeps a record of what is done to it.
fn one_record_flushed() -> (Fixture, CrashFileSystem, LogManager, Arc<Log>) {
    let mut fixture = two_dirs(super::compaction::compacted);
    let fs = CrashFileSystem::recording(fixture.clock.clone());
    fixture.fs = Arc::new(fs.clone());
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, keyed_at(START_MS, &[("a", Some("flushed"))]));
    log.flush_to_end().unwrap();
    (fixture, fs, manager, log)
}

/// While the log moves to the other dir, with the copy on the disk and the log itself not.
fn lose_power_behind_a_flushed_copy(
    fixture: &Fixture,
    fs: &CrashFileSystem,
    manager: LogManager,
    log: Arc<Log>,
) {
    let future = begin(&manager, &log, &other_dir(fixture, &log));
    copy_all(&log, &future);
    future.flush_to_end().unwrap();
    manager.checkpoint_recovery_offsets();
    manager.abandon();
    drop((manager, log, future));
    fs.crash(Loss::Everything);
}

/// Compaction leaves gaps, so that an empty segment may be all that tells where such a log ended.
#[test]
fn a_compacted_log_that_lost_its_last_records_after_it_moved_gives_way_to_the_copy() {
    let (mut fixture, fs, manager, log) = one_record_flushed();
    append(&log, keyed_at(START_MS, &[("b", Some("not flushed"))]));
    log.roll().unwrap();
    // Its name is there to stay, and says that the log goes on at offset 2.
    fs.sync_dir(&log.log_dir().join(partition().to_string())).unwrap();
    let before = fs.steps();
    move_all(&fixture, &manager);
    for steps in before..=fs.steps() {
        fixture.fs = Arc::new(fs.crashed_at(steps, Loss::Everything));
        let log = fixture.log_of(&fixture.open());
        end_is_seen(&log);
        assert_eq!(texts(&log)[0], "0 a=flushed", "after {steps} steps");
        assert!(steps < fs.steps() || texts(&log).len() == 2);
    }
    manager.abandon();
}

#[test]
fn a_copy_that_begins_after_the_log_that_it_follows_starts_over() {
    let mut fixture = two_dirs(|_| {});
    let fs = CrashFileSystem::recording(fixture.clock.clone());
    fixture.fs = Arc::new(fs.clone());
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["a"]));
    append(&log, records(&["b"]));
    log.flush_to_end().unwrap();
    log.maybe_increment_log_start_offset(1).unwrap();
    let before = fs.steps();
    move_all(&fixture, &manager);
    for steps in before..=fs.steps() {
        fixture.fs = Arc::new(fs.crashed_at(steps, Loss::Everything));
        let manager = fixture.open();
        let log = fixture.log_of(&manager);
        end_is_seen(&log);
        let expected = read_all(&log, log.log_start_offset());
        let Some(future) = manager.future_log(&partition()) else { continue };
        copy_all(&log, &future);
        assert!(manager.finish_move(&log, &future).unwrap());
        end_is_seen(&future);
        assert_eq!(read_all(&future, log.log_start_offset()), expected, "after {steps} steps");
    }
    manager.abandon();
}

#[test]
fn a_copy_brings_nothing_back_that_a_power_loss_took_from_a_compacted_log() {
    let (fixture, fs, manager, log) = one_record_flushed();
    for key in ["b", "c"] {
        log.roll().unwrap();
        append(&log, keyed_at(START_MS, &[(key, Some("not flushed"))]));
    }
    let dir = log.log_dir().join(partition().to_string());
    fs.open(&dir.join("00000000000000000002.log"), OpenOptions::WRITE).unwrap().sync_data().unwrap();
    fs.sync_dir(&dir).unwrap();
    lose_power_behind_a_flushed_copy(&fixture, &fs, manager, log);
    let manager = fixture.open();
    let (log, future) = (manager.log(&partition()).unwrap(), manager.future_log(&partition()).unwrap());
    end_is_seen(&log);
    assert_eq!(texts(&log), ["0 a=flushed", "2 c=not flushed"]);
    copy_all(&log, &future);
    assert!(manager.finish_move(&log, &future).unwrap());
    end_is_seen(&future);
    assert_eq!(texts(&future), ["0 a=flushed", "2 c=not flushed"]);
}

#[test]
fn a_move_to_where_the_log_is_ends_one_that_is_under_way() {
    let fixture = two_dirs(|config| config.file_delete_delay_ms = 0);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["a"]));
    let home = log.log_dir().to_owned();
    assert!(matches!(manager.move_log(&log, &home).unwrap(), Move::NotNeeded));
    let future = begin(&manager, &log, &other_dir(&fixture, &log));
    copy_all(&log, &future);
    assert!(log.cleaning.is_moving());
    assert!(matches!(manager.move_log(&log, &home).unwrap(), Move::NotNeeded));
    assert!(!log.cleaning.is_moving());
    assert!(matches!(log.copy_next_to(&future), Ok(0) | Err(LogError::Closed { .. })));
    assert!(!manager.finish_move(&log, &future).unwrap());
    append(&log, records(&["b"]));
    assert!(log.copy_next_to(&future).is_err());
    manager.delete_logs();
    assert_eq!(directories(&fixture), [partition().to_string()]);
    assert_eq!(read_all(&log, 0), numbered(0, &["a", "b"]));
    // And it can begin anew.
    assert_eq!(read_all(&move_all(&fixture, &manager), 0), numbered(0, &["a", "b"]));
}

#[test]
fn a_log_that_is_deleted_takes_the_copy_of_its_move_along() {
    let fixture = two_dirs(|config| config.file_delete_delay_ms = 0);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["a"]));
    let future = begin(&manager, &log, &other_dir(&fixture, &log));
    assert!(manager.delete(&partition()).unwrap());
    assert!(manager.future_logs().is_empty());
    assert!(matches!(manager.move_log(&log, &fixture.log_dir(0)), Err(LogError::Closed { .. })));
    assert!(!manager.finish_move(&log, &future).unwrap());
    manager.delete_logs();
    assert_eq!(directories(&fixture), [""; 0]);
}

#[test]
fn a_move_is_refused_to_where_no_log_dir_is_and_for_names_that_are_too_long() {
    let mut fixture = two_dirs(|_| {});
    let fs = fixture.faulty();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    let code = |log, to: PathBuf| manager.move_log(log, &to).unwrap_err().code();
    assert_eq!(code(&log, fixture.root.path().to_owned()), ErrorCode::LogDirNotFound);
    let long = TopicPartition::new("t".repeat(240), 0);
    let long = manager.get_or_create_log(&long, topic_id(), Arc::default()).unwrap();
    assert_eq!(code(&long, other_dir(&fixture, &long)), ErrorCode::InvalidTopicException);
    let broken = other_dir(&fixture, &log);
    let in_plan = broken.clone();
    fs.set_plan(move |_, path| path.starts_with(&in_plan).then(|| io::Error::other("unplugged")));
    for _ in 0..2 {
        assert_eq!(code(&log, broken.clone()), ErrorCode::KafkaStorageError);
    }
    append(&log, records(&["a"]));
}

#[test]
fn a_move_goes_on_after_a_clean_stop_and_after_a_crash() {
    for clean in [true, false] {
        let fixture = two_dirs(|config| config.segment_bytes = 300);
        let manager = fixture.open();
        let log = fixture.log_of(&manager);
        for i in 0..10 {
            append(&log, records(&[[i]]));
        }
        let to = other_dir(&fixture, &log);
        let future = begin(&manager, &log, &to);
        log.copy_next_to(&future).unwrap();
        let copied = future.log_end_offset();
        future.flush_to_end().unwrap();
        manager.checkpoint_recovery_offsets();
        if clean {
            manager.shutdown().unwrap();
        }
        manager.abandon();
        drop((manager, log, future));
        let manager = fixture.open();
        let (log, future) = (manager.log(&partition()).unwrap(), manager.future_log(&partition()).unwrap());
        end_is_seen(&log);
        assert!(log.cleaning.is_moving());
        assert_eq!((future.log_dir(), future.log_end_offset()), (&*to, copied));
        append(&log, records(&[[10]]));
        copy_all(&log, &future);
        assert!(manager.finish_move(&log, &future).unwrap());
        assert_eq!(read_all(&future, 0), numbered(0, &values(11)));
    }
}

#[test]
fn a_copy_that_the_log_has_left_behind_starts_over() {
    let fixture = two_dirs(|_| {});
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["a", "b"]));
    append(&log, records(&["c"]));
    let future = begin(&manager, &log, &other_dir(&fixture, &log));
    copy_all(&log, &future);
    manager.shutdown().unwrap();
    // While the disk of the copy is away, the log loses what it had not flushed, and goes on.
    let away = future.log_dir().to_owned();
    let home = log.log_dir().to_owned();
    drop((manager, log, future));
    let hidden = fixture.root.path().join("away");
    DISK().rename(&away, &hidden).unwrap();
    let manager = fixture.open();
    let log = manager.log(&partition()).unwrap();
    assert_eq!(log.log_dir(), home);
    log.truncate_to(2).unwrap();
    append(&log, records(&["d"]));
    append(&log, records(&["e"]));
    manager.shutdown().unwrap();
    drop((manager, log));
    DISK().remove_dir_all(&away).unwrap();
    DISK().rename(&hidden, &away).unwrap();
    let manager = fixture.open();
    let (log, future) = (manager.log(&partition()).unwrap(), manager.future_log(&partition()).unwrap());
    end_is_seen(&log);
    copy_all(&log, &future);
    assert!(manager.finish_move(&log, &future).unwrap());
    assert_eq!(read_all(&future, 0), numbered(0, &["a", "b", "d", "e"]));
}

#[test]
fn a_copy_of_another_topic_of_the_same_name_is_left_alone() {
    let fixture = two_dirs(|_| {});
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["a"]));
    let future = begin(&manager, &log, &other_dir(&fixture, &log));
    copy_all(&log, &future);
    manager.shutdown().unwrap();
    let metadata = format!("version: 0\ntopic_id: {}", Uuid::from_bytes([9; 16]));
    write_file(&future.dir.path().join("partition.metadata"), metadata.as_bytes());
    let path = future.dir.path();
    drop((manager, log, future));
    let manager = fixture.open();
    assert!(manager.future_logs().is_empty());
    assert!(DISK().exists(&path).unwrap());
    assert!(!manager.log(&partition()).unwrap().cleaning.is_moving());
}

/// Whatever operation is the last that reaches the disks, everything flushed is found by the next broker, in one log,
/// and the move comes to its end.
#[test]
fn wherever_a_move_is_cut_short_nothing_is_lost() {
    let mut n = 0;
    loop {
        let mut fixture = two_dirs(|config| config.segment_bytes = 300);
        let fs = fixture.faulty();
        let manager = fixture.open();
        let log = fixture.log_of(&manager);
        for i in 0..8 {
            append(&log, records(&[[i]]));
        }
        log.flush_to_end().unwrap();
        let (count, is_cut) = (AtomicUsize::new(0), Arc::new(AtomicBool::new(false)));
        let seen = Arc::clone(&is_cut);
        fs.set_plan(move |operation, _| {
            if operation.is_change() && count.fetch_add(1, Ordering::SeqCst) >= n {
                seen.store(true, Ordering::SeqCst);
            }
            seen.load(Ordering::SeqCst).then(|| io::Error::other("no power"))
        });
        let to = other_dir(&fixture, &log);
        let moved = match manager.move_log(&log, &to) {
            Ok(Move::Begun(future)) => {
                while log.copy_next_to(&future).is_ok_and(|copied| copied > 0) {}
                manager.finish_move(&log, &future).is_ok_and(|finished| finished)
            }
            _ => false,
        };
        manager.abandon();
        drop((manager, log));
        fs.clear_plan();
        let manager = fixture.open();
        let log = manager.log(&partition()).unwrap();
        end_is_seen(&log);
        assert_eq!(read_all(&log, 0), numbered(0, &values(8)), "operation {n}");
        append(&log, records(&[[8]]));
        if let Some(future) = manager.future_log(&partition()) {
            copy_all(&log, &future);
            assert!(manager.finish_move(&log, &future).unwrap(), "operation {n}");
            assert_eq!(read_all(&future, 0), numbered(0, &values(9)), "operation {n}");
        }
        manager.delete_logs();
        manager.shutdown().unwrap();
        let manager = fixture.open();
        manager.delete_logs();
        assert_eq!(directories(&fixture), [partition().to_string()], "operation {n}");
        manager.shutdown().unwrap();
        if !is_cut.load(Ordering::SeqCst) {
            assert!(moved);
            break;
        }
        n += 1;
    }
    assert!(n > 20, "{n} operations were all");
}

/// Whatever operation is the first that one of the two disks refuses, the partition goes on where a disk works, and
/// where it was if that is still in doubt.
#[test]
fn whichever_disk_breaks_during_a_move_the_log_goes_on_on_the_other() {
    for target_breaks in [true, false] {
        let mut n = 0;
        loop {
            let mut fixture = two_dirs(|config| config.segment_bytes = 300);
            let fs = fixture.faulty();
            let manager = fixture.open();
            let log = fixture.log_of(&manager);
            for i in 0..8 {
                append(&log, records(&[[i]]));
            }
            let to = other_dir(&fixture, &log);
            let broken = if target_breaks { to.clone() } else { log.log_dir().to_owned() };
            let (count, is_broken) = (AtomicUsize::new(0), Arc::new(AtomicBool::new(false)));
            let seen = Arc::clone(&is_broken);
            fs.set_plan(move |_, path| {
                let concerned = path.starts_with(&broken);
                if concerned && count.fetch_add(1, Ordering::SeqCst) >= n {
                    seen.store(true, Ordering::SeqCst);
                }
                (concerned && seen.load(Ordering::SeqCst)).then(|| io::Error::other("input/output error"))
            });
            let mut moved = false;
            if let Ok(Move::Begun(future)) = manager.move_log(&log, &to) {
                while log.copy_next_to(&future).is_ok_and(|copied| copied > 0) {}
                moved = manager.finish_move(&log, &future).is_ok_and(|finished| finished);
                if !moved && log.is_online() {
                    manager.give_up_move(&future);
                }
            }
            let present = manager.log(&partition()).unwrap();
            assert_eq!(present.log_dir() == to, moved, "operation {n}");
            let appended = try_append(&present, records(&[[8]])).is_ok();
            // It is on the disk that works.
            if moved != target_breaks {
                assert!(appended, "operation {n}");
                end_is_seen(&present);
                assert_eq!(read_all(&present, 0), numbered(0, &values(9)), "operation {n}");
            }
            manager.abandon();
            drop((manager, log));
            fs.clear_plan();
            let manager = fixture.open();
            let log = manager.log(&partition()).unwrap();
            end_is_seen(&log);
            let found = read_all(&log, 0);
            assert_eq!(found, numbered(0, &values(9))[..found.len()], "operation {n}");
            let least: Offset = if appended { 9 } else { 8 };
            assert!(log.log_end_offset() >= least, "operation {n}");
            manager.shutdown().unwrap();
            if !is_broken.load(Ordering::SeqCst) {
                break;
            }
            n += 1;
        }
        assert!(n > 5, "{n} operations were all");
    }
}

/// The end of a move was cut between its last two steps, so that both log dirs have the partition. Whatever operation is
/// the first that one of them refuses at the next start, the broker starts with the other.
#[test]
fn whichever_disk_breaks_while_two_logs_of_a_partition_are_compared_the_other_one_is_kept() {
    for breaks in [0, 1] {
        let mut n = 0;
        loop {
            let mut fixture = two_dirs(|_| {});
            let fs = fixture.faulty();
            let manager = fixture.open();
            let log = fixture.log_of(&manager);
            for i in 0..8 {
                append(&log, records(&[[i]]));
            }
            fs.set_plan(|operation, path| {
                let is_deletion = operation == FileOperation::Rename
                    && path.file_name().is_some_and(|name| name == partition().to_string().as_str());
                is_deletion.then(|| io::Error::other("no power"))
            });
            move_all(&fixture, &manager);
            manager.abandon();
            drop((manager, log));
            let (count, is_broken) = (AtomicUsize::new(0), Arc::new(AtomicBool::new(false)));
            let (seen, broken) = (Arc::clone(&is_broken), fixture.log_dir(breaks));
            fs.set_plan(move |_, path| {
                let fails = path.starts_with(&broken) && count.fetch_add(1, Ordering::SeqCst) >= n;
                seen.fetch_or(fails, Ordering::SeqCst);
                fails.then(|| io::Error::other("input/output error"))
            });
            let manager = fixture.try_open().unwrap_or_else(|error| panic!("operation {n}: {error}"));
            fs.clear_plan();
            let log = manager.log(&partition()).unwrap();
            assert!(log.is_online(), "operation {n}");
            end_is_seen(&log);
            if is_broken.load(Ordering::SeqCst) {
                assert_eq!(log.log_dir(), fixture.log_dir(1 - breaks), "operation {n}");
            }
            assert_eq!(read_all(&log, 0), numbered(0, &values(8)), "operation {n}");
            manager.abandon();
            if !is_broken.load(Ordering::SeqCst) {
                break;
            }
            n += 1;
        }
        assert!(n > 10, "{n} operations were all");
    }
}

#[test]
fn a_full_target_puts_a_move_off_and_its_log_goes_on() {
    let mut fixture = two_dirs(|_| {});
    let fs = fixture.faulty();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["a"]));
    let to = other_dir(&fixture, &log);
    let future = begin(&manager, &log, &to);
    fs.set_plan(move |operation, path| {
        let is_full = operation == FileOperation::Write && path.starts_with(&to);
        is_full.then(|| io::Error::from(io::ErrorKind::StorageFull))
    });
    for _ in 0..2 {
        assert!(log.copy_next_to(&future).unwrap_err().is_disk_full());
        assert!(manager.finish_move(&log, &future).unwrap_err().is_disk_full());
    }
    append(&log, records(&["b"]));
    fs.clear_plan();
    copy_all(&log, &future);
    // When there is nothing left to do but to write down that it came.
    let checkpoint = other_dir(&fixture, &log).join("log-start-offset-checkpoint.tmp");
    log.maybe_increment_log_start_offset(1).unwrap();
    fs.set_plan(move |operation, path| {
        let is_full = operation == FileOperation::Write && path == checkpoint;
        is_full.then(|| io::Error::from(io::ErrorKind::StorageFull))
    });
    assert!(manager.finish_move(&log, &future).unwrap_err().is_disk_full());
    assert!(manager.offline_log_dirs().is_empty());
    append(&log, records(&["c"]));
    // Or but for its name.
    fs.set_plan(|operation, path| {
        let is_full = operation == FileOperation::Rename && path.to_string_lossy().ends_with("-future");
        is_full.then(|| io::Error::from(io::ErrorKind::StorageFull))
    });
    assert!(manager.finish_move(&log, &future).unwrap_err().is_disk_full());
    assert!(manager.offline_log_dirs().is_empty());
    append(&log, records(&["d"]));
    fs.clear_plan();
    assert!(manager.finish_move(&log, &future).unwrap());
    assert_eq!(read_all(&future, 1), numbered(1, &["b", "c", "d"]));
}

/// What is certain of a copy is known at the first start after the crash; one that is cut there, for which the disk had
/// no room, must not be taken for whole at the next.
#[test]
fn a_copy_that_a_full_disk_cannot_cut_to_what_is_certain_is_given_up_and_its_disk_goes_on() {
    let (mut fixture, fs, manager, log) = one_record_flushed();
    append(&log, keyed_at(START_MS, &[("b", Some("not flushed"))]));
    let to = other_dir(&fixture, &log);
    lose_power_behind_a_flushed_copy(&fixture, &fs, manager, log);
    let full = Arc::new(FaultyFileSystem::new(Arc::new(fs)));
    fixture.fs = full.clone();
    // What recovery writes finds room, by little.
    full.set_plan(move |operation, path| {
        let is_checkpoint = path.parent() == Some(&to) && path.extension().is_some_and(|kind| kind == "tmp");
        let is_full = operation == FileOperation::Write && is_checkpoint;
        is_full.then(|| io::Error::from(io::ErrorKind::StorageFull))
    });
    let manager = fixture.open();
    assert!(manager.offline_log_dirs().is_empty());
    assert!(manager.future_log(&partition()).is_none());
    full.clear_plan();
    manager.shutdown().unwrap();
    drop(manager);
    let manager = fixture.open();
    let log = manager.log(&partition()).unwrap();
    end_is_seen(&log);
    assert_eq!(texts(&log), ["0 a=flushed"]);
    append(&log, keyed_at(START_MS, &[("c", Some("instead"))]));
    let moved = move_all(&fixture, &manager);
    end_is_seen(&moved);
    assert_eq!(texts(&moved), ["0 a=flushed", "1 c=instead"]);
}
