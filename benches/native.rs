//! The native doors, each beside the least that the machine could do for the same bytes, in the same run.
//!
//! ```sh
//! cargo bench --bench native
//! ```
//!
//! The absolute figures depend on the machine and its other tenants; the ratios do not, so each pair is measured in
//! turn, several times, and the median ratio is printed. What should be reached stands beside it.

#![expect(clippy::disallowed_methods, reason = "a bench measures real time and bare files")]

use std::fs::File;
use std::hint::black_box;
use std::io::{Read, Write};
use std::time::{Duration, Instant};

use ottla::{AutoOffsetReset, BatchOptions, Broker, NewTopic, ProducerRecord, RecordBatchBuilder};

const ROUNDS: usize = 9;
/// Bytes of records that each round appends or reads.
const VOLUME: usize = 64 << 20;
/// The writes and reads of the bare loops.
const CHUNK: usize = 64 << 10;

fn main() {
    // `cargo test --benches` calls this too, and wants no figures.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    println!("{:<46} {:>16} {:>16} {:>8}  goal", "", "ottla", "bare", "ratio");
    let small = append(100, 1000);
    print("append, batches of 1,000 x 100 B", &small, "records/s", 0.6);
    let large = append(10 << 10, 100);
    print("append, batches of 100 x 10 KiB", &large, "records/s", 0.9);
    let send = send(100);
    let ratio = send / median(small.iter().map(|pair| pair.0));
    println!(
        "{:<46} {send:>16.0} {:>16} {ratio:>8.3}  >= 0.1 of the batch rate",
        "send, single records of 100 B", ""
    );
    print("scan, records of 100 B", &scan(100), "records/s", 0.5);
    let start = median((0..ROUNDS * 10).map(|_| temporary_listen_drop()));
    println!("{:<46} {:>13.3} ms {:>26}  < 1 ms", "Broker::temporary + listen + drop", start * 1e3, "");
    let first = median((0..ROUNDS * 3).map(|_| subscribe_to_first_record()));
    println!("{:<46} {:>13.3} ms {:>26}  < 5 ms", "subscribe to first record, new group", first * 1e3, "");
    let opened = median((0..ROUNDS).map(|_| reopen()));
    println!("{:<46} {:>13.3} ms", "open 100 partitions after a clean stop", opened * 1e3);
}

/// What ottla did and what the bare loop did, in records a second, of each round.
type Pairs = Vec<(f64, f64)>;

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn print(what: &str, pairs: &Pairs, unit: &str, goal: f64) {
    let (ottla, bare) = (median(pairs.iter().map(|p| p.0)), median(pairs.iter().map(|p| p.1)));
    let ratio = median(pairs.iter().map(|p| p.0 / p.1));
    let verdict = if ratio >= goal { "reached" } else { "missed" };
    println!("{what:<46} {ottla:>16.0} {bare:>16.0} {ratio:>8.3}  >= {goal} {verdict} ({unit})");
}

fn timed(count: usize, work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    count as f64 / start.elapsed().as_secs_f64()
}

fn payload(size: usize) -> Vec<u8> {
    (0..size).map(|i| b"order user amount status pending region device "[i % 47]).collect()
}

/// A directory on the disk that the benches of both sides use.
fn directory() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

fn broker_with_topic(dir: &tempfile::TempDir) -> Broker {
    let broker = Broker::builder()
        .log_dir(dir.path())
        .set("group.initial.rebalance.delay.ms", "0")
        .set("offsets.topic.num.partitions", "1")
        .open()
        .expect("a broker");
    broker.admin().create_topic(NewTopic::new("t", 1)).expect("a topic");
    broker
}

