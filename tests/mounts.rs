//! Volumes that are really full, and really read-only.
//!
//! They are mounted where only the test sees them, and are gone with it. Where the system does not permit that, the tests say
//! so and are skipped: `cargo test --test mounts -- --nocapture`.

#![cfg(target_os = "linux")]
#![expect(clippy::disallowed_methods, reason = "the volumes under a broker are the test's own")]

use std::error::Error as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs};

use ottla::{
    AlterConfig, BatchOptions, Broker, ConfigResource, Error, ErrorCode, NewTopic, Partition,
    RecordBatchBuilder,
};

/// Set in a process that has mounts of its own.
const OWN_MOUNTS: &str = "OTTLA_OWN_MOUNTS";

/// Runs the test of this name in a process with mounts of its own, unless this is one: then it answers `false`.
fn runs_elsewhere(test: &str) -> bool {
    if env::var_os(OWN_MOUNTS).is_some() {
        return false;
    }
    let place = tempfile::tempdir().unwrap();
    let mut reasons = Vec::new();
    // As root; and as anybody, where the system lets everybody be root in a namespace of their own.
    for rights in [&["--mount"][..], &["--mount", "--map-root-user"]] {
        let mut probe = Command::new("unshare");
        probe.args(rights).args(["mount", "-t", "tmpfs", "tmpfs"]).arg(place.path());
        match probe.output() {
            Ok(output) if output.status.success() => {
                let mut command = Command::new("unshare");
                command.args(rights).arg(env::current_exe().unwrap()).args(["--exact", test, "--nocapture"]);
                let status = command.env(OWN_MOUNTS, "1").status().unwrap();
                assert!(status.success(), "{test}: {status}");
                return true;
            }
            Ok(output) => reasons.push(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => reasons.push(format!("unshare: {error}")),
        }
    }
    eprintln!("SKIPPED {test}: nothing may be mounted here ({})", reasons.join("; "));
    true
}

fn run(program: &str, args: &[&str], path: &Path) {
    let output = Command::new(program).args(args).arg(path).output().unwrap();
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A record of 20 kB that tells its offset.
fn batch(offset: i64) -> RecordBatchBuilder {
    let mut builder = RecordBatchBuilder::new(BatchOptions::default());
    let value = [&offset.to_be_bytes()[..], &[7; 20_000]].concat();
    builder.append(1_700_000_000_000, None, Some(value.as_slice())).unwrap();
    builder
}

fn append(partition: &Partition, offset: i64) -> Result<(), Error> {
    let appended = partition.append(&mut batch(offset))?;
    assert_eq!(appended.base_offset, offset);
    Ok(())
}

/// Appends until that is refused; answers the offset of what was.
fn append_until_refused(partition: &Partition, mut offset: i64) -> (i64, Error) {
    loop {
        assert!(offset < 100_000, "there is an end to every disk");
        match append(partition, offset) {
            Ok(()) => offset += 1,
            Err(error) => return (offset, error),
        }
    }
}

fn check(partition: &Partition, end: i64) {
    let mut reader = partition.read_from(0);
    let mut next: i64 = 0;
    while let Some(batch) = reader.next_batch().unwrap() {
        for record in batch.records(1 << 20).unwrap().map(Result::unwrap) {
            assert_eq!(record.value().unwrap()[..8], next.to_be_bytes());
            next += 1;
        }
    }
    assert_eq!(next, end);
    assert_eq!(partition.latest_offset().unwrap(), end);
}

/// Waits for what other threads do.
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::yield_now();
    }
}

/// All that an error says.
fn words(error: &Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        words = format!("{words}: {error}");
        source = error.source();
    }
    words
}

fn says(error: &Error, what: &str) {
    assert_eq!(error.code(), ErrorCode::KafkaStorageError);
    assert!(words(error).contains(what), "{}", words(error));
}

