use std::sync::Arc;
use std::time::Duration;

use ottla::{
    BatchOptions, Broker, ConsumerBuilder, Error, ErrorCode, IsolationLevel, ManualClock, MemberToRemove,
    NewTopic, Producer, ProducerRecord, RecordBatchBuilder,
};

use super::support::{START_MS, broker_with, earliest, eventually, poll_values, tp};

fn transactional(broker: &Broker) -> Producer {
    broker.producer_builder().transactional_id("shop").build().unwrap()
}

fn record<'a>(topic: &'a str, value: &'a str) -> ProducerRecord<'a> {
    ProducerRecord::new(topic).partition(0).value(value)
}

/// What readers of committed records see.
fn committed(broker: &Broker, topic: &str) -> Vec<String> {
    let partition = broker.topic(topic).unwrap().partition(0).unwrap();
    let reader = partition.read_from(0).isolation_level(IsolationLevel::ReadCommitted);
    reader.map(|record| String::from_utf8(record.unwrap().value().unwrap().to_vec()).unwrap()).collect()
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> ErrorCode {
    result.unwrap_err().code()
}

fn committed_reader(broker: &Broker) -> ConsumerBuilder {
    let reader = earliest(broker).group_id("billing").enable_auto_commit(false);
    reader.isolation_level(IsolationLevel::ReadCommitted)
}

#[test]
fn a_transaction_shows_as_a_whole_or_not_at_all() {
    let broker = broker_with("a", 1);
    broker.admin().create_topic(NewTopic::new("b", 1)).unwrap();
    let producer = transactional(&broker);
    for (i, ends_well) in [true, false, true].into_iter().enumerate() {
        let transaction = producer.begin_transaction().unwrap();
        for topic in ["a", "b", "a"] {
            transaction.send(record(topic, &i.to_string())).unwrap().wait().unwrap();
        }
        let before = committed(&broker, "a");
        assert!(!before.contains(&i.to_string()));
        if ends_well { transaction.commit().unwrap() } else { transaction.abort().unwrap() }
    }
    assert_eq!(committed(&broker, "a"), ["0", "0", "2", "2"]);
    assert_eq!(committed(&broker, "b"), ["0", "2"]);
}

#[test]
fn a_transaction_that_is_dropped_or_whose_work_fails_or_panics_is_aborted() {
    let broker = broker_with("a", 1);
    let producer = transactional(&broker);
    let transaction = producer.begin_transaction().unwrap();
    transaction.send(record("a", "dropped")).unwrap();
    drop(transaction);
    let failed = producer.transaction(|transaction| -> Result<(), Error> {
        transaction.send(record("a", "failed"))?;
        Err(broker.topic("nowhere").unwrap_err())
    });
    assert_eq!(code(failed), ErrorCode::UnknownTopicOrPartition);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        producer.transaction(|transaction| -> Result<(), Error> {
            transaction.send(record("a", "panicked"))?;
            panic!("within a transaction")
        })
    }));
    assert!(panicked.is_err());
    producer.transaction(|transaction| transaction.send(record("a", "yes"))).unwrap();
    assert_eq!(committed(&broker, "a"), ["yes"]);
}

#[test]
fn one_transaction_at_a_time_takes_all_that_its_producer_sends() {
    let broker = broker_with("a", 1);
    let producer = transactional(&broker);
    assert_eq!(code(producer.send(record("a", "outside"))), ErrorCode::InvalidTxnState);
    let transaction = producer.begin_transaction().unwrap();
    assert_eq!(code(producer.begin_transaction()), ErrorCode::InvalidTxnState);
    let clone = producer.clone();
    std::thread::scope(|scope| {
        scope.spawn(|| clone.send(record("a", "from another thread")).unwrap());
    });
    transaction.commit().unwrap();
    assert_eq!(committed(&broker, "a"), ["from another thread"]);
    // Nothing was written, so there is nothing to end.
    producer.begin_transaction().unwrap().commit().unwrap();
    producer.begin_transaction().unwrap().abort().unwrap();
    assert_eq!(code(broker.producer().begin_transaction()), ErrorCode::InvalidTxnState);
}

#[test]
fn a_record_that_could_not_be_appended_keeps_its_transaction_from_being_committed() {
    let broker = broker_with("a", 1);
    broker.admin().create_topic(NewTopic::new("compacted", 1).config("cleanup.policy", "compact")).unwrap();
    let producer = transactional(&broker);
    let transaction = producer.begin_transaction().unwrap();
    transaction.send(record("a", "no")).unwrap();
    transaction.send(record("compacted", "without a key")).unwrap();
    // The failure is told here, and yet not forgotten.
    assert_eq!(code(producer.flush()), ErrorCode::InvalidRecord);
    assert_eq!(code(transaction.commit()), ErrorCode::InvalidRecord);
    producer.transaction(|transaction| transaction.send(record("a", "yes"))).unwrap();
    assert_eq!(committed(&broker, "a"), ["yes"]);
}

#[test]
fn a_producer_with_the_same_id_takes_over() {
    let broker = broker_with("a", 1);
    let zombie = transactional(&broker);
    let open = zombie.begin_transaction().unwrap();
    open.send(record("a", "zombie")).unwrap().wait().unwrap();
    let producer = transactional(&broker);
    producer.transaction(|transaction| transaction.send(record("a", "yes"))).unwrap();
    assert_eq!(code(open.send(record("a", "zombie")).unwrap().wait()), ErrorCode::ProducerFenced);
    assert_eq!(code(open.commit()), ErrorCode::ProducerFenced);
    assert_eq!(code(zombie.begin_transaction()), ErrorCode::ProducerFenced);
    assert_eq!(committed(&broker, "a"), ["yes"]);
}

