//! DescribeCluster, DescribeLogDirs and DescribeTopicPartitions.

use kafka_protocol_018::messages::describe_log_dirs_request::DescribableLogDirTopic;
use kafka_protocol_018::messages::describe_topic_partitions_request::{Cursor, TopicRequest};
use kafka_protocol_018::messages::{
    DescribeClusterRequest, DescribeLogDirsRequest, DescribeTopicPartitionsRequest,
    DescribeTopicPartitionsResponse,
};
use ottla::ErrorCode;

use super::fixture::{Fixture, code, topic_name};
use super::producing::append;
use super::records::batch;

#[test]
fn every_version_describes_the_cluster() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    for version in 0..=2 {
        let request =
            DescribeClusterRequest::default().with_include_cluster_authorized_operations(version == 1);
        let described = client.call(version, &request);
        assert_eq!(code(described.error_code), ErrorCode::None);
        assert_eq!(described.cluster_id.as_str(), fixture.broker.cluster_id());
        assert_eq!(described.controller_id.0, fixture.broker.node_id());
        let broker = &described.brokers[0];
        let port = i32::from(fixture.listener.local_addr().port());
        assert_eq!((broker.broker_id.0, broker.host.as_str(), broker.port), (1, "127.0.0.1", port));
        assert_eq!(described.cluster_authorized_operations, if version == 1 { 8096 } else { i32::MIN });
    }
}

#[test]
fn controllers_are_not_listed_by_a_broker() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    for (type_, expected) in [(2, ErrorCode::MismatchedEndpointType), (9, ErrorCode::UnsupportedEndpointType)]
    {
        let described = client.call(1, &DescribeClusterRequest::default().with_endpoint_type(type_));
        assert_eq!(code(described.error_code), expected);
        assert!(described.error_message.is_some() && described.brokers.is_empty());
        assert_eq!(described.endpoint_type, 1, "an error does not echo the type");
    }
}

#[test]
fn every_version_describes_the_log_dirs_with_what_is_in_them() {
    let fixture = Fixture::start();
    fixture.create_topic("t", 2, &[]);
    let mut client = fixture.create_topic("u", 1, &[]);
    let sent = batch(&["a"]);
    append(&mut client, "t", sent.clone());
    for version in 1..=4 {
        let response = client.call(version, &DescribeLogDirsRequest::default().with_topics(None));
        assert_eq!(code(response.error_code), ErrorCode::None);
        let dir = &response.results[0];
        assert_eq!(dir.log_dir.as_str(), fixture.broker.log_dirs()[0].to_str().unwrap());
        let sizes: Vec<(String, i32, i64)> = dir
            .topics
            .iter()
            .flat_map(|topic| {
                topic
                    .partitions
                    .iter()
                    .map(|of| (topic.name.to_string(), of.partition_index, of.partition_size))
            })
            .collect();
        let size = i64::try_from(sent.len()).unwrap();
        let expected = [("t", 0, size), ("t", 1, 0), ("u", 0, 0)];
        let mut sorted = sizes.clone();
        sorted.sort();
        assert_eq!(sorted, expected.map(|(name, index, size)| (name.to_owned(), index, size)));
        assert_eq!(dir.total_bytes > 0 && dir.usable_bytes >= 0, version >= 4);
    }
    let wanted = DescribableLogDirTopic::default().with_topic(topic_name("t")).with_partitions(vec![1, 9]);
    let response = client.call(4, &DescribeLogDirsRequest::default().with_topics(Some(vec![wanted])));
    let topics = &response.results[0].topics;
    assert_eq!(
        (topics.len(), topics[0].partitions.len(), topics[0].partitions[0].partition_index),
        (1, 1, 1)
    );
}

