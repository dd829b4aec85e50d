//! When a log is compacted, how far, and what must not come in between.

use std::sync::Arc;
use std::time::Duration;

use super::compaction::{clean, compacted, compacted_fixture, fill};
use super::fixture::*;
use crate::config::{CleanupPolicy, LogConfig};
use crate::log::file_names::{CLEANED, CLEANER_CHECKPOINT, DELETED, LOG, SWAP};
use crate::log::{Log, LogManager};
use crate::model::TopicPartition;

fn log_called(fixture: &Fixture, manager: &LogManager, topic: &str) -> Arc<Log> {
    let config = Arc::new(fixture.config.clone());
    manager.get_or_create_log(&TopicPartition::new(topic, 0), topic_id(), config).unwrap()
}

fn configure(log: &Log, change: impl FnOnce(&mut LogConfig)) {
    let mut config = (*log.config()).clone();
    change(&mut config);
    log.update_config(Arc::new(config));
}

#[test]
fn the_log_with_the_largest_dirty_share_comes_first_and_clean_ones_not_at_all() {
    let fixture = compacted_fixture();
    let manager = fixture.open();
    let [clean_one, dirty, dirtier, deleting] =
        ["clean", "dirty", "dirtier", "deleting"].map(|topic| log_called(&fixture, &manager, topic));
    configure(&deleting, |config| config.cleanup_policy = CleanupPolicy::DELETE);
    for log in [&clean_one, &dirty, &dirtier, &deleting] {
        fill(log, &[&[("a", Some("1")), ("b", Some("1"))], &[("a", Some("2"))]]);
    }
    for log in [&clean_one, &dirty] {
        clean(&manager, log);
    }
    fill(&dirty, &[&[("a", Some("3"))], &[("b", Some("3"))], &[("a", Some("4"))], &[("b", Some("4"))]]);
    assert!(manager.clean_filthiest_log());
    assert_eq!(texts(&dirtier), ["1 b=1", "2 a=2"]);
    assert_eq!(texts(&dirty).len(), 6);
    assert!(manager.clean_filthiest_log());
    assert_eq!(texts(&dirty), ["5 a=4", "6 b=4"]);
    assert!(!manager.clean_filthiest_log());
    assert_eq!(texts(&deleting).len(), 3);
}

#[test]
fn young_records_and_what_follows_them_stay_as_they_are() {
    let fixture = Fixture::with_config(|config| {
        compacted(config);
        config.min_compaction_lag_ms = 100;
    });
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    fill(&log, &[&[("a", Some("1"))], &[("a", Some("2"))], &[("a", Some("3"))]]);
    assert_eq!(manager.clean_now(&log).map(|stats| stats.records_read), Some(0));
    fixture.clock.advance(Duration::from_millis(101));
    clean(&manager, &log);
    assert_eq!(texts(&log), ["1 a=2", "2 a=3"]);
    fixture.clock.advance(Duration::from_millis(1));
    clean(&manager, &log);
    assert_eq!(texts(&log), ["2 a=3"]);
}

#[test]
fn what_is_overdue_is_compacted_however_small_its_share_is() {
    let fixture = Fixture::with_config(|config| {
        compacted(config);
        config.min_cleanable_dirty_ratio = 1.0;
        config.max_compaction_lag_ms = 1_000;
    });
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    fill(&log, &[&[("a", Some("1"))], &[("a", Some("2"))]]);
    fixture.clock.advance(Duration::from_millis(1_000));
    assert!(!manager.clean_filthiest_log());
    fixture.clock.advance(Duration::from_millis(1));
    assert!(manager.clean_filthiest_log());
    assert_eq!(texts(&log), ["1 a=2"]);
    assert!(!manager.clean_filthiest_log());
    // The active segment ends in time for it, too.
    append(&log, keyed_at(START_MS, &[("b", Some("1"))]));
    let segments = log.number_of_segments();
    append(&log, keyed_at(START_MS + 1_001, &[("b", Some("2"))]));
    assert_eq!(log.number_of_segments(), segments + 1);
}

