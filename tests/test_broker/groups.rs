//! Groups of all three types, by the endpoint.

use kafka_protocol_018::messages::metadata_response::MetadataResponseTopic;
use kafka_protocol_018::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol_018::messages::share_acknowledge_request::{
    AcknowledgePartition, AcknowledgeTopic, AcknowledgementBatch,
};
use kafka_protocol_018::messages::share_fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol_018::messages::{
    ConsumerGroupHeartbeatRequest, FindCoordinatorRequest, GroupId, OffsetCommitRequest,
    ShareAcknowledgeRequest, ShareFetchRequest, ShareGroupHeartbeatRequest,
};
use ottla::ErrorCode;
use serde_json::{Value, json};

use super::client::Client;
use super::fixture::{code, describe_topic, text, topic_name};
use super::member::Member;
use super::process::TestProcess;
use super::producing;
use super::records::batch;

/// A broker whose topic `orders` has three records.
fn start() -> TestProcess {
    let kafka = TestProcess::start(&[]);
    kafka.post("/v1/topics", json!({ "name": "orders" }));
    producing::append(&mut kafka.connect(), "orders", batch(&["a", "b", "c"]));
    kafka
}

fn only_group(kafka: &TestProcess) -> Value {
    let groups = kafka.get("/v1/groups");
    assert_eq!(kafka.ctl(&["groups"]).unwrap(), groups);
    let [group] = &groups.as_array().unwrap()[..] else { panic!("not one group: {groups}") };
    group.clone()
}

/// Commits for a group that has no members.
fn commit(client: &mut Client, group: &str, offset: i64) {
    let partition = OffsetCommitRequestPartition::default()
        .with_committed_offset(offset)
        .with_committed_metadata(Some(text("so far")));
    let topic =
        OffsetCommitRequestTopic::default().with_name(topic_name("orders")).with_partitions(vec![partition]);
    let request = OffsetCommitRequest::default()
        .with_group_id(GroupId(text(group)))
        .with_generation_id_or_member_epoch(-1)
        .with_topics(vec![topic]);
    let answer = client.call(8, &request);
    assert_eq!(code(answer.topics[0].partitions[0].error_code), ErrorCode::None);
}

fn find_coordinator(client: &mut Client, group: &str) {
    let found = client.call(3, &FindCoordinatorRequest::default().with_key(text(group)));
    assert_eq!(code(found.error_code), ErrorCode::None);
}

#[test]
fn a_classic_group_is_told_with_its_type_its_members_and_its_lag() {
    let kafka = start();
    let mut client = kafka.connect();
    find_coordinator(&mut client, "billing");
    commit(&mut client, "billing", 1);
    let group = only_group(&kafka);
    assert_eq!((&group["groupId"], &group["type"]), (&json!("billing"), &json!("classic")));
    assert_eq!((&group["state"], &group["members"]), (&json!("Empty"), &json!([])));
    assert_eq!(
        group["offsets"],
        json!([{ "topic": "orders", "partition": 0, "offset": 1, "latestOffset": 3, "lag": 2, "metadata": "so far" }])
    );

    let mut member = Member::connect_to(kafka.bootstrap_servers.parse().unwrap(), 60_000);
    member.send_join();
    let joined = member.receive_join();
    member.sync(&joined);
    let group = only_group(&kafka);
    assert_eq!((&group["state"], &group["protocolType"]), (&json!("Stable"), &json!("consumer")));
    assert_eq!((&group["assignor"], &group["generationId"]), (&json!("range"), &json!(joined.generation_id)));
    let [of] = &group["members"].as_array().unwrap()[..] else { panic!("not one member: {group}") };
    assert_eq!((&of["memberId"], &of["clientId"]), (&json!(joined.member_id.to_string()), &json!("test")));

    kafka.delete("/v1/topics/orders");
    assert_eq!(only_group(&kafka)["offsets"], json!([]), "what was committed of a topic goes with it");
}

#[test]
fn a_group_whose_broker_assigns_is_told_with_its_type_and_what_each_member_reads() {
    let kafka = start();
    let mut client = kafka.connect();
    find_coordinator(&mut client, "ledger");
    let heartbeat = ConsumerGroupHeartbeatRequest::default()
        .with_group_id(GroupId(text("ledger")))
        .with_member_id(text("first"))
        .with_rebalance_timeout_ms(60_000)
        .with_subscribed_topic_names(Some(vec![topic_name("orders")]))
        .with_topic_partitions(Some(Vec::new()));
    let answer = client.call(1, &heartbeat);
    assert_eq!(code(answer.error_code), ErrorCode::None, "{:?}", answer.error_message);
    let group = only_group(&kafka);
    assert_eq!((&group["groupId"], &group["type"]), (&json!("ledger"), &json!("consumer")));
    assert_eq!(group["members"][0]["assignment"], json!([{ "topic": "orders", "partition": 0 }]));
    assert_eq!(group["offsets"], json!([]));
}

