mod cordoned;
#[cfg(feature = "testkit")]
mod full_disks;
#[cfg(feature = "testkit")]
mod full_disks_of_groups;
mod intervals;
#[cfg(all(feature = "gzip", feature = "snappy", feature = "lz4", feature = "zstd"))]
mod kafka_files;
#[cfg(feature = "testkit")]
mod moves;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;

use super::coordinator::group::{CommitOffsetsParams, OffsetCommit};
use super::replica::*;
use super::*;
use crate::log::FetchIsolation;
use crate::model::{CONSUMER_OFFSETS_TOPIC, ErrorCode, NO_LEADER_EPOCH, TopicPartition};
use crate::record::{AppendOrigin, BatchOptions, RecordBatchBuilder};
use crate::sys::ManualClock;

const PARAMS: FetchParams = FetchParams {
    isolation: FetchIsolation::HighWatermark,
    max_wait_ms: 500,
    min_bytes: 1,
    max_bytes: 1 << 20,
    min_one_message: true,
};

fn batch(count: usize) -> Bytes {
    let mut builder = RecordBatchBuilder::new(BatchOptions::default());
    for i in 0..count {
        builder.append(1_000, None, Some(format!("value {i}").as_bytes())).unwrap();
    }
    builder.build().unwrap()
}

fn append(partition: &Partition, count: usize) -> i64 {
    let params = AppendRecordsParams { origin: AppendOrigin::Client, requires_batch_format: true };
    partition.append_records_to_leader(&batch(count), params).unwrap().first_offset
}

fn create(broker: &Broker, name: &str, partitions: i32) {
    let results = broker.core.create_topics(&[NewTopic::new(name, partitions)], false);
    results.into_iter().next().unwrap().unwrap();
}

fn request(partition: &Arc<Partition>, offset: i64) -> FetchPartition {
    FetchPartition {
        partition: Ok(Arc::clone(partition)),
        fetch_offset: offset,
        max_bytes: 1 << 20,
        current_leader_epoch: NO_LEADER_EPOCH,
        last_fetched_epoch: NO_LEADER_EPOCH,
    }
}

#[test]
fn topics_and_records_are_there_again_after_closing_and_opening() {
    let dir = tempfile::tempdir().unwrap();
    let broker = Broker::open(dir.path()).unwrap();
    create(&broker, "orders", 2);
    let id = broker.core.metadata.topic("orders").unwrap().id();
    let partition = broker.core.partition("orders", 1).unwrap();
    assert_eq!((append(&partition, 3), append(&partition, 2)), (0, 3));
    broker.close();
    let again = Broker::open(dir.path()).unwrap();
    let topic = again.core.metadata.topic("orders").unwrap();
    assert_eq!((topic.id(), topic.num_partitions()), (id, 2));
    assert_eq!(again.core.partition("orders", 1).unwrap().log().unwrap().log_end_offset(), 5);
    assert_eq!(again.cluster_id(), broker.cluster_id());
}

#[test]
fn a_second_broker_on_the_same_directory_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let _broker = Broker::open(dir.path()).unwrap();
    let error = Broker::open(dir.path()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KafkaStorageError);
    assert!(error.to_string().contains("in use by another broker"), "{error}");
}

#[test]
fn a_waiting_fetch_is_answered_by_the_append_it_waits_for() {
    let broker = Broker::temporary().unwrap();
    create(&broker, "t", 1);
    let partition = broker.core.partition("t", 0).unwrap();
    let answer = Arc::new(Mutex::new(None));
    let place = Arc::clone(&answer);
    let requests = vec![request(&partition, 0)];
    let now = fetch_or_wait(&broker.core.timer, PARAMS, requests, || {
        Box::new(move |data| *place.lock() = Some(data))
    });
    assert!(now.is_none() && answer.lock().is_none());
    append(&partition, 1);
    let data = answer.lock().take().unwrap();
    assert!(!data[0].records.is_empty());
    assert_eq!((data[0].error, data[0].high_watermark), (ErrorCode::None, 1));
    assert_eq!(partition.watchers().len(), 0);
}