#[test]
fn keys_that_do_not_fit_the_memory_take_several_passes() {
    let mut fixture = compacted_fixture();
    // Nine keys.
    fixture.cleaner.dedupe_buffer_size = 24 * 10;
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    let keys: Vec<String> = (0..40).map(|i| format!("k{i:02}")).collect();
    for round in ["1", "2"] {
        for key in &keys {
            append(&log, keyed_at(START_MS, &[(key, Some(round))]));
        }
    }
    log.roll().unwrap();
    let mut ends = Vec::new();
    while ends.last() != Some(&80) {
        ends.push(manager.clean_now(&log).unwrap().end_offset);
    }
    assert_eq!(ends, [9, 18, 27, 36, 45, 54, 63, 72, 80]);
    let expected: Vec<String> =
        keys.iter().enumerate().map(|(i, key)| format!("{} {key}=2", 40 + i)).collect();
    assert_eq!(texts(&log), expected);
}

#[test]
fn small_segments_are_joined_up_to_the_size_of_one() {
    let fixture = Fixture::with_config(|config| {
        compacted(config);
        config.segment_bytes = 1_000;
    });
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    for i in 0..60 {
        append(&log, keyed_at(START_MS, &[(["a", "b", "c"][i % 3], Some("value"))]));
    }
    assert!(log.number_of_segments() > 4);
    clean(&manager, &log);
    log.roll().unwrap();
    clean(&manager, &log);
    assert_eq!(log.number_of_segments(), 2);
    assert_eq!(texts(&log), ["57 a=value", "58 b=value", "59 c=value"]);
    fixture.clock.advance(Duration::from_secs(3600));
    manager.delete_logs();
    let logs: Vec<String> = fixture.files().into_iter().filter(|name| name.ends_with(LOG)).collect();
    assert_eq!(logs.len(), 2);
    let leftovers = [CLEANED, SWAP, DELETED];
    assert!(!fixture.files().iter().any(|name| leftovers.iter().any(|suffix| name.ends_with(suffix))));
}

#[test]
fn the_checkpoint_tells_the_next_start_what_is_clean() {
    let fixture = Fixture::with_config(|config| {
        compacted(config);
        config.min_cleanable_dirty_ratio = 0.0;
    });
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    fill(&log, &[&[("a", Some("1"))], &[("a", Some("2"))]]);
    clean(&manager, &log);
    manager.shutdown().unwrap();
    drop((manager, log));
    let path = fixture.log_dir(0).join(CLEANER_CHECKPOINT);
    assert_eq!(read_file(&path), b"0\n1\norders-eu 3 2\n");
    let manager = fixture.open();
    assert!(!manager.clean_filthiest_log());
    manager.shutdown().unwrap();
    drop(manager);

    // One that cannot be true counts as none.
    write_file(&path, b"0\n1\norders-eu 3 200\n");
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    assert!(manager.clean_filthiest_log());
    log.truncate_to(1).unwrap();
    fill(&log, &[&[("a", Some("3"))]]);
    assert!(manager.clean_filthiest_log());
    assert_eq!(texts(&log), ["1 a=3"]);
}

#[test]
fn a_damaged_log_is_named_and_left_alone_while_others_go_on() {
    let fixture = compacted_fixture();
    let manager = fixture.open();
    let [damaged, sound] = ["damaged", "sound"].map(|topic| log_called(&fixture, &manager, topic));
    for log in [&damaged, &sound] {
        fill(log, &[&[("a", Some("1")), ("b", Some("2"))], &[("a", Some("3")), ("c", Some("4"))]]);
    }
    let path = fixture.log_dir(0).join("damaged-0").join("00000000000000000002.log");
    let mut content = read_file(&path);
    *content.last_mut().unwrap() ^= 1;
    *content.iter_mut().rev().nth(2).unwrap() ^= 1;
    write_file(&path, &content);
    assert!(manager.clean_filthiest_log());
    assert!(!manager.clean_filthiest_log());
    assert_eq!(manager.uncleanable_partitions(), [TopicPartition::new("damaged", 0)]);
    assert_eq!(texts(&sound), ["1 b=2", "2 a=3", "3 c=4"]);
    assert!(damaged.is_online());
    assert_eq!(read_file(&path), content);
    let entries = crate::sys::FileSystem::read_dir(&DISK(), path.parent().unwrap()).unwrap();
    assert!(!entries.iter().any(|entry| entry.name.ends_with(CLEANED)));
    append(&damaged, keyed_at(START_MS, &[("d", Some("5"))]));
}

