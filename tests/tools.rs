//! What the `ottla` binary does with the files of a broker, from outside.

#![expect(clippy::disallowed_methods, reason = "the files and processes around a broker are the test's own")]
#![cfg(feature = "cli")]

#[cfg(feature = "gzip")]
#[path = "kafka_files/archive.rs"]
mod archive;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

#[cfg(feature = "gzip")]
use archive::{kept, unpack};

use ottla::{
    BatchOptions, Broker, CompressionType, NewTopic, ProducerRecord, RecordBatchBuilder, TopicPartition,
};
use tempfile::TempDir;

fn ottla(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ottla"));
    command.args(args).stdin(Stdio::null()).output().unwrap()
}

/// What a run that succeeds says: to stdout and to stderr.
fn says(args: &[&str]) -> (String, String) {
    let output = ottla(args);
    let texts = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8(bytes.clone()).unwrap());
    assert!(output.status.success(), "{args:?}: {texts:?}");
    let [stdout, stderr] = texts;
    (stdout, stderr)
}

fn batch(options: BatchOptions, entries: &[(Option<&str>, Option<&str>)]) -> RecordBatchBuilder {
    let mut builder = RecordBatchBuilder::new(options);
    for (i, (key, value)) in entries.iter().enumerate() {
        let timestamp = 1_700_000_000_000 + i as i64;
        builder.append(timestamp, key.map(str::as_bytes), value.map(str::as_bytes)).unwrap();
    }
    builder
}

/// A log of several segments, as a broker leaves it; the directory of its one partition.
fn written() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let broker = Broker::open(dir.path()).unwrap();
    let topic = NewTopic::new("orders", 1).config("segment.bytes", "400").config("index.interval.bytes", "0");
    broker.admin().create_topic(topic).unwrap();
    let partition = broker.topic("orders").unwrap().partition(0).unwrap();
    for i in 0..12 {
        let compression = if i % 2 == 0 { CompressionType::None } else { CompressionType::Gzip };
        let options = BatchOptions { compression, ..BatchOptions::default() };
        partition.append(&mut batch(options, &[(Some("key"), Some("value")), (None, None)])).unwrap();
    }
    let last = ProducerRecord::new("orders").value("of an idempotent producer").timestamp(1_700_000_000_009);
    broker.producer().send(last).unwrap().wait().unwrap();
    broker.close();
    let partition = dir.path().join("orders-0");
    (dir, partition)
}

fn first(partition: &Path, kind: &str) -> String {
    partition.join(format!("00000000000000000000{kind}")).to_str().unwrap().to_owned()
}

#[test]
fn batches_are_told_as_kafkas_own_tool_tells_them() {
    let (_dir, partition) = written();
    let log = first(&partition, ".log");
    let (stdout, stderr) = says(&["dump-log", &log]);
    let mut lines = stdout.lines();
    assert_eq!(lines.next(), Some(&*format!("Dumping {log}")));
    assert_eq!(lines.next(), Some("Log starting offset: 0"));
    let line = lines.next().unwrap();
    let (head, tail) = line.split_once(" size: ").unwrap();
    assert_eq!(
        head,
        "baseOffset: 0 lastOffset: 1 count: 2 baseSequence: -1 lastSequence: -1 producerId: -1 producerEpoch: -1 \
         partitionLeaderEpoch: 0 isTransactional: false isControl: false deleteHorizonMs: OptionalLong.empty \
         position: 0 CreateTime: 1700000000001"
    );
    assert!(
        tail.contains(" magic: 2 compresscodec: none crc: ") && tail.ends_with(" isvalid: true"),
        "{tail}"
    );
    assert!(lines.next().unwrap().contains(" compresscodec: gzip "));
    assert_eq!(stderr, "");
}

