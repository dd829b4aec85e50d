//! Consumers that share partitions record by record (KIP-932).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ottla::{
    AcknowledgeType, AcknowledgementMode, AlterConfig, Broker, ConfigResource, ErrorCode, ManualClock,
    NewTopic, ProducerRecord, ShareAcquireMode, ShareConsumer, ShareRecords,
};

use super::support::{broker_with, broker_with_clock, eventually};

const LONG: Duration = Duration::from_secs(60);
const LOCK: Duration = Duration::from_secs(30);

/// A broker with a topic of one partition, and a member of the group `g`, which has begun.
fn begun(mode: AcknowledgementMode) -> (Broker, ShareConsumer) {
    let broker = broker_with("jobs", 1);
    let mut consumer = member(&broker, mode);
    assert!(consumer.poll(Duration::ZERO).unwrap().is_empty());
    (broker, consumer)
}

/// The same, where time stands still.
fn standing(mode: AcknowledgementMode) -> (Broker, Arc<ManualClock>, ShareConsumer) {
    let (broker, clock) = broker_with_clock();
    broker.admin().create_topic(NewTopic::new("jobs", 1)).unwrap();
    let mut consumer = member(&broker, mode);
    assert!(consumer.poll(Duration::ZERO).unwrap().is_empty());
    (broker, clock, consumer)
}

fn member(broker: &Broker, mode: AcknowledgementMode) -> ShareConsumer {
    let mut consumer = broker.share_consumer_builder("g").acknowledgement_mode(mode).build().unwrap();
    consumer.subscribe(["jobs"]).unwrap();
    consumer
}

fn send(broker: &Broker, count: usize) {
    for i in 0..count {
        broker.producer().send(ProducerRecord::new("jobs").value(&i.to_string())).unwrap().wait().unwrap();
    }
}

fn set(broker: &Broker, key: &str, value: &str) {
    let group = ConfigResource::group("g");
    broker.admin().alter_configs(&group, [AlterConfig::set(key, value)]).unwrap();
}

/// Offsets, and how often each was delivered.
fn seen(records: &ShareRecords) -> Vec<(i64, i16)> {
    records.iter().map(|record| (record.offset(), record.delivery_count())).collect()
}

#[test]
fn each_record_is_one_consumers_and_none_is_lost() {
    let (broker, mut a) = begun(AcknowledgementMode::Implicit);
    let mut b = member(&broker, AcknowledgementMode::Implicit);
    b.poll(Duration::ZERO).unwrap();
    let mut offsets = BTreeSet::new();
    for round in 0..10 {
        send(&broker, 3);
        let consumer = if round % 2 == 0 { &mut a } else { &mut b };
        while offsets.len() < 3 * (round + 1) {
            for record in consumer.poll(LONG).unwrap() {
                assert_eq!(record.delivery_count(), 1);
                assert!(offsets.insert(record.offset()), "{} came twice", record.offset());
            }
        }
        consumer.commit().unwrap();
    }
    assert_eq!(offsets.len(), 30);
}

#[test]
fn workers_on_many_threads_deal_with_each_record_once() {
    const RECORDS: usize = 400;
    let broker = broker_with("jobs", 2);
    set(&broker, "share.auto.offset.reset", "earliest");
    let (done, results) = std::sync::mpsc::channel();
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let mut consumer = member(&broker, AcknowledgementMode::Explicit);
            let (waker, done) = (consumer.waker(), done.clone());
            let work = move || {
                let mut is_stopped = false;
                while !is_stopped {
                    let records = consumer.poll(LONG).unwrap();
                    is_stopped = records.is_empty();
                    for record in &records {
                        consumer.acknowledge(record, AcknowledgeType::Accept).unwrap();
                        let value = String::from_utf8(record.value().unwrap().to_vec()).unwrap();
                        done.send((record.partition(), record.offset(), value)).unwrap();
                    }
                    consumer.commit().unwrap();
                }
                consumer.close().unwrap();
            };
            (std::thread::spawn(work), waker)
        })
        .collect();
    let producer = broker.producer();
    for i in 0..RECORDS {
        let text = i.to_string();
        producer.send(ProducerRecord::new("jobs").key(&text).value(&text)).unwrap().wait().unwrap();
    }
    let dealt: Vec<_> = results.iter().take(RECORDS).collect();
    for (worker, waker) in workers {
        waker.wake();
        worker.join().unwrap();
    }
    drop(done);
    assert_eq!(results.iter().count(), 0, "something came twice");
    let values: BTreeSet<&str> = dealt.iter().map(|(_, _, value)| &**value).collect();
    assert_eq!(values.len(), RECORDS);
}

