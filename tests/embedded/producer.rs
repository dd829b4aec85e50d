use std::collections::HashMap;
use std::time::Duration;

use ottla::{
    Acks, AlterConfig, Broker, Clock, CompressionType, ConfigResource, ErrorCode, NewTopic, ProducerRecord,
};

use crate::support::*;

#[test]
fn records_are_in_the_log_in_the_order_in_which_they_were_sent() {
    let broker = broker_with("orders", 1);
    let producer = broker.producer();
    let handles: Vec<_> = (0..5000)
        .map(|i| producer.send(ProducerRecord::new("orders").value(&i.to_string())).unwrap())
        .collect();
    producer.flush().unwrap();
    for (i, handle) in handles.iter().enumerate() {
        assert_eq!(handle.try_get().unwrap().unwrap().offset, i as i64);
    }
    let expected: Vec<String> = (0..5000).map(|i| i.to_string()).collect();
    assert_eq!(values(&broker, "orders", 0, 0), expected);
}

#[test]
fn each_thread_keeps_its_order_within_a_partition() {
    const THREADS: usize = 4;
    const RECORDS: usize = 3000;
    let broker = broker_with("orders", 2);
    let producer = broker.producer_builder().batch_size_bytes(700).build().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let producer = producer.clone();
            scope.spawn(move || {
                for i in 0..RECORDS {
                    let record = ProducerRecord::new("orders").partition((i % 2) as i32);
                    producer.send(record.value(&format!("{thread} {i}"))).unwrap();
                }
            });
        }
    });
    producer.flush().unwrap();
    let mut count = 0;
    for partition in 0..2 {
        let mut last: HashMap<String, usize> = HashMap::new();
        for value in values(&broker, "orders", partition, 0) {
            let (thread, i) = value.split_once(' ').unwrap();
            let i = i.parse().unwrap();
            if let Some(before) = last.insert(thread.to_owned(), i) {
                assert!(before < i, "thread {thread}: {i} after {before}");
            }
            count += 1;
        }
    }
    assert_eq!(count, THREADS * RECORDS);
}

#[test]
fn equal_keys_go_where_every_kafka_client_sends_them() {
    let broker = broker_with("orders", 12);
    let producer = broker.producer();
    // From Apache Kafka's own hash: (murmur2(key) & 0x7fffffff) % 12.
    for (key, hash) in [("21", -973_932_308_i32), ("foobar", -790_332_482), ("abc", 479_470_107)] {
        let partition = (hash & i32::MAX) % 12;
        for _ in 0..2 {
            let sent = producer.send(ProducerRecord::new("orders").key(key)).unwrap().wait().unwrap();
            assert_eq!(sent.partition(), partition, "{key}");
        }
        assert_eq!(broker.topic("orders").unwrap().partition_for_key(key), partition);
    }
}

#[test]
fn records_without_a_key_fill_one_batch_after_the_other_in_different_partitions() {
    let broker = broker_with("orders", 8);
    let producer = broker.producer_builder().batch_size_bytes(1000).linger_ms(300_000).build().unwrap();
    let value = "x".repeat(90);
    let mut runs: Vec<(i32, usize)> = Vec::new();
    for _ in 0..200 {
        let handle = producer.send(ProducerRecord::new("orders").value(&value)).unwrap();
        let partition = handle.topic_partition().partition();
        match runs.last_mut() {
            Some((last, count)) if *last == partition => *count += 1,
            _ => runs.push((partition, 1)),
        }
    }
    runs.pop();
    assert!(runs.iter().all(|(_, count)| *count >= 8), "{runs:?}");
    let mut used: Vec<i32> = runs.iter().map(|(partition, _)| *partition).collect();
    used.sort_unstable();
    used.dedup();
    assert!(used.len() > 2, "{runs:?}");
}

