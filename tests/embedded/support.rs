use std::sync::Arc;
use std::time::Duration;

use ottla::{
    AutoOffsetReset, Broker, Consumer, ConsumerBuilder, ConsumerRecords, ManualClock, NewTopic, Producer,
    ProducerRecord, TopicPartition,
};

/// When manual clocks start: a time like any other.
pub(crate) const START_MS: i64 = 1_700_000_000_000;

/// A temporary broker with one topic.
pub(crate) fn broker_with(topic: &str, partitions: i32) -> Broker {
    let broker = Broker::temporary().unwrap();
    broker.admin().create_topic(NewTopic::new(topic, partitions)).unwrap();
    broker
}

/// A temporary broker whose time stands still.
pub(crate) fn broker_with_clock() -> (Broker, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(START_MS));
    let broker = Broker::builder().temporary().clock(clock.clone()).open().unwrap();
    (broker, clock)
}

/// A producer whose batches wait for ever, unless they are full or somebody waits for them.
pub(crate) fn patient_producer(broker: &Broker) -> Producer {
    broker.producer_builder().linger_ms(u64::from(u32::MAX)).build().unwrap()
}

pub(crate) fn send(producer: &Producer, topic: &str, values: &[&str]) {
    for value in values {
        producer.send(ProducerRecord::new(topic).value(*value)).unwrap();
    }
    producer.flush().unwrap();
}

/// The values of a partition from an offset on.
pub(crate) fn values(broker: &Broker, topic: &str, partition: i32, offset: i64) -> Vec<String> {
    let reader = broker.topic(topic).unwrap().partition(partition).unwrap().read_from(offset);
    reader.map(|record| String::from_utf8(record.unwrap().value().unwrap().to_vec()).unwrap()).collect()
}

pub(crate) fn latest(broker: &Broker, topic: &str, partition: i32) -> i64 {
    broker.topic(topic).unwrap().partition(partition).unwrap().latest_offset().unwrap()
}

pub(crate) fn tp(topic: &str, partition: i32) -> TopicPartition {
    TopicPartition::new(topic, partition)
}

/// Lets other threads run until `condition` holds. Fails if that takes a minute, which is no measure of time but a
/// way not to hang.
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(60), "never: {what}");
        std::thread::yield_now();
    }
}

/// The values of what a poll gives.
pub(crate) fn texts(records: &ConsumerRecords) -> Vec<String> {
    records.iter().map(|record| String::from_utf8(record.value().unwrap().to_vec()).unwrap()).collect()
}

/// Polls until `count` records have come, and gives their values.
pub(crate) fn poll_values(consumer: &mut Consumer, count: usize) -> Vec<String> {
    let mut values = Vec::new();
    while values.len() < count {
        let records = consumer.poll(Duration::from_secs(60)).unwrap();
        assert!(!records.is_empty(), "{} of {count} records have come: {values:?}", values.len());
        values.extend(texts(&records));
    }
    values
}

/// The way to a consumer that reads what was there before it, too.
pub(crate) fn earliest(broker: &Broker) -> ConsumerBuilder {
    broker.consumer_builder().auto_offset_reset(AutoOffsetReset::Earliest)
}

/// A consumer without a group that reads one partition from its beginning.
pub(crate) fn reader_of(broker: &Broker, tp: &TopicPartition) -> Consumer {
    let mut consumer = earliest(broker).build().unwrap();
    consumer.assign([tp.clone()]).unwrap();
    consumer
}
