//! Consumers that choose their partitions, and what all consumers have in common.

use std::time::Duration;

use ottla::{
    AutoOffsetReset, BatchOptions, Broker, CompressionType, ErrorCode, NewTopic, OffsetAndMetadata,
    ProducerRecord, RecordBatchBuilder,
};

use crate::support::*;

const SHORT: Duration = Duration::ZERO;
const LONG: Duration = Duration::from_secs(60);

#[test]
fn records_are_given_in_order_and_each_once_however_few_a_poll_may_give() {
    let broker = broker_with("orders", 1);
    for codec in [CompressionType::None, CompressionType::Lz4] {
        let producer = broker.producer_builder().compression(codec).linger_ms(300_000).build().unwrap();
        for i in 0..250 {
            producer.send(ProducerRecord::new("orders").value(&i.to_string())).unwrap();
        }
        producer.flush().unwrap();
    }
    let expected: Vec<String> = (0..250).chain(0..250).map(|i| i.to_string()).collect();
    for max in [1, 7, 249, 250, 251, 500, 100_000] {
        let mut consumer = earliest(&broker).max_poll_records(max).build().unwrap();
        consumer.assign([tp("orders", 0)]).unwrap();
        let mut values = Vec::new();
        loop {
            let records = consumer.poll(SHORT).unwrap();
            assert!(records.len() <= max);
            if records.is_empty() {
                break;
            }
            assert_eq!(records.iter().len(), records.len());
            values.extend(texts(&records));
            assert_eq!(consumer.position(&tp("orders", 0)).unwrap(), values.len() as i64);
        }
        assert_eq!(values, expected, "at most {max}");
    }
}

#[test]
fn every_partition_has_its_turn() {
    let broker = broker_with("orders", 3);
    let producer = broker.producer_builder().batch_size_bytes(1000).build().unwrap();
    for partition in 0..3 {
        for _ in 0..1000 {
            producer.send(ProducerRecord::new("orders").partition(partition).value("x")).unwrap();
        }
    }
    producer.flush().unwrap();
    let mut consumer =
        earliest(&broker).max_poll_records(1000).max_partition_fetch_bytes(2000).build().unwrap();
    consumer.assign((0..3).map(|partition| tp("orders", partition))).unwrap();
    let first = consumer.poll(SHORT).unwrap();
    assert_eq!(first.partitions().len(), 3, "one chunk of each");
    let mut count = first.len();
    while count < 3000 {
        count += consumer.poll(SHORT).unwrap().len();
    }
    assert!(consumer.poll(SHORT).unwrap().is_empty());
}

#[test]
fn a_poll_that_waits_is_woken_by_an_append() {
    let broker = broker_with("orders", 2);
    let mut consumer = earliest(&broker).build().unwrap();
    consumer.assign([tp("orders", 0), tp("orders", 1)]).unwrap();
    assert!(consumer.poll(SHORT).unwrap().is_empty());
    for i in 0..20 {
        let broker = broker.clone();
        let value = i.to_string();
        let sender = std::thread::spawn(move || {
            broker
                .producer()
                .send(ProducerRecord::new("orders").partition(i % 2).value(&value))
                .unwrap()
                .wait()
        });
        assert_eq!(texts(&consumer.poll(LONG).unwrap()), [i.to_string()]);
        sender.join().unwrap().unwrap();
    }
}

#[test]
fn a_poll_that_waits_ends_when_its_time_is_over_on_the_brokers_clock() {
    let (broker, clock) = broker_with_clock();
    broker.admin().create_topic(NewTopic::new("orders", 1)).unwrap();
    let mut consumer = earliest(&broker).build().unwrap();
    consumer.assign([tp("orders", 0)]).unwrap();
    let poller =
        std::thread::spawn(move || consumer.poll(Duration::from_secs(10)).map(|records| records.len()));
    clock.advance(Duration::from_secs(9));
    assert!(!poller.is_finished());
    eventually("the poll ends", || {
        clock.advance(Duration::from_secs(1));
        poller.is_finished()
    });
    assert_eq!(poller.join().unwrap().unwrap(), 0);
}