#[test]
fn records_are_told_with_key_and_value_only_if_asked_for() {
    let (_dir, partition) = written();
    let log = first(&partition, ".log");
    let deep = says(&["dump-log", "--deep-iteration", "--files", &log]).0;
    let line = deep.lines().find(|line| line.starts_with("| offset: 0 ")).unwrap();
    assert_eq!(
        line,
        "| offset: 0 CreateTime: 1700000000000 keySize: 3 valueSize: 5 sequence: -1 headerKeys: []"
    );
    let printed = says(&["dump-log", "--print-data-log", "--files", &log]).0;
    assert!(printed.contains(&format!("{line} key: key payload: value\n")), "{printed}");
    assert!(printed.contains(
        "| offset: 3 CreateTime: 1700000000001 keySize: -1 valueSize: -1 sequence: -1 headerKeys: []\n"
    ));
    let bare = says(&["dump-log", "--print-data-log", "--skip-record-metadata", &log]).0;
    assert!(bare.contains("\n| key: key payload: value\n"), "{bare}");
}

#[test]
fn indexes_and_snapshots_of_a_log_are_told_and_nothing_is_wrong_with_them() {
    let (_dir, partition) = written();
    for (kind, word) in [(".index", "offset: "), (".timeindex", "timestamp: ")] {
        let file = first(&partition, kind);
        let (stdout, stderr) = says(&["dump-log", &file]);
        assert!(stdout.lines().nth(1).unwrap().starts_with(word), "{stdout}");
        assert_eq!(stderr, "");
        let (quiet, stderr) = says(&["dump-log", "--verify-index-only", &file]);
        assert_eq!((quiet, stderr), (format!("Dumping {file}\n"), String::new()));
        let (sane, _) = says(&["dump-log", "--index-sanity-check", &file]);
        assert!(sane.ends_with(&format!("{file} passed sanity check.\n")), "{sane}");
    }
    let snapshots = fs::read_dir(&partition).unwrap().map(|entry| entry.unwrap().path());
    let mut snapshots: Vec<_> =
        snapshots.filter(|path| path.extension().is_some_and(|end| end == "snapshot")).collect();
    snapshots.sort();
    let (stdout, _) = says(&["dump-log", snapshots.last().unwrap().to_str().unwrap()]);
    assert!(
        stdout.contains(
            " producerEpoch: 0 coordinatorEpoch: -1 currentTxnFirstOffset: OptionalLong.empty \
             lastTimestamp: 1700000000009 firstSequence: 0 lastSequence: 0 lastOffset: 24 offsetDelta: 0 \
             timestamp: 1700000000009\n"
        ),
        "{stdout}"
    );
}

#[test]
fn damage_is_told_and_what_cannot_be_read_is_an_error() {
    let (_dir, partition) = written();
    let log = first(&partition, ".log");
    let mut content = fs::read(&log).unwrap();
    let at = content.len() - 1;
    content[at] ^= 1;
    content.extend_from_slice(&[7; 30]);
    fs::write(&log, &content).unwrap();
    let (stdout, _) = says(&["dump-log", &log]);
    assert!(stdout.contains("isvalid: false"), "{stdout}");
    assert!(stdout.contains("Found 30 invalid bytes at the end of 00000000000000000000.log"), "{stdout}");
    let index = first(&partition, ".index");
    let mut content = fs::read(&index).unwrap();
    content[3] ^= 4;
    fs::write(&index, &content).unwrap();
    let (_, stderr) = says(&["dump-log", "--verify-index-only", &index]);
    assert!(stderr.starts_with(&format!("Mismatches in :{index}\n  Index offset: ")), "{stderr}");
    let unknown = partition.join("partition.metadata");
    let (_, stderr) = says(&["dump-log", unknown.to_str().unwrap(), &log]);
    assert!(stderr.starts_with(&format!("Ignoring unknown file {}\n", unknown.display())), "{stderr}");
    fs::remove_file(&log).unwrap();
    for (wrong, why) in [
        (log.clone(), "No such file"),
        (first(&partition, ".log.gone"), "No such file"),
        (partition.to_str().unwrap().to_owned(), "it is a directory: name the files in it"),
    ] {
        let output = ottla(&["dump-log", &wrong]);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains(&wrong) && stderr.contains(why), "{stderr}");
    }
    let output = ottla(&["dump-log"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && stderr.contains("<FILE|--files <FILES>>"), "{stderr}");
}

