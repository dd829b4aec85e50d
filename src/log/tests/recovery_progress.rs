use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::ThreadId;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::fixture::*;
use crate::log::file_names::{LOG, of_offset};
use crate::log::{LogManager, RecoveryProgress};
use crate::model::TopicPartition;
use crate::testkit::{FaultyFileSystem, FileOperation};

const LOGS: i32 = 8;

/// A log dir, or several, with logs of three segments each, that were not closed in order.
fn after_a_crash(log_dirs: usize) -> (Fixture, u64) {
    let mut fixture = Fixture::with_config(|config| {
        config.segment_bytes = i32::try_from(records(&["a"]).size_in_bytes()).unwrap();
    });
    fixture.log_dirs = log_dirs;
    let manager = fixture.open();
    let mut bytes = 0;
    for i in 0..LOGS {
        let config = Arc::new(fixture.config.clone());
        let log = manager.get_or_create_log(&TopicPartition::new("t", i), topic_id(), config).unwrap();
        for _ in 0..3 {
            append(&log, records(&["a"]));
        }
        bytes += log.size();
    }
    manager.abandon();
    (fixture, bytes)
}

/// What is told while the log dirs are opened.
fn heard(fixture: &mut Fixture) -> (LogManager, Vec<RecoveryProgress>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&heard);
    fixture.on_recovery =
        Some(Arc::new(move |progress: &RecoveryProgress| tell.lock().push(progress.clone())));
    let manager = fixture.open();
    let heard = std::mem::take(&mut *heard.lock());
    (manager, heard)
}

#[test]
fn what_remains_to_be_recovered_is_told_from_all_of_it_down_to_nothing() {
    let (mut fixture, bytes) = after_a_crash(1);
    let (_manager, heard) = heard(&mut fixture);
    let first = heard.first().unwrap();
    assert_eq!(first.log_dir, fixture.log_dir(0));
    assert_eq!((first.logs, first.remaining_logs), (8, 8));
    assert_eq!((first.segments, first.remaining_segments), (24, 24));
    assert_eq!((first.bytes, first.remaining_bytes), (bytes, bytes));
    for (before, after) in heard.iter().zip(heard.iter().skip(1)) {
        assert_eq!((after.logs, after.segments, after.bytes), (8, 24, bytes), "totals were known before");
        assert!(after.remaining_logs <= before.remaining_logs, "{before:?} then {after:?}");
        assert!(after.remaining_segments <= before.remaining_segments, "{before:?} then {after:?}");
        assert!(after.remaining_bytes <= before.remaining_bytes, "{before:?} then {after:?}");
    }
    let last = heard.last().unwrap();
    assert!(last.is_done());
    assert_eq!((last.remaining_segments, last.remaining_bytes), (0, 0));
    assert_eq!(heard.iter().filter(|progress| progress.is_done()).count(), 1);
}

#[test]
fn each_log_dir_is_told_of_by_itself() {
    let (mut fixture, bytes) = after_a_crash(2);
    let (_manager, heard) = heard(&mut fixture);
    let of = |i| heard.iter().filter(|progress| progress.log_dir == fixture.log_dir(i)).collect::<Vec<_>>();
    let (first, second) = (of(0), of(1));
    assert_eq!(first[0].bytes + second[0].bytes, bytes);
    assert_eq!((first[0].logs, second[0].logs), (4, 4));
    assert!(first.last().unwrap().is_done() && second.last().unwrap().is_done());
}

#[test]
fn nothing_is_told_where_nothing_is_to_be_recovered() {
    let mut fixture = Fixture::new();
    let (manager, new) = heard(&mut fixture);
    append(&fixture.log_of(&manager), records(&["a"]));
    manager.shutdown().unwrap();
    drop(manager);
    let (_manager, closed) = heard(&mut fixture);
    assert_eq!((new, closed), (Vec::new(), Vec::new()));
}

#[test]
fn only_what_lies_behind_the_recovery_point_is_counted() {
    let fixture = Fixture::with_config(|config| {
        config.segment_bytes = i32::try_from(records(&["a"]).size_in_bytes()).unwrap();
    });
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    for _ in 0..5 {
        append(&log, records(&["a"]));
    }
    let size = log.size() / 5;
    log.flush_to_end().unwrap();
    manager.checkpoint_recovery_offsets();
    append(&log, records(&["a"]));
    manager.abandon();
    drop((manager, log));
    let mut fixture = fixture;
    let (_manager, heard) = heard(&mut fixture);
    // The one that was active at the recovery point, and the one behind it.
    assert_eq!((heard[0].segments, heard[0].bytes), (2, 2 * size));
}

#[test]
fn a_log_that_turns_out_to_need_recovery_after_a_clean_stop_is_told_of_too() {
    let mut fixture = Fixture::new();
    let manager = fixture.open();
    append(&fixture.log_of(&manager), records(&["a"]));
    manager.shutdown().unwrap();
    drop(manager);
    let path = fixture.partition_dir().join(of_offset(0, LOG));
    let mut content = read_file(&path);
    content.extend_from_slice(&[1; 7]);
    write_file(&path, &content);
    write_file(&fixture.partition_dir().join("leader-epoch-checkpoint"), b"nonsense");
    let (_manager, heard) = heard(&mut fixture);
    assert_eq!((heard[0].logs, heard[0].remaining_logs, heard[0].segments), (1, 1, 1));
    assert_eq!(heard[0].bytes, content.len() as u64);
    assert!(heard.last().unwrap().is_done());
}

/// Which threads have read logs in which log dir.
#[derive(Default)]
struct Meeting {
    present: Mutex<HashSet<(PathBuf, ThreadId)>>,
    came: Condvar,
}

impl Meeting {
    /// Waits until so many are here; the time is for a test that fails.
    fn wait_for(&self, count: usize, dir: &Path) {
        let mut present = self.present.lock();
        present.insert((dir.to_owned(), std::thread::current().id()));
        self.came.notify_all();
        while present.len() < count && !self.came.wait_for(&mut present, Duration::from_secs(20)).timed_out()
        {
        }
    }
}

#[test]
fn each_log_dir_is_recovered_by_as_many_threads_as_the_setting_says_at_the_same_time() {
    let (mut fixture, _) = after_a_crash(2);
    let meeting = Arc::new(Meeting::default());
    let fs = Arc::new(FaultyFileSystem::new(Arc::new(DISK())));
    let (at, dirs) = (Arc::clone(&meeting), [fixture.log_dir(0), fixture.log_dir(1)]);
    // Two threads for each of two log dirs: they are all on their way before any of them goes on.
    fs.set_plan(move |operation, path| {
        if operation == FileOperation::Read && path.extension().is_some_and(|end| end == "log") {
            at.wait_for(4, dirs.iter().find(|dir| path.starts_with(dir)).unwrap());
        }
        None
    });
    fixture.fs = fs;
    let manager = fixture.open();
    assert_eq!(manager.logs().len(), usize::try_from(LOGS).unwrap());
    let present = meeting.present.lock();
    for i in 0..2 {
        assert_eq!(present.iter().filter(|(dir, _)| *dir == fixture.log_dir(i)).count(), 2, "{present:?}");
    }
    let threads: HashSet<&ThreadId> = present.iter().map(|(_, thread)| thread).collect();
    assert_eq!(threads.len(), 4, "each has its own");
}
