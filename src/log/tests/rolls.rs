use std::time::Duration;

use super::fixture::*;
use crate::log::file_names::{self, LOG, OFFSET_INDEX, PRODUCER_SNAPSHOT, TIME_INDEX};

fn bases(fixture: &Fixture) -> Vec<i64> {
    let files = fixture.files();
    let logs = files.iter().filter(|name| name.ends_with(LOG));
    logs.filter_map(|name| file_names::offset_of(name)).collect()
}

#[test]
fn a_segment_rolls_before_it_would_exceed_its_size() {
    let size = records(&["a"]).size_in_bytes();
    let fixture = Fixture::with_config(|config| config.segment_bytes = 2 * i32::try_from(size).unwrap());
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    for _ in 0..5 {
        append(&log, records(&["a"]));
    }
    assert_eq!(bases(&fixture), [0, 2, 4]);
    assert_eq!(read_all(&log, 1).len(), 4);
    // A rolled segment has its files, cut to what they hold.
    for kind in [OFFSET_INDEX, TIME_INDEX] {
        let path = fixture.partition_dir().join(file_names::of_offset(2, kind));
        assert_eq!(std::fs::metadata(path).unwrap().len(), 0);
    }
    assert!(fixture.files().contains(&file_names::of_offset(4, PRODUCER_SNAPSHOT)));
}

#[test]
fn a_segment_rolls_by_the_age_of_its_first_record() {
    let fixture = Fixture::with_config(|config| config.segment_ms = 1_000);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records_at(&["a"], 5_000));
    append(&log, records_at(&["b"], 6_000));
    assert_eq!(log.number_of_segments(), 1);
    // The clock does not matter where records have timestamps.
    fixture.clock.advance(Duration::from_secs(100));
    append(&log, records_at(&["c"], 6_000));
    assert_eq!(log.number_of_segments(), 1);
    append(&log, records_at(&["d"], 6_001));
    assert_eq!(bases(&fixture), [0, 3]);
}

#[test]
fn a_segment_without_timestamps_rolls_by_the_clock() {
    let fixture = Fixture::with_config(|config| config.segment_ms = 1_000);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    fixture.clock.advance(Duration::from_secs(100));
    append(&log, records(&["a"]));
    assert_eq!(log.number_of_segments(), 1);
    append(&log, records(&["b"]));
    assert_eq!(bases(&fixture), [0, 1]);
}

#[test]
fn jitter_rolls_a_segment_early_but_never_late() {
    let mut sizes = Vec::new();
    for seed in 0..20 {
        let fixture = Fixture::with_config(|config| {
            config.segment_ms = 1_000;
            config.segment_jitter_ms = 1_000;
        });
        let rng = std::sync::Arc::new(crate::sys::SeededRng::new(seed));
        let manager = fixture.open_with(crate::sys::Env { rng, ..fixture.env() }).unwrap();
        let log = fixture.log_of(&manager);
        let mut timestamp = 1;
        while log.number_of_segments() == 1 {
            append(&log, records_at(&["a"], timestamp));
            timestamp += 100;
        }
        sizes.push(log.log_end_offset());
    }
    assert!(sizes.iter().all(|size| (2..=12).contains(size)), "{sizes:?}");
    sizes.sort_unstable();
    sizes.dedup();
    assert!(sizes.len() > 3, "{sizes:?}");
}

#[test]
fn a_segment_rolls_when_an_index_is_full() {
    let fixture = Fixture::with_config(|config| {
        config.segment_index_bytes = 5 * 12;
        config.index_interval_bytes = 0;
    });
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    for i in 0..12 {
        append(&log, records_at(&["a"], i));
    }
    // The first batch gets no entry, and the last slot of the time index is kept: 1 + 4 batches.
    assert_eq!(bases(&fixture), [0, 5, 10]);
}

#[test]
fn a_segment_rolls_for_an_offset_that_its_index_cannot_tell() {
    let fixture = Fixture::new();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["a"]));
    let mut far = records(&["b"]);
    far.assign_offsets(1 << 31, 0);
    log.append_as_follower(&far.to_bytes()).unwrap();
    assert_eq!(bases(&fixture), [0, 1 << 31]);
    log.maybe_update_high_watermark(i64::MAX).unwrap();
    assert_eq!(read_all(&log, 1), [(1 << 31, b"b".to_vec())]);
}

#[test]
fn an_empty_segment_is_not_rolled() {
    let fixture = Fixture::new();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    log.roll().unwrap();
    assert_eq!(bases(&fixture), [0]);
    append(&log, records(&["a"]));
    log.roll().unwrap();
    log.roll().unwrap();
    assert_eq!(bases(&fixture), [0, 1]);
}

#[test]
fn room_is_reserved_where_the_topic_asks_for_it_and_given_back() {
    let fixture = Fixture::with_config(|config| {
        config.preallocate = true;
        config.segment_bytes = 10_000;
    });
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["a"]));
    let path = fixture.partition_dir().join(file_names::of_offset(0, LOG));
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 10_000);
    assert_eq!(read_all(&log, 0).len(), 1);
    manager.shutdown().unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().len(), log.size());
}

#[cfg(target_os = "linux")]
fn open_files(fixture: &Fixture) -> usize {
    let descriptors = crate::sys::FileSystem::read_dir(&DISK(), "/proc/self/fd".as_ref()).unwrap();
    let paths = descriptors
        .iter()
        .filter_map(|entry| std::fs::read_link(std::path::Path::new("/proc/self/fd").join(&entry.name)).ok());
    paths.filter(|path| path.starts_with(fixture.root.path())).count()
}

#[cfg(target_os = "linux")]
#[test]
fn a_log_of_many_segments_keeps_few_files_open() {
    let fixture = Fixture::with_config(|config| config.segment_bytes = 100);
    let open_files = || open_files(&fixture);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    for i in 0..400 {
        append(&log, records_at(&["a"], START_MS + i));
    }
    assert_eq!(log.number_of_segments(), 400);
    assert_eq!(read_all(&log, 0).len(), 400);
    // This looks into all indexes by time, each of which has an entry.
    assert_eq!(log.fetch_offset_by_timestamp(START_MS + 399).unwrap().unwrap().offset, 399);
    log.flush_to_end().unwrap();
    // Beside those of sealed segments: the active one, and the lock.
    assert!(open_files() <= 128 + 2, "{} files", open_files());
    log.maybe_increment_log_start_offset(399).unwrap();
    manager.cleanup_logs();
    fixture.clock.advance(Duration::from_secs(60));
    manager.delete_logs();
    assert!(open_files() <= 2, "{} files", open_files());
}

/// Its records took their room for as long as few others were read.
#[cfg(target_os = "linux")]
#[test]
fn of_a_log_that_is_deleted_no_file_stays_open() {
    let fixture = Fixture::with_config(|config| config.segment_bytes = 100);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    for i in 0..20 {
        append(&log, records_at(&["a"], START_MS + i));
    }
    assert_eq!(read_all(&log, 0).len(), 20);
    log.fetch_offset_by_timestamp(START_MS + 19).unwrap();
    // From then on, nobody but who keeps them at hand has those of sealed segments.
    log.flush_to_end().unwrap();
    assert!(open_files(&fixture) > 20);
    manager.delete(log.topic_partition()).unwrap();
    drop(log);
    assert_eq!(open_files(&fixture), 1, "that of the lock");
}