#[test]
fn a_waiting_fetch_is_answered_empty_when_its_time_has_passed() {
    let clock = Arc::new(ManualClock::new(0));
    let broker = Broker::builder().temporary().clock(clock.clone()).open().unwrap();
    create(&broker, "t", 1);
    let partition = broker.core.partition("t", 0).unwrap();
    let (sender, receiver) = crossbeam::channel::bounded(1);
    let requests = vec![request(&partition, 0)];
    let now = fetch_or_wait(&broker.core.timer, PARAMS, requests, || {
        Box::new(move |data| sender.send(data).unwrap())
    });
    assert!(now.is_none());
    clock.advance(Duration::from_millis(499));
    assert!(receiver.try_recv().is_err());
    clock.advance(Duration::from_millis(1));
    assert!(receiver.recv().unwrap()[0].records.is_empty());
    assert_eq!(partition.watchers().len(), 0);
}

#[test]
fn a_fetch_beyond_the_end_of_the_log_is_out_of_range() {
    let broker = Broker::temporary().unwrap();
    create(&broker, "t", 1);
    let partition = broker.core.partition("t", 0).unwrap();
    let data = fetch_from_log(&PARAMS, &[request(&partition, 1)]);
    assert_eq!((data[0].error, data[0].high_watermark), (ErrorCode::OffsetOutOfRange, -1));
}

#[test]
fn deleting_a_topic_ends_the_fetches_that_wait_for_it() {
    let broker = Broker::temporary().unwrap();
    create(&broker, "t", 1);
    let partition = broker.core.partition("t", 0).unwrap();
    let (sender, receiver) = crossbeam::channel::bounded(1);
    fetch_or_wait(&broker.core.timer, PARAMS, vec![request(&partition, 0)], || {
        Box::new(move |data| sender.send(data).unwrap())
    });
    broker.core.delete_topic("t").unwrap();
    assert_eq!(receiver.try_recv().unwrap()[0].error, ErrorCode::UnknownTopicOrPartition);
    assert!(broker.core.partition("t", 0).is_err());
}

#[test]
fn a_temporary_broker_leaves_no_directory_behind() {
    let broker = Broker::temporary().unwrap();
    create(&broker, "t", 3);
    let dir = broker.log_dirs().remove(0);
    assert!(dir.exists());
    drop(broker);
    assert!(!dir.exists());
}

#[test]
fn colliding_duplicate_and_existing_names_are_refused_each_for_itself() {
    let broker = Broker::temporary().unwrap();
    create(&broker, "a.b", 1);
    let topics = ["a_b", "a.b", "twice", "twice", "fine", ".."].map(|name| NewTopic::new(name, 1));
    let codes: Vec<_> = broker
        .core
        .create_topics(&topics, false)
        .into_iter()
        .map(|result| result.map_or_else(|error| error.code(), |_| ErrorCode::None))
        .collect();
    use ErrorCode::*;
    assert_eq!(
        codes,
        [
            InvalidTopicException,
            TopicAlreadyExists,
            InvalidRequest,
            InvalidRequest,
            None,
            InvalidTopicException
        ]
    );
}

#[test]
fn producer_ids_are_never_handed_out_twice_even_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut seen = std::collections::HashSet::new();
    for _ in 0..3 {
        let broker = Broker::open(dir.path()).unwrap();
        for _ in 0..5 {
            assert!(seen.insert(broker.core.generate_producer_id().unwrap()));
        }
    }
}

#[test]
fn groups_go_with_their_topic_and_new_ones_work_when_it_is_made_again() {
    let broker = Broker::temporary().unwrap();
    create(&broker, "t", 1);
    let tp = TopicPartition::new("t", 0);
    let committed =
        || broker.core.groups.fetch_offsets("g", Some(std::slice::from_ref(&tp)), false).unwrap()[0].offset;
    let commit = |offset| {
        broker.core.ensure_offsets_topic().unwrap();
        broker.core.groups.commit_offsets(CommitOffsetsParams {
            knows_member_epochs: true,
            group_id: "g",
            member_id: "",
            group_instance_id: None,
            generation_id: -1,
            retention_time_ms: None,
            offsets: vec![OffsetCommit {
                topic_partition: tp.clone(),
                offset,
                leader_epoch: NO_LEADER_EPOCH,
                metadata: "",
                commit_timestamp: None,
            }],
        })
    };
    assert_eq!(commit(7), [ErrorCode::None]);
    assert_eq!(committed(), 7);
    broker.core.delete_topic(CONSUMER_OFFSETS_TOPIC).unwrap();
    broker.core.ensure_offsets_topic().unwrap();
    assert_eq!(committed(), -1);
    assert_eq!(commit(9), [ErrorCode::None]);
    assert_eq!(committed(), 9);
}