#[test]
fn a_batch_waits_for_linger_and_not_longer() {
    let (broker, clock) = broker_with_clock();
    let producer = broker.producer_builder().linger_ms(20).build().unwrap();
    let handle = producer.send(ProducerRecord::new("orders").value("a")).unwrap();
    clock.advance(Duration::from_millis(19));
    assert!(handle.try_get().is_none());
    assert_eq!(latest(&broker, "orders", 0), 0);
    clock.advance(Duration::from_millis(1));
    eventually("the batch is appended when its time has come", || handle.try_get().is_some());
    assert_eq!(handle.try_get().unwrap().unwrap().offset, 0);

    // The second batch has a time of its own.
    let handle = producer.send(ProducerRecord::new("orders").value("b")).unwrap();
    assert!(handle.try_get().is_none());
    clock.advance(Duration::from_millis(20));
    eventually("so is the next", || handle.try_get().is_some());
}

#[test]
fn without_linger_a_record_is_in_the_log_when_send_returns() {
    let broker = broker_with("orders", 1);
    let producer = broker.producer_builder().linger_ms(0).build().unwrap();
    for i in 0..3 {
        let handle = producer.send(ProducerRecord::new("orders").value("x")).unwrap();
        assert_eq!(handle.try_get().unwrap().unwrap().offset, i);
        assert_eq!(latest(&broker, "orders", 0), i + 1);
    }
}

#[test]
fn a_full_batch_is_appended_by_the_thread_that_fills_it() {
    let broker = broker_with("orders", 1);
    let producer = broker.producer_builder().batch_size_bytes(1000).linger_ms(300_000).build().unwrap();
    let value = "x".repeat(300);
    let handles: Vec<_> =
        (0..3).map(|_| producer.send(ProducerRecord::new("orders").value(&value)).unwrap()).collect();
    assert!(handles[0].try_get().is_some());
    assert!(latest(&broker, "orders", 0) >= 2);
}

#[test]
fn timestamps_are_those_of_the_record_the_clock_or_the_log() {
    let (broker, clock) = broker_with_clock();
    let admin = broker.admin();
    admin
        .create_topic(NewTopic::new("stamped", 1).config("message.timestamp.type", "LogAppendTime"))
        .unwrap();
    let producer = broker.producer_builder().linger_ms(0).build().unwrap();
    let sent = |record| producer.send(record).unwrap().wait().unwrap().timestamp;
    assert_eq!(sent(ProducerRecord::new("orders").timestamp(START_MS - 5)), START_MS - 5);
    assert_eq!(sent(ProducerRecord::new("orders")), START_MS);
    clock.advance(Duration::from_millis(3));
    assert_eq!(sent(ProducerRecord::new("orders")), START_MS + 3);
    assert_eq!(sent(ProducerRecord::new("stamped").timestamp(1)), START_MS + 3);
}

#[test]
fn another_kind_of_timestamp_holds_for_what_comes_after_the_change() {
    let (broker, clock) = broker_with_clock();
    let producer = broker.producer_builder().linger_ms(0).build().unwrap();
    let send = |timestamp| {
        let record = ProducerRecord::new("orders").partition(0).timestamp(timestamp).value("v");
        producer.send(record).unwrap().wait().unwrap();
    };
    let kind = |name| {
        let change = AlterConfig::set("message.timestamp.type", name);
        broker.admin().alter_configs(&ConfigResource::topic("orders"), [change]).unwrap();
    };
    send(START_MS - 5);
    kind("LogAppendTime");
    clock.advance(Duration::from_millis(7));
    send(START_MS - 4);
    kind("CreateTime");
    send(START_MS - 3);
    let reader = broker.topic("orders").unwrap().partition(0).unwrap().read_from(0);
    let timestamps: Vec<_> = reader.map(|record| record.unwrap().timestamp()).collect();
    assert_eq!(timestamps, [START_MS - 5, START_MS + 7, START_MS - 3]);
}

