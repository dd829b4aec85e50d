//! ListOffsets and OffsetForLeaderEpoch.

use kafka_protocol_015::messages as old;
use kafka_protocol_018::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol_018::messages::list_offsets_response::ListOffsetsPartitionResponse;
use kafka_protocol_018::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use kafka_protocol_018::messages::{BrokerId, ListOffsetsRequest, OffsetForLeaderEpochRequest};
use ottla::ErrorCode;

use super::client::Client;
use super::fixture::{Fixture, code, topic_name};
use super::producing::append;
use super::records::{batch, batch_at};
use super::topics::delete_records;

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
const LATEST_TIERED: i64 = -5;
const EARLIEST_PENDING_UPLOAD: i64 = -6;

fn request(topic: &str, partition: i32, timestamp: i64) -> ListOffsetsRequest {
    let partition = ListOffsetsPartition::default()
        .with_partition_index(partition)
        .with_current_leader_epoch(-1)
        .with_timestamp(timestamp);
    let topic = ListOffsetsTopic::default().with_name(topic_name(topic)).with_partitions(vec![partition]);
    ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(vec![topic])
}

fn list(client: &mut Client, version: i16, timestamp: i64) -> ListOffsetsPartitionResponse {
    client.call(version, &request("t", 0, timestamp)).topics.remove(0).partitions.remove(0)
}

/// Offset and timestamp.
fn found(client: &mut Client, version: i16, timestamp: i64) -> (i64, i64) {
    let answer = list(client, version, timestamp);
    assert_eq!(code(answer.error_code), ErrorCode::None);
    (answer.offset, answer.timestamp)
}

/// A topic with records of the timestamps 1000, 3000, 2000, in a batch each.
fn fixture() -> (Fixture, Client) {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    for timestamp in [1000, 3000, 2000] {
        append(&mut client, "t", batch_at(timestamp, Some(b"key"), b"value"));
    }
    (fixture, client)
}

#[test]
fn every_version_finds_start_and_end() {
    let (_fixture, mut client) = fixture();
    delete_records(&mut client, 2, "t", 1);
    for version in 1..=10 {
        assert_eq!(found(&mut client, version, LATEST), (3, -1), "version {version}");
        assert_eq!(found(&mut client, version, EARLIEST), (1, -1));
        let epoch = list(&mut client, version, LATEST).leader_epoch;
        assert_eq!(epoch, if version >= 4 { 0 } else { -1 });
    }
}

#[test]
fn every_version_finds_the_first_record_that_is_young_enough() {
    let (_fixture, mut client) = fixture();
    for version in 1..=10 {
        assert_eq!(found(&mut client, version, 0), (0, 1000), "version {version}");
        assert_eq!(found(&mut client, version, 1000), (0, 1000));
        assert_eq!(found(&mut client, version, 1001), (1, 3000));
        assert_eq!(found(&mut client, version, 3000), (1, 3000));
        assert_eq!(found(&mut client, version, 3001), (-1, -1), "none, which is no error");
    }
}

#[test]
fn committed_readers_and_replicas_see_the_same_end_without_transactions() {
    let (_fixture, mut client) = fixture();
    let committed = request("t", 0, LATEST).with_isolation_level(1);
    assert_eq!(client.call(2, &committed).topics[0].partitions[0].offset, 3);
    let replica = request("t", 0, LATEST).with_replica_id(BrokerId(-2));
    assert_eq!(client.call(2, &replica).topics[0].partitions[0].offset, 3);
}

#[test]
fn the_largest_timestamp_is_found_from_version_7_on() {
    let (fixture, mut client) = fixture();
    assert_eq!(found(&mut client, 7, MAX_TIMESTAMP), (1, 3000));
    assert_eq!(code(list(&mut client, 6, MAX_TIMESTAMP).error_code), ErrorCode::UnsupportedVersion);
    fixture.create_topic("empty", 1, &[]);
    let empty = client.call(7, &request("empty", 0, MAX_TIMESTAMP)).topics.remove(0).partitions.remove(0);
    assert_eq!((code(empty.error_code), empty.offset, empty.timestamp), (ErrorCode::None, -1, -1));
}

