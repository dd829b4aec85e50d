//! CreateTopics, DeleteTopics, CreatePartitions, DeleteRecords.

use kafka_protocol_015::messages as old;
use kafka_protocol_018::messages::create_partitions_request::{
    CreatePartitionsAssignment, CreatePartitionsTopic,
};
use kafka_protocol_018::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use kafka_protocol_018::messages::create_topics_response::CreatableTopicResult;
use kafka_protocol_018::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use kafka_protocol_018::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol_018::messages::{
    BrokerId, CreatePartitionsRequest, CreateTopicsRequest, DeleteRecordsRequest, DeleteTopicsRequest,
};
use ottla::ErrorCode;

use super::client::Client;
use super::fetching::fetch;
use super::find_coordinator::find_group_coordinator;
use super::fixture::{Fixture, code, describe_topic, text, topic_name};
use super::producing::append;
use super::records::batch;

pub(super) fn delete_topic(client: &mut Client, name: &str) {
    let request = DeleteTopicsRequest::default().with_topic_names(vec![topic_name(name)]);
    let response = client.call(3, &request);
    assert_eq!(code(response.responses[0].error_code), ErrorCode::None);
}

fn new_topic(name: &str, partitions: i32) -> CreatableTopic {
    CreatableTopic::default()
        .with_name(topic_name(name))
        .with_num_partitions(partitions)
        .with_replication_factor(1)
}

fn create(client: &mut Client, topic: CreatableTopic) -> CreatableTopicResult {
    client.call(7, &CreateTopicsRequest::default().with_topics(vec![topic])).topics.remove(0)
}

fn config(key: &str, value: Option<&str>) -> CreatableTopicConfig {
    CreatableTopicConfig::default().with_name(text(key)).with_value(value.map(text))
}

#[test]
fn every_version_makes_a_topic_and_says_what_it_is_like() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    for version in 2..=7 {
        let name = format!("t{version}");
        let topic = new_topic(&name, 3).with_configs(vec![config("retention.ms", Some("1000"))]);
        let response = client.call(version, &CreateTopicsRequest::default().with_topics(vec![topic]));
        let result = &response.topics[0];
        assert_eq!(code(result.error_code), ErrorCode::None, "version {version}");
        assert_eq!(result.error_message, None);
        if version >= 5 {
            assert_eq!((result.num_partitions, result.replication_factor), (3, 1));
            let configs = result.configs.as_ref().unwrap();
            let retention = configs.iter().find(|config| config.name.as_str() == "retention.ms").unwrap();
            assert_eq!((retention.value.as_ref().unwrap().as_str(), retention.config_source), ("1000", 1));
            let segment = configs.iter().find(|config| config.name.as_str() == "segment.bytes").unwrap();
            assert_eq!((segment.value.as_ref().unwrap().as_str(), segment.config_source), ("1073741824", 5));
        }
        let described = describe_topic(&mut client, &name);
        assert_eq!(described.partitions.len(), 3);
        assert_eq!(result.topic_id.is_nil(), version < 7);
        if version >= 7 {
            assert_eq!(described.topic_id, result.topic_id);
        }
    }
    for version in 0..=1 {
        let name = format!("t{version}");
        let topic = old::create_topics_request::CreatableTopic::default()
            .with_name(old::TopicName(kafka_protocol_015::protocol::StrBytes::from_string(name.clone())))
            .with_num_partitions(2)
            .with_replication_factor(1);
        let request = old::CreateTopicsRequest::default().with_topics(vec![topic]);
        let response = client.call_old(version, &request);
        assert_eq!(code(response.topics[0].error_code), ErrorCode::None);
        assert_eq!(describe_topic(&mut client, &name).partitions.len(), 2);
    }
}

#[test]
fn minus_1_stands_for_the_brokers_own_numbers() {
    let fixture = Fixture::with(|builder| builder.set("num.partitions", "5"));
    let result = create(&mut fixture.connect(), new_topic("t", -1).with_replication_factor(-1));
    assert_eq!((result.num_partitions, result.replication_factor), (5, 1));
}

