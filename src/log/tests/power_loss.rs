//! What a power loss once did to a log.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::compaction::compacted;
use super::fixture::*;
use crate::log::file_names::{CLEAN_SHUTDOWN, LEADER_EPOCH_CHECKPOINT, RECOVERY_POINT_CHECKPOINT};
use crate::log::{AppendParams, Log};
use crate::model::Offset;
use crate::record::AppendOrigin;
use crate::sys::{FileSystem, OpenOptions};
use crate::testkit::{CrashFileSystem, FaultyFileSystem, FileOperation, Loss};

fn on_a_disk_that_crashes(fixture: &mut Fixture) -> CrashFileSystem {
    let fs = CrashFileSystem::recording(fixture.clock.clone());
    fixture.fs = Arc::new(fs.clone());
    fs
}

/// Each value in a segment of its own.
fn append_segments(log: &Log, values: &[&str]) {
    for value in values {
        append(log, records(&[value]));
        log.roll().unwrap();
    }
}

fn offsets(log: &Log) -> Vec<Offset> {
    log.update_high_watermark(log.log_end_offset()).unwrap();
    read_all(log, log.log_start_offset()).into_iter().map(|(offset, _)| offset).collect()
}

#[test]
fn a_log_dir_that_the_broker_made_is_there_after_a_power_loss() {
    let mut fixture = Fixture::new();
    let fs = on_a_disk_that_crashes(&mut fixture);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["flushed"]));
    log.flush_to_end().unwrap();
    manager.abandon();
    fs.crash(Loss::Everything);
    assert_eq!(offsets(&fixture.log_of(&fixture.open())), [0]);
}

/// A process was killed between removing the mark of a clean stop and making that durable. The next one found no mark, and
/// its logs were taken for cleanly closed once the power had brought it back.
#[test]
fn a_mark_of_a_clean_stop_that_a_killed_process_has_removed_does_not_come_back() {
    let mut fixture = Fixture::new();
    let fs = on_a_disk_that_crashes(&mut fixture);
    let manager = fixture.open();
    append(&fixture.log_of(&manager), records(&["flushed"]));
    manager.shutdown().unwrap();
    drop(manager);
    fs.remove_file(&fixture.log_dir(0).join(CLEAN_SHUTDOWN)).unwrap();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append_segments(&log, &["lost", "written by chance"]);
    let dir = fixture.partition_dir();
    fs.open(&dir.join("00000000000000000002.log"), OpenOptions::WRITE).unwrap().sync_data().unwrap();
    fs.sync_dir(&dir).unwrap();
    manager.abandon();
    drop((manager, log));
    fs.crash(Loss::Everything);
    assert_eq!(offsets(&fixture.log_of(&fixture.open())), [0]);
}

#[test]
fn a_partition_whose_directory_was_found_is_there_after_a_power_loss() {
    let mut fixture = Fixture::new();
    let fs = on_a_disk_that_crashes(&mut fixture);
    let manager = fixture.open();
    // As an attempt has left it that failed.
    fs.create_dir_all(&fixture.partition_dir()).unwrap();
    let log = fixture.log_of(&manager);
    append(&log, records(&["flushed"]));
    log.flush_to_end().unwrap();
    manager.abandon();
    drop((manager, log));
    fs.crash(Loss::Names);
    assert_eq!(offsets(&fixture.log_of(&fixture.open())), [0]);
}

#[test]
fn records_behind_others_that_a_power_loss_took_are_not_kept() {
    let mut fixture = Fixture::new();
    let fs = on_a_disk_that_crashes(&mut fixture);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append_segments(&log, &["flushed"]);
    log.flush_to_end().unwrap();
    manager.checkpoint_recovery_offsets();
    append_segments(&log, &["lost", "written by chance"]);
    let dir = fixture.partition_dir();
    fs.open(&dir.join("00000000000000000002.log"), OpenOptions::WRITE).unwrap().sync_data().unwrap();
    fs.sync_dir(&dir).unwrap();
    manager.abandon();
    fs.crash(Loss::Everything);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    assert_eq!((offsets(&log), log.log_end_offset()), (vec![0], 1));
}

