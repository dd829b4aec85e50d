use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::fixture::*;
use crate::log::file_names::{self, LOG, TXN_INDEX};
use crate::log::{Log, LogError};
use crate::model::{ErrorCode, Offset, TopicPartition};
use crate::record::ValidatedRecords;
use crate::sys::FileSystem;
use crate::testkit::{CrashFileSystem, FaultyFileSystem, FileOperation, Loss};

fn no_space() -> io::Error {
    io::Error::from(io::ErrorKind::StorageFull)
}

fn broken() -> io::Error {
    io::Error::other("input/output error")
}

fn end_is_seen(log: &Log) {
    log.maybe_update_high_watermark(log.log_end_offset()).unwrap();
}

/// The first and the last offset of each aborted transaction.
fn aborted_txns(log: &Log) -> Vec<(Offset, Offset)> {
    let segments = log.segments();
    let mut found = Vec::new();
    for segment in segments.iter() {
        let visited = segment.txn_index().visit(|txn| {
            found.push((txn.first_offset, txn.last_offset));
            true
        });
        assert!(visited.unwrap());
    }
    found
}

fn size_of_txn_indexes(fixture: &Fixture) -> usize {
    let indexes = fixture.files().into_iter().filter(|name| name.ends_with(TXN_INDEX));
    indexes.map(|name| read_file(&fixture.partition_dir().join(name)).len()).sum()
}

#[test]
fn a_write_that_fails_takes_the_log_dir_offline_and_what_was_acknowledged_is_there_afterwards() {
    let mut fixture = Fixture::new();
    let fs = fixture.faulty();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["a"]));
    fs.set_plan(|operation, _| (operation == FileOperation::Write).then(broken));
    let error = try_append(&log, records(&["b"])).unwrap_err();
    assert!(matches!(error, LogError::Storage { .. }), "{error}");
    assert_eq!(error.code(), ErrorCode::KafkaStorageError);
    // The disk works again, but nobody may build on what it lost.
    fs.clear_plan();
    assert_eq!(try_append(&log, records(&["b"])).unwrap_err().code(), ErrorCode::KafkaStorageError);
    assert_eq!(log.read(&read_params(0)).unwrap_err().code(), ErrorCode::KafkaStorageError);
    assert_eq!(log.flush_to_end().unwrap_err().code(), ErrorCode::KafkaStorageError);
    assert_eq!(log.fetch_offset_by_timestamp(0).unwrap_err().code(), ErrorCode::KafkaStorageError);
    assert!(!fixture.try_log_of(&manager).unwrap().is_online());
    let other = manager.get_or_create_log(&TopicPartition::new("x", 0), topic_id(), Arc::default());
    assert_eq!(other.unwrap_err().code(), ErrorCode::KafkaStorageError);
    assert_eq!(manager.failures().take_next_offline_log_dir(), Some(fixture.log_dir(0)));
    assert_eq!(manager.failures().take_next_offline_log_dir(), None);
    assert_eq!(manager.offline_log_dirs(), [fixture.log_dir(0)]);
    assert_eq!(manager.shutdown().unwrap_err().code(), ErrorCode::KafkaStorageError);
    drop((manager, log));

    let manager = fixture.open();
    let log = manager.log(&partition()).unwrap();
    log.maybe_update_high_watermark(log.log_end_offset()).unwrap();
    assert_eq!(read_all(&log, 0), numbered(0, &["a"]));
}

#[test]
fn a_failed_fsync_is_not_tried_again() {
    let mut fixture = Fixture::new();
    let fs = fixture.faulty();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["a"]));
    let syncs = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&syncs);
    fs.set_plan(move |operation, path| {
        let is_sync = operation == FileOperation::Sync && path.to_string_lossy().ends_with(LOG);
        is_sync.then(|| {
            seen.fetch_add(1, Ordering::Relaxed);
            io::Error::other("the disk is gone")
        })
    });
    assert_eq!(log.flush(1).unwrap_err().code(), ErrorCode::KafkaStorageError);
    assert_eq!(log.flush(1).unwrap_err().code(), ErrorCode::KafkaStorageError);
    manager.flush_dirty_logs();
    assert!(manager.shutdown().is_err());
    assert_eq!(syncs.load(Ordering::Relaxed), 1);
    assert_eq!(log.recovery_point(), 0);
}

