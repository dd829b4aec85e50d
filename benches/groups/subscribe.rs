//! From `subscribe` to the first record of a group that nobody knows yet.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use kafka_protocol_018::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol_018::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol_018::messages::offset_fetch_request::OffsetFetchRequestTopic;
use kafka_protocol_018::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol_018::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol_018::messages::{
    ApiVersionsRequest, FetchRequest, FindCoordinatorRequest, GroupId, ListOffsetsRequest, MetadataRequest,
    OffsetFetchRequest, ProduceRequest, SyncGroupRequest,
};
use ottla::{BatchOptions, RecordBatchBuilder};

use super::client::Client;
use super::members::{ConsumerMember, JOIN, assignment, join_request, member_id};
use super::{await_coordinator, create_topic, median, print, text, topic_name, unique};

const WARM_UPS: usize = 10;
const ROUNDS: usize = 41;

pub(super) fn run(address: SocketAddr) {
    let mut client = Client::connect(address);
    let topic = unique("subscribed");
    create_topic(&mut client, &topic, 1);
    let mut batch = RecordBatchBuilder::new(BatchOptions::default());
    batch.append(1, None, Some(b"x")).expect("a record");
    let records = Some(batch.build().expect("a batch"));
    let data = PartitionProduceData::default().with_index(0).with_records(records);
    let data = TopicProduceData::default().with_name(topic_name(&topic)).with_partition_data(vec![data]);
    let request = ProduceRequest::default().with_acks(-1).with_timeout_ms(10_000).with_topic_data(vec![data]);
    assert_eq!(client.call(9, &request).responses[0].partition_responses[0].error_code, 0);
    await_coordinator(&mut client, 0, "any");
    for (name, join) in [("classic", classic as fn(&mut Client, &str, &str)), ("consumer", consumer)] {
        let round = |_| {
            let group = unique("new");
            let mut client = Client::connect(address);
            let start = Instant::now();
            client.call(3, &ApiVersionsRequest::default());
            client.call(4, &MetadataRequest::default());
            client.call(2, &FindCoordinatorRequest::default().with_key(text(&group)));
            join(&mut client, &group, &topic);
            first_record(&mut client, &group, &topic);
            start.elapsed().as_secs_f64() * 1e3
        };
        let taken: Vec<f64> = (0..WARM_UPS + ROUNDS).map(round).skip(WARM_UPS).collect();
        print(&format!("subscribe to first record, {name}, ms"), median(taken));
    }
}

fn classic(client: &mut Client, group: &str, topic: &str) {
    let member_id = member_id(client, group, topic);
    let joined = client.call(JOIN, &join_request(group, topic, &member_id));
    assert_eq!(joined.error_code, 0);
    let own = SyncGroupRequestAssignment::default()
        .with_member_id(joined.member_id.clone())
        .with_assignment(assignment(topic, 0..1));
    let sync = SyncGroupRequest::default()
        .with_group_id(GroupId(text(group)))
        .with_generation_id(joined.generation_id)
        .with_member_id(joined.member_id)
        .with_assignments(vec![own]);
    assert_eq!(client.call(3, &sync).error_code, 0);
}

fn consumer(client: &mut Client, group: &str, topic: &str) {
    let mut member = ConsumerMember::over(client, group, topic, &unique("member"));
    while member.owned.is_empty() {
        member.send();
        member.receive();
    }
}

fn first_record(client: &mut Client, group: &str, topic: &str) {
    let committed =
        OffsetFetchRequestTopic::default().with_name(topic_name(topic)).with_partition_indexes(vec![0]);
    let committed =
        OffsetFetchRequest::default().with_group_id(GroupId(text(group))).with_topics(Some(vec![committed]));
    assert_eq!(client.call(5, &committed).topics[0].partitions[0].committed_offset, -1);
    let earliest = ListOffsetsPartition::default().with_partition_index(0).with_timestamp(-2);
    let earliest = ListOffsetsTopic::default().with_name(topic_name(topic)).with_partitions(vec![earliest]);
    let earliest = client.call(3, &ListOffsetsRequest::default().with_topics(vec![earliest]));
    let offset = earliest.topics[0].partitions[0].offset;
    assert!(!fetch(client, topic, offset, 0).is_empty());
}

/// What there is from an offset on, up to 1 MiB.
pub(super) fn fetch(client: &mut Client, topic: &str, offset: i64, isolation_level: i8) -> Bytes {
    let partition = FetchPartition::default().with_fetch_offset(offset).with_partition_max_bytes(1 << 20);
    let topic = FetchTopic::default().with_topic(topic_name(topic)).with_partitions(vec![partition]);
    let request = FetchRequest::default()
        .with_max_wait_ms(500)
        .with_min_bytes(1)
        .with_max_bytes(1 << 20)
        .with_isolation_level(isolation_level)
        .with_topics(vec![topic]);
    client.call(4, &request).responses.remove(0).partitions.remove(0).records.unwrap_or_default()
}
