//! Volumes that are really full, and really read-only.
//!
//! They are mounted where only the test sees them, and are gone with it. Where the system does not permit that, the tests say
//! so and are skipped: `cargo test --test mounts -- --nocapture`.

#![cfg(target_os = "linux")]
#![expect(clippy::disallowed_methods, reason = "the volumes under a broker are the test's own")]

use std::error::Error as _;
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs};

use ottla::{
    AlterConfig, AutoOffsetReset, BatchOptions, Broker, BrokerBuilder, ConfigResource, Error, ErrorCode,
    IsolationLevel, NewTopic, Partition, Producer, ProducerRecord, RecordBatchBuilder, TopicPartition,
    Transaction,
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

/// A volume in memory, and a file on it that takes the room away and gives it back.
struct Volume {
    root: tempfile::TempDir,
    filler: fs::File,
}

impl Volume {
    fn new(megabytes: usize) -> Self {
        let root = tempfile::tempdir().unwrap();
        run("mount", &["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"], root.path());
        let filler = fs::File::create(root.path().join("filler")).unwrap();
        Volume { root, filler }
    }

    fn dir(&self) -> PathBuf {
        self.root.path().join("logs")
    }

    /// A broker whose state of groups and transactions is in one partition each.
    fn builder(&self) -> BrokerBuilder {
        let builder = Broker::builder().log_dir(self.dir()).set("log.segment.bytes", "1048576");
        let builder = builder.set("offsets.topic.num.partitions", "1");
        let builder = builder.set("group.initial.rebalance.delay.ms", "0");
        let builder = builder.set("transaction.state.log.num.partitions", "1");
        builder.set("transaction.abort.timed.out.transaction.cleanup.interval.ms", "10")
    }

    fn open(&self) -> Broker {
        self.builder().open().unwrap()
    }

    /// Leaves no block to anybody; what files have of their last ones stays theirs.
    fn fill_up(&self) {
        let error = loop {
            if let Err(error) = (&self.filler).write_all(&[1; 4096]) {
                break error;
            }
        };
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    }

    fn make_room(&self) {
        self.filler.set_len(0).unwrap();
        (&self.filler).rewind().unwrap();
    }

    /// Ends with nothing wrong in the directory, and no mount.
    fn check_and_unmount(self) {
        #[cfg(feature = "cli")]
        assert_eq!(ottla::VerifyLogDir::verify(self.dir(), |_| {}).unwrap().problems, [""; 0]);
        drop(self.filler);
        run("umount", &[], self.root.path());
    }
}

fn nothing_is_offline(broker: &Broker) {
    for dir in broker.admin().describe_log_dirs().unwrap() {
        assert_eq!(dir.offline, None);
    }
}

fn send(broker: &Broker, value: &str) -> Result<(), Error> {
    broker.producer().send(ProducerRecord::new("orders").value(value))?.wait().map(drop)
}

/// Uses up what the file of a topic has of its last block, with records no longer than the end of a transaction.
fn send_until_refused(broker: &Broker) {
    let refused = (0..1000).find_map(|_| send(broker, "").err()).unwrap();
    says(&refused, "No space left on device");
}

/// The same for `__transaction_state`.
fn use_transactional_ids_until_refused(broker: &Broker) {
    let build = || broker.producer_builder().transactional_id("another").build();
    let refused = (0..1000).find_map(|_| build().err()).unwrap();
    says(&refused, "No space left on device");
}

/// What is not empty of what is committed.
fn committed(broker: &Broker) -> Vec<String> {
    let partition = broker.topic("orders").unwrap().partition(0).unwrap();
    let records = partition.read_from(0).isolation_level(IsolationLevel::ReadCommitted);
    let values = records.map(|record| String::from_utf8(record.unwrap().value().unwrap().to_vec()).unwrap());
    values.filter(|value| !value.is_empty()).collect()
}

/// A transaction that has `b` is open behind one that has committed `a`, and the volume is full.
fn begin_and_fill_up(volume: &Volume, broker: &Broker) -> (Producer, Transaction) {
    broker.admin().create_topic(NewTopic::new("orders", 1)).unwrap();
    let producer = broker.producer_builder().transactional_id("shop").build().unwrap();
    producer.transaction(|open| open.send(ProducerRecord::new("orders").value("a"))).unwrap();
    let transaction = producer.begin_transaction().unwrap();
    transaction.send(ProducerRecord::new("orders").value("b")).unwrap().wait().unwrap();
    volume.fill_up();
    (producer, transaction)
}

#[test]
fn a_transaction_that_ends_while_there_is_no_room_for_its_marker_ends_once_there_is_some() {
    if runs_elsewhere("a_transaction_that_ends_while_there_is_no_room_for_its_marker_ends_once_there_is_some")
    {
        return;
    }
    for is_commit in [true, false] {
        let volume = Volume::new(16);
        let broker = volume.open();
        let (producer, transaction) = begin_and_fill_up(&volume, &broker);
        send_until_refused(&broker);
        // That is decided, for which there was room.
        if is_commit {
            transaction.commit().unwrap()
        } else {
            transaction.abort().unwrap()
        }
        for _ in 0..3 {
            let next = producer.begin_transaction().unwrap();
            let refused = next.send(ProducerRecord::new("orders").value("c")).unwrap().wait().unwrap_err();
            assert_eq!((refused.code(), refused.is_retriable()), (ErrorCode::ConcurrentTransactions, true));
            assert!(next.commit().is_err());
            assert_eq!(committed(&broker), ["a"]);
        }
        nothing_is_offline(&broker);

        volume.make_room();
        // Nobody need ask for it.
        send(&broker, "d").unwrap();
        wait_until("the transaction does not end", || committed(&broker).contains(&"d".to_owned()));
        producer.transaction(|open| open.send(ProducerRecord::new("orders").value("e"))).unwrap();
        let expected: &[&str] = if is_commit { &["a", "b", "d", "e"] } else { &["a", "d", "e"] };
        assert_eq!(committed(&broker), expected);
        drop((producer, broker));
        let broker = volume.open();
        assert_eq!(committed(&broker), expected);
        drop(broker);
        volume.check_and_unmount();
    }
}

#[test]
fn a_transaction_of_which_no_room_lets_the_end_be_decided_is_aborted_before_the_next_one() {
    if runs_elsewhere("a_transaction_of_which_no_room_lets_the_end_be_decided_is_aborted_before_the_next_one")
    {
        return;
    }
    for is_commit in [true, false] {
        let volume = Volume::new(16);
        let broker = volume.open();
        let (producer, transaction) = begin_and_fill_up(&volume, &broker);
        use_transactional_ids_until_refused(&broker);
        let refused = if is_commit { transaction.commit() } else { transaction.abort() }.unwrap_err();
        says(&refused, "No space left on device");
        assert!(!refused.is_fatal());
        for _ in 0..3 {
            says(&producer.begin_transaction().unwrap_err(), "No space left on device");
            assert_eq!(committed(&broker), ["a"]);
        }
        nothing_is_offline(&broker);

        volume.make_room();
        // With what was sent in the one before, nothing of it is committed.
        producer.transaction(|open| open.send(ProducerRecord::new("orders").value("c"))).unwrap();
        assert_eq!(committed(&broker), ["a", "c"]);
        drop((producer, broker));
        let broker = volume.open();
        assert_eq!(committed(&broker), ["a", "c"]);
        drop(broker);
        volume.check_and_unmount();
    }
}

#[test]
fn what_a_group_has_read_is_committed_once_there_is_room_for_it() {
    if runs_elsewhere("what_a_group_has_read_is_committed_once_there_is_room_for_it") {
        return;
    }
    let volume = Volume::new(16);
    let broker = volume.open();
    broker.admin().create_topic(NewTopic::new("orders", 1)).unwrap();
    (0..3).for_each(|_| send(&broker, "a").unwrap());
    let orders = TopicPartition::new("orders", 0);
    let consumer = || {
        let builder = broker.consumer_builder().group_id("billing").enable_auto_commit(false);
        let mut consumer = builder.auto_offset_reset(AutoOffsetReset::Earliest).build().unwrap();
        consumer.subscribe(["orders"]).unwrap();
        consumer
    };
    let mut first = consumer();
    wait_until("nothing is read", || !first.poll(Duration::from_millis(10)).unwrap().is_empty());
    volume.fill_up();
    let mut last = 0;
    let refused = loop {
        match first.commit_offsets([(orders.clone(), last + 1)]) {
            Ok(()) => last += 1,
            Err(error) => break error,
        }
    };
    says(&refused, "No space left on device");
    assert!(refused.is_retriable() && !refused.is_fatal());
    assert_eq!(first.committed(&orders).unwrap().unwrap().offset, last);
    // Its members go on with what they have.
    for _ in 0..3 {
        first.poll(Duration::ZERO).unwrap();
        says(&first.commit().unwrap_err(), "No space left on device");
    }
    assert_eq!(first.assignment(), std::slice::from_ref(&orders));
    // There is no room to write down that there is one more of them.
    let mut second = consumer();
    for _ in 0..20 {
        for consumer in [&mut first, &mut second] {
            consumer.poll(Duration::from_millis(5)).unwrap();
        }
    }
    nothing_is_offline(&broker);

    volume.make_room();
    send(&broker, "b").unwrap();
    wait_until("nobody reads on", || {
        let read = [&mut first, &mut second].map(|consumer| consumer.poll(Duration::from_millis(5)).unwrap());
        read.iter().any(|records| !records.is_empty())
    });
    wait_until("nobody commits", || {
        let polled = [&mut first, &mut second].map(|consumer| {
            consumer.poll(Duration::from_millis(5)).unwrap();
            !consumer.assignment().is_empty() && consumer.commit().is_ok()
        });
        polled.contains(&true)
    });
    drop((first, second, broker));
    let broker = volume.open();
    let committed = broker.consumer("billing").unwrap().committed(&orders).unwrap();
    assert_eq!(committed.unwrap().offset, 4);
    drop(broker);
    volume.check_and_unmount();
}

#[test]
fn deleting_records_or_a_topic_makes_room_on_a_full_disk() {
    if runs_elsewhere("deleting_records_or_a_topic_makes_room_on_a_full_disk") {
        return;
    }
    let volume = Volume::new(16);
    let builder = volume.builder().set("log.retention.ms", "-1").set("log.initial.task.delay.ms", "1");
    let builder = builder.set("log.retention.check.interval.ms", "10");
    let broker = builder.set("log.segment.delete.delay.ms", "0").open().unwrap();
    let partition = |topic: &str| {
        broker.admin().create_topic(NewTopic::new(topic, 1)).unwrap();
        broker.topic(topic).unwrap().partition(0).unwrap()
    };
    let [orders, old, views] = ["orders", "old", "views"].map(partition);
    for offset in 0..200 {
        append(&orders, offset).unwrap();
        append(&old, offset).unwrap();
    }
    volume.fill_up();
    let (mut taken, refused) = append_until_refused(&views, 0);
    says(&refused, "No space left on device");
    let mut append_once_there_is_room = || {
        wait_until("no room is made", || {
            append(&views, taken).map_err(|error| says(&error, "No space")).is_ok()
        });
        taken += 1;
    };
    assert_eq!(broker.admin().delete_records(orders.topic_partition(), 120).unwrap(), 120);
    append_once_there_is_room();
    assert_eq!(orders.earliest_offset().unwrap(), 120);

    volume.fill_up();
    // Files that were read are kept open for who reads on.
    check(&old, 200);
    broker.admin().delete_topic("old").unwrap();
    let usable = || broker.admin().describe_log_dirs().unwrap()[0].usable_bytes.unwrap();
    wait_until("the room of the topic is not free", || usable() > 200 * 20_000);
    append_once_there_is_room();
    nothing_is_offline(&broker);
    assert_eq!(old.latest_offset().unwrap_err().code(), ErrorCode::UnknownTopicOrPartition);
    check(&views, taken);
    drop((orders, old, views, broker));
    let broker = volume.open();
    assert_eq!(broker.topic("old").unwrap_err().code(), ErrorCode::UnknownTopicOrPartition);
    check(&broker.topic("views").unwrap().partition(0).unwrap(), taken);
    drop(broker);
    volume.check_and_unmount();
}

/// Topics with old segments and new ones, open and ended transactions, and a group; on a volume that is full then.
/// Answers how many records each partition of `orders` has.
fn write_until_full(volume: &Volume, broker: &Broker) -> Vec<i64> {
    broker.admin().create_topic(NewTopic::new("orders", 4)).unwrap();
    broker.admin().create_topic(NewTopic::new("table", 1).config("cleanup.policy", "compact")).unwrap();
    let partitions = broker.topic("orders").unwrap().partitions();
    let mut ends = vec![0; partitions.len()];
    for _ in 0..60 {
        for (partition, end) in partitions.iter().zip(&mut ends) {
            append(partition, *end).unwrap();
            *end += 1;
        }
    }
    let producer = broker.producer_builder().transactional_id("shop").build().unwrap();
    for i in 0..3 {
        let transaction = producer.begin_transaction().unwrap();
        transaction.send(ProducerRecord::new("table").key("a").value("b")).unwrap();
        if i == 1 { transaction.abort().unwrap() } else { transaction.commit().unwrap() }
    }
    let mut consumer = broker.consumer("billing").unwrap();
    consumer.assign([TopicPartition::new("orders", 0)]).unwrap();
    consumer.commit_offsets([(TopicPartition::new("orders", 0), 7)]).unwrap();
    volume.fill_up();
    for (partition, end) in partitions.iter().zip(&mut ends) {
        let (taken, refused) = append_until_refused(partition, *end);
        says(&refused, "No space left on device");
        *end = taken;
    }
    ends
}

fn check_all(broker: &Broker, ends: &[i64]) {
    for (partition, end) in broker.topic("orders").unwrap().partitions().iter().zip(ends) {
        check(partition, *end);
    }
    let table = broker.topic("table").unwrap().partition(0).unwrap();
    assert_eq!(table.read_from(0).isolation_level(IsolationLevel::ReadCommitted).count(), 2);
    let committed = broker.admin().list_consumer_group_offsets("billing").unwrap();
    assert_eq!(committed[&TopicPartition::new("orders", 0)].offset, 7);
    nothing_is_offline(broker);
}

#[test]
fn a_broker_starts_on_a_full_disk_and_serves_what_it_has() {
    if runs_elsewhere("a_broker_starts_on_a_full_disk_and_serves_what_it_has") {
        return;
    }
    for is_killed in [false, true] {
        let mut volume = Volume::new(16);
        let broker = volume.open();
        let mut ends = write_until_full(&volume, &broker);
        if is_killed {
            // What a process that is killed leaves, whatever this one does after that.
            let copy = Volume::new(16);
            run("cp", &["-a", volume.dir().to_str().unwrap()], copy.root.path());
            drop(broker);
            volume.check_and_unmount();
            volume = copy;
        } else {
            broker.close();
            drop(broker);
        }
        for _ in 0..2 {
            volume.fill_up();
            let broker = volume.open();
            check_all(&broker, &ends);
            for (partition, end) in broker.topic("orders").unwrap().partitions().iter().zip(&mut ends) {
                let (taken, refused) = append_until_refused(partition, *end);
                says(&refused, "No space left on device");
                *end = taken;
            }
            check_all(&broker, &ends);
        }
        volume.fill_up();
        let broker = volume.open();
        volume.make_room();
        for (partition, end) in broker.topic("orders").unwrap().partitions().iter().zip(&mut ends) {
            append(partition, *end).unwrap();
            *end += 1;
        }
        check_all(&broker, &ends);
        drop(broker);
        let broker = volume.open();
        check_all(&broker, &ends);
        drop(broker);
        volume.check_and_unmount();
    }
}