#[test]
fn what_a_consumer_holds_goes_to_another_when_it_is_dropped() {
    let (broker, mut a) = begun(AcknowledgementMode::Implicit);
    send(&broker, 1);
    assert_eq!(a.poll(LONG).unwrap().len(), 1);
    drop(a);
    let mut b = member(&broker, AcknowledgementMode::Implicit);
    assert_eq!(seen(&b.poll(LONG).unwrap()), [(0, 2)]);
    b.commit().unwrap();
    b.close().unwrap();
}

#[test]
fn what_was_acknowledged_is_committed_by_closing() {
    let (broker, mut a) = begun(AcknowledgementMode::Explicit);
    send(&broker, 2);
    let records = a.poll(LONG).unwrap();
    assert_eq!(seen(&records), [(0, 1), (1, 1)]);
    a.acknowledge(&records[0], AcknowledgeType::Accept).unwrap();
    a.close().unwrap();
    let mut b = member(&broker, AcknowledgementMode::Implicit);
    assert_eq!(seen(&b.poll(LONG).unwrap()), [(1, 2)]);
}

#[test]
fn in_explicit_mode_each_record_must_be_acknowledged() {
    let (broker, mut consumer) = begun(AcknowledgementMode::Explicit);
    send(&broker, 1);
    let first = consumer.poll(LONG).unwrap();
    assert_eq!(consumer.poll(Duration::ZERO).unwrap_err().code(), ErrorCode::InvalidRequest);
    consumer.acknowledge(&first[0], AcknowledgeType::Release).unwrap();
    let again = consumer.poll(LONG).unwrap();
    assert_eq!(seen(&again), [(0, 2)]);
    consumer.acknowledge(&again[0], AcknowledgeType::Renew).unwrap();
    consumer.commit().unwrap();
    consumer.acknowledge(&again[0], AcknowledgeType::Reject).unwrap();
    consumer.commit().unwrap();
    let gone = consumer.acknowledge(&again[0], AcknowledgeType::Accept).unwrap_err();
    assert_eq!(gone.code(), ErrorCode::InvalidRecordState);
    send(&broker, 1);
    assert_eq!(seen(&consumer.poll(LONG).unwrap()), [(1, 1)], "what was rejected does not come again");
}

#[test]
fn in_implicit_mode_nothing_can_be_acknowledged() {
    let (broker, mut consumer) = begun(AcknowledgementMode::Implicit);
    send(&broker, 1);
    let records = consumer.poll(LONG).unwrap();
    let error = consumer.acknowledge(&records[0], AcknowledgeType::Release).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidRequest);
    // The next poll accepts.
    assert!(consumer.poll(Duration::ZERO).unwrap().is_empty());
    drop(consumer);
    assert!(member(&broker, AcknowledgementMode::Implicit).poll(Duration::ZERO).unwrap().is_empty());
}

#[test]
fn a_record_is_given_up_after_the_groups_limit_of_deliveries() {
    let (broker, mut consumer) = begun(AcknowledgementMode::Explicit);
    set(&broker, "share.delivery.count.limit", "3");
    send(&broker, 1);
    for delivery in 1..=3 {
        let records = consumer.poll(LONG).unwrap();
        assert_eq!(seen(&records), [(0, delivery)]);
        consumer.acknowledge(&records[0], AcknowledgeType::Release).unwrap();
    }
    assert!(consumer.poll(Duration::ZERO).unwrap().is_empty());
}

#[test]
fn a_lock_that_is_renewed_lasts_as_long_again_and_then_ends() {
    let (broker, clock, mut a) = standing(AcknowledgementMode::Explicit);
    send(&broker, 1);
    let records = a.poll(Duration::ZERO).unwrap();
    let mut b = member(&broker, AcknowledgementMode::Implicit);
    clock.advance(LOCK / 2);
    a.acknowledge(&records[0], AcknowledgeType::Renew).unwrap();
    a.commit().unwrap();
    clock.advance(LOCK - Duration::from_millis(1));
    assert!(b.poll(Duration::ZERO).unwrap().is_empty());
    // What is renewed is not given again, and need not be acknowledged before the next poll.
    assert!(a.poll(Duration::ZERO).unwrap().is_empty());
    clock.advance(Duration::from_millis(1));
    eventually("the lock has ended", || seen(&b.poll(Duration::ZERO).unwrap()) == [(0, 2)]);
    a.acknowledge(&records[0], AcknowledgeType::Accept).unwrap();
    assert_eq!(a.commit().unwrap_err().code(), ErrorCode::InvalidRecordState);
    b.commit().unwrap();
}

