//! OffsetCommit, OffsetFetch and OffsetDelete.

use kafka_protocol_018::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol_018::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use kafka_protocol_018::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use kafka_protocol_018::messages::{GroupId, OffsetCommitRequest, OffsetDeleteRequest, OffsetFetchRequest};
use ottla::ErrorCode;

use super::client::Client;
use super::fixture::{Fixture, code, text, topic_name};
use super::groups::{connect, join};

fn group(name: &str) -> GroupId {
    GroupId(text(name))
}

/// What a reader without a group commits for partition 0 of `t`.
fn commit_request(offset: i64, metadata: &str) -> OffsetCommitRequest {
    let partition = OffsetCommitRequestPartition::default()
        .with_committed_offset(offset)
        .with_committed_leader_epoch(3)
        .with_committed_metadata(Some(text(metadata)));
    let topic =
        OffsetCommitRequestTopic::default().with_name(topic_name("t")).with_partitions(vec![partition]);
    OffsetCommitRequest::default()
        .with_group_id(group("g"))
        .with_generation_id_or_member_epoch(-1)
        .with_topics(vec![topic])
}

fn commit(client: &mut Client, version: i16, request: &OffsetCommitRequest) -> Vec<ErrorCode> {
    let response = client.call(version, request);
    let partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
    partitions.map(|partition| code(partition.error_code)).collect()
}

/// Topic, partition, offset and metadata of what version 7 and below say of group `g`.
fn fetch(
    client: &mut Client,
    version: i16,
    topics: Option<&[(&str, &[i32])]>,
) -> Vec<(String, i32, i64, String)> {
    let topics = topics.map(|topics| {
        let topic = |(name, partitions): &(&str, &[i32])| {
            OffsetFetchRequestTopic::default()
                .with_name(topic_name(name))
                .with_partition_indexes(partitions.to_vec())
        };
        topics.iter().map(topic).collect()
    });
    let request = OffsetFetchRequest::default().with_group_id(group("g")).with_topics(topics);
    let response = client.call(version, &request);
    assert_eq!(code(response.error_code), ErrorCode::None);
    let mut found = Vec::new();
    for topic in &response.topics {
        for partition in &topic.partitions {
            assert_eq!(code(partition.error_code), ErrorCode::None);
            assert_eq!(
                partition.committed_leader_epoch,
                if version >= 5 && partition.committed_offset >= 0 { 3 } else { -1 }
            );
            let metadata = partition.metadata.as_ref().unwrap().to_string();
            found.push((
                topic.name.to_string(),
                partition.partition_index,
                partition.committed_offset,
                metadata,
            ));
        }
    }
    found
}

fn entry(topic: &str, partition: i32, offset: i64, metadata: &str) -> (String, i32, i64, String) {
    (topic.to_owned(), partition, offset, metadata.to_owned())
}

#[test]
fn what_is_committed_is_fetched_in_every_version() {
    let fixture = Fixture::start();
    fixture.create_topic("t", 2, &[]);
    let mut client = connect(&fixture);
    assert_eq!(fetch(&mut client, 1, Some(&[("t", &[0])])), [entry("t", 0, -1, "")]);
    for version in 6..=9 {
        let request = commit_request(i64::from(version), "note");
        assert_eq!(commit(&mut client, version, &request), [ErrorCode::None], "version {version}");
        for fetched in 1..=7 {
            let expected = [entry("t", 1, -1, ""), entry("t", 0, i64::from(version), "note")];
            assert_eq!(fetch(&mut client, fetched, Some(&[("t", &[1, 0])])), expected);
        }
    }
    for fetched in 2..=7 {
        assert_eq!(fetch(&mut client, fetched, None), [entry("t", 0, 9, "note")]);
    }
}

#[test]
fn versions_that_know_no_leader_epoch_commit_too() {
    let fixture = Fixture::start();
    fixture.create_topic("t", 1, &[]);
    let mut client = connect(&fixture);
    for version in 2..=5 {
        let request = commit_request(i64::from(version), "");
        assert_eq!(commit(&mut client, version, &request), [ErrorCode::None], "version {version}");
    }
    let request = OffsetFetchRequest::default().with_group_id(group("g")).with_topics(None);
    let response = client.call(5, &request);
    let partition = &response.topics[0].partitions[0];
    assert_eq!((partition.committed_offset, partition.committed_leader_epoch), (5, -1));
}

#[test]
fn several_groups_are_asked_for_at_once_from_version_8_on() {
    let fixture = Fixture::start();
    fixture.create_topic("t", 1, &[]);
    let mut client = connect(&fixture);
    commit(&mut client, 8, &commit_request(5, ""));
    let named =
        OffsetFetchRequestTopics::default().with_name(topic_name("t")).with_partition_indexes(vec![0]);
    let groups = vec![
        OffsetFetchRequestGroup::default().with_group_id(group("g")).with_topics(None),
        OffsetFetchRequestGroup::default().with_group_id(group("other")).with_topics(Some(vec![named])),
        OffsetFetchRequestGroup::default().with_group_id(group("none")).with_topics(None),
    ];
    for version in 8..=9 {
        let request = OffsetFetchRequest::default().with_groups(groups.clone()).with_require_stable(true);
        let response = client.call(version, &request);
        let offsets: Vec<(String, Vec<i64>)> = response
            .groups
            .iter()
            .map(|group| {
                assert_eq!(code(group.error_code), ErrorCode::None);
                let partitions = group.topics.iter().flat_map(|topic| &topic.partitions);
                (group.group_id.to_string(), partitions.map(|partition| partition.committed_offset).collect())
            })
            .collect();
        let expected = [("g", vec![5]), ("other", vec![-1]), ("none", vec![])];
        assert_eq!(offsets, expected.map(|(name, offsets)| (name.to_owned(), offsets)));
    }
}