#[test]
fn headers_nulls_and_empty_bytes_arrive_as_they_were_sent() {
    let broker = broker_with("orders", 1);
    let record = ProducerRecord::new("orders").key("").header("a", "1").null_header("b").header("a", "");
    broker.producer().send(record).unwrap().wait().unwrap();
    broker.producer().send(ProducerRecord::new("orders").value("")).unwrap().wait().unwrap();
    let records: Vec<_> =
        broker.topic("orders").unwrap().partition(0).unwrap().read_from(0).map(Result::unwrap).collect();
    assert_eq!((records[0].key(), records[0].value()), (Some(&b""[..]), None));
    let headers: Vec<_> =
        records[0].headers().iter().map(|h| (h.key().into_owned(), h.value().map(<[u8]>::to_vec))).collect();
    let expected =
        [("a".to_owned(), Some(b"1".to_vec())), ("b".to_owned(), None), ("a".to_owned(), Some(Vec::new()))];
    assert_eq!(headers, expected);
    assert_eq!((records[1].key(), records[1].value()), (None, Some(&b""[..])));
}

#[test]
fn every_codec_of_the_build_makes_batches_that_are_read_back() {
    for codec in CompressionType::ALL.into_iter().filter(|codec| codec.is_supported()) {
        let broker = broker_with("orders", 1);
        let producer = broker.producer_builder().compression(codec).linger_ms(300_000).build().unwrap();
        let expected: Vec<String> = (0..100).map(|i| format!("value {i} {}", "y".repeat(50))).collect();
        for value in &expected {
            producer.send(ProducerRecord::new("orders").value(value)).unwrap();
        }
        producer.flush().unwrap();
        assert_eq!(values(&broker, "orders", 0, 0), expected, "{codec}");
        let mut reader = broker.topic("orders").unwrap().partition(0).unwrap().read_from(0);
        let batch = reader.next_batch().unwrap().unwrap();
        assert_eq!(batch.view().compression_type().unwrap(), codec);
    }
}

#[test]
fn batches_carry_the_sequence_of_an_idempotent_producer_unless_that_is_switched_off() {
    let broker = broker_with("orders", 1);
    // What is sent together is one batch, however long that takes.
    let idempotent = broker.producer_builder().linger_ms(300_000).build().unwrap();
    send(&idempotent, "orders", &["a", "b"]);
    send(&idempotent, "orders", &["c"]);
    let other = broker.producer();
    send(&other, "orders", &["d"]);
    send(&broker.producer_builder().idempotence(false).build().unwrap(), "orders", &["e"]);
    let mut reader = broker.topic("orders").unwrap().partition(0).unwrap().read_from(0);
    let mut facts = Vec::new();
    while let Some(batch) = reader.next_batch().unwrap() {
        facts.push((batch.view().producer_id(), batch.view().producer_epoch(), batch.view().base_sequence()));
    }
    let first = facts[0].0;
    assert!(first >= 0 && facts[2].0 >= 0 && first != facts[2].0);
    assert_eq!(facts, [(first, 0, 0), (first, 0, 2), (facts[2].0, 0, 0), (-1, -1, -1)]);
}

#[test]
fn all_records_of_a_batch_that_the_topic_refuses_fail_and_the_next_batch_does_not() {
    let broker = Broker::temporary().unwrap();
    broker.admin().create_topic(NewTopic::new("latest", 1).config("cleanup.policy", "compact")).unwrap();
    let producer = patient_producer(&broker);
    let good = producer.send(ProducerRecord::new("latest").key("k").value("v")).unwrap();
    let bad = producer.send(ProducerRecord::new("latest").partition(0).value("no key")).unwrap();
    assert_eq!(bad.wait().unwrap_err().code(), ErrorCode::InvalidRecord);
    let error = good.wait().unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidRecord);
    assert!(error.to_string().contains("append to latest-0"), "{error}");
    assert_eq!(producer.flush().unwrap_err().code(), ErrorCode::InvalidRecord);
    // It was told once.
    producer.flush().unwrap();
    let next = producer.send(ProducerRecord::new("latest").key("k").value("v")).unwrap();
    assert_eq!(next.wait().unwrap().offset, 0);
}