#[test]
fn a_group_may_forbid_to_renew_locks() {
    let (broker, mut consumer) = begun(AcknowledgementMode::Explicit);
    set(&broker, "share.renew.acknowledge.enable", "false");
    send(&broker, 1);
    let records = consumer.poll(LONG).unwrap();
    consumer.acknowledge(&records[0], AcknowledgeType::Renew).unwrap();
    assert_eq!(consumer.commit().unwrap_err().code(), ErrorCode::InvalidRecordState);
}

#[test]
fn a_group_that_reads_what_is_committed_gets_no_aborted_record() {
    let (broker, mut consumer) = begun(AcknowledgementMode::Implicit);
    set(&broker, "share.isolation.level", "read_committed");
    let producer = broker.producer_builder().transactional_id("t").build().unwrap();
    for (value, commits) in [("aborted", false), ("committed", true)] {
        let transaction = producer.begin_transaction().unwrap();
        transaction.send(ProducerRecord::new("jobs").value(value)).unwrap();
        if commits { transaction.commit().unwrap() } else { transaction.abort().unwrap() }
    }
    let records = consumer.poll(LONG).unwrap();
    let values: Vec<_> = records.iter().map(|record| record.value().unwrap()).collect();
    assert_eq!(values, [b"committed"]);
    consumer.commit().unwrap();
    // Markers are nobody's, and do not keep the group from going on.
    send(&broker, 1);
    assert_eq!(seen(&consumer.poll(LONG).unwrap()), [(4, 1)]);
}

#[test]
fn no_more_records_come_than_asked_for_if_their_number_is_a_limit() {
    let broker = broker_with("jobs", 1);
    set(&broker, "share.auto.offset.reset", "earliest");
    let producer = broker.producer_builder().linger_ms(60_000).build().unwrap();
    for _ in 0..5 {
        producer.send(ProducerRecord::new("jobs").value("in one batch")).unwrap();
    }
    producer.flush().unwrap();
    let builder = broker.share_consumer_builder("g").max_poll_records(2);
    let mut consumer = builder.acquire_mode(ShareAcquireMode::RecordLimit).build().unwrap();
    consumer.subscribe(["jobs"]).unwrap();
    assert_eq!(seen(&consumer.poll(LONG).unwrap()), [(0, 1), (1, 1)]);
    assert_eq!(seen(&consumer.poll(LONG).unwrap()), [(2, 1), (3, 1)]);
    assert_eq!(seen(&consumer.poll(LONG).unwrap()), [(4, 1)]);
}

#[test]
fn what_was_accepted_does_not_come_again_after_a_restart_and_what_was_held_does() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Broker::open(dir.path()).unwrap();
    let broker = open();
    broker.admin().create_topic(NewTopic::new("jobs", 1)).unwrap();
    set(&broker, "share.auto.offset.reset", "earliest");
    let mut consumer = member(&broker, AcknowledgementMode::Explicit);
    send(&broker, 2);
    let records = consumer.poll(LONG).unwrap();
    assert_eq!(seen(&records), [(0, 1), (1, 1)]);
    consumer.acknowledge(&records[0], AcknowledgeType::Accept).unwrap();
    consumer.commit().unwrap();
    broker.close();
    assert_eq!(consumer.commit().unwrap_err().code(), ErrorCode::BrokerNotAvailable);
    drop((consumer, broker));

    let broker = open();
    let mut consumer = member(&broker, AcknowledgementMode::Implicit);
    let records = consumer.poll(LONG).unwrap();
    assert_eq!(records.iter().map(|record| record.offset()).collect::<Vec<_>>(), [1]);
}

#[test]
fn a_topic_that_comes_later_is_read_at_once() {
    let broker = Broker::temporary().unwrap();
    set(&broker, "share.auto.offset.reset", "earliest");
    let mut consumer = member(&broker, AcknowledgementMode::Implicit);
    assert!(consumer.poll(Duration::ZERO).unwrap().is_empty());
    let waiting = std::thread::spawn(move || consumer.poll(LONG).unwrap().len());
    broker.admin().create_topic(NewTopic::new("jobs", 1)).unwrap();
    send(&broker, 1);
    assert_eq!(waiting.join().unwrap(), 1);
}

