//! What a crash, or a disk, may make of the directory of a copy while its partition moves to another log dir.

use std::path::{Path, PathBuf};

use super::fixture::*;
use crate::log::file_names::{LOG, PARTITION_METADATA, of_offset};
use crate::log::{Log, Move};
use crate::sys::FileSystem;

/// Batches of the log.
const BATCHES: i32 = 20;

/// How the broker ended that made the copy.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stop {
    InOrder,
    /// Before any of the copy was known to be on the disk.
    Crash,
    CrashAfterCheckpoint,
}

/// A log of twenty batches whose move was cut short after some of them, and the directory of the copy.
fn cut_short(stop: Stop) -> (Fixture, PathBuf) {
    let mut fixture = Fixture::with_config(|config| {
        config.segment_bytes = 300;
        config.index_interval_bytes = 0;
        config.file_delete_delay_ms = 0;
    });
    fixture.log_dirs = 2;
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    for i in 0..BATCHES {
        append(&log, idempotent(9, 0, i, 1).build());
    }
    let Move::Begun(future) = manager.move_log(&log, &other_dir(&fixture, &log)).unwrap() else { panic!() };
    for step in 0..3 {
        assert!(log.copy_next_to(&future).unwrap() > 0);
        if stop == Stop::CrashAfterCheckpoint && step == 1 {
            future.flush_to_end().unwrap();
            manager.checkpoint_recovery_offsets();
        }
    }
    assert!(future.log_end_offset() < log.log_end_offset());
    if stop == Stop::InOrder {
        manager.shutdown().unwrap();
    }
    manager.abandon();
    (fixture, future.dir.path())
}

fn other_dir(fixture: &Fixture, log: &Log) -> PathBuf {
    if log.log_dir() == fixture.log_dir(0) { fixture.log_dir(1) } else { fixture.log_dir(0) }
}

fn has_everything(log: &Log, what: &str) {
    log.maybe_update_high_watermark(log.log_end_offset()).unwrap();
    assert_eq!(read_all(log, 0), numbered(0, &["v"; BATCHES as usize]), "{what}");
    let duplicate = append(log, idempotent(9, 0, BATCHES - 1, 1).build());
    assert_eq!((duplicate.is_duplicate, duplicate.first_offset), (true, i64::from(BATCHES) - 1), "{what}");
    assert_eq!((log.log_start_offset(), log.epoch_for_offset(0)), (0, Some(0)), "{what}");
}

/// The partition has everything, and moves to the other log dir with it, by going on or anew; answers whether it went on.
fn moves_with_everything(fixture: &Fixture, what: &str) -> bool {
    let manager = fixture.open();
    assert!(manager.offline_log_dirs().is_empty(), "{what}");
    let log = manager.log(&partition()).unwrap();
    has_everything(&log, what);
    let (future, went_on) = match manager.future_log(&partition()) {
        Some(future) => (future, true),
        None => match manager.move_log(&log, &other_dir(fixture, &log)).unwrap() {
            Move::Begun(future) => (future, false),
            other => panic!("{what}: {other:?}"),
        },
    };
    assert!(manager.finish_move(&log, &future).unwrap(), "{what}");
    has_everything(&future, what);
    let to = future.log_dir().to_owned();
    manager.shutdown().unwrap();
    drop((manager, log, future));
    let manager = fixture.open();
    let log = manager.log(&partition()).unwrap();
    assert_eq!(log.log_dir(), to, "{what}");
    has_everything(&log, what);
    manager.abandon();
    went_on
}

fn files(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = DISK().read_dir(dir).unwrap().into_iter().map(|entry| entry.name).collect();
    names.sort();
    names
}

/// The files of a copy that a crash may have left half written.
fn unsynced_files(stop: Stop) -> Vec<String> {
    let mut names = files(&cut_short(stop).1);
    assert!(names.len() > 6, "{names:?}");
    let last = names.iter().rfind(|name| name.ends_with(LOG)).unwrap().clone();
    // What was flushed of the records is there.
    names.retain(|name| stop == Stop::Crash || !name.ends_with(LOG) || *name == last);
    names
}

#[test]
fn whatever_is_missing_of_a_copy_or_half_written_the_log_has_everything_and_its_move_comes_to_its_end() {
    for stop in [Stop::InOrder, Stop::Crash, Stop::CrashAfterCheckpoint] {
        for name in &unsynced_files(stop) {
            for damage in ["gone", "empty", "half", "longer"] {
                let (fixture, dir) = cut_short(stop);
                let path = dir.join(name);
                let content = read_file(&path);
                match damage {
                    "gone" => DISK().remove_file(&path).unwrap(),
                    "empty" => write_file(&path, b""),
                    "half" => write_file(&path, &content[..content.len() / 2]),
                    _ => write_file(&path, &[&content[..], &[0xa5; 7]].concat()),
                }
                moves_with_everything(&fixture, &format!("{stop:?}, {name} is {damage}"));
            }
        }
    }
}

