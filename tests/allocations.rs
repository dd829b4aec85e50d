//! What the hot paths allocate: something for a batch or a chunk at most, nothing for a record.

use std::time::Duration;

use allocation_counter::measure;
use ottla::{AutoOffsetReset, BatchOptions, Broker, NewTopic, Partition, ProducerRecord, RecordBatchBuilder};

const RECORDS: usize = 100_000;
const BATCH: usize = 1000;
/// Allocations that a batch of records, or a chunk read from a file, may cost, whatever is in it.
const PER_BATCH: u64 = 2;

fn broker_with_topic() -> (Broker, Partition) {
    let broker = Broker::temporary().unwrap();
    broker.admin().create_topic(NewTopic::new("t", 1)).unwrap();
    let partition = broker.topic("t").unwrap().partition(0).unwrap();
    (broker, partition)
}

fn append(partition: &Partition, builder: &mut RecordBatchBuilder) {
    for _ in 0..RECORDS / BATCH {
        for at in 0..BATCH as i64 {
            builder.append(at, Some(b"key"), Some(b"a value of some length")).unwrap();
        }
        partition.append(builder).unwrap();
    }
}

fn assert_less_than(limit: u64, what: &str, work: impl FnOnce()) {
    let allocations = measure(work).count_total;
    assert!(allocations < limit, "{what}: {allocations} allocations, {limit} would be too many");
}

#[test]
fn appending_allocates_nothing_for_a_record() {
    let (_broker, partition) = broker_with_topic();
    let mut builder = RecordBatchBuilder::new(BatchOptions::default());
    append(&partition, &mut builder);
    assert_less_than(PER_BATCH * (RECORDS / BATCH) as u64, "appending", || append(&partition, &mut builder));
}

#[test]
fn scanning_allocates_nothing_for_a_record() {
    let (_broker, partition) = broker_with_topic();
    append(&partition, &mut RecordBatchBuilder::new(BatchOptions::default()));
    let mut seen = 0;
    let mut scratch = Vec::new();
    assert_less_than(PER_BATCH * (RECORDS / BATCH) as u64, "scanning", || {
        let mut reader = partition.read_from(0);
        while let Some(batch) = reader.next_batch().unwrap() {
            for record in batch.view().records(&mut scratch, usize::MAX).unwrap() {
                seen += usize::from(record.unwrap().value().is_some());
            }
        }
    });
    assert_eq!(seen, RECORDS);
}

#[test]
fn sending_allocates_nothing_for_a_record() {
    let (broker, _partition) = broker_with_topic();
    let producer = broker.producer();
    let send_all = || {
        for _ in 0..RECORDS {
            producer.send(ProducerRecord::new("t").key("key").value("a value of some length")).unwrap();
        }
        producer.flush().unwrap();
    };
    send_all();
    // A batch of 16 KiB holds about 500 such records; on a machine with little time for the one that appends them, or
    // with much, batches are as small as what came in between.
    assert_less_than(PER_BATCH * (RECORDS / 50) as u64, "sending", send_all);
}

#[test]
fn polling_allocates_nothing_for_a_record() {
    let (broker, partition) = broker_with_topic();
    append(&partition, &mut RecordBatchBuilder::new(BatchOptions::default()));
    let builder = broker.consumer_builder().auto_offset_reset(AutoOffsetReset::Earliest);
    let mut consumer = builder.build().unwrap();
    consumer.assign([ottla::TopicPartition::new("t", 0)]).unwrap();
    let mut seen = 0;
    // 500 records are the most that a poll gives unless told otherwise.
    assert_less_than(PER_BATCH * (RECORDS / 500) as u64, "polling", || {
        while seen < RECORDS {
            let records = consumer.poll(Duration::from_secs(20)).unwrap();
            seen += records.iter().filter(|record| record.value().is_some()).count();
        }
    });
    assert_eq!(seen, RECORDS);
}
