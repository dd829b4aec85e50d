//! Work that ends in a panic, on one log among many: a log dir goes offline for it, and nothing is missing without a word.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fixture::*;
use crate::log::LogManager;
use crate::log::file_names::CLEAN_SHUTDOWN;
use crate::model::{ErrorCode, TopicPartition};
use crate::sys::FileSystem;
use crate::testkit::{FaultyFileSystem, FileOperation};

const LOGS: i32 = 8;

/// Log dirs with eight logs; the disk panics where it is told to.
fn with_logs(log_dirs: usize) -> (Fixture, Arc<FaultyFileSystem>, LogManager) {
    let mut fixture = Fixture::new();
    fixture.log_dirs = log_dirs;
    let fs = Arc::new(FaultyFileSystem::new(Arc::new(DISK())));
    fixture.fs = fs.clone();
    let manager = fixture.open();
    for i in 0..LOGS {
        let config = Arc::new(fixture.config.clone());
        let partition = TopicPartition::new("t", i);
        append(&manager.get_or_create_log(&partition, topic_id(), config).unwrap(), records(&["a"]));
    }
    (fixture, fs, manager)
}

fn panic_at(fs: &FaultyFileSystem, operation: FileOperation, dir: &Path) {
    let dir = dir.to_owned();
    fs.set_plan(move |found, path| {
        assert!(found != operation || !path.starts_with(&dir), "nobody thought of this");
        None
    });
}

/// The directory of one of the logs.
fn dir_of(manager: &LogManager, partition: i32) -> PathBuf {
    manager.log(&TopicPartition::new("t", partition)).unwrap().dir.path()
}

#[test]
fn a_log_whose_recovery_panics_takes_its_log_dir_offline_and_those_of_the_others_are_opened() {
    // While the work is planned, and while it is done.
    for operation in [FileOperation::ReadDir, FileOperation::Read] {
        let (fixture, fs, manager) = with_logs(2);
        let broken = dir_of(&manager, 5);
        manager.abandon();
        drop(manager);
        panic_at(&fs, operation, &broken);

        let manager = fixture.open();
        let log_dir = broken.parent().unwrap();
        assert_eq!(manager.offline_log_dirs(), [log_dir]);
        let told = manager.describe_log_dirs().into_iter().find(|dir| dir.path == log_dir).unwrap();
        let reason = told.offline.unwrap();
        assert!(
            reason.contains(broken.to_str().unwrap()) && reason.contains("nobody thought of this"),
            "{reason}"
        );
        let logs = manager.logs();
        assert_eq!(logs.len(), 4, "those of the other log dir");
        assert!(logs.iter().all(|log| log.log_dir() != log_dir && log.log_end_offset() == 1));
        // The next start finds everything.
        manager.shutdown().unwrap_err();
        drop((manager, logs));
        fs.clear_plan();
        let manager = fixture.open();
        assert_eq!(manager.logs().len(), 8);
    }
}

#[test]
fn a_broker_with_one_log_dir_does_not_start_if_the_recovery_of_a_log_panics_and_says_which() {
    let (fixture, fs, manager) = with_logs(1);
    let broken = dir_of(&manager, 2);
    manager.abandon();
    drop(manager);
    panic_at(&fs, FileOperation::Read, &broken);
    let error = fixture.try_open().unwrap_err();
    assert_eq!(error.code(), ErrorCode::KafkaStorageError);
    let text = error.to_string();
    assert!(text.contains(broken.to_str().unwrap()) && text.contains("panic"), "{text}");
}

#[test]
fn a_log_dir_in_which_the_end_of_a_log_panics_is_not_marked_as_closed_in_order() {
    let (fixture, fs, manager) = with_logs(2);
    let broken = dir_of(&manager, 3);
    panic_at(&fs, FileOperation::Sync, &broken);
    let text = manager.shutdown().unwrap_err().to_string();
    assert!(text.contains(broken.to_str().unwrap()), "{text}");
    for i in 0..2 {
        let dir = fixture.log_dir(i);
        let is_marked = DISK().exists(&dir.join(CLEAN_SHUTDOWN)).unwrap();
        assert_eq!(is_marked, !broken.starts_with(&dir));
    }
}

#[test]
fn a_listener_of_recovery_that_panics_ends_no_process() {
    let (mut fixture, _, manager) = with_logs(1);
    manager.abandon();
    drop(manager);
    fixture.on_recovery = Some(Arc::new(|progress| assert_eq!(progress.remaining_logs, progress.logs)));
    let text = fixture.try_open().unwrap_err().to_string();
    assert!(text.contains("panic"), "{text}");
}
