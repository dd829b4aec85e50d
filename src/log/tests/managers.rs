use std::sync::Arc;
use std::time::Duration;

use super::fixture::*;
use crate::log::{Log, LogError, LogManager};
use crate::model::{ErrorCode, TopicPartition, Uuid};
use crate::sys::FileSystem;
use crate::testkit::FaultyFileSystem;

fn make(fixture: &Fixture, manager: &LogManager, topic: &str, i: i32) -> Arc<Log> {
    let partition = TopicPartition::new(topic, i);
    manager.get_or_create_log(&partition, topic_id(), Arc::new(fixture.config.clone())).unwrap()
}

#[test]
fn a_new_log_goes_where_there_are_the_fewest() {
    let mut fixture = Fixture::new();
    fixture.log_dirs = 3;
    let manager = fixture.open();
    for i in 0..9 {
        make(&fixture, &manager, "t", i);
    }
    let counts: Vec<usize> = manager.describe_log_dirs().iter().map(|dir| dir.partitions.len()).collect();
    assert_eq!(counts, [3, 3, 3]);
    manager.shutdown().unwrap();
    drop(manager);
    let manager = fixture.open();
    assert_eq!(manager.logs().len(), 9);
    let ids: Vec<Uuid> = manager.describe_log_dirs().iter().map(|dir| dir.directory_id).collect();
    assert!(ids.iter().all(|id| !id.is_zero()) && ids[0] != ids[1]);
}

#[test]
fn a_log_dir_belongs_to_one_broker_at_a_time() {
    let fixture = Fixture::new();
    let manager = fixture.open();
    let error = fixture.try_open().unwrap_err();
    assert!(matches!(error, LogError::LogDirInUse { .. }), "{error}");
    manager.shutdown().unwrap();
    fixture.open().shutdown().unwrap();
}

#[test]
fn a_log_dir_belongs_to_one_broker_and_one_cluster() {
    let fixture = Fixture::new();
    let manager = fixture.open();
    let cluster_id = manager.cluster_id().to_owned();
    manager.shutdown().unwrap();
    drop(manager);
    assert_eq!(fixture.open().cluster_id(), cluster_id);

    let path = fixture.log_dir(0).join("meta.properties");
    let text = String::from_utf8(read_file(&path)).unwrap();
    let rewrite = |text: &str| write_file(&path, text.as_bytes());
    rewrite(&text.replace("node.id=1", "node.id=2"));
    let error = fixture.try_open().unwrap_err();
    assert!(error.to_string().contains("node.id=2, but 1 is expected"), "{error}");
    // One that a broker of a ZooKeeper cluster wrote is kept as such.
    rewrite("version=0\nbroker.id=1\ncluster.id=abc\n");
    assert_eq!(fixture.open().cluster_id(), "abc");
    let text = String::from_utf8(read_file(&path)).unwrap();
    assert!(text.contains("version=0\nbroker.id=1\ncluster.id=abc\ndirectory.id="), "{text}");
}

#[test]
fn a_deleted_log_is_gone_at_once_and_its_files_after_the_delay() {
    let fixture = Fixture::with_config(|config| config.file_delete_delay_ms = 1_000);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["a"]));
    let slice = log.read(&read_params(0)).unwrap().records.unwrap();
    assert!(manager.delete(&partition()).unwrap());
    assert!(!manager.delete(&partition()).unwrap());
    assert!(manager.log(&partition()).is_none());
    assert!(!fixture.partition_dir().exists());
    assert!(matches!(try_append(&log, records(&["b"])), Err(LogError::Closed { .. })));
    // A reader that holds on to it reads on.
    assert_eq!(read_all(&log, 0).len(), 1);

    let again = fixture.log_of(&manager);
    assert_eq!(again.log_end_offset(), 0);
    let dirs = || DISK().read_dir(&fixture.log_dir(0)).unwrap().iter().filter(|entry| entry.is_dir).count();
    assert_eq!(dirs(), 2);
    fixture.clock.advance(Duration::from_millis(1_000));
    assert_eq!(manager.delete_logs(), None);
    assert_eq!(dirs(), 1);
    assert_eq!(slice.read().unwrap().len(), slice.size());
}

#[test]
fn a_directory_that_was_being_deleted_is_removed_by_the_next_broker() {
    let fixture = Fixture::new();
    let manager = fixture.open();
    fixture.log_of(&manager);
    manager.delete(&partition()).unwrap();
    manager.shutdown().unwrap();
    drop(manager);
    let manager = fixture.open();
    assert!(manager.logs().is_empty());
    manager.delete_logs();
    assert!(DISK().read_dir(&fixture.log_dir(0)).unwrap().iter().all(|entry| !entry.is_dir));
}

#[test]
fn a_topic_made_again_does_not_inherit_the_checkpoints_of_the_old_one() {
    let fixture = Fixture::new();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["a", "b", "c"]));
    log.maybe_increment_log_start_offset(3).unwrap();
    log.flush_to_end().unwrap();
    manager.checkpoint_recovery_offsets();
    manager.checkpoint_log_start_offsets();
    manager.checkpoint_high_watermarks();
    manager.delete(&partition()).unwrap();
    let log = fixture.log_of(&manager);
    append(&log, records(&["new"]));
    manager.abandon();
    drop((manager, log));
    let manager = fixture.open();
    let log = manager.log(&partition()).unwrap();
    assert_eq!((log.log_start_offset(), log.log_end_offset(), log.recovery_point()), (0, 1, 0));
}

