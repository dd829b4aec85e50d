use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::fixture::*;
use crate::log::file_names::{self, CLEANED, DELETED, LOG, OFFSET_INDEX, SWAP, TIME_INDEX, of_offset};
use crate::log::{EpochEndOffset, Log, LogManager};
use crate::sys::{FileSystem, OsFileSystem};
use crate::testkit::{FaultyFileSystem, FileOperation};

fn path_of(fixture: &Fixture, offset: i64, kind: &str) -> PathBuf {
    fixture.partition_dir().join(of_offset(offset, kind))
}

fn reopened(fixture: &Fixture) -> (LogManager, Arc<Log>) {
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    log.maybe_update_high_watermark(log.log_end_offset()).unwrap();
    (manager, log)
}

/// Indexes with an entry for each batch but the first, and several segments.
fn small_segments() -> Fixture {
    Fixture::with_config(|config| {
        config.segment_bytes = 400;
        config.index_interval_bytes = 0;
    })
}

#[test]
fn a_torn_last_batch_is_cut_wherever_it_is_torn() {
    let fixture = Fixture::new();
    let (manager, log) = reopened(&fixture);
    append(&log, records(&["first", "second"]));
    let kept = usize::try_from(log.size()).unwrap();
    append(&log, idempotent(9, 0, 0, 2).build());
    manager.abandon();
    drop((manager, log));
    let path = path_of(&fixture, 0, LOG);
    let whole = read_file(&path);
    for end in kept..whole.len() {
        write_file(&path, &whole[..end]);
        let (manager, log) = reopened(&fixture);
        assert_eq!(read_all(&log, 0), numbered(0, &["first", "second"]), "torn at {end}");
        assert_eq!((log.log_end_offset(), log.size()), (2, kept as u64));
        assert!(log.producer(9).is_none());
        append(&log, records(&["third"]));
        assert_eq!(read_all(&log, 2), numbered(2, &["third"]));
        manager.abandon();
    }
    // Torn within: some of its bytes never reached the disk.
    for hole in kept..whole.len() {
        let mut damaged = whole.clone();
        let changed = damaged[hole] != 0;
        damaged[hole] = 0;
        write_file(&path, &damaged);
        let (manager, log) = reopened(&fixture);
        // Offset and leader epoch are not covered by the checksum.
        let covered = changed && !(kept..kept + 8).contains(&hole) && !(kept + 12..kept + 16).contains(&hole);
        if covered {
            assert_eq!(log.log_end_offset(), 2, "hole at {hole}");
        }
        manager.abandon();
    }
}

#[test]
fn zeros_behind_the_last_batch_are_cut() {
    let fixture = Fixture::with_config(|config| {
        config.preallocate = true;
        config.segment_bytes = 10_000;
    });
    let (manager, log) = reopened(&fixture);
    append(&log, records(&["a"]));
    let size = log.size();
    manager.abandon();
    drop((manager, log));
    let (_manager, log) = reopened(&fixture);
    assert_eq!((log.log_end_offset(), log.size()), (1, size));
}

#[test]
fn after_an_unclean_stop_indexes_producers_and_terms_are_as_before() {
    let fixture = small_segments();
    let (manager, log) = reopened(&fixture);
    log.assign_epoch_start_offset(0, 0);
    for i in 0..20 {
        let mut batch = idempotent(9, 0, i, 1);
        batch.timestamp = START_MS + i64::from(i);
        let leader_epoch = i / 8;
        let params = crate::log::AppendParams {
            records: batch.build(),
            origin: crate::record::AppendOrigin::Client,
            leader_epoch,
        };
        log.append_as_leader(params).unwrap();
    }
    log.maybe_update_high_watermark(20).unwrap();
    let segments = log.number_of_segments();
    assert!(segments > 3);
    manager.abandon();
    drop((manager, log));
    // What a power loss may leave of files that were never flushed.
    for name in fixture.files() {
        if [".index", ".timeindex", "leader-epoch-checkpoint"].iter().any(|kind| name.ends_with(kind)) {
            write_file(&fixture.partition_dir().join(name), &[0; 24]);
        }
    }
    let (_manager, log) = reopened(&fixture);
    assert_eq!((log.number_of_segments(), log.log_end_offset()), (segments, 20));
    for i in 0..20 {
        assert_eq!(read_all(&log, i).len(), usize::try_from(20 - i).unwrap());
        let found = log.fetch_offset_by_timestamp(START_MS + i).unwrap().unwrap();
        assert_eq!((found.offset, found.leader_epoch), (i, i32::try_from(i / 8).unwrap()));
    }
    assert_eq!(log.producer(9).unwrap().last_sequence(), 19);
    assert_eq!(log.end_offset_for_epoch(0), EpochEndOffset { epoch: 0, end_offset: 8 });
    assert_eq!(log.end_offset_for_epoch(1), EpochEndOffset { epoch: 1, end_offset: 16 });
    assert_eq!(log.end_offset_for_epoch(2), EpochEndOffset { epoch: 2, end_offset: 20 });
}