#[test]
fn a_full_disk_refuses_writes_serves_what_it_has_and_takes_writes_again_once_there_is_room() {
    if runs_elsewhere(
        "a_full_disk_refuses_writes_serves_what_it_has_and_takes_writes_again_once_there_is_room",
    ) {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    run("mount", &["-t", "tmpfs", "-o", "size=64m", "tmpfs"], root.path());
    let (filler, dir) = (root.path().join("filler"), root.path().join("logs"));
    fs::write(&filler, vec![1; 16 << 20]).unwrap();
    let open = || Broker::builder().log_dir(&dir).set("log.segment.bytes", "1048576").open().unwrap();
    let broker = open();
    broker.admin().create_topic(NewTopic::new("orders", 1)).unwrap();
    let partition = broker.topic("orders").unwrap().partition(0).unwrap();
    let (taken, refused) = append_until_refused(&partition, 0);
    says(&refused, "No space left on device");
    for _ in 0..3 {
        // What is there is served, and can be made to last, if that needs no room.
        check(&partition, taken);
        if let Err(error) = partition.flush() {
            says(&error, "No space left on device");
        }
        says(&append(&partition, taken).unwrap_err(), "No space left on device");
    }
    assert_eq!(broker.admin().describe_log_dirs().unwrap()[0].offline, None);

    fs::remove_file(&filler).unwrap();
    for offset in taken..taken + 100 {
        append(&partition, offset).unwrap();
    }
    check(&partition, taken + 100);
    drop((partition, broker));
    #[cfg(feature = "cli")]
    assert_eq!(ottla::VerifyLogDir::verify(&dir, |_| {}).unwrap().problems, [""; 0]);
    let broker = open();
    check(&broker.topic("orders").unwrap().partition(0).unwrap(), taken + 100);
    // With the last handle, the last open file goes.
    drop(broker);
    run("umount", &[], root.path());
}

#[test]
fn a_disk_that_turns_read_only_goes_offline_and_the_others_go_on() {
    if runs_elsewhere("a_disk_that_turns_read_only_goes_offline_and_the_others_go_on") {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let dirs = ["a", "b"].map(|name| root.path().join(name));
    let log_dirs = dirs.clone().map(|dir| dir.to_str().unwrap().to_owned()).join(",");
    let open = || {
        let builder = Broker::builder().set("log.dirs", &*log_dirs);
        builder.set("log.segment.bytes", "1048576").open().unwrap()
    };
    let broker = open();
    broker.admin().create_topic(NewTopic::new("orders", 2)).unwrap();
    let described = broker.admin().describe_log_dirs().unwrap();
    let in_first = described.iter().find(|dir| dir.path == dirs[0]).unwrap();
    let lost_id = in_first.partitions.iter().find(|(partition, _)| partition.topic() == "orders");
    let lost_id = lost_id.unwrap().0.partition();
    let partition = |broker: &Broker, id| broker.topic("orders").unwrap().partition(id).unwrap();
    let (lost, other) = (partition(&broker, lost_id), partition(&broker, 1 - lost_id));
    for offset in 0..10 {
        append(&lost, offset).unwrap();
        append(&other, offset).unwrap();
    }
    // Files that are open stay writable; the next one cannot be made.
    run("mount", &["--bind", dirs[0].to_str().unwrap()], &dirs[0]);
    run("mount", &["-o", "remount,bind,ro"], &dirs[0]);
    let (taken, refused) = append_until_refused(&lost, 10);
    says(&refused, "Read-only file system");
    assert_eq!(append(&lost, taken).unwrap_err().code(), ErrorCode::KafkaStorageError);
    assert_eq!(lost.read_from(0).next_batch().unwrap_err().code(), ErrorCode::KafkaStorageError);
    let reason = |broker: &Broker| {
        let described = broker.admin().describe_log_dirs().unwrap();
        described.into_iter().find(|dir| dir.path == dirs[0]).unwrap().offline
    };
    assert!(reason(&broker).unwrap().contains("Read-only file system"));
    for offset in 10..200 {
        append(&other, offset).unwrap();
    }
    check(&other, 200);
    broker.admin().create_topic(NewTopic::new("views", 2)).unwrap();
    drop((lost, other));
    broker.close();

    // So it is if the disk is read-only from the start.
    let broker = open();
    assert!(reason(&broker).unwrap().contains("Read-only file system"));
    check(&partition(&broker, 1 - lost_id), 200);
    broker.close();

    run("umount", &[], &dirs[0]);
    let broker = open();
    assert_eq!(reason(&broker), None);
    check(&partition(&broker, lost_id), taken);
    check(&partition(&broker, 1 - lost_id), 200);
    broker.close();
}

/// The bytes of records of a partition.
fn size_of(broker: &Broker, topic: &str) -> u64 {
    let described = broker.admin().describe_log_dirs().unwrap();
    let sizes = described[0].partitions.iter().filter(|(partition, _)| partition.topic() == topic);
    sizes.map(|(_, bytes)| bytes).sum()
}

#[test]
fn a_compaction_that_finds_no_room_leaves_all_as_it_is_and_is_done_once_there_is_some() {
    if runs_elsewhere("a_compaction_that_finds_no_room_leaves_all_as_it_is_and_is_done_once_there_is_some") {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    run("mount", &["-t", "tmpfs", "-o", "size=32m", "tmpfs"], root.path());
    let (filler, dir) = (root.path().join("filler"), root.path().join("logs"));
    fs::write(&filler, vec![1; 8 << 20]).unwrap();
    let open = || {
        let builder = Broker::builder().log_dir(&dir).set("log.segment.bytes", "1048576");
        builder.set("log.cleaner.backoff.ms", "10").open().unwrap()
    };
    let broker = open();
    let table = NewTopic::new("table", 1).config("cleanup.policy", "compact");
    broker.admin().create_topic(table.config("min.cleanable.dirty.ratio", "1")).unwrap();
    broker.admin().create_topic(NewTopic::new("rest", 1)).unwrap();
    let partition = |broker: &Broker, topic: &str| broker.topic(topic).unwrap().partition(0).unwrap();
    let (table, rest) = (partition(&broker, "table"), partition(&broker, "rest"));
    // Five megabytes, of which compaction leaves four: all of the first segments, of which it makes copies.
    let mut last = std::collections::BTreeMap::new();
    for i in 0..250 {
        let key = if i < 150 { i } else { 150 + i % 10 };
        let value = [&i64::to_be_bytes(i)[..], &[7; 20_000]].concat();
        let mut builder = RecordBatchBuilder::new(BatchOptions::default());
        builder.append(1_700_000_000_000, Some(&key.to_be_bytes()), Some(value.as_slice())).unwrap();
        last.insert(key, table.append(&mut builder).unwrap().base_offset);
    }
    let (taken, refused) = append_until_refused(&rest, 0);
    says(&refused, "No space left on device");
    // Room for a part of the first segment, so that the compaction begins.
    fs::OpenOptions::new().write(true).open(&filler).unwrap().set_len((8 << 20) - (400 << 10)).unwrap();
    let before = size_of(&broker, "table");
    let due = [AlterConfig::set("min.cleanable.dirty.ratio", "0")];
    broker.admin().alter_configs(&ConfigResource::topic("table"), due).unwrap();
    let is_cleaned = |entry: fs::DirEntry| entry.file_name().to_string_lossy().ends_with(".cleaned");
    let is_trying = || fs::read_dir(dir.join("table-0")).unwrap().any(|entry| is_cleaned(entry.unwrap()));
    for _ in 0..2 {
        wait_until("no compaction begins", is_trying);
        wait_until("the compaction is not given up", || !is_trying());
    }
    assert_eq!(size_of(&broker, "table"), before);
    assert_eq!(broker.admin().describe_log_dirs().unwrap()[0].offline, None);
    check(&rest, taken);

    fs::remove_file(&filler).unwrap();
    wait_until("nothing is compacted", || size_of(&broker, "table") < before * 7 / 8);
    append(&rest, taken).unwrap();
    check(&rest, taken + 1);
    drop((table, rest, broker));
    #[cfg(feature = "cli")]
    assert_eq!(ottla::VerifyLogDir::verify(&dir, |_| {}).unwrap().problems, [""; 0]);
    let broker = open();
    let table = partition(&broker, "table");
    let mut found = std::collections::BTreeMap::new();
    let mut reader = table.read_from(0);
    while let Some(batch) = reader.next_batch().unwrap() {
        for record in batch.records(1 << 20).unwrap().map(Result::unwrap) {
            found.insert(i64::from_be_bytes(record.key().unwrap().try_into().unwrap()), record.offset());
        }
    }
    assert_eq!(found, last);
    drop((reader, table, broker));
    run("umount", &[], root.path());
}