#[test]
fn what_cannot_be_made_is_refused_with_its_reason() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("a.b", 1, &[]);
    let manual = |partition, brokers: &[i32]| {
        CreatableReplicaAssignment::default()
            .with_partition_index(partition)
            .with_broker_ids(brokers.iter().copied().map(BrokerId).collect())
    };
    let assigned = |name: &str, assignments: Vec<CreatableReplicaAssignment>| {
        new_topic(name, -1).with_replication_factor(-1).with_assignments(assignments)
    };
    let cases = [
        (new_topic("a.b", 1), ErrorCode::TopicAlreadyExists),
        (new_topic("a_b", 1), ErrorCode::InvalidTopicException),
        (new_topic("", 1), ErrorCode::InvalidTopicException),
        (new_topic("a b", 1), ErrorCode::InvalidTopicException),
        (new_topic(&"x".repeat(250), 1), ErrorCode::InvalidTopicException),
        (new_topic("t", 0), ErrorCode::InvalidPartitions),
        (new_topic("t", -2), ErrorCode::InvalidPartitions),
        (new_topic("t", i32::MAX), ErrorCode::InvalidPartitions),
        (new_topic("t", 1).with_replication_factor(0), ErrorCode::InvalidReplicationFactor),
        (new_topic("t", 1).with_replication_factor(2), ErrorCode::InvalidReplicationFactor),
        (new_topic("t", 1).with_assignments(vec![manual(0, &[1])]), ErrorCode::InvalidRequest),
        (assigned("t", vec![manual(1, &[1])]), ErrorCode::InvalidReplicaAssignment),
        (assigned("t", vec![manual(0, &[1]), manual(0, &[1])]), ErrorCode::InvalidReplicaAssignment),
        (assigned("t", vec![manual(0, &[7])]), ErrorCode::InvalidReplicaAssignment),
        (assigned("t", vec![manual(0, &[1, 1])]), ErrorCode::InvalidReplicaAssignment),
        (new_topic("t", 1).with_configs(vec![config("no.such.key", Some("1"))]), ErrorCode::InvalidConfig),
        (
            new_topic("t", 1).with_configs(vec![config("retention.ms", Some("soon"))]),
            ErrorCode::InvalidConfig,
        ),
        (new_topic("t", 1).with_configs(vec![config("retention.ms", None)]), ErrorCode::InvalidConfig),
    ];
    for (topic, expected) in cases {
        let result = create(&mut client, topic.clone());
        assert_eq!(code(result.error_code), expected, "{topic:?}");
        assert!(!result.error_message.unwrap().is_empty());
    }
    assert_eq!(code(create(&mut client, assigned("t", vec![manual(0, &[1])])).error_code), ErrorCode::None);
}

#[test]
fn a_name_asked_for_twice_is_refused_and_answered_once() {
    let fixture = Fixture::start();
    let topics = vec![new_topic("t", 1), new_topic("u", 1), new_topic("t", 2)];
    let response = fixture.connect().call(7, &CreateTopicsRequest::default().with_topics(topics));
    let codes: Vec<_> =
        response.topics.iter().map(|topic| (topic.name.as_str(), code(topic.error_code))).collect();
    assert_eq!(codes, [("t", ErrorCode::InvalidRequest), ("u", ErrorCode::None)]);
}

#[test]
fn validate_only_makes_nothing() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    let request =
        CreateTopicsRequest::default().with_topics(vec![new_topic("t", 3)]).with_validate_only(true);
    let result = client.call(7, &request).topics.remove(0);
    assert_eq!((code(result.error_code), result.num_partitions), (ErrorCode::None, 3));
    assert!(result.topic_id.is_nil() && result.configs.is_some());
    assert_eq!(code(describe_topic(&mut client, "t").error_code), ErrorCode::UnknownTopicOrPartition);
}

