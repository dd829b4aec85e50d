//! Directories that Apache Kafka wrote, held against what that Kafka answered. `tests/interop/files/run` makes both.

#![expect(clippy::disallowed_methods, reason = "a test unpacks its files itself")]

use std::collections::BTreeMap;
use std::fs;

#[path = "../../../tests/kafka_files/archive.rs"]
mod archive;

use archive::{kept, unpack};

use super::*;
use crate::broker::metadata::Topic;
use crate::log::{EpochEndOffset, Log, ReadParams};
use crate::model::{LeaderEpoch, Offset};
use crate::record::{Batches, Record, RecordBatch, TimestampType};

const FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kafka_files");
const TRANSACTIONAL_IDS: [&str; 3] = ["id-0", "id-1", "id-2"];

/// A broker on a copy of the directory, at the time at which Kafka was asked, and Kafka's answers.
fn open(version: &str) -> (tempfile::TempDir, Broker, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    unpack(&kept(&format!("kafka-{version}.tar")), dir.path());
    let answers = String::from_utf8(kept(&format!("kafka-{version}.txt"))).unwrap();
    let (now, lines) = answers.split_once('\n').unwrap();
    let clock = ManualClock::new(now.strip_prefix("now ").unwrap().parse().unwrap());
    // No id is given: it is the directory's.
    let broker = Broker::builder().log_dir(dir.path()).clock(Arc::new(clock)).open().unwrap();
    (dir, broker, lines.lines().map(str::to_owned).collect())
}

fn read(log: &Log, start_offset: Offset, isolation: FetchIsolation) -> (Vec<RecordBatch>, Vec<String>) {
    let params = ReadParams { start_offset, max_bytes: 700, isolation, min_one_message: true };
    let data = log.read(&params).unwrap();
    let bytes = data.records.map(|slice| slice.read().unwrap()).unwrap_or_default();
    let batches = Batches::new(&bytes)
        .map(|batch| RecordBatch::parse(Bytes::copy_from_slice(batch.unwrap().as_bytes())).unwrap());
    let aborted = data.aborted_transactions.unwrap_or_default();
    let aborted = aborted.iter().map(|aborted| {
        let partition = log.topic_partition();
        let (producer, first) = (aborted.producer_id, aborted.first_offset);
        format!("aborted {partition} from {start_offset}: producer {producer} at {first}")
    });
    (batches.collect(), aborted.collect())
}

fn text(bytes: Option<&[u8]>) -> String {
    bytes.map_or("null".to_owned(), |bytes| format!("'{}'", std::str::from_utf8(bytes).unwrap()))
}

fn record_line(log: &Log, batch: &RecordBatch, record: &Record) -> String {
    let kind = match (batch.view().magic(), batch.view().timestamp_type()) {
        (0, _) => "NoTimestampType",
        (_, TimestampType::CreateTime) => "CreateTime",
        (_, TimestampType::LogAppendTime) => "LogAppendTime",
    };
    let (partition, offset, timestamp) = (log.topic_partition(), record.offset(), record.timestamp());
    let (key, value) = (text(record.key()), text(record.value()));
    let mut line = format!("record {partition} {offset} {kind} {timestamp} {key} {value}");
    for header in record.headers() {
        line += &format!(" {}={}", header.key(), text(header.value()));
    }
    line
}

/// The offsets, batches, records, aborted transactions and producers of a partition.
fn of_partition(log: &Log) -> Vec<String> {
    let partition = log.topic_partition();
    let (start, end, stable) = (log.log_start_offset(), log.log_end_offset(), log.last_stable_offset());
    let mut lines = vec![format!("offsets {partition} start={start} end={end} stable={stable}")];
    let mut at = start;
    while at < end {
        let (batches, _) = read(log, at, FetchIsolation::LogEnd);
        for batch in &batches {
            let view = batch.view();
            // Of an old wrapper, the entry has the offset of the last message in it.
            let base = if view.magic() < 2 { view.last_offset() } else { view.base_offset() };
            let (magic, size, crc) = (view.magic(), view.size_in_bytes(), crc32fast::hash(batch.as_bytes()));
            let last = view.last_offset();
            lines.push(format!("batch {partition} {base}..{last} magic={magic} size={size} crc={crc:08x}"));
            if !view.is_control() {
                let records = batch.records(1 << 20).unwrap().map(Result::unwrap);
                let records = records.filter(|record| record.offset() >= start);
                lines.extend(records.map(|record| record_line(log, batch, &record)));
            }
            at = last + 1;
        }
    }
    at = start;
    while at < stable {
        let (batches, aborted) = read(log, at, FetchIsolation::TxnCommitted);
        lines.extend(aborted);
        at = batches.last().map_or(end, |batch| batch.view().last_offset()) + 1;
    }
    let mut producers = log.active_producers();
    producers.sort_by_key(|producer| producer.producer_id);
    lines.extend(producers.iter().map(|producer| {
        format!(
            "producer {partition} producerId={} producerEpoch={} lastSequence={} lastTimestamp={} \
             coordinatorEpoch={} currentTxnStartOffset={}",
            producer.producer_id,
            producer.producer_epoch,
            producer.last_sequence(),
            producer.last_timestamp,
            producer.coordinator_epoch,
            producer.current_txn_first_offset.unwrap_or(-1)
        )
    }));
    lines
}

