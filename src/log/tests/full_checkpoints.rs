//! Small files that are replaced as a whole, on a disk that has no room for the new one.

use std::io;

use super::fixture::*;
use crate::log::file_names::{
    HIGH_WATERMARK_CHECKPOINT, LEADER_EPOCH_CHECKPOINT, LOG_START_OFFSET_CHECKPOINT,
    RECOVERY_POINT_CHECKPOINT, TEMPORARY,
};
use crate::log::{AppendParams, Log, LogError, LogManager};
use crate::record::AppendOrigin;
use crate::sys::FileSystem;
use crate::testkit::FileOperation;

/// Lets each of the files have something new.
fn go_on(log: &Log, leader_epoch: i32) {
    let params = AppendParams { records: records(&["a", "b"]), origin: AppendOrigin::Client, leader_epoch };
    log.append_as_leader(params).unwrap();
    log.maybe_update_high_watermark(log.log_end_offset()).unwrap();
    log.maybe_increment_log_start_offset(log.log_end_offset() - 1).unwrap();
}

fn write_down(manager: &LogManager, log: &Log) -> Result<(), LogError> {
    let flushed = log.flush_to_end();
    manager.checkpoint_recovery_offsets();
    manager.checkpoint_log_start_offsets();
    manager.checkpoint_high_watermarks();
    flushed
}

#[test]
fn a_checkpoint_that_finds_no_room_leaves_the_old_one_whole_and_nothing_beside_it() {
    let of_log_dir = [RECOVERY_POINT_CHECKPOINT, LOG_START_OFFSET_CHECKPOINT, HIGH_WATERMARK_CHECKPOINT];
    for name in of_log_dir.into_iter().chain([LEADER_EPOCH_CHECKPOINT]) {
        for refused in [FileOperation::Open, FileOperation::Write, FileOperation::Sync] {
            let what = format!("{refused:?} of {name}");
            let mut fixture = Fixture::new();
            let fs = fixture.faulty();
            let manager = fixture.open();
            let log = fixture.log_of(&manager);
            go_on(&log, 1);
            write_down(&manager, &log).unwrap();
            let dir = if of_log_dir.contains(&name) { fixture.log_dir(0) } else { fixture.partition_dir() };
            let (path, temporary) = (dir.join(name), dir.join(format!("{name}{TEMPORARY}")));
            let old = read_file(&path);

            go_on(&log, 2);
            let full = temporary.clone();
            fs.set_plan(move |operation, path| {
                (operation == refused && path == full).then(|| io::Error::from(io::ErrorKind::StorageFull))
            });
            match write_down(&manager, &log) {
                Ok(()) => assert_ne!(name, LEADER_EPOCH_CHECKPOINT, "{what}"),
                Err(error) => {
                    assert!(error.is_disk_full() && name == LEADER_EPOCH_CHECKPOINT, "{what}: {error}")
                }
            }
            assert_eq!(read_file(&path), old, "{what}");
            assert!(!DISK().exists(&temporary).unwrap(), "{what}");
            assert!(manager.offline_log_dirs().is_empty(), "{what}");

            fs.clear_plan();
            write_down(&manager, &log).unwrap();
            assert_ne!(read_file(&path), old, "{what}");
            manager.shutdown().unwrap();
        }
    }
}