#[test]
fn a_topic_that_is_deleted_keeps_nobody_busy_and_may_come_back() {
    let (broker, _clock, mut consumer) = standing(AcknowledgementMode::Implicit);
    set(&broker, "share.auto.offset.reset", "earliest");
    broker.admin().delete_topic("jobs").unwrap();
    assert!(consumer.poll(Duration::ZERO).unwrap().is_empty());
    broker.admin().create_topic(NewTopic::new("jobs", 1)).unwrap();
    send(&broker, 1);
    eventually("the new topic is read", || !consumer.poll(Duration::ZERO).unwrap().is_empty());
}

#[test]
fn who_does_not_poll_for_long_loses_its_place_and_gets_it_back_with_the_next_poll() {
    let (broker, clock) = broker_with_clock();
    broker.admin().create_topic(NewTopic::new("jobs", 1)).unwrap();
    set(&broker, "share.record.lock.duration.ms", "60000");
    let mut a = broker.share_consumer_builder("g").max_poll_interval_ms(20_000).build().unwrap();
    a.subscribe(["jobs"]).unwrap();
    assert!(a.poll(Duration::ZERO).unwrap().is_empty());
    send(&broker, 1);
    assert_eq!(seen(&a.poll(Duration::ZERO).unwrap()), [(0, 1)]);
    let members = || broker.admin().describe_group("g").unwrap().members.len();
    assert_eq!(members(), 1);
    // The lock would last for longer.
    clock.advance(Duration::from_millis(20_501));
    eventually("it has left", || members() == 0);
    let mut b = member(&broker, AcknowledgementMode::Implicit);
    eventually("what it held has come free", || seen(&b.poll(Duration::ZERO).unwrap()) == [(0, 2)]);
    assert_eq!(a.commit().unwrap_err().code(), ErrorCode::InvalidRecordState);
    assert!(a.poll(Duration::ZERO).unwrap().is_empty());
    assert_eq!(members(), 2);
}

#[test]
fn a_consumer_that_is_woken_loses_nothing() {
    let (broker, mut consumer) = begun(AcknowledgementMode::Implicit);
    let waker = consumer.waker();
    waker.wake();
    assert!(consumer.poll(LONG).unwrap().is_empty());
    let waiting = std::thread::spawn(move || (consumer.poll(LONG).unwrap().len(), consumer));
    waker.wake();
    let (count, mut consumer) = waiting.join().unwrap();
    assert_eq!(count, 0);
    send(&broker, 1);
    assert_eq!(seen(&consumer.poll(LONG).unwrap()), [(0, 1)], "nobody else has acquired it");
}

#[test]
fn who_waits_is_told_when_the_broker_closes() {
    let (broker, mut consumer) = begun(AcknowledgementMode::Implicit);
    let waiting = std::thread::spawn(move || consumer.poll(LONG).map(|records| records.len()));
    broker.close();
    assert_eq!(waiting.join().unwrap().unwrap_err().code(), ErrorCode::BrokerNotAvailable);
}

#[test]
fn who_leaves_is_gone_from_the_group_and_may_come_back() {
    let (broker, mut consumer) = begun(AcknowledgementMode::Implicit);
    let members = || broker.admin().describe_group("g").unwrap().members.len();
    assert_eq!((members(), consumer.subscription()), (1, vec!["jobs".to_owned()]));
    consumer.unsubscribe().unwrap();
    assert_eq!(members(), 0);
    assert_eq!(consumer.poll(Duration::ZERO).unwrap_err().code(), ErrorCode::InvalidRequest);
    consumer.subscribe(["jobs"]).unwrap();
    consumer.poll(Duration::ZERO).unwrap();
    assert_eq!(members(), 1);
}

#[test]
fn what_does_not_fit_is_refused() {
    let broker = broker_with("jobs", 1);
    let refused = |builder: ottla::ShareConsumerBuilder| builder.build().unwrap_err().code();
    assert_eq!(refused(broker.share_consumer_builder(" ")), ErrorCode::InvalidGroupId);
    assert_eq!(refused(broker.share_consumer_builder("g").max_poll_records(0)), ErrorCode::InvalidConfig);
    assert_eq!(refused(broker.share_consumer_builder("g").fetch_max_bytes(0)), ErrorCode::InvalidConfig);
    assert_eq!(refused(broker.share_consumer_builder("g").max_poll_interval_ms(0)), ErrorCode::InvalidConfig);

    let mut classic = broker.consumer("taken").unwrap();
    classic.subscribe(["jobs"]).unwrap();
    classic.poll(Duration::ZERO).unwrap();
    let mut consumer = broker.share_consumer("taken").unwrap();
    consumer.subscribe(["jobs"]).unwrap();
    assert_eq!(consumer.poll(Duration::ZERO).unwrap_err().code(), ErrorCode::GroupIdNotFound);
}
