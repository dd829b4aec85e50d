//! The APIs of groups whose broker assigns partitions (KIP-848), and one group with members from both doors.

use std::time::Duration;

use kafka_protocol_018::messages::consumer_group_heartbeat_request::TopicPartitions;
use kafka_protocol_018::messages::{
    ConsumerGroupDescribeRequest, ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, GroupId,
};
use ottla::{ErrorCode, GroupProtocol, TopicPartition};

use super::client::Client;
use super::fixture::{Fixture, code, text, topic_name};
use super::groups::connect;

struct Remote {
    client: Client,
    version: i16,
    epoch: i32,
    owned: Vec<TopicPartitions>,
}

impl Remote {
    fn request(&self, epoch: i32) -> ConsumerGroupHeartbeatRequest {
        ConsumerGroupHeartbeatRequest::default()
            .with_group_id(GroupId(text("g")))
            .with_member_id(text("remote"))
            .with_member_epoch(epoch)
            .with_rebalance_timeout_ms(-1)
            .with_subscribed_topic_names(None)
            .with_topic_partitions(None)
    }

    fn take(&mut self, response: ConsumerGroupHeartbeatResponse) {
        assert_eq!(code(response.error_code), ErrorCode::None, "{:?}", response.error_message);
        self.epoch = response.member_epoch;
        if let Some(assignment) = response.assignment {
            let topics = assignment.topic_partitions.into_iter();
            let owned = topics.map(|topic| {
                TopicPartitions::default().with_topic_id(topic.topic_id).with_partitions(topic.partitions)
            });
            self.owned = owned.collect();
        }
    }

    fn join(client: Client, version: i16) -> Self {
        let mut remote = Remote { version, epoch: 0, owned: Vec::new(), client: client.named("remote") };
        let request = remote
            .request(0)
            .with_rebalance_timeout_ms(30_000)
            .with_subscribed_topic_names(Some(vec![topic_name("t")]))
            .with_topic_partitions(Some(Vec::new()));
        let response = remote.client.call(version, &request);
        remote.take(response);
        remote
    }

    fn heartbeat(&mut self) {
        let request = self.request(self.epoch).with_topic_partitions(Some(self.owned.clone()));
        let response = self.client.call(self.version, &request);
        self.take(response);
    }

    fn partitions(&self) -> Vec<i32> {
        self.owned.iter().flat_map(|topic| topic.partitions.clone()).collect()
    }
}

#[test]
fn a_native_and_a_remote_member_share_a_group_of_the_consumer_protocol() {
    for version in 0..=1 {
        let fixture = Fixture::start();
        fixture.create_topic("t", 4, &[]);
        let builder = fixture.broker.consumer_builder().group_id("g").group_protocol(GroupProtocol::Consumer);
        let mut native = builder.build().unwrap();
        native.subscribe(["t"]).unwrap();
        let mut remote = Remote::join(connect(&fixture), version);
        assert_eq!(remote.partitions().len(), 4, "the native member has not polled yet");
        let mut all = Vec::new();
        for _ in 0..100 {
            native.poll(Duration::ZERO).unwrap();
            remote.heartbeat();
            all = remote.partitions();
            let of_native = native.assignment();
            all.extend(of_native.iter().map(TopicPartition::partition));
            all.sort_unstable();
            assert!(all.windows(2).all(|pair| pair[0] != pair[1]), "{all:?}");
            if all == [0, 1, 2, 3] && of_native.len() == 2 {
                break;
            }
        }
        assert_eq!((all, native.assignment().len()), (vec![0, 1, 2, 3], 2));

        let request = ConsumerGroupDescribeRequest::default().with_group_ids(vec![GroupId(text("g"))]);
        let described = remote.client.call(version, &request).groups.remove(0);
        assert_eq!((&*described.group_state, described.members.len()), ("Stable", 2));
        let member = described.members.iter().find(|member| &*member.member_id == "remote").unwrap();
        assert_eq!(member.assignment.topic_partitions[0].topic_name, topic_name("t"));
        assert_eq!(member.assignment.topic_partitions[0].partitions.len(), 2);
        assert_eq!(member.member_type, if version == 0 { -1 } else { 1 });

        let leave = remote.request(-1);
        assert_eq!(code(remote.client.call(version, &leave).error_code), ErrorCode::None);
        for _ in 0..100 {
            native.poll(Duration::ZERO).unwrap();
        }
        assert_eq!(native.assignment().len(), 4);
    }
}

#[test]
fn an_error_of_a_group_says_what_is_wrong() {
    let fixture = Fixture::start();
    fixture.create_topic("t", 1, &[]);
    let mut client = connect(&fixture);
    let request = ConsumerGroupHeartbeatRequest::default()
        .with_group_id(GroupId(text("g")))
        .with_member_id(text("m"))
        .with_member_epoch(7);
    let response = client.call(0, &request);
    assert_eq!(code(response.error_code), ErrorCode::GroupIdNotFound);
    assert_eq!(response.error_message.as_deref(), Some("there is no consumer group g"));
    let request = ConsumerGroupDescribeRequest::default().with_group_ids(vec![GroupId(text("g"))]);
    let described = client.call(0, &request).groups.remove(0);
    assert_eq!(code(described.error_code), ErrorCode::GroupIdNotFound);
}

#[test]
fn where_the_consumer_protocol_is_switched_off_members_of_both_doors_are_refused() {
    let fixture = Fixture::with(|builder| builder.set("group.coordinator.rebalance.protocols", "classic"));
    fixture.create_topic("t", 1, &[]);
    let mut client = connect(&fixture);
    let request = ConsumerGroupHeartbeatRequest::default()
        .with_group_id(GroupId(text("g")))
        .with_member_id(text("m"))
        .with_subscribed_topic_names(Some(vec![topic_name("t")]));
    assert_eq!(code(client.call(1, &request).error_code), ErrorCode::UnsupportedVersion);
    let request = ConsumerGroupDescribeRequest::default().with_group_ids(vec![GroupId(text("g"))]);
    let described = client.call(1, &request).groups.remove(0);
    assert_eq!(code(described.error_code), ErrorCode::UnsupportedVersion);

    let consumer = |protocol| {
        let builder = fixture.broker.consumer_builder().group_id("g").group_protocol(protocol);
        let mut consumer = builder.build().unwrap();
        consumer.subscribe(["t"]).unwrap();
        consumer
    };
    let refused = consumer(GroupProtocol::Consumer).poll(Duration::ZERO).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::UnsupportedVersion);
    consumer(GroupProtocol::Classic).poll(Duration::ZERO).unwrap();
}
