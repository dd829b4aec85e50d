//! What a test sees and does by the endpoint.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::process::{TestProcess, exchange, ottla};

#[test]
fn topics_records_requests_and_groups_are_seen_from_outside() {
    let kafka = TestProcess::start(&[]);
    let made = kafka
        .post("/v1/topics", json!({ "name": "orders", "partitions": 2, "configs": { "retention.ms": 5 } }));
    assert_eq!(made["partitions"].as_array().unwrap().len(), 2);
    assert_eq!(made["configs"], json!({ "retention.ms": "5" }));
    assert_eq!(kafka.get("/v1/topics")[0]["name"], "orders");
    assert_eq!(kafka.get("/v1/topics/orders/records"), json!([]));
    assert_eq!(kafka.get("/v1/groups"), json!([]));
    assert_eq!(kafka.get("/v1/status")["bootstrapServers"], kafka.bootstrap_servers.as_str());

    assert_eq!(kafka.ask_versions().unwrap(), 0);
    let journal = kafka.get("/v1/journal?api=ApiVersions");
    assert_eq!((&journal[0]["version"], &journal[0]["end"]["errors"]), (&json!(0), &json!([])));
    assert_eq!(kafka.get("/v1/journal?api=Produce"), json!([]));
    kafka.post("/v1/wait", json!({ "until": "requests", "api": "ApiVersions", "count": 1 }));
    assert_eq!(kafka.call("DELETE", "/v1/journal", &Value::Null).0, 200);
    assert_eq!(kafka.get("/v1/journal"), json!([]));
}

#[test]
fn what_is_not_understood_is_refused_with_the_reason() {
    let kafka = TestProcess::start(&[]);
    let says = |path: &str, body: Value, status: u16, message: &str| {
        let (found, answer) = kafka.call("POST", path, &body);
        assert_eq!(found, status, "{answer}");
        let text = answer["error"]["message"].as_str().unwrap();
        assert!(text.contains(message), "{text}");
    };
    says("/v1/nothing", Value::Null, 404, "there is no POST /v1/nothing: GET /v1 lists what there is");
    says("/v1/advance", json!({}), 400, "'ms' is missing");
    says("/v1/advance", json!({ "ms": -1 }), 400, "'ms' is to be a whole number from 0 on, not -1");
    says("/v1/topics", json!({ "name": "x", "partitions": 1.5 }), 400, "to be a whole number, not 1.5");
    says("/v1/faults", json!({ "api": "Produce" }), 400, "give one of answer");
    says("/v1/faults", json!({ "api": "Nothing", "swallow": true }), 400, "the name or the number of an API");
    says("/v1/faults", json!({ "tpoic": "x", "swallow": true }), 400, "'tpoic' is not known here");
    says(
        "/v1/wait",
        json!({ "until": "records", "topic": "orders", "count": 1, "limitMs": 0 }),
        408,
        "orders",
    );
    says("/v1/topics", json!([]), 400, "a JSON object");
    let foreign = exchange(&kafka.control, b"POST /v1/reset HTTP/1.1\r\nOrigin: http://example.org\r\n\r\n");
    assert!(foreign.starts_with("HTTP/1.1 403 "), "{foreign}");
}

#[test]
fn a_broker_is_stopped_started_and_emptied_from_outside_at_one_address() {
    let kafka = TestProcess::start(&[]);
    kafka.post("/v1/topics", json!({ "name": "orders" }));
    let state = || kafka.get("/v1/status")["state"].clone();
    assert_eq!(state(), "running");
    kafka.post("/v1/stop", json!({}));
    assert!(kafka.ask_versions().is_err());
    // It is not there to be paused.
    kafka.post("/v1/pause", json!({}));
    assert_eq!(state(), "stopped");
    kafka.post("/v1/restart", json!({}));
    assert_eq!(state(), "running");
    kafka.post("/v1/pause", json!({}));
    assert_eq!(state(), "paused");
    kafka.post("/v1/resume", json!({}));
    assert_eq!(state(), "running");
    assert_eq!(kafka.ask_versions().unwrap(), 0);
    assert_eq!(kafka.get("/v1/topics").as_array().unwrap().len(), 1);
    kafka.post("/v1/reset", json!({}));
    assert_eq!(kafka.get("/v1/topics"), json!([]));
    assert_eq!(kafka.ask_versions().unwrap(), 0);
}

