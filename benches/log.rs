//! The log engine at the size of a server: many partitions, many segments.
//!
//! ```sh
//! cargo bench --bench log
//! ```
//!
//! What it is to reach stands beside each figure. Times depend on the machine; ratios are of the same run.

#![expect(clippy::disallowed_methods, reason = "a bench measures real time and starts itself again")]

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use ottla::{BatchOptions, Broker, NewTopic, Partition, RecordBatchBuilder};

const ROUNDS: usize = 7;
const PARTITIONS: i32 = 1000;
const SEGMENTS: usize = 10;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        // `cargo test --benches` calls this too, and wants no figures.
        words if words.contains(&"--test") => {}
        ["memory", dir] => tell_memory(Path::new(dir)),
        words => {
            let wanted = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word));
            if wanted("open") || wanted("memory") {
                open_many();
            }
            if wanted("append") {
                append_to_many();
            }
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn broker_in(dir: &Path) -> Broker {
    Broker::builder().log_dir(dir).open().expect("a broker")
}

/// A batch of records of 100 bytes.
fn batch(builder: &mut RecordBatchBuilder, records: usize) {
    for _ in 0..records {
        builder.append(0, None, Some(&[b'x'; 100])).expect("room");
    }
}

fn partitions(broker: &Broker, topic: &str) -> Vec<Partition> {
    let topic = broker.topic(topic).expect("the topic");
    (0..topic.num_partitions()).map(|number| topic.partition(number).expect("the partition")).collect()
}

/// Opens a directory of 1,000 partitions with 10 segments each after a clean stop, and looks what that takes.
fn open_many() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let broker = broker_in(dir.path());
    let topic = NewTopic::new("t", PARTITIONS).config("segment.bytes", "400");
    broker.admin().create_topic(topic).expect("a topic");
    let mut builder = RecordBatchBuilder::new(BatchOptions::default());
    for partition in partitions(&broker, "t") {
        for _ in 0..SEGMENTS {
            // Two do not fit one segment.
            batch(&mut builder, 3);
            partition.append(&mut builder).expect("an append");
        }
    }
    broker.close();
    let segments = std::fs::read_dir(dir.path().join("t-0")).expect("a partition").filter(|entry| {
        entry.as_ref().expect("a file").path().extension().is_some_and(|extension| extension == "log")
    });
    assert_eq!(segments.count(), SEGMENTS);
    let open = || {
        let start = Instant::now();
        let broker = broker_in(dir.path());
        let taken = start.elapsed().as_secs_f64();
        broker.close();
        taken
    };
    let taken_ms = median((0..ROUNDS).map(|_| open()).collect()) * 1e3;
    let verdict = if taken_ms < 1000.0 { "reached" } else { "missed" };
    println!("open 1,000 partitions x 10 segments, clean     {taken_ms:>10.1} ms  < 1000 ms {verdict}");
    let told =
        Command::new(std::env::current_exe().expect("this program")).arg("memory").arg(dir.path()).output();
    std::io::stdout().write_all(&told.expect("a process").stdout).expect("stdout");
}

/// In a process of its own, which nothing else has given memory to.
fn tell_memory(dir: &Path) {
    let empty = tempfile::tempdir().expect("a temporary directory");
    broker_in(empty.path()).close();
    let before = resident_bytes();
    let broker = broker_in(dir);
    let opened = resident_bytes();
    let mut builder = RecordBatchBuilder::new(BatchOptions::default());
    for partition in partitions(&broker, "t") {
        batch(&mut builder, 1);
        partition.append(&mut builder).expect("an append");
    }
    let written = resident_bytes();
    let each = |bytes: u64| bytes.saturating_sub(before) as f64 / f64::from(PARTITIONS);
    println!("memory per partition of 10 segments, opened    {:>10.0} bytes", each(opened));
    println!("memory per partition, appended to once         {:>10.0} bytes", each(written));
}

fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let anonymous = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("RssAnon");
    anonymous.trim().trim_end_matches(" kB").trim().parse::<u64>().expect("a number") * 1024
}

/// Appends as many batches to one partition as to 1,000 in turn.
fn append_to_many() {
    const BATCHES: usize = 20_000;
    const RECORDS: usize = 100;
    let dir = tempfile::tempdir().expect("a temporary directory");
    let broker = broker_in(dir.path());
    broker.admin().create_topic(NewTopic::new("one", 1)).expect("a topic");
    broker.admin().create_topic(NewTopic::new("many", PARTITIONS)).expect("a topic");
    let mut builder = RecordBatchBuilder::new(BatchOptions::default());
    let mut append = |partitions: &[Partition]| {
        let start = Instant::now();
        for partition in partitions.iter().cycle().take(BATCHES) {
            batch(&mut builder, RECORDS);
            partition.append(&mut builder).expect("an append");
        }
        (BATCHES * RECORDS) as f64 / start.elapsed().as_secs_f64()
    };
    let (one, many) = (partitions(&broker, "one"), partitions(&broker, "many"));
    // The files are made at the first append.
    append(&many);
    let pairs: Vec<(f64, f64)> = (0..ROUNDS).map(|_| (append(&one), append(&many))).collect();
    let (to_one, to_many) = (
        median(pairs.iter().map(|pair| pair.0).collect()),
        median(pairs.iter().map(|pair| pair.1).collect()),
    );
    let ratio = median(pairs.iter().map(|pair| pair.1 / pair.0).collect());
    println!("append, batches of 100 x 100 B, 1 partition    {to_one:>10.0} records/s");
    println!("the same, 1,000 partitions in turn             {to_many:>10.0} records/s, ratio {ratio:.2}");
}