#[test]
fn retention_still_applies_where_both_are_asked_for() {
    let fixture = Fixture::with_config(|config| {
        compacted(config);
        config.cleanup_policy.delete = true;
        config.retention_ms = 10_000;
        config.min_cleanable_dirty_ratio = 0.0;
    });
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    fill(&log, &[&[("a", Some("1"))], &[("a", Some("2")), ("b", Some("1"))]]);
    fixture.clock.advance(Duration::from_secs(8));
    append(&log, keyed_at(START_MS + 8_000, &[("c", Some("1"))]));
    log.roll().unwrap();
    clean(&manager, &log);
    assert_eq!(texts(&log), ["1 a=2", "2 b=1", "3 c=1"]);
    // Joined, the old live as long as the young.
    fixture.clock.advance(Duration::from_secs(5));
    manager.cleanup_logs();
    assert_eq!(texts(&log).len(), 3);
    fixture.clock.advance(Duration::from_secs(6));
    manager.cleanup_logs();
    assert_eq!((texts(&log).len(), log.log_start_offset()), (0, 4));
}

#[test]
fn readers_that_have_begun_read_on_what_they_found() {
    let fixture = Fixture::with_config(|config| {
        compacted(config);
        config.file_delete_delay_ms = 0;
    });
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    fill(&log, &[&[("a", Some("1"))], &[("a", Some("2"))], &[("a", Some("3"))]]);
    let slice = log.read(&read_params(0)).unwrap().records.unwrap();
    let before = slice.read().unwrap();
    clean(&manager, &log);
    manager.delete_logs();
    assert_eq!(slice.read().unwrap(), before);
    assert_eq!(texts(&log), ["2 a=3"]);
}

#[test]
fn reads_and_appends_go_on_while_the_log_is_compacted_over_and_over() {
    let fixture = Fixture::with_config(|config| {
        compacted(config);
        config.segment_bytes = 500;
        config.file_delete_delay_ms = 0;
    });
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, keyed_at(START_MS, &[("first", Some("x"))]));
    let done = std::sync::atomic::AtomicBool::new(false);
    // The last value of each key that is appended for certain.
    let last = [const { std::sync::atomic::AtomicI64::new(-1) }; 3];
    std::thread::scope(|scope| {
        let (log, manager, done, last) = (&log, &manager, &done, &last);
        let is_done = move || done.load(std::sync::atomic::Ordering::Acquire);
        scope.spawn(move || {
            while !is_done() {
                manager.clean_now(log);
                manager.cleanup_logs();
                manager.delete_logs();
                manager.flush_dirty_logs();
            }
        });
        for _ in 0..2 {
            scope.spawn(move || {
                while !is_done() {
                    let before =
                        last.each_ref().map(|value| value.load(std::sync::atomic::Ordering::Acquire));
                    let found = texts(log);
                    assert_eq!(found[0], "0 first=x");
                    // Whoever reads all meets of each key the last record that there was when it began, or a later one.
                    for (key, before) in ["a", "b", "c"].iter().zip(before) {
                        let value = |text: &String| {
                            let value =
                                text.split_once(' ')?.1.split_once('=').filter(|pair| pair.0 == *key)?.1;
                            value.parse::<i64>().ok()
                        };
                        let newest = found.iter().filter_map(value).max().unwrap_or(-1);
                        assert!(newest >= before, "{key}: {newest} in place of {before} in {found:?}");
                    }
                }
            });
        }
        for i in 0..1_500 {
            append(log, keyed_at(START_MS, &[(["a", "b", "c"][i % 3], Some(&i.to_string()))]));
            last[i % 3].store(i as i64, std::sync::atomic::Ordering::Release);
        }
        done.store(true, std::sync::atomic::Ordering::Release);
    });
    log.roll().unwrap();
    clean(&manager, &log);
    assert_eq!(texts(&log), ["0 first=x", "1498 a=1497", "1499 b=1498", "1500 c=1499"]);
    assert!(log.is_online() && manager.uncleanable_partitions().is_empty());
}

/// Waits, in real time, for another thread to get so far.
fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        std::thread::yield_now();
    }
}