#[test]
fn waking_ends_the_poll_that_waits_or_the_next_one() {
    let broker = broker_with("orders", 1);
    let mut consumer = earliest(&broker).build().unwrap();
    consumer.assign([tp("orders", 0)]).unwrap();
    let waker = consumer.waker();
    waker.wake();
    assert!(consumer.poll(LONG).unwrap().is_empty());
    let thread = std::thread::spawn(move || waker.wake());
    assert!(consumer.poll(LONG).unwrap().is_empty());
    thread.join().unwrap();
}

#[test]
fn a_poll_that_waits_ends_with_an_error_when_the_broker_is_closed() {
    let broker = broker_with("orders", 1);
    let mut consumer = earliest(&broker).group_id("g").build().unwrap();
    consumer.subscribe(["orders"]).unwrap();
    let poller = std::thread::spawn(move || consumer.poll(LONG));
    broker.close();
    assert_eq!(poller.join().unwrap().unwrap_err().code(), ErrorCode::BrokerNotAvailable);
}

#[test]
fn a_consumer_starts_where_its_policy_says() {
    let broker = broker_with("orders", 1);
    let producer = patient_producer(&broker);
    send(&producer, "orders", &["a", "b"]);
    let first = |policy| {
        let mut consumer = earliest(&broker).auto_offset_reset(policy).build().unwrap();
        consumer.assign([tp("orders", 0)]).unwrap();
        consumer.poll(SHORT).map(|records| records.iter().next().map(|record| record.offset()))
    };
    assert_eq!(first(AutoOffsetReset::Earliest).unwrap(), Some(0));
    assert_eq!(first(AutoOffsetReset::Latest).unwrap(), None);
    assert_eq!(first(AutoOffsetReset::None).unwrap_err().code(), ErrorCode::OffsetOutOfRange);

    // As in Kafka, the end it is unless somebody says otherwise.
    let mut latest = broker.consumer_builder().build().unwrap();
    latest.assign([tp("orders", 0)]).unwrap();
    assert_eq!(latest.position(&tp("orders", 0)).unwrap(), 2);
    send(&producer, "orders", &["c"]);
    assert_eq!(texts(&latest.poll(LONG).unwrap()), ["c"]);
}

#[test]
fn a_consumer_may_start_with_what_is_not_older_than_a_while() {
    let (broker, clock) = broker_with_clock();
    broker.admin().create_topic(NewTopic::new("orders", 1)).unwrap();
    let producer = patient_producer(&broker);
    for value in ["old", "new"] {
        clock.advance(Duration::from_secs(60));
        send(&producer, "orders", &[value]);
    }
    let position = |seconds| {
        let policy = AutoOffsetReset::ByDuration(Duration::from_secs(seconds));
        let mut consumer = broker.consumer_builder().auto_offset_reset(policy).build().unwrap();
        consumer.assign([tp("orders", 0)]).unwrap();
        consumer.position(&tp("orders", 0)).unwrap()
    };
    clock.advance(Duration::from_secs(10));
    assert_eq!([position(5), position(10), position(69), position(70), position(u64::MAX)], [2, 1, 1, 0, 0]);
}

#[test]
fn a_poll_waits_for_enough_bytes_but_not_for_ever() {
    let (broker, clock) = broker_with_clock();
    broker.admin().create_topic(NewTopic::new("orders", 2)).unwrap();
    let producer = patient_producer(&broker);
    let send_to = |partition, size| {
        let value = vec![b'x'; size];
        producer.send(ProducerRecord::new("orders").partition(partition).value(&value)).unwrap();
        producer.flush().unwrap();
    };
    let builder = earliest(&broker).fetch_min_bytes(5_000).fetch_max_wait_ms(400);
    let mut consumer = builder.build().unwrap();
    consumer.assign([tp("orders", 0), tp("orders", 1)]).unwrap();
    let mut poll = || consumer.poll(Duration::ZERO).unwrap().len();

    send_to(0, 3_000);
    assert_eq!(poll(), 0, "too little");
    send_to(1, 3_000);
    assert_eq!(poll(), 2, "enough in both together");

    send_to(0, 10);
    assert_eq!(poll(), 0);
    clock.advance(Duration::from_millis(399));
    assert_eq!(poll(), 0);
    clock.advance(Duration::from_millis(1));
    assert_eq!(poll(), 1, "it has taken long enough");

    // The next wait has its own time.
    send_to(0, 10);
    assert_eq!(poll(), 0);
    clock.advance(Duration::from_millis(399));
    assert_eq!(poll(), 0);
}

