//! What a broker does that finds a disk full at any one place.

use std::path::Path;

use super::*;
use crate::model::IsolationLevel;
use crate::sys::{FileSystem, OsFileSystem};
use crate::testkit::{FaultyFileSystem, FileOperation};

pub(super) struct FullDisk {
    pub(super) broker: Broker,
    pub(super) fs: Arc<FaultyFileSystem>,
    pub(super) root: tempfile::TempDir,
}

impl FullDisk {
    /// With a topic `orders`, and room.
    pub(super) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let fs = Arc::new(FaultyFileSystem::new(Arc::new(OsFileSystem::without_sync())));
        let disk = fs.clone();
        let broker = Broker::builder().log_dir(root.path()).wrap_file_system(|_| disk).open().unwrap();
        create(&broker, "orders", 1);
        FullDisk { broker, fs, root }
    }

    /// From now on there is no room for these files.
    pub(super) fn fill(&self, takes_room: impl Fn(&Path) -> bool + Send + Sync + 'static) {
        self.fs.set_plan(move |operation, path| {
            let is_refused = operation == FileOperation::Write && takes_room(path);
            is_refused.then(|| std::io::ErrorKind::StorageFull.into())
        });
    }

    pub(super) fn is_online(&self) -> bool {
        self.broker.admin().describe_log_dirs().unwrap()[0].offline.is_none()
    }

    fn send(&self, producer: &Producer, value: &str) -> Result<()> {
        producer.transaction(|transaction| {
            transaction.send(ProducerRecord::new("orders").value(value))?.wait().map(drop)
        })
    }

    fn committed(&self) -> Vec<String> {
        let partition = self.broker.topic("orders").unwrap().partition(0).unwrap();
        let records = partition.read_from(0).isolation_level(IsolationLevel::ReadCommitted);
        let values = records.map(|record| record.unwrap().value().unwrap().to_vec());
        values.map(|value| String::from_utf8(value).unwrap()).collect()
    }
}

pub(super) fn is_in(dir: &'static str) -> impl Fn(&Path) -> bool {
    move |path| path.to_string_lossy().contains(dir)
}

/// It was open to the coordinator, and the records of the next one became part of it: they were committed together.
#[test]
fn what_was_sent_in_a_transaction_that_could_not_be_aborted_is_not_committed_with_the_next_one() {
    for is_commit in [true, false] {
        let disk = FullDisk::new();
        let producer = disk.broker.producer_builder().transactional_id("shop").build().unwrap();
        let transaction = producer.begin_transaction().unwrap();
        transaction.send(ProducerRecord::new("orders").value("a")).unwrap().wait().unwrap();
        disk.fill(is_in("__transaction_state-"));
        let ended = if is_commit { transaction.commit() } else { transaction.abort() };
        for refused in [ended.unwrap_err(), disk.send(&producer, "b").unwrap_err()] {
            assert_eq!(refused.code(), ErrorCode::KafkaStorageError);
            assert!(refused.is_retriable() && !refused.is_fatal());
            assert!(refused.to_string().contains("make room there"), "{refused}");
        }
        disk.fs.clear_plan();
        disk.send(&producer, "c").unwrap();
        assert_eq!(disk.committed(), ["c"]);
        assert!(disk.is_online());
    }
}

/// The end of a transaction that the coordinator did not know of was taken for that of a producer before this one.
#[test]
fn a_producer_whose_last_transaction_cannot_be_completed_yet_is_fenced_by_nobody() {
    let disk = FullDisk::new();
    let producer = disk.broker.producer_builder().transactional_id("shop").build().unwrap();
    let transaction = producer.begin_transaction().unwrap();
    transaction.send(ProducerRecord::new("orders").value("a")).unwrap().wait().unwrap();
    disk.fill(is_in("orders-0"));
    transaction.commit().unwrap();
    for _ in 0..3 {
        assert_eq!(disk.send(&producer, "b").unwrap_err().code(), ErrorCode::ConcurrentTransactions);
    }
    assert_eq!(disk.committed(), [""; 0]);
    disk.fs.clear_plan();
    disk.send(&producer, "c").unwrap();
    assert_eq!(disk.committed(), ["a", "c"]);
}

