use super::fixture::*;
use crate::broker::coordinator::REFUSED_APPENDS;
use crate::broker::coordinator::transaction::*;
use crate::model::ErrorCode;

#[test]
fn a_commit_writes_a_marker_to_each_partition_and_is_complete() {
    let fixture = Fixture::new();
    let producer = fixture.init();
    fixture.add(producer, &["a"]).unwrap();
    fixture.add(producer, &["b", "a"]).unwrap();
    assert_eq!(fixture.describe().partitions, [tp("a"), tp("b")]);
    fixture.end(producer, true).unwrap();
    assert_eq!(fixture.take_markers(), [marker("a", 0, true), marker("b", 0, true)]);
    assert_eq!(fixture.state(), TransactionState::CompleteCommit);
    assert!(fixture.describe().partitions.is_empty());
    assert_eq!(*fixture.partitions.woken.lock(), [tp("a"), tp("b")].into());
}

#[test]
fn an_abort_tells_the_partitions_so() {
    let fixture = Fixture::new();
    let producer = fixture.init();
    fixture.add(producer, &["a"]).unwrap();
    fixture.end(producer, false).unwrap();
    assert_eq!(fixture.take_markers(), [marker("a", 0, false)]);
    assert_eq!(fixture.state(), TransactionState::CompleteAbort);
}

#[test]
fn the_first_generation_takes_the_same_end_twice_and_no_other() {
    let fixture = Fixture::new();
    let producer = fixture.init();
    assert_eq!(fixture.end(producer, true), Err(ErrorCode::InvalidTxnState));
    assert_eq!(fixture.end(producer, false), Err(ErrorCode::InvalidTxnState));
    for is_commit in [true, false] {
        fixture.add(producer, &["a"]).unwrap();
        fixture.end(producer, is_commit).unwrap();
        fixture.end(producer, is_commit).unwrap();
        assert_eq!(fixture.end(producer, !is_commit), Err(ErrorCode::InvalidTxnState));
        assert_eq!(fixture.take_markers().len(), 1);
    }
}

#[test]
fn the_second_generation_raises_the_epoch_with_every_end() {
    let fixture = Fixture::new();
    let first = fixture.init();
    fixture.add(first, &["a"]).unwrap();
    let second = fixture.bump(first, true).unwrap();
    assert_eq!((second.producer_id, second.producer_epoch), (first.producer_id, 1));
    // The marker has the epoch to come, so that nothing of the old one can follow it.
    assert_eq!(fixture.take_markers(), [marker("a", 1, true)]);
    assert_eq!(fixture.add(first, &["a"]), Err(ErrorCode::ProducerFenced));
    fixture.add(second, &["a"]).unwrap();
    assert_eq!(fixture.bump(second, false).unwrap().producer_epoch, 2);
}

/// The table of Kafka's `TransactionCoordinator#endTransaction`.
#[test]
fn the_second_generation_knows_a_second_try_by_its_epoch() {
    use ErrorCode::{InvalidTxnState, ProducerFenced};
    let fixture = Fixture::new();
    let empty = fixture.init();
    let before = ProducerIdAndEpoch { producer_epoch: empty.producer_epoch - 1, ..empty };
    assert_eq!(fixture.bump(before, false), Err(ProducerFenced));
    assert_eq!(fixture.bump(before, true), Err(ProducerFenced));
    assert_eq!(fixture.bump(empty, true), Err(InvalidTxnState));
    let aborted = fixture.bump(empty, false).unwrap();
    assert_eq!(aborted.producer_epoch, 1);
    assert_eq!(fixture.state(), TransactionState::CompleteAbort);
    assert_eq!(fixture.bump(empty, false), Ok(aborted));
    assert_eq!(fixture.bump(empty, true), Err(InvalidTxnState));
    assert_eq!(fixture.bump(aborted, true), Err(InvalidTxnState));
    let again = fixture.bump(aborted, false).unwrap();
    assert_eq!(again.producer_epoch, 2);

    fixture.add(again, &["a"]).unwrap();
    let committed = fixture.bump(again, true).unwrap();
    assert_eq!(fixture.bump(again, true), Ok(committed));
    assert_eq!(fixture.bump(again, false), Err(InvalidTxnState));
    assert_eq!(fixture.bump(committed, true), Err(InvalidTxnState));
    assert_eq!(fixture.bump(committed, false).unwrap().producer_epoch, 4);
}

#[test]
fn a_marker_that_fails_leaves_the_transaction_decided_until_it_is_written() {
    let fixture = Fixture::new();
    let producer = fixture.init();
    fixture.add(producer, &["a", "b"]).unwrap();
    fixture.fail("a", ErrorCode::KafkaStorageError);
    fixture.end(producer, true).unwrap();
    assert_eq!(fixture.take_markers(), [marker("b", 0, true)]);
    assert_eq!(fixture.state(), TransactionState::PrepareCommit);
    assert_eq!(fixture.add(producer, &["c"]), Err(ErrorCode::ConcurrentTransactions));
    assert_eq!(fixture.end(producer, true), Err(ErrorCode::ConcurrentTransactions));
    assert_eq!(fixture.end(producer, false), Err(ErrorCode::InvalidTxnState));
    assert_eq!(fixture.try_init(None), Err(ErrorCode::ConcurrentTransactions));

    fixture.heal();
    assert_eq!(fixture.coordinator.abort_timed_out(), 0);
    assert_eq!(fixture.take_markers(), [marker("a", 0, true)]);
    assert_eq!(fixture.state(), TransactionState::CompleteCommit);
}

#[test]
fn a_partition_that_is_gone_holds_nothing_up() {
    let fixture = Fixture::new();
    let producer = fixture.init();
    fixture.add(producer, &["a", "b"]).unwrap();
    fixture.fail("a", ErrorCode::UnknownTopicOrPartition);
    fixture.end(producer, false).unwrap();
    assert_eq!(fixture.take_markers(), [marker("b", 0, false)]);
    assert_eq!(fixture.state(), TransactionState::CompleteAbort);
}

#[test]
fn a_decision_that_cannot_be_written_is_none() {
    let fixture = Fixture::new();
    let producer = fixture.init();
    fixture.add(producer, &["a"]).unwrap();
    for (of_log, of_client) in REFUSED_APPENDS {
        fixture.log.fail_appends(Some(of_log));
        assert_eq!(fixture.add(producer, &["b"]), Err(of_client), "{of_log}");
        assert_eq!(fixture.end(producer, true), Err(of_client), "{of_log}");
        assert_eq!(fixture.take_markers(), []);
        assert_eq!(fixture.state(), TransactionState::Ongoing);
    }
    fixture.log.fail_appends(None);
    fixture.end(producer, false).unwrap();
}

#[test]
fn what_is_written_within_a_transaction_needs_its_partition_there() {
    let fixture = Fixture::new();
    let producer = fixture.init();
    let look = |joining| {
        fixture.coordinator.in_transaction(ID, producer, &[tp("a"), tp("b")], joining, <[ErrorCode]>::to_vec)
    };
    fixture.add(producer, &["a"]).unwrap();
    assert_eq!(look(Joining::Verified), Ok(vec![ErrorCode::None, ErrorCode::TransactionAbortable]));
    assert_eq!(look(Joining::Implicit), Ok(vec![ErrorCode::None, ErrorCode::None]));
    assert_eq!(look(Joining::Verified), Ok(vec![ErrorCode::None, ErrorCode::None]));
    fixture.bump(producer, true).unwrap();
    assert_eq!(look(Joining::Implicit), Err(ErrorCode::ProducerFenced));
}