#[test]
fn a_waiting_poll_goes_on_as_soon_as_the_bytes_are_there() {
    let broker = broker_with("orders", 1);
    let mut consumer = earliest(&broker).fetch_min_bytes(2_000).fetch_max_wait_ms(3_600_000).build().unwrap();
    consumer.assign([tp("orders", 0)]).unwrap();
    let producer = patient_producer(&broker);
    let thread = std::thread::spawn(move || {
        for _ in 0..4 {
            producer.send(ProducerRecord::new("orders").value(&[b'x'; 600])).unwrap().wait().unwrap();
        }
    });
    let records = consumer.poll(LONG).unwrap();
    assert!(records.len() >= 3, "{} records", records.len());
    thread.join().unwrap();
}

#[test]
fn what_a_poll_has_begun_to_give_waits_for_nothing() {
    let (broker, clock) = broker_with_clock();
    broker.admin().create_topic(NewTopic::new("orders", 1)).unwrap();
    send(&patient_producer(&broker), "orders", &["a", "b", "c"]);
    let builder = earliest(&broker).fetch_min_bytes(1 << 20).fetch_max_wait_ms(400).max_poll_records(2);
    let mut consumer = builder.build().unwrap();
    consumer.assign([tp("orders", 0)]).unwrap();
    assert!(consumer.poll(Duration::ZERO).unwrap().is_empty());
    clock.advance(Duration::from_millis(400));
    assert_eq!(texts(&consumer.poll(Duration::ZERO).unwrap()), ["a", "b"]);
    assert_eq!(texts(&consumer.poll(Duration::ZERO).unwrap()), ["c"]);
}

#[test]
fn seeking_leads_to_the_offset_even_within_a_batch() {
    let broker = broker_with("orders", 2);
    send(&patient_producer(&broker), "orders", &["x"]);
    let partition = broker.topic("orders").unwrap().partition(0).unwrap();
    let start = partition.latest_offset().unwrap();
    let mut batch = RecordBatchBuilder::new(BatchOptions::default());
    for value in ["a", "b", "c", "d"] {
        batch.append(START_MS, None, Some(value.as_bytes())).unwrap();
    }
    partition.append(&mut batch).unwrap();
    let tp = tp("orders", 0);
    let mut consumer = reader_of(&broker, &tp);
    let mut after_seek = |offset| {
        consumer.seek(&tp, offset).unwrap();
        texts(&consumer.poll(SHORT).unwrap())
    };
    assert_eq!(after_seek(start + 2), ["c", "d"]);
    assert_eq!(after_seek(start), ["a", "b", "c", "d"]);
    assert_eq!(after_seek(start + 4), [""; 0]);
    consumer.seek_to_beginning(&[]).unwrap();
    assert_eq!(consumer.position(&tp).unwrap(), 0);
    consumer.seek_to_end(std::slice::from_ref(&tp)).unwrap();
    assert_eq!(consumer.position(&tp).unwrap(), start + 4);
    assert_eq!(consumer.seek(&tp, -1).unwrap_err().code(), ErrorCode::InvalidRequest);
    let other = crate::support::tp("orders", 1);
    assert_eq!(consumer.seek(&other, 0).unwrap_err().code(), ErrorCode::InvalidRequest);
}

