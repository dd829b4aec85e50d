//! What groups and transactions cost a broker, ottla or Apache Kafka: the same load for both, by bare clients that wait for
//! nothing of their own. `benches/groups_beside_kafka/run` starts the two and sets the figures side by side.
//!
//! ```sh
//! cargo bench --bench groups -- subscribe|settle|commits|transactions|isolation HOST:PORT
//! ```

#![expect(clippy::disallowed_methods, reason = "a bench measures real time")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use kafka_protocol_018::messages::create_topics_request::CreatableTopic;
use kafka_protocol_018::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol_018::messages::{CreateTopicsRequest, FindCoordinatorRequest, MetadataRequest, TopicName};
use kafka_protocol_018::protocol::StrBytes;

use self::client::Client;

#[path = "groups/commits.rs"]
mod commits;
#[path = "groups/members.rs"]
mod members;
#[path = "groups/settle.rs"]
mod settle;
#[path = "groups/subscribe.rs"]
mod subscribe;
#[path = "groups/transactions.rs"]
mod transactions;

#[path = "../tests/server/client.rs"]
#[expect(dead_code, reason = "the tests' client can do more than a bench asks of it")]
mod client;

/// No answer of a broker that starts up takes that long.
const PATIENCE: Duration = Duration::from_secs(20);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    // `cargo test --benches` calls this too, and wants no figures.
    let [job, address] = &arguments[..] else {
        eprintln!("a job and an address are expected: this is a part of benches/groups_beside_kafka/run");
        return;
    };
    let address: SocketAddr = address.parse().expect("an address");
    match job.as_str() {
        "subscribe" => subscribe::run(address),
        "settle" => settle::run(address),
        "commits" => commits::run(address),
        "transactions" => transactions::run(address),
        "isolation" => transactions::run_isolation(address),
        other => panic!("there is no job {other}"),
    }
}

/// One figure a line, for a program to read.
fn print(name: &str, value: f64) {
    println!("{name}\t{value}");
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn text(of: &str) -> StrBytes {
    StrBytes::from_string(of.to_owned())
}

fn topic_name(of: &str) -> TopicName {
    TopicName(text(of))
}

/// A name that no other run has.
fn unique(prefix: &str) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time after 1970");
    format!("{prefix}-{}", now.as_nanos())
}

/// Asks until the answer is good: a broker that starts, or makes a topic, says "not yet".
fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Makes a topic, and waits until its partitions can be used.
fn create_topic(client: &mut Client, name: &str, partitions: i32) {
    let topic = CreatableTopic::default()
        .with_name(topic_name(name))
        .with_num_partitions(partitions)
        .with_replication_factor(1);
    let created =
        client.call(5, &CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(10_000));
    assert_eq!(created.topics[0].error_code, 0, "{name}");
    eventually("the topic is there", || {
        let topic = MetadataRequestTopic::default().with_name(Some(topic_name(name)));
        let answer = client.call(12, &MetadataRequest::default().with_topics(Some(vec![topic])));
        let topic = &answer.topics[0];
        let is_there = topic.partitions.len() == partitions as usize
            && topic.partitions.iter().all(|partition| partition.error_code == 0);
        is_there.then_some(())
    });
}

/// Whether a coordinator has still to load what it coordinates, as one does that was just made.
fn is_loading(error_code: i16) -> bool {
    const LOAD_IN_PROGRESS: i16 = 14;
    const NOT_AVAILABLE: i16 = 15;
    const NOT_COORDINATOR: i16 = 16;
    [LOAD_IN_PROGRESS, NOT_AVAILABLE, NOT_COORDINATOR].contains(&error_code)
}

/// Waits until somebody coordinates groups (0) or transactions (1).
fn await_coordinator(client: &mut Client, key_type: i8, key: &str) {
    eventually("there is a coordinator", || {
        let request = FindCoordinatorRequest::default().with_key(text(key)).with_key_type(key_type);
        (client.call(2, &request).error_code == 0).then_some(())
    });
}