#[test]
fn segments_behind_damage_are_dropped_and_offsets_go_on_before_it() {
    let fixture = small_segments();
    let (manager, log) = reopened(&fixture);
    for i in 0..20 {
        append(&log, idempotent(9, 0, i, 1).build());
    }
    manager.abandon();
    drop((manager, log));
    let damaged = path_of(&fixture, 5, LOG);
    let mut content = read_file(&damaged);
    let second_batch = content.len() / 5;
    content[second_batch + 40] ^= 1;
    write_file(&damaged, &content);
    let (_manager, log) = reopened(&fixture);
    assert_eq!(log.log_end_offset(), 6);
    assert_eq!(read_all(&log, 0).len(), 6);
    assert_eq!(log.producer(9).unwrap().last_sequence(), 5);
    append(&log, idempotent(9, 0, 6, 1).build());
}

#[test]
fn what_lies_below_the_recovery_point_is_not_read_again() {
    let fixture = small_segments();
    let (manager, log) = reopened(&fixture);
    for i in 0..20 {
        append(&log, idempotent(9, 0, i, 1).build());
    }
    log.flush_to_end().unwrap();
    manager.checkpoint_recovery_offsets();
    manager.abandon();
    drop((manager, log));
    // Damage below is for readers to find; above there is none.
    let damaged = path_of(&fixture, 5, LOG);
    let mut content = read_file(&damaged);
    content[40] ^= 1;
    write_file(&damaged, &content);
    let (_manager, log) = reopened(&fixture);
    assert_eq!(log.log_end_offset(), 20);
    assert_eq!(log.recovery_point(), 20);
    assert_eq!(log.producer(9).unwrap().last_sequence(), 19);
}

#[test]
fn a_clean_open_reads_no_more_of_the_logs_than_their_last_headers() {
    let mut fixture = small_segments();
    let (manager, log) = reopened(&fixture);
    for i in 0..50 {
        append(&log, idempotent(9, 0, i, 1).build());
    }
    assert!(log.number_of_segments() > 5);
    manager.shutdown().unwrap();
    drop((manager, log));

    let fs = Arc::new(FaultyFileSystem::new(Arc::new(OsFileSystem::without_sync())));
    let (reads, opens) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counts = (Arc::clone(&reads), Arc::clone(&opens));
    fs.set_plan(move |operation, path| {
        if path.to_string_lossy().ends_with(LOG) {
            match operation {
                FileOperation::Read => drop(counts.0.fetch_add(1, Ordering::Relaxed)),
                FileOperation::Open => drop(counts.1.fetch_add(1, Ordering::Relaxed)),
                operation => assert!(!operation.is_change(), "{operation:?}"),
            }
        }
        None::<io::Error>
    });
    fixture.fs = fs;
    let manager = fixture.open();
    let log = manager.log(&partition()).unwrap();
    assert_eq!((log.log_end_offset(), log.recovery_point()), (50, 50));
    assert_eq!(log.producer(9).unwrap().last_sequence(), 49);
    // Only the active segment: to find the last batch, and to see that it is the last.
    assert_eq!((opens.load(Ordering::Relaxed), reads.load(Ordering::Relaxed)), (1, 2));
}