#[test]
fn a_record_larger_than_a_batch_goes_alone_and_one_larger_than_the_topic_allows_fails() {
    let broker = broker_with("orders", 1);
    let producer = patient_producer(&broker);
    let large = vec![7; 100_000];
    assert_eq!(producer.send(ProducerRecord::new("orders").value(&large)).unwrap().wait().unwrap().offset, 0);
    let too_large = vec![7; 2_000_000];
    let error = producer.send(ProducerRecord::new("orders").value(&too_large)).unwrap().wait().unwrap_err();
    assert_eq!(error.code(), ErrorCode::MessageTooLarge);
    let huge = vec![7; 33 << 20];
    let error = producer.send(ProducerRecord::new("orders").value(&huge)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::MessageTooLarge);
}

#[test]
fn many_partitions_share_little_memory_by_appending_early() {
    let broker = broker_with("orders", 50);
    let producer = broker
        .producer_builder()
        .batch_size_bytes(1000)
        .buffer_memory_bytes(5000)
        .linger_ms(300_000)
        .build()
        .unwrap();
    for i in 0..500 {
        producer.send(ProducerRecord::new("orders").partition(i % 50).value("x")).unwrap();
    }
    producer.flush().unwrap();
    assert!((0..50).all(|partition| latest(&broker, "orders", partition) == 10));
}

#[test]
fn a_topic_is_made_when_it_is_first_sent_to_if_the_broker_allows_it() {
    let broker = Broker::builder().temporary().set("num.partitions", "3").open().unwrap();
    broker.producer().send(ProducerRecord::new("new").value("x")).unwrap().wait().unwrap();
    assert_eq!(broker.admin().describe_topic("new").unwrap().partitions.len(), 3);
    let error = broker.producer().send(ProducerRecord::new("not allowed!")).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidTopicException);

    let strict = Broker::builder().temporary().set("auto.create.topics.enable", "false").open().unwrap();
    let error = strict.producer().send(ProducerRecord::new("new").value("x")).unwrap_err();
    assert_eq!(error.code(), ErrorCode::UnknownTopicOrPartition);
    assert!(strict.admin().list_topics().is_empty());
}

#[test]
fn a_topic_that_is_deleted_and_made_again_is_another_topic() {
    let broker = broker_with("orders", 1);
    let producer = patient_producer(&broker);
    send(&producer, "orders", &["old"]);
    let lost = producer.send(ProducerRecord::new("orders").value("too late")).unwrap();
    broker.admin().delete_topic("orders").unwrap();
    assert_eq!(lost.wait().unwrap_err().code(), ErrorCode::UnknownTopicOrPartition);
    broker.admin().create_topic(NewTopic::new("orders", 2)).unwrap();
    let record = ProducerRecord::new("orders").partition(1).value("new");
    assert_eq!(producer.send(record).unwrap().wait().unwrap().offset, 0);
    assert_eq!(values(&broker, "orders", 1, 0), ["new"]);
}

#[test]
fn partitions_that_are_added_are_used_by_a_producer_that_is_at_work() {
    let broker = broker_with("orders", 1);
    let producer = patient_producer(&broker);
    send(&producer, "orders", &["a"]);
    let error = producer.send(ProducerRecord::new("orders").partition(2)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::UnknownTopicOrPartition);
    broker.admin().create_partitions("orders", 3).unwrap();
    let sent = producer.send(ProducerRecord::new("orders").partition(2)).unwrap().wait().unwrap();
    assert_eq!((sent.partition(), sent.offset), (2, 0));
    // The old partition's sequence goes on.
    send(&producer, "orders", &["b"]);
}

#[test]
fn closing_the_producer_appends_what_is_open_and_ends_it() {
    let broker = broker_with("orders", 1);
    let producer = patient_producer(&broker);
    let handle = producer.send(ProducerRecord::new("orders").value("a")).unwrap();
    let clone = producer.clone();
    producer.close().unwrap();
    assert_eq!(handle.try_get().unwrap().unwrap().offset, 0);
    let error = clone.send(ProducerRecord::new("orders").value("b")).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidRequest);
    clone.close().unwrap();
}

