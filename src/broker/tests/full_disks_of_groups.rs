//! What members of groups meet when there is no room for what their coordinators write.

use super::full_disks::{FullDisk, is_in};
use super::*;
use crate::broker::coordinator::share::SharePartitionKey;
use crate::testkit::FileOperation;
use crate::{AlterConfig, ConfigResource, Error};

const LONG: Duration = Duration::from_secs(20);

fn begin_with_the_first_record(disk: &FullDisk, group_id: &str) {
    let set = [AlterConfig::set("share.auto.offset.reset", "earliest")];
    disk.broker.admin().alter_configs(&ConfigResource::group(group_id), set).unwrap();
}

fn begun(disk: &FullDisk, count: usize) -> ShareConsumer {
    begin_with_the_first_record(disk, "workers");
    let mut consumer = member(&disk.broker);
    assert!(consumer.poll(Duration::ZERO).unwrap().is_empty());
    for _ in 0..count {
        disk.broker.producer().send(ProducerRecord::new("orders").value("a")).unwrap().wait().unwrap();
    }
    consumer
}

fn member(broker: &Broker) -> ShareConsumer {
    let builder =
        broker.share_consumer_builder("workers").acknowledgement_mode(AcknowledgementMode::Explicit);
    let mut consumer = builder.build().unwrap();
    consumer.subscribe(["orders"]).unwrap();
    consumer
}

fn assert_tells_of_the_disk(refused: &Error) {
    assert_eq!(refused.code(), ErrorCode::KafkaStorageError, "{refused}");
    assert!(refused.is_retriable() && !refused.is_fatal(), "{refused}");
    assert!(refused.to_string().contains("make room there"), "{refused}");
}

fn offsets(records: &ShareRecords) -> Vec<(i64, i16)> {
    records.iter().map(|record| (record.offset(), record.delivery_count())).collect()
}

#[test]
fn what_is_said_of_records_while_there_is_no_room_counts_once_there_is_and_not_before() {
    let disk = FullDisk::new();
    let mut consumer = begun(&disk, 3);
    let records = consumer.poll(LONG).unwrap();
    assert_eq!(offsets(&records), [(0, 1), (1, 1), (2, 1)]);
    let said = [AcknowledgeType::Accept, AcknowledgeType::Release, AcknowledgeType::Reject];
    records.iter().zip(said).for_each(|(record, of)| consumer.acknowledge(record, of).unwrap());
    disk.fill(is_in("__share_group_state-"));
    for _ in 0..2 {
        assert_tells_of_the_disk(&consumer.commit().unwrap_err());
    }
    // Polling goes on, and what could not be kept is not given to anybody meanwhile.
    assert!(consumer.poll(Duration::ZERO).unwrap().is_empty());
    assert!(member(&disk.broker).poll(Duration::ZERO).unwrap().is_empty());
    assert!(disk.is_online());
    disk.fs.clear_plan();
    consumer.commit().unwrap();
    let again = consumer.poll(LONG).unwrap();
    assert_eq!(offsets(&again), [(1, 2)]);
    consumer.acknowledge(&again[0], AcknowledgeType::Accept).unwrap();
    consumer.close().unwrap();
    // Nor is it forgotten with the broker.
    let FullDisk { broker, root, .. } = disk;
    drop(broker);
    let broker = Broker::builder().log_dir(root.path()).open().unwrap();
    let standing = broker.admin().list_share_group_offsets("workers").unwrap();
    assert_eq!(standing[&TopicPartition::new("orders", 0)].lag, Some(0));
}

#[test]
fn what_a_member_could_not_acknowledge_before_it_left_is_delivered_to_the_next() {
    let disk = FullDisk::new();
    let mut consumer = begun(&disk, 1);
    let records = consumer.poll(LONG).unwrap();
    consumer.acknowledge(&records[0], AcknowledgeType::Accept).unwrap();
    disk.fill(is_in("__share_group_state-"));
    assert_tells_of_the_disk(&consumer.close().unwrap_err());
    disk.fs.clear_plan();
    let mut next = member(&disk.broker);
    let records = next.poll(LONG).unwrap();
    assert_eq!(records.len(), 1);
    next.acknowledge(&records[0], AcknowledgeType::Accept).unwrap();
    next.close().unwrap();
}

