//! What a test pays for its broker.
//!
//! ```sh
//! cargo bench --bench fixture
//! ```

#![expect(clippy::disallowed_methods, reason = "a bench measures real time")]

use std::time::{Duration, Instant};

use ottla::{AutoOffsetReset, NewTopic, ProducerRecord, TestBroker, TopicPartition};

const ROUNDS: usize = 31;

/// What the broker holds that is forked.
const VOLUME: usize = 100 << 20;

/// Those that live at once, to see how much memory each takes.
const SIDE_BY_SIDE: usize = 100;

fn main() {
    // `cargo test --benches` calls this too, and wants no figures.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    print("start", start, 1.0);
    print("start and drop", start_and_drop, f64::INFINITY);
    print("first record of a new group", first_group_record, f64::INFINITY);
    print("reset", reset, 1.0);
    let full = full_broker();
    print("fork of 100 MB", || fork(&full), 5.0);
    print("the same as a copy of the files", || copy(&full), f64::INFINITY);
    print("snapshot of 100 MB", || snapshot(&full), 5.0);
    drop(full);
    for count in [0, 100, 1_000] {
        print_rounds(
            5,
            &format!("advance 8 days, {count} partitions"),
            || advance(&partitions(count)),
            f64::INFINITY,
        );
        print_rounds(
            5,
            &format!("advance 8 days, {count} groups"),
            || advance(&groups(count)),
            f64::INFINITY,
        );
    }
    memory();
}

fn print(what: &str, job: impl FnMut() -> f64, goal_ms: f64) {
    print_rounds(ROUNDS, what, job, goal_ms);
}

fn print_rounds(rounds: usize, what: &str, mut job: impl FnMut() -> f64, goal_ms: f64) {
    let mut taken_ms: Vec<f64> = (0..rounds).map(|_| job() * 1e3).collect();
    taken_ms.sort_by(f64::total_cmp);
    let median = taken_ms[rounds / 2];
    let verdict = match median < goal_ms {
        _ if goal_ms.is_infinite() => String::new(),
        true => format!("< {goal_ms} ms reached"),
        false => format!("< {goal_ms} ms missed"),
    };
    println!(
        "{what:<34} median {median:>8.3} ms, {:.3} to {:.3}  {verdict}",
        taken_ms[0],
        taken_ms[rounds - 1]
    );
}

fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let result = work();
    (start.elapsed().as_secs_f64(), result)
}

/// Without the drop, which is not waited for by anybody.
fn start() -> f64 {
    timed(|| TestBroker::start().expect("a broker")).0
}

/// From a broker that is just started, without the topic, to the first record at a consumer of a group.
fn first_group_record() -> f64 {
    let kafka = TestBroker::start().expect("a broker");
    let until_it_comes = || {
        kafka.producer().send(ProducerRecord::new("t").value("one")).expect("a record").wait().expect("it");
        let builder = kafka.consumer_builder().group_id("g").auto_offset_reset(AutoOffsetReset::Earliest);
        let mut consumer = builder.build().expect("a consumer");
        consumer.subscribe(["t"]).expect("a subscription");
        while consumer.poll(Duration::from_millis(100)).expect("records").is_empty() {}
        consumer
    };
    timed(until_it_comes).0
}

fn start_and_drop() -> f64 {
    timed(|| drop(TestBroker::start().expect("a broker"))).0
}

fn reset() -> f64 {
    let mut kafka = TestBroker::start().expect("a broker");
    kafka.admin().create_topic(NewTopic::new("t", 1)).expect("a topic");
    timed(|| kafka.reset().expect("a reset")).0
}

fn full_broker() -> TestBroker {
    let kafka = TestBroker::start().expect("a broker");
    kafka.admin().create_topic(NewTopic::new("t", 4)).expect("a topic");
    let producer = kafka.producer();
    let value = vec![7_u8; 10 << 10];
    for _ in 0..VOLUME / value.len() {
        producer.send(ProducerRecord::new("t").value(&value)).expect("a record");
    }
    producer.flush().expect("all of them");
    kafka
}

fn fork(full: &TestBroker) -> f64 {
    timed(|| full.fork().expect("a fork")).0
}

fn snapshot(full: &TestBroker) -> f64 {
    timed(|| full.snapshot().expect("a snapshot")).0
}

fn copy(full: &TestBroker) -> f64 {
    let to = tempfile::tempdir().expect("a directory");
    let from = &full.log_dirs()[0];
    let copy_all = || {
        for partition in std::fs::read_dir(from).expect("the log dir").flatten() {
            let Ok(files) = std::fs::read_dir(partition.path()) else { continue };
            for file in files.flatten() {
                let name = format!("{:?}-{:?}", partition.file_name(), file.file_name());
                std::fs::copy(file.path(), to.path().join(name)).expect("a copy");
            }
        }
    };
    timed(copy_all).0
}

/// So many partitions, each with a record that retention deletes after seven days.
fn partitions(count: i32) -> TestBroker {
    let kafka = TestBroker::start().expect("a broker");
    if count > 0 {
        let topic = NewTopic::new("t", count).config("segment.ms", "3600000");
        kafka.admin().create_topic(topic.config("retention.ms", "604800000")).expect("a topic");
    }
    let producer = kafka.producer();
    for partition in 0..count {
        producer.send(ProducerRecord::new("t").partition(partition).value("old")).expect("a record");
    }
    producer.flush().expect("all of them");
    kafka
}

/// So many groups, each with a committed offset, which expires after seven days.
fn groups(count: i32) -> TestBroker {
    let kafka = TestBroker::start().expect("a broker");
    kafka.admin().create_topic(NewTopic::new("t", 1)).expect("a topic");
    for group in 0..count {
        let offsets = [(TopicPartition::new("t", 0), 0)];
        kafka.admin().alter_consumer_group_offsets(&format!("g-{group}"), offsets).expect("a commit");
    }
    kafka
}

fn advance(kafka: &TestBroker) -> f64 {
    timed(|| kafka.advance(Duration::from_secs(8 * 24 * 3_600))).0
}

/// Linux alone tells.
fn memory() {
    let resident = || -> Option<usize> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse().ok()
    };
    let before = resident();
    let brokers: Vec<TestBroker> =
        (0..SIDE_BY_SIDE).map(|_| TestBroker::start().expect("a broker")).collect();
    if let (Some(before), Some(after)) = (before, resident()) {
        println!(
            "memory of each of {SIDE_BY_SIDE} brokers: {} KiB",
            after.saturating_sub(before) / SIDE_BY_SIDE
        );
    }
    drop(brokers);
}