#[test]
fn the_records_of_groups_are_told_as_json() {
    let dir = tempfile::tempdir().unwrap();
    let broker =
        Broker::builder().log_dir(dir.path()).set("offsets.topic.num.partitions", "1").open().unwrap();
    broker.admin().create_topic(NewTopic::new("orders", 1)).unwrap();
    let mut consumer = broker.consumer_builder().group_id("g \"1\"").build().unwrap();
    let tp = TopicPartition::new("orders", 0);
    consumer.assign([tp.clone()]).unwrap();
    consumer.commit_offsets([(tp, 0i64)]).unwrap();
    drop(consumer);
    broker.close();
    let log = dir.path().join("__consumer_offsets-0").join("00000000000000000000.log");
    let (stdout, _) = says(&["dump-log", "--offsets-decoder", log.to_str().unwrap()]);
    let key = r#" key: {"type":"1","data":{"group":"g \"1\"","topic":"orders","partition":0}}"#;
    let payload =
        r#" payload: {"version":"3","data":{"offset":0,"leaderEpoch":-1,"metadata":"","commitTimestamp":"#;
    assert!(stdout.contains(&format!("{key}{payload}")), "{stdout}");
}

/// Everything that Kafka's own tool said of its own files: all codecs, magic 0 to 2, transactions and share groups.
#[cfg(feature = "gzip")]
#[test]
fn files_of_kafka_are_told_word_for_word_as_kafkas_own_tool_tells_them() {
    for (version, sections) in [("2.7.2", 3), ("4.4.0", 4)] {
        let dir = tempfile::tempdir().unwrap();
        unpack(&kept(&format!("kafka-{version}.tar")), dir.path());
        let golden = String::from_utf8(kept(&format!("kafka-{version}.dump"))).unwrap();
        let golden: Vec<_> = golden.strip_prefix("$ ").unwrap().split("\n$ ").collect();
        assert_eq!(golden.len(), sections);
        for section in golden {
            let (args, expected) = section.split_once('\n').unwrap();
            let mut command = Command::new(env!("CARGO_BIN_EXE_ottla"));
            let output =
                command.current_dir(dir.path()).arg("dump-log").args(args.split(' ')).output().unwrap();
            let stdout = String::from_utf8(output.stdout).unwrap();
            assert_eq!(stdout.lines().count(), expected.lines().count(), "{version}: {args}");
            for (i, (line, expected)) in stdout.lines().zip(expected.lines()).enumerate() {
                assert_eq!(line, expected, "{version}, line {i} of {}", args.split(' ').next().unwrap());
            }
        }
    }
}

#[test]
fn a_log_is_told_in_whole_batches_up_to_the_bytes_asked_for() {
    let (_dir, partition) = written();
    let log = first(&partition, ".log");
    let batches = |args: &[&str]| {
        let stdout = says(&[&["dump-log", &log], args].concat()).0;
        stdout.lines().filter(|line| line.starts_with("baseOffset: ")).map(str::to_owned).collect::<Vec<_>>()
    };
    let all = batches(&[]);
    let second: u64 =
        all[1].split(' ').skip_while(|word| *word != "position:").nth(1).unwrap().parse().unwrap();
    assert_eq!(batches(&["--max-bytes", &second.to_string()]), all[..1]);
    assert_eq!(batches(&["--max-bytes", &(second - 1).to_string()]), all[..0]);
}

#[test]
fn an_index_that_points_at_a_batch_larger_than_asked_for_is_told() {
    let (_dir, partition) = written();
    let index = first(&partition, ".index");
    assert_eq!(says(&["dump-log", "--verify-index-only", "--max-message-size", "1000", &index]).1, "");
    let (_, stderr) = says(&["dump-log", "--verify-index-only", "--max-message-size", "20", &index]);
    assert!(stderr.starts_with(&format!("Mismatches in :{index}\n  Index offset: ")), "{stderr}");
}

#[test]
fn decoders_that_only_kafkas_tool_has_are_refused_with_what_there_is() {
    let (_dir, partition) = written();
    let log = first(&partition, ".log");
    let printed = says(&["dump-log", "--print-data-log", &log]).0;
    for args in [
        &["--key-decoder-class", "org.apache.kafka.tools.api.StringDecoder"][..],
        &["--value-decoder-class=kafka.serializer.StringDecoder"],
    ] {
        assert_eq!(says(&[&["dump-log"][..], args, &["--files", &log]].concat()).0, printed);
    }
    for (option, class, instead) in [
        ("--value-decoder-class", Some("com.example.Mine"), "--offsets-decoder"),
        ("--key-decoder-class", Some("com.example.Mine"), "StringDecoder"),
        ("--cluster-metadata-decoder", None, "kafka-dump-log"),
        ("--remote-log-metadata-decoder", None, "kafka-dump-log"),
    ] {
        let mut args = vec!["dump-log", option];
        args.extend(class);
        args.extend(["--files", &log]);
        let output = ottla(&args);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && output.stdout.is_empty(), "{stderr}");
        assert!(stderr.contains(option) && stderr.contains(instead), "{stderr}");
    }
}

