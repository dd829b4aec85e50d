//! Requests that go wrong by rules given to the endpoint, as a client on the wire sees it.

use std::collections::BTreeSet;

use kafka_protocol_018::messages::create_topics_request::CreatableTopic;
use kafka_protocol_018::messages::{
    ApiVersionsRequest, CreateTopicsRequest, FindCoordinatorRequest, GroupId, HeartbeatRequest,
    InitProducerIdRequest, MetadataRequest, ProduceRequest, ProduceResponse, TransactionalId,
};
use ottla::{ErrorCode, RecordBatch};
use serde_json::{Value, json};

use super::client::Client;
use super::fetching;
use super::fixture::{code, describe_topic, text, topic_name};
use super::process::TestProcess;
use super::producing;
use super::records::{batch, values};

/// What a client sees of a request to produce.
#[derive(Clone, Copy, Debug)]
enum Seen {
    Answer(ErrorCode),
    /// All is well, and it is asked to be quiet for so many milliseconds.
    Throttle(i32),
    /// All is well, when so many milliseconds have passed.
    Late(i64),
    /// So many bytes behind the size, and then the end of the connection.
    Cut(usize),
    Silence,
    End,
}

use Seen::{Answer, Cut, End, Late, Silence, Throttle};

const MS_OF_DELAY: i64 = 5_000;

/// Each thing that a rule may do to a request, what the client sees of it, and how many records are written.
fn effects() -> Vec<(Value, Seen, usize)> {
    let not_leader = Answer(ErrorCode::NotLeaderOrFollower);
    vec![
        (json!({ "answer": "NOT_LEADER_OR_FOLLOWER" }), not_leader, 0),
        (json!({ "answer": 6 }), not_leader, 0),
        (json!({ "answer": "kafka_storage_error" }), Answer(ErrorCode::KafkaStorageError), 0),
        (json!({ "answerThere": "NOT_LEADER_OR_FOLLOWER", "topic": "orders" }), not_leader, 0),
        (json!({ "answerThere": 6, "topic": "orders", "partition": 0 }), not_leader, 0),
        (json!({ "delayMs": MS_OF_DELAY }), Late(MS_OF_DELAY), 1),
        (json!({ "throttleMs": 1_234 }), Throttle(1_234), 1),
        (json!({ "cutAnswer": 0 }), Cut(0), 1),
        (json!({ "cutAnswer": 10 }), Cut(10), 1),
        (json!({ "swallow": true }), Silence, 0),
        (json!({ "dropAnswer": true }), Silence, 1),
        (json!({ "disconnect": true }), End, 0),
        (json!({ "disconnectAfter": true }), End, 1),
        (json!({ "corruptCrc": true }), Answer(ErrorCode::None), 1),
    ]
}

fn error_of(answer: &ProduceResponse) -> ErrorCode {
    code(answer.responses[0].partition_responses[0].error_code)
}

/// Waits until the request to produce is over, whether it was answered or not.
fn wait_for_the_end(kafka: &TestProcess) {
    kafka.post("/v1/wait", json!({ "until": "requestsEnded", "api": "Produce", "count": 1 }));
}

impl Seen {
    /// Panics if something else is seen.
    fn check(self, kafka: &TestProcess, client: &mut Client) {
        match self {
            Answer(expected) => {
                let (_, answer) = client.receive::<ProduceRequest>(9);
                assert_eq!((error_of(&answer), answer.throttle_time_ms), (expected, 0));
            }
            Throttle(ms) => {
                let (_, answer) = client.receive::<ProduceRequest>(9);
                assert_eq!((error_of(&answer), answer.throttle_time_ms), (ErrorCode::None, ms));
            }
            Late(ms) => {
                wait_for_the_end(kafka);
                kafka.post("/v1/advance", json!({ "ms": ms - 1 }));
                assert!(!client.has_answer());
                kafka.post("/v1/advance", json!({ "ms": 1 }));
                let (_, answer) = client.receive::<ProduceRequest>(9);
                assert_eq!(error_of(&answer), ErrorCode::None);
            }
            Cut(bytes) => assert_eq!(client.receive_rest().len(), 4 + bytes),
            Silence => {
                wait_for_the_end(kafka);
                assert!(!client.has_answer());
            }
            End => client.expect_closed(),
        }
    }
}