/// The log dir went offline with the first log that found no room for its producers, and no other one was flushed.
#[test]
fn a_clean_stop_on_a_full_disk_flushes_and_closes_the_other_logs() {
    let mut fixture = Fixture::new();
    let fs = fixture.faulty();
    let manager = fixture.open();
    let make = |i| {
        let partition = TopicPartition::new("t", i);
        manager.get_or_create_log(&partition, topic_id(), Arc::new(fixture.config.clone())).unwrap()
    };
    let logs = [make(0), make(1), make(2)];
    for log in &logs {
        append(log, idempotent(9, 0, 0, 1).build());
    }
    let first = logs[0].dir.path();
    fs.set_plan(move |operation, path| {
        let is_snapshot = path.starts_with(&first) && path.to_string_lossy().ends_with("snapshot");
        (is_snapshot && operation == FileOperation::Write).then(no_space)
    });
    assert!(manager.shutdown().unwrap_err().is_disk_full());
    assert!(manager.offline_log_dirs().is_empty());
    assert_eq!(logs.each_ref().map(|log| log.recovery_point()), [1, 1, 1]);
    assert!(!DISK().exists(&fixture.log_dir(0).join(".kafka_cleanshutdown")).unwrap());
    drop((manager, logs));
    fs.clear_plan();
    let manager = fixture.open();
    for log in manager.logs() {
        end_is_seen(&log);
        assert_eq!(read_all(&log, 0), numbered(0, &["v"]));
    }
    manager.shutdown().unwrap();
}

#[test]
fn the_other_log_dirs_go_on() {
    let mut fixture = Fixture::new();
    fixture.log_dirs = 2;
    let fs = fixture.faulty();
    let manager = fixture.open();
    let make = |i| {
        let partition = TopicPartition::new("t", i);
        manager.get_or_create_log(&partition, topic_id(), Arc::new(fixture.config.clone())).unwrap()
    };
    let (a, b) = (make(0), make(1));
    assert_ne!(a.log_dir(), b.log_dir());
    append(&a, records(&["a"]));
    append(&b, records(&["b"]));
    let broken = a.log_dir().to_owned();
    fs.set_plan(move |_, path| path.starts_with(&broken).then(|| io::Error::other("unplugged")));
    assert!(try_append(&a, records(&["a"])).is_err());
    append(&b, records(&["b"]));
    // New logs go where there is a disk.
    for i in 2..5 {
        assert_eq!(make(i).log_dir(), b.log_dir());
    }
    manager.cleanup_logs();
    manager.flush_dirty_logs();
    manager.checkpoint_recovery_offsets();
    manager.checkpoint_high_watermarks();
    manager.checkpoint_log_start_offsets();
    assert!(manager.shutdown().is_err());
    drop((manager, a, b));

    // Still unplugged: the broker starts with what is left.
    let manager = fixture.open();
    assert_eq!(manager.logs().len(), 4);
    assert_eq!(manager.offline_log_dirs().len(), 1);
    manager.shutdown().unwrap();
    drop(manager);
    fs.clear_plan();
    assert_eq!(fixture.open().logs().len(), 5);
}

#[test]
fn without_any_log_dir_a_broker_does_not_start() {
    let mut fixture = Fixture::new();
    let fs = fixture.faulty();
    for operation in [FileOperation::CreateDir, FileOperation::Lock, FileOperation::ReadDir] {
        fs.set_plan(move |found, _| (found == operation).then(|| io::Error::other("no")));
        let error = fixture.try_open().unwrap_err();
        assert!(matches!(error, LogError::NoLogDir { .. }), "{operation:?}: {error}");
    }
}

