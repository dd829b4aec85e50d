use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use parking_lot::Mutex;

use super::fixture::*;
use crate::config::{CleanupPolicy, LogConfig};
use crate::log::file_names::{self, DELETED, LOG, TIME_INDEX};
use crate::log::{Log, LogError};
use crate::sys::{FileSystem, OpenOptions};

/// A record a segment.
fn one_each(config: &mut LogConfig) {
    config.segment_bytes = i32::try_from(records(&["a"]).size_in_bytes()).unwrap();
    config.file_delete_delay_ms = 60_000;
}

fn fill(log: &Log, count: i64) {
    for i in 0..count {
        append(log, records_at(&["a"], START_MS + 1_000 * i));
    }
}

#[test]
fn segments_older_than_retention_ms_go_the_active_one_too() {
    let fixture = Fixture::with_config(|config| {
        one_each(config);
        config.retention_ms = 10_000;
    });
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    fill(&log, 5);
    fixture.clock.advance(Duration::from_millis(12_000));
    assert_eq!(manager.cleanup_logs(), 2);
    assert_eq!((log.log_start_offset(), log.log_end_offset()), (2, 5));
    assert_eq!(read_all(&log, 2).len(), 3);
    assert_eq!(manager.cleanup_logs(), 0);

    fixture.clock.advance(Duration::from_secs(100));
    assert_eq!(manager.cleanup_logs(), 3);
    assert_eq!((log.log_start_offset(), log.log_end_offset(), log.size()), (5, 5, 0));
    assert_eq!(manager.cleanup_logs(), 0);
    append(&log, records(&["b"]));
    assert_eq!(read_all(&log, 5), numbered(5, &["b"]));
}

#[test]
fn segments_beyond_retention_bytes_go_if_enough_stays() {
    let size = i64::try_from(records(&["a"]).size_in_bytes()).unwrap();
    let fixture = Fixture::with_config(|config| {
        one_each(config);
        config.retention_bytes = 2 * size + 1;
    });
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    fill(&log, 5);
    assert_eq!(manager.cleanup_logs(), 2);
    assert_eq!((log.log_start_offset(), log.size()), (2, u64::try_from(3 * size).unwrap()));
}

#[test]
fn segments_below_the_log_start_offset_go_whatever_the_policy() {
    let fixture = Fixture::with_config(|config| {
        one_each(config);
        config.cleanup_policy = CleanupPolicy { compact: true, delete: false };
        config.retention_ms = 0;
        config.retention_bytes = 0;
    });
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    fill(&log, 5);
    assert_eq!(manager.cleanup_logs(), 0);
    log.maybe_increment_log_start_offset(3).unwrap();
    assert_eq!(manager.cleanup_logs(), 3);
    assert_eq!(log.first_segment_base_offset(), 3);
}

#[test]
fn nothing_goes_above_the_high_watermark() {
    let fixture = Fixture::with_config(|config| {
        one_each(config);
        config.retention_bytes = 0;
    });
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    fill(&log, 2);
    for _ in 0..3 {
        try_append(&log, records(&["x"])).unwrap();
    }
    assert_eq!(manager.cleanup_logs(), 2);
    assert_eq!(log.log_start_offset(), 2);
}

#[test]
fn deleted_files_vanish_after_the_delay_and_slices_of_them_stay_readable() {
    let fixture = Fixture::with_config(|config| {
        one_each(config);
        config.retention_bytes = 0;
    });
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    fill(&log, 3);
    let slice = log.read(&read_params(0)).unwrap().records.unwrap();
    let before = slice.read().unwrap();
    assert_eq!(manager.cleanup_logs(), 3);
    let deleted = || fixture.files().iter().filter(|name| name.ends_with(DELETED)).count();
    // Three logs, their offset and time indexes, and the snapshots that were taken at two of them.
    assert_eq!(deleted(), 3 * 3 + 2);
    fixture.clock.advance(Duration::from_millis(59_999));
    assert_eq!(manager.delete_logs(), Some(Duration::from_millis(60_000)));
    assert_eq!(deleted(), 11);
    fixture.clock.advance(Duration::from_millis(1));
    assert_eq!(manager.delete_logs(), None);
    assert_eq!(deleted(), 0);
    assert_eq!(fixture.files().iter().filter(|name| name.ends_with(LOG)).count(), 1);
    assert_eq!(slice.read().unwrap(), before);
}