/// `topic:partition` of everything told.
fn told(response: &DescribeTopicPartitionsResponse) -> Vec<String> {
    let of_topic = |topic: &kafka_protocol_018::messages::describe_topic_partitions_response::DescribeTopicPartitionsResponseTopic| {
        let name = topic.name.as_ref().unwrap().to_string();
        topic.partitions.iter().map(move |partition| format!("{name}:{}", partition.partition_index)).collect::<Vec<_>>()
    };
    response.topics.iter().flat_map(of_topic).collect()
}

fn cursor(topic: &str, partition: i32) -> Option<Cursor> {
    Some(Cursor::default().with_topic_name(topic_name(topic)).with_partition_index(partition))
}

fn named(names: &[&str]) -> DescribeTopicPartitionsRequest {
    let topics = names.iter().map(|name| TopicRequest::default().with_name(topic_name(name)));
    DescribeTopicPartitionsRequest::default()
        .with_topics(topics.collect())
        .with_response_partition_limit(2000)
}

#[test]
fn topics_are_described_page_by_page() {
    let fixture = Fixture::start();
    fixture.create_topic("a", 2, &[]);
    let mut client = fixture.create_topic("b", 3, &[]);
    let mut request = named(&[]).with_response_partition_limit(2);
    let mut pages = Vec::new();
    loop {
        let response = client.call(0, &request);
        pages.push(told(&response));
        let Some(next) = response.next_cursor else { break };
        request = request.with_cursor(cursor(next.topic_name.as_str(), next.partition_index));
    }
    assert_eq!(pages, [vec!["a:0", "a:1"], vec!["b:0", "b:1"], vec!["b:2"]]);
    let response = client.call(0, &named(&["b", "a", "b"]));
    assert_eq!(told(&response), ["a:0", "a:1", "b:0", "b:1", "b:2"]);
    assert!(response.next_cursor.is_none());
    let topic = &response.topics[0];
    assert_eq!(topic.topic_authorized_operations, 3576);
    assert_eq!(topic.partitions[0].leader_id.0, fixture.broker.node_id());
    assert_eq!(topic.partitions[0].eligible_leader_replicas, Some(Vec::new()));
}

#[test]
fn a_cursor_skips_what_was_told_before() {
    let fixture = Fixture::start();
    fixture.create_topic("a", 1, &[]);
    let mut client = fixture.create_topic("c", 2, &[]);
    assert_eq!(told(&client.call(0, &named(&["a", "c"]).with_cursor(cursor("b", 1)))), ["c:0", "c:1"]);
    assert_eq!(told(&client.call(0, &named(&["a", "c"]).with_cursor(cursor("c", 1)))), ["c:1"]);
    let negative = client.call(0, &named(&["a"]).with_cursor(cursor("a", -1)));
    assert_eq!(code(negative.topics[0].error_code), ErrorCode::InvalidRequest);
}

#[test]
fn topics_that_are_not_there_are_told_so() {
    let fixture = Fixture::start();
    let response = fixture.connect().call(0, &named(&["missing", "no topic"]));
    let codes: Vec<_> = response.topics.iter().map(|topic| code(topic.error_code)).collect();
    assert_eq!(codes, [ErrorCode::UnknownTopicOrPartition, ErrorCode::InvalidTopicException]);
}

#[test]
fn the_brokers_limit_of_a_page_counts_too() {
    let fixture = Fixture::with(|builder| builder.set("max.request.partition.size.limit", "3"));
    let mut client = fixture.create_topic("a", 5, &[]);
    let response = client.call(0, &named(&["a"]));
    assert_eq!(told(&response).len(), 3);
    assert_eq!(response.next_cursor.unwrap().partition_index, 3);
}

#[test]
fn a_cursor_behind_all_topics_asked_for_is_an_invalid_request() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    let topic = TopicRequest::default().with_name(topic_name("t"));
    let request =
        DescribeTopicPartitionsRequest::default().with_topics(vec![topic]).with_cursor(cursor("z", 0));
    assert_eq!(code(client.call(0, &request).topics[0].error_code), ErrorCode::InvalidRequest);
}