#[test]
fn what_was_read_is_committed_with_what_was_written() {
    let broker = broker_with("orders", 2);
    broker.admin().create_topic(NewTopic::new("invoices", 1)).unwrap();
    let plain = broker.producer();
    for i in 0..10 {
        plain.send(ProducerRecord::new("orders").partition(i % 2).value(&i.to_string())).unwrap();
    }
    plain.flush().unwrap();
    let producer = transactional(&broker);
    let mut consumer = committed_reader(&broker).build().unwrap();
    consumer.subscribe(["orders"]).unwrap();
    let values = poll_values(&mut consumer, 10);
    for ends_well in [false, true] {
        let transaction = producer.begin_transaction().unwrap();
        for value in &values {
            transaction.send(record("invoices", value)).unwrap();
        }
        transaction.send_offsets(&consumer).unwrap();
        assert_eq!(code(consumer.committed(&tp("orders", 0))), ErrorCode::UnstableOffsetCommit);
        if ends_well {
            transaction.commit().unwrap()
        } else {
            transaction.abort().unwrap()
        }
        let expected = ends_well.then_some(5);
        for partition in 0..2 {
            let offset = consumer.committed(&tp("orders", partition)).unwrap();
            assert_eq!(offset.map(|offset| offset.offset), expected);
        }
    }
    assert_eq!(committed(&broker, "invoices"), values);
}

#[test]
fn offsets_of_a_member_that_the_group_has_gone_on_without_keep_the_transaction_from_being_committed() {
    let broker = broker_with("orders", 1);
    broker.producer().send(record("orders", "a")).unwrap().wait().unwrap();
    let mut first = committed_reader(&broker).group_instance_id("machine-3").build().unwrap();
    first.subscribe(["orders"]).unwrap();
    poll_values(&mut first, 1);
    let producer = transactional(&broker);
    let transaction = producer.begin_transaction().unwrap();
    let gone = [MemberToRemove::group_instance_id("machine-3")];
    broker.admin().remove_members_from_group("billing", gone).unwrap();
    let sent = transaction.send_offsets(&first);
    assert_eq!(code(sent), ErrorCode::UnknownMemberId);
    assert_eq!(code(transaction.commit()), ErrorCode::UnknownMemberId);

    let other = Broker::temporary().unwrap();
    let foreign = other.consumer("billing").unwrap();
    let transaction = producer.begin_transaction().unwrap();
    assert_eq!(code(transaction.send_offsets(&foreign)), ErrorCode::InvalidRequest);
}

#[test]
fn a_transaction_that_is_open_for_too_long_is_aborted_and_its_producer_can_go_on() {
    let clock = Arc::new(ManualClock::new(START_MS));
    let broker = Broker::builder().temporary().clock(clock.clone()).open().unwrap();
    broker.admin().create_topic(NewTopic::new("a", 1)).unwrap();
    let builder = broker.producer_builder().transactional_id("shop").transaction_timeout_ms(5_000);
    let producer = builder.linger_ms(0).build().unwrap();
    let transaction = producer.begin_transaction().unwrap();
    transaction.send(record("a", "late")).unwrap().wait().unwrap();
    let partition = broker.topic("a").unwrap().partition(0).unwrap();
    clock.advance(Duration::from_secs(20));
    eventually("the abort", || partition.latest_offset().unwrap() == 2);
    let error = transaction.commit().unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidTxnState, "{error}");
    producer.transaction(|transaction| transaction.send(record("a", "in time"))).unwrap();
    assert_eq!(committed(&broker, "a"), ["in time"]);
}

#[test]
fn closing_aborts_what_is_open() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Broker::builder().log_dir(dir.path()).open().unwrap();
    let broker = open();
    broker.admin().create_topic(NewTopic::new("a", 1)).unwrap();
    let closed = transactional(&broker);
    let transaction = closed.begin_transaction().unwrap();
    transaction.send(record("a", "no")).unwrap();
    closed.close().unwrap();
    assert_eq!(code(transaction.commit()), ErrorCode::InvalidTxnState);
    let producer = transactional(&broker);
    let transaction = producer.begin_transaction().unwrap();
    transaction.send(record("a", "no")).unwrap();
    broker.close();
    assert_eq!(code(transaction.commit()), ErrorCode::BrokerNotAvailable);

    let broker = open();
    let partition = broker.topic("a").unwrap().partition(0).unwrap();
    // Two records, each with its marker: nothing is left to time.
    assert_eq!(partition.latest_offset().unwrap(), 4);
    assert_eq!(committed(&broker, "a"), [""; 0]);
}

#[test]
fn a_partition_takes_no_batch_of_a_transaction_that_nobody_would_end() {
    let broker = broker_with("a", 1);
    let options = BatchOptions {
        producer_id: 7,
        producer_epoch: 0,
        base_sequence: 0,
        transactional: true,
        ..BatchOptions::default()
    };
    let mut batch = RecordBatchBuilder::new(options);
    batch.append(START_MS, None, Some(b"hangs")).unwrap();
    let partition = broker.topic("a").unwrap().partition(0).unwrap();
    assert_eq!(code(partition.append(&mut batch)), ErrorCode::InvalidTxnState);
    assert_eq!(partition.latest_offset().unwrap(), 0);
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let broker = Broker::temporary().unwrap();
    let builder = || broker.producer_builder();
    assert_eq!(code(builder().transactional_id("").build()), ErrorCode::InvalidRequest);
    assert_eq!(code(builder().transactional_id("a").idempotence(false).build()), ErrorCode::InvalidConfig);
    for timeout_ms in [0, 900_001] {
        let outcome = builder().transactional_id("a").transaction_timeout_ms(timeout_ms).build();
        assert_eq!(code(outcome), ErrorCode::InvalidTransactionTimeout);
    }
}
