use ottla::{BatchOptions, Broker, ErrorCode, IsolationLevel, NewTopic, ProducerRecord, RecordBatchBuilder};

use crate::support::*;

#[test]
fn a_reader_starts_within_a_batch_and_goes_on_where_records_are_appended_later() {
    let broker = broker_with("orders", 1);
    let producer = patient_producer(&broker);
    send(&producer, "orders", &["a", "b", "c"]);
    let mut reader = broker.topic("orders").unwrap().partition(0).unwrap().read_from(1);
    let mut next =
        || reader.next().map(|record| String::from_utf8(record.unwrap().value().unwrap().into()).unwrap());
    assert_eq!((next().as_deref(), next().as_deref(), next()), (Some("b"), Some("c"), None));
    assert_eq!(next(), None);
    send(&producer, "orders", &["d"]);
    assert_eq!((next().as_deref(), next()), (Some("d"), None));
    assert_eq!(reader.position(), 4);
}

#[test]
fn a_scan_over_many_chunks_and_segments_gives_every_record_once() {
    let broker = Broker::temporary().unwrap();
    broker.admin().create_topic(NewTopic::new("orders", 1).config("segment.bytes", "1048576")).unwrap();
    let partition = broker.topic("orders").unwrap().partition(0).unwrap();
    let mut batch = RecordBatchBuilder::new(BatchOptions::default());
    let value = vec![b'x'; 1000];
    for i in 0..5_000 {
        batch.append(START_MS + i, None, Some(&value)).unwrap();
        if batch.records_count() == 77 {
            partition.append(&mut batch).unwrap();
        }
    }
    partition.append(&mut batch).unwrap();
    for from in [0, 1, 76, 77, 2500, 4999, 5000] {
        let offsets: Vec<i64> = partition.read_from(from).map(|record| record.unwrap().offset()).collect();
        assert!(offsets.iter().copied().eq(from..5_000), "from {from}");
    }
    let mut reader = partition.read_from(100);
    let mut offsets = Vec::new();
    while let Some(batch) = reader.next_batch().unwrap() {
        offsets.push((batch.view().base_offset(), batch.view().last_offset()));
    }
    assert_eq!((offsets.first(), offsets.last()), (Some(&(77, 153)), Some(&(4928, 4999))));
    assert!(offsets.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0));
}

#[test]
fn records_that_are_held_stay_as_they_are_while_the_reader_goes_on() {
    let broker = broker_with("orders", 1);
    let partition = broker.topic("orders").unwrap().partition(0).unwrap();
    let mut batch = RecordBatchBuilder::new(BatchOptions::default());
    for i in 0..3000_u32 {
        batch.append(START_MS, None, Some(&i.to_be_bytes().repeat(300))).unwrap();
        if batch.records_count() == 100 {
            partition.append(&mut batch).unwrap();
        }
    }
    let held: Vec<_> = partition.read_from(0).map(Result::unwrap).collect();
    for (i, record) in (0_u32..).zip(&held) {
        assert_eq!(record.value_bytes().unwrap(), i.to_be_bytes().repeat(300));
    }
    assert_eq!(held.len(), 3000);
}

#[test]
fn an_offset_outside_the_log_is_an_error_and_its_end_is_not() {
    let broker = broker_with("orders", 1);
    send(&broker.producer(), "orders", &["a", "b"]);
    let partition = broker.topic("orders").unwrap().partition(0).unwrap();
    assert!(partition.read_from(2).next().is_none());
    for offset in [3, -1] {
        let error = partition.read_from(offset).next().unwrap().unwrap_err();
        assert_eq!(error.code(), ErrorCode::OffsetOutOfRange, "{offset}");
    }
    broker.admin().delete_records(&tp("orders", 0), 1).unwrap();
    let error = partition.read_from(0).next().unwrap().unwrap_err();
    assert_eq!(error.code(), ErrorCode::OffsetOutOfRange);
    assert_eq!((partition.earliest_offset().unwrap(), partition.latest_offset().unwrap()), (1, 2));
    assert_eq!(values(&broker, "orders", 0, 1), ["b"]);
}

#[test]
fn a_batch_that_cannot_be_appended_leaves_an_empty_builder_and_an_unchanged_log() {
    let broker = Broker::temporary().unwrap();
    broker.admin().create_topic(NewTopic::new("small", 1).config("max.message.bytes", "200")).unwrap();
    let partition = broker.topic("small").unwrap().partition(0).unwrap();
    let mut batch = RecordBatchBuilder::new(BatchOptions::default());
    batch.append(START_MS, None, Some(&[0; 300])).unwrap();
    let error = partition.append(&mut batch).unwrap_err();
    assert_eq!(error.code(), ErrorCode::MessageTooLarge);
    assert!(batch.is_empty());
    batch.append(START_MS, None, Some(b"ok")).unwrap();
    assert_eq!(partition.append(&mut batch).unwrap().base_offset, 0);
    let error = partition.append(&mut batch).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidRecord, "an empty batch: {error}");
}

#[test]
fn a_handle_outlives_neither_its_topic_nor_its_broker() {
    let broker = broker_with("orders", 1);
    send(&broker.producer(), "orders", &["a"]);
    let partition = broker.topic("orders").unwrap().partition(0).unwrap();
    broker.admin().delete_topic("orders").unwrap();
    assert_eq!(partition.latest_offset().unwrap_err().code(), ErrorCode::UnknownTopicOrPartition);
    let error = partition.read_from(0).next().unwrap().unwrap_err();
    assert_eq!(error.code(), ErrorCode::UnknownTopicOrPartition);
    broker.close();
    assert_eq!(partition.latest_offset().unwrap_err().code(), ErrorCode::BrokerNotAvailable);
    assert_eq!(broker.topic("orders").unwrap_err().code(), ErrorCode::BrokerNotAvailable);
}

#[test]
fn what_is_not_part_of_a_transaction_is_committed_at_once() {
    let broker = broker_with("orders", 1);
    broker.producer().send(ProducerRecord::new("orders").value("a")).unwrap().wait().unwrap();
    let partition = broker.topic("orders").unwrap().partition(0).unwrap();
    let committed = partition.read_from(0).isolation_level(IsolationLevel::ReadCommitted).check_crcs(false);
    assert_eq!(committed.count(), 1);
}
