//! Metadata.

use kafka_protocol_018::messages::MetadataRequest;
use kafka_protocol_018::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol_018::messages::metadata_response::{MetadataResponse, MetadataResponseTopic};
use ottla::{ConfigResource, ConfigSource, ErrorCode};

use super::find_coordinator::find_group_coordinator;
use super::fixture::{Fixture, code, describe_topic, topic_name};

fn named(names: &[&str]) -> MetadataRequest {
    let topic = |name: &&str| MetadataRequestTopic::default().with_name(Some(topic_name(name)));
    MetadataRequest::default().with_topics(Some(names.iter().map(topic).collect()))
}

fn asking(topic: MetadataRequestTopic) -> MetadataRequest {
    MetadataRequest::default().with_topics(Some(vec![topic]))
}

fn names(response: &MetadataResponse) -> Vec<String> {
    response.topics.iter().map(|topic| topic.name.as_ref().unwrap().to_string()).collect()
}

fn error(topic: &MetadataResponseTopic) -> ErrorCode {
    code(topic.error_code)
}

#[test]
fn every_version_tells_of_the_broker_and_of_the_topic() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("orders", 3, &[]);
    let address = fixture.listener.local_addr();
    for version in 0..=13 {
        let response = client.call(version, &named(&["orders"]));
        let broker = &response.brokers[0];
        assert_eq!(broker.node_id.0, fixture.broker.node_id(), "version {version}");
        assert_eq!((broker.host.as_str(), broker.port), ("127.0.0.1", i32::from(address.port())));
        let topic = &response.topics[0];
        assert_eq!(error(topic), ErrorCode::None);
        let indexes: Vec<i32> = topic.partitions.iter().map(|partition| partition.partition_index).collect();
        assert_eq!(indexes, [0, 1, 2]);
        for partition in &topic.partitions {
            assert_eq!(partition.leader_id, broker.node_id);
            assert_eq!(partition.replica_nodes, [broker.node_id]);
            assert_eq!(partition.isr_nodes, [broker.node_id]);
            assert_eq!(partition.leader_epoch, if version >= 7 { 0 } else { -1 });
        }
        if version >= 1 {
            assert_eq!(response.controller_id, broker.node_id);
        }
        if version >= 2 {
            assert_eq!(response.cluster_id.unwrap().as_str(), fixture.broker.cluster_id());
        }
        assert_eq!(topic.topic_id.is_nil(), version < 10);
    }
}

#[test]
fn no_topics_are_all_of_them_in_version_0_and_none_later_where_null_is_all() {
    let fixture = Fixture::start();
    fixture.create_topic("a", 1, &[]);
    let mut client = fixture.create_topic("b", 1, &[]);
    assert_eq!(names(&client.call(0, &named(&[]))), ["a", "b"]);
    for version in 1..=13 {
        assert_eq!(names(&client.call(version, &named(&[]))), [""; 0], "version {version}");
        let all = MetadataRequest::default().with_topics(None);
        assert_eq!(names(&client.call(version, &all)), ["a", "b"], "version {version}");
    }
}

#[test]
fn a_missing_topic_is_made_and_answered_at_once() {
    let fixture = Fixture::with(|builder| builder.set("num.partitions", "2"));
    let mut client = fixture.connect();
    for (version, name) in [(0, "early"), (4, "later"), (13, "newest")] {
        let request = named(&[name]).with_allow_auto_topic_creation(true);
        let topic = &client.call(version, &request).topics[0];
        assert_eq!((error(topic), topic.partitions.len()), (ErrorCode::None, 2), "version {version}");
    }
}

#[test]
fn a_topic_of_the_brokers_own_that_a_client_asks_for_first_is_made_as_the_broker_makes_it() {
    let settings = [
        ("num.partitions", "2"),
        ("offsets.topic.num.partitions", "7"),
        ("offsets.topic.segment.bytes", "2000000"),
        ("transaction.state.log.num.partitions", "3"),
        ("transaction.state.log.segment.bytes", "3000000"),
    ];
    let fixture = Fixture::with(|builder| {
        settings.iter().fold(builder, |builder, (key, value)| builder.set(*key, *value))
    });
    let mut client = fixture.connect();
    let expected = [("__consumer_offsets", 7, "2000000"), ("__transaction_state", 3, "3000000")];
    for (name, partitions, segment_bytes) in expected {
        let request = named(&[name]).with_allow_auto_topic_creation(true);
        let topic = &client.call(12, &request).topics[0];
        assert_eq!(
            (error(topic), topic.is_internal, topic.partitions.len()),
            (ErrorCode::None, true, partitions)
        );
        let configs = fixture.broker.admin().describe_configs(&ConfigResource::topic(name)).unwrap();
        let own = |key: &str| {
            let entry = configs.iter().find(|entry| entry.name == key && entry.source == ConfigSource::Topic);
            entry.and_then(|entry| entry.value.clone()).unwrap_or_default()
        };
        assert_eq!(
            (own("cleanup.policy"), own("segment.bytes")),
            ("compact".to_owned(), segment_bytes.to_owned())
        );
    }
    // Groups work on it.
    find_group_coordinator(&mut client, "g");
    let offsets = [(ottla::TopicPartition::new("__consumer_offsets", 0), 0)];
    fixture.broker.admin().alter_consumer_group_offsets("g", offsets).unwrap();
}