#[test]
fn a_share_group_that_begins_on_a_full_disk_gets_on_by_itself_once_there_is_room() {
    for dir in ["__share_group_state-", "__consumer_offsets-"] {
        let disk = FullDisk::new();
        drop(begun(&disk, 0));
        begin_with_the_first_record(&disk, "others");
        disk.broker.producer().send(ProducerRecord::new("orders").value("a")).unwrap().wait().unwrap();
        disk.fill(is_in(dir));
        let mut consumer = disk.broker.share_consumer("others").unwrap();
        consumer.subscribe(["orders"]).unwrap();
        for _ in 0..3 {
            assert!(consumer.poll(Duration::ZERO).unwrap().is_empty());
        }
        disk.fs.clear_plan();
        assert_eq!(consumer.poll(LONG).unwrap().len(), 1, "{dir}");
        consumer.commit().unwrap();
    }
}

/// Of the topic itself: its partitions' directories, or what is written down of all topics.
#[test]
fn a_share_group_whose_state_has_no_topic_yet_gets_on_by_itself_once_there_is_room_to_make_it() {
    for dir in ["__share_group_state-", "broker-metadata-checkpoint"] {
        let disk = FullDisk::new();
        let admin = disk.broker.admin();
        begin_with_the_first_record(&disk, "workers");
        // The group's own topic is there.
        let orders = TopicPartition::new("orders", 0);
        admin.alter_consumer_group_offsets("billing", [(orders.clone(), 0)]).unwrap();
        disk.broker.producer().send(ProducerRecord::new("orders").value("a")).unwrap().wait().unwrap();
        disk.fs.set_plan(move |operation, path| {
            let takes_room = [FileOperation::CreateDir, FileOperation::Write].contains(&operation);
            (takes_room && is_in(dir)(path)).then(|| std::io::ErrorKind::StorageFull.into())
        });
        let mut consumer = disk.broker.share_consumer("workers").unwrap();
        consumer.subscribe(["orders"]).unwrap();
        for _ in 0..3 {
            assert!(consumer.poll(Duration::ZERO).unwrap().is_empty());
        }
        let refused = admin.alter_share_group_offsets("others", [(orders.clone(), 0)]).unwrap_err();
        assert_tells_of_the_disk(&refused);
        assert!(disk.is_online(), "{dir}");
        disk.fs.clear_plan();
        assert_eq!(consumer.poll(LONG).unwrap().len(), 1, "{dir}");
        consumer.commit().unwrap();
        admin.alter_share_group_offsets("others", [(orders, 0)]).unwrap();
    }
}

#[test]
fn a_group_of_either_protocol_that_begins_on_a_full_disk_gets_on_by_itself_once_there_is_room() {
    for protocol in [GroupProtocol::Classic, GroupProtocol::Consumer] {
        let disk = FullDisk::new();
        let orders = TopicPartition::new("orders", 0);
        let admin = disk.broker.admin();
        admin.alter_consumer_group_offsets("others", [(orders.clone(), 0)]).unwrap();
        disk.fill(is_in("__consumer_offsets-"));
        let mut consumer =
            disk.broker.consumer_builder().group_id("billing").group_protocol(protocol).build().unwrap();
        consumer.subscribe(["orders"]).unwrap();
        for _ in 0..3 {
            assert!(consumer.poll(Duration::from_millis(1)).unwrap().is_empty());
        }
        assert!(consumer.assignment().is_empty(), "{protocol:?}");
        disk.fs.clear_plan();
        while consumer.assignment().is_empty() {
            consumer.poll(Duration::from_millis(10)).unwrap();
        }
        assert_eq!(consumer.assignment(), [orders]);
        consumer.close().unwrap();
    }
}

#[test]
fn where_a_share_group_stands_is_set_and_forgotten_after_there_was_no_room_for_that() {
    let orders = TopicPartition::new("orders", 0);
    for dir in ["__share_group_state-", "__consumer_offsets-"] {
        let disk = FullDisk::new();
        let admin = disk.broker.admin();
        admin.alter_share_group_offsets("workers", [(orders.clone(), 1)]).unwrap();
        let calls: [&dyn Fn() -> Result<()>; 3] = [
            &|| admin.alter_share_group_offsets("workers", [(orders.clone(), 2)]),
            &|| admin.delete_share_group_offsets("workers", ["orders"]),
            &|| admin.delete_group("workers"),
        ];
        for call in calls {
            admin.alter_share_group_offsets("workers", [(orders.clone(), 1)]).unwrap();
            disk.fill(is_in(dir));
            assert_tells_of_the_disk(&call().unwrap_err());
            disk.fs.clear_plan();
            call().unwrap();
        }
        assert!(admin.list_share_group_offsets("workers").unwrap().is_empty());
    }
}