#[test]
fn records_behind_others_that_a_power_loss_took_are_not_kept_before_the_first_checkpoint_either() {
    let mut fixture = Fixture::new();
    let fs = on_a_disk_that_crashes(&mut fixture);
    let manager = fixture.open();
    append_segments(&fixture.log_of(&manager), &["lost", "written by chance"]);
    let dir = fixture.partition_dir();
    fs.open(&dir.join("00000000000000000001.log"), OpenOptions::WRITE).unwrap().sync_data().unwrap();
    fs.sync_dir(&dir).unwrap();
    manager.abandon();
    fs.crash(Loss::Everything);
    let log = fixture.log_of(&fixture.open());
    assert_eq!((offsets(&log), log.log_end_offset()), (vec![], 0));
}

/// A log that a power loss lets begin with a later segment looks like one whose start retention has removed.
#[test]
fn a_log_begins_where_it_did_whatever_names_a_power_loss_takes() {
    let mut fixture = Fixture::new();
    let fs = on_a_disk_that_crashes(&mut fixture);
    let manager = fixture.open();
    append_segments(&fixture.log_of(&manager), &["0", "1", "2"]);
    manager.abandon();
    for seed in 0..40 {
        fixture.fs = Arc::new(fs.crashed_at(fs.steps(), Loss::Reordered(seed)));
        assert_eq!(fixture.log_of(&fixture.open()).log_start_offset(), 0, "seed {seed}");
    }
}

#[test]
fn gaps_of_a_log_that_came_from_elsewhere_are_no_loss_after_a_power_loss_either() {
    let mut fixture = Fixture::new();
    let fs = on_a_disk_that_crashes(&mut fixture);
    let manager = fixture.open();
    append_segments(&fixture.log_of(&manager), &["0", "1", "2"]);
    manager.shutdown().unwrap();
    drop(manager);
    let log_dir = fixture.log_dir(0);
    for name in [CLEAN_SHUTDOWN, RECOVERY_POINT_CHECKPOINT, "orders-eu-3/00000000000000000001.log"] {
        fs.remove_file(&log_dir.join(name)).unwrap();
    }
    fs.crash(Loss::Nothing);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    assert_eq!(offsets(&log), [0, 2]);
    append_segments(&log, &["3"]);
    manager.abandon();
    fs.crash(Loss::Everything);
    assert_eq!(offsets(&fixture.log_of(&fixture.open())), [0, 2]);
}

#[test]
fn of_several_segments_that_retention_removes_a_power_loss_leaves_no_hole() {
    let mut fixture = Fixture::with_config(|config| config.retention_bytes = 0);
    let fs = on_a_disk_that_crashes(&mut fixture);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append_segments(&log, &["0", "1", "2", "3"]);
    append(&log, records(&["4"]));
    log.flush_to_end().unwrap();
    let before = fs.steps();
    assert_eq!(manager.cleanup_logs(), 5);
    for steps in before..=fs.steps() {
        for seed in 0..8 {
            fixture.fs = Arc::new(fs.crashed_at(steps, Loss::Reordered(seed)));
            let log = fixture.log_of(&fixture.open());
            let expected: Vec<Offset> = (log.log_start_offset()..5).collect();
            assert_eq!(
                (offsets(&log), log.log_end_offset()),
                (expected, 5),
                "after {steps} steps, seed {seed}"
            );
        }
    }
    manager.abandon();
}

#[test]
fn records_that_a_recovery_drops_do_not_come_back_behind_new_ones() {
    let mut fixture = Fixture::new();
    let fs = on_a_disk_that_crashes(&mut fixture);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append_segments(&log, &["flushed"]);
    log.flush_to_end().unwrap();
    manager.checkpoint_recovery_offsets();
    append_segments(&log, &["lost", "dropped"]);
    let dir = fixture.partition_dir();
    fs.open(&dir.join("00000000000000000002.log"), OpenOptions::WRITE).unwrap().sync_data().unwrap();
    fs.sync_dir(&dir).unwrap();
    manager.abandon();
    fs.crash(Loss::Everything);
    let manager = fixture.open();
    append(&fixture.log_of(&manager), records(&["new"]));
    manager.abandon();
    // The new record is there, the names are as they were synced.
    fs.crash(Loss::Names);
    let log = fixture.log_of(&fixture.open());
    assert_eq!(offsets(&log), [0, 1]);
    assert_eq!(read_all(&log, 1)[0].1, b"new");
}