fn of_topic(topic: &Topic) -> Vec<String> {
    let name = topic.name();
    let settings = topic.settings();
    let config =
        |(key, _): (&String, &String)| format!("config {name} {key}={}", settings.config.get(key).unwrap());
    let mut lines = vec![format!("topic {name} {}", topic.id().to_hex())];
    lines.extend(settings.overrides.iter().map(config));
    lines
}

fn of_groups(core: &BrokerCore) -> Vec<String> {
    let mut lines = Vec::new();
    for group in core.groups.list_groups(&[], &[]).1 {
        for offset in core.groups.fetch_offsets(&group.group_id, None, false).unwrap() {
            let (partition, at, epoch) = (offset.topic_partition, offset.offset, offset.leader_epoch);
            let (metadata, error) = (offset.metadata, offset.error.code());
            let group = &group.group_id;
            lines.push(format!("commit {group} {partition} {at} epoch {epoch} '{metadata}' error {error}"));
        }
    }
    lines
}

/// What Kafka was asked one by one: the first record of a time, the end of an epoch.
fn answer(core: &BrokerCore, question: &str) -> String {
    let words: Vec<&str> = question.split(' ').collect();
    let (topic, partition) = words[1].rsplit_once('-').unwrap();
    let partition = core.partition(topic, partition.parse().unwrap()).unwrap();
    let log = partition.log().unwrap();
    if words[0] == "time" {
        let spec = OffsetSpec::ForTimestamp(words[2].parse().unwrap());
        let found = list_offset(&partition, spec, FetchIsolation::HighWatermark).unwrap();
        let (offset, timestamp, epoch) =
            found.map_or((-1, -1, -1), |found| (found.offset, found.timestamp, found.leader_epoch));
        format!("{question} is {offset} of {timestamp} in epoch {epoch}")
    } else {
        let asked: LeaderEpoch = words[2].parse().unwrap();
        let EpochEndOffset { epoch, end_offset } = log.end_offset_for_epoch(asked);
        format!("{question} is {epoch} up to {end_offset}")
    }
}

/// What ottla serves, as the same lines.
fn answers(core: &BrokerCore, theirs: &[String]) -> Vec<String> {
    let mut lines = of_groups(core);
    for topic in core.metadata.topics().iter().filter(|topic| !topic.is_internal()) {
        lines.extend(of_topic(topic));
        lines.extend(topic.partitions().iter().flat_map(|partition| of_partition(&partition.log().unwrap())));
    }
    for id in TRANSACTIONAL_IDS {
        let found = core.transactions.describe(id).unwrap();
        let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
        for partition in &found.partitions {
            topics.entry(partition.topic()).or_default().push(partition.partition());
        }
        let topics: Vec<String> =
            topics.iter().map(|(topic, partitions)| format!("('{topic}', {partitions:?})")).collect();
        let (producer, epoch) = (found.producer.producer_id, found.producer.producer_epoch);
        let (state, start, topics) = (found.state.name(), found.start_timestamp, topics.join(", "));
        lines.push(format!(
            "transaction {id} {state} producer={producer} epoch={epoch} start={start} [{topics}]"
        ));
    }
    let questions = theirs.iter().filter(|line| line.starts_with("time ") || line.starts_with("epoch "));
    lines.extend(questions.map(|line| answer(core, line.split(" is ").next().unwrap())));
    lines
}

/// Of compacted segments Kafka says that there is no record of a time or later if the batch that has the largest time
/// lost its records, even where later segments have some. ottla looks on.
fn is_kafkas_oversight(line: &str) -> bool {
    line.starts_with("time ") && line.contains("compacted-") && line.ends_with(" is -1 of -1 in epoch -1")
}

fn assert_serves_the_same(version: &str, is_compared: impl Fn(&str) -> bool, cut: impl Fn(String) -> String) {
    let (_dir, broker, theirs) = open(version);
    let mut ours = answers(&broker.core, &theirs);
    // Those are in the records of this test: what a consumer gets by them is the other lines' sum.
    let mut theirs: Vec<String> = theirs
        .into_iter()
        .filter(|line| !line.starts_with("committed ") && !is_kafkas_oversight(line))
        .collect();
    for lines in [&mut ours, &mut theirs] {
        *lines = std::mem::take(lines).into_iter().filter(|line| is_compared(line)).map(&cut).collect();
        lines.sort();
    }
    let excused = |line: &String| {
        let question = line.split(" is ").next().unwrap();
        !line.starts_with("time ") || theirs.iter().any(|other| other.split(" is ").next() == Some(question))
    };
    ours.retain(excused);
    let missing: Vec<_> = theirs.iter().filter(|line| ours.binary_search(line).is_err()).take(5).collect();
    let added: Vec<_> = ours.iter().filter(|line| theirs.binary_search(line).is_err()).take(5).collect();
    assert!(missing.is_empty() && added.is_empty(), "Kafka alone: {missing:#?}\nottla alone: {added:#?}");
    assert_eq!(ours.len(), theirs.len());
}

