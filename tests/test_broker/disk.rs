//! Disks that fail, take their time, and lose their power, by the endpoint.

use kafka_protocol_018::messages::ProduceRequest;
use ottla::ErrorCode;
use serde_json::json;

use super::client::Client;
use super::fetching;
use super::fixture::code;
use super::process::TestProcess;
use super::producing;
use super::records::batch;

/// A broker with a topic whose records are flushed before they are acknowledged, and one whose are not.
fn start(args: &[&str]) -> TestProcess {
    let kafka = TestProcess::start(args);
    kafka.post("/v1/topics", json!({ "name": "orders", "configs": { "flush.messages": 1 } }));
    kafka.post("/v1/topics", json!({ "name": "views" }));
    kafka
}

fn produce(client: &mut Client, topic: &str, value: &str) -> ErrorCode {
    code(producing::produce(client, topic, batch(&[value])).error_code)
}

fn fetch(client: &mut Client, topic: &str) -> ErrorCode {
    code(fetching::fetch(client, topic, 0).error_code)
}

#[test]
fn a_disk_that_fails_is_told_to_clients_and_nothing_that_was_acknowledged_is_lost() {
    let (fine, failed) = (ErrorCode::None, ErrorCode::KafkaStorageError);
    // What a request to produce and one to fetch are told, and one to produce when the disk works again. What is full
    // may have room again; what is broken stays so until the broker starts anew.
    let rows = [
        (json!({ "fail": "sync" }), failed, failed, failed),
        (json!({ "fail": "sync", "with": "ENOSPC" }), failed, failed, failed),
        (json!({ "fail": "write", "with": "EIO" }), failed, failed, failed),
        (json!({ "fail": "write", "with": "ENOSPC" }), failed, fine, fine),
        (json!({ "fail": "read" }), fine, failed, failed),
        (json!({ "fail": "sync", "path": "orders-0" }), failed, failed, failed),
        (json!({ "fail": "sync", "path": "views-0" }), fine, fine, fine),
        (json!({ "fail": "sync", "times": 0 }), fine, fine, fine),
        (json!({ "fail": "sync", "path": "orders-0", "skip": 1 }), fine, fine, fine),
        (json!({ "fail": "write", "with": "ENOSPC", "path": "orders-0", "times": 1 }), failed, fine, fine),
    ];
    for (rule, produced, fetched, later) in rows {
        let kafka = start(&[]);
        let mut client = kafka.connect();
        assert_eq!(produce(&mut client, "orders", "kept"), fine);
        kafka.post("/v1/disk", rule.clone());
        let mut values = vec!["kept"];
        let mut seen = vec![produce(&mut client, "orders", "during")];
        seen.push(fetch(&mut client, "orders"));
        kafka.delete("/v1/disk");
        seen.push(produce(&mut client, "orders", "later"));
        assert_eq!(seen, [produced, fetched, later], "{rule}");
        kafka.post("/v1/restart", json!({}));
        assert_eq!(produce(&mut kafka.connect(), "orders", "after"), fine, "{rule}");
        values.extend((produced == fine).then_some("during"));
        values.extend((later == fine).then_some("later"));
        values.push("after");
        // What was not acknowledged may be there.
        let mut found = kafka.values("orders");
        found.retain(|value| values.contains(&value.as_str()));
        assert_eq!(found, values, "{rule}");
    }
}