#[test]
fn every_version_deletes_a_topic() {
    let fixture = Fixture::start();
    for version in 1..=6 {
        let mut client = fixture.create_topic("t", 1, &[]);
        let topic_id = describe_topic(&mut client, "t").topic_id;
        let request = match version {
            6 => DeleteTopicsRequest::default()
                .with_topics(vec![DeleteTopicState::default().with_name(Some(topic_name("t")))]),
            _ => DeleteTopicsRequest::default().with_topic_names(vec![topic_name("t")]),
        };
        let response = client.call(version, &request);
        assert_eq!(code(response.responses[0].error_code), ErrorCode::None, "version {version}");
        assert!(version < 6 || response.responses[0].topic_id == topic_id, "the name's id is told");
        assert_eq!(code(describe_topic(&mut client, "t").error_code), ErrorCode::UnknownTopicOrPartition);
    }
}

#[test]
fn a_topic_is_deleted_by_its_id() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    let id = describe_topic(&mut client, "t").topic_id;
    let by_id = DeleteTopicState::default().with_topic_id(id);
    let request = DeleteTopicsRequest::default().with_topics(vec![by_id]);
    let deleted = client.call(6, &request).responses.remove(0);
    assert_eq!((code(deleted.error_code), deleted.topic_id), (ErrorCode::None, id));
    assert_eq!(deleted.name.unwrap().as_str(), "t");
    let again = client.call(6, &request).responses.remove(0);
    assert_eq!((code(again.error_code), again.name), (ErrorCode::UnknownTopicId, None));
}

#[test]
fn a_deletion_names_one_topic_by_one_means() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    let id = describe_topic(&mut client, "t").topic_id;
    let by_name = DeleteTopicState::default().with_name(Some(topic_name("t")));
    for topics in [
        vec![by_name.clone().with_topic_id(id)],
        vec![DeleteTopicState::default()],
        vec![by_name.clone(), by_name],
    ] {
        let response = client.call(6, &DeleteTopicsRequest::default().with_topics(topics));
        assert_eq!(response.responses.len(), 1);
        assert_eq!(code(response.responses[0].error_code), ErrorCode::InvalidRequest);
        assert!(response.responses[0].error_message.is_some());
    }
    assert_eq!(code(describe_topic(&mut client, "t").error_code), ErrorCode::None);
}

#[test]
fn deletion_may_be_disabled() {
    let fixture = Fixture::with(|builder| builder.set("delete.topic.enable", "false"));
    let mut client = fixture.create_topic("t", 1, &[]);
    let request = DeleteTopicsRequest::default().with_topic_names(vec![topic_name("t")]);
    let refused =
        |version: i16, client: &mut Client| code(client.call(version, &request).responses[0].error_code);
    assert_eq!(refused(2, &mut client), ErrorCode::InvalidRequest);
    assert_eq!(refused(3, &mut client), ErrorCode::TopicDeletionDisabled);
}

#[test]
fn a_topic_made_again_is_another_one() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    append(&mut client, "t", batch(&["a"]));
    let id = describe_topic(&mut client, "t").topic_id;
    delete_topic(&mut client, "t");
    let mut client = fixture.create_topic("t", 1, &[]);
    assert_ne!(describe_topic(&mut client, "t").topic_id, id);
    assert_eq!(fetch(&mut client, "t", 0).high_watermark, 0);
}

fn more_partitions(name: &str, count: i32) -> CreatePartitionsTopic {
    CreatePartitionsTopic::default().with_name(topic_name(name)).with_count(count).with_assignments(None)
}

#[test]
fn every_version_adds_partitions() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    for version in 0..=3 {
        let count = i32::from(version) + 2;
        let request = CreatePartitionsRequest::default().with_topics(vec![more_partitions("t", count)]);
        let result = client.call(version, &request).results.remove(0);
        assert_eq!((code(result.error_code), result.error_message), (ErrorCode::None, None));
        assert_eq!(describe_topic(&mut client, "t").partitions.len(), usize::try_from(count).unwrap());
    }
}

