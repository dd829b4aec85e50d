use super::fixture::*;
use crate::model::ErrorCode;

const ACCEPT: i8 = 1;
const RENEW: i8 = 4;

#[test]
fn a_lock_that_ends_makes_records_available_to_others() {
    let fixture = Fixture::new();
    fixture.acquire("a", 3, 3);
    fixture.advance_ms(LOCK_MS - 1);
    assert_eq!(fixture.acquire("b", 3, 3), []);
    fixture.advance_ms(1);
    assert_eq!(fixture.acknowledge("a", 0, 2, &[ACCEPT]), Err(ErrorCode::InvalidRecordState));
    assert_eq!(fixture.acquire("b", 3, 3), [(0, 2, 2)]);
    assert_eq!(fixture.acknowledge("a", 0, 2, &[ACCEPT]), Err(ErrorCode::InvalidRecordState));
    fixture.acknowledge("b", 0, 2, &[ACCEPT]).unwrap();
    assert_eq!(fixture.timer.len(), 0, "nothing is held, so nothing ends");
}

#[test]
fn a_lock_ends_for_what_was_not_acknowledged_only() {
    let mut fixture = Fixture::new();
    fixture.acquire("a", 6, 6);
    fixture.acknowledge("a", 2, 3, &[ACCEPT]).unwrap();
    fixture.advance_ms(LOCK_MS);
    assert_eq!(fixture.acquire("b", 6, 6), [(0, 1, 2), (4, 5, 2)]);
    fixture.restart();
    assert_eq!(fixture.acquire("b", 6, 6), [(0, 1, 2), (4, 5, 2)], "how often is kept");
}

#[test]
fn a_renewed_lock_lasts_as_long_again() {
    let fixture = Fixture::new();
    fixture.acquire("a", 3, 3);
    fixture.advance_ms(LOCK_MS - 1);
    fixture.acknowledge("a", 1, 2, &[RENEW]).unwrap();
    fixture.advance_ms(1);
    assert_eq!(fixture.acquire("b", 3, 3), [(0, 0, 2)]);
    fixture.advance_ms(LOCK_MS - 2);
    fixture.acknowledge("a", 1, 1, &[ACCEPT]).unwrap();
    fixture.advance_ms(1);
    assert_eq!(fixture.acknowledge("a", 2, 2, &[ACCEPT]), Err(ErrorCode::InvalidRecordState));
    fixture.set(|settings| settings.renew_acknowledge_enable = false);
    assert_eq!(fixture.acknowledge("b", 0, 0, &[RENEW]), Err(ErrorCode::InvalidRecordState));
}

#[test]
fn a_member_that_leaves_gives_back_what_it_holds() {
    let fixture = Fixture::new();
    fixture.acquire("a", 3, 9);
    fixture.acquire("b", 3, 9);
    fixture.partition.release_acquired_records("a").unwrap();
    assert_eq!(fixture.acquire("c", 9, 9), [(0, 2, 2), (6, 8, 1)]);
    fixture.acknowledge("b", 3, 5, &[ACCEPT]).unwrap();
}

#[test]
fn a_lock_that_ends_while_nothing_can_be_kept_ends_nevertheless() {
    let fixture = Fixture::new();
    fixture.acquire("a", 3, 3);
    *fixture.kept.failure.lock() = Some(ErrorCode::KafkaStorageError);
    fixture.advance_ms(LOCK_MS);
    assert_eq!(fixture.acquire("b", 3, 3), [(0, 2, 2)]);
}
