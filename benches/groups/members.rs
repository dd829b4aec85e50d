//! Members of a group in either protocol, each with a connection of its own.

use std::borrow::BorrowMut;
use std::net::SocketAddr;

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol_018::messages::consumer_group_heartbeat_request::TopicPartitions;
use kafka_protocol_018::messages::consumer_group_heartbeat_response::TopicPartitions as Given;
use kafka_protocol_018::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol_018::messages::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, ConsumerProtocolSubscription, GroupId,
    JoinGroupRequest,
};
use kafka_protocol_018::protocol::{Encodable, StrBytes};

use super::client::Client;
use super::{eventually, is_loading, text, topic_name};

/// The version of ConsumerGroupHeartbeat.
pub(super) const HEARTBEAT: i16 = 1;
/// Versions whose strings are plain, as librdkafka has them.
pub(super) const JOIN: i16 = 5;

/// What a member of the classic protocol asks to join with.
pub(super) fn join_request(group: &str, topic: &str, member_id: &StrBytes) -> JoinGroupRequest {
    let mut metadata = BytesMut::new();
    metadata.put_i16(0);
    let subscription = ConsumerProtocolSubscription::default().with_topics(vec![text(topic)]);
    subscription.encode(&mut metadata, 0).expect("a subscription");
    let protocol =
        JoinGroupRequestProtocol::default().with_name(text("range")).with_metadata(metadata.freeze());
    JoinGroupRequest::default()
        .with_group_id(GroupId(text(group)))
        .with_session_timeout_ms(45_000)
        .with_rebalance_timeout_ms(45_000)
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![protocol])
        .with_member_id(member_id.clone())
}

/// The id that a new member of the classic protocol is given.
pub(super) fn member_id(client: &mut Client, group: &str, topic: &str) -> StrBytes {
    eventually("a member id", || {
        let answer = client.call(JOIN, &join_request(group, topic, &StrBytes::default()));
        (!is_loading(answer.error_code)).then_some(answer.member_id)
    })
}

/// An assignment of version 0: partitions of one topic, no user data.
pub(super) fn assignment(topic: &str, partitions: impl ExactSizeIterator<Item = i32>) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_i16(0);
    bytes.put_i32(1);
    bytes.put_i16(topic.len() as i16);
    bytes.put_slice(topic.as_bytes());
    bytes.put_i32(partitions.len() as i32);
    partitions.for_each(|partition| bytes.put_i32(partition));
    bytes.put_i32(-1);
    bytes.freeze()
}

/// A member of the consumer protocol.
pub(super) struct ConsumerMember<C = Client> {
    client: C,
    pub(super) id: StrBytes,
    pub(super) epoch: i32,
    pub(super) owned: Vec<Given>,
    group: String,
    topic: String,
    says_all: bool,
}

impl ConsumerMember {
    pub(super) fn new(address: SocketAddr, group: &str, topic: &str, id: &str) -> Self {
        Self::over(Client::connect(address), group, topic, id)
    }
}

impl<C: BorrowMut<Client>> ConsumerMember<C> {
    pub(super) fn over(client: C, group: &str, topic: &str, id: &str) -> Self {
        ConsumerMember {
            client,
            id: text(id),
            epoch: 0,
            owned: Vec::new(),
            group: group.to_owned(),
            topic: topic.to_owned(),
            says_all: true,
        }
    }

    /// Says what is new, as a client does.
    pub(super) fn send(&mut self) {
        let mut request = self.request(self.epoch);
        if self.says_all {
            let owned = self.owned.iter().map(|owned| {
                TopicPartitions::default()
                    .with_topic_id(owned.topic_id)
                    .with_partitions(owned.partitions.clone())
            });
            request = request.with_topic_partitions(Some(owned.collect()));
        }
        if self.epoch == 0 {
            request = request
                .with_rebalance_timeout_ms(45_000)
                .with_subscribed_topic_names(Some(vec![topic_name(&self.topic)]));
        }
        self.client.borrow_mut().send(HEARTBEAT, &request);
        self.says_all = false;
    }

    /// Takes what it is given at once, and says so the next time.
    pub(super) fn receive(&mut self) {
        let response = self.client.borrow_mut().receive::<ConsumerGroupHeartbeatRequest>(HEARTBEAT).1;
        if is_loading(response.error_code) {
            self.says_all = true;
        } else {
            self.take(response);
        }
    }

    fn take(&mut self, response: ConsumerGroupHeartbeatResponse) {
        assert_eq!(response.error_code, 0, "{:?}", response.error_message);
        self.epoch = response.member_epoch;
        if let Some(assignment) = response.assignment {
            self.owned = assignment.topic_partitions;
            self.says_all = true;
        }
    }

    /// How many partitions it has.
    pub(super) fn has(&self) -> usize {
        self.owned.iter().map(|topic| topic.partitions.len()).sum()
    }

    pub(super) fn leave(&mut self) {
        let request = self.request(-1);
        let left = self.client.borrow_mut().call(HEARTBEAT, &request);
        assert_eq!(left.error_code, 0);
        (self.epoch, self.owned, self.says_all) = (0, Vec::new(), true);
    }

    fn request(&self, epoch: i32) -> ConsumerGroupHeartbeatRequest {
        ConsumerGroupHeartbeatRequest::default()
            .with_group_id(GroupId(text(&self.group)))
            .with_member_id(self.id.clone())
            .with_member_epoch(epoch)
            .with_rebalance_timeout_ms(-1)
            .with_topic_partitions(None)
            .with_subscribed_topic_names(None)
    }
}