#[test]
fn partitions_that_cannot_be_added_are_refused_with_the_reason() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 2, &[]);
    let manual = |brokers: &[i32]| {
        CreatePartitionsAssignment::default().with_broker_ids(brokers.iter().copied().map(BrokerId).collect())
    };
    for (topic, expected) in [
        (more_partitions("missing", 2), ErrorCode::UnknownTopicOrPartition),
        (more_partitions("t", 2), ErrorCode::InvalidPartitions),
        (more_partitions("t", 1), ErrorCode::InvalidPartitions),
        (more_partitions("t", i32::MAX), ErrorCode::InvalidPartitions),
        (
            more_partitions("t", 4).with_assignments(Some(vec![manual(&[1])])),
            ErrorCode::InvalidReplicaAssignment,
        ),
        (
            more_partitions("t", 3).with_assignments(Some(vec![manual(&[2])])),
            ErrorCode::InvalidReplicaAssignment,
        ),
    ] {
        let request = CreatePartitionsRequest::default().with_topics(vec![topic]);
        let result = client.call(3, &request).results.remove(0);
        assert_eq!(code(result.error_code), expected);
        assert!(result.error_message.is_some());
    }
    let twice = vec![more_partitions("t", 3), more_partitions("t", 4)];
    let response = client.call(3, &CreatePartitionsRequest::default().with_topics(twice));
    assert_eq!(response.results.len(), 1);
    assert_eq!(code(response.results[0].error_code), ErrorCode::InvalidRequest);
    let check = CreatePartitionsRequest::default()
        .with_topics(vec![more_partitions("t", 3)])
        .with_validate_only(true);
    assert_eq!(code(client.call(3, &check).results[0].error_code), ErrorCode::None);
    assert_eq!(describe_topic(&mut client, "t").partitions.len(), 2);
}

pub(super) fn delete_records(
    client: &mut Client,
    version: i16,
    topic: &str,
    offset: i64,
) -> (ErrorCode, i64) {
    let partition = DeleteRecordsPartition::default().with_offset(offset);
    let topic = DeleteRecordsTopic::default().with_name(topic_name(topic)).with_partitions(vec![partition]);
    let response = client.call(version, &DeleteRecordsRequest::default().with_topics(vec![topic]));
    let partition = &response.topics[0].partitions[0];
    (code(partition.error_code), partition.low_watermark)
}

#[test]
fn every_version_moves_the_start_of_a_partition() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    append(&mut client, "t", batch(&["a", "b", "c", "d", "e"]));
    for version in 0..=2 {
        let offset = i64::from(version) + 1;
        assert_eq!(delete_records(&mut client, version, "t", offset), (ErrorCode::None, offset));
        assert_eq!(code(fetch(&mut client, "t", offset - 1).error_code), ErrorCode::OffsetOutOfRange);
        assert_eq!(fetch(&mut client, "t", offset).log_start_offset, offset);
    }
    // Back is not possible, and no error; -1 is all there is.
    assert_eq!(delete_records(&mut client, 2, "t", 1), (ErrorCode::None, 3));
    assert_eq!(delete_records(&mut client, 2, "t", -1), (ErrorCode::None, 5));
}

#[test]
fn records_that_may_not_be_deleted_stay() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("compacted", 1, &[("cleanup.policy", "compact")]);
    fixture.create_topic("t", 1, &[]);
    find_group_coordinator(&mut client, "g");
    append(&mut client, "t", batch(&["a"]));
    for (topic, offset, expected) in [
        ("t", 2, ErrorCode::OffsetOutOfRange),
        ("t", -2, ErrorCode::OffsetOutOfRange),
        ("missing", 0, ErrorCode::UnknownTopicOrPartition),
        ("compacted", 0, ErrorCode::PolicyViolation),
        ("__consumer_offsets", 0, ErrorCode::InvalidTopicException),
    ] {
        assert_eq!(delete_records(&mut client, 2, topic, offset), (expected, -1), "{topic}");
    }
}