/// The share group `workers`, and its only member.
struct Worker {
    client: Client,
    topic: MetadataResponseTopic,
    epoch: i32,
}

impl Worker {
    fn join(kafka: &TestProcess) -> Self {
        let mut client = kafka.connect();
        find_coordinator(&mut client, "workers");
        let mut heartbeat = ShareGroupHeartbeatRequest::default()
            .with_group_id(GroupId(text("workers")))
            .with_member_id(text("first"))
            .with_subscribed_topic_names(Some(vec![topic_name("orders")]));
        // A group is assigned what it has a place in, and it gets that after somebody has joined.
        loop {
            let joined = client.call(1, &heartbeat);
            assert_eq!(code(joined.error_code), ErrorCode::None, "{:?}", joined.error_message);
            if joined.assignment.is_some_and(|assigned| !assigned.topic_partitions.is_empty()) {
                break;
            }
            heartbeat = heartbeat.with_member_epoch(joined.member_epoch);
        }
        let topic = describe_topic(&mut client, "orders");
        Worker { client, topic, epoch: 0 }
    }

    fn fetch(&mut self) {
        let topic = FetchTopic::default()
            .with_topic_id(self.topic.topic_id)
            .with_partitions(vec![FetchPartition::default()]);
        let request = ShareFetchRequest::default()
            .with_group_id(Some(GroupId(text("workers"))))
            .with_member_id(Some(text("first")))
            .with_share_session_epoch(self.epoch)
            .with_max_records(10)
            .with_batch_size(10)
            .with_topics(vec![topic]);
        self.epoch += 1;
        assert_eq!(code(self.client.call(1, &request).error_code), ErrorCode::None);
    }

    fn accept(&mut self, first: i64, last: i64) {
        let accepted = AcknowledgementBatch::default()
            .with_first_offset(first)
            .with_last_offset(last)
            .with_acknowledge_types(vec![1]);
        let partition = AcknowledgePartition::default().with_acknowledgement_batches(vec![accepted]);
        let topic =
            AcknowledgeTopic::default().with_topic_id(self.topic.topic_id).with_partitions(vec![partition]);
        let request = ShareAcknowledgeRequest::default()
            .with_group_id(Some(GroupId(text("workers"))))
            .with_member_id(Some(text("first")))
            .with_share_session_epoch(self.epoch)
            .with_topics(vec![topic]);
        self.epoch += 1;
        let answer = self.client.call(1, &request);
        assert_eq!(code(answer.responses[0].partitions[0].error_code), ErrorCode::None);
    }
}

#[test]
fn a_share_group_is_told_with_its_type_and_how_much_is_left_for_it() {
    let kafka = start();
    let mut worker = Worker::join(&kafka);
    // It begins at the end.
    worker.fetch();
    let group = only_group(&kafka);
    assert_eq!((&group["groupId"], &group["type"]), (&json!("workers"), &json!("share")));
    assert_eq!(group["members"][0]["assignment"], json!([{ "topic": "orders", "partition": 0 }]));
    let stands = || {
        let of = only_group(&kafka)["offsets"][0].clone();
        [&of["offset"], &of["latestOffset"], &of["lag"]].map(Value::as_i64)
    };
    assert_eq!(stands(), [None, Some(3), None], "nothing is dealt with");
    producing::append(&mut kafka.connect(), "orders", batch(&["d", "e"]));
    worker.fetch();
    worker.accept(3, 3);
    // What is dealt with behind the offset does not lag either.
    let [offset, latest, lag] = stands();
    assert!((3..=4).contains(&offset.unwrap()) && (latest, lag) == (Some(5), Some(1)), "{offset:?}, {lag:?}");
    let wait =
        || kafka.call("POST", "/v1/wait", &json!({ "until": "lagZero", "group": "workers", "limitMs": 0 }));
    let (status, told) = wait();
    let told = told["error"]["message"].as_str().unwrap();
    assert!(status == 408 && told.ends_with("orders-0 has 1 left before 5"), "{status} {told}");
    worker.accept(4, 4);
    assert_eq!(stands()[2], Some(0));
    assert_eq!(wait().0, 200);
}
