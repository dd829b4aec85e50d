//! `ottla test` and `ottla ctl` from outside: what a test in any language has of them.

#![cfg(feature = "cli")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

fn ottla() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ottla"));
    command.env_remove("RUST_LOG").env_remove("OTTLA_CONTROL");
    command
}

/// `ottla test`, killed when it is dropped.
struct TestProcess {
    child: Child,
    bootstrap_servers: String,
    control: String,
}

impl TestProcess {
    fn start(args: &[&str]) -> Self {
        let mut command = ottla();
        command.arg("test").args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let field = |name: &str| {
            let found = line.split_whitespace().find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
            found.unwrap_or_else(|| panic!("no {name} in {line:?}")).to_owned()
        };
        assert!(line.starts_with("ready "), "{line:?}");
        TestProcess { bootstrap_servers: field("bootstrap.servers"), control: field("control"), child }
    }

    /// Asks the control endpoint as any HTTP client does.
    fn call(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = exchange(&self.control, request.as_bytes());
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        (status, serde_json::from_str(body).unwrap())
    }

    fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.call("POST", path, &body);
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    fn get(&self, path: &str) -> Value {
        let (status, answer) = self.call("GET", path, &Value::Null);
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// Asks for the versions, the simplest of Kafka's requests; the error code of the answer.
    fn ask_versions(&self) -> std::io::Result<i16> {
        let mut client = TcpStream::connect(&self.bootstrap_servers)?;
        client.write_all(&[0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 255, 255])?;
        let mut head = [0; 10];
        client.read_exact(&mut head)?;
        Ok(i16::from_be_bytes([head[8], head[9]]))
    }

    fn ctl(&self, args: &[&str]) -> Result<Value, String> {
        let output = ottla().arg("ctl").args(["--control", &self.control]).args(args).output().unwrap();
        if output.status.success() {
            Ok(serde_json::from_slice(&output.stdout).unwrap())
        } else {
            Err(String::from_utf8(output.stderr).unwrap())
        }
    }
}

impl Drop for TestProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn exchange(control: &str, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(control.strip_prefix("http://").unwrap()).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

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
fn requests_go_wrong_by_rules_given_from_outside() {
    let kafka = TestProcess::start(&[]);
    let rule = json!({ "api": "ApiVersions", "times": 2, "answer": "UNKNOWN_SERVER_ERROR" });
    let id = kafka.post("/v1/faults", rule)["id"].clone();
    let codes: Vec<_> = (0..3).map(|_| kafka.ask_versions().unwrap()).collect();
    assert_eq!(codes, [-1, -1, 0]);
    assert_eq!(kafka.get("/v1/faults"), json!([{ "id": id, "hits": 2 }]));
    kafka.post("/v1/faults", json!({ "disconnect": true }));
    assert!(kafka.ask_versions().is_err());
    assert_eq!(kafka.call("DELETE", "/v1/faults", &Value::Null).0, 200);
    assert_eq!(kafka.ask_versions().unwrap(), 0);
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
    says("/v1/nothing", Value::Null, 404, "there is no POST /v1/nothing");
    says("/v1/advance", json!({}), 400, "'ms' is missing");
    says("/v1/advance", json!({ "ms": -1 }), 400, "'ms' is to be a number, not -1");
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
    kafka.post("/v1/stop", json!({}));
    assert!(kafka.ask_versions().is_err());
    kafka.post("/v1/restart", json!({}));
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
    kafka.ctl(&["end-namespace", "a"]).unwrap();
    assert!(TcpStream::connect(address).is_err());
    assert_eq!(kafka.get("/v1/topics"), json!([]));
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
fn what_happened_to_groups_and_ids_is_told_from_outside() {
    let kafka = TestProcess::start(&[]);
    assert_eq!(kafka.get("/v1/groups/billing/history"), json!([]));
    assert_eq!(kafka.ctl(&["group-history", "billing"]).unwrap(), json!([]));
    assert_eq!(kafka.ctl(&["transaction-history", "till-4"]).unwrap(), json!([]));
}

#[test]
fn connections_are_refused_and_the_disk_is_slow_if_it_is_said_from_outside() {
    let kafka = TestProcess::start(&[]);
    kafka.ctl(&["fault", "refuseConnections=true", "times=1"]).unwrap();
    assert!(kafka.ask_versions().is_err());
    assert_eq!(kafka.ask_versions().unwrap(), 0);
    kafka
        .ctl(&["fault", "api=Produce", "topic=orders", "partition=1", "answerThere=NOT_LEADER_OR_FOLLOWER"])
        .unwrap();
    kafka.ctl(&["delay-disk", "sync", "5000"]).unwrap();
    let (status, answer) = kafka.call("POST", "/v1/disk", &json!({ "delay": "sync" }));
    assert_eq!((status, &answer["error"]["message"]), (400, &json!("'ms' is missing")));
    kafka.ctl(&["heal-disk"]).unwrap();
}

#[test]
fn the_power_is_cut_from_outside() {
    let kafka = TestProcess::start(&["--volatile-disk"]);
    kafka.post("/v1/topics", json!({ "name": "orders" }));
    kafka.post("/v1/power-loss", json!({}));
    assert_eq!(kafka.ask_versions().unwrap(), 0);
    kafka.ctl(&["lose-power", "7"]).unwrap();
    assert_eq!(kafka.get("/v1/topics").as_array().unwrap().len(), 1);
    let durable = TestProcess::start(&[]);
    let (status, answer) = durable.call("POST", "/v1/power-loss", &json!({}));
    assert_eq!((status, &answer["error"]["code"]), (400, &json!("INVALID_CONFIG")));
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

#[test]
fn the_command_line_does_what_the_endpoint_does() {
    let kafka = TestProcess::start(&["--fault-seed", "7"]);
    assert_eq!(kafka.ctl(&["status"]).unwrap()["faultSeed"], 7);
    kafka.ctl(&["create-topic", "orders", "3"]).unwrap();
    assert_eq!(kafka.ctl(&["topics"]).unwrap()[0]["partitions"].as_array().unwrap().len(), 3);
    assert_eq!(kafka.ctl(&["records", "orders"]).unwrap(), json!([]));
    kafka.ctl(&["fault", "api=ApiVersions", "times=1", "answer=UNKNOWN_SERVER_ERROR"]).unwrap();
    assert_eq!((kafka.ask_versions().unwrap(), kafka.ask_versions().unwrap()), (-1, 0));
    assert_eq!(kafka.ctl(&["journal", "api=ApiVersions"]).unwrap().as_array().unwrap().len(), 2);
    let error = kafka.ctl(&["wait", "until=records", "topic=orders", "count=1", "limitMs=0"]).unwrap_err();
    assert!(error.starts_with("ottla: REQUEST_TIMED_OUT: waited "), "{error}");
    kafka.ctl(&["advance", "1000"]).unwrap();
    kafka.ctl(&["reset"]).unwrap();
    assert_eq!(kafka.ctl(&["topics"]).unwrap(), json!([]));
    let error = kafka.ctl(&["records", "a/b c"]).unwrap_err();
    assert!(error.contains("a/b c"), "{error}");
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

#[test]
fn it_ends_with_its_stdin_if_it_is_told_to() {
    let mut kafka = TestProcess::start(&["--until-stdin-ends"]);
    drop(kafka.child.stdin.take());
    assert!(kafka.child.wait().unwrap().success());
}

#[cfg(unix)]
#[test]
fn it_ends_with_the_program_that_has_started_it() {
    // A shell starts it, and is killed once the broker is ready.
    let line = format!("'{}' test --override num.io.threads=2 & wait", env!("CARGO_BIN_EXE_ottla"));
    let mut shell = Command::new("sh").args(["-c", &line]).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = BufReader::new(shell.stdout.take().unwrap());
    let mut ready = String::new();
    stdout.read_line(&mut ready).unwrap();
    assert!(ready.starts_with("ready "), "{ready:?}");
    shell.kill().unwrap();
    shell.wait().unwrap();
    // Its stdout ends where the broker's process does.
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
    let address = ready.split_whitespace().find_map(|part| part.strip_prefix("bootstrap.servers=")).unwrap();
    assert!(TcpStream::connect(address).is_err());
}