/// What helps a broker that goes on does not help one that does not start.
#[test]
fn a_start_that_finds_no_room_says_so_and_not_that_reads_go_on() {
    let mut fixture = Fixture::new();
    let fs = fixture.faulty();
    for operation in [FileOperation::Lock, FileOperation::ReadDir] {
        fs.set_plan(move |found, _| (found == operation).then(no_space));
        let message = fixture.try_open().unwrap_err().to_string();
        let (reason, remedy) = message.split_once("; ").unwrap();
        assert!(reason.ends_with(&no_space().to_string()), "{message}");
        assert!(remedy.starts_with("see that they have room, ") && !remedy.contains("reads"), "{message}");
    }
}

/// Whatever operation is the one that fails, and whether the disk works again afterwards or never does, all that was
/// acknowledged is found by the next broker, in order and once, and nothing else but what was being appended.
#[test]
fn wherever_the_disk_fails_nothing_acknowledged_is_lost() {
    let mut failed_operations = HashSet::new();
    let mut n = 0;
    loop {
        let mut fixture = Fixture::with_config(|config| {
            config.segment_bytes = 400;
            config.index_interval_bytes = 0;
            config.flush_messages = 3;
        });
        let fs = fixture.faulty();
        let (count, failed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let kind = Arc::new(parking_lot::Mutex::new(None));
        let in_plan = (Arc::clone(&count), Arc::clone(&failed), Arc::clone(&kind));
        let lasting = n % 2 == 0;
        fs.set_plan(move |operation, _| {
            let (count, failed, kind) = &in_plan;
            if !operation.is_change() {
                return (lasting && failed.load(Ordering::Relaxed)).then(broken);
            }
            let i = count.fetch_add(1, Ordering::Relaxed);
            let fails = i == n || (lasting && i > n);
            if fails {
                failed.store(true, Ordering::Relaxed);
                kind.lock().get_or_insert(operation);
            }
            fails.then(broken)
        });
        let mut acknowledged = Vec::new();
        let mut attempted = Vec::new();
        if let Ok(manager) = fixture.try_open() {
            if let Ok(log) = fixture.try_log_of(&manager) {
                for i in 0..14i32 {
                    let value = i.to_be_bytes();
                    attempted.push(value);
                    let Ok(info) = try_append(&log, records(&[value])) else { break };
                    if info.needs_flush && log.flush(info.last_offset + 1).is_err() {
                        break;
                    }
                    acknowledged.push(value);
                }
            }
            // The process ends here: what it did not say to the disk, it never will.
            manager.abandon();
        }
        fs.clear_plan();
        let manager = fixture.open();
        let log = fixture.log_of(&manager);
        log.maybe_update_high_watermark(log.log_end_offset()).unwrap();
        let found = read_all(&log, 0);
        assert!(found.len() >= acknowledged.len(), "operation {n}: {} < {}", found.len(), acknowledged.len());
        assert_eq!(found, numbered(0, &attempted[..found.len()]), "operation {n}");
        append(&log, records(&["more"]));
        manager.shutdown().unwrap();
        if !failed.load(Ordering::Relaxed) {
            assert_eq!(acknowledged.len(), 14);
            break;
        }
        failed_operations.extend(*kind.lock());
        n += 1;
    }
    // The walk has met every kind of change that there is without a topic's `preallocate`.
    for operation in [FileOperation::Write, FileOperation::Sync, FileOperation::Rename] {
        assert!(failed_operations.contains(&operation), "{failed_operations:?}");
    }
}

#[test]
fn a_full_disk_refuses_writes_until_there_is_room_and_serves_reads_meanwhile() {
    let mut fixture = Fixture::new();
    let fs = fixture.faulty();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["a"]));
    log.maybe_update_high_watermark(1).unwrap();
    let file = fixture.partition_dir().join("00000000000000000000.log");
    let len = || DISK().metadata(&file).unwrap().len;
    let before = len();

    fs.set_plan(|operation, _| (operation == FileOperation::Write).then(no_space));
    for _ in 0..2 {
        let error = try_append(&log, records(&["a value that does not fit"])).unwrap_err();
        assert_eq!(error.code(), ErrorCode::KafkaStorageError);
        let message = error.to_string();
        assert!(
            message.contains(&*file.to_string_lossy()) && message.contains("make room there"),
            "{message}"
        );
        assert_eq!(len(), before, "nothing torn stays");
        assert_eq!(read_all(&log, 0), numbered(0, &["a"]));
    }
    assert!(log.is_online());
    assert!(manager.offline_log_dirs().is_empty());
    assert_eq!(manager.failures().take_next_offline_log_dir(), None);
    // Neither do checkpoints that find no room.
    fs.set_plan(|operation, _| operation.is_change().then(no_space));
    manager.checkpoint_high_watermarks();
    manager.checkpoint_recovery_offsets();
    manager.checkpoint_log_start_offsets();
    let other = manager.get_or_create_log(&TopicPartition::new("x", 0), topic_id(), Arc::default());
    assert_eq!(other.unwrap_err().code(), ErrorCode::KafkaStorageError);
    assert!(log.is_online());

    fs.clear_plan();
    append(&log, records(&["b"]));
    log.maybe_update_high_watermark(2).unwrap();
    assert_eq!(read_all(&log, 0), numbered(0, &["a", "b"]));
    // Of the log that could not be made, nothing is left that another topic of its name would stumble over.
    let id = crate::model::Uuid::from_bytes([7; 16]);
    manager.get_or_create_log(&TopicPartition::new("x", 0), id, Arc::default()).unwrap();
    manager.shutdown().unwrap();
}