#[test]
fn a_power_loss_during_a_truncation_leaves_no_gap_and_after_it_nothing_comes_back() {
    let mut fixture = Fixture::new();
    let fs = on_a_disk_that_crashes(&mut fixture);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["0"]));
    append_segments(&log, &["1", "2", "3", "4"]);
    log.flush_to_end().unwrap();
    manager.checkpoint_recovery_offsets();
    let before = fs.steps();
    log.truncate_to(1).unwrap();
    for steps in before..=fs.steps() {
        for loss in [Loss::Nothing, Loss::Everything, Loss::Names, Loss::Content] {
            fixture.fs = Arc::new(fs.crashed_at(steps, loss));
            let manager = fixture.open();
            let log = fixture.log_of(&manager);
            let end = log.log_end_offset();
            assert_eq!(offsets(&log), (0..end).collect::<Vec<_>>(), "after {steps} steps, {loss:?}");
            assert!(end >= 1 && (end == 1 || steps < fs.steps()), "{end} after {steps} steps, {loss:?}");
        }
    }
    manager.abandon();
}

#[test]
fn a_compaction_makes_nothing_obsolete_for_records_that_a_power_loss_may_take() {
    let mut fixture = Fixture::with_config(|config| {
        compacted(config);
        // No two segments go into one.
        config.segment_bytes = 100;
    });
    let fs = on_a_disk_that_crashes(&mut fixture);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, keyed_at(START_MS, &[("key", Some("flushed"))]));
    log.roll().unwrap();
    log.flush_to_end().unwrap();
    append(&log, keyed_at(START_MS, &[("key", Some("not flushed"))]));
    log.roll().unwrap();
    let before = fs.steps();
    manager.clean_now(&log).unwrap();
    for steps in before..=fs.steps() {
        fixture.fs = Arc::new(fs.crashed_at(steps, Loss::Everything));
        let manager = fixture.open();
        let log = fixture.log_of(&manager);
        log.update_high_watermark(log.log_end_offset()).unwrap();
        let found = texts(&log);
        assert!(!found.is_empty(), "after {steps} steps");
    }
    manager.abandon();
}

#[test]
fn a_topic_that_is_made_anew_after_a_crash_owes_nothing_to_the_one_that_was_deleted_before() {
    let mut fixture = Fixture::new();
    let fs = on_a_disk_that_crashes(&mut fixture);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["0", "1", "2"]));
    log.maybe_increment_log_start_offset(2).unwrap();
    log.flush_to_end().unwrap();
    manager.checkpoint_recovery_offsets();
    manager.checkpoint_log_start_offsets();
    manager.delete(&partition()).unwrap();
    manager.abandon();
    fs.crash(Loss::Nothing);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["new"]));
    log.flush_to_end().unwrap();
    manager.abandon();
    fs.crash(Loss::Everything);
    assert_eq!(offsets(&fixture.log_of(&fixture.open())), [0]);
}

#[test]
fn deleted_records_that_a_power_loss_brings_back_have_their_terms() {
    let mut fixture = Fixture::new();
    let fs = on_a_disk_that_crashes(&mut fixture);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["0", "1"]));
    log.maybe_increment_log_start_offset(1).unwrap();
    // The terms are written from there on; the start is not.
    log.flush_to_end().unwrap();
    manager.abandon();
    fs.crash(Loss::Everything);
    let log = fixture.log_of(&fixture.open());
    assert_eq!((offsets(&log), log.epoch_for_offset(0)), (vec![0, 1], Some(0)));
}