#[test]
fn a_log_of_another_topic_of_the_same_name_is_refused() {
    let fixture = Fixture::new();
    let manager = fixture.open();
    fixture.log_of(&manager);
    let other = manager.get_or_create_log(&partition(), Uuid::from_bytes([8; 16]), Arc::default());
    assert_eq!(other.unwrap_err().code(), ErrorCode::InconsistentTopicId);
    assert!(manager.get_or_create_log(&partition(), Uuid::ZERO, Arc::default()).is_ok());
}

#[test]
fn a_partition_in_two_log_dirs_is_named_unless_one_is_empty() {
    let mut fixture = Fixture::new();
    fixture.log_dirs = 2;
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["a"]));
    assert_eq!(log.log_dir(), fixture.log_dir(0));
    manager.shutdown().unwrap();
    drop((manager, log));
    let second = fixture.log_dir(1).join(partition().to_string());
    DISK().create_dir_all(&second).unwrap();
    let manager = fixture.open();
    assert_eq!(manager.log(&partition()).unwrap().log_dir(), fixture.log_dir(0));
    manager.delete_logs();
    manager.shutdown().unwrap();
    drop(manager);
    assert!(!DISK().exists(&second).unwrap());

    DISK().create_dir_all(&second).unwrap();
    let segment = "00000000000000000000.log";
    write_file(&second.join(segment), &read_file(&fixture.partition_dir().join(segment)));
    let error = fixture.try_open().unwrap_err();
    assert!(error.to_string().starts_with("orders-eu-3 is in two log dirs"), "{error}");
}

#[test]
fn a_log_that_may_be_in_an_offline_log_dir_is_not_begun_anew() {
    let mut fixture = Fixture::new();
    fixture.log_dirs = 2;
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["a"]));
    manager.shutdown().unwrap();
    drop((manager, log));
    let fs = Arc::new(FaultyFileSystem::new(Arc::new(DISK())));
    let broken = fixture.log_dir(0);
    fs.set_plan(move |_, path| path.starts_with(&broken).then(|| std::io::Error::other("unplugged")));
    fixture.fs = fs.clone();
    let manager = fixture.open();
    manager.note_missing(partition(), topic_id());
    let error = fixture.try_log_of(&manager).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KafkaStorageError);
    make(&fixture, &manager, "new", 0);
    manager.shutdown().unwrap();
    drop(manager);
    fs.clear_plan();
    let manager = fixture.open();
    manager.note_missing(partition(), topic_id());
    assert_eq!(fixture.log_of(&manager).log_end_offset(), 1);
}

#[test]
fn high_watermarks_are_where_their_checkpoint_says_but_within_the_log() {
    let fixture = Fixture::new();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["a", "b"]));
    try_append(&log, records(&["c"])).unwrap();
    manager.shutdown().unwrap();
    drop((manager, log));
    let manager = fixture.open();
    let log = manager.log(&partition()).unwrap();
    assert_eq!((log.high_watermark(), log.log_end_offset()), (2, 3));
    assert_eq!(read_all(&log, 0).len(), 2);
    assert_eq!(log.update_high_watermark(99).unwrap(), 3);
}

#[test]
fn many_partitions_are_loaded_on_several_threads() {
    let mut fixture = Fixture::new();
    fixture.log_dirs = 2;
    let manager = fixture.open();
    for i in 0..40 {
        let log = make(&fixture, &manager, "t", i);
        append(&log, records(&[i.to_string()]));
    }
    manager.abandon();
    drop(manager);
    let manager = fixture.open();
    for i in 0..40 {
        let log = manager.log(&TopicPartition::new("t", i)).unwrap();
        log.maybe_update_high_watermark(1).unwrap();
        assert_eq!(read_all(&log, 0), numbered(0, &[i.to_string()]));
    }
}

/// What was refused was not tried again: the directory stayed until the next start, or came back with a power loss.
#[cfg(unix)]
#[test]
fn a_deleted_log_that_cannot_be_removed_for_want_of_descriptors_is_removed_later() {
    use crate::testkit::{CrashFileSystem, FileOperation, Loss};

    let no_descriptor = || std::io::Error::from_raw_os_error(24);
    // When it is renamed, and when it is removed.
    for refused in [FileOperation::Sync, FileOperation::Remove] {
        let mut fixture = Fixture::with_config(|config| config.file_delete_delay_ms = 60_000);
        let disk = CrashFileSystem::recording(fixture.clock.clone());
        let fs = Arc::new(FaultyFileSystem::new(Arc::new(disk.clone())));
        fixture.fs = fs.clone();
        let manager = fixture.open();
        let log = fixture.log_of(&manager);
        append(&log, records(&["a"]));
        fs.set_plan(move |operation, _| (operation == refused).then(no_descriptor));
        assert_eq!(manager.delete(&partition()).is_err(), refused == FileOperation::Sync);
        let dirs = || {
            let entries = disk.read_dir(&fixture.log_dir(0)).unwrap();
            entries.iter().filter(|entry| entry.is_dir).count()
        };
        fixture.clock.advance(Duration::from_secs(60));
        manager.delete_logs();
        assert_eq!(dirs(), usize::from(refused == FileOperation::Remove));
        fs.clear_plan();
        fixture.clock.advance(Duration::from_secs(60));
        manager.delete_logs();
        assert!(manager.offline_log_dirs().is_empty());
        manager.abandon();
        disk.crash(Loss::Names);
        assert_eq!(dirs(), 0);
    }
}