#[test]
fn a_sync_of_records_that_fails_for_want_of_room_takes_the_log_dir_offline_like_any_other() {
    let mut fixture = Fixture::new();
    let fs = fixture.faulty();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["a"]));
    // Small files are written anew, each time from its beginning.
    let is_of_records = |path: &std::path::Path| path.extension().is_some_and(|kind| kind == "log");
    fs.set_plan(move |operation, path| {
        (operation == FileOperation::Sync && is_of_records(path)).then(no_space)
    });
    assert_eq!(log.flush_to_end().unwrap_err().code(), ErrorCode::KafkaStorageError);
    assert!(!log.is_online());
}

/// Whatever operation is the one that finds the disk full, the log goes on where it was once there is room.
#[test]
fn wherever_the_disk_is_full_the_log_goes_on_when_there_is_room() {
    let mut full_operations = HashSet::new();
    let mut n = 0;
    loop {
        let mut fixture = Fixture::with_config(|config| {
            config.segment_bytes = 400;
            config.index_interval_bytes = 0;
            config.preallocate = n % 2 == 0;
        });
        let fs = fixture.faulty();
        let manager = fixture.open();
        let log = fixture.log_of(&manager);
        let count = Arc::new(AtomicUsize::new(0));
        let kind = Arc::new(parking_lot::Mutex::new(None));
        let in_plan = (Arc::clone(&count), Arc::clone(&kind));
        fs.set_plan(move |operation, _| {
            let (count, kind) = &in_plan;
            // A full disk takes no new file either.
            let takes_room = operation.is_change() || operation == FileOperation::Open;
            let fails = takes_room && count.fetch_add(1, Ordering::Relaxed) == n;
            fails.then(|| {
                kind.lock().get_or_insert(operation);
                no_space()
            })
        });
        let mut values = Vec::new();
        let mut write = |value: &[u8], make: &dyn Fn() -> ValidatedRecords| {
            while let Err(error) = try_append(&log, make()) {
                assert!(error.is_disk_full(), "operation {n}: {error}");
            }
            values.push(value.to_vec());
        };
        let marker_value = [0; 6];
        for i in 0..7u8 {
            write(&[i], &|| records(&[[i]]));
            write(b"v", &|| idempotent(9, 0, i32::from(i), 1).transactional().build());
            write(&marker_value, &|| marker(9, 0, i % 3 == 0));
        }
        fs.clear_plan();
        assert!(log.is_online(), "operation {n}");
        let expected = numbered(0, &values);
        let aborted: Vec<_> = [1, 2, 4, 5].map(|i| (3 * i + 1, 3 * i + 2)).into();
        end_is_seen(&log);
        assert_eq!(read_all(&log, 0), expected, "operation {n}");
        assert_eq!(aborted_txns(&log), aborted, "operation {n}");
        // After a crash, and after a clean stop.
        manager.abandon();
        drop((manager, log));
        for _ in 0..2 {
            let manager = fixture.open();
            let log = fixture.log_of(&manager);
            end_is_seen(&log);
            assert_eq!(read_all(&log, 0), expected, "operation {n}");
            assert_eq!(aborted_txns(&log), aborted, "operation {n}");
            manager.shutdown().unwrap();
            assert_eq!(size_of_txn_indexes(&fixture), 34 * aborted.len(), "operation {n}");
        }
        let Some(operation) = *kind.lock() else { break };
        full_operations.insert(operation);
        n += 1;
    }
    for operation in [FileOperation::Open, FileOperation::Write, FileOperation::Allocate] {
        assert!(full_operations.contains(&operation), "{full_operations:?}");
    }
}

