//! `ottla ctl`.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value, json};

use super::process::{TestProcess, check_described, exchange, ottla, status_and_body};

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

/// Method and path, what was said, and what was answered.
type Asked = (String, Value, (u16, Value));

/// Stands between `ottla ctl` and a control endpoint, and keeps what is asked for.
struct Listening {
    address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Listening {
    fn before(control: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (asked, control) = (Arc::new(Mutex::new(Vec::new())), control.to_owned());
        let kept = Arc::clone(&asked);
        // It ends with the process of the tests.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = read_request(&stream);
                let text = String::from_utf8_lossy(&request).into_owned();
                let (_, body) = text.split_once("\r\n\r\n").unwrap();
                let body = serde_json::from_str(body).unwrap_or_default();
                let mut words = text.split_whitespace();
                let (method, path) = (words.next().unwrap(), words.next().unwrap());
                let answer = exchange(&control, &request);
                kept.lock().push((format!("{method} {path}"), body, status_and_body(&answer)));
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        Listening { address, asked }
    }
}

fn read_request(stream: &TcpStream) -> Vec<u8> {
    let mut reader = BufReader::new(stream);
    let mut request = Vec::new();
    let mut body_len = 0;
    loop {
        let start = request.len();
        reader.read_until(b'\n', &mut request).unwrap();
        let line = String::from_utf8_lossy(&request[start..]).into_owned();
        if let Some(len) = line.strip_prefix("Content-Length: ") {
            body_len = len.trim().parse().unwrap();
        }
        if line.trim_end().is_empty() {
            reader.take(body_len).read_to_end(&mut request).unwrap();
            return request;
        }
    }
}

/// A way through all that `ottla ctl` can do, and what the endpoint is asked for by it.
const WALK: &[(&str, &str)] = &[
    ("operations", "GET /v1"),
    ("status", "GET /v1/status"),
    ("advance 1000", "POST /v1/advance"),
    (
        "create-topic orders 2 --config segment.bytes=1048576 --config cleanup.policy=delete",
        "POST /v1/topics",
    ),
    ("create-topic views", "POST /v1/topics"),
    ("topics", "GET /v1/topics"),
    (
        "produce orders pears --key customer-7 --partition 1 --timestamp 5 --header a=b",
        "POST /v1/topics/{name}/records",
    ),
    ("produce orders apples", "POST /v1/topics/{name}/records"),
    ("records orders", "GET /v1/topics/{name}/records"),
    ("wait until=records topic=orders count=2", "POST /v1/wait"),
    ("delete-topic views", "DELETE /v1/topics/{name}"),
    ("journal api=Produce", "GET /v1/journal"),
    ("clear-journal", "DELETE /v1/journal"),
    ("groups", "GET /v1/groups"),
    ("group-history billing", "GET /v1/groups/{id}/history"),
    ("transactions", "GET /v1/transactions"),
    ("transaction-history till-4", "GET /v1/transactions/{id}/history"),
    ("producer-history 7", "GET /v1/producers/{id}/history"),
    ("connections", "GET /v1/connections"),
    ("fault api=Produce swallow=true", "POST /v1/faults"),
    ("faults", "GET /v1/faults"),
    ("clear-faults 0", "DELETE /v1/faults/{id}"),
    ("clear-faults", "DELETE /v1/faults"),
    ("fail-disk read with=ENOSPC path=orders-0 skip=1 times=1", "POST /v1/disk"),
    ("delay-disk setLen 5 path=orders-0 skip=1 times=1", "POST /v1/disk"),
    ("disk", "GET /v1/disk"),
    ("heal-disk", "DELETE /v1/disk"),
    ("lose-power", "POST /v1/power-loss"),
    ("lose-power 7", "POST /v1/power-loss"),
    ("namespaces", "GET /v1/namespaces"),
    ("namespace a", "POST /v1/namespaces"),
    ("end-namespace a", "DELETE /v1/namespaces/{name}"),
    ("nodes", "GET /v1/nodes"),
    ("move-leader orders 1", "POST /v1/move"),
    ("move-leader orders 0 2", "POST /v1/move"),
    ("move-coordinator billing 1", "POST /v1/move"),
    ("move-coordinator --transactional-id till-4", "POST /v1/move"),
    ("move-controller 2", "POST /v1/move"),
    ("node-down 3", "POST /v1/nodes/{id}/down"),
    ("node-up 3", "POST /v1/nodes/{id}/up"),
    ("snapshot", "POST /v1/snapshots"),
    ("restore 0", "POST /v1/snapshots/{id}/restore"),
    ("fork", "POST /v1/forks"),
    ("fork 0", "POST /v1/forks"),
    ("end-fork 1", "DELETE /v1/forks/{id}"),
    ("drop-snapshot 0", "DELETE /v1/snapshots/{id}"),
    ("pause", "POST /v1/pause"),
    ("resume", "POST /v1/resume"),
    ("stop", "POST /v1/stop"),
    ("restart", "POST /v1/restart"),
    ("reset", "POST /v1/reset"),
];

/// The subcommands, as the help has them.
fn subcommands() -> BTreeSet<String> {
    let output = ottla().args(["ctl", "--help"]).output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let (_, rest) = help.split_once("Commands:\n").unwrap();
    let lines = rest.lines().take_while(|line| !line.is_empty());
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names
        .map(|line| line.split_whitespace().next().unwrap().to_owned())
        .filter(|name| name != "help")
        .collect()
}

#[test]
fn every_subcommand_is_served_and_every_operation_of_the_endpoint_is_asked_for_by_one() {
    let kafka = TestProcess::start(&["--nodes", "3", "--volatile-disk", "--clock", "manual"]);
    let listening = Listening::before(&kafka.control);
    for (line, operation) in WALK {
        let args: Vec<&str> = line.split(' ').collect();
        let output = ottla().args(["ctl", "--control", &listening.address]).args(args).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap();
        let (asked, body, (status, answer)) = listening.asked.lock().pop().unwrap();
        let (method, path) = asked.split_once(' ').unwrap();
        check_described(method, path, &body, (status, &answer));
        let asked = asked.split('?').next().unwrap();
        assert!(is_one_of(asked, operation), "{line} asks for {asked}");
    }
    let walked: BTreeSet<_> =
        WALK.iter().map(|(line, _)| line.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(walked, subcommands());
    let offered = kafka.get("/v1");
    let offered: BTreeSet<_> =
        offered.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    let asked: BTreeSet<_> = WALK.iter().map(|(_, operation)| *operation).collect();
    assert_eq!(asked, offered);
}

/// Whether what was asked for has the operation's form: `GET /v1/topics/orders/records` that of
/// `GET /v1/topics/{name}/records`.
fn is_one_of(asked: &str, operation: &str) -> bool {
    let (asked, pattern) = (asked.split('/'), operation.split('/'));
    asked.clone().count() == pattern.clone().count()
        && asked.zip(pattern).all(|(part, pattern)| part == pattern || pattern.starts_with('{'))
}

#[test]
fn a_topic_made_on_the_command_line_has_its_settings_and_is_gone_when_it_is_deleted() {
    let kafka = TestProcess::start(&[]);
    let configs = ["--config", "retention.ms=7000", "--config", "cleanup.policy=compact,delete"];
    let made = kafka.ctl(&[&["create-topic", "orders", "2"], &configs[..]].concat()).unwrap();
    assert_eq!(made["configs"], json!({ "cleanup.policy": "compact,delete", "retention.ms": "7000" }));
    assert_eq!(kafka.ctl(&["delete-topic", "orders"]).unwrap(), json!({}));
    assert_eq!(kafka.get("/v1/topics"), json!([]));
    let error = kafka.ctl(&["delete-topic", "orders"]).unwrap_err();
    assert!(error.contains("UNKNOWN_TOPIC_OR_PARTITION"), "{error}");
    let error = kafka.ctl(&["create-topic", "orders", "--config", "retention.ms=soon"]).unwrap_err();
    assert!(error.contains("INVALID_CONFIG"), "{error}");
}
