//! ShareFetch and ShareAcknowledge, and the APIs about share groups' state that they rest on.

use std::time::Duration;

use kafka_protocol_018::messages::initialize_share_group_state_request::{
    InitializeStateData, PartitionData as InitializePartition,
};
use kafka_protocol_018::messages::metadata_response::MetadataResponseTopic;
use kafka_protocol_018::messages::read_share_group_state_summary_request::{
    PartitionData as SummaryPartition, ReadStateSummaryData,
};
use kafka_protocol_018::messages::share_acknowledge_request::{
    AcknowledgePartition, AcknowledgeTopic, AcknowledgementBatch,
};
use kafka_protocol_018::messages::share_fetch_request::{
    AcknowledgementBatch as FetchAcknowledgement, FetchPartition, FetchTopic,
};
use kafka_protocol_018::messages::{
    FindCoordinatorRequest, GroupId, InitializeShareGroupStateRequest, ReadShareGroupStateSummaryRequest,
    ShareAcknowledgeRequest, ShareFetchRequest, ShareFetchResponse,
};
use kafka_protocol_018::protocol::StrBytes;
use ottla::{AlterConfig, ConfigResource, ErrorCode, ShareConsumer};

use super::client::Client;
use super::fixture::{Fixture, code, describe_topic, text};
use super::producing::append;
use super::records::batch;
use super::share_membership::heartbeat;

const ACCEPT: i8 = 1;
const RELEASE: i8 = 2;

/// A topic with some records, of which the group `g` begins with the first.
fn topic_with_records(fixture: &Fixture, count: usize) -> (Client, MetadataResponseTopic) {
    let mut client = fixture.create_topic("t", 1, &[]);
    append(&mut client, "t", batch_of(count));
    let topic = describe_topic(&mut client, "t");
    let topic_id = topic.topic_id;
    let key = text(&format!("g:{}:0", ottla::Uuid::from_bytes(*topic_id.as_bytes())));
    let find = FindCoordinatorRequest::default().with_key_type(2).with_coordinator_keys(vec![key]);
    assert_eq!(code(client.call(6, &find).coordinators[0].error_code), ErrorCode::None);
    begin_state(&mut client, &topic, 0);
    (client, topic)
}

/// Has the group begin with the first record.
fn begin_state(client: &mut Client, topic: &MetadataResponseTopic, state_epoch: i32) {
    let partition = InitializePartition::default().with_state_epoch(state_epoch).with_start_offset(0);
    let data = InitializeStateData::default().with_topic_id(topic.topic_id).with_partitions(vec![partition]);
    let begin = InitializeShareGroupStateRequest::default().with_group_id(text("g")).with_topics(vec![data]);
    assert_eq!(code(client.call(0, &begin).results[0].partitions[0].error_code), ErrorCode::None);
}

fn group() -> GroupId {
    GroupId(text("g"))
}

/// One batch of so many records.
fn batch_of(count: usize) -> bytes::Bytes {
    batch(&vec!["v"; count])
}

fn member(name: &str) -> Option<StrBytes> {
    Some(text(name))
}

fn fetch(
    name: &str,
    epoch: i32,
    of: &MetadataResponseTopic,
    max_records: i32,
    max_wait_ms: i32,
) -> ShareFetchRequest {
    let topic = FetchTopic::default()
        .with_topic_id(of.topic_id)
        .with_partitions(vec![FetchPartition::default().with_partition_index(0)]);
    ShareFetchRequest::default()
        .with_group_id(Some(group()))
        .with_member_id(member(name))
        .with_share_session_epoch(epoch)
        .with_max_wait_ms(max_wait_ms)
        .with_min_bytes(1)
        .with_max_records(max_records)
        .with_batch_size(max_records)
        .with_topics(vec![topic])
}