#[test]
fn a_rule_does_to_a_request_what_it_says_and_the_work_is_done_or_not() {
    let kafka = TestProcess::start(&["--clock", "manual"]);
    kafka.post("/v1/topics", json!({ "name": "orders" }));
    for (rule, seen, written) in effects() {
        let told = format!("{rule}: {seen:?}");
        println!("{told}");
        kafka.delete("/v1/journal");
        let before = kafka.values("orders").len();
        let mut asked = rule.clone();
        asked["api"] = json!("Produce");
        let id = kafka.post("/v1/faults", asked)["id"].clone();
        let mut client = kafka.connect();
        client.send(9, &producing::request("orders", 0, Some(batch(&["x"]))));
        seen.check(&kafka, &mut client);
        assert_eq!(kafka.values("orders").len() - before, written, "{told}");
        let faults = kafka.get("/v1/faults");
        assert_eq!((&faults[0]["id"], &faults[0]["hits"]), (&id, &json!(1)), "{told}");
        kafka.delete("/v1/faults");
        if matches!(seen, Silence) {
            // The client need not wait for ever.
            client.expect_closed();
        }
        producing::append(&mut kafka.connect(), "orders", batch(&["y"]));
    }
}

/// What is refused without an effect names all of them; those of the tests here are all there are.
#[test]
fn every_effect_that_is_offered_is_tried() {
    let kafka = TestProcess::start(&[]);
    let (_, message) = kafka.refusal("/v1/faults", json!({}));
    let offered: BTreeSet<_> = message.strip_prefix("give one of ").unwrap().split(", ").collect();
    let tried = effects().into_iter().map(|(rule, ..)| rule);
    let tried: BTreeSet<_> =
        tried.flat_map(|rule| rule.as_object().unwrap().clone()).map(|(k, _)| k).collect();
    let elsewhere = ["moveController", "moveCoordinator", "moveLeader", "refuseConnections"];
    let tried: BTreeSet<_> = tried.iter().map(String::as_str).chain(elsewhere).collect();
    assert_eq!(offered.difference(&tried).count(), 0, "{offered:?}");
    let (status, _) = kafka.refusal("/v1/faults", json!({ "swallow": true, "delayMs": 1 }));
    assert_eq!(status, 400, "one effect each");
}

/// Requests that have nothing in common but the client that sends them.
#[derive(Clone, Copy, Debug)]
enum Asked {
    Produce,
    Heartbeat,
    InitProducerId,
}

impl Asked {
    fn ask(self, client: &mut Client) -> ErrorCode {
        match self {
            Asked::Produce => code(producing::produce(client, "orders", batch(&["x"])).error_code),
            Asked::Heartbeat => {
                let heartbeat = HeartbeatRequest::default().with_group_id(GroupId(text("billing")));
                code(client.call(3, &heartbeat).error_code)
            }
            Asked::InitProducerId => {
                let id = TransactionalId(text("till-4"));
                let init = InitProducerIdRequest::default().with_transactional_id(Some(id));
                code(client.call(4, &init.with_transaction_timeout_ms(60_000)).error_code)
            }
        }
    }
}

#[test]
fn a_rule_is_for_the_requests_that_its_match_names_and_for_no_others() {
    use Asked::{Heartbeat, InitProducerId, Produce};
    let kafka = TestProcess::start(&[]);
    kafka.post("/v1/topics", json!({ "name": "orders" }));
    let mut client = kafka.connect();
    client.call(3, &ApiVersionsRequest::default());
    let connection = kafka.get("/v1/connections")[0]["connection"].as_u64().unwrap();
    let rows = [
        (Produce, json!({}), true),
        (Produce, json!({ "api": "Produce" }), true),
        (Produce, json!({ "api": "pRODUCE" }), true),
        (Produce, json!({ "api": 0 }), true),
        (Produce, json!({ "api": "Fetch" }), false),
        (Produce, json!({ "minVersion": 9 }), true),
        (Produce, json!({ "minVersion": 10 }), false),
        (Produce, json!({ "maxVersion": 9 }), true),
        (Produce, json!({ "maxVersion": 8 }), false),
        (Produce, json!({ "topic": "orders" }), true),
        (Produce, json!({ "topic": "others" }), false),
        (Produce, json!({ "partition": 0 }), true),
        (Produce, json!({ "topic": "orders", "partition": 1 }), false),
        (Produce, json!({ "clientId": "test" }), true),
        (Produce, json!({ "clientId": "other" }), false),
        (Produce, json!({ "connection": connection }), true),
        (Produce, json!({ "connection": connection + 1 }), false),
        (Produce, json!({ "group": "billing" }), false),
        (Heartbeat, json!({ "group": "billing" }), true),
        (Heartbeat, json!({ "group": "others" }), false),
        (Heartbeat, json!({ "transactionalId": "till-4" }), false),
        (InitProducerId, json!({ "transactionalId": "till-4" }), true),
        (InitProducerId, json!({ "transactionalId": "till-5" }), false),
    ];
    for (asked, wanted, is_meant) in rows {
        let told = format!("{asked:?} by {wanted}");
        let mut rule = wanted;
        rule["answer"] = json!("POLICY_VIOLATION");
        let id = kafka.post("/v1/faults", rule)["id"].clone();
        assert_eq!(asked.ask(&mut client) == ErrorCode::PolicyViolation, is_meant, "{told}");
        assert_eq!(kafka.get("/v1/faults")[0]["hits"], u8::from(is_meant), "{told}");
        kafka.delete(&format!("/v1/faults/{id}"));
    }
}