/// With the active segment, which cannot be replaced then, everything stayed, and no room was ever made.
#[test]
fn on_a_full_disk_old_segments_go_although_the_active_one_is_as_old_and_cannot_be_replaced() {
    let mut fixture = Fixture::with_config(|config| config.retention_ms = 1_000);
    let fs = fixture.faulty();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    for i in 0..4 {
        append(&log, idempotent(9, 0, i, 1).build());
        if i < 3 {
            log.roll().unwrap();
        }
    }
    log.flush_to_end().unwrap();
    fixture.clock.advance(std::time::Duration::from_secs(10));
    fs.set_plan(|operation, _| (operation == FileOperation::Write).then(no_space));
    while log.number_of_segments() > 1 {
        assert!(log.delete_old_segments().unwrap() > 0);
    }
    assert!(log.is_online());
    assert_eq!(log.log_start_offset(), 3);
    assert!(log.delete_old_segments().unwrap_err().is_disk_full());
    fs.clear_plan();
    assert_eq!(log.delete_old_segments().unwrap(), 1);
    assert_eq!((log.log_start_offset(), log.log_end_offset()), (4, 4));
    append(&log, records(&["a"]));
    manager.shutdown().unwrap();
}

/// The segments were out of the log and waited for nothing: their files stayed until the next start.
#[test]
fn on_a_full_disk_old_segments_go_although_there_is_no_room_for_other_names() {
    let mut fixture = Fixture::with_config(|config| config.retention_bytes = 0);
    let fs = fixture.faulty();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    for i in 0..4 {
        append(&log, idempotent(9, 0, i, 1).build());
        log.roll().unwrap();
    }
    log.flush_to_end().unwrap();
    let offset_of = |name: &String| file_names::offset_of(name).filter(|_| !name.ends_with("snapshot"));
    let oldest = || fixture.files().iter().filter_map(offset_of).min();
    let snapshots = || fixture.files().iter().filter(|name| name.contains("snapshot")).count();
    assert_eq!((oldest(), snapshots()), (Some(0), 4));
    fs.set_plan(|operation, _| (operation == FileOperation::Rename).then(no_space));
    while log.number_of_segments() > 1 {
        assert!(log.delete_old_segments().unwrap() > 0);
    }
    assert!(log.is_online());
    assert_eq!((oldest(), snapshots()), (Some(4), 1));
    manager.shutdown().unwrap_err();
}