#[test]
fn an_operation_fails_the_time_that_it_is_told_to_and_others_go_on() {
    let kafka = start(&[]);
    let mut client = kafka.connect();
    kafka.post(
        "/v1/disk",
        json!({ "fail": "rename", "path": "broker-metadata-checkpoint", "with": "ENOSPC", "skip": 1, "times": 1 }),
    );
    let make = |name: &str| kafka.call("POST", "/v1/topics", &json!({ "name": name }));
    let outcomes = ["first", "second", "third"].map(|name| make(name).0);
    assert_eq!(outcomes, [200, 500, 200]);
    let rules = kafka.ctl(&["disk"]).unwrap();
    assert_eq!((&rules[0]["hits"], &rules[0]["rule"]["skip"]), (&json!(1), &json!(1)));
    let (_, answer) = {
        kafka.post("/v1/disk", json!({ "fail": "open", "path": "fourth-0" }));
        make("fourth")
    };
    assert_eq!(answer["error"]["code"], "KAFKA_STORAGE_ERROR");
    assert_eq!(produce(&mut client, "orders", "lost"), ErrorCode::KafkaStorageError, "it is one disk");
    for (body, words) in [
        (json!({}), "give one of fail and delay"),
        (json!({ "fail": "sync", "delay": "sync" }), "give one of fail and delay"),
        (json!({ "fail": "dance" }), "an operation is one of sync, write, read"),
        (json!({ "fail": "sync", "with": "EPERM" }), "'with' is EIO or ENOSPC, not EPERM"),
    ] {
        let (status, message) = kafka.refusal("/v1/disk", body);
        assert!(status == 400 && message.contains(words), "{message}");
    }
}

#[test]
fn two_operations_fail_at_once_and_none_does_when_the_broker_begins_anew() {
    let kafka = start(&[]);
    for operation in ["sync", "write"] {
        kafka.ctl(&["fail-disk", operation, "with=EIO", "path=orders-0"]).unwrap();
    }
    let mut client = kafka.connect();
    assert_eq!(produce(&mut client, "orders", "x"), ErrorCode::KafkaStorageError);
    assert_eq!(produce(&mut client, "views", "x"), ErrorCode::KafkaStorageError);
    kafka.post("/v1/reset", json!({}));
    kafka.post("/v1/topics", json!({ "name": "orders", "configs": { "flush.messages": 1 } }));
    // The rules are not there either when another one has the disk asked.
    kafka.post("/v1/disk", json!({ "fail": "sync", "path": "nothing" }));
    assert_eq!(produce(&mut kafka.connect(), "orders", "x"), ErrorCode::None);
}

/// Its thread may not have had its turn when time passes for the first time.
#[test]
fn an_answer_that_waits_for_a_slow_disk_waits_on_the_brokers_clock() {
    let kafka = start(&["--clock", "manual", "--override", "connections.max.idle.ms=-1"]);
    let now = || kafka.get("/v1/status")["nowMs"].as_i64().unwrap();
    let begun = now();
    kafka.post("/v1/disk", json!({ "delay": "sync", "ms": 5_000 }));
    let mut client = kafka.connect();
    client.send(9, &producing::request("orders", 0, Some(batch(&["slow"]))));
    kafka.post("/v1/wait", json!({ "until": "requests", "api": "Produce", "count": 1 }));
    while !client.has_answer() {
        kafka.post("/v1/advance", json!({ "ms": 1_000 }));
    }
    assert!(now() - begun >= 5_000);
    let (_, answer) = client.receive::<ProduceRequest>(9);
    assert_eq!(code(answer.responses[0].partition_responses[0].error_code), ErrorCode::None);
    let (status, message) = kafka.refusal("/v1/disk", json!({ "delay": "sync" }));
    assert_eq!((status, message.as_str()), (400, "'ms' is missing"));
    kafka.delete("/v1/disk");
    assert_eq!(produce(&mut client, "orders", "fast"), ErrorCode::None);
}

/// The disk of the other topic is as fast as ever, though no time passes at all.
#[test]
fn one_sync_of_one_partition_is_slow() {
    let kafka = start(&["--clock", "manual", "--override", "connections.max.idle.ms=-1"]);
    kafka.post("/v1/topics", json!({ "name": "billing", "configs": { "flush.messages": 1 } }));
    let mut client = kafka.connect();
    for topic in ["orders", "billing"] {
        assert_eq!(produce(&mut client, topic, "fast"), ErrorCode::None);
    }
    let path = "path=orders-0/00000000000000000000.log";
    kafka.ctl(&["delay-disk", "sync", "5000", path, "skip=1", "times=1"]).unwrap();
    assert_eq!(produce(&mut client, "orders", "skipped"), ErrorCode::None);
    client.send(9, &producing::request("orders", 0, Some(batch(&["slow"]))));
    kafka.post("/v1/wait", json!({ "until": "requests", "api": "Produce", "topic": "orders", "count": 3 }));
    assert_eq!(produce(&mut kafka.connect(), "billing", "fast"), ErrorCode::None);
    while !client.has_answer() {
        kafka.post("/v1/advance", json!({ "ms": 1_000 }));
    }
    let (_, answer) = client.receive::<ProduceRequest>(9);
    assert_eq!(code(answer.responses[0].partition_responses[0].error_code), ErrorCode::None);
    assert_eq!(produce(&mut client, "orders", "fast again"), ErrorCode::None);
    let rules = kafka.get("/v1/disk");
    assert_eq!((&rules[0]["hits"], &rules[0]["rule"]["delay"]), (&json!(1), &json!("sync")));
}