#[test]
fn a_directory_of_kafka_4_4_is_served_as_kafka_served_it() {
    assert_serves_the_same("4.4.0", |line| !line.contains("internal.segment.bytes"), |line| line);
}

#[test]
fn a_directory_of_kafka_2_7_is_served_as_kafka_served_it() {
    // It has no ids, does not tell of producers and transactions, has its settings in ZooKeeper, and notes no epochs of
    // logs in old formats.
    let kinds = ["config ", "producer ", "transaction ", "epoch old-"];
    let is_compared = |line: &str| !kinds.iter().any(|kind| line.starts_with(kind));
    let cut = |line: String| match line.strip_prefix("topic ") {
        Some(rest) => rest.split(' ').next().unwrap().to_owned(),
        None => line,
    };
    assert_serves_the_same("2.7.2", is_compared, cut);
}

#[test]
fn a_directory_of_kafka_is_as_kafka_left_it_where_ottla_does_not_write() {
    let (dir, broker, _) = open("4.4.0");
    let metadata = dir.path().join("__cluster_metadata-0");
    let content = |name: &str| fs::read(dir.path().join(name)).unwrap();
    let before = (content("meta.properties"), fs::read_dir(&metadata).unwrap().count());
    assert_eq!((broker.core.node_id, broker.cluster_id()), (1, "MkU3OEVBNTcwNTJENDM2Qg"));
    broker.close();
    assert_eq!((content("meta.properties"), fs::read_dir(&metadata).unwrap().count()), before);
    // Kafka goes on with ids of its own.
    let checkpoint = String::from_utf8(content("broker-metadata-checkpoint")).unwrap();
    assert!(checkpoint.contains(&format!("producer-ids {}", 1_i64 << 40)), "{checkpoint}");
}

/// Old messages, several to an append, with the offsets of single records in time indexes, or without timestamps; indexes
/// with the room that Kafka reserves; Kafka's own metadata.
#[cfg(feature = "cli")]
#[test]
fn nothing_is_found_wrong_with_what_kafka_wrote_and_nothing_is_to_be_repaired() {
    let mut versions = 0;
    for entry in fs::read_dir(FILES).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(version) = name.strip_prefix("kafka-").and_then(|name| name.strip_suffix(".tar.gz")) else {
            continue;
        };
        versions += 1;
        let dir = tempfile::tempdir().unwrap();
        unpack(&kept(&format!("kafka-{version}.tar")), dir.path());
        // As Kafka left it when it was stopped, and as after a crash.
        for _ in 0..2 {
            let found = VerifyLogDir::verify(dir.path(), |_| {}).unwrap();
            assert!(found.segments > found.partitions, "{version}: {found:?}");
            assert_eq!(found.problems, [""; 0], "{version}");
            // What Kafka was about to remove.
            assert!(found.pending.iter().all(|what| what.contains(".deleted: ")), "{version}: {found:?}");
            let plan = RepairLogDir::plan(dir.path(), |_| {}).unwrap();
            assert_eq!((plan.steps, plan.left), (Vec::new(), Vec::new()), "{version}");
            let _ = fs::remove_file(dir.path().join(".kafka_cleanshutdown"));
        }
    }
    assert_eq!(versions, 2);
}

#[cfg(feature = "cli")]
#[test]
fn damage_in_the_metadata_of_kafka_is_told_and_left_to_kafka() {
    let dir = tempfile::tempdir().unwrap();
    unpack(&kept("kafka-4.4.0.tar"), dir.path());
    let metadata = dir.path().join("__cluster_metadata-0");
    for name in [
        "00000000000000000000.log",
        "00000000000000000000-0000000000.checkpoint",
        "00000000000000000000.index",
    ] {
        let path = metadata.join(name);
        let whole = fs::read(&path).unwrap();
        let mut damaged = whole.clone();
        damaged[100] ^= 1;
        let _ = fs::remove_file(&path);
        fs::write(&path, &damaged).unwrap();
        let found = VerifyLogDir::verify(dir.path(), |_| {}).unwrap();
        assert!(!found.problems.is_empty(), "{name}");
        for problem in &found.problems {
            assert!(
                problem.contains(name) && problem.ends_with("; Kafka's metadata is left as it is"),
                "{problem}"
            );
        }
        let done = RepairLogDir::repair(dir.path(), |_| {}).unwrap();
        assert_eq!((done.steps.len(), done.kept.len(), done.left.len()), (0, 0, found.problems.len()));
        assert_eq!(fs::read(&path).unwrap(), damaged);
        fs::write(&path, &whole).unwrap();
    }
}