fn acquired(response: &ShareFetchResponse) -> Vec<(i64, i64, i16)> {
    assert_eq!(code(response.error_code), ErrorCode::None, "{:?}", response.error_message);
    let partitions = response.responses.iter().flat_map(|topic| &topic.partitions);
    partitions
        .flat_map(|partition| {
            assert_eq!(code(partition.error_code), ErrorCode::None);
            assert_eq!(
                partition.records.as_ref().is_none_or(|r| r.is_empty()),
                partition.acquired_records.is_empty()
            );
            &partition.acquired_records
        })
        .map(|of| (of.first_offset, of.last_offset, of.delivery_count))
        .collect()
}

fn acknowledge(
    client: &mut Client,
    name: &str,
    epoch: i32,
    of: &MetadataResponseTopic,
    batch: Option<(i64, i64, i8)>,
) -> (ErrorCode, Option<ErrorCode>) {
    let batches = batch.map(|(first, last, ack_type)| {
        AcknowledgementBatch::default()
            .with_first_offset(first)
            .with_last_offset(last)
            .with_acknowledge_types(vec![ack_type])
    });
    let partition =
        AcknowledgePartition::default().with_acknowledgement_batches(batches.into_iter().collect());
    let topic = AcknowledgeTopic::default().with_topic_id(of.topic_id).with_partitions(vec![partition]);
    let request = ShareAcknowledgeRequest::default()
        .with_group_id(Some(group()))
        .with_member_id(member(name))
        .with_share_session_epoch(epoch)
        .with_topics(if batch.is_some() { vec![topic] } else { vec![] });
    let response = client.call(1, &request);
    let of_partition = response.responses.first().map(|topic| code(topic.partitions[0].error_code));
    (code(response.error_code), of_partition)
}

fn start_offset(client: &mut Client, of: &MetadataResponseTopic) -> i64 {
    let data = ReadStateSummaryData::default()
        .with_topic_id(of.topic_id)
        .with_partitions(vec![SummaryPartition::default()]);
    let request =
        ReadShareGroupStateSummaryRequest::default().with_group_id(text("g")).with_topics(vec![data]);
    client.call(0, &request).results[0].partitions[0].start_offset
}

#[test]
fn two_members_share_the_records_of_one_partition() {
    let fixture = Fixture::start();
    let (mut a, topic) = topic_with_records(&fixture, 3);
    append(&mut a, "t", batch_of(2));
    let mut b = fixture.connect();
    assert_eq!(acquired(&a.call(1, &fetch("a", 0, &topic, 1, 1000))), [(0, 2, 1)], "a whole batch");
    assert_eq!(acquired(&b.call(1, &fetch("b", 0, &topic, 9, 1000))), [(3, 4, 1)]);
    assert_eq!(acquired(&a.call(1, &fetch("a", 1, &topic, 9, 0))), []);
    let whole = (ErrorCode::None, Some(ErrorCode::None));
    assert_eq!(acknowledge(&mut a, "a", 2, &topic, Some((0, 2, ACCEPT))), whole);
    let foreign = acknowledge(&mut a, "a", 3, &topic, Some((3, 4, ACCEPT)));
    assert_eq!(foreign, (ErrorCode::None, Some(ErrorCode::InvalidRecordState)));
    assert_eq!(acknowledge(&mut b, "b", 1, &topic, Some((3, 4, RELEASE))), whole);
    assert_eq!(acquired(&a.call(1, &fetch("a", 4, &topic, 9, 1000))), [(3, 4, 2)]);
    assert_eq!(start_offset(&mut a, &topic), 3);
}