#[test]
fn a_member_whose_group_is_forgotten_joins_anew() {
    let broker = Broker::temporary().unwrap();
    create(&broker, "orders", 1);
    let builder = broker.consumer_builder().group_id("billing").group_protocol(GroupProtocol::Consumer);
    let mut consumer = builder.build().unwrap();
    consumer.subscribe(["orders"]).unwrap();
    let mut worker = broker.share_consumer("workers").unwrap();
    worker.subscribe(["orders"]).unwrap();
    let known = || broker.admin().list_groups(&crate::ListGroupsOptions::default()).unwrap().len();
    let mut join = || {
        while consumer.assignment().is_empty() || known() < 2 {
            consumer.poll(Duration::from_millis(10)).unwrap();
            worker.poll(Duration::ZERO).unwrap();
        }
    };
    join();
    broker.core.delete_topic(CONSUMER_OFFSETS_TOPIC).unwrap();
    assert_eq!(known(), 0);
    join();
}

/// What everything that is made from a broker has of it.
fn handles_of(broker: &Broker) -> Vec<Box<dyn std::any::Any>> {
    let topic = broker.topic("orders").unwrap();
    let partition = topic.partition(0).unwrap();
    vec![
        Box::new(partition.read_from(0)),
        Box::new(partition),
        Box::new(topic),
        Box::new(broker.admin()),
        Box::new(broker.producer()),
        Box::new(broker.producer_builder()),
        Box::new(broker.consumer_builder()),
        Box::new(broker.consumer("g").unwrap()),
        Box::new(broker.clone()),
    ]
}

#[test]
fn the_broker_is_closed_where_the_last_handle_is_dropped_although_a_request_is_still_served() {
    let dir = tempfile::tempdir().unwrap();
    let broker = Broker::open(dir.path()).unwrap();
    create(&broker, "orders", 1);
    // A thread of the broker has it while it serves a request.
    let served = Arc::clone(&broker.core);
    let handles = handles_of(&broker);
    drop(broker);
    for handle in handles {
        assert!(!served.is_closed());
        drop(handle);
    }
    assert!(served.is_closed());
    // The directory is free, too.
    assert_eq!(Broker::open(dir.path()).unwrap().admin().list_topics(), ["orders"]);
}

#[test]
fn a_producer_that_is_the_last_handle_appends_what_is_open_although_the_timer_looks_at_it() {
    let dir = tempfile::tempdir().unwrap();
    let broker = Broker::open(dir.path()).unwrap();
    create(&broker, "orders", 1);
    let producer = broker.producer_builder().linger_ms(u64::from(u32::MAX)).build().unwrap();
    producer.send(ProducerRecord::new("orders").value("a")).unwrap();
    let looked_at = producer.share();
    drop((broker, producer));
    let again = Broker::open(dir.path()).unwrap();
    assert_eq!(again.topic("orders").unwrap().partition(0).unwrap().latest_offset().unwrap(), 1);
    drop(looked_at);
}

#[test]
fn the_timer_looks_for_files_to_delete_only_while_there_are_some() {
    let clock = Arc::new(ManualClock::new(1_000));
    let broker = Broker::builder().temporary().clock(clock.clone()).open().unwrap();
    create(&broker, "orders", 1);
    let idle = broker.core.timer.len();
    let dirs = || {
        let entries = broker.core.env.fs.read_dir(&broker.log_dirs()[0]).unwrap();
        entries.iter().filter(|entry| entry.is_dir).count()
    };
    assert_eq!(dirs(), 1);
    broker.core.delete_topic("orders").unwrap();
    assert_eq!((dirs(), broker.core.timer.len()), (1, idle + 1));
    clock.advance(Duration::from_secs(60));
    while dirs() > 0 {
        std::thread::yield_now();
    }
}