#[test]
fn a_directory_that_a_broker_left_is_sound_and_verifying_it_changes_nothing() {
    let (dir, partition) = written();
    let content = || {
        let mut files: Vec<_> =
            fs::read_dir(&partition).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.into_iter().map(|path| (fs::read(&path).unwrap(), path)).collect::<Vec<_>>()
    };
    let before = content();
    let (stdout, _) = says(&["verify", dir.path().to_str().unwrap()]);
    assert!(stdout.ends_with(" 0 problems\n") && stdout.contains(": 1 partitions, "), "{stdout}");
    assert_eq!(content(), before);
}

#[test]
fn what_is_no_part_of_the_logs_is_named_and_no_problem() {
    let (dir, partition) = written();
    let stray = format!("orders-7.{}-stray", "a".repeat(32));
    for name in ["lost+found", &stray] {
        fs::create_dir(dir.path().join(name)).unwrap();
    }
    for file in [dir.path().join("todo.txt"), partition.join("notes.txt")] {
        fs::write(file, "mine").unwrap();
    }
    let (stdout, stderr) = says(&["verify", dir.path().to_str().unwrap()]);
    let lines: Vec<&str> = stdout.lines().collect();
    let at = |path: &Path, what| format!("{}: {what} is left alone", path.display());
    for expected in [
        at(&dir.path().join("lost+found"), "a foreign directory"),
        at(&dir.path().join(stray), "a partition that Kafka put aside"),
        at(&dir.path().join("todo.txt"), "a foreign file"),
        at(&partition.join("notes.txt"), "a foreign file"),
    ] {
        assert!(lines.contains(&&*expected), "{expected}: {stdout}");
    }
    assert!(stdout.ends_with(", 0 problems, 4 foreign\n"), "{stdout}");
    assert_eq!(stderr, "");
}

#[test]
fn a_flipped_bit_in_any_file_of_a_segment_is_named_with_its_place() {
    for (kind, at) in [(".log", 80), (".index", 3), (".timeindex", 6), (".snapshot", 20)] {
        let (dir, partition) = written();
        let mut files: Vec<_> =
            fs::read_dir(&partition).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| {
            path.to_str().unwrap().ends_with(kind) && fs::metadata(path).unwrap().len() > at as u64
        });
        files.sort();
        let file = files.first().unwrap();
        let mut content = fs::read(file).unwrap();
        content[at] ^= 0x10;
        fs::write(file, &content).unwrap();
        let output = ottla(&["verify", dir.path().to_str().unwrap()]);
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{kind}: {stdout}");
        assert!(stdout.starts_with(file.to_str().unwrap()), "{kind}: {stdout}");
    }
}

#[test]
fn a_directory_in_use_and_one_that_is_not_there_are_errors() {
    let dir = tempfile::tempdir().unwrap();
    let broker = Broker::open(dir.path()).unwrap();
    let output = ottla(&["verify", dir.path().to_str().unwrap()]);
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("in use by another broker"));
    broker.close();
    assert!(!ottla(&["verify", dir.path().join("gone").to_str().unwrap()]).status.success());
}

/// "0 problems" would be told of it else, and believed.
#[test]
fn a_directory_that_is_no_log_dir_is_refused_with_the_remedy_and_left_as_it_is() {
    let (dir, partition) = written();
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("notes.txt"), "mine").unwrap();
    let file = dir.path().join("meta.properties");
    for (wrong, expected) in [
        (&*partition, "no log dir but that of one partition: name the directory above it"),
        (elsewhere.path(), "no log dir, nothing in it is a broker's: name one of log.dirs"),
        (&*file, "cannot list"),
    ] {
        for args in [&["verify"][..], &["repair"], &["repair", "--yes"]] {
            let output = ottla(&[args, &[wrong.to_str().unwrap()]].concat());
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "{args:?}: {stderr}");
            assert!(stderr.contains(expected) && stderr.contains(wrong.to_str().unwrap()), "{stderr}");
            assert!(output.stdout.is_empty() && !wrong.join(".lock").exists());
        }
    }
    let unused = tempfile::tempdir().unwrap();
    assert!(says(&["verify", unused.path().to_str().unwrap()]).0.contains(": 0 partitions, "));
}