#[test]
fn a_consumer_of_this_process_and_a_remote_one_share_the_records_of_one_partition() {
    let fixture = Fixture::start();
    let mut remote = fixture.create_topic("t", 1, &[]);
    let earliest = AlterConfig::set("share.auto.offset.reset", "earliest");
    fixture.broker.admin().alter_configs(&ConfigResource::group("g"), [earliest]).unwrap();
    let mut native = fixture.broker.share_consumer("g").unwrap();
    native.subscribe(["t"]).unwrap();
    native.poll(Duration::ZERO).unwrap();
    assert_eq!(code(heartbeat(&mut remote, 0, Some(&["t"])).error_code), ErrorCode::None);
    assert_eq!(fixture.broker.admin().describe_group("g").unwrap().members.len(), 2);

    let topic = describe_topic(&mut remote, "t");
    append(&mut remote, "t", batch_of(2));
    append(&mut remote, "t", batch_of(1));
    assert_eq!(acquired(&remote.call(1, &fetch("member", 0, &topic, 1, 1000))), [(0, 1, 1)]);
    let taken = |native: &mut ShareConsumer| -> Vec<(i64, i16)> {
        let records = native.poll(Duration::from_secs(60)).unwrap();
        records.iter().map(|record| (record.offset(), record.delivery_count())).collect()
    };
    assert_eq!(taken(&mut native), [(2, 1)]);
    native.commit().unwrap();
    let (_, released) = acknowledge(&mut remote, "member", 1, &topic, Some((0, 1, RELEASE)));
    assert_eq!(released, Some(ErrorCode::None));
    assert_eq!(taken(&mut native), [(0, 2), (1, 2)]);
    native.commit().unwrap();
    assert_eq!(acquired(&remote.call(1, &fetch("member", 2, &topic, 9, 0))), [], "all is dealt with");
}

#[test]
fn acknowledgements_ride_along_with_fetches() {
    let fixture = Fixture::start();
    let (mut client, topic) = topic_with_records(&fixture, 3);
    acquired(&client.call(1, &fetch("a", 0, &topic, 9, 1000)));
    let mut next = fetch("a", 1, &topic, 9, 0);
    next.topics[0].partitions[0].acknowledgement_batches = vec![
        FetchAcknowledgement::default()
            .with_first_offset(0)
            .with_last_offset(2)
            .with_acknowledge_types(vec![ACCEPT, RELEASE, ACCEPT]),
    ];
    let response = client.call(1, &next);
    assert_eq!(acquired(&response), [(1, 1, 2)], "what was released is there for who fetches");
    assert_eq!(code(response.responses[0].partitions[0].acknowledge_error_code), ErrorCode::None);
    next.share_session_epoch = 2;
    let response = client.call(1, &next);
    let partition = &response.responses[0].partitions[0];
    assert_eq!(code(partition.acknowledge_error_code), ErrorCode::InvalidRecordState);
    assert_eq!(code(client.call(1, &next).error_code), ErrorCode::InvalidShareSessionEpoch);
    next.share_session_epoch = 0;
    assert_eq!(code(client.call(1, &next).error_code), ErrorCode::InvalidRequest);
}

#[test]
fn a_fetch_waits_for_records_and_for_what_others_give_back() {
    let fixture = Fixture::start();
    let (mut a, topic) = topic_with_records(&fixture, 2);
    let mut b = fixture.connect();
    assert_eq!(acquired(&a.call(1, &fetch("a", 0, &topic, 9, 1000))), [(0, 1, 1)]);
    b.send(1, &fetch("b", 0, &topic, 9, 15_000));
    assert_eq!(acknowledge(&mut a, "a", 1, &topic, Some((0, 1, RELEASE))).0, ErrorCode::None);
    let (_, response) = b.receive::<ShareFetchRequest>(1);
    assert_eq!(acquired(&response), [(0, 1, 2)]);
    a.send(1, &fetch("a", 2, &topic, 9, 15_000));
    append(&mut b, "t", batch_of(1));
    let (_, response) = a.receive::<ShareFetchRequest>(1);
    assert_eq!(acquired(&response), [(2, 2, 1)]);
}