/// Its end waited for the write, and the write for time to pass.
#[test]
fn it_ends_although_a_write_is_under_way_that_takes_days() {
    let mut kafka = start(&["--clock", "manual", "--until-stdin-ends"]);
    kafka.ctl(&["delay-disk", "write", "1000000000", "path=views-0"]).unwrap();
    kafka.connect().send(9, &producing::request("views", 0, Some(batch(&["slow"]))));
    while kafka.get("/v1/disk")[0]["hits"] == 0 {
        std::thread::yield_now();
    }
    drop(kafka.child.stdin.take());
    assert!(kafka.child.wait().unwrap().success());
}

#[test]
fn a_broker_that_could_not_be_restarted_is_told_to_be_stopped() {
    let kafka = start(&[]);
    assert_eq!(produce(&mut kafka.connect(), "orders", "kept"), ErrorCode::None);
    kafka.post("/v1/disk", json!({ "fail": "open" }));
    assert_eq!(kafka.call("POST", "/v1/restart", &json!({})).0, 500);
    assert_eq!(kafka.get("/v1/status")["state"], "stopped");
    kafka.delete("/v1/disk");
    kafka.post("/v1/restart", json!({}));
    assert_eq!(kafka.get("/v1/status")["state"], "running");
    assert_eq!(kafka.values("orders"), ["kept"]);
}

#[test]
fn a_power_loss_keeps_what_was_acknowledged_as_flushed_and_ends_connections() {
    let kafka = start(&["--volatile-disk"]);
    let mut client = kafka.connect();
    for topic in ["orders", "views"] {
        assert_eq!(produce(&mut client, topic, "one"), ErrorCode::None);
    }
    kafka.post("/v1/power-loss", json!({}));
    client.expect_closed();
    assert_eq!((kafka.values("orders").len(), kafka.values("views").len()), (1, 0));
    assert_eq!(produce(&mut kafka.connect(), "orders", "two"), ErrorCode::None);
    kafka.ctl(&["lose-power"]).unwrap();
    assert_eq!(kafka.values("orders"), ["one", "two"]);
    let durable = TestProcess::start(&[]);
    let (status, answer) = durable.call("POST", "/v1/power-loss", &json!({}));
    assert_eq!((status, &answer["error"]["code"]), (400, &json!("INVALID_CONFIG")));
}

#[test]
fn torn_writes_leave_whole_records_from_the_first_on() {
    let sent: Vec<String> = (0..12).map(|number| format!("{number}-{}", "x".repeat(700))).collect();
    let kafka = start(&["--volatile-disk"]);
    let snapshot = kafka.post("/v1/snapshots", json!({}))["id"].clone();
    let mut left = Vec::new();
    for seed in 0..64 {
        let mut client = kafka.connect();
        for value in &sent {
            assert_eq!(produce(&mut client, "orders", value), ErrorCode::None);
            assert_eq!(produce(&mut client, "views", value), ErrorCode::None);
        }
        kafka.post("/v1/power-loss", json!({ "seed": seed }));
        assert_eq!(kafka.values("orders"), sent, "seed {seed}");
        let views = kafka.values("views");
        assert_eq!(views, sent[..views.len()], "seed {seed}");
        left.push(views.len());
        if left.contains(&0) && left.iter().any(|len| *len > 0) {
            return;
        }
        kafka.post(&format!("/v1/snapshots/{snapshot}/restore"), json!({}));
    }
    panic!("chance always left {left:?}");
}
