use super::fixture::*;
use crate::broker::coordinator::transaction::*;
use crate::model::ErrorCode;

#[test]
fn whoever_takes_over_an_id_fences_the_producer_before() {
    let fixture = Fixture::new();
    let first = fixture.init();
    assert_eq!((first.producer_id, first.producer_epoch), (0, 0));
    let second = fixture.init();
    assert_eq!((second.producer_id, second.producer_epoch), (0, 1));
    assert_eq!(fixture.add(first, &["a"]), Err(ErrorCode::ProducerFenced));
    assert_eq!(fixture.end(first, true), Err(ErrorCode::ProducerFenced));
    assert_eq!(fixture.bump(first, false), Err(ErrorCode::ProducerFenced));
    fixture.add(second, &["a"]).unwrap();
}

#[test]
fn taking_over_an_open_transaction_aborts_it_first() {
    let fixture = Fixture::new();
    let first = fixture.init();
    fixture.add(first, &["a"]).unwrap();
    assert_eq!(fixture.try_init(None), Err(ErrorCode::ConcurrentTransactions));
    assert_eq!(fixture.take_markers(), [marker("a", 1, false)]);
    assert_eq!(fixture.end(first, true), Err(ErrorCode::ProducerFenced));
    let second = fixture.init();
    assert_eq!(second.producer_epoch, 2);
}

#[test]
fn a_producer_that_names_itself_goes_on_with_the_next_epoch() {
    let fixture = Fixture::new();
    let first = fixture.init();
    let next = fixture.try_init(Some(first)).unwrap();
    assert_eq!(next.producer_epoch, 1);
    // The answer was lost: the same question has the same answer.
    assert_eq!(fixture.try_init(Some(first)), Ok(next));
    let after = fixture.try_init(Some(next)).unwrap();
    assert_eq!(after.producer_epoch, 2);
    assert_eq!(fixture.try_init(Some(first)), Err(ErrorCode::ProducerFenced));
    let stranger = ProducerIdAndEpoch { producer_id: 77, producer_epoch: 2 };
    assert_eq!(fixture.try_init(Some(stranger)), Err(ErrorCode::ProducerFenced));
}

#[test]
fn a_producer_that_was_replaced_cannot_come_back_by_naming_itself() {
    let fixture = Fixture::new();
    let first = fixture.init();
    let second = fixture.init();
    assert_eq!(fixture.try_init(Some(first)), Err(ErrorCode::ProducerFenced));
    fixture.add(second, &["a"]).unwrap();
}

#[test]
fn an_id_that_nobody_has_heard_of_takes_whoever_the_producer_says_it_is() {
    let fixture = Fixture::new();
    let stranger = ProducerIdAndEpoch { producer_id: 77, producer_epoch: 5 };
    let producer = fixture.try_init(Some(stranger)).unwrap();
    assert_eq!((producer.producer_id, producer.producer_epoch), (0, 0));
}

#[test]
fn when_the_epochs_are_used_up_the_next_producer_gets_another_id() {
    let fixture = Fixture::new();
    let last = fixture.exhausted();
    let next = fixture.init();
    assert_eq!((next.producer_id, next.producer_epoch), (last.producer_id + 1, 0));

    let last = fixture.exhausted();
    let next = fixture.try_init(Some(last)).unwrap();
    assert_eq!((next.producer_id, next.producer_epoch), (last.producer_id + 1, 0));
    assert_eq!(fixture.try_init(Some(last)), Ok(next));
}

#[test]
fn when_the_epochs_are_used_up_an_end_gives_another_id() {
    let fixture = Fixture::new();
    let last = fixture.exhausted();
    fixture.add(last, &["a"]).unwrap();
    let next = fixture.bump(last, true).unwrap();
    assert_eq!((next.producer_id, next.producer_epoch), (last.producer_id + 1, 0));
    assert_eq!(fixture.take_markers(), [marker("a", i16::MAX, true)]);
    assert_eq!(fixture.bump(last, true), Ok(next));
    fixture.add(next, &["a"]).unwrap();
}

#[test]
fn an_open_transaction_with_the_last_epoch_can_be_taken_over() {
    let fixture = Fixture::new();
    let last = fixture.exhausted();
    fixture.add(last, &["a"]).unwrap();
    assert_eq!(fixture.try_init(None), Err(ErrorCode::ConcurrentTransactions));
    assert_eq!(fixture.take_markers(), [marker("a", i16::MAX, false)]);
    let next = fixture.init();
    assert_eq!(next.producer_id, last.producer_id + 1);
}

#[test]
fn who_is_not_the_producer_of_the_id_is_told_so() {
    let fixture = Fixture::new();
    let producer = fixture.init();
    let stranger = ProducerIdAndEpoch { producer_id: 77, ..producer };
    assert_eq!(fixture.add(stranger, &["a"]), Err(ErrorCode::InvalidProducerIdMapping));
    assert_eq!(fixture.end(stranger, true), Err(ErrorCode::InvalidProducerIdMapping));
    assert_eq!(fixture.bump(stranger, true), Err(ErrorCode::InvalidProducerIdMapping));
    let unknown = |id| fixture.coordinator.add_partitions(id, producer, &[tp("a")], TransactionVersion::V0);
    assert_eq!(unknown("other"), Err(ErrorCode::InvalidProducerIdMapping));
    assert_eq!(unknown(""), Err(ErrorCode::InvalidRequest));
}

#[test]
fn a_timeout_must_be_positive_and_no_longer_than_the_broker_allows() {
    let fixture = Fixture::new();
    for (timeout_ms, expected) in [(0, false), (-1, false), (1, true), (900_000, true), (900_001, false)] {
        let outcome = fixture.coordinator.init_producer_id(ID, timeout_ms, None);
        assert_eq!(outcome.is_ok(), expected, "{timeout_ms}");
        assert!(expected || outcome == Err(ErrorCode::InvalidTransactionTimeout));
    }
    assert_eq!(fixture.coordinator.init_producer_id("", 1, None), Err(ErrorCode::InvalidRequest));
}

#[test]
fn one_epoch_too_old_is_no_second_try_of_an_end_that_raised_none() {
    let fixture = Fixture::new();
    let zombie = fixture.init();
    let successor = fixture.init();
    for is_commit in [true, false] {
        fixture.add(successor, &["a"]).unwrap();
        fixture.end(successor, is_commit).unwrap();
        // Of the second generation this epoch would say that the answer was lost.
        assert_eq!(fixture.bump(zombie, is_commit), Err(ErrorCode::ProducerFenced));
    }
}

#[test]
fn nor_is_it_while_the_markers_of_that_end_cannot_be_written() {
    let fixture = Fixture::new();
    let zombie = fixture.init();
    let successor = fixture.init();
    fixture.add(successor, &["a"]).unwrap();
    fixture.fail("a", ErrorCode::KafkaStorageError);
    fixture.end(successor, true).unwrap();
    assert_eq!(fixture.state(), TransactionState::PrepareCommit);
    assert_eq!(fixture.bump(zombie, true), Err(ErrorCode::ProducerFenced));
}