fn append(size: usize, batch: usize) -> Pairs {
    let value = payload(size);
    let count = VOLUME / size;
    let rounds = 0..ROUNDS;
    rounds
        .map(|_| {
            let dir = directory();
            let broker = broker_with_topic(&dir);
            let partition = broker.topic("t").and_then(|topic| topic.partition(0)).expect("the partition");
            let mut builder = RecordBatchBuilder::new(BatchOptions::default());
            let before = builder.estimated_size();
            let mut bytes = 0;
            let ottla = timed(count, || {
                for _ in 0..count / batch {
                    for _ in 0..batch {
                        builder.append(0, None, Some(&value)).expect("room");
                    }
                    bytes += builder.estimated_size() - before;
                    partition.append(&mut builder).expect("an append");
                }
            });
            let chunk = payload(CHUNK);
            let mut file = File::create(dir.path().join("bare")).expect("a file");
            let bare = timed(count, || {
                for _ in 0..bytes / CHUNK {
                    file.write_all(&chunk).expect("a write");
                }
            });
            (ottla, bare)
        })
        .collect()
}

fn send(size: usize) -> f64 {
    let value = payload(size);
    let count = VOLUME / size;
    median((0..ROUNDS).map(|_| {
        let dir = directory();
        let broker = broker_with_topic(&dir);
        let producer = broker.producer();
        timed(count, || {
            for _ in 0..count {
                black_box(producer.send(ProducerRecord::new("t").value(&value)).expect("a send"));
            }
            producer.flush().expect("a flush");
        })
    }))
}

fn scan(size: usize) -> Pairs {
    let dir = directory();
    let broker = broker_with_topic(&dir);
    let value = payload(size);
    let count = VOLUME / size;
    let producer = broker.producer();
    for _ in 0..count {
        producer.send(ProducerRecord::new("t").value(&value)).expect("a send");
    }
    producer.flush().expect("a flush");
    let partition = broker.topic("t").and_then(|topic| topic.partition(0)).expect("the partition");
    let log = dir.path().join("t-0").join("00000000000000000000.log");
    (0..ROUNDS)
        .map(|_| {
            let mut seen = 0;
            let ottla = timed(count, || {
                let mut reader = partition.read_from(0);
                while let Some(batch) = reader.next_batch().expect("a batch") {
                    for record in batch.view().records(&mut Vec::new(), usize::MAX).expect("records") {
                        seen += usize::from(record.expect("a record").value().is_some());
                    }
                }
            });
            assert_eq!(seen, count);
            let mut buffer = vec![0; CHUNK];
            let mut file = File::open(&log).expect("the segment");
            let bare = timed(count, || while file.read(black_box(&mut buffer)).expect("a read") > 0 {});
            (ottla, bare)
        })
        .collect()
}

fn temporary_listen_drop() -> f64 {
    let start = Instant::now();
    let broker = Broker::temporary().expect("a broker");
    let listener = broker.listen("127.0.0.1:0").expect("a listener");
    drop((broker, listener));
    start.elapsed().as_secs_f64()
}

fn subscribe_to_first_record() -> f64 {
    let broker = Broker::temporary().expect("a broker");
    broker.admin().create_topic(NewTopic::new("t", 1)).expect("a topic");
    broker
        .producer()
        .send(ProducerRecord::new("t").value("x"))
        .and_then(|sent| sent.wait())
        .expect("a record");
    let start = Instant::now();
    let builder = broker.consumer_builder().group_id("new").auto_offset_reset(AutoOffsetReset::Earliest);
    let mut consumer = builder.build().expect("a consumer");
    consumer.subscribe(["t"]).expect("a subscription");
    while consumer.poll(Duration::from_secs(5)).expect("a poll").is_empty() {}
    start.elapsed().as_secs_f64()
}

fn reopen() -> f64 {
    let dir = directory();
    let broker = Broker::open(dir.path()).expect("a broker");
    broker.admin().create_topic(NewTopic::new("t", 100)).expect("a topic");
    broker.close();
    let start = Instant::now();
    let again = Broker::open(dir.path()).expect("the same broker");
    let taken = start.elapsed().as_secs_f64();
    again.close();
    taken
}
