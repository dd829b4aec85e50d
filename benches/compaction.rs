//! ottla's half of `benches/compaction_beside_kafka/run`, which sets the two compactions beside each other.
//!
//! `fill DIR` makes a directory with a partition to compact; `clean DIR` compacts it and prints the seconds that took, from
//! opening the broker to the compacted segments being in their places.

#![expect(clippy::disallowed_methods, reason = "a bench measures real time and reads real files")]

use std::path::Path;
use std::time::{Duration, Instant};

use ottla::{BatchOptions, Broker, NewTopic, RecordBatchBuilder};

const RECORDS: u64 = 2_000_000;
const KEYS: u64 = 500_000;
const RECORDS_OF_A_BATCH: u64 = 200;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["fill", dir] => fill(Path::new(dir)),
        ["clean", dir] => println!("{}", clean(Path::new(dir)).as_secs_f64()),
        // By itself there is nothing to compare.
        _ => {}
    }
}

fn fill(dir: &Path) {
    let broker = Broker::builder().log_dir(dir).set("log.cleaner.enable", "false").open().expect("a broker");
    let topic = NewTopic::new("t", 1).config("cleanup.policy", "compact").config("segment.bytes", "16777216");
    broker.admin().create_topic(topic).expect("a topic");
    let partition = broker.topic("t").and_then(|topic| topic.partition(0)).expect("the partition");
    let mut builder = RecordBatchBuilder::new(BatchOptions::default());
    // Any sequence that visits keys without order (Knuth's).
    let mut state = 1_u64;
    for number in 0..RECORDS {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let key = format!("customer-{:06}", (state >> 33) % KEYS);
        builder
            .append(1_700_000_000_000 + number as i64, Some(key.as_bytes()), Some(&[b'v'; 100]))
            .expect("room");
        if (number + 1) % RECORDS_OF_A_BATCH == 0 {
            partition.append(&mut builder).expect("an append");
        }
    }
    broker.close();
}

fn clean(dir: &Path) -> Duration {
    let segments = std::fs::read_dir(dir.join("t-0")).expect("the partition");
    let names = segments.map(|entry| entry.expect("a file").file_name().into_string().expect("a name"));
    let active =
        names.filter_map(|name| name.strip_suffix(".log")?.parse::<i64>().ok()).max().expect("segments");
    let wanted = format!("t 0 {active}\n");
    let start = Instant::now();
    let broker = Broker::builder().log_dir(dir).set("log.cleaner.backoff.ms", "1").open().expect("a broker");
    let checkpoint = dir.join("cleaner-offset-checkpoint");
    while !std::fs::read_to_string(&checkpoint).is_ok_and(|content| content.contains(&wanted)) {
        assert!(start.elapsed() < Duration::from_secs(300), "it is not compacted up to {active}");
        std::thread::sleep(Duration::from_millis(1));
    }
    let taken = start.elapsed();
    broker.close();
    taken
}