#[test]
fn a_position_that_retention_has_passed_is_reset_by_the_policy() {
    let broker = broker_with("orders", 1);
    send(&patient_producer(&broker), "orders", &["a", "b", "c"]);
    let tp = tp("orders", 0);
    broker.admin().delete_records(&tp, 2).unwrap();
    let mut consumer = reader_of(&broker, &tp);
    consumer.seek(&tp, 0).unwrap();
    assert_eq!(texts(&consumer.poll(SHORT).unwrap()), ["c"]);
    consumer.seek(&tp, 99).unwrap();
    assert_eq!(texts(&consumer.poll(SHORT).unwrap()), ["c"]);

    let mut strict = earliest(&broker).auto_offset_reset(AutoOffsetReset::None).build().unwrap();
    strict.assign([tp.clone()]).unwrap();
    strict.seek(&tp, 0).unwrap();
    for _ in 0..2 {
        assert_eq!(strict.poll(SHORT).unwrap_err().code(), ErrorCode::OffsetOutOfRange);
    }
    strict.seek(&tp, 2).unwrap();
    assert_eq!(texts(&strict.poll(SHORT).unwrap()), ["c"]);
}

#[test]
fn a_paused_partition_gives_nothing_until_it_is_resumed() {
    let broker = broker_with("orders", 2);
    let producer = patient_producer(&broker);
    for partition in 0..2 {
        let value = partition.to_string();
        producer.send(ProducerRecord::new("orders").partition(partition).value(&value)).unwrap();
    }
    producer.flush().unwrap();
    let mut consumer = earliest(&broker).build().unwrap();
    consumer.assign([tp("orders", 0), tp("orders", 1)]).unwrap();
    consumer.pause(&[tp("orders", 0)]).unwrap();
    assert_eq!(consumer.paused(), [tp("orders", 0)]);
    assert_eq!(texts(&consumer.poll(SHORT).unwrap()), ["1"]);
    assert!(consumer.poll(SHORT).unwrap().is_empty());
    consumer.resume(&[tp("orders", 0)]).unwrap();
    assert_eq!(texts(&consumer.poll(SHORT).unwrap()), ["0"]);
    assert_eq!(consumer.pause(&[tp("orders", 7)]).unwrap_err().code(), ErrorCode::InvalidRequest);
}

#[test]
fn a_consumer_that_reads_nothing_cannot_poll() {
    let broker = broker_with("orders", 1);
    let mut consumer = earliest(&broker).build().unwrap();
    assert_eq!(consumer.poll(SHORT).unwrap_err().code(), ErrorCode::InvalidRequest);
    consumer.assign([tp("orders", 0)]).unwrap();
    assert!(consumer.poll(SHORT).unwrap().is_empty());
    consumer.unsubscribe().unwrap();
    assert_eq!(consumer.poll(SHORT).unwrap_err().code(), ErrorCode::InvalidRequest);
    assert_eq!(consumer.subscribe(["orders"]).unwrap_err().code(), ErrorCode::InvalidGroupId);
}

/// It would be waited for in vain, as it never comes to be.
#[test]
fn a_name_that_no_topic_can_have_is_not_subscribed_to() {
    let broker = broker_with("orders", 1);
    let mut consumer = earliest(&broker).group_id("g").build().unwrap();
    let mut sharing = broker.share_consumer_builder("s").build().unwrap();
    for name in ["", "..", "two pears", &"x".repeat(250)] {
        for error in [consumer.subscribe(["orders", name]), sharing.subscribe([name])] {
            assert_eq!(error.unwrap_err().code(), ErrorCode::InvalidTopicException, "{name}");
        }
    }
    assert_eq!(consumer.poll(SHORT).unwrap_err().code(), ErrorCode::InvalidRequest, "nothing is subscribed");
    consumer.subscribe(["orders", "not-there-yet"]).unwrap();
}

#[test]
fn a_partition_that_does_not_exist_is_an_error_until_it_does() {
    let broker = broker_with("orders", 1);
    let mut consumer = earliest(&broker).build().unwrap();
    consumer.assign([tp("orders", 1)]).unwrap();
    assert_eq!(consumer.poll(LONG).unwrap_err().code(), ErrorCode::UnknownTopicOrPartition);
    broker.admin().create_partitions("orders", 2).unwrap();
    broker.producer().send(ProducerRecord::new("orders").partition(1).value("x")).unwrap().wait().unwrap();
    assert_eq!(texts(&consumer.poll(LONG).unwrap()), ["x"]);
}

