//! Partitions on several disks of which one fails.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::broker::{Broker, NewTopic, ProducerRecord};
use crate::error::Result;
use crate::model::{ErrorCode, TopicPartition};
use crate::sys::OsFileSystem;
use crate::testkit::{FaultyFileSystem, FileOperation};

struct TwoDisks {
    root: tempfile::TempDir,
    fs: Arc<FaultyFileSystem>,
    broker: Broker,
    /// The log dir of partition 0, and that of partition 1.
    dirs: [PathBuf; 2],
}

fn log_dirs(root: &Path) -> [PathBuf; 2] {
    ["a", "b"].map(|name| root.join(name))
}

fn open(root: &Path, fs: &Arc<FaultyFileSystem>) -> Broker {
    let dirs = log_dirs(root).map(|dir| dir.display().to_string()).join(",");
    let builder = Broker::builder().set("log.dirs", dirs).wrap_file_system(|_| fs.clone());
    builder.open().unwrap()
}

impl TwoDisks {
    fn with(configs: &[(&str, &str)]) -> Self {
        let root = tempfile::tempdir().unwrap();
        let fs = Arc::new(FaultyFileSystem::new(Arc::new(OsFileSystem::without_sync())));
        let broker = open(root.path(), &fs);
        let topic =
            configs.iter().fold(NewTopic::new("orders", 2), |topic, (key, value)| topic.config(*key, *value));
        broker.admin().create_topic(topic).unwrap();
        let dirs = [0, 1].map(|partition| {
            let log = broker.core.partition("orders", partition).unwrap().log().unwrap();
            log.log_dir().to_owned()
        });
        assert_ne!(dirs[0], dirs[1]);
        let disks = TwoDisks { root, fs, broker, dirs };
        for partition in [0, 1] {
            disks.send(partition, "before").unwrap();
        }
        disks
    }

    fn send(&self, partition: i32, value: &str) -> Result<()> {
        let record = ProducerRecord::new("orders").partition(partition).value(value);
        self.broker.producer().send(record)?.wait().map(drop)
    }

    fn read(&self, partition: i32) -> Result<Vec<String>> {
        let partition = self.broker.topic("orders").and_then(|topic| topic.partition(partition))?;
        let text = |value: Option<&[u8]>| String::from_utf8_lossy(value.unwrap_or_default()).into_owned();
        partition.read_from(0).map(|record| Ok(text(record?.value()))).collect()
    }

    /// The first partition answers KAFKA_STORAGE_ERROR to everything, the second goes on.
    fn only_the_second_goes_on(&self) {
        assert_eq!(self.send(0, "x").unwrap_err().code(), ErrorCode::KafkaStorageError);
        assert_eq!(self.read(0).unwrap_err().code(), ErrorCode::KafkaStorageError);
        let first = self.broker.topic("orders").and_then(|topic| topic.partition(0)).unwrap();
        assert_eq!(first.latest_offset().unwrap_err().code(), ErrorCode::KafkaStorageError);
        assert_eq!(first.earliest_offset().unwrap_err().code(), ErrorCode::KafkaStorageError);
        let deleted = self.broker.admin().delete_records(&TopicPartition::new("orders", 0), 0);
        assert_eq!(deleted.unwrap_err().code(), ErrorCode::KafkaStorageError);
        self.send(1, "after").unwrap();
        assert_eq!(self.read(1).unwrap(), ["before", "after"]);
        let described = self.broker.admin().describe_log_dirs().unwrap();
        let offline: Vec<_> =
            described.iter().filter(|dir| dir.offline.is_some()).map(|dir| &dir.path).collect();
        assert_eq!(offline, [&self.dirs[0]]);
        assert_eq!(self.broker.log_dirs(), [self.dirs[1].clone()]);
        // What is new goes where there is a disk.
        self.broker.admin().create_topic(NewTopic::new("new", 2)).unwrap();
        let begun =
            self.broker.admin().alter_replica_log_dirs([(TopicPartition::new("orders", 1), &self.dirs[0])]);
        assert_eq!(begun.unwrap()[0].1.as_ref().unwrap_err().code(), ErrorCode::KafkaStorageError);
    }
}