#[test]
fn a_bit_that_flips_in_a_copy_before_it_is_read_again_costs_no_record() {
    for name in &unsynced_files(Stop::Crash) {
        let len = read_file(&cut_short(Stop::Crash).1.join(name)).len();
        for at in [0, len / 3, len / 2, len.saturating_sub(1)] {
            let (fixture, dir) = cut_short(Stop::Crash);
            let mut content = read_file(&dir.join(name));
            let Some(byte) = content.get_mut(at) else { continue };
            *byte ^= 1;
            write_file(&dir.join(name), &content);
            moves_with_everything(&fixture, &format!("byte {at} of {name}"));
        }
    }
}

/// Where both ended at the same offset, the one that was found first was kept, and the other was removed with the records
/// that the first had lost; or the start was refused, if it had lost all.
#[test]
fn a_move_that_ended_with_the_power_loses_no_record_that_is_in_the_new_place_alone() {
    for keeps_the_last in [true, false] {
        for from in [0, 1] {
            let mut fixture = Fixture::with_config(|config| config.segment_bytes = 300);
            fixture.log_dirs = 2;
            let manager = fixture.open();
            let mut log = fixture.log_of(&manager);
            for i in 0..BATCHES {
                append(&log, idempotent(9, 0, i, 1).build());
            }
            if log.log_dir() != fixture.log_dir(from) {
                let Move::Begun(future) = manager.move_log(&log, &fixture.log_dir(from)).unwrap() else {
                    panic!()
                };
                assert!(manager.finish_move(&log, &future).unwrap());
                manager.delete_logs();
                log = future;
            }
            // In the old place, a power loss has left the names of the files.
            let (dir, to) = (log.dir.path(), fixture.log_dir(1 - from));
            log.roll().unwrap();
            let Move::Begun(future) = manager.move_log(&log, &to).unwrap() else { panic!() };
            while log.copy_next_to(&future).unwrap() > 0 {}
            future.flush_to_end().unwrap();
            manager.abandon();
            DISK().rename(&future.dir.path(), &to.join(partition().to_string())).unwrap();
            let logs: Vec<String> = files(&dir).into_iter().filter(|name| name.ends_with(LOG)).collect();
            let last_with_records = logs.len() - 2;
            for (i, name) in logs.iter().enumerate() {
                if !keeps_the_last || i != last_with_records {
                    write_file(&dir.join(name), b"");
                }
            }

            let manager = fixture.open();
            let log = manager.log(&partition()).unwrap();
            assert_eq!(log.log_dir(), to);
            has_everything(&log, &format!("from {from}, the last batches are there: {keeps_the_last}"));
            manager.abandon();
        }
    }
}

#[test]
fn a_copy_that_is_but_an_empty_directory_is_removed_and_the_move_can_begin_anew() {
    let (fixture, dir) = cut_short(Stop::Crash);
    for name in files(&dir) {
        DISK().remove_file(&dir.join(name)).unwrap();
    }
    assert!(!moves_with_everything(&fixture, "nothing is there"));
    let manager = fixture.open();
    manager.delete_logs();
    assert!(!DISK().exists(&dir).unwrap());
}

#[test]
fn a_copy_that_has_lost_only_its_topics_id_goes_on_where_it_was() {
    for content in [None, Some(b"version: 0\ntopic_id: ?".as_slice())] {
        let (fixture, dir) = cut_short(Stop::InOrder);
        match content {
            None => DISK().remove_file(&dir.join(PARTITION_METADATA)).unwrap(),
            Some(content) => write_file(&dir.join(PARTITION_METADATA), content),
        }
        let manager = fixture.open();
        let future = manager.future_log(&partition()).unwrap();
        assert_eq!((future.topic_id(), future.log_end_offset() > 0), (topic_id(), true));
        manager.abandon();
        drop((manager, future));
        assert!(moves_with_everything(&fixture, "no topic id"));
    }
}

/// The copy was closed in order, so nobody reads it before its end is compared with the log's.
#[test]
fn a_copy_whose_end_is_no_batch_does_not_keep_the_broker_from_its_start() {
    let (fixture, dir) = cut_short(Stop::InOrder);
    let last = files(&dir).into_iter().rfind(|name| name.ends_with(LOG)).unwrap();
    let mut content = read_file(&dir.join(&last));
    content.fill(0x5a);
    write_file(&dir.join(&last), &content);
    assert!(moves_with_everything(&fixture, "the end is garbage"));
}

/// A disk may keep the bytes of a later file and lose those of an earlier one. Behind the last checkpoint, the copy is made
/// again, lest it take the place of a log that has more.
#[test]
fn a_copy_that_a_power_loss_has_left_with_a_gap_is_made_again() {
    let (fixture, dir) = cut_short(Stop::Crash);
    write_file(&dir.join(of_offset(0, LOG)), b"");
    assert!(moves_with_everything(&fixture, "the first records are gone"));
}
