//! One group, whose members come through both doors: a consumer of this process, and one over TCP.

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol_018::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol_018::messages::leave_group_request::MemberIdentity;
use kafka_protocol_018::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol_018::messages::{
    ConsumerProtocolAssignment, ConsumerProtocolSubscription, GroupId, JoinGroupRequest, LeaveGroupRequest,
    OffsetCommitRequest, SyncGroupRequest,
};
use kafka_protocol_018::protocol::{Decodable, Encodable};
use ottla::{AutoOffsetReset, Consumer, ErrorCode, ProducerRecord, TopicPartition};

use super::client::Client;
use super::fixture::{Fixture, code, text, topic_name};
use super::groups::connect;

/// A member over TCP, and what it was assigned.
struct Remote {
    client: Client,
    member_id: String,
    generation_id: i32,
    partitions: Vec<i32>,
}

fn group() -> GroupId {
    GroupId(text("g"))
}

/// The steps of any client, one after the other: join, join with the id, sync as a follower.
fn join_as_follower(mut client: Client) -> Remote {
    let mut metadata = BytesMut::new();
    metadata.put_i16(0);
    let subscription = ConsumerProtocolSubscription::default().with_topics(vec![text("t")]);
    subscription.encode(&mut metadata, 0).unwrap();
    let protocol =
        JoinGroupRequestProtocol::default().with_name(text("range")).with_metadata(metadata.freeze());
    let request = JoinGroupRequest::default()
        .with_group_id(group())
        .with_session_timeout_ms(10_000)
        .with_rebalance_timeout_ms(10_000)
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![protocol]);
    let first = client.call(5, &request);
    assert_eq!(code(first.error_code), ErrorCode::MemberIdRequired);
    let joined = client.call(5, &request.with_member_id(first.member_id.clone()));
    assert_eq!(code(joined.error_code), ErrorCode::None);
    assert_ne!(joined.leader, joined.member_id, "the native member was first, so it leads");
    let request = SyncGroupRequest::default()
        .with_group_id(group())
        .with_generation_id(joined.generation_id)
        .with_member_id(joined.member_id.clone());
    let synced = client.call(3, &request);
    assert_eq!(code(synced.error_code), ErrorCode::None);
    Remote {
        client,
        member_id: joined.member_id.to_string(),
        generation_id: joined.generation_id,
        partitions: assigned_partitions(synced.assignment),
    }
}

fn assigned_partitions(mut assignment: Bytes) -> Vec<i32> {
    let version = assignment.get_i16();
    let assignment = ConsumerProtocolAssignment::decode(&mut assignment, version).unwrap();
    assert_eq!(assignment.assigned_partitions[0].topic, topic_name("t"));
    assignment.assigned_partitions.into_iter().flat_map(|topic| topic.partitions).collect()
}

impl Remote {
    fn commit(&mut self, partition: i32, offset: i64) {
        let partition = OffsetCommitRequestPartition::default()
            .with_partition_index(partition)
            .with_committed_offset(offset)
            .with_committed_metadata(Some(text("")));
        let topic =
            OffsetCommitRequestTopic::default().with_name(topic_name("t")).with_partitions(vec![partition]);
        let request = OffsetCommitRequest::default()
            .with_group_id(group())
            .with_generation_id_or_member_epoch(self.generation_id)
            .with_member_id(text(&self.member_id))
            .with_topics(vec![topic]);
        let response = self.client.call(7, &request);
        assert_eq!(code(response.topics[0].partitions[0].error_code), ErrorCode::None);
    }

    fn leave(mut self) {
        let member = MemberIdentity::default().with_member_id(text(&self.member_id));
        let request = LeaveGroupRequest::default().with_group_id(group()).with_members(vec![member]);
        assert_eq!(code(self.client.call(3, &request).error_code), ErrorCode::None);
    }
}

fn owned(consumer: &Consumer) -> Vec<i32> {
    consumer.assignment().iter().map(TopicPartition::partition).collect()
}

/// Polls until the consumer owns so many partitions; returns the values that came meanwhile.
fn poll_until_owning(consumer: &mut Consumer, count: usize) -> Vec<Vec<u8>> {
    let mut values = Vec::new();
    for _ in 0..1000 {
        let records = consumer.poll(Duration::from_millis(20)).unwrap();
        values.extend(records.iter().map(|record| record.value().unwrap().to_vec()));
        if consumer.assignment().len() == count {
            return values;
        }
    }
    panic!("the consumer owns {:?}, not {count} partitions", consumer.assignment());
}

#[test]
fn a_native_and_a_remote_member_share_a_group_its_rebalances_and_its_committed_offsets() {
    let fixture = Fixture::start();
    fixture.create_topic("t", 2, &[]);
    let mut native = fixture
        .broker
        .consumer_builder()
        .group_id("g")
        .auto_offset_reset(AutoOffsetReset::Earliest)
        .build()
        .unwrap();
    native.subscribe(["t"]).unwrap();
    poll_until_owning(&mut native, 2);

    // The remote join is answered once the native member, told of it, has joined again.
    let client = connect(&fixture);
    let mut remote = std::thread::scope(|scope| {
        let joining = scope.spawn(|| join_as_follower(client));
        poll_until_owning(&mut native, 1);
        joining.join().unwrap()
    });
    let mut all = owned(&native);
    all.extend(&remote.partitions);
    all.sort_unstable();
    assert_eq!(all, [0, 1], "each partition has one owner");

    let of_remote = remote.partitions[0];
    let producer = fixture.broker.producer();
    for value in ["read by the remote member", "read by the native member"] {
        producer.send(ProducerRecord::new("t").partition(of_remote).value(value)).unwrap().wait().unwrap();
    }
    remote.commit(of_remote, 1);
    let tp = TopicPartition::new("t", of_remote);
    assert_eq!(native.committed(&tp).unwrap().unwrap().offset, 1);

    // What the remote member had goes to the native one, which resumes where the other has committed.
    remote.leave();
    let mut values = poll_until_owning(&mut native, 2);
    while values.is_empty() {
        let records = native.poll(Duration::from_secs(20)).unwrap();
        assert!(!records.is_empty(), "the record after the committed one does not come");
        values.extend(records.iter().map(|record| record.value().unwrap().to_vec()));
    }
    assert_eq!(values, [b"read by the native member"]);
}