#[test]
fn missing_indexes_are_built_again_after_a_clean_stop_too() {
    let fixture = small_segments();
    let (manager, log) = reopened(&fixture);
    for i in 0..20 {
        append(&log, idempotent(9, 0, i, 1).transactional().build());
        append(&log, marker(9, 0, false));
    }
    manager.shutdown().unwrap();
    drop((manager, log));
    let indexes = || -> Vec<(String, Vec<u8>)> {
        let names = fixture.files().into_iter().filter(|name| name.ends_with("index"));
        names.map(|name| (name.clone(), read_file(&fixture.partition_dir().join(name)))).collect()
    };
    let before = indexes();
    assert!(before.iter().any(|(name, _)| name.ends_with(".txnindex")));
    for (name, _) in &before {
        DISK().remove_file(&fixture.partition_dir().join(name)).unwrap();
    }
    let (manager, log) = reopened(&fixture);
    assert_eq!(log.last_stable_offset(), 40);
    manager.shutdown().unwrap();
    assert_eq!(indexes(), before);
}

#[test]
fn an_index_that_leads_astray_is_passed_over() {
    let fixture = small_segments();
    let (manager, log) = reopened(&fixture);
    for i in 0..20 {
        append(&log, records_at(&["x"], START_MS + i));
    }
    manager.shutdown().unwrap();
    drop((manager, log));
    for name in fixture.files().iter().filter(|name| name.ends_with(OFFSET_INDEX)) {
        let path = fixture.partition_dir().join(name);
        let mut content = read_file(&path);
        for position in content.iter_mut().skip(7).step_by(8) {
            *position = position.wrapping_add(3);
        }
        write_file(&path, &content);
    }
    let (_manager, log) = reopened(&fixture);
    for i in 0..20 {
        assert_eq!(read_all(&log, i).len(), usize::try_from(20 - i).unwrap(), "from {i}");
        assert_eq!(log.fetch_offset_by_timestamp(START_MS + i).unwrap().map(|found| found.offset), Some(i));
    }
}

#[test]
fn a_compaction_that_was_complete_is_finished_and_one_that_was_not_is_dropped() {
    let fixture = small_segments();
    let (manager, log) = reopened(&fixture);
    for _ in 0..20 {
        append(&log, records(&["x"]));
    }
    manager.shutdown().unwrap();
    drop((manager, log));
    // Segments 0 and 5 were merged into one that replaces both.
    let rename = |from: PathBuf, suffix: &str| {
        let mut to = from.clone().into_os_string();
        to.push(suffix);
        DISK().rename(&from, Path::new(&to)).unwrap();
    };
    let merged = [read_file(&path_of(&fixture, 0, LOG)), read_file(&path_of(&fixture, 5, LOG))].concat();
    write_file(&path_of(&fixture, 0, LOG), &merged);
    for kind in [LOG, OFFSET_INDEX, TIME_INDEX] {
        rename(path_of(&fixture, 0, kind), SWAP);
        // Another one was being compacted, and another has been.
        let content = read_file(&path_of(&fixture, 10, kind));
        write_file(&fixture.partition_dir().join(of_offset(10, kind) + CLEANED), &content);
        write_file(&fixture.partition_dir().join(of_offset(15, kind) + DELETED), &content);
        // Part of a split that was not complete, beside the cleaned one.
        write_file(&fixture.partition_dir().join(of_offset(12, kind) + SWAP), &content);
    }
    let (_manager, log) = reopened(&fixture);
    assert_eq!(read_all(&log, 0).len(), 20);
    let files = fixture.files();
    let logs: Vec<_> =
        files.iter().filter(|name| name.ends_with(LOG)).filter_map(|n| file_names::offset_of(n)).collect();
    assert_eq!(logs, [0, 10, 15]);
    for suffix in [SWAP, CLEANED, DELETED] {
        assert!(files.iter().all(|name| !name.ends_with(suffix)), "{files:?}");
    }
}

/// What a crash leaves between the two renames of a compaction that found nothing worth keeping in a segment.
#[test]
fn of_a_segment_that_compaction_has_emptied_no_index_stays() {
    let fixture = small_segments();
    let (manager, log) = reopened(&fixture);
    for i in 0..20 {
        append(&log, records_at(&["x"], START_MS + i));
    }
    manager.shutdown().unwrap();
    drop((manager, log));
    assert!(!read_file(&path_of(&fixture, 0, TIME_INDEX)).is_empty());
    write_file(&fixture.partition_dir().join(of_offset(0, LOG) + SWAP), b"");
    let (_manager, log) = reopened(&fixture);
    assert_eq!(read_all(&log, 5).len(), 15);
    for kind in [OFFSET_INDEX, TIME_INDEX] {
        let path = path_of(&fixture, 0, kind);
        assert!(!path.exists() || read_file(&path).iter().all(|byte| *byte == 0), "{kind}");
    }
}

