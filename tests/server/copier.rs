//! A member over TCP that copies the topic `in` to `out` within transactions, in steps as small as a test wants them.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol_018::messages::consumer_group_heartbeat_request::TopicPartitions;
use kafka_protocol_018::messages::consumer_protocol_assignment::TopicPartition as AssignedTopic;
use kafka_protocol_018::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol_018::messages::leave_group_request::MemberIdentity;
use kafka_protocol_018::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use kafka_protocol_018::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol_018::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use kafka_protocol_018::messages::{
    ConsumerGroupHeartbeatRequest, ConsumerProtocolAssignment, ConsumerProtocolSubscription, GroupId,
    HeartbeatRequest, JoinGroupRequest, LeaveGroupRequest, OffsetFetchRequest, ProducerId, SyncGroupRequest,
    TxnOffsetCommitRequest,
};
use kafka_protocol_018::protocol::{Decodable, Encodable};
use ottla::{ErrorCode, GroupProtocol};

use super::client::Client;
use super::fetching::{only, records_of, request as fetch_request};
use super::fixture::{Fixture, code, describe_topic, text, topic_name};
use super::groups::connect;
use super::producing::request as produce_request;
use super::records::values;
use super::transactions::{
    Producer, end, find_transaction_coordinator, transactional_batch, transactional_id, try_init,
};

pub(super) const PARTITIONS: i32 = 4;

fn group() -> GroupId {
    GroupId(text("g"))
}

pub(super) struct Copier {
    client: Client,
    protocol: GroupProtocol,
    member_id: String,
    /// The generation, or the member's epoch.
    epoch: i32,
    owned: Vec<i32>,
    producer: Producer,
    /// Where the offsets of the open transaction are, by partition.
    read: Vec<(i32, i64)>,
}

impl Copier {
    /// Connects; it is no member yet.
    pub(super) fn connect(fixture: &Fixture, protocol: GroupProtocol) -> Self {
        let mut client = connect(fixture);
        find_transaction_coordinator(&mut client);
        let producer = try_init(&mut client, 5, None).unwrap();
        let member_id = String::new();
        Copier { client, protocol, member_id, epoch: 0, owned: Vec::new(), producer, read: Vec::new() }
    }

    /// Becomes a member under a new name; in the classic protocol, with its share of the partitions.
    pub(super) fn join(&mut self) {
        match self.protocol {
            GroupProtocol::Classic => {
                let joined = self.client.call(5, &join_request(""));
                assert_eq!(code(joined.error_code), ErrorCode::MemberIdRequired);
                self.member_id = joined.member_id.to_string();
                self.join_again();
            }
            _ => {
                (self.member_id, self.epoch) = (format!("copier-{}", self.producer.epoch), 0);
                self.owned.clear();
                self.heartbeat();
            }
        }
    }

    fn join_again(&mut self) {
        let joined = self.client.call(5, &join_request(&self.member_id));
        assert_eq!(code(joined.error_code), ErrorCode::None);
        self.epoch = joined.generation_id;
        // Where it leads, it is alone: the native members have left.
        let is_leader = joined.leader == joined.member_id;
        assert_eq!(joined.members.len(), usize::from(is_leader));
        let own = SyncGroupRequestAssignment::default()
            .with_member_id(joined.member_id.clone())
            .with_assignment(assignment_of_all());
        let request = SyncGroupRequest::default()
            .with_group_id(group())
            .with_generation_id(joined.generation_id)
            .with_member_id(joined.member_id)
            .with_assignments(if is_leader { vec![own] } else { Vec::new() });
        let mut synced = self.client.call(3, &request);
        assert_eq!(code(synced.error_code), ErrorCode::None);
        let version = synced.assignment.get_i16();
        let assigned = ConsumerProtocolAssignment::decode(&mut synced.assignment, version).unwrap();
        self.owned = assigned.assigned_partitions.into_iter().flat_map(|topic| topic.partitions).collect();
    }

    /// Says that it is there, and takes part in a rebalance if it is told of one.
    pub(super) fn heartbeat(&mut self) {
        match self.protocol {
            GroupProtocol::Classic => {
                let request = HeartbeatRequest::default()
                    .with_group_id(group())
                    .with_generation_id(self.epoch)
                    .with_member_id(text(&self.member_id));
                match code(self.client.call(4, &request).error_code) {
                    ErrorCode::None => {}
                    ErrorCode::RebalanceInProgress => self.join_again(),
                    error => panic!("{error}"),
                }
            }
            _ => {
                let topic_id = describe_topic(&mut self.client, "in").topic_id;
                let owned =
                    TopicPartitions::default().with_topic_id(topic_id).with_partitions(self.owned.clone());
                let request = consumer_heartbeat(&self.member_id, self.epoch)
                    .with_rebalance_timeout_ms(30_000)
                    .with_subscribed_topic_names(Some(vec![topic_name("in")]))
                    .with_topic_partitions(Some(if self.owned.is_empty() { vec![] } else { vec![owned] }));
                let response = self.client.call(1, &request);
                assert_eq!(code(response.error_code), ErrorCode::None, "{:?}", response.error_message);
                self.epoch = response.member_epoch;
                if let Some(assignment) = response.assignment {
                    let topics = assignment.topic_partitions.into_iter();
                    self.owned = topics.flat_map(|topic| topic.partitions).collect();
                }
            }
        }
    }