#[test]
fn dropping_the_last_handle_appends_what_is_open() {
    let broker = broker_with("orders", 1);
    let producer = patient_producer(&broker);
    let handle = producer.send(ProducerRecord::new("orders").value("a")).unwrap();
    let clone = producer.clone();
    drop(producer);
    assert!(handle.try_get().is_none());
    drop(clone);
    assert_eq!(handle.wait().unwrap().offset, 0);
}

#[test]
fn closing_the_broker_appends_what_producers_have_open() {
    let dir = tempfile::tempdir().unwrap();
    let broker = Broker::open(dir.path()).unwrap();
    let producer = patient_producer(&broker);
    let handle = producer.send(ProducerRecord::new("orders").value("a")).unwrap();
    broker.close();
    assert_eq!(handle.wait().unwrap().offset, 0);
    let error = producer.send(ProducerRecord::new("orders").value("b")).unwrap_err();
    assert_eq!(error.code(), ErrorCode::BrokerNotAvailable);
    drop((producer, broker));
    assert_eq!(values(&Broker::open(dir.path()).unwrap(), "orders", 0, 0), ["a"]);
}

#[test]
fn acknowledgement_by_all_waits_for_the_disk_where_the_topic_says_so() {
    for acks in [Acks::None, Acks::Leader, Acks::All] {
        let dir = tempfile::tempdir().unwrap();
        let broker = Broker::open(dir.path()).unwrap();
        broker.admin().create_topic(NewTopic::new("safe", 1).config("flush.messages", "1")).unwrap();
        let producer = broker.producer_builder().acks(acks).build().unwrap();
        assert_eq!(producer.send(ProducerRecord::new("safe").value("x")).unwrap().wait().unwrap().offset, 0);
    }
}

/// The older limit, which looks both ways, counts where the newer one of that direction is left alone.
#[test]
fn a_timestamp_may_be_as_far_off_as_the_topic_says_by_the_newer_limits_or_the_older_one() {
    const DIFFERENCE: &str = "message.timestamp.difference.max.ms";
    const BEFORE: &str = "message.timestamp.before.max.ms";
    const AFTER: &str = "message.timestamp.after.max.ms";
    const HOUR: i64 = 3_600_000;
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a [i64], &'a [i64]);
    let cases: [Case<'_>; 6] = [
        (&[], &[-1_000 * HOUR, HOUR], &[HOUR + 1]),
        (&[(DIFFERENCE, "7200000")], &[-2 * HOUR, 2 * HOUR], &[-2 * HOUR - 1, 2 * HOUR + 1]),
        (&[(DIFFERENCE, "50")], &[-50, 50], &[-51, 51]),
        (&[(DIFFERENCE, "50"), (AFTER, "9223372036854775807")], &[-50, 50], &[-51, 51]),
        (&[(DIFFERENCE, "50"), (BEFORE, "7000")], &[-7_000, 50], &[-7_001, 51]),
        (&[(DIFFERENCE, "50"), (BEFORE, "7000"), (AFTER, "8000")], &[-7_000, 8_000], &[-7_001, 8_001]),
    ];
    let (broker, clock) = broker_with_clock();
    for (number, (settings, admitted, refused)) in cases.into_iter().enumerate() {
        let name = format!("limits-{number}");
        let topic =
            settings.iter().fold(NewTopic::new(&name, 1), |topic, (key, value)| topic.config(*key, *value));
        broker.admin().create_topic(topic).unwrap();
        let send = |off: i64| {
            let record = ProducerRecord::new(&name).value("x").timestamp(clock.now_ms() + off);
            broker.producer().send(record).and_then(|sent| sent.wait()).map(drop)
        };
        for off in admitted {
            assert!(send(*off).is_ok(), "{settings:?} {off}: {:?}", send(*off));
        }
        for off in refused {
            assert_eq!(send(*off).unwrap_err().code(), ErrorCode::InvalidTimestamp, "{settings:?} {off}");
        }
    }
}