/// The marker had room in the last block of its file, and the index, which comes with the first transaction that is
/// aborted, had none: the log dir went offline for good.
#[test]
fn a_transaction_that_cannot_be_aborted_for_want_of_room_is_aborted_when_there_is_room() {
    for full in [TXN_INDEX, LOG] {
        for operation in [FileOperation::Open, FileOperation::Write] {
            let mut fixture = Fixture::new();
            let fs = fixture.faulty();
            let manager = fixture.open();
            let log = fixture.log_of(&manager);
            append(&log, idempotent(9, 0, 0, 1).transactional().build());
            fs.set_plan(move |asked, path| {
                (asked == operation && path.to_string_lossy().ends_with(full)).then(no_space)
            });
            // The file with the records is open already.
            if (full, operation) != (LOG, FileOperation::Open) {
                for _ in 0..2 {
                    assert!(try_append(&log, marker(9, 0, false)).unwrap_err().is_disk_full());
                    assert_eq!((log.log_end_offset(), log.is_online()), (1, true));
                    assert_eq!(size_of_txn_indexes(&fixture), 0, "nothing stays of what was refused");
                }
            }
            fs.clear_plan();
            append(&log, marker(9, 0, false));
            assert_eq!(log.last_stable_offset(), 2);
            assert_eq!(aborted_txns(&log), [(0, 1)]);
            manager.shutdown().unwrap();
            assert_eq!(size_of_txn_indexes(&fixture), 34);
        }
    }
}

/// Of the active segment's indexes, the last entries were in memory. With no room for them, the log dir went offline.
#[test]
fn a_log_is_opened_after_a_crash_although_there_is_no_room_for_what_was_in_memory() {
    let mut fixture = Fixture::with_config(|config| {
        config.segment_bytes = 400;
        config.index_interval_bytes = 0;
    });
    let fs = fixture.faulty();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    for i in 0..20 {
        append(&log, idempotent(9, 0, i, 1).build());
    }
    let active = log.segments().active().base_offset();
    assert!(active > 0);
    manager.abandon();
    drop((manager, log));
    let known = fixture.files();
    fs.set_plan(move |operation, path| {
        let name = path.file_name().unwrap().to_string_lossy();
        let is_of_active = file_names::offset_of(&name) == Some(active);
        let is_new = !known.iter().any(|known| *known == name);
        (operation == FileOperation::Write && (is_of_active || is_new)).then(no_space)
    });
    for _ in 0..2 {
        let manager = fixture.open();
        let log = fixture.log_of(&manager);
        end_is_seen(&log);
        assert_eq!(read_all(&log, 0), numbered(0, &["v"; 20]));
        assert!(try_append(&log, idempotent(9, 0, 20, 1).build()).unwrap_err().is_disk_full());
        assert!(manager.shutdown().unwrap_err().is_disk_full());
    }
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    fs.clear_plan();
    for i in 20..40 {
        append(&log, idempotent(9, 0, i, 1).build());
    }
    manager.shutdown().unwrap();
    drop((manager, log));
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    assert!(log.had_clean_shutdown());
    end_is_seen(&log);
    assert_eq!(read_all(&log, 0), numbered(0, &["v"; 40]));
    // Its producer is known.
    append(&log, idempotent(9, 0, 40, 1).build());
    manager.shutdown().unwrap();
}

#[test]
fn a_log_is_deleted_although_there_is_no_room_for_another_name() {
    let mut fixture = Fixture::new();
    let fs = fixture.faulty();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["a"]));
    fs.set_plan(|operation, _| (operation == FileOperation::Rename).then(no_space));
    assert!(manager.delete(log.topic_partition()).unwrap());
    assert!(manager.offline_log_dirs().is_empty());
    assert!(!DISK().exists(&fixture.partition_dir()).unwrap());
    fs.clear_plan();
    let log = fixture.log_of(&manager);
    append(&log, records(&["b"]));
    end_is_seen(&log);
    assert_eq!(read_all(&log, 0), numbered(0, &["b"]));
    manager.shutdown().unwrap();
}