#[test]
fn a_rule_spares_the_first_requests_and_ends_after_the_last() {
    let kafka = TestProcess::start(&[]);
    let rule = json!({ "api": "ApiVersions", "skip": 1, "times": 2, "answer": "UNKNOWN_SERVER_ERROR" });
    let id = kafka.post("/v1/faults", rule)["id"].clone();
    let codes: Vec<_> = (0..5).map(|_| kafka.ask_versions().unwrap()).collect();
    assert_eq!(codes, [0, -1, -1, 0, 0]);
    let told = json!({ "api": "ApiVersions", "skip": 1, "times": 2, "answer": "UNKNOWN_SERVER_ERROR" });
    assert_eq!(kafka.get("/v1/faults"), json!([{ "id": id, "hits": 2, "rule": told }]));
}

#[test]
fn chance_comes_from_the_seed_and_begins_with_it_again_when_the_rules_end() {
    let outcomes = |kafka: &TestProcess| -> Vec<i16> {
        kafka.post("/v1/faults", json!({ "probability": 0.5, "answer": "UNKNOWN_SERVER_ERROR" }));
        let mut client = kafka.connect();
        let codes = (0..64).map(|_| client.call(0, &ApiVersionsRequest::default()).error_code).collect();
        kafka.delete("/v1/faults");
        codes
    };
    let [first, same, other] = ["7", "7", "8"].map(|seed| TestProcess::start(&["--fault-seed", seed]));
    let found = outcomes(&first);
    assert!(found.contains(&0) && found.contains(&-1), "{found:?}");
    assert_eq!(found, outcomes(&same));
    assert_eq!(found, outcomes(&first));
    assert_ne!(found, outcomes(&other));
    let (status, message) = first.refusal("/v1/faults", json!({ "probability": 1.5, "swallow": true }));
    assert_eq!((status, message.as_str()), (400, "'probability' is to be a number from 0 to 1, not 1.5"));
}

#[test]
fn a_batch_is_corrupt_on_its_way_and_whole_on_the_disk() {
    let kafka = TestProcess::start(&[]);
    kafka.post("/v1/topics", json!({ "name": "orders" }));
    let mut client = kafka.connect();
    producing::append(&mut client, "orders", batch(&["x"]));
    kafka.post("/v1/faults", json!({ "api": "Fetch", "times": 1, "corruptCrc": true }));
    let mut corrupt = fetching::records_of(&fetching::fetch(&mut client, "orders", 0));
    let fetched = RecordBatch::split_from(&mut corrupt).unwrap().unwrap();
    assert!(fetched.view().ensure_valid().is_err());
    let whole = fetching::records_of(&fetching::fetch(&mut client, "orders", 0));
    assert_eq!(values(&whole), [(0, "x".to_owned())]);
}

#[test]
fn new_connections_are_refused_as_often_as_a_rule_says_and_those_that_are_there_stay() {
    let kafka = TestProcess::start(&[]);
    let mut old = kafka.connect();
    old.call(3, &ApiVersionsRequest::default());
    let id =
        kafka.post("/v1/faults", json!({ "refuseConnections": true, "skip": 1, "times": 2 }))["id"].clone();
    kafka.connect().call(3, &ApiVersionsRequest::default());
    for _ in 0..2 {
        kafka.connect().expect_closed();
    }
    kafka.connect().call(3, &ApiVersionsRequest::default());
    old.call(3, &ApiVersionsRequest::default());
    let faults = kafka.get("/v1/faults");
    assert_eq!((&faults[0]["id"], &faults[0]["hits"]), (&id, &json!(2)));
}