#[test]
fn a_topic_that_is_deleted_and_made_again_is_read_from_its_beginning() {
    let broker = broker_with("orders", 1);
    let producer = patient_producer(&broker);
    send(&producer, "orders", &["a", "b"]);
    let mut consumer = reader_of(&broker, &tp("orders", 0));
    assert_eq!(consumer.poll(SHORT).unwrap().len(), 2);
    broker.admin().delete_topic("orders").unwrap();
    broker.admin().create_topic(NewTopic::new("orders", 1)).unwrap();
    send(&producer, "orders", &["new"]);
    assert_eq!(poll_values(&mut consumer, 1), ["new"]);
}

#[test]
fn records_that_are_held_stay_as_they_are() {
    let broker = broker_with("orders", 1);
    let mut consumer = reader_of(&broker, &tp("orders", 0));
    let mut held = Vec::new();
    for i in 0..50 {
        send(&broker.producer(), "orders", &[&format!("value {i}")]);
        held.push(consumer.poll(LONG).unwrap());
    }
    for (i, records) in held.iter().enumerate() {
        assert_eq!(texts(records), [format!("value {i}")]);
    }
    let bytes: Vec<_> =
        held.iter().map(|records| records.iter().next().unwrap().value_bytes().unwrap()).collect();
    drop(held);
    for _ in 0..10 {
        send(&broker.producer(), "orders", &["something else"]);
        consumer.poll(LONG).unwrap();
    }
    assert!(bytes.iter().enumerate().all(|(i, value)| *value == format!("value {i}")));
}

#[test]
fn offsets_are_found_by_time_and_at_both_ends_without_an_assignment() {
    let broker = broker_with("orders", 1);
    for time in [10, 20, 30] {
        let record = ProducerRecord::new("orders").timestamp(START_MS + time);
        broker.producer().send(record).unwrap().wait().unwrap();
    }
    let tp = tp("orders", 0);
    broker.admin().delete_records(&tp, 1).unwrap();
    let consumer = earliest(&broker).build().unwrap();
    assert_eq!(consumer.beginning_offsets([tp.clone()]).unwrap()[&tp], 1);
    assert_eq!(consumer.end_offsets([tp.clone()]).unwrap()[&tp], 3);
    let at = |time| {
        consumer.offsets_for_times([(tp.clone(), START_MS + time)]).unwrap()[&tp]
            .map(|found| (found.offset, found.timestamp - START_MS))
    };
    assert_eq!([at(0), at(20), at(21), at(31)], [Some((1, 20)), Some((1, 20)), Some((2, 30)), None]);
    let missing = consumer.end_offsets([crate::support::tp("none", 0)]).unwrap_err();
    assert_eq!(missing.code(), ErrorCode::UnknownTopicOrPartition);
}

#[test]
fn offsets_are_committed_without_being_a_member_and_found_again_after_opening() {
    let dir = tempfile::tempdir().unwrap();
    let tp = tp("orders", 0);
    {
        let broker = Broker::open(dir.path()).unwrap();
        send(&patient_producer(&broker), "orders", &["a", "b", "c"]);
        let mut consumer = earliest(&broker)
            .group_id("billing")
            .max_poll_records(2)
            .enable_auto_commit(false)
            .build()
            .unwrap();
        consumer.assign([tp.clone()]).unwrap();
        assert_eq!(consumer.committed(&tp).unwrap(), None);
        assert_eq!(consumer.poll(SHORT).unwrap().len(), 2);
        assert_eq!(consumer.committed(&tp).unwrap(), None);
        consumer.commit().unwrap();
        assert_eq!(consumer.committed(&tp).unwrap(), Some(2.into()));
        let words = OffsetAndMetadata::new(1).with_metadata("one done");
        consumer.commit_offsets([(crate::support::tp("orders", 5), words.clone())]).unwrap();
        assert_eq!(consumer.committed(&crate::support::tp("orders", 5)).unwrap(), Some(words));
        consumer.close().unwrap();
    }
    let broker = Broker::open(dir.path()).unwrap();
    let mut consumer = earliest(&broker).group_id("billing").build().unwrap();
    consumer.assign([tp.clone()]).unwrap();
    assert_eq!(texts(&consumer.poll(SHORT).unwrap()), ["c"]);
    let nobody = earliest(&broker).build().unwrap();
    assert_eq!(nobody.committed(&tp).unwrap_err().code(), ErrorCode::InvalidGroupId);
}