#[cfg(unix)]
#[test]
fn running_out_of_descriptors_fails_the_call_and_blames_no_disk() {
    let mut fixture = Fixture::with_config(|config| {
        config.segment_bytes = 300;
        config.index_interval_bytes = 0;
    });
    let fs = fixture.faulty();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    let mut expected = Vec::new();
    for i in 0..12u8 {
        // EMFILE, first where an index is made, then where a segment is.
        fs.set_plan(|operation, _| {
            (operation == FileOperation::Open).then(|| io::Error::from_raw_os_error(24))
        });
        while try_append(&log, records(&[[i]])).is_ok() {
            expected.push([i]);
        }
        assert!(log.is_online());
        fs.clear_plan();
        try_append(&log, records(&[[i]])).unwrap();
        expected.push([i]);
    }
    log.maybe_update_high_watermark(log.log_end_offset()).unwrap();
    assert_eq!(read_all(&log, 0), numbered(0, &expected));
    manager.abandon();
    drop((manager, log));
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    log.maybe_update_high_watermark(log.log_end_offset()).unwrap();
    assert_eq!(read_all(&log, 0), numbered(0, &expected));
}

/// The flush that found no descriptor for the directory said so; the next one took the directory for synced.
#[cfg(unix)]
#[test]
fn names_that_a_flush_could_not_make_durable_for_want_of_a_descriptor_are_so_with_the_next() {
    let mut fixture = Fixture::new();
    let disk = CrashFileSystem::recording(fixture.clock.clone());
    let fs = Arc::new(FaultyFileSystem::new(Arc::new(disk.clone())));
    fixture.fs = fs.clone();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["a"]));
    log.flush_to_end().unwrap();
    log.roll().unwrap();
    append(&log, records(&["b"]));
    let dir = fixture.partition_dir();
    fs.set_plan(move |operation, path| {
        (operation == FileOperation::Sync && path == dir).then(|| io::Error::from_raw_os_error(24))
    });
    assert!(log.flush_to_end().is_err());
    assert!(log.is_online());
    fs.clear_plan();
    log.flush_to_end().unwrap();
    manager.checkpoint_recovery_offsets();
    manager.abandon();
    drop((manager, log));
    disk.crash(Loss::Names);
    fixture.fs = Arc::new(disk);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    log.maybe_update_high_watermark(log.log_end_offset()).unwrap();
    assert_eq!(read_all(&log, 0), numbered(0, &[[b'a'], [b'b']]));
}

#[test]
fn readers_of_what_is_being_deleted_are_told_so_and_blame_no_disk() {
    let fixture = Fixture::with_config(|config| {
        config.segment_bytes = 300;
        config.file_delete_delay_ms = 0;
    });
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    for i in 0..400 {
        append(&log, records_at(&["a"], START_MS + i));
    }
    manager.shutdown().unwrap();
    drop((manager, log));
    // No file is open now: each is opened by its reader, while another thread removes them.
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    std::thread::scope(|scope| {
        for reader in 0..2 {
            let log = &log;
            scope.spawn(move || {
                for offset in (reader..400).rev() {
                    match log.read(&read_params(offset)) {
                        Ok(info) => assert!(info.size() > 0),
                        Err(error) => assert_eq!(error.code(), ErrorCode::OffsetOutOfRange, "{error}"),
                    }
                    let found = log.fetch_offset_by_timestamp(START_MS + offset).unwrap();
                    assert!(found.is_some_and(|found| found.offset >= offset));
                }
            });
        }
        scope.spawn(|| {
            for start in (0..399).step_by(7) {
                log.maybe_increment_log_start_offset(start).unwrap();
                manager.cleanup_logs();
                manager.delete_logs();
            }
        });
    });
    assert!(log.is_online());
}
