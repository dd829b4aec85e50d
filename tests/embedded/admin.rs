use ottla::{
    AlterConfig, Broker, ConfigResource, ConfigSource, ErrorCode, NewTopic, OffsetSpec, ProducerRecord,
};

use crate::support::*;

#[test]
fn topics_are_made_each_on_its_own_and_described() {
    let broker = Broker::temporary().unwrap();
    let admin = broker.admin();
    let results = admin.create_topics([
        NewTopic::new("a", 2),
        NewTopic::new("not ok", 1),
        NewTopic::new("b", -1),
        NewTopic::new("c", 1).config("retention.ms", "soon"),
    ]);
    let codes: Vec<_> = results.iter().map(|result| result.as_ref().err().map(ottla::Error::code)).collect();
    assert_eq!(codes, [None, Some(ErrorCode::InvalidTopicException), None, Some(ErrorCode::InvalidConfig)]);
    assert_eq!(admin.list_topics(), ["a", "b"]);
    let described = admin.describe_topic("a").unwrap();
    assert_eq!(&described, results[0].as_ref().unwrap());
    assert_eq!(described.id, broker.topic("a").unwrap().id());
    let numbers: Vec<_> =
        described.partitions.iter().map(|p| (p.partition, p.leader, p.latest_offset)).collect();
    assert_eq!(numbers, [(0, broker.node_id(), 0), (1, broker.node_id(), 0)]);
    assert_eq!(admin.describe_topic("zzz").unwrap_err().code(), ErrorCode::UnknownTopicOrPartition);
}

#[test]
fn a_topic_that_is_only_validated_is_not_made() {
    let broker = Broker::temporary().unwrap();
    let admin = broker.admin();
    admin.validate_topic(NewTopic::new("a", 2)).unwrap();
    assert!(admin.list_topics().is_empty());
    let error = admin.validate_topic(NewTopic::new("a", 0)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidPartitions);
}

#[test]
fn settings_of_topics_are_changed_and_given_back_and_survive_opening_again() {
    let dir = tempfile::tempdir().unwrap();
    let broker = Broker::open(dir.path()).unwrap();
    let admin = broker.admin();
    admin.create_topic(NewTopic::new("orders", 1).config("segment.bytes", "1048576")).unwrap();
    let orders = ConfigResource::topic("orders");
    let changes =
        [AlterConfig::set("retention.ms", "5000"), AlterConfig::append("cleanup.policy", "compact")];
    admin.alter_configs(&orders, changes).unwrap();
    let error = admin
        .alter_configs(
            &orders,
            [AlterConfig::set("retention.ms", "1"), AlterConfig::set("segment.bytes", "x")],
        )
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidConfig);
    drop((admin, broker));

    let broker = Broker::open(dir.path()).unwrap();
    let admin = broker.admin();
    let value = |name| admin.describe_config(&orders, name).unwrap().unwrap().value.unwrap();
    assert_eq!((value("retention.ms"), value("segment.bytes")), ("5000".to_owned(), "1048576".to_owned()));
    assert_eq!(value("cleanup.policy"), "delete,compact");
    admin.alter_configs(&orders, [AlterConfig::delete("retention.ms")]).unwrap();
    let retention = admin.describe_config(&orders, "retention.ms").unwrap().unwrap();
    assert_ne!(retention.source, ConfigSource::Topic);
    let names: Vec<_> =
        admin.describe_configs(&orders).unwrap().into_iter().map(|entry| entry.name).collect();
    assert!(names.is_sorted() && names.len() > 20);
}

#[test]
fn settings_of_the_broker_are_changed_where_kafka_allows_it() {
    let broker = Broker::temporary().unwrap();
    let admin = broker.admin();
    admin.alter_configs(&ConfigResource::Broker, [AlterConfig::set("num.io.threads", "5")]).unwrap();
    let threads = admin.describe_config(&ConfigResource::Broker, "num.io.threads").unwrap().unwrap();
    assert_eq!((threads.value.as_deref(), threads.source), (Some("5"), ConfigSource::DynamicBroker));
    let error =
        admin.alter_configs(&ConfigResource::Broker, [AlterConfig::set("log.dirs", "/x")]).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidRequest);
    assert!(admin.describe_config(&ConfigResource::Broker, "no.such.key").unwrap().is_none());
}

#[test]
fn records_are_deleted_up_to_an_offset() {
    let broker = broker_with("orders", 1);
    send(&patient_producer(&broker), "orders", &["a", "b", "c"]);
    let admin = broker.admin();
    assert_eq!(admin.delete_records(&tp("orders", 0), 2).unwrap(), 2);
    assert_eq!(values(&broker, "orders", 0, 2), ["c"]);
    // Nothing comes back.
    assert_eq!(admin.delete_records(&tp("orders", 0), 1).unwrap(), 2);
    for offset in [4, -1] {
        let error = admin.delete_records(&tp("orders", 0), offset).unwrap_err();
        assert_eq!(error.code(), ErrorCode::OffsetOutOfRange);
    }
    let error = admin.delete_records(&tp("orders", 9), 1).unwrap_err();
    assert_eq!(error.code(), ErrorCode::UnknownTopicOrPartition);
}

#[test]
fn offsets_are_found_by_time() {
    let broker = broker_with("orders", 1);
    let producer = patient_producer(&broker);
    for (i, time) in [10, 30, 20, 30].into_iter().enumerate() {
        let record = ProducerRecord::new("orders").timestamp(START_MS + time);
        producer.send(record.value(&i.to_string())).unwrap();
    }
    producer.flush().unwrap();
    let partition = broker.topic("orders").unwrap().partition(0).unwrap();
    let find = |time| partition.offset_for_timestamp(START_MS + time).unwrap().map(|found| found.offset);
    assert_eq!([find(0), find(10), find(11), find(30), find(31)], [Some(0), Some(0), Some(1), Some(1), None]);
    let max = broker.admin().list_offset(&tp("orders", 0), OffsetSpec::MaxTimestamp).unwrap().unwrap();
    assert_eq!((max.offset, max.timestamp), (1, START_MS + 30));
}

#[test]
fn log_dirs_tell_what_they_hold() {
    let broker = broker_with("orders", 2);
    send(&broker.producer(), "orders", &["a"]);
    let dirs = broker.admin().describe_log_dirs().unwrap();
    assert_eq!(dirs.len(), 1);
    assert_eq!(dirs[0].path, broker.log_dirs()[0]);
    let sizes: Vec<_> = dirs[0].partitions.iter().map(|(tp, size)| (tp.to_string(), *size > 0)).collect();
    assert_eq!(sizes.len(), 2);
    assert_eq!(sizes.iter().filter(|(_, has_records)| *has_records).count(), 1);
    broker.close();
    assert_eq!(broker.admin().describe_log_dirs().unwrap_err().code(), ErrorCode::BrokerNotAvailable);
}