/// A log whose compaction has begun, and is held back to this rate by a clock that stands still.
fn being_compacted(io_max_bytes_per_second: f64) -> (Fixture, Arc<LogManager>, Arc<Log>) {
    let mut fixture = compacted_fixture();
    fixture.cleaner.io_max_bytes_per_second = io_max_bytes_per_second;
    fixture.cleaner.io_buffer_size = 0;
    let manager = Arc::new(fixture.open());
    let log = fixture.log_of(&manager);
    let long = "x".repeat(5_000);
    fill(&log, &[&[("a", Some(&long))], &[("a", Some("2"))]]);
    manager.start_cleaner();
    until(|| log.cleaning.try_start().is_none());
    (fixture, manager, log)
}

#[test]
fn a_topic_is_deleted_at_once_although_its_compaction_is_held_back() {
    let (fixture, manager, _log) = being_compacted(1.0);
    // At this rate it takes an hour and more, and the clock stands still.
    assert!(manager.delete(&partition()).unwrap());
    assert!(!fixture.partition_dir().exists());
    manager.shutdown().unwrap();
}

#[test]
fn a_compaction_goes_on_when_the_clock_says_that_it_may() {
    let (fixture, manager, log) = being_compacted(1_000.0);
    assert_eq!(log.cleaning.first_dirty_offset(), None);
    // Five seconds for reading it once, and again for copying it.
    let mut seconds = 0;
    until(|| {
        fixture.clock.advance(Duration::from_secs(1));
        seconds += 1;
        log.cleaning.first_dirty_offset().is_some()
    });
    assert!(seconds >= 10, "{seconds}");
    assert_eq!(texts(&log), ["1 a=2"]);
    manager.shutdown().unwrap();
}

/// A rate of one byte in a second by mistake held the compaction for days, whatever was set after that.
#[test]
fn a_compaction_that_is_under_way_follows_a_rate_that_is_changed() {
    let (fixture, manager, log) = being_compacted(1.0);
    // The clock stands still: at a byte in a second nothing would go on.
    let io_max_bytes_per_second = f64::MAX;
    manager.reconfigure_cleaner(crate::log::CleanerConfig {
        io_max_bytes_per_second,
        ..fixture.cleaner.clone()
    });
    until(|| log.cleaning.first_dirty_offset().is_some());
    assert_eq!(texts(&log), ["1 a=2"]);
    manager.shutdown().unwrap();
}

#[test]
fn the_threads_sleep_for_the_back_off_and_follow_new_settings() {
    let mut fixture = Fixture::with_config(|config| {
        compacted(config);
        // A thread may come between two segments; what is left then is not half of the log.
        config.min_cleanable_dirty_ratio = 0.0;
    });
    fixture.cleaner.threads = 2;
    let manager = Arc::new(fixture.open());
    let log = fixture.log_of(&manager);
    manager.start_cleaner();
    fill(&log, &[&[("a", Some("1"))], &[("a", Some("2"))]]);
    until(|| {
        fixture.clock.advance(Duration::from_secs(15));
        log.cleaning.first_dirty_offset() == Some(2)
    });
    for threads in [1, 3, 0, 2] {
        let config = crate::log::CleanerConfig { threads, backoff_ms: 5, ..fixture.cleaner.clone() };
        manager.reconfigure_cleaner(config);
    }
    fill(&log, &[&[("a", Some("3"))], &[("a", Some("4"))]]);
    until(|| {
        fixture.clock.advance(Duration::from_millis(5));
        log.cleaning.first_dirty_offset() == Some(4)
    });
    assert_eq!(texts(&log), ["3 a=4"]);
    manager.shutdown().unwrap();
}

#[test]
fn the_log_is_truncated_at_once_although_it_is_being_compacted() {
    let mut fixture = compacted_fixture();
    fixture.cleaner.io_max_bytes_per_second = 1.0;
    fixture.cleaner.io_buffer_size = 0;
    let manager = Arc::new(fixture.open());
    let log = fixture.log_of(&manager);
    let long = "x".repeat(5_000);
    fill(&log, &[&[("a", Some("1"))], &[("a", Some(&long))]]);
    manager.start_cleaner();
    until(|| log.cleaning.try_start().is_none());
    log.truncate_to(1).unwrap();
    assert_eq!(texts(&log), ["0 a=1"]);
    manager.shutdown().unwrap();
}