#[test]
fn a_topic_is_not_made_where_the_client_forbids_it() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    let request = named(&["missing"]).with_allow_auto_topic_creation(false);
    for _ in 0..2 {
        assert_eq!(error(&client.call(4, &request).topics[0]), ErrorCode::UnknownTopicOrPartition);
    }
}

#[test]
fn a_topic_is_not_made_where_the_broker_forbids_it() {
    let fixture = Fixture::with(|builder| builder.set("auto.create.topics.enable", "false"));
    let request = named(&["missing"]).with_allow_auto_topic_creation(true);
    let response = fixture.connect().call(4, &request);
    assert_eq!(error(&response.topics[0]), ErrorCode::UnknownTopicOrPartition);
}

#[test]
fn an_invalid_name_is_refused_and_never_made() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    for name in ["", ".", "..", "a b", &"x".repeat(250)] {
        let response = client.call(4, &named(&[name]));
        assert_eq!(error(&response.topics[0]), ErrorCode::InvalidTopicException, "{name:?}");
    }
    assert_eq!(names(&client.call(4, &MetadataRequest::default().with_topics(None))), [""; 0]);
}

#[test]
fn a_topic_named_twice_is_answered_once() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("a", 1, &[]);
    assert_eq!(names(&client.call(9, &named(&["a", "a"]))), ["a"]);
}

#[test]
fn a_topic_is_found_by_its_id_from_version_12_on() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("orders", 1, &[]);
    let id = describe_topic(&mut client, "orders").topic_id;
    for version in 12..=13 {
        let by_id = MetadataRequestTopic::default().with_name(None);
        assert_eq!(names(&client.call(version, &asking(by_id.clone().with_topic_id(id)))), ["orders"]);
        let unknown = "07070707-0707-0707-0707-070707070707".parse().unwrap();
        let topic = client.call(version, &asking(by_id.with_topic_id(unknown))).topics.remove(0);
        assert_eq!((error(&topic), topic.topic_id, topic.name), (ErrorCode::UnknownTopicId, unknown, None));
    }
}

#[test]
fn versions_10_and_11_may_not_ask_by_id() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("orders", 1, &[]);
    let id = describe_topic(&mut client, "orders").topic_id;
    for version in 10..=11 {
        let by_id = MetadataRequestTopic::default().with_topic_id(id);
        let topic = client.call(version, &asking(by_id)).topics.remove(0);
        assert_eq!((error(&topic), topic.name.unwrap().as_str()), (ErrorCode::InvalidRequest, ""));
    }
}

#[test]
fn authorized_operations_are_told_to_those_who_ask() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("orders", 1, &[]);
    let not_asked = client.call(8, &named(&["orders"]));
    assert_eq!(not_asked.cluster_authorized_operations, i32::MIN);
    assert_eq!(not_asked.topics[0].topic_authorized_operations, i32::MIN);
    let asking = named(&["orders"])
        .with_include_cluster_authorized_operations(true)
        .with_include_topic_authorized_operations(true);
    let asked = client.call(10, &asking);
    assert_eq!(asked.cluster_authorized_operations, 8096);
    assert_eq!(asked.topics[0].topic_authorized_operations, 3576);
}

#[test]
fn a_listener_on_all_addresses_advertises_the_one_that_the_client_has_connected_to() {
    let fixture = Fixture::start();
    let listener = fixture.broker.listen("0.0.0.0:0").unwrap();
    let port = listener.local_addr().port();
    assert_eq!(listener.bootstrap_servers(), format!("localhost:{port}"));
    let mut client = super::client::Client::connect(([127, 0, 0, 1], port).into());
    let response = client.call(1, &named(&[]));
    let broker = &response.brokers[0];
    assert_eq!((broker.host.as_str(), broker.port), ("127.0.0.1", i32::from(port)));
}