#[test]
fn what_is_appended_after_a_truncation_is_recovered_whatever_was_synced_before() {
    let mut fixture = Fixture::new();
    let fs = on_a_disk_that_crashes(&mut fixture);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append_segments(&log, &["0", "1", "2", "3"]);
    log.flush_to_end().unwrap();
    manager.checkpoint_recovery_offsets();
    log.truncate_to(1).unwrap();
    append_segments(&log, &["a", "b", "c"]);
    let dir = fixture.partition_dir();
    fs.sync_dir(&dir).unwrap();
    manager.abandon();
    // The files are there, and hold zeros.
    fs.crash(Loss::Content);
    assert_eq!(offsets(&fixture.log_of(&fixture.open())), [0]);
}

#[test]
fn a_term_whose_records_a_power_loss_took_does_not_claim_those_that_come_in_their_place() {
    let mut fixture = Fixture::new();
    let fs = on_a_disk_that_crashes(&mut fixture);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["flushed"]));
    log.flush_to_end().unwrap();
    manager.checkpoint_recovery_offsets();
    log.assign_epoch_start_offset(8, 1);
    append_in(&log, 8, "lost");
    log.assign_epoch_start_offset(10, 2);
    // The terms are on the disk before the records that they tell of.
    log.write_epochs().unwrap();
    manager.abandon();
    fs.crash(Loss::Everything);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    assert_eq!((log.log_end_offset(), log.latest_epoch()), (1, Some(0)));
    log.assign_epoch_start_offset(10, 1);
    append_in(&log, 10, "in its place");
    manager.abandon();
    let log = fixture.log_of(&fixture.open());
    assert_eq!((offsets(&log), log.epoch_for_offset(1)), (vec![0, 1], Some(10)));
    assert_eq!(log.end_offset_for_epoch(8).epoch, 0);
}

fn append_in(log: &Log, leader_epoch: i32, value: &str) {
    let params = AppendParams { records: records(&[value]), origin: AppendOrigin::Client, leader_epoch };
    log.append_as_leader(params).unwrap();
}

#[test]
fn a_log_that_was_cut_below_its_start_does_not_start_over_after_a_power_loss() {
    let mut fixture = Fixture::new();
    let fs = on_a_disk_that_crashes(&mut fixture);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append_segments(&log, &["0", "1", "2", "3"]);
    log.maybe_increment_log_start_offset(3).unwrap();
    manager.checkpoint_log_start_offsets();
    log.truncate_to(1).unwrap();
    append(&log, records(&["another leader's"]));
    log.flush_to_end().unwrap();
    manager.abandon();
    fs.crash(Loss::Everything);
    assert_eq!(offsets(&fixture.log_of(&fixture.open())), [1]);
}

/// The second start found it, and so did not make it last.
#[test]
fn a_log_dir_that_was_made_by_a_start_that_was_killed_outlives_a_power_loss() {
    let mut fixture = Fixture::new();
    let first = CrashFileSystem::recording(fixture.clock.clone());
    fixture.fs = Arc::new(first.clone());
    fixture.open().abandon();
    for steps in 0..=first.steps() {
        let fs = first.killed_at(steps);
        fixture.fs = Arc::new(fs.clone());
        let manager = fixture.open();
        let log = fixture.log_of(&manager);
        append(&log, records(&["a"]));
        log.flush_to_end().unwrap();
        manager.abandon();
        drop((manager, log));
        fs.crash(Loss::Everything);
        let manager = fixture.open();
        let log = fixture.log_of(&manager);
        log.update_high_watermark(log.log_end_offset()).unwrap();
        assert_eq!(read_all(&log, 0), numbered(0, &["a"]), "killed after {steps} steps");
    }
}

/// Where all records were synced already, nothing synced the file that the close had cut, and the room that was reserved
/// for more stood behind the last record again, of a log that was closed in order.
#[test]
fn reserved_room_that_a_close_gives_back_does_not_come_back_with_a_power_loss() {
    let mut fixture = Fixture::with_config(|config| config.preallocate = true);
    let fs = on_a_disk_that_crashes(&mut fixture);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["flushed"]));
    log.flush_to_end().unwrap();
    let file = fixture.partition_dir().join("00000000000000000000.log");
    assert!(fs.metadata(&file).unwrap().len > log.size());
    manager.shutdown().unwrap();
    fs.crash(Loss::Everything);
    assert_eq!(fs.metadata(&file).unwrap().len, log.size());
    assert_eq!(offsets(&fixture.log_of(&fixture.open())), [0]);
}

