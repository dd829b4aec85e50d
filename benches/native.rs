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
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crc_fast::{CrcAlgorithm, Digest};
use ottla::{
    AutoOffsetReset, BatchOptions, Broker, IsolationLevel, NewTopic, ProducerRecord, RecordBatchBuilder,
    TopicPartition,
};

const ROUNDS: usize = 9;
/// Bytes of records that each round appends or reads.
const VOLUME: usize = 256 << 20;
/// The writes and reads of the bare loops.
const CHUNK: usize = 64 << 10;

const SYNCED_PRODUCERS: usize = 64;
const SYNCED_FOR: Duration = Duration::from_millis(700);
/// A batch with one record of 100 B.
const SYNCED_BATCH: usize = 169;

fn main() {
    // `cargo test --benches` calls this too, and wants no figures.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    // As `cargo bench` has it: words on the command line choose the jobs whose names hold them.
    let words: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let wanted = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word.as_str()));
    println!("{:<46} {:>16} {:>16} {:>8}  goal", "", "ottla", "bare", "ratio");
    for (name, job) in JOBS {
        if wanted(name) {
            job(name);
        }
    }
}

type Job = (&'static str, fn(&str));

/// Those that make files come first: the disk is busy for a while with what those that write much leave behind.
const JOBS: [Job; 11] = [
    ("Broker::temporary + listen + drop", |name| print_ms(name, ROUNDS * 10, temporary_listen_drop, 1.0)),
    ("subscribe to first record, new group", |name| {
        print_ms(name, ROUNDS * 3, subscribe_to_first_record, 5.0)
    }),
    ("open 100 partitions after a clean stop", |name| print_ms(name, ROUNDS, reopen, 20.0)),
    ("64 producers, flush.messages=1, one partition", |name| print(name, &rounds(|| synced_sends(1)), 10.0)),
    ("64 producers, flush.messages=1, 4 partitions", |name| print(name, &rounds(|| synced_sends(4)), 10.0)),
    ("append, batches of 1,000 x 100 B", |name| print(name, &rounds(|| append(100, 1000)), 0.6)),
    ("append, batches of 100 x 10 KiB", |name| print(name, &rounds(|| append(10 << 10, 100)), 0.9)),
    ("send, single 100 B, beside batches of 1,000", |name| {
        print(name, &rounds(|| (send(100), append(100, 1000).0)), 0.1)
    }),
    ("poll, read_committed beside read_uncommitted", |name| print(name, &read_committed(), 0.95)),
    ("scan, records of 100 B", |name| print(name, &scan(100), 0.5)),
    ("recover, bare: read with CRC-32C", |name| print_in(name, &recover(100), 0.5, Unit::GIGABYTES)),
];

/// What ottla did and what the bare loop did, in records a second or in bytes, of each round.
type Pairs = Vec<(f64, f64)>;

/// What is counted each second.
#[derive(Clone, Copy)]
struct Unit {
    name: &'static str,
    size: f64,
    decimals: usize,
}

impl Unit {
    const RECORDS: Unit = Unit { name: "records/s", size: 1.0, decimals: 0 };
    const GIGABYTES: Unit = Unit { name: "GB/s", size: 1e9, decimals: 2 };
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn print(what: &str, pairs: &Pairs, goal: f64) {
    print_in(what, pairs, goal, Unit::RECORDS);
}

fn print_in(what: &str, pairs: &Pairs, goal: f64, unit: Unit) {
    let Unit { name, size, decimals } = unit;
    let (ottla, bare) = (median(pairs.iter().map(|p| p.0 / size)), median(pairs.iter().map(|p| p.1 / size)));
    let ratio = median(pairs.iter().map(|p| p.0 / p.1));
    let verdict = if ratio >= goal { "reached" } else { "missed" };
    println!(
        "{what:<46} {ottla:>16.decimals$} {bare:>16.decimals$} {ratio:>8.3}  >= {goal} {verdict} ({name})"
    );
}

fn print_ms(what: &str, times: usize, job: fn() -> f64, goal_ms: f64) {
    let taken_ms = median((0..times).map(|_| job())) * 1e3;
    let verdict = if taken_ms < goal_ms { "reached" } else { "missed" };
    println!("{what:<46} {taken_ms:>13.3} ms {:>23}  < {goal_ms} ms {verdict}", "");
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

fn broker_in(dir: &tempfile::TempDir) -> Broker {
    Broker::builder()
        .log_dir(dir.path())
        .set("group.initial.rebalance.delay.ms", "0")
        .set("offsets.topic.num.partitions", "1")
        .open()
        .expect("a broker")
}

fn broker_with_topic(dir: &tempfile::TempDir) -> Broker {
    let broker = broker_in(dir);
    broker.admin().create_topic(NewTopic::new("t", 1)).expect("a topic");
    broker
}

fn rounds(mut round: impl FnMut() -> (f64, f64)) -> Pairs {
    (0..ROUNDS).map(|_| round()).collect()
}

/// Appends batches, then writes as many bytes to a file beside them in the plainest way.
fn append(size: usize, batch: usize) -> (f64, f64) {
    let value = payload(size);
    let count = VOLUME / size;
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
}

fn send(size: usize) -> f64 {
    let value = payload(size);
    let count = VOLUME / size;
    let dir = directory();
    let broker = broker_with_topic(&dir);
    let producer = broker.producer();
    timed(count, || {
        for _ in 0..count {
            black_box(producer.send(ProducerRecord::new("t").value(&value)).expect("a send"));
        }
        producer.flush().expect("a flush");
    })
}

/// Producers that each wait until their record is on the disk before they send the next, and as many threads that each
/// write and sync a file themselves, the files being as many as the partitions.
///
/// With several partitions it is the processor that bounds what they reach, not the disk: ottla acknowledges about as many
/// records a second with 4 partitions as with one, while 4 files that are synced side by side take 2 to 3 times what one
/// takes, so the goal is that much further off. 64 threads in C that do nothing but write a record, leave the sync of
/// their file to one of them and are woken cost 13 to 18 us of processor time a record with 4 files (11 to 16 with one, 6
/// to 8 where nothing is synced at all), so 2 cores can do 110 to 150 k/s at most, where the goal is at 115 k/s. A thread
/// that syncs all files of a directory in turn gains nothing: each sync costs on its own, and one thread gets through
/// fewer of them than four.
fn synced_sends(partitions: usize) -> (f64, f64) {
    let value = payload(100);
    let dir = directory();
    let broker = broker_in(&dir);
    let topic = NewTopic::new("t", partitions as i32).config("flush.messages", "1");
    broker.admin().create_topic(topic).expect("a topic");
    let ottla = at_once(|i| {
        let producer = broker.producer();
        let partition = (i % partitions) as i32;
        let (producer, value) = (producer, &value);
        move || {
            let record = ProducerRecord::new("t").partition(partition).value(value);
            producer.send(record).and_then(|sent| sent.wait()).expect("a record on the disk");
        }
    });
    let batch = payload(SYNCED_BATCH);
    let make = |i| Mutex::new(File::create(dir.path().join(format!("bare-{i}"))).expect("a file"));
    let files: Vec<_> = (0..partitions).map(make).collect();
    let bare = at_once(|i| {
        let (file, batch) = (&files[i % partitions], &batch);
        move || {
            let mut file = file.lock().expect("the file");
            file.write_all(batch).and_then(|()| file.sync_data()).expect("bytes on the disk");
        }
    });
    (ottla, bare)
}

/// How often a second the threads together do what `job` makes for each of them.
fn at_once<F: FnMut() + Send>(job: impl Fn(usize) -> F) -> f64 {
    let (count, start) = (AtomicUsize::new(0), Instant::now());
    std::thread::scope(|scope| {
        for mut work in (0..SYNCED_PRODUCERS).map(job) {
            let count = &count;
            scope.spawn(move || {
                while start.elapsed() < SYNCED_FOR {
                    work();
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    count.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64()
}

/// Fills the topic through the producer, so with batches as large as programs get.
fn fill(broker: &Broker, size: usize, count: usize) {
    let value = payload(size);
    let producer = broker.producer();
    for _ in 0..count {
        producer.send(ProducerRecord::new("t").value(&value)).expect("a send");
    }
    producer.flush().expect("a flush");
}

/// Opens a directory as a power loss would leave it that had kept all: nothing says up to where it was flushed, so
/// every byte is read and checked. Beside it a loop that reads the file and computes its checksum.
fn recover(size: usize) -> Pairs {
    let count = VOLUME / size;
    let dir = directory();
    let broker = broker_with_topic(&dir);
    fill(&broker, size, count);
    broker.close();
    let bytes = std::fs::metadata(segment(&dir)).expect("the segment").len() as usize;
    rounds(|| {
        for name in [".kafka_cleanshutdown", "recovery-point-offset-checkpoint"] {
            std::fs::remove_file(dir.path().join(name)).expect("a file of a clean stop");
        }
        let mut opened = None;
        let ottla = timed(bytes, || opened = Some(broker_in(&dir)));
        let broker = opened.expect("the broker");
        let end = broker.topic("t").and_then(|topic| topic.partition(0)).and_then(|p| p.latest_offset());
        assert_eq!(end.expect("an end"), count as i64);
        broker.close();
        let mut buffer = vec![0; CHUNK];
        let mut file = File::open(segment(&dir)).expect("the segment");
        let mut digest = Digest::new(CrcAlgorithm::Crc32Iscsi);
        let bare = timed(bytes, || {
            loop {
                let read = file.read(&mut buffer).expect("a read");
                if read == 0 {
                    break;
                }
                digest.update(&buffer[..read]);
            }
        });
        black_box(digest.finalize());
        (ottla, bare)
    })
}

fn segment(dir: &tempfile::TempDir) -> std::path::PathBuf {
    dir.path().join("t-0").join("00000000000000000000.log")
}

fn scan(size: usize) -> Pairs {
    let count = VOLUME / size;
    let dir = directory();
    let broker = broker_with_topic(&dir);
    fill(&broker, size, count);
    let partition = broker.topic("t").and_then(|topic| topic.partition(0)).expect("the partition");
    rounds(|| {
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
        let mut file = File::open(segment(&dir)).expect("the segment");
        let bare = timed(count, || while file.read(black_box(&mut buffer)).expect("a read") > 0 {});
        (ottla, bare)
    })
}

/// Transactions of a hundred records, all committed, so that both consumers get the same.
fn read_committed() -> Pairs {
    const TRANSACTIONS: usize = 10_000;
    const RECORDS: usize = 100;
    let dir = directory();
    let broker = broker_with_topic(&dir);
    let producer = broker.producer_builder().transactional_id("t").build().expect("a producer");
    let value = payload(100);
    for _ in 0..TRANSACTIONS {
        let done = producer.transaction(|transaction| {
            (0..RECORDS).try_for_each(|_| {
                transaction.send(ProducerRecord::new("t").value(value.as_slice())).map(drop)
            })
        });
        done.expect("a transaction");
    }
    let read = |isolation_level| {
        let mut consumer =
            broker.consumer_builder().isolation_level(isolation_level).build().expect("a consumer");
        consumer.assign([TopicPartition::new("t", 0)]).expect("an assignment");
        consumer.seek(&TopicPartition::new("t", 0), 0).expect("the beginning");
        timed(TRANSACTIONS * RECORDS, || {
            let mut left = TRANSACTIONS * RECORDS;
            while left > 0 {
                left -= consumer.poll(Duration::from_secs(5)).expect("records").len();
            }
        })
    };
    let mut committed_is_first = false;
    rounds(|| {
        committed_is_first = !committed_is_first;
        if committed_is_first {
            let committed = read(IsolationLevel::ReadCommitted);
            (committed, read(IsolationLevel::ReadUncommitted))
        } else {
            let uncommitted = read(IsolationLevel::ReadUncommitted);
            (read(IsolationLevel::ReadCommitted), uncommitted)
        }
    })
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