#[test]
fn places_of_tiered_storage_are_those_of_a_broker_without_any() {
    let (_fixture, mut client) = fixture();
    assert_eq!(found(&mut client, 8, EARLIEST_LOCAL), (0, -1));
    assert_eq!(code(list(&mut client, 7, EARLIEST_LOCAL).error_code), ErrorCode::UnsupportedVersion);
    assert_eq!(found(&mut client, 9, LATEST_TIERED), (-1, -1));
    assert_eq!(code(list(&mut client, 8, LATEST_TIERED).error_code), ErrorCode::UnsupportedVersion);
    let too_early = list(&mut client, 10, EARLIEST_PENDING_UPLOAD);
    assert_eq!(code(too_early.error_code), ErrorCode::UnsupportedVersion);
    for unknown in [-7, i64::MIN] {
        assert_eq!(code(list(&mut client, 10, unknown).error_code), ErrorCode::UnsupportedVersion);
    }
}

#[test]
fn version_11_may_ask_for_what_is_to_be_tiered() {
    let (_fixture, mut client) = fixture();
    // Version 11 is laid out as version 10, which is the last that the codec knows.
    let mut frame = client.header(2, 11, true);
    let body = request("t", 0, EARLIEST_PENDING_UPLOAD);
    kafka_protocol_018::protocol::Encodable::encode(&body, &mut frame, 10).unwrap();
    client.send_frame(&frame);
    let (_, response) = client.receive::<ListOffsetsRequest>(10);
    let answer = &response.topics[0].partitions[0];
    assert_eq!((code(answer.error_code), answer.offset, answer.timestamp), (ErrorCode::None, -1, -1));
}

#[test]
fn unknown_partitions_and_epochs_are_told() {
    let (_fixture, mut client) = fixture();
    for (topic, partition) in [("missing", 0), ("t", 1), ("t", -1)] {
        let response = client.call(4, &request(topic, partition, LATEST));
        let answer = &response.topics[0].partitions[0];
        assert_eq!(code(answer.error_code), ErrorCode::UnknownTopicOrPartition);
        assert_eq!((answer.offset, answer.timestamp), (-1, -1));
    }
    let mut request = request("t", 0, LATEST);
    request.topics[0].partitions[0].current_leader_epoch = 1;
    let response = client.call(4, &request);
    assert_eq!(code(response.topics[0].partitions[0].error_code), ErrorCode::UnknownLeaderEpoch);
}

#[test]
fn a_partition_named_twice_is_an_invalid_request_and_the_others_are_answered() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 2, &[]);
    let mut request = request("t", 0, LATEST);
    let first = request.topics[0].partitions[0].clone();
    request.topics[0].partitions.push(first.clone().with_partition_index(1));
    request.topics[0].partitions.push(first);
    let response = client.call(4, &request);
    let codes: Vec<_> = response.topics[0].partitions.iter().map(|answer| code(answer.error_code)).collect();
    assert_eq!(codes, [ErrorCode::InvalidRequest, ErrorCode::None, ErrorCode::InvalidRequest]);
}

/// Version 0: several offsets.
fn list_old(client: &mut Client, timestamp: i64, max: i32) -> (ErrorCode, Vec<i64>) {
    let partition = old::list_offsets_request::ListOffsetsPartition::default()
        .with_timestamp(timestamp)
        .with_max_num_offsets(max);
    let name = old::TopicName(kafka_protocol_015::protocol::StrBytes::from_static_str("t"));
    let topic = old::list_offsets_request::ListOffsetsTopic::default()
        .with_name(name)
        .with_partitions(vec![partition]);
    let request =
        old::ListOffsetsRequest::default().with_replica_id(old::BrokerId(-1)).with_topics(vec![topic]);
    let response = client.call_old(0, &request);
    let answer = &response.topics[0].partitions[0];
    (code(answer.error_code), answer.old_style_offsets.clone())
}

