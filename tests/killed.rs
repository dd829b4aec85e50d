//! A process that writes is killed at any time, again and again: whatever it was told to be written is there, once, and
//! in order, and nothing else is.
//!
//! The test starts itself as the writer. `OTTLA_KILL_ROUNDS` says how often.

#![expect(clippy::disallowed_methods, reason = "the writer is another process, and has threads of its own")]

use std::collections::{BTreeMap, HashMap};
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use ottla::{Broker, Error, IsolationLevel, NewTopic, ProducerRecord};

/// What tells the writer that it is one: the directory, and the number of its run.
const DIR: &str = "OTTLA_KILLED_DIR";
const RUN: &str = "OTTLA_KILLED_RUN";
const KEYS: usize = 7;

fn main() {
    match (env::var(DIR), env::var(RUN)) {
        (Ok(dir), Ok(run)) => write(Path::new(&dir), &run),
        _ => kill_and_look(),
    }
}

fn open(dir: &Path) -> Broker {
    let broker = Broker::builder()
        .log_dir(dir)
        .set("log.cleaner.backoff.ms", "1")
        .set("log.flush.offset.checkpoint.interval.ms", "20")
        .set("transaction.state.log.segment.bytes", "16384");
    broker.open().unwrap()
}

fn say(line: &str) {
    // One write, so that lines do not mix.
    let _ = std::io::stdout().write_all(format!("{line}\n").as_bytes());
}

/// Writes until it is killed, and says what was acknowledged.
fn write(dir: &Path, run: &str) {
    say("up");
    let broker = open(dir);
    for (name, partitions, policy) in [("plain", 2, "delete"), ("table", 1, "compact"), ("shop", 2, "delete")]
    {
        if broker.topic(name).is_err() {
            let topic = NewTopic::new(name, partitions).config("segment.bytes", "8192");
            let topic = topic.config("cleanup.policy", policy).config("min.cleanable.dirty.ratio", "0.01");
            broker.admin().create_topic(topic.config("file.delete.delay.ms", "0")).unwrap();
        }
    }
    say("open");
    thread::scope(|scope| {
        for partition in 0..2 {
            let broker = &broker;
            scope.spawn(move || write_plain(broker, run, partition));
        }
        scope.spawn(|| write_table(&broker, run));
        scope.spawn(|| write_transactions(&broker, run));
    });
}

/// Several batches are under way at once.
fn write_plain(broker: &Broker, run: &str, partition: i32) {
    let producer = broker.producer_builder().idempotence(true).linger_ms(0).build().unwrap();
    for n in (0..).step_by(4) {
        let values: Vec<String> = (n..n + 4).map(|n| format!("{run}:{n}")).collect();
        let sent: Vec<_> = values
            .iter()
            .map(|value| {
                producer.send(ProducerRecord::new("plain").partition(partition).value(value)).unwrap()
            })
            .collect();
        for (sent, value) in sent.into_iter().zip(&values) {
            say(&format!("plain {partition} {} {value}", sent.wait().unwrap().offset));
        }
    }
}

fn write_table(broker: &Broker, run: &str) {
    let producer = broker.producer();
    for n in 0.. {
        let (key, value) = (format!("k{}", n % KEYS), format!("{run}:{n}"));
        producer.send(ProducerRecord::new("table").key(&key).value(&value)).unwrap().wait().unwrap();
        say(&format!("table {key} {value}"));
    }
}

/// Three records in two partitions each; every third one is aborted.
fn write_transactions(broker: &Broker, run: &str) {
    let producer = broker.producer_builder().transactional_id("shop").build().unwrap();
    for n in 0.. {
        let value = format!("{run}:{n}");
        let transaction = producer.begin_transaction().unwrap();
        for partition in [0, 1, 0] {
            transaction.send(ProducerRecord::new("shop").partition(partition).value(&value)).unwrap();
        }
        if n % 3 == 2 {
            transaction.abort().unwrap();
            say(&format!("aborted {value}"));
        } else {
            transaction.commit().unwrap();
            say(&format!("committed {value}"));
        }
    }
}

/// What writers said.
#[derive(Default)]
struct Said {
    /// By partition and offset.
    plain: HashMap<(i32, i64), String>,
    table: HashMap<String, (usize, usize)>,
    committed: Vec<String>,
    aborted: Vec<String>,
}

impl Said {
    fn take(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["plain", partition, offset, value] => {
                let place = (partition.parse().unwrap(), offset.parse().unwrap());
                assert_eq!(self.plain.insert(place, value.to_string()), None, "{place:?} is given twice");
            }
            ["table", key, value] => drop(self.table.insert(key.to_string(), numbers(value))),
            ["committed", value] => self.committed.push(value.to_string()),
            ["aborted", value] => self.aborted.push(value.to_string()),
            ["up" | "open"] => {}
            _ => panic!("'{line}'"),
        }
    }
}

/// The run, and the number within it.
fn numbers(value: &str) -> (usize, usize) {
    let (run, n) = value.split_once(':').unwrap();
    (run.parse().unwrap(), n.parse().unwrap())
}