#[test]
fn positions_are_committed_by_the_way_for_what_earlier_polls_have_given() {
    let (broker, clock) = broker_with_clock();
    send(&patient_producer(&broker), "orders", &["a", "b", "c"]);
    let tp = tp("orders", 0);
    let mut consumer = earliest(&broker).group_id("g").max_poll_records(1).build().unwrap();
    consumer.assign([tp.clone()]).unwrap();
    consumer.poll(SHORT).unwrap();
    clock.advance(Duration::from_millis(4999));
    consumer.poll(SHORT).unwrap();
    assert_eq!(consumer.committed(&tp).unwrap(), None);
    clock.advance(Duration::from_millis(1));
    consumer.poll(SHORT).unwrap();
    assert_eq!(consumer.committed(&tp).unwrap(), Some(2.into()), "the third was given by this very poll");
    drop(consumer);
    assert_eq!(broker.consumer("g").unwrap().committed(&tp).unwrap(), Some(3.into()));
}

#[test]
fn a_consumer_that_a_panic_drops_commits_nothing() {
    let broker = broker_with("orders", 1);
    send(&patient_producer(&broker), "orders", &["a"]);
    let tp = tp("orders", 0);
    let mut consumer = earliest(&broker).group_id("g").build().unwrap();
    consumer.assign([tp.clone()]).unwrap();
    let result = std::thread::spawn(move || {
        assert_eq!(consumer.poll(SHORT).unwrap().len(), 1);
        panic!("the record could not be dealt with");
    })
    .join();
    assert!(result.is_err());
    assert_eq!(broker.consumer("g").unwrap().committed(&tp).unwrap(), None);
}

#[test]
fn an_iteration_that_is_left_early_loses_nothing() {
    let broker = broker_with("orders", 1);
    let values: Vec<String> = (0..10).map(|i| i.to_string()).collect();
    send(&patient_producer(&broker), "orders", &values.iter().map(String::as_str).collect::<Vec<_>>());
    let mut consumer = reader_of(&broker, &tp("orders", 0));
    let taken: Vec<i64> = consumer.iter(SHORT).take(4).map(|next| next.unwrap().1.offset()).collect();
    assert_eq!(taken, [0, 1, 2, 3]);
    assert_eq!(consumer.position(&tp("orders", 0)).unwrap(), 4);
    assert_eq!(consumer.iter(SHORT).count(), 6);
    assert_eq!(consumer.iter(SHORT).count(), 0);
}

#[test]
fn the_records_of_one_partition_are_picked_out_of_a_poll() {
    let broker = broker_with("orders", 2);
    let producer = patient_producer(&broker);
    for i in 0..10 {
        producer.send(ProducerRecord::new("orders").partition(i % 2).value(&i.to_string())).unwrap();
    }
    producer.flush().unwrap();
    let mut consumer = earliest(&broker).build().unwrap();
    consumer.assign([tp("orders", 0), tp("orders", 1)]).unwrap();
    let records = consumer.poll(SHORT).unwrap();
    assert_eq!(records.partitions(), [&tp("orders", 0), &tp("orders", 1)]);
    let odd: Vec<_> =
        records.records(&tp("orders", 1)).map(|record| record.value().unwrap().to_vec()).collect();
    assert_eq!(odd, [b"1", b"3", b"5", b"7", b"9"]);
}