#[test]
fn partitions_that_do_not_exist_are_refused_each_for_itself() {
    let fixture = Fixture::with(|builder| builder.set("offset.metadata.max.bytes", "10"));
    fixture.create_topic("t", 2, &[]);
    let mut client = connect(&fixture);
    let mut request = commit_request(1, "fine");
    let good = request.topics[0].partitions[0].clone();
    request.topics[0].partitions.push(good.clone().with_partition_index(9));
    let wordy = good.clone().with_partition_index(1).with_committed_metadata(Some(text("far too long")));
    request.topics[0].partitions.push(wordy);
    request.topics.push(request.topics[0].clone().with_name(topic_name("missing")));
    request.topics[1].partitions.truncate(1);
    let unknown = ErrorCode::UnknownTopicOrPartition;
    let expected = [ErrorCode::None, unknown, ErrorCode::OffsetMetadataTooLarge, unknown];
    assert_eq!(commit(&mut client, 8, &request), expected);
    assert_eq!(fetch(&mut client, 7, None), [entry("t", 0, 1, "fine")]);
}

#[test]
fn members_commit_in_their_generation_and_others_not_while_there_are_members() {
    let fixture = Fixture::start();
    fixture.create_topic("t", 1, &[]);
    let mut client = connect(&fixture);
    let early = commit_request(1, "").with_generation_id_or_member_epoch(5).with_member_id(text("m"));
    assert_eq!(commit(&mut client, 8, &early), [ErrorCode::IllegalGeneration]);
    assert_eq!(commit(&mut client, 9, &early), [ErrorCode::GroupIdNotFound], "as version 9 can tell");
    let joined = join(&mut client, 5);
    assert_eq!(commit(&mut client, 8, &commit_request(1, "")), [ErrorCode::UnknownMemberId]);
    let member = commit_request(1, "").with_member_id(joined.member_id.clone());
    let generation = joined.generation_id;
    let older = member.clone().with_generation_id_or_member_epoch(generation - 1);
    assert_eq!(commit(&mut client, 8, &older), [ErrorCode::IllegalGeneration]);
    // The leader has not assigned anything yet.
    let current = member.with_generation_id_or_member_epoch(generation);
    assert_eq!(commit(&mut client, 8, &current), [ErrorCode::RebalanceInProgress]);
}

#[test]
fn without_the_topic_of_offsets_nobody_is_coordinator_in_any_version() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    let topic = OffsetFetchRequestTopic::default().with_name(topic_name("t")).with_partition_indexes(vec![0]);
    let request = OffsetFetchRequest::default().with_group_id(group("g")).with_topics(Some(vec![topic]));
    for version in 1..=7 {
        let response = client.call(version, &request);
        let error = match version {
            1 => response.topics[0].partitions[0].error_code,
            _ => response.error_code,
        };
        assert!(
            matches!(code(error), ErrorCode::NotCoordinator | ErrorCode::CoordinatorNotAvailable),
            "version {version}: {error}"
        );
        assert_eq!(response.topics.is_empty(), version >= 2);
    }
}

#[test]
fn committed_offsets_outlive_the_broker_and_go_with_their_topic() {
    let dir = tempfile::tempdir().unwrap();
    let open = || {
        let broker = ottla::Broker::open(dir.path()).unwrap();
        let listener = broker.listen("127.0.0.1:0").unwrap();
        Fixture { broker, listener }
    };
    let first = open();
    first.create_topic("t", 1, &[]);
    assert_eq!(commit(&mut connect(&first), 8, &commit_request(7, "note")), [ErrorCode::None]);
    first.broker.close();
    let again = open();
    let mut client = again.connect();
    assert_eq!(fetch(&mut client, 7, None), [entry("t", 0, 7, "note")]);
    super::topics::delete_topic(&mut client, "t");
    assert_eq!(fetch(&mut client, 7, None), []);
}

#[test]
fn offsets_are_deleted_each_for_itself() {
    let fixture = Fixture::start();
    fixture.create_topic("t", 1, &[]);
    let mut client = connect(&fixture);
    let partitions = [0, 5].map(|index| OffsetDeleteRequestPartition::default().with_partition_index(index));
    let topic =
        OffsetDeleteRequestTopic::default().with_name(topic_name("t")).with_partitions(partitions.to_vec());
    let missing = topic.clone().with_name(topic_name("missing"));
    let request = OffsetDeleteRequest::default().with_group_id(group("g")).with_topics(vec![missing, topic]);
    assert_eq!(code(client.call(0, &request).error_code), ErrorCode::GroupIdNotFound);
    commit(&mut client, 8, &commit_request(7, ""));
    let response = client.call(0, &request);
    assert_eq!(code(response.error_code), ErrorCode::None);
    let partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
    let codes: Vec<_> = partitions.map(|partition| code(partition.error_code)).collect();
    let unknown = ErrorCode::UnknownTopicOrPartition;
    assert_eq!(codes, [unknown, unknown, ErrorCode::None, unknown]);
    assert_eq!(fetch(&mut client, 7, None), []);
}