#[test]
fn version_0_lists_the_starts_of_segments_and_the_end_youngest_first() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[("segment.bytes", "150")]);
    assert_eq!(list_old(&mut client, LATEST, 10), (ErrorCode::None, vec![0]));
    for _ in 0..3 {
        append(&mut client, "t", batch(&["a", "b"]));
    }
    assert_eq!(list_old(&mut client, LATEST, 10).1, [6, 4, 2, 0]);
    assert_eq!(list_old(&mut client, LATEST, 2).1, [6, 4]);
    assert_eq!(list_old(&mut client, EARLIEST, 10).1, [0]);
    assert_eq!(list_old(&mut client, i64::MAX, 1).1, [6]);
    assert_eq!(list_old(&mut client, 0, 10).1, [0; 0], "no segment is as old as the epoch");
    assert_eq!(list_old(&mut client, LATEST, -1).1, [0; 0]);
}

fn end_of_epoch(client: &mut Client, version: i16, epoch: i32, current: i32) -> (ErrorCode, i32, i64) {
    let partition =
        OffsetForLeaderPartition::default().with_leader_epoch(epoch).with_current_leader_epoch(current);
    let topic = OffsetForLeaderTopic::default().with_topic(topic_name("t")).with_partitions(vec![partition]);
    let request = OffsetForLeaderEpochRequest::default().with_topics(vec![topic]);
    let response = client.call(version, &request);
    let answer = &response.topics[0].partitions[0];
    (code(answer.error_code), answer.leader_epoch, answer.end_offset)
}

#[test]
fn the_end_of_an_epoch_is_the_start_of_the_next_or_the_end_of_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let open = || {
        let broker = ottla::Broker::open(dir.path()).unwrap();
        let listener = broker.listen("127.0.0.1:0").unwrap();
        Fixture { broker, listener }
    };
    let first = open();
    append(&mut first.create_topic("t", 1, &[]), "t", batch(&["a", "b"]));
    first.broker.close();
    let again = open();
    let mut client = again.connect();
    append(&mut client, "t", batch(&["c"]));
    for version in 2..=4 {
        assert_eq!(end_of_epoch(&mut client, version, 0, -1), (ErrorCode::None, 0, 2), "version {version}");
        assert_eq!(end_of_epoch(&mut client, version, 1, -1), (ErrorCode::None, 1, 3));
        assert_eq!(end_of_epoch(&mut client, version, 7, -1), (ErrorCode::None, -1, -1));
        assert_eq!(end_of_epoch(&mut client, version, 0, 0), (ErrorCode::FencedLeaderEpoch, -1, -1));
        assert_eq!(end_of_epoch(&mut client, version, 0, 2), (ErrorCode::UnknownLeaderEpoch, -1, -1));
    }
}

#[test]
fn early_versions_ask_for_the_end_of_an_epoch_too() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    append(&mut client, "t", batch(&["a"]));
    for version in 0..=1 {
        let partition = old::offset_for_leader_epoch_request::OffsetForLeaderPartition::default();
        let name = old::TopicName(kafka_protocol_015::protocol::StrBytes::from_static_str("t"));
        let topic = old::offset_for_leader_epoch_request::OffsetForLeaderTopic::default()
            .with_topic(name)
            .with_partitions(vec![partition]);
        let response =
            client.call_old(version, &old::OffsetForLeaderEpochRequest::default().with_topics(vec![topic]));
        assert_eq!(response.topics[0].partitions[0].end_offset, 1);
    }
    let unknown = OffsetForLeaderTopic::default()
        .with_topic(topic_name("missing"))
        .with_partitions(vec![OffsetForLeaderPartition::default()]);
    let response = client.call(4, &OffsetForLeaderEpochRequest::default().with_topics(vec![unknown]));
    assert_eq!(code(response.topics[0].partitions[0].error_code), ErrorCode::UnknownTopicOrPartition);
}