#[test]
fn a_group_whose_broker_assigns_gets_on_by_itself_once_there_is_room() {
    let disk = FullDisk::new();
    create(&disk.broker, "jobs", 2);
    let join = || {
        let builder =
            disk.broker.consumer_builder().group_id("billing").group_protocol(GroupProtocol::Consumer);
        let mut consumer = builder.build().unwrap();
        consumer.subscribe(["jobs"]).unwrap();
        consumer
    };
    let mut first = join();
    while first.assignment().len() < 2 {
        assert!(first.poll(Duration::from_millis(10)).unwrap().is_empty());
    }
    disk.fill(is_in("__consumer_offsets-"));
    let mut second = join();
    for _ in 0..3 {
        assert!(second.poll(Duration::ZERO).unwrap().is_empty());
        assert!(first.poll(Duration::ZERO).unwrap().is_empty());
    }
    assert_eq!((first.assignment().len(), second.assignment().len()), (2, 0));
    disk.fs.clear_plan();
    while second.assignment().len() != 1 {
        let both = |a: &Consumer, b: &Consumer| a.assignment().iter().any(|of| b.assignment().contains(of));
        assert!(!both(&first, &second));
        first.poll(Duration::from_millis(10)).unwrap();
        second.poll(Duration::from_millis(10)).unwrap();
    }
    assert_eq!(first.assignment().len(), 1);
    second.close().unwrap();
    while first.assignment().len() < 2 {
        first.poll(Duration::from_millis(10)).unwrap();
    }
}

/// The deletion was refused, since it could not be flushed, and was in the log: the group was there until the next start,
/// and not after it.
#[test]
fn what_is_in_the_log_of_groups_counts_at_once_although_there_is_no_room_for_the_terms_of_the_log() {
    let disk = FullDisk::new();
    let admin = disk.broker.admin();
    let orders = TopicPartition::new("orders", 0);
    let commit = |group: &str, offset| admin.alter_consumer_group_offsets(group, [(orders.clone(), offset)]);
    for group in ["billing", "shipping"] {
        commit(group, 1).unwrap();
    }
    let set = [AlterConfig::set("flush.messages", "1")];
    admin.alter_configs(&ConfigResource::topic("__consumer_offsets"), set).unwrap();
    disk.fill(is_in("leader-epoch-checkpoint"));
    commit("billing", 2).unwrap();
    admin.delete_group("shipping").unwrap();
    assert!(disk.is_online());
    let FullDisk { broker, root, .. } = disk;
    drop((admin, broker));
    let broker = Broker::builder().log_dir(root.path()).open().unwrap();
    assert_eq!(broker.admin().list_consumer_group_offsets("billing").unwrap()[&orders].offset, 2);
    assert!(broker.admin().list_consumer_group_offsets("shipping").unwrap().is_empty());
}

/// The first partition that could not be written to was named, whosever it was.
#[test]
fn a_share_group_is_told_of_the_partition_that_its_own_state_is_kept_in() {
    let disk = FullDisk::new();
    let core = &disk.broker.core;
    let alter = |group: &str| {
        let admin = disk.broker.admin();
        admin.alter_share_group_offsets(group, [(TopicPartition::new("orders", 0), 1)])
    };
    alter("workers").unwrap();
    let topic_id = core.metadata.topic("orders").unwrap().id();
    let kept_in = |group: &str| {
        core.share_coordinator.partition_for(&SharePartitionKey::new(group, topic_id, 0)).unwrap()
    };
    // The id of the topic, which decides with the group's name, is another one each time.
    let mut names = (0..).map(|number| format!("others-{number}"));
    let others = names.find(|name| kept_in(name) != kept_in("workers")).unwrap();
    alter(&others).unwrap();
    disk.fill(is_in("__share_group_state-"));
    for group in ["workers", &others, "workers", &others] {
        let refused = alter(group).unwrap_err();
        assert_tells_of_the_disk(&refused);
        assert!(
            refused.to_string().contains(&format!("__share_group_state-{}: ", kept_in(group))),
            "{refused}"
        );
    }
}
