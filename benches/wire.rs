//! What a remote program waits for: the binary until it is ready, the first record of a new group, and records that only
//! the disk has.
//!
//! ```sh
//! cargo bench --bench wire
//! ```
//!
//! The client here takes the protocol's steps one after the other and waits for nothing of its own; what librdkafka
//! adds to that is measured by `benches/side_by_side`.

#![expect(clippy::disallowed_methods, reason = "a bench measures real time and starts real processes")]

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Instant;

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol_018::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol_018::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol_018::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol_018::messages::offset_fetch_request::OffsetFetchRequestTopic;
use kafka_protocol_018::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol_018::messages::{
    ApiVersionsRequest, ConsumerProtocolSubscription, FetchRequest, FindCoordinatorRequest, GroupId,
    JoinGroupRequest, ListOffsetsRequest, MetadataRequest, OffsetFetchRequest, SyncGroupRequest, TopicName,
};
use kafka_protocol_018::protocol::{Encodable, StrBytes};
use ottla::{Broker, NewTopic, ProducerRecord};

use self::client::Client;

#[cfg(target_os = "linux")]
#[path = "wire/cold.rs"]
mod cold;

#[path = "../tests/server/client.rs"]
#[expect(dead_code, reason = "the tests' client can do more than a bench asks of it")]
mod client;

const ROUNDS: usize = 31;

fn main() {
    // `cargo test --benches` calls this too, and wants no figures.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    print("ottla serve: start to the ready line", start_to_ready, 10.0);
    print("subscribe to first record, bare client", subscribe_to_first_record, 10.0);
    #[cfg(target_os = "linux")]
    cold::print();
}

fn print(what: &str, job: fn() -> f64, goal_ms: f64) {
    let mut taken_ms: Vec<f64> = (0..ROUNDS).map(|_| job() * 1e3).collect();
    taken_ms.sort_by(f64::total_cmp);
    let median = taken_ms[ROUNDS / 2];
    let verdict = if median < goal_ms { "reached" } else { "missed" };
    println!(
        "{what:<46} median {median:>7.3} ms, {:.3} to {:.3}  < {goal_ms} ms {verdict}",
        taken_ms[0],
        taken_ms[ROUNDS - 1]
    );
}

fn start_to_ready() -> f64 {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let start = Instant::now();
    let mut process = Command::new(env!("CARGO_BIN_EXE_ottla"))
        .args(["serve", "--override", "listeners=PLAINTEXT://127.0.0.1:0", "--override"])
        .arg(format!("log.dirs={}", dir.path().display()))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a process");
    let mut line = String::new();
    BufReader::new(process.stdout.take().expect("its stdout")).read_line(&mut line).expect("a line");
    let taken = start.elapsed().as_secs_f64();
    assert!(line.starts_with("ready "), "{line:?}");
    process.kill().expect("to end it");
    process.wait().expect("its end");
    taken
}

fn subscribe_to_first_record() -> f64 {
    let broker = Broker::temporary().expect("a broker");
    broker.admin().create_topic(NewTopic::new("t", 1)).expect("a topic");
    let sent = broker.producer().send(ProducerRecord::new("t").value("x")).and_then(|sent| sent.wait());
    sent.expect("a record");
    let listener = broker.listen("127.0.0.1:0").expect("a listener");
    let start = Instant::now();
    let records = first_records(listener.local_addr());
    let taken = start.elapsed().as_secs_f64();
    assert!(!records.is_empty());
    taken
}

fn text(of: &str) -> StrBytes {
    StrBytes::from_string(of.to_owned())
}

/// All that a client must ask before it has a record of a topic for a group that nobody knows yet.
fn first_records(address: SocketAddr) -> Bytes {
    let mut client = Client::connect(address);
    let (group, topic) = (GroupId(text("new")), TopicName(text("t")));
    client.call(3, &ApiVersionsRequest::default());
    client.call(4, &MetadataRequest::default());
    client.call(2, &FindCoordinatorRequest::default().with_key(text("new")));

    let mut metadata = BytesMut::new();
    metadata.put_i16(0);
    let subscription = ConsumerProtocolSubscription::default().with_topics(vec![text("t")]);
    subscription.encode(&mut metadata, 0).expect("a subscription");
    let protocol =
        JoinGroupRequestProtocol::default().with_name(text("range")).with_metadata(metadata.freeze());
    let join = JoinGroupRequest::default()
        .with_group_id(group.clone())
        .with_session_timeout_ms(10_000)
        .with_rebalance_timeout_ms(10_000)
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![protocol]);
    let member_id = client.call(5, &join).member_id;
    let joined = client.call(5, &join.with_member_id(member_id));
    assert_eq!(joined.error_code, 0);

    let assignment =
        SyncGroupRequestAssignment::default().with_member_id(joined.member_id.clone()).with_assignment(
            // Version 0: one topic, its partition 0, no user data.
            Bytes::from_static(b"\0\0\0\0\0\x01\0\x01t\0\0\0\x01\0\0\0\0\xff\xff\xff\xff"),
        );
    let sync = SyncGroupRequest::default()
        .with_group_id(group.clone())
        .with_generation_id(joined.generation_id)
        .with_member_id(joined.member_id)
        .with_assignments(vec![assignment]);
    assert_eq!(client.call(3, &sync).error_code, 0);

    let committed =
        OffsetFetchRequestTopic::default().with_name(topic.clone()).with_partition_indexes(vec![0]);
    let committed = OffsetFetchRequest::default().with_group_id(group).with_topics(Some(vec![committed]));
    assert_eq!(client.call(5, &committed).topics[0].partitions[0].committed_offset, -1);

    let earliest = ListOffsetsPartition::default().with_partition_index(0).with_timestamp(-2);
    let earliest = ListOffsetsTopic::default().with_name(topic.clone()).with_partitions(vec![earliest]);
    let earliest = client.call(3, &ListOffsetsRequest::default().with_topics(vec![earliest]));

    let partition = FetchPartition::default()
        .with_fetch_offset(earliest.topics[0].partitions[0].offset)
        .with_partition_max_bytes(1 << 20);
    let fetch = FetchRequest::default()
        .with_max_wait_ms(500)
        .with_min_bytes(1)
        .with_max_bytes(1 << 20)
        .with_topics(vec![FetchTopic::default().with_topic(topic).with_partitions(vec![partition])]);
    client.call(4, &fetch).responses.remove(0).partitions.remove(0).records.expect("records")
}