/// What was told to have failed was in the log nevertheless, and whoever had written it went on as if it were not.
#[test]
fn records_that_are_flushed_last_although_there_is_no_room_for_their_term() {
    for is_closed in [true, false] {
        let mut fixture = Fixture::with_config(|config| config.flush_messages = 1);
        let disk = on_a_disk_that_crashes(&mut fixture);
        let fs = FaultyFileSystem::new(Arc::new(disk.clone()));
        fs.set_plan(|operation, path| {
            let is_of_terms = path.to_string_lossy().contains(LEADER_EPOCH_CHECKPOINT);
            (operation == FileOperation::Write && is_of_terms).then(|| ErrorKind::StorageFull.into())
        });
        fixture.fs = Arc::new(fs);
        let manager = fixture.open();
        let log = fixture.log_of(&manager);
        append_segments(&log, &["0", "1"]);
        assert!(append(&log, records(&["2"])).needs_flush);
        log.flush(3).unwrap();
        // Recovery has to read them, and nothing that keeps it from that is done.
        assert_eq!(log.recovery_point(), 0);
        assert!(log.flush_to_end().unwrap_err().is_disk_full());
        if is_closed {
            assert!(manager.shutdown().unwrap_err().is_disk_full());
        } else {
            manager.abandon();
        }
        disk.crash(Loss::Everything);
        fixture.fs = Arc::new(disk);
        let log = fixture.log_of(&fixture.open());
        assert!(!log.had_clean_shutdown());
        assert_eq!(offsets(&log), [0, 1, 2]);
        assert_eq!(log.epoch_for_offset(0), Some(0));
    }
}

/// The files were removed by their names: what was left began anywhere.
#[test]
fn a_power_loss_amid_the_removal_of_a_log_that_cannot_be_renamed_leaves_its_first_segments() {
    for refusals in [1, usize::MAX] {
        let mut fixture = Fixture::new();
        let disk = on_a_disk_that_crashes(&mut fixture);
        let fs = FaultyFileSystem::new(Arc::new(disk.clone()));
        let dir = fixture.partition_dir();
        let count = AtomicUsize::new(0);
        fs.set_plan(move |operation, path| {
            let is_refused = operation == FileOperation::Rename
                && path == dir
                && count.fetch_add(1, Ordering::Relaxed) < refusals;
            is_refused.then(|| ErrorKind::StorageFull.into())
        });
        fixture.fs = Arc::new(fs);
        let manager = fixture.open();
        let log = fixture.log_of(&manager);
        append_segments(&log, &["0", "1", "2"]);
        append(&log, records(&["3"]));
        log.flush_to_end().unwrap();
        manager.checkpoint_recovery_offsets();
        let before = disk.steps();
        assert!(manager.delete_at_once(&partition()).unwrap());
        assert!(manager.offline_log_dirs().is_empty());
        manager.abandon();
        for steps in before..=disk.steps() {
            for loss in [Loss::Nothing, Loss::Everything, Loss::Names, Loss::Content] {
                fixture.fs = Arc::new(disk.crashed_at(steps, loss));
                let manager = fixture.open();
                let log = fixture.log_of(&manager);
                let end = log.log_end_offset();
                // With a name that it can have once a part of it is gone, it keeps the rest or nothing.
                assert!(refusals > 1 || end >= 3 || end == 0, "{end} after {steps} steps, {loss:?}");
                assert_eq!(offsets(&log), (0..end).collect::<Vec<_>>(), "after {steps} steps, {loss:?}");
                assert!(end == 0 || steps < disk.steps(), "{end} after {steps} steps, {loss:?}");
                manager.abandon();
            }
        }
    }
}