    pub(super) fn owned(&self) -> &[i32] {
        &self.owned
    }

    pub(super) fn member_id(&self) -> &str {
        &self.member_id
    }

    /// Where the group goes on reading its partitions.
    pub(super) fn positions(&mut self) -> Result<Vec<(i32, i64)>, ErrorCode> {
        let topic = OffsetFetchRequestTopics::default()
            .with_name(topic_name("in"))
            .with_partition_indexes(self.owned.clone());
        let group = OffsetFetchRequestGroup::default().with_group_id(group()).with_topics(Some(vec![topic]));
        let request = OffsetFetchRequest::default().with_groups(vec![group]).with_require_stable(true);
        let response = self.client.call(8, &request);
        let partitions = response.groups[0].topics[0].partitions.iter();
        let positions = partitions.map(|partition| match code(partition.error_code) {
            ErrorCode::None => Ok((partition.partition_index, partition.committed_offset.max(0))),
            error => Err(error),
        });
        positions.collect()
    }

    /// Begins a transaction with copies of all that there is to read; how many they are.
    pub(super) fn copy(&mut self) -> usize {
        let mut copied = 0;
        for (partition, position) in self.positions().unwrap() {
            let request = fetch_request("in", partition, position).with_isolation_level(1);
            let records = records_of(&only(self.client.call(11, &request)));
            let read: Vec<String> = values(&records).into_iter().map(|(_, value)| value).collect();
            if read.is_empty() {
                continue;
            }
            let read_to = position + i64::try_from(read.len()).unwrap();
            self.read.push((partition, read_to));
            copied += read.len();
            let read: Vec<&str> = read.iter().map(String::as_str).collect();
            let batch = transactional_batch(self.producer, 0, &read);
            let request = produce_request("out", partition, Some(batch))
                .with_transactional_id(Some(transactional_id()));
            let written = self.client.call(12, &request);
            assert_eq!(code(written.responses[0].partition_responses[0].error_code), ErrorCode::None);
        }
        copied
    }

    /// Makes how far it has read part of the transaction, as the member that it believes to be.
    pub(super) fn send_offsets(&mut self) -> ErrorCode {
        let partitions = self.read.drain(..).map(|(partition, offset)| {
            TxnOffsetCommitRequestPartition::default()
                .with_partition_index(partition)
                .with_committed_offset(offset)
        });
        let topic = TxnOffsetCommitRequestTopic::default()
            .with_name(topic_name("in"))
            .with_partitions(partitions.collect());
        let request = TxnOffsetCommitRequest::default()
            .with_transactional_id(transactional_id())
            .with_group_id(group())
            .with_producer_id(ProducerId(self.producer.id))
            .with_producer_epoch(self.producer.epoch)
            .with_generation_id(self.epoch)
            .with_member_id(text(&self.member_id))
            .with_topics(vec![topic]);
        let response = self.client.call(5, &request);
        let mut codes: Vec<ErrorCode> =
            response.topics[0].partitions.iter().map(|partition| code(partition.error_code)).collect();
        codes.dedup();
        assert_eq!(codes.len(), 1, "{codes:?}");
        codes[0]
    }

    pub(super) fn end(&mut self, commits: bool) {
        self.producer = end(&mut self.client, 5, self.producer, commits).unwrap();
    }
}

/// Takes a member out of the group, as an operator or a lost connection would: it hears nothing of it.
pub(super) fn take_out(fixture: &Fixture, protocol: GroupProtocol, member_id: &str) {
    let mut client = connect(fixture);
    let left = match protocol {
        GroupProtocol::Classic => {
            let member = MemberIdentity::default().with_member_id(text(member_id));
            let request = LeaveGroupRequest::default().with_group_id(group()).with_members(vec![member]);
            client.call(3, &request).error_code
        }
        _ => client.call(1, &consumer_heartbeat(member_id, -1)).error_code,
    };
    assert_eq!(code(left), ErrorCode::None);
}

fn consumer_heartbeat(member_id: &str, epoch: i32) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest::default()
        .with_group_id(group())
        .with_member_id(text(member_id))
        .with_member_epoch(epoch)
        .with_rebalance_timeout_ms(-1)
        .with_subscribed_topic_names(None)
        .with_topic_partitions(None)
}

fn join_request(member_id: &str) -> JoinGroupRequest {
    let mut metadata = BytesMut::new();
    metadata.put_i16(0);
    let subscription = ConsumerProtocolSubscription::default().with_topics(vec![text("in")]);
    subscription.encode(&mut metadata, 0).unwrap();
    let protocol =
        JoinGroupRequestProtocol::default().with_name(text("range")).with_metadata(metadata.freeze());
    JoinGroupRequest::default()
        .with_group_id(group())
        .with_session_timeout_ms(10_000)
        .with_rebalance_timeout_ms(10_000)
        .with_member_id(text(member_id))
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![protocol])
}

fn assignment_of_all() -> Bytes {
    let topic =
        AssignedTopic::default().with_topic(topic_name("in")).with_partitions((0..PARTITIONS).collect());
    let mut assignment = BytesMut::new();
    assignment.put_i16(0);
    let all = ConsumerProtocolAssignment::default().with_assigned_partitions(vec![topic]);
    all.encode(&mut assignment, 0).unwrap();
    assignment.freeze()
}