#[test]
fn a_broker_is_kept_brought_back_and_forked_from_outside() {
    let kafka = TestProcess::start(&["--clock", "manual"]);
    let topics = |of: &TestProcess| of.get("/v1/topics").as_array().unwrap().len();
    kafka.post("/v1/topics", json!({ "name": "prepared" }));
    let snapshot = kafka.post("/v1/snapshots", json!({}))["id"].as_u64().unwrap();
    kafka.post("/v1/topics", json!({ "name": "more" }));
    let fork = kafka.post("/v1/forks", json!({}));
    let old = kafka.post("/v1/forks", json!({ "snapshot": snapshot }));
    let control_of = |fork: &Value| fork["control"].as_str().unwrap().to_owned();
    let topics_of = |control: &str| {
        let output = ottla().args(["ctl", "--control", control, "topics"]).output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap().as_array().unwrap().len()
    };
    assert_eq!((topics_of(&control_of(&fork)), topics_of(&control_of(&old))), (2, 1));
    assert_ne!(fork["bootstrapServers"], kafka.bootstrap_servers.as_str());

    kafka.ctl(&["restore", &snapshot.to_string()]).unwrap();
    assert_eq!((topics(&kafka), topics_of(&control_of(&fork))), (1, 2));
    assert_eq!(kafka.ask_versions().unwrap(), 0);
    assert_eq!(kafka.ctl(&["snapshot"]).unwrap()["id"], snapshot + 1);
    kafka.ctl(&["drop-snapshot", &snapshot.to_string()]).unwrap();
    let error = kafka.ctl(&["fork", &snapshot.to_string()]).unwrap_err();
    assert!(error.contains("there is no snapshot 0"), "{error}");

    let id = fork["id"].to_string();
    kafka.ctl(&["end-fork", &id]).unwrap();
    assert!(TcpStream::connect(fork["bootstrapServers"].as_str().unwrap()).is_err());
    let address = control_of(&fork);
    assert!(TcpStream::connect(address.strip_prefix("http://").unwrap()).is_err());
}

#[test]
fn clients_of_a_namespace_come_by_an_address_of_its_own() {
    let kafka = TestProcess::start(&[]);
    let servers = kafka.post("/v1/namespaces", json!({ "name": "a" }))["bootstrapServers"].clone();
    assert_ne!(servers, kafka.bootstrap_servers.as_str());
    assert_eq!(kafka.ctl(&["namespace", "a"]).unwrap()["bootstrapServers"], servers);
    let address = servers.as_str().unwrap();
    assert!(TcpStream::connect(address).is_ok());
    kafka.post("/v1/topics", json!({ "name": "a.orders" }));
    assert_eq!(kafka.ctl(&["namespaces"]).unwrap(), json!([{ "name": "a", "bootstrapServers": servers }]));
    kafka.ctl(&["end-namespace", "a"]).unwrap();
    assert!(TcpStream::connect(address).is_err());
    assert_eq!(kafka.get("/v1/topics"), json!([]));
    assert_eq!(kafka.get("/v1/namespaces"), json!([]));
    let (status, answer) = kafka.call("POST", "/v1/namespaces", &json!({ "name": "a.b" }));
    assert_eq!((status, &answer["error"]["code"]), (400, &json!("INVALID_CONFIG")));
}

#[test]
fn the_journal_has_the_fields_of_requests_and_answers() {
    let kafka = TestProcess::start(&[]);
    assert_eq!(kafka.ask_versions().unwrap(), 0);
    let journal = kafka.get("/v1/journal?api=ApiVersions");
    assert_eq!(journal[0]["body"], json!({}), "version 0 has no fields");
    let answer = &journal[0]["end"]["body"];
    assert_eq!(answer["errorCode"], 0);
    assert_eq!(answer["apiKeys"][0]["apiKey"], 0);
    assert_eq!(answer.get("throttleTimeMs"), None);
}

#[test]
fn connections_that_are_open_are_seen_from_outside() {
    let kafka = TestProcess::start(&[]);
    assert_eq!(kafka.get("/v1/connections"), json!([]));
    let mut client = TcpStream::connect(&kafka.bootstrap_servers).unwrap();
    client.write_all(&[0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 255, 255]).unwrap();
    client.read_exact(&mut [0; 10]).unwrap();
    let open = kafka.ctl(&["connections"]).unwrap();
    let peer = client.local_addr().unwrap().to_string();
    assert_eq!((&open[0]["peer"], &open[0]["requests"]), (&json!(peer), &json!(1)));
    assert_eq!(open[0]["local"], kafka.bootstrap_servers.as_str());
    drop(client);
    kafka.post("/v1/restart", json!({}));
    assert_eq!(kafka.get("/v1/connections"), json!([]));
}