#[test]
fn the_log_start_offset_survives_any_kind_of_stop() {
    for clean in [true, false] {
        let fixture = Fixture::new();
        let manager = fixture.open();
        let log = fixture.log_of(&manager);
        fill(&log, 5);
        log.maybe_increment_log_start_offset(3).unwrap();
        manager.checkpoint_log_start_offsets();
        if clean {
            manager.shutdown().unwrap();
        }
        manager.abandon();
        drop((manager, log));
        let manager = fixture.open();
        let log = manager.log(&partition()).unwrap();
        assert_eq!((log.log_start_offset(), log.log_end_offset()), (3, 5), "clean {clean}");
        assert!(log.high_watermark() >= 3);
    }
}

#[test]
fn the_alarm_for_deletions_is_set_when_something_is_deleted_and_for_what_is_left_after_a_look() {
    let fixture = Fixture::with_config(|config| {
        one_each(config);
        config.retention_bytes = 0;
    });
    let manager = fixture.open();
    let alarms = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&alarms);
    manager.on_deletion(move |due| heard.lock().push(due));
    let log = fixture.log_of(&manager);
    fill(&log, 3);
    assert_eq!(*alarms.lock(), []);
    // Many files at the same time, one alarm.
    assert_eq!(manager.cleanup_logs(), 3);
    let first = std::mem::take(&mut *alarms.lock());
    assert_eq!(first.len(), 1);

    fixture.clock.advance(Duration::from_millis(30_000));
    fill(&log, 2);
    manager.cleanup_logs();
    assert_eq!(*alarms.lock(), [], "those come later than the first");
    fixture.clock.advance(Duration::from_millis(30_000));
    let next = manager.delete_logs().unwrap();
    assert_eq!(*alarms.lock(), [next]);
    fixture.clock.advance(Duration::from_millis(30_000));
    assert_eq!(manager.delete_logs(), None);
    assert_eq!(alarms.lock().len(), 1);
}

#[test]
fn without_limits_nothing_goes_however_old_and_large_it_is() {
    let fixture = Fixture::with_config(|config| {
        one_each(config);
        config.retention_ms = -1;
        config.retention_bytes = -1;
    });
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    fill(&log, 5);
    fixture.clock.advance(Duration::from_secs(1 << 40));
    assert_eq!(manager.cleanup_logs(), 0);
    assert_eq!(read_all(&log, 0).len(), 5);
}

/// After a clean stop nobody reads the records, and the index alone said how old they are.
#[test]
fn a_bit_of_a_time_index_that_flips_does_not_make_records_old() {
    let fixture = Fixture::with_config(|config| {
        one_each(config);
        config.retention_ms = 10_000;
    });
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    fill(&log, 5);
    manager.shutdown().unwrap();
    drop((manager, log));
    for base_offset in 0..4 {
        // 1989 instead of 2023.
        let path = fixture.partition_dir().join(file_names::of_offset(base_offset, TIME_INDEX));
        let mut content = read_file(&path);
        content[2] ^= 1;
        write_file(&path, &content);
    }
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    assert_eq!(manager.cleanup_logs(), 0);
    assert_eq!(read_all(&log, 0).len(), 5);
    fixture.clock.advance(Duration::from_millis(12_000));
    assert_eq!(manager.cleanup_logs(), 2);
    assert_eq!(log.log_start_offset(), 2);
}

