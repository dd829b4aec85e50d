use super::fixture::*;
use crate::broker::coordinator::transaction::*;
use crate::model::ErrorCode;

#[test]
fn a_transaction_that_is_open_for_too_long_is_aborted_and_its_producer_fenced() {
    let fixture = Fixture::new();
    let producer = fixture.init();
    fixture.add(producer, &["a"]).unwrap();
    fixture.advance_ms(TIMEOUT_MS);
    assert_eq!(fixture.coordinator.abort_timed_out(), 0);
    fixture.advance_ms(1);
    assert_eq!(fixture.coordinator.abort_timed_out(), 1);
    assert_eq!(fixture.take_markers(), [marker("a", 1, false)]);
    assert_eq!(fixture.add(producer, &["a"]), Err(ErrorCode::ProducerFenced));
    assert_eq!(fixture.end(producer, true), Err(ErrorCode::ProducerFenced));
    assert_eq!(fixture.coordinator.abort_timed_out(), 0);
}

#[test]
fn a_producer_of_the_second_generation_may_hear_of_the_abort_as_of_its_own() {
    let fixture = Fixture::new();
    let producer = fixture.init();
    fixture.add(producer, &["a"]).unwrap();
    fixture.advance_ms(TIMEOUT_MS + 1);
    fixture.coordinator.abort_timed_out();
    assert_eq!(fixture.bump(producer, true), Err(ErrorCode::InvalidTxnState));
    let next = fixture.bump(producer, false).unwrap();
    assert_eq!(next.producer_epoch, 1);
    fixture.add(next, &["a"]).unwrap();
}

#[test]
fn the_time_of_a_transaction_runs_from_its_first_partition() {
    let fixture = Fixture::new();
    let producer = fixture.init();
    fixture.advance_ms(TIMEOUT_MS * 2);
    fixture.add(producer, &["a"]).unwrap();
    fixture.advance_ms(TIMEOUT_MS);
    fixture.add(producer, &["b"]).unwrap();
    assert_eq!(fixture.coordinator.abort_timed_out(), 0);
    fixture.advance_ms(1);
    assert_eq!(fixture.coordinator.abort_timed_out(), 1);
}

#[test]
fn an_id_that_nobody_uses_is_forgotten_unless_a_transaction_is_open() {
    const WEEK_MS: i32 = 604_800_000;
    let mut fixture = Fixture::new();
    let producer = fixture.init();
    fixture.add(producer, &["a"]).unwrap();
    fixture.advance_ms(WEEK_MS);
    assert_eq!(fixture.coordinator.remove_expired(), 0);
    fixture.end(producer, true).unwrap();
    fixture.advance_ms(WEEK_MS - 1);
    assert_eq!(fixture.coordinator.remove_expired(), 0);
    fixture.advance_ms(1);
    assert_eq!(fixture.coordinator.remove_expired(), 1);
    for _ in 0..2 {
        assert_eq!(fixture.add(producer, &["a"]), Err(ErrorCode::InvalidProducerIdMapping));
        assert_eq!(fixture.coordinator.describe(ID).err(), Some(ErrorCode::TransactionalIdNotFound));
        // The tombstone says the same.
        fixture.restart();
    }
    assert_eq!(fixture.init().producer_id, 1);
}

#[test]
fn ids_are_listed_by_state_producer_duration_and_pattern() {
    let fixture = Fixture::new();
    let producer = fixture.init();
    fixture.add(producer, &["a"]).unwrap();
    fixture.advance_ms(1_000);
    fixture.coordinator.init_producer_id("other", TIMEOUT_MS, None).unwrap();
    let ids = |filter: TransactionFilter<'_>| -> Vec<String> {
        let listed = fixture.coordinator.list(&filter).unwrap();
        listed.iter().map(|listed| listed.transactional_id.to_string()).collect()
    };
    let any = TransactionFilter { min_duration_ms: -1, ..TransactionFilter::default() };
    assert_eq!(ids(any), ["other", "payments"]);
    let filter = TransactionFilter { min_duration_ms: -1, ..TransactionFilter::default() };
    assert_eq!(ids(TransactionFilter { states: vec![Some(TransactionState::Ongoing)], ..filter }), [ID]);
    let filter = TransactionFilter { min_duration_ms: -1, ..TransactionFilter::default() };
    assert_eq!(ids(TransactionFilter { states: vec![None], ..filter }), Vec::<String>::new());
    let filter = TransactionFilter { min_duration_ms: -1, ..TransactionFilter::default() };
    assert_eq!(ids(TransactionFilter { producer_ids: &[1], ..filter }), ["other"]);
    let filter = TransactionFilter { min_duration_ms: -1, ..TransactionFilter::default() };
    let starts_with_p = |id: &str| id.starts_with('p');
    assert_eq!(ids(TransactionFilter { matches: Some(&starts_with_p), ..filter }), [ID]);
    let ongoing = vec![Some(TransactionState::Ongoing)];
    for (min_duration_ms, expected) in [(999, 1), (1_000, 0)] {
        let states = ongoing.clone();
        let filter = TransactionFilter { states, min_duration_ms, ..TransactionFilter::default() };
        assert_eq!(ids(filter).len(), expected);
    }
}