#[test]
fn a_broker_that_is_paused_answers_when_it_goes_on() {
    let kafka = TestProcess::start(&[]);
    let mut client = kafka.connect();
    client.call(3, &ApiVersionsRequest::default());
    kafka.post("/v1/pause", json!({}));
    client.send(2, &ApiVersionsRequest::default());
    kafka.post("/v1/topics", json!({ "name": "orders" }));
    assert!(!client.has_answer());
    kafka.post("/v1/resume", json!({}));
    assert_eq!(client.receive::<ApiVersionsRequest>(2).1.error_code, 0);
}

/// Three brokers of which every client is to know who leads, coordinates and controls.
struct Several {
    kafka: TestProcess,
}

impl Several {
    fn start() -> Self {
        let kafka = TestProcess::start(&["--nodes", "3"]);
        kafka.post("/v1/topics", json!({ "name": "orders" }));
        Several { kafka }
    }

    /// The ids begin with 1.
    fn client(&self, node: i32) -> Client {
        self.kafka.connect_to(usize::try_from(node - 1).unwrap())
    }

    fn leader(&self) -> i32 {
        describe_topic(&mut self.kafka.connect(), "orders").partitions[0].leader_id.0
    }

    fn coordinator(&self) -> i32 {
        let find = FindCoordinatorRequest::default().with_key(text("billing"));
        self.kafka.connect().call(3, &find).node_id.0
    }

    fn controller(&self) -> i32 {
        self.kafka.connect().call(12, &MetadataRequest::default().with_topics(None)).controller_id.0
    }
}

#[test]
fn leaders_coordinators_and_the_controller_move_under_the_request_that_a_rule_names() {
    let several = Several::start();
    let next = |node: i32| node % 3 + 1;
    for to in [json!(true), json!(null)] {
        // The next one, or one by its number.
        let rule = |api: &str, effect: &str, old: i32| {
            let to = if to.is_null() { json!(next(old)) } else { to.clone() };
            several.kafka.post("/v1/faults", json!({ "api": api, "times": 1, effect: to }));
        };
        let old = several.leader();
        rule("Produce", "moveLeader", old);
        let refused = producing::produce(&mut several.client(old), "orders", batch(&["lost"]));
        assert_eq!(code(refused.error_code), ErrorCode::NotLeaderOrFollower);
        let new = several.leader();
        assert_ne!(new, old);
        producing::append(&mut several.client(new), "orders", batch(&["kept"]));

        let old = several.coordinator();
        rule("Heartbeat", "moveCoordinator", old);
        let asked = Asked::Heartbeat.ask(&mut several.client(old));
        assert_eq!(asked, ErrorCode::NotCoordinator);
        let new = several.coordinator();
        assert_ne!(new, old);
        assert_eq!(Asked::Heartbeat.ask(&mut several.client(new)), ErrorCode::UnknownMemberId);

        let old = several.controller();
        rule("CreateTopics", "moveController", old);
        let topic = CreatableTopic::default().with_name(topic_name("views")).with_num_partitions(1);
        let make = CreateTopicsRequest::default().with_topics(vec![topic.with_replication_factor(1)]);
        let asked = |node| code(several.client(node).call(7, &make).topics[0].error_code);
        assert_eq!(asked(old), ErrorCode::NotController);
        let new = several.controller();
        assert_ne!(new, old);
        assert_eq!(asked(new), ErrorCode::None);
        several.kafka.delete("/v1/topics/views");
    }
    assert_eq!(several.kafka.values("orders"), ["kept", "kept"]);
}

/// They were taken, and did nothing but log a warning.
#[test]
fn rules_that_move_something_are_refused_where_there_is_nowhere_to_move_to() {
    let alone = TestProcess::start(&[]);
    let several = TestProcess::start(&["--nodes", "2"]);
    for name in ["moveLeader", "moveCoordinator", "moveController"] {
        let (status, message) = alone.refusal("/v1/faults", json!({ "api": "Produce", name: true }));
        let why = format!("'{name}' is for several brokers, and there is one only: start with --nodes");
        assert_eq!((status, message), (400, why));
        let (status, message) = several.refusal("/v1/faults", json!({ "api": "Produce", name: 9 }));
        assert_eq!((status, message), (400, format!("'{name}': there is no broker 9, but [1, 2]")));
        several.post("/v1/faults", json!({ "api": "Produce", name: 2 }));
    }
    assert_eq!(alone.get("/v1/faults"), json!([]));
}