/// The last member had said goodbye before its connection ended, and the broker went on by what it had in memory.
#[test]
fn a_group_to_which_nobody_belongs_any_more_goes_on_where_it_was_set_in_between() {
    let fixture = Fixture::start();
    let (mut client, topic) = topic_with_records(&fixture, 2);
    assert_eq!(acquired(&client.call(1, &fetch("a", 0, &topic, 9, 1000))), [(0, 1, 1)]);
    let whole = (ErrorCode::None, Some(ErrorCode::None));
    assert_eq!(acknowledge(&mut client, "a", 1, &topic, Some((0, 1, ACCEPT))), whole);
    assert_eq!(acknowledge(&mut client, "a", -1, &topic, None).0, ErrorCode::None);
    begin_state(&mut client, &topic, 1);
    assert_eq!(acquired(&client.call(1, &fetch("b", 0, &topic, 9, 1000))), [(0, 1, 1)]);
}

#[test]
fn what_a_member_holds_is_given_back_when_its_session_or_its_connection_ends() {
    let fixture = Fixture::start();
    let (mut a, topic) = topic_with_records(&fixture, 2);
    let mut b = fixture.connect();
    let mut c = fixture.connect();
    assert_eq!(acquired(&a.call(1, &fetch("a", 0, &topic, 9, 1000))), [(0, 1, 1)]);
    b.send(1, &fetch("b", 0, &topic, 9, 15_000));
    assert_eq!(acknowledge(&mut a, "a", -1, &topic, None).0, ErrorCode::None);
    let (_, response) = b.receive::<ShareFetchRequest>(1);
    assert_eq!(acquired(&response), [(0, 1, 2)]);
    assert_eq!(acknowledge(&mut a, "a", -1, &topic, None).0, ErrorCode::ShareSessionNotFound);
    c.send(1, &fetch("c", 0, &topic, 9, 15_000));
    drop(b);
    let (_, response) = c.receive::<ShareFetchRequest>(1);
    assert_eq!(acquired(&response), [(0, 1, 3)]);
}

#[test]
fn a_member_without_a_name_and_a_topic_that_is_not_there_are_refused() {
    let fixture = Fixture::start();
    let (mut client, topic) = topic_with_records(&fixture, 1);
    let nameless = fetch("", 0, &topic, 1, 0);
    assert_eq!(code(client.call(1, &nameless).error_code), ErrorCode::InvalidRequest);
    assert_eq!(
        code(client.call(1, &fetch("a", 5, &topic, 1, 0)).error_code),
        ErrorCode::ShareSessionNotFound
    );
    let response = client.call(1, &fetch("a", 0, &MetadataResponseTopic::default(), 1, 0));
    assert_eq!(code(response.responses[0].partitions[0].error_code), ErrorCode::UnknownTopicId);
}

#[test]
fn a_partition_of_which_nothing_is_said_is_not_in_the_answer() {
    let fixture = Fixture::start();
    let (mut client, topic) = topic_with_records(&fixture, 1);
    acquired(&client.call(1, &fetch("a", 0, &topic, 9, 1000)));
    let silent = AcknowledgeTopic::default()
        .with_topic_id(topic.topic_id)
        .with_partitions(vec![AcknowledgePartition::default()]);
    let request = ShareAcknowledgeRequest::default()
        .with_group_id(Some(group()))
        .with_member_id(member("a"))
        .with_share_session_epoch(1)
        .with_topics(vec![silent]);
    let response = client.call(1, &request);
    assert_eq!(code(response.error_code), ErrorCode::None);
    assert_eq!(response.responses, []);
}

#[test]
fn offsets_before_the_first_are_no_offsets() {
    let fixture = Fixture::start();
    let (mut client, topic) = topic_with_records(&fixture, 2);
    acquired(&client.call(1, &fetch("a", 0, &topic, 9, 1000)));
    let refused = (ErrorCode::None, Some(ErrorCode::InvalidRequest));
    assert_eq!(acknowledge(&mut client, "a", 1, &topic, Some((-2, -2, ACCEPT))), refused);
}