#[test]
fn compaction_of_the_offsets_topic_keeps_the_last_commit_of_each_group() {
    let dir = tempfile::tempdir().unwrap();
    let open =
        || Broker::builder().log_dir(dir.path()).set("offsets.topic.num.partitions", "1").open().unwrap();
    let broker = open();
    create(&broker, "t", 1);
    let tp = TopicPartition::new("t", 0);
    broker.core.ensure_offsets_topic().unwrap();
    for offset in 0..50 {
        for group_id in ["a", "b"] {
            let offset = OffsetCommit {
                topic_partition: tp.clone(),
                offset,
                leader_epoch: NO_LEADER_EPOCH,
                metadata: "",
                commit_timestamp: None,
            };
            let codes = broker.core.groups.commit_offsets(CommitOffsetsParams {
                knows_member_epochs: true,
                group_id,
                member_id: "",
                group_instance_id: None,
                generation_id: -1,
                retention_time_ms: None,
                offsets: vec![offset],
            });
            assert_eq!(codes, [ErrorCode::None]);
        }
    }
    let log = broker.core.partition(CONSUMER_OFFSETS_TOPIC, 0).unwrap().log().unwrap();
    log.roll().unwrap();
    let stats = broker.core.log_manager.clean_now(&log).unwrap();
    assert!(stats.records_read >= 100 && stats.records_written < 10, "{stats:?}");
    broker.close();
    let again = open();
    for group_id in ["a", "b"] {
        let fetched = again.core.groups.fetch_offsets(group_id, Some(std::slice::from_ref(&tp)), false);
        assert_eq!(fetched.unwrap()[0].offset, 49);
    }
}

#[test]
fn a_consumer_reads_over_the_gaps_of_a_compacted_topic_to_the_end() {
    let clock = Arc::new(ManualClock::new(1_000_000));
    let broker = Broker::builder().temporary().clock(clock.clone()).open().unwrap();
    let topic =
        NewTopic::new("latest", 1).config("cleanup.policy", "compact").config("delete.retention.ms", "0");
    broker.core.create_topics(&[topic], false).remove(0).unwrap();
    let log = broker.core.partition("latest", 0).unwrap().log().unwrap();
    let producer = broker.producer_builder().idempotence(false).build().unwrap();
    let send = |key: &str, value: Option<&str>| {
        let record = ProducerRecord::new("latest").key(key);
        let record = if let Some(value) = value { record.value(value) } else { record };
        producer.send(record).unwrap().wait().unwrap();
    };
    let clean = || {
        log.roll().unwrap();
        broker.core.log_manager.clean_now(&log).unwrap()
    };
    for value in ["1", "2", "3"] {
        send("a", Some(value));
        send("b", Some(value));
    }
    clean();
    for key in ["b", "c"] {
        send(key, None);
    }
    clean();
    send("d", Some("4"));
    let consume = || {
        let mut consumer =
            broker.consumer_builder().auto_offset_reset(AutoOffsetReset::Earliest).build().unwrap();
        let tp = TopicPartition::new("latest", 0);
        consumer.assign([tp.clone()]).unwrap();
        let mut found = Vec::new();
        while consumer.position(&tp).unwrap() < log.log_end_offset() {
            for record in consumer.poll(Duration::ZERO).unwrap().iter() {
                let text = |bytes: Option<&[u8]>| bytes.map(|b| String::from_utf8_lossy(b).into_owned());
                found.push((record.offset(), text(record.key()), text(record.value())));
            }
        }
        found
    };
    let entry = |offset: i64, key: &str, value: Option<&str>| {
        (offset, Some(key.to_owned()), value.map(str::to_owned))
    };
    let tombstones = [entry(6, "b", None), entry(7, "c", None)];
    let kept = [entry(4, "a", Some("3"))];
    assert_eq!(consume(), [&kept[..], &tombstones, &[entry(8, "d", Some("4"))]].concat());
    // All that follows is gone but for the batch that tells of the end.
    clock.advance(Duration::from_millis(1));
    send("d", None);
    clean();
    clock.advance(Duration::from_millis(1));
    send("e", None);
    clean();
    clock.advance(Duration::from_millis(1));
    send("e", None);
    clean();
    assert_eq!(consume(), [&kept[..], &[entry(11, "e", None)]].concat());
}

