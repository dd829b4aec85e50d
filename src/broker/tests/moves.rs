//! How many partitions move between log dirs at the same time.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use parking_lot::Condvar;

use super::*;
use crate::sys::OsFileSystem;
use crate::testkit::{FaultyFileSystem, FileOperation};

const PARTITIONS: i32 = 4;

/// The copies that were begun and are not in their places yet, by their directories.
#[derive(Default)]
struct UnderWay {
    now: BTreeSet<PathBuf>,
    most: usize,
}

/// The directory of a copy that is under way, of which this is a file, or which this is.
fn copy_of(path: &Path) -> Option<PathBuf> {
    let is_copy =
        |dir: &&Path| dir.file_name().is_some_and(|name| name.to_string_lossy().ends_with("-future"));
    path.ancestors().find(is_copy).map(Path::to_owned)
}

/// Moves four partitions to another log dir, and answers how many were on their way at once. None goes on before so
/// many are: the time is for a test that fails.
fn most_moves_at_once(threads: Option<&str>, together: usize) -> usize {
    let root = tempfile::tempdir().unwrap();
    let dirs = ["a", "b", "c"].map(|name| root.path().join(name));
    let fs = Arc::new(FaultyFileSystem::new(Arc::new(OsFileSystem::without_sync())));
    let disk = fs.clone();
    let text = dirs.each_ref().map(|dir| dir.display().to_string()).join(",");
    let builder = Broker::builder().set("log.dirs", text).wrap_file_system(|_| disk);
    let builder = threads.iter().fold(builder, |b, n| b.set("num.replica.alter.log.dirs.threads", *n));
    let broker = builder.open().unwrap();
    create(&broker, "orders", PARTITIONS);
    let producer = broker.producer();
    let value = "x".repeat(300_000);
    for partition in 0..PARTITIONS {
        // More than what is copied with the last step.
        for _ in 0..6 {
            let record = ProducerRecord::new("orders").partition(partition).value(&value);
            producer.send(record).unwrap().wait().unwrap();
        }
    }
    let seen = Arc::new((Mutex::new(UnderWay::default()), Condvar::new()));
    let tell = Arc::clone(&seen);
    fs.set_plan(move |operation, path| {
        let (under_way, came) = &*tell;
        match (operation, copy_of(path)) {
            (FileOperation::Write, Some(copy)) if path.extension().is_some_and(|end| end == "log") => {
                let mut under_way = under_way.lock();
                under_way.now.insert(copy);
                under_way.most = under_way.most.max(under_way.now.len());
                came.notify_all();
                while under_way.most < together
                    && !came.wait_for(&mut under_way, Duration::from_secs(20)).timed_out()
                {}
            }
            (FileOperation::Rename, Some(copy)) if path == copy => {
                under_way.lock().now.remove(&copy);
            }
            _ => {}
        }
        None
    });
    let place =
        |partition| broker.core.partition("orders", partition).unwrap().log().unwrap().log_dir().to_owned();
    let targets: Vec<PathBuf> = (0..PARTITIONS)
        .map(|partition| dirs.iter().find(|dir| **dir != place(partition)).unwrap().clone())
        .collect();
    let moves = (0..PARTITIONS).map(|partition| TopicPartition::new("orders", partition)).zip(&targets);
    for (_, begun) in broker.admin().alter_replica_log_dirs(moves).unwrap() {
        begun.unwrap();
    }
    let has_moved = |partition| place(partition) == targets[usize::try_from(partition).unwrap()];
    while !(0..PARTITIONS).all(has_moved) {
        std::thread::yield_now();
    }
    seen.0.lock().most
}

#[test]
fn partitions_move_one_after_the_other_on_one_thread() {
    assert_eq!(most_moves_at_once(Some("1"), 1), 1);
}

#[test]
fn so_many_partitions_move_at_the_same_time_as_there_are_threads_for_it() {
    assert_eq!(most_moves_at_once(Some("2"), 2), 2);
}

#[test]
fn so_many_partitions_move_at_the_same_time_as_there_are_log_dirs_unless_it_is_set() {
    assert_eq!(most_moves_at_once(None, 3), 3);
}

/// A move that waits for its rate must not hold up those that come when nobody wants it any more.
#[test]
fn a_move_that_was_called_back_leaves_its_thread_to_the_next() {
    let root = tempfile::tempdir().unwrap();
    let dirs = ["a", "b"].map(|name| root.path().join(name));
    let text = dirs.each_ref().map(|dir| dir.display().to_string()).join(",");
    let builder = Broker::builder().set("log.dirs", text).set("num.replica.alter.log.dirs.threads", "1");
    let clock = Arc::new(ManualClock::new(1_700_000_000_000));
    let broker =
        builder.set("replica.alter.log.dirs.io.max.bytes.per.second", "1").clock(clock).open().unwrap();
    create(&broker, "orders", 2);
    let producer = broker.producer();
    let value = "x".repeat(300_000);
    for partition in [0, 1, 0, 0, 0, 0, 0, 0, 0] {
        let record = ProducerRecord::new("orders").partition(partition).value(&value);
        producer.send(record).unwrap().wait().unwrap();
    }
    let place =
        |partition| broker.core.partition("orders", partition).unwrap().log().unwrap().log_dir().to_owned();
    let (home, away) = (place(0), dirs.iter().find(|dir| **dir != place(0)).unwrap().clone());
    let begin = |partition, to: &Path| {
        let moves = [(TopicPartition::new("orders", partition), to)];
        broker.admin().alter_replica_log_dirs(moves).unwrap().remove(0).1.unwrap();
    };
    begin(0, &away);
    broker.core.io_threads.settle();
    assert_eq!(place(0), home, "it pauses");
    begin(0, &home);
    let other = dirs.iter().find(|dir| **dir != place(1)).unwrap();
    begin(1, other);
    broker.core.io_threads.settle();
    assert_eq!(place(1), *other);
}
