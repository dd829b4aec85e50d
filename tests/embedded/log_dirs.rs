//! Several log dirs, and partitions that move between them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use ottla::{BatchOptions, Broker, BrokerBuilder, ErrorCode, NewTopic, ProducerRecord, RecordBatchBuilder};

use super::support::{eventually, latest, tp, values};

fn two_dirs(root: &Path) -> ([PathBuf; 2], BrokerBuilder) {
    let dirs = ["a", "b"].map(|name| root.join(name));
    let text = dirs.each_ref().map(|dir| dir.display().to_string()).join(",");
    (dirs, Broker::builder().set("log.dirs", text))
}

/// `log.dirs` would make two of it, neither of them the one that was asked for.
#[test]
fn a_directory_with_a_comma_in_its_path_is_refused_and_nothing_is_made() {
    let root = tempfile::tempdir().unwrap();
    for name in ["pears,plums", "pears ", ","] {
        let dir = root.path().join(name);
        let error = Broker::open(&dir).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidConfig);
        assert!(error.to_string().starts_with(&format!("{dir:?} cannot be a log dir: ")), "{error}");
    }
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    // What is set later wins.
    let good = root.path().join("pears");
    Broker::builder().log_dir("a,b").log_dir(&good).open().unwrap();
    Broker::builder().log_dir("a,b").set("log.dirs", good.to_str().unwrap()).open().unwrap();
}

/// Where a partition is, and where it is on its way to.
fn places(broker: &Broker, topic: &str) -> (Option<PathBuf>, Option<PathBuf>) {
    let dirs = broker.admin().describe_log_dirs().unwrap();
    let tp = tp(topic, 0);
    let present = dirs.iter().find(|dir| dir.partitions.iter().any(|(found, _)| *found == tp));
    let future =
        dirs.iter().find(|dir| dir.future_partitions.iter().any(|found| found.topic_partition == tp));
    (present.map(|dir| dir.path.clone()), future.map(|dir| dir.path.clone()))
}

fn begin(broker: &Broker, topic: &str, to: &Path) {
    let outcomes = broker.admin().alter_replica_log_dirs([(tp(topic, 0), to)]).unwrap();
    outcomes[0].1.as_ref().unwrap();
}