#[test]
fn a_broker_on_a_volatile_disk_is_kept_and_forked_from_outside() {
    let kafka = TestProcess::start(&["--volatile-disk"]);
    let topics = |control: &str| {
        let output = ottla().args(["ctl", "--control", control, "topics"]).output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap().as_array().unwrap().len()
    };
    kafka.post("/v1/topics", json!({ "name": "prepared" }));
    let snapshot = kafka.ctl(&["snapshot"]).unwrap()["id"].to_string();
    kafka.post("/v1/topics", json!({ "name": "more" }));
    let fork = kafka.ctl(&["fork"]).unwrap()["control"].as_str().unwrap().to_owned();
    let output = ottla().args(["ctl", "--control", &fork, "lose-power"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    kafka.ctl(&["restore", &snapshot]).unwrap();
    assert_eq!((topics(&fork), topics(&kafka.control)), (2, 1));
    assert_eq!(kafka.ask_versions().unwrap(), 0);
}

#[test]
fn leaders_coordinators_and_brokers_come_and_go_from_outside() {
    let kafka = TestProcess::start(&["--nodes", "3", "--as-kafka", "2.7", "--api-versions", "Fetch=none"]);
    assert_eq!(kafka.bootstrap_servers.split(',').count(), 3);
    let made = kafka.post("/v1/topics", json!({ "name": "orders" }));
    let leader = made["partitions"][0]["leader"].as_i64().unwrap();
    let moved = kafka.post("/v1/move", json!({ "what": "leader", "topic": "orders" }));
    assert_ne!(moved["to"], json!(leader));
    assert_eq!(kafka.ctl(&["move-leader", "orders", "0", &leader.to_string()]).unwrap()["to"], leader);
    let partition = kafka.get("/v1/topics")[0]["partitions"][0].clone();
    assert_eq!((&partition["leader"], &partition["leaderEpoch"]), (&json!(leader), &json!(2)));
    let to = kafka.ctl(&["move-coordinator", "billing"]).unwrap()["to"].as_i64().unwrap();
    let controller = kafka.ctl(&["move-controller"]).unwrap()["to"].clone();
    kafka.ctl(&["node-down", &to.to_string()]).unwrap();
    let nodes = kafka.get("/v1/nodes");
    let of = |id: i64| nodes.as_array().unwrap().iter().find(|node| node["id"] == id).unwrap().clone();
    assert_eq!(of(to)["up"], false);
    assert_eq!(of(controller.as_i64().unwrap())["controller"], controller != json!(to));
    let (status, answer) = kafka.call("POST", "/v1/move", &json!({ "what": "controller", "to": to }));
    assert_eq!(
        (status, answer["error"]["message"].as_str().unwrap()),
        (400, &*format!("broker {to} is down"))
    );
    kafka.ctl(&["node-up", &to.to_string()]).unwrap();
    assert!(kafka.ctl(&["nodes"]).unwrap().as_array().unwrap().iter().all(|node| node["up"] == true));
    kafka.ctl(&["fault", "api=Produce", "moveLeader=true"]).unwrap();
    assert!(kafka.ctl(&["fault", "api=Produce", "moveLeader=somewhere"]).is_err());
}

#[test]
fn time_stands_still_until_it_is_told_to_pass() {
    let kafka = TestProcess::start(&["--clock", "manual"]);
    let before = kafka.get("/v1/status")["nowMs"].as_i64().unwrap();
    assert_eq!(kafka.get("/v1/status")["nowMs"], before);
    let week = 7 * 24 * 3_600_000;
    assert_eq!(kafka.post("/v1/advance", json!({ "ms": week }))["nowMs"], before + week);
}

/// Time went back, and the answer was 200.
#[test]
fn more_time_than_the_clock_can_show_is_refused_with_how_much_it_can() {
    for clock in ["manual", "running"] {
        let kafka = TestProcess::start(&["--clock", clock]);
        let before = kafka.get("/v1/status")["nowMs"].as_i64().unwrap();
        for too_much in [i64::MAX, 1_000 * 365 * 24 * 3_600_000] {
            let (status, message) = kafka.refusal("/v1/advance", json!({ "ms": too_much }));
            assert_eq!(status, 400);
            let most = message.strip_prefix("the clock cannot show so much: 'ms' is at most ").unwrap();
            assert!(most.parse::<i64>().unwrap() < too_much, "{message}");
        }
        let years = 400 * 365 * 24 * 3_600_000_i64;
        assert!(
            kafka.post("/v1/advance", json!({ "ms": years }))["nowMs"].as_i64().unwrap() >= before + years
        );
        let (status, message) = kafka.refusal("/v1/advance", json!({ "ms": years }));
        assert_eq!(status, 400);
        let most = message.rsplit(' ').next().unwrap().parse::<i64>().unwrap();
        kafka.post("/v1/advance", json!({ "ms": most }));
        assert!(kafka.get("/v1/status")["nowMs"].as_i64().unwrap() >= before + years + most);
    }
}

/// A wait is cut into slices, so that others may restart the broker meanwhile; the last one's length was told once.
#[test]
fn a_wait_in_vain_tells_its_whole_length_and_how_the_broker_is_instead() {
    let kafka = TestProcess::start(&[]);
    kafka.post("/v1/topics", json!({ "name": "orders" }));
    let wanted = json!({ "until": "records", "topic": "orders", "count": 1, "limitMs": 120 });
    let (status, answer) = kafka.call("POST", "/v1/wait", &wanted);
    assert_eq!(status, 408);
    let message = "waited 120ms in vain until topic 'orders' has 1 records: it has 0: 0 in partition 0";
    assert_eq!(answer["error"]["message"], message);
}
