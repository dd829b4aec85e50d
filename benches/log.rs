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
            if wanted("read") {
                read_anywhere();
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
    let topic = NewTopic::new("t", PARTITIONS).config("segment.bytes", "400").config("retention.ms", "-1");
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

/// Reads from random places, of which an index of the size that a full segment has tells one, and of 1,000 partitions in
/// random order: neither the files nor what is known of them is at hand then.
fn read_anywhere() {
    const BATCHES: i64 = 250_000;
    const BATCHES_OF_MANY: i64 = 20;
    const READS: usize = 20_000;
    let dir = tempfile::tempdir().expect("a temporary directory");
    let broker = broker_in(dir.path());
    for (name, partitions) in [("one", 1), ("many", PARTITIONS)] {
        let topic =
            NewTopic::new(name, partitions).config("index.interval.bytes", "0").config("retention.ms", "-1");
        broker.admin().create_topic(topic).expect("a topic");
    }
    let mut builder = RecordBatchBuilder::new(BatchOptions::default());
    let mut fill = |partition: &Partition, batches: i64| {
        for timestamp in 0..batches {
            builder.append(timestamp, None, Some(&[b'x'; 100])).expect("room");
            partition.append(&mut builder).expect("an append");
        }
    };
    fill(&partitions(&broker, "one")[0], BATCHES);
    partitions(&broker, "many").iter().for_each(|partition| fill(partition, BATCHES_OF_MANY));
    broker.close();

    let broker = broker_in(dir.path());
    let (one, many) = (partitions(&broker, "one"), partitions(&broker, "many"));
    let mut state = 1u64;
    // What is read is told by a number of 31 bits.
    let mut per_second = |read: &mut dyn FnMut(i64)| {
        let mut rate = |_| {
            let start = Instant::now();
            for _ in 0..READS {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                read(i64::try_from(state >> 33).expect("31 bits"));
            }
            READS as f64 / start.elapsed().as_secs_f64()
        };
        median((0..ROUNDS).map(&mut rate).collect())
    };
    let read_at = |partition: &Partition, offset: i64| {
        let batch = partition.read_from(offset).check_crcs(false).next_batch().expect("a read");
        assert_eq!(batch.expect("a batch").view().base_offset(), offset);
    };
    let at_offset = per_second(&mut |number| read_at(&one[0], number % BATCHES));
    let at_time = per_second(&mut |number| {
        let time = number % BATCHES;
        let found = one[0].offset_for_timestamp(time).expect("a lookup");
        assert_eq!(found.expect("a record").offset, time);
    });
    let mut next = 0;
    let in_turn = per_second(&mut |_| {
        next = (next + 1) % BATCHES;
        read_at(&one[0], next);
    });
    let of_many = per_second(&mut |number| {
        let partition = usize::try_from(number).expect("a number") % many.len();
        read_at(&many[partition], number / i64::from(PARTITIONS) % BATCHES_OF_MANY);
    });
    println!("reads at a random offset, 250,000 index entries{at_offset:>10.0} reads/s");
    println!("lookups of a random timestamp, the same        {at_time:>10.0} lookups/s");
    println!("reads at one offset after the other, the same  {in_turn:>10.0} reads/s");
    println!("reads from random partitions of 1,000          {of_many:>10.0} reads/s");
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