#[test]
fn a_segment_is_as_old_as_its_youngest_record_even_if_that_comes_from_the_future() {
    let fixture = Fixture::with_config(|config| {
        config.segment_bytes = 2 * i32::try_from(records(&["a"]).size_in_bytes()).unwrap();
        config.retention_ms = 10_000;
    });
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    for timestamp in [START_MS + 60_000, START_MS, START_MS, START_MS] {
        append(&log, records_at(&["a"], timestamp));
    }
    fixture.clock.advance(Duration::from_millis(60_000));
    assert_eq!(manager.cleanup_logs(), 0, "the second segment is old, but not the first");
    fixture.clock.advance(Duration::from_millis(10_000));
    assert_eq!(manager.cleanup_logs(), 0, "as old as it may be");
    fixture.clock.advance(Duration::from_millis(1));
    assert_eq!(manager.cleanup_logs(), 2);
}

#[test]
fn records_without_timestamps_are_as_old_as_their_file() {
    let fixture = Fixture::with_config(|config| {
        one_each(config);
        config.retention_ms = 10_000;
    });
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    for _ in 0..3 {
        append(&log, records(&["a"]));
    }
    for (base_offset, age_ms) in [(0, 30_000), (1, 5_000)] {
        let path = fixture.partition_dir().join(file_names::of_offset(base_offset, LOG));
        let file = DISK().open(&path, OpenOptions::WRITE).unwrap();
        file.set_modified_ms(START_MS - age_ms).unwrap();
    }
    assert_eq!(manager.cleanup_logs(), 1);
    assert_eq!(log.log_start_offset(), 1);
}

#[test]
fn what_is_too_old_is_known_after_any_kind_of_stop() {
    for clean in [true, false] {
        let fixture = Fixture::with_config(|config| {
            one_each(config);
            config.retention_ms = 10_000;
        });
        let manager = fixture.open();
        let log = fixture.log_of(&manager);
        fill(&log, 5);
        if clean {
            manager.shutdown().unwrap();
        }
        manager.abandon();
        drop((manager, log));
        fixture.clock.advance(Duration::from_millis(12_001));
        let manager = fixture.open();
        let log = fixture.log_of(&manager);
        log.maybe_update_high_watermark(5).unwrap();
        assert_eq!(manager.cleanup_logs(), 3, "clean {clean}");
        assert_eq!(log.log_start_offset(), 3, "clean {clean}");
    }
}

#[test]
fn a_limit_that_changes_holds_from_the_next_look_on() {
    let fixture = Fixture::with_config(one_each);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    fill(&log, 5);
    assert_eq!(manager.cleanup_logs(), 0);
    let mut config = fixture.config.clone();
    config.retention_bytes = 0;
    config.file_delete_delay_ms = 5;
    log.update_config(Arc::new(config));
    assert_eq!(manager.cleanup_logs(), 5);
    fixture.clock.advance(Duration::from_millis(5));
    assert_eq!(manager.delete_logs(), None, "the delay is that of the deletion");
    assert!(fixture.files().iter().all(|name| !name.ends_with(DELETED)));
}

#[test]
fn readers_of_a_log_that_is_deleted_read_what_there_was_or_hear_that_it_is_gone() {
    let fixture = Fixture::with_config(one_each);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    fill(&log, 50);
    let expected = numbered(0, &[b"a"; 50]);
    let (started, is_gone) = (Barrier::new(4), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                assert_eq!(read_all(&log, 0), expected);
                started.wait();
                loop {
                    // Once more after it is gone, which files that are still open survive.
                    let is_last = is_gone.load(Ordering::Acquire);
                    match try_read_all(&log, 0) {
                        Ok(found) => assert_eq!(found, expected),
                        Err(LogError::Closed { .. } | LogError::Deleted { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                    if is_last {
                        break;
                    }
                }
            });
        }
        started.wait();
        assert!(manager.delete(&partition()).unwrap());
        fixture.clock.advance(Duration::from_secs(60));
        assert_eq!(manager.delete_logs(), None);
        is_gone.store(true, Ordering::Release);
    });
    assert!(log.is_online(), "no disk is to blame");
}
