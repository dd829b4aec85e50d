use super::fixture::*;
use crate::broker::coordinator::transaction::*;
use crate::model::ErrorCode;

#[test]
fn an_open_transaction_goes_on_after_a_restart() {
    let mut fixture = Fixture::new();
    let producer = fixture.init();
    fixture.add(producer, &["a"]).unwrap();
    let before = fixture.describe();
    fixture.restart();
    assert_eq!(fixture.describe(), before);
    fixture.add(producer, &["b"]).unwrap();
    fixture.end(producer, true).unwrap();
    assert_eq!(fixture.take_markers(), [marker("a", 0, true), marker("b", 0, true)]);
}

#[test]
fn the_time_that_passes_while_the_broker_is_away_counts() {
    let mut fixture = Fixture::new();
    let producer = fixture.init();
    fixture.add(producer, &["a"]).unwrap();
    fixture.advance_ms(TIMEOUT_MS + 1);
    fixture.restart();
    assert_eq!(fixture.take_markers(), [marker("a", 1, false)]);
    assert_eq!(fixture.add(producer, &["a"]), Err(ErrorCode::ProducerFenced));
}

#[test]
fn what_was_decided_is_completed_after_a_restart_in_the_coordinators_next_term() {
    for is_commit in [true, false] {
        let mut fixture = Fixture::new();
        let producer = fixture.init();
        fixture.add(producer, &["a", "b"]).unwrap();
        fixture.fail("b", ErrorCode::KafkaStorageError);
        let next = fixture.bump(producer, is_commit).unwrap();
        fixture.take_markers();
        fixture.heal();
        fixture.restart();
        // Whether the one was written cannot be known, so it is written again.
        let markers = fixture.partitions.markers.lock().clone();
        assert_eq!(markers.iter().map(|(tp, _)| tp.topic()).collect::<Vec<_>>(), ["a", "b"]);
        for (_, marker) in markers {
            let expected = TransactionMarker { producer: next, is_commit, coordinator_epoch: 1 };
            assert_eq!(marker, expected);
        }
        fixture.add(next, &["a"]).unwrap();
    }
}

#[test]
fn a_producer_keeps_its_next_id_over_a_restart_between_decision_and_completion() {
    let mut fixture = Fixture::new();
    let last = fixture.exhausted();
    fixture.add(last, &["a"]).unwrap();
    fixture.fail("a", ErrorCode::KafkaStorageError);
    let next = fixture.bump(last, true).unwrap();
    assert_ne!(next.producer_id, last.producer_id);
    // Not complete yet, so that who knows the new id already has to wait, and is not fenced.
    assert_eq!(fixture.add(next, &["a"]), Err(ErrorCode::ConcurrentTransactions));
    fixture.heal();
    fixture.restart();
    assert_eq!(fixture.take_markers(), [marker("a", i16::MAX, true)]);
    assert_eq!(fixture.bump(last, true), Ok(next));
    fixture.add(next, &["a"]).unwrap();
}

#[test]
fn before_a_partition_is_loaded_its_ids_are_not_coordinated() {
    let fixture = Fixture::new();
    let producer = fixture.init();
    let partition = fixture.coordinator.partition_for(ID).unwrap();
    fixture.coordinator.unload_partition(partition);
    assert_eq!(fixture.add(producer, &["a"]), Err(ErrorCode::NotCoordinator));
    assert_eq!(fixture.try_init(None), Err(ErrorCode::NotCoordinator));
    fixture.coordinator.load_partition(partition).unwrap();
    fixture.add(producer, &["a"]).unwrap();
    fixture.coordinator.shutdown();
    assert_eq!(fixture.end(producer, true), Err(ErrorCode::CoordinatorNotAvailable));
}