#[cfg(feature = "testkit")]
#[test]
fn a_producer_that_finds_the_disk_full_may_go_on_when_there_is_room_and_consumers_do_meanwhile() {
    use crate::sys::{Env, OsFileSystem};
    use crate::testkit::{FaultyFileSystem, FileOperation};

    let dir = tempfile::tempdir().unwrap();
    let fs = Arc::new(FaultyFileSystem::new(Arc::new(OsFileSystem::without_sync())));
    let env = Env { fs: fs.clone(), ..Env::system() };
    let broker = Broker::builder().log_dir(dir.path()).env(env).open().unwrap();
    create(&broker, "orders", 1);
    let producer = broker.producer();
    let send = |value: &str| producer.send(ProducerRecord::new("orders").value(value)).unwrap().wait();
    assert_eq!(send("a").unwrap().offset, 0);

    fs.set_plan(|operation, _| {
        (operation == FileOperation::Write).then(|| std::io::ErrorKind::StorageFull.into())
    });
    let error = send("b").unwrap_err();
    assert_eq!(
        (error.code(), error.is_retriable(), error.is_fatal()),
        (ErrorCode::KafkaStorageError, true, false)
    );
    assert!(error.to_string().contains("make room there"), "{error}");
    let partition = broker.topic("orders").unwrap().partition(0).unwrap();
    assert_eq!(partition.read_from(0).count(), 1);

    fs.clear_plan();
    assert_eq!(send("b").unwrap().offset, 1);
    let values: Vec<_> =
        partition.read_from(0).map(|record| record.unwrap().value().unwrap().to_vec()).collect();
    assert_eq!(values, [b"a", b"b"]);
}

#[test]
fn topics_of_which_only_directories_are_there_keep_every_record_and_their_ids() {
    let dir = tempfile::tempdir().unwrap();
    let broker = Broker::open(dir.path()).unwrap();
    create(&broker, "orders", 2);
    append(&broker.core.partition("orders", 1).unwrap(), 3);
    broker.core.ensure_offsets_topic().unwrap();
    let offsets_partition = broker.core.partition(CONSUMER_OFFSETS_TOPIC, 3).unwrap();
    offsets_partition.log().unwrap();
    let id = broker.core.metadata.topic("orders").unwrap().id();
    let first_producer_id = broker.core.generate_producer_id().unwrap();
    broker.close();
    broker.core.env.fs.remove_file(&dir.path().join("broker-metadata-checkpoint")).unwrap();
    // Its own settings would delete or compact them.
    let broker = Broker::builder()
        .log_dir(dir.path())
        .set("log.cleanup.policy", "compact")
        .set("log.retention.ms", "1")
        .open()
        .unwrap();
    let topic = broker.core.metadata.topic("orders").unwrap();
    assert_eq!((topic.id(), topic.num_partitions()), (id, 2));
    for partition in topic.partitions() {
        let config = partition.log().unwrap().config();
        assert_eq!(
            (config.retention_ms, config.retention_bytes, config.cleanup_policy.compact),
            (-1, -1, false)
        );
    }
    let offsets = broker.core.metadata.topic(CONSUMER_OFFSETS_TOPIC).unwrap();
    assert!(offsets.partitions()[3].log().unwrap().config().cleanup_policy.compact);
    // Nobody knows which ids are in use.
    assert!(broker.core.generate_producer_id().unwrap() > first_producer_id + 1_000_000_000);
}

#[test]
fn a_broker_without_an_id_has_the_one_of_its_directory_and_one_with_another_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(Broker::builder().log_dir(dir.path()).set("broker.id", "7").open().unwrap());
    assert_eq!(Broker::open(dir.path()).unwrap().core.node_id, 7);
    let error = Broker::builder().log_dir(dir.path()).set("broker.id", "8").open().unwrap_err();
    assert_eq!(error.code(), ErrorCode::InconsistentClusterId);
}

#[test]
fn nothing_that_a_temporary_broker_sets_by_itself_is_without_effect() {
    for (name, _) in super::builder::TEMPORARY_DEFAULTS {
        let key = crate::config::BrokerConfig::keys().iter().find(|key| key.name == name).unwrap();
        assert_eq!(key.effect, crate::config::Effect::Acts, "{name}");
    }
}