/// The error had lost its cause, and said that the producer was of no more use.
#[test]
fn a_transaction_whose_offsets_find_no_room_is_aborted_and_the_next_one_may_commit_them() {
    let disk = FullDisk::new();
    let orders = TopicPartition::new("orders", 0);
    disk.broker.admin().alter_consumer_group_offsets("others", [(orders.clone(), 1)]).unwrap();
    let producer = disk.broker.producer_builder().transactional_id("shop").build().unwrap();
    let consumer = disk.broker.consumer_builder().group_id("billing").build().unwrap();
    disk.fill(is_in("__consumer_offsets-"));
    let transaction = producer.begin_transaction().unwrap();
    transaction.send(ProducerRecord::new("orders").value("a")).unwrap().wait().unwrap();
    let sent = transaction.send_offsets_of(&consumer, [(orders.clone(), 1)]);
    for refused in [sent.unwrap_err(), transaction.commit().unwrap_err()] {
        assert_eq!(refused.code(), ErrorCode::KafkaStorageError);
        assert!(refused.is_retriable() && !refused.is_fatal(), "{refused}");
        assert!(refused.to_string().contains("make room there"), "{refused}");
    }
    disk.fs.clear_plan();
    producer
        .transaction(|transaction| transaction.send_offsets_of(&consumer, [(orders.clone(), 2)]))
        .unwrap();
    assert_eq!(consumer.committed(&orders).unwrap().unwrap().offset, 2);
    assert_eq!(disk.committed(), [""; 0]);
}

#[test]
fn a_group_that_cannot_be_written_to_tells_who_is_in_the_process_why() {
    let disk = FullDisk::new();
    let orders = TopicPartition::new("orders", 0);
    let commit = || disk.broker.admin().alter_consumer_group_offsets("billing", [(orders.clone(), 1)]);
    commit().unwrap();
    disk.fill(is_in("__consumer_offsets-"));
    let refused = commit().unwrap_err();
    assert_eq!((refused.code(), refused.is_fatal()), (ErrorCode::KafkaStorageError, false));
    assert!(refused.to_string().contains("make room there"), "{refused}");
    disk.fs.clear_plan();
    commit().unwrap();
}

/// The error had lost its cause, and said that the broker was of no more use.
#[test]
fn a_topic_that_there_is_no_room_for_can_be_created_once_there_is() {
    for place in ["broker-metadata-checkpoint", "billing-0"] {
        let disk = FullDisk::new();
        let new_topic = || disk.broker.admin().create_topic(NewTopic::new("billing", 1)).map(drop);
        disk.fs.set_plan(move |operation, path| {
            let takes_room = [FileOperation::CreateDir, FileOperation::Write].contains(&operation);
            (takes_room && is_in(place)(path)).then(|| std::io::ErrorKind::StorageFull.into())
        });
        let refused = new_topic().unwrap_err();
        assert_eq!((refused.code(), refused.is_fatal()), (ErrorCode::KafkaStorageError, false), "{refused}");
        assert!(refused.to_string().contains("make room there"), "{refused}");
        disk.fs.clear_plan();
        new_topic().unwrap();
        assert!(disk.is_online());
    }
}

/// What takes the room is what was asked to go.
#[test]
fn a_topic_can_be_deleted_although_there_is_no_room_to_write_that_down() {
    let disk = FullDisk::new();
    let send = || disk.broker.producer().send(ProducerRecord::new("orders").value("a")).unwrap().wait();
    assert_eq!(send().unwrap().offset, 0);
    let is_checkpoint = |path: &Path| path.to_string_lossy().contains("broker-metadata-checkpoint");
    // Where that does not help, the topic goes on, without what was in it.
    disk.fill(is_checkpoint);
    let refused = disk.broker.admin().delete_topic("orders").unwrap_err();
    assert_eq!((refused.code(), refused.is_fatal()), (ErrorCode::KafkaStorageError, false));
    assert!(
        refused.to_string().starts_with("the topic's records are deleted, the topic is not: "),
        "{refused}"
    );
    assert_eq!(send().unwrap().offset, 0);

    let log_dir = disk.root.path().to_owned();
    disk.fill(move |path| {
        let entries = OsFileSystem::without_sync().read_dir(&log_dir).unwrap();
        is_checkpoint(path) && entries.iter().any(|entry| entry.name.starts_with("orders-0"))
    });
    disk.broker.admin().delete_topic("orders").unwrap();
    assert!(disk.is_online());
    disk.fs.clear_plan();
    create(&disk.broker, "orders", 1);
    assert_eq!(send().unwrap().offset, 0);
}