#[test]
fn a_log_dir_that_fails_takes_its_partitions_along_and_no_others() {
    // EIO, ENODEV, EROFS, ENOENT.
    let kinds = [
        io::ErrorKind::Other,
        io::ErrorKind::NotConnected,
        io::ErrorKind::ReadOnlyFilesystem,
        io::ErrorKind::NotFound,
    ];
    for kind in kinds {
        for broken_operation in [FileOperation::Write, FileOperation::Sync, FileOperation::Read] {
            let disks = TwoDisks::with(&[("flush.messages", "1")]);
            let broken = disks.dirs[0].clone();
            disks.fs.set_plan(move |operation, path| {
                (operation == broken_operation && path.starts_with(&broken)).then(|| io::Error::from(kind))
            });
            let first = match broken_operation {
                FileOperation::Read => disks.read(0).map(drop),
                _ => disks.send(0, "x"),
            };
            assert_eq!(
                first.unwrap_err().code(),
                ErrorCode::KafkaStorageError,
                "{kind:?} {broken_operation:?}"
            );
            // Nobody trusts it again before the next start.
            disks.fs.clear_plan();
            disks.only_the_second_goes_on();
            disks.broker.close();
            let TwoDisks { root, fs, dirs, .. } = disks;
            let again = TwoDisks { broker: open(root.path(), &fs), root, fs, dirs };
            assert_eq!(again.read(0).unwrap()[0], "before");
            again.send(0, "after").unwrap();
            assert_eq!(again.read(1).unwrap(), ["before", "after"]);
        }
    }
}

#[test]
fn a_log_dir_that_vanishes_is_noticed_when_a_file_is_to_be_made_there() {
    let disks = TwoDisks::with(&[("segment.bytes", "200")]);
    let gone = disks.root.path().join("gone");
    let fs = OsFileSystem::without_sync();
    crate::sys::FileSystem::rename(&fs, &disks.dirs[0], &gone).unwrap();
    let refused = (0..10).find_map(|_| disks.send(0, &"x".repeat(100)).err());
    assert_eq!(refused.unwrap().code(), ErrorCode::KafkaStorageError);
    disks.only_the_second_goes_on();
}

#[test]
fn a_full_log_dir_refuses_writes_until_there_is_room_and_the_other_takes_them_meanwhile() {
    let disks = TwoDisks::with(&[]);
    let full = disks.dirs[0].clone();
    disks.fs.set_plan(move |operation, path| {
        let is_full = operation == FileOperation::Write && path.starts_with(&full);
        is_full.then(|| io::Error::from(io::ErrorKind::StorageFull))
    });
    let error = disks.send(0, "x").unwrap_err();
    assert_eq!(error.code(), ErrorCode::KafkaStorageError);
    let told = format!("{error:?}");
    assert!(told.contains("make room there"), "{told}");
    assert_eq!(disks.read(0).unwrap(), ["before"]);
    disks.send(1, "after").unwrap();
    disks.fs.clear_plan();
    disks.send(0, "after").unwrap();
    assert_eq!(
        (disks.read(0).unwrap(), disks.read(1).unwrap()),
        (vec!["before".into(), "after".into()], vec!["before".into(), "after".into()])
    );
}

#[test]
fn a_broker_starts_without_the_log_dir_that_is_broken_and_does_not_begin_its_partitions_anew() {
    let disks = TwoDisks::with(&[]);
    disks.broker.close();
    let broken = disks.dirs[0].clone();
    disks
        .fs
        .set_plan(move |_, path| path.starts_with(&broken).then(|| io::Error::other("input/output error")));
    let TwoDisks { root, fs, dirs, .. } = disks;
    let disks = TwoDisks { broker: open(root.path(), &fs), root, fs, dirs };
    disks.only_the_second_goes_on();
}

/// Clients are told that there is no coordinator, as by Kafka, and look for another; who is in this process hears of
/// the disk.
#[test]
fn groups_and_transactional_ids_whose_log_is_on_a_disk_that_failed_are_refused_and_others_are_served() {
    let disks = TwoDisks::with(&[]);
    let commit = |group: usize| {
        let offsets = [(TopicPartition::new("orders", 1), 1)];
        let committed = disks.broker.admin().alter_consumer_group_offsets(&format!("g{group}"), offsets);
        committed.map(drop).map_err(|error| error.code())
    };
    let transact = |id: usize| {
        let producer = disks.broker.producer_builder().transactional_id(format!("t{id}"));
        producer
            .build()
            .and_then(|producer| producer.begin_transaction().map(drop))
            .map_err(|error| error.code())
    };
    for i in 0..16 {
        assert_eq!((commit(i), transact(i)), (Ok(()), Ok(())), "{i}");
    }
    let broken = disks.dirs[0].clone();
    disks.fs.set_plan(move |operation, path| {
        (operation == FileOperation::Write && path.starts_with(&broken)).then(|| io::Error::other("EIO"))
    });
    // The first to be written takes the dir offline.
    for i in 0..16 {
        let _ = (commit(i), transact(i));
    }
    disks.fs.clear_plan();
    for outcomes in [(0..16).map(commit).collect::<Vec<_>>(), (0..16).map(transact).collect()] {
        let refused: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.err()).collect();
        assert!(!refused.is_empty() && refused.len() < 16, "{outcomes:?}");
        let is_right = |code: &ErrorCode| {
            matches!(code, ErrorCode::KafkaStorageError | ErrorCode::CoordinatorNotAvailable)
        };
        assert!(refused.iter().all(is_right), "{outcomes:?}");
    }
}