#[test]
fn a_partition_moves_to_and_fro_while_it_is_written_and_loses_nothing() {
    let root = tempfile::tempdir().unwrap();
    let (dirs, builder) = two_dirs(root.path());
    let broker = builder.clone().open().unwrap();
    let topic = NewTopic::new("orders", 1).config("segment.bytes", "20000").config("flush.messages", "50");
    broker.admin().create_topic(topic).unwrap();
    let has_ended = AtomicBool::new(false);
    let sent: Vec<usize> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..3)
            .map(|writer| {
                let (broker, has_ended) = (&broker, &has_ended);
                scope.spawn(move || {
                    let producer = broker.producer();
                    let mut count = 0;
                    while !has_ended.load(Ordering::SeqCst) {
                        let value = format!("{writer} {count}");
                        producer.send(ProducerRecord::new("orders").value(&value)).unwrap().wait().unwrap();
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        for i in 1..=4 {
            let before = latest(&broker, "orders", 0);
            eventually("somebody writes", || latest(&broker, "orders", 0) > before + 100);
            let (present, _) = places(&broker, "orders");
            let to = dirs.iter().find(|dir| Some(*dir) != present.as_ref()).unwrap();
            begin(&broker, "orders", to);
            eventually(&format!("move {i} ends"), || places(&broker, "orders") == (Some(to.clone()), None));
        }
        has_ended.store(true, Ordering::SeqCst);
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    let check = |broker: &Broker| {
        let found = values(broker, "orders", 0, 0);
        assert_eq!(found.len(), sent.iter().sum::<usize>());
        for (writer, count) in sent.iter().enumerate() {
            let own = found.iter().filter(|value| value.starts_with(&format!("{writer} ")));
            assert!(own.eq((0..*count).map(|i| format!("{writer} {i}")).collect::<Vec<_>>().iter()));
        }
    };
    check(&broker);
    let place = places(&broker, "orders");
    broker.close();
    let again = builder.open().unwrap();
    assert_eq!(places(&again, "orders"), place);
    check(&again);
}

#[test]
fn a_move_keeps_to_its_rate_goes_on_after_a_restart_and_ends_where_it_is_called_back() {
    let root = tempfile::tempdir().unwrap();
    let (dirs, builder) = two_dirs(root.path());
    let slow = builder.clone().set("replica.alter.log.dirs.io.max.bytes.per.second", "1");
    let broker = slow.clone().open().unwrap();
    broker.admin().create_topic(NewTopic::new("orders", 1)).unwrap();
    let producer = broker.producer();
    let value = "x".repeat(100_000);
    for _ in 0..40 {
        producer.send(ProducerRecord::new("orders").value(&value)).unwrap().wait().unwrap();
    }
    let (home, _) = places(&broker, "orders");
    let home = home.unwrap();
    let away = dirs.iter().find(|dir| **dir != home).unwrap();
    begin(&broker, "orders", away);
    let copied = |broker: &Broker| {
        let dirs = broker.admin().describe_log_dirs().unwrap();
        dirs.iter()
            .flat_map(|dir| &dir.future_partitions)
            .map(|found| (found.size_bytes, found.offset_lag))
            .next()
    };
    // The bytes are there a moment before the records in them count.
    eventually("the first step is done", || copied(&broker).is_some_and(|(_, lag)| lag < 40));
    let (size, lag) = copied(&broker).unwrap();
    assert!((1..3_000_000).contains(&size) && (1..40).contains(&lag), "{size} bytes, {lag} behind");

    // Called back, it leaves nothing behind; told again, it starts over.
    begin(&broker, "orders", &home);
    assert_eq!((places(&broker, "orders"), copied(&broker)), ((Some(home.clone()), None), None));
    begin(&broker, "orders", away);
    eventually("the first step is done again", || copied(&broker).is_some_and(|(_, lag)| lag < 40));
    broker.close();

    let broker = builder.open().unwrap();
    eventually("the move ends", || places(&broker, "orders") == (Some(away.clone()), None));
    let found = values(&broker, "orders", 0, 0);
    assert!(found.len() == 40 && found.iter().all(|found| *found == value));
    broker.close();
}

#[test]
fn what_cannot_move_is_told_partition_by_partition() {
    let root = tempfile::tempdir().unwrap();
    let (dirs, builder) = two_dirs(root.path());
    let broker = builder.open().unwrap();
    broker.admin().create_topic(NewTopic::new("orders", 1)).unwrap();
    let long = "t".repeat(240);
    broker.admin().create_topic(NewTopic::new(&long, 1)).unwrap();
    let (present, _) = places(&broker, &long);
    let other = dirs.iter().find(|dir| Some(*dir) != present.as_ref()).unwrap();
    let elsewhere = root.path().join("c");
    let moves = [
        (tp("orders", 0), &elsewhere),
        (tp("orders", 7), &elsewhere),
        (tp("orders", 7), &dirs[0]),
        (tp(&long, 0), other),
        (tp("orders", 0), &dirs[1]),
    ];
    let outcomes = broker.admin().alter_replica_log_dirs(moves).unwrap();
    let codes: Vec<ErrorCode> = outcomes
        .iter()
        .map(|(_, begun)| begun.as_ref().map_or_else(|error| error.code(), |()| ErrorCode::None))
        .collect();
    let expected = [
        ErrorCode::LogDirNotFound,
        ErrorCode::LogDirNotFound,
        ErrorCode::UnknownTopicOrPartition,
        ErrorCode::InvalidTopicException,
        ErrorCode::None,
    ];
    assert_eq!(codes, expected);
    assert_eq!(outcomes[3].0, tp(&long, 0));
    eventually("the move ends", || places(&broker, "orders") == (Some(dirs[1].clone()), None));
    broker.close();
    let closed = broker.admin().alter_replica_log_dirs([(tp("orders", 0), &dirs[0])]);
    assert_eq!(closed.unwrap_err().code(), ErrorCode::BrokerNotAvailable);
}

#[test]
fn a_reader_that_waits_while_its_partition_moves_gets_the_next_record() {
    let root = tempfile::tempdir().unwrap();
    let (dirs, builder) = two_dirs(root.path());
    let broker = builder.open().unwrap();
    broker.admin().create_topic(NewTopic::new("orders", 1)).unwrap();
    let producer = broker.producer();
    let mut consumer = broker.consumer("readers").unwrap();
    consumer.assign([tp("orders", 0)]).unwrap();
    consumer.seek(&tp("orders", 0), 0).unwrap();
    for i in 0..4 {
        begin(&broker, "orders", &dirs[i % 2]);
        eventually("the move ends", || places(&broker, "orders") == (Some(dirs[i % 2].clone()), None));
        let record = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| consumer.poll(Duration::from_secs(60)).unwrap().len());
            let value = i.to_string();
            producer.send(ProducerRecord::new("orders").value(&value)).unwrap().wait().unwrap();
            waiting.join().unwrap()
        });
        assert_eq!(record, 1);
    }
}

/// What is the host's end is for the host to decide.
#[test]
fn a_broker_without_any_log_dir_left_answers_with_an_error_and_tells_whoever_embeds_it() {
    let root = tempfile::tempdir().unwrap();
    let (dirs, builder) = two_dirs(root.path());
    let (sender, failures) = mpsc::channel();
    let builder = builder.on_log_dir_failure(move |failure| sender.send(failure.clone()).unwrap());
    let broker = builder.open().unwrap();
    let topics = ["orders", "views"];
    for topic in topics {
        let topic = NewTopic::new(topic, 1).config("segment.bytes", "1000000");
        broker.admin().create_topic(topic).unwrap();
    }
    let send = |topic: &str| {
        let mut builder = RecordBatchBuilder::new(BatchOptions::default());
        builder.append(1_700_000_000_000, None, Some(&[7; 100_000][..])).unwrap();
        broker.topic(topic).unwrap().partition(0).unwrap().append(&mut builder)
    };
    let topic_in =
        |dir: &Path| *topics.iter().find(|topic| places(&broker, topic).0.as_deref() == Some(dir)).unwrap();
    let by_dir = dirs.each_ref().map(|dir| topic_in(dir));
    for i in 0..2 {
        fs::rename(&dirs[i], root.path().join(format!("gone {i}"))).unwrap();
        // Open files can be written; new ones cannot be made.
        let refused = (0..100).find_map(|_| send(by_dir[i]).err()).expect("no segment can be made");
        assert_eq!(refused.code(), ErrorCode::KafkaStorageError);
        let failure = failures.recv().unwrap();
        assert_eq!(failure.log_dir, dirs[i]);
        assert!(failure.reason.contains(&dirs[i].display().to_string()), "{failure:?}");
        assert_eq!(failure.live_log_dirs, dirs[i + 1..]);
        assert_eq!(send(by_dir[1]).is_ok(), i == 0);
    }
    for topic in topics {
        let refused = send(topic).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::KafkaStorageError, "{refused}");
        let mut reader = broker.topic(topic).unwrap().partition(0).unwrap().read_from(0);
        assert_eq!(reader.next_batch().unwrap_err().code(), ErrorCode::KafkaStorageError);
    }
    let refused = broker.admin().create_topic(NewTopic::new("more", 1)).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::KafkaStorageError);
    broker.close();
    drop(broker);
    assert!(failures.recv().is_err(), "each is told of once");
}