fn kill_and_look() {
    let rounds: usize = env::var("OTTLA_KILL_ROUNDS").map_or(12, |rounds| rounds.parse().unwrap());
    let dir = env::temp_dir().join(format!("ottla-killed-{}", std::process::id()));
    let mut said = Said::default();
    let mut seed = 88_172_645_463_325_252_u64;
    for run in 0..rounds {
        // Xorshift: at which line of the writer's it is killed, the start included.
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let limit = if run % 4 == 0 { 4 } else { 600 };
        write_and_kill(&dir, run, usize::try_from(seed % limit).unwrap(), &mut said);
        // Now and then only, so that crash follows crash.
        if run % 3 == 2 || run + 1 == rounds {
            look(&dir, &said, run);
        }
    }
    let count = said.plain.len() + said.committed.len() + said.table.len();
    println!("{rounds} writers killed, {count} acknowledgements kept");
    assert!(count > 0);
    std::fs::remove_dir_all(&dir).unwrap();
}

fn write_and_kill(dir: &Path, run: usize, lines: usize, said: &mut Said) {
    let mut writer = Command::new(env::current_exe().unwrap())
        .env(DIR, dir)
        .env(RUN, run.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(writer.stdout.take().unwrap());
    let mut line = String::new();
    let mut seen = 0;
    // Whatever it said before it died counts, but for a line that is cut.
    while output.read_line(&mut line).unwrap() > 0 {
        if let Some(line) = line.strip_suffix('\n') {
            said.take(line);
        }
        line.clear();
        if seen == lines {
            writer.kill().unwrap();
        }
        seen += 1;
    }
    let status = writer.wait().unwrap();
    assert!(seen > lines && status.code().is_none(), "the writer ended by itself: {status}");
}

fn look(dir: &Path, said: &Said, run: usize) {
    let broker = open(dir);
    if broker.topic("shop").is_err() {
        // Not one of the writers has come so far.
        assert!(said.plain.is_empty() && said.committed.is_empty());
        return;
    }
    // Whoever is the next one ends what the last one left open.
    broker
        .producer_builder()
        .transactional_id("shop")
        .build()
        .unwrap()
        .begin_transaction()
        .unwrap()
        .abort()
        .unwrap();
    let read = |topic: &str, partition: i32| -> Vec<(i64, Vec<u8>, String)> {
        let partition = broker.topic(topic).unwrap().partition(partition).unwrap();
        let reader = partition.read_from(0).isolation_level(IsolationLevel::ReadCommitted);
        let entry = |record: Result<ottla::Record, Error>| {
            let record = record.unwrap();
            let value = String::from_utf8(record.value().unwrap().to_vec()).unwrap();
            (record.offset(), record.key().unwrap_or_default().to_vec(), value)
        };
        reader.map(entry).collect()
    };
    for partition in 0..2 {
        look_at_plain(&read("plain", partition), partition, said, run);
    }
    look_at_table(&read("table", 0), said);
    look_at_transactions([read("shop", 0), read("shop", 1)], said);
    broker.close();
}

type Read = [(i64, Vec<u8>, String)];

/// Dense offsets; of each run the first numbers, each once; at the acknowledged offsets what was acknowledged.
fn look_at_plain(read: &Read, partition: i32, said: &Said, run: usize) {
    let mut next: BTreeMap<usize, usize> = BTreeMap::new();
    let mut last_run = 0;
    for (expected, (offset, _, value)) in (0..).zip(read) {
        assert_eq!(*offset, expected, "partition {partition}, run {run}");
        let (of_run, n) = numbers(value);
        assert!(of_run >= last_run, "{value} comes after run {last_run}");
        last_run = of_run;
        let next = next.entry(of_run).or_default();
        assert_eq!(n, *next, "the next of run {of_run} in partition {partition}");
        *next += 1;
    }
    for ((of, offset), value) in said.plain.iter().filter(|((of, _), _)| *of == partition) {
        let found = usize::try_from(*offset).ok().and_then(|offset| read.get(offset));
        assert_eq!(found.map(|(.., value)| value), Some(value), "partition {of}, offset {offset}");
    }
}

fn look_at_table(read: &Read, said: &Said) {
    let mut table: HashMap<String, (usize, usize)> = HashMap::new();
    for (_, key, value) in read {
        let key = String::from_utf8(key.clone()).unwrap();
        let value = numbers(value);
        let before = table.insert(key.clone(), value);
        assert!(before.is_none_or(|before| before < value), "{key} goes back from {before:?} to {value:?}");
    }
    for (key, value) in &said.table {
        assert!(table.get(key).is_some_and(|found| found >= value), "{key}: {:?} {value:?}", table.get(key));
    }
}

fn look_at_transactions(partitions: [Vec<(i64, Vec<u8>, String)>; 2], said: &Said) {
    let [first, second] = partitions.map(|read| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        read.into_iter().for_each(|(.., value)| *counts.entry(value).or_default() += 1);
        counts
    });
    assert!(first.values().all(|count| *count == 2), "{first:?}");
    assert!(second.values().all(|count| *count == 1), "{second:?}");
    assert!(first.keys().eq(second.keys()), "a transaction shows in one partition only");
    assert!(said.committed.iter().all(|value| first.contains_key(value)), "a committed transaction is gone");
    assert!(!said.aborted.iter().any(|value| first.contains_key(value)), "an aborted transaction shows");
    // What nobody has heard of may be there, if the writer died before it could say so; never what it would abort.
    assert!(first.keys().all(|value| numbers(value).1 % 3 != 2), "an aborted transaction shows");
}
