//! What comes round, done at its deadline to the millisecond while time is skipped.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::TestBroker;
use crate::broker::admin::ListGroupsOptions;
use crate::broker::{BrokerCore, NewTopic, ProducerRecord};
use crate::model::TopicPartition;
use crate::sys::ManualClock;

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

fn standing() -> TestBroker {
    TestBroker::with_clock(Arc::new(ManualClock::new(1_700_000_000_000))).unwrap()
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

type Look<T> = fn(&BrokerCore) -> T;

/// What `look` finds just before a time and just after it, in an advance that goes far beyond.
fn around<T: Send + 'static>(kafka: &TestBroker, after_ms: u64, look: Look<T>) -> (T, T) {
    let found = Arc::new(Mutex::new(Vec::new()));
    for at in [after_ms - 1, after_ms + 2] {
        let (core, found) = (Arc::downgrade(&kafka.core), Arc::clone(&found));
        kafka.core.timer.schedule(ms(at), move || {
            let core = core.upgrade().expect("it is open");
            found.lock().push(look(&core));
        });
    }
    kafka.advance(ms(after_ms * 3));
    let mut found = found.lock();
    let after = found.pop().expect("both have come");
    (found.pop().expect("both have come"), after)
}

fn send(kafka: &TestBroker, key: &'static str) {
    kafka
        .producer_builder()
        .idempotence(false)
        .build()
        .unwrap()
        .send(ProducerRecord::new("orders").key(key).value("x"))
        .unwrap()
        .wait()
        .unwrap();
}

fn log_of(core: &BrokerCore) -> Arc<crate::log::Log> {
    core.partition("orders", 0).unwrap().log().unwrap()
}

#[test]
fn a_segment_goes_when_its_retention_is_over_and_not_when_somebody_looks() {
    let kafka = standing();
    kafka.admin().create_topic(NewTopic::new("orders", 1).config("retention.ms", "3600000")).unwrap();
    send(&kafka, "pear");
    assert_eq!(around(&kafka, HOUR_MS, |core| log_of(core).log_start_offset()), (0, 1));
}

/// They were gone with the first millisecond that a test let pass.
#[test]
fn records_with_old_timestamps_stay_until_somebody_looks() {
    let kafka = standing();
    kafka.admin().create_topic(NewTopic::new("orders", 1).config("retention.ms", "3600000")).unwrap();
    kafka.producer().send(ProducerRecord::new("orders").value("x").timestamp(0)).unwrap().wait().unwrap();
    kafka.advance(ms(1));
    assert_eq!(log_of(&kafka.core).log_start_offset(), 0);
    // `log.retention.check.interval.ms`.
    kafka.advance(ms(300_000));
    assert_eq!(log_of(&kafka.core).log_start_offset(), 1);
}

#[test]
fn a_topic_is_compacted_when_its_longest_lag_is_over() {
    let kafka = standing();
    let topic = NewTopic::new("orders", 1).config("cleanup.policy", "compact");
    let topic = topic.config("min.cleanable.dirty.ratio", "1.0").config("max.compaction.lag.ms", "3600000");
    kafka.admin().create_topic(topic).unwrap();
    for _ in 0..3 {
        send(&kafka, "pear");
    }
    log_of(&kafka.core).roll().unwrap();
    let (before, after) = around(&kafka, HOUR_MS, |core| log_of(core).size());
    assert!(after > 0 && after * 2 < before, "{before} bytes before, {after} after");
}

#[test]
fn what_is_due_for_compaction_already_is_compacted_when_its_threads_would_have_looked() {
    let kafka = standing();
    let topic = NewTopic::new("orders", 1).config("cleanup.policy", "compact");
    kafka.admin().create_topic(topic.config("min.cleanable.dirty.ratio", "0.01")).unwrap();
    for _ in 0..3 {
        send(&kafka, "pear");
    }
    log_of(&kafka.core).roll().unwrap();
    // Their backoff.
    let (_, after) = around(&kafka, 15_000, |core| log_of(core).size());
    assert!(after > 0 && after < 100, "{after} bytes");
}

#[test]
fn a_producer_is_forgotten_when_it_has_not_written_for_a_day() {
    let kafka = standing();
    kafka.admin().create_topic(NewTopic::new("orders", 1)).unwrap();
    let producer = kafka.producer_builder().idempotence(true).build().unwrap();
    producer.send(ProducerRecord::new("orders").value("x")).unwrap().wait().unwrap();
    assert_eq!(around(&kafka, DAY_MS, |core| log_of(core).active_producers().len()), (1, 0));
}

#[test]
fn a_transactional_id_is_forgotten_when_nobody_has_used_it_for_a_week() {
    let kafka = standing();
    kafka.admin().create_topic(NewTopic::new("orders", 1)).unwrap();
    let producer = kafka.producer_builder().transactional_id("till").build().unwrap();
    let transaction = producer.begin_transaction().unwrap();
    transaction.send(ProducerRecord::new("orders").value("x")).unwrap();
    transaction.commit().unwrap();
    let is_known = |core: &BrokerCore| core.transactions.describe("till").is_ok();
    assert_eq!(around(&kafka, 7 * DAY_MS, is_known), (true, false));
}

#[test]
fn an_idle_connection_is_closed_when_it_has_been_idle_for_long_enough() {
    let kafka = standing();
    let mut client = TcpStream::connect(kafka.local_addr()).unwrap();
    // Its second answer comes when its network thread knows all about the connection.
    for _ in 0..2 {
        // ApiVersions: key 18, version 0, correlation id 7, no client id.
        client.write_all(&[0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 255, 255]).unwrap();
        let mut size = [0; 4];
        client.read_exact(&mut size).unwrap();
        let mut answer = vec![0; i32::from_be_bytes(size).try_into().unwrap()];
        client.read_exact(&mut answer).unwrap();
    }
    let watch = Arc::clone(&kafka.watch);
    let open = Arc::new(Mutex::new(Vec::new()));
    for at in [10 * 60_000 - 1, 10 * 60_000 + 1] {
        let (watch, open) = (Arc::clone(&watch), Arc::clone(&open));
        kafka.core.timer.schedule(ms(at), move || open.lock().push(watch.connections().count()));
    }
    kafka.advance(ms(DAY_MS));
    assert_eq!(*open.lock(), [1, 0]);
    drop(client);
}

/// So many deadlines are met together, and none is forgotten.
#[test]
fn thousands_of_deadlines_pass_in_one_advance() {
    let clock = Arc::new(ManualClock::new(1_700_000_000_000));
    let builder = TestBroker::builder().clock(clock.clone()).set("offsets.retention.minutes", "60");
    let kafka = builder.start().unwrap();
    kafka.admin().create_topic(NewTopic::new("orders", 1)).unwrap();
    let tp = TopicPartition::new("orders", 0);
    for n in 0..450 {
        kafka.admin().alter_consumer_group_offsets(&format!("group-{n}"), [(tp.clone(), 0)]).unwrap();
        clock.advance(ms(1));
    }
    let groups = || kafka.admin().list_groups(&ListGroupsOptions::new()).unwrap().len();
    assert_eq!(groups(), 450);
    kafka.advance(ms(2 * HOUR_MS));
    assert_eq!(groups(), 0);
}