fn last_log(partition: &Path) -> PathBuf {
    let files = fs::read_dir(partition).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|end| end == "log")).max().unwrap()
}

#[test]
fn an_end_that_a_crash_has_torn_is_told_and_no_failure() {
    let (dir, partition) = written();
    fs::remove_file(dir.path().join(".kafka_cleanshutdown")).unwrap();
    let log = last_log(&partition);
    let mut content = fs::read(&log).unwrap();
    content.extend_from_slice(&[0; 30]);
    fs::write(&log, content).unwrap();
    let (stdout, _) = says(&["verify", dir.path().to_str().unwrap()]);
    assert!(stdout.starts_with(log.to_str().unwrap()), "{stdout}");
    assert!(stdout.contains("; the next start cuts the 30 bytes from there on\n"), "{stdout}");
    assert!(stdout.ends_with(", 0 problems, 1 for the next start to mend\n"), "{stdout}");
    let broker = Broker::open(dir.path()).unwrap();
    assert_eq!(broker.topic("orders").unwrap().partition(0).unwrap().latest_offset().unwrap(), 25);
    broker.close();
    let (stdout, _) = says(&["verify", dir.path().to_str().unwrap()]);
    assert!(stdout.ends_with(" 0 problems\n"), "{stdout}");
}

#[test]
fn a_repair_says_what_it_would_cut_and_cuts_it_only_if_told_to() {
    let (dir, partition) = written();
    let log = first(&partition, ".log");
    let mut damaged = fs::read(&log).unwrap();
    damaged[70] ^= 1;
    fs::write(&log, &damaged).unwrap();
    let args = ["repair", dir.path().to_str().unwrap()];
    let output = ottla(&args);
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "as verify: {stdout}");
    assert!(
        stdout.starts_with(&format!("{log}: cut ")) && stdout.contains(" bytes from byte 0 on ("),
        "{stdout}"
    );
    assert!(stdout.ends_with(": 1 partitions, 1 repairs to do with --yes\n"), "{stdout}");
    assert_eq!(fs::read(&log).unwrap(), damaged);

    let (stdout, stderr) = says(&[&args[..], &["--yes"]].concat());
    let kept = stdout.lines().find_map(|line| line.strip_suffix(".cut: kept")).unwrap();
    let kept = fs::read(format!("{kept}.cut")).unwrap();
    assert_eq!(kept, damaged[..kept.len()], "{stdout}{stderr}");
    assert!(!kept.is_empty() && stdout.ends_with(" 1 repairs done\n"), "{stdout}");
    assert!(says(&["verify", args[1]]).0.ends_with(" 0 problems\n"));
    assert!(says(&args).0.ends_with(": 1 partitions, nothing to repair\n"));
    let broker = Broker::open(dir.path()).unwrap();
    let partition = broker.topic("orders").unwrap().partition(0).unwrap();
    assert_eq!(partition.latest_offset().unwrap(), 25);
}

#[test]
fn a_directory_in_use_is_not_repaired() {
    let (dir, partition) = written();
    let log = first(&partition, ".log");
    let mut damaged = fs::read(&log).unwrap();
    damaged[70] ^= 1;
    let broker = Broker::open(dir.path()).unwrap();
    fs::write(&log, &damaged).unwrap();
    for args in [&["repair"][..], &["repair", "--yes"]] {
        let output = ottla(&[args, &[dir.path().to_str().unwrap()]].concat());
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8(output.stderr).unwrap().contains("in use by another broker"));
    }
    assert_eq!(fs::read(&log).unwrap(), damaged);
    broker.close();
    let gone = dir.path().join("gone");
    assert!(!ottla(&["repair", "--yes", gone.to_str().unwrap()]).status.success());
    assert!(!gone.exists());
}