/// `backup-2024` was taken for partition 2024 of the topic `backup`, which had 2025 then.
#[test]
fn a_folder_with_a_partitions_name_and_something_else_in_it_is_left_untouched() {
    let fixture = Fixture::new();
    let folders = ["backup-2024", "photos-7"].map(|name| fixture.log_dir(0).join(name));
    DISK().create_dir_all(&folders[0]).unwrap();
    write_file(&folders[0].join("notes.txt"), b"mine");
    DISK().create_dir_all(&folders[1].join("summer")).unwrap();
    // What a crash leaves of a partition that was just made.
    DISK().create_dir_all(&fixture.log_dir(0).join("orders-0")).unwrap();
    let manager = fixture.open();
    let mut found: Vec<_> = manager.logs().iter().map(|log| log.topic_partition().to_string()).collect();
    found.sort();
    assert_eq!(found, ["orders-0"]);
    manager.shutdown().unwrap();
    let names = |folder: &Path| -> Vec<String> {
        DISK().read_dir(folder).unwrap().into_iter().map(|entry| entry.name).collect()
    };
    assert_eq!((names(&folders[0]), names(&folders[1])), (vec!["notes.txt".into()], vec!["summer".into()]));
}

#[test]
fn orphans_go_and_foreign_files_stay() {
    let fixture = Fixture::new();
    let (manager, log) = reopened(&fixture);
    append(&log, records(&["a"]));
    manager.shutdown().unwrap();
    drop((manager, log));
    let dir = fixture.partition_dir();
    write_file(&dir.join(of_offset(77, OFFSET_INDEX)), &[0; 8]);
    write_file(&dir.join("notes.txt"), b"mine");
    write_file(&dir.join("77.log"), b"mine");
    DISK().create_dir_all(&fixture.log_dir(0).join("lost+found")).unwrap();
    let (_manager, log) = reopened(&fixture);
    assert_eq!(read_all(&log, 0).len(), 1);
    assert!(!dir.join(of_offset(77, OFFSET_INDEX)).exists());
    assert_eq!(read_file(&dir.join("notes.txt")), b"mine");
    assert_eq!(read_file(&dir.join("77.log")), b"mine");
    assert!(fixture.log_dir(0).join("lost+found").is_dir());
}

#[test]
fn a_log_that_ends_before_its_start_offset_starts_over_there() {
    let fixture = Fixture::new();
    let (manager, log) = reopened(&fixture);
    append(&log, records(&["a", "b", "c"]));
    log.maybe_increment_log_start_offset(3).unwrap();
    manager.checkpoint_log_start_offsets();
    manager.abandon();
    drop((manager, log));
    write_file(&path_of(&fixture, 0, LOG), b"");
    let (_manager, log) = reopened(&fixture);
    assert_eq!((log.log_start_offset(), log.log_end_offset()), (3, 3));
    append(&log, records(&["d"]));
    assert_eq!(read_all(&log, 3), numbered(3, &["d"]));
}

#[test]
fn damaged_checkpoints_cost_time_and_nothing_else() {
    let fixture = small_segments();
    let (manager, log) = reopened(&fixture);
    for i in 0..20 {
        append(&log, idempotent(9, 0, i, 1).build());
    }
    manager.shutdown().unwrap();
    drop((manager, log));
    for name in
        ["recovery-point-offset-checkpoint", "log-start-offset-checkpoint", "replication-offset-checkpoint"]
    {
        write_file(&fixture.log_dir(0).join(name), b"0\n1\nnonsense\n");
    }
    write_file(&fixture.partition_dir().join("leader-epoch-checkpoint"), b"nonsense");
    let (_manager, log) = reopened(&fixture);
    assert_eq!(read_all(&log, 0).len(), 20);
    assert_eq!(log.latest_epoch(), Some(0));
    assert_eq!(log.producer(9).unwrap().last_sequence(), 19);
}
