use super::fixture::*;
use crate::broker::coordinator::share::StateBatch;
use crate::broker::share::AcknowledgementBatch;
use crate::broker::share::acquire::AcquireParams;
use crate::model::ErrorCode;

const GAP: i8 = 0;
const ACCEPT: i8 = 1;
const RELEASE: i8 = 2;
const REJECT: i8 = 3;

#[test]
fn what_one_member_has_acquired_no_other_gets() {
    let fixture = Fixture::new();
    assert_eq!(fixture.acquire("a", 4, 12), [(0, 3, 1)]);
    assert_eq!(fixture.acquire("b", 4, 12), [(4, 7, 1)]);
    assert_eq!(fixture.acquire("c", 100, 12), [(8, 11, 1)]);
    assert_eq!(fixture.acquire("a", 100, 12), []);
}

#[test]
fn whole_batches_are_acquired_unless_the_limit_is_strict() {
    let fixture = Fixture::new();
    assert_eq!(fixture.acquire_by("a", 4, 12, false), [(0, 5, 1)]);
    assert_eq!(fixture.acquire_by("a", 1, 12, true), [(6, 6, 1)]);
    // In pieces of the size that the member likes, which are whole batches.
    let fixture = Fixture::new();
    assert_eq!(fixture.acquire_by("a", 15, 15, false), [(0, 5, 1), (6, 11, 1), (12, 14, 1)]);
}

#[test]
fn acknowledged_records_are_dealt_with_and_the_start_moves_over_them() {
    let mut fixture = Fixture::new();
    fixture.acquire("a", 9, 9);
    fixture.acknowledge("a", 3, 5, &[ACCEPT]).unwrap();
    assert_eq!(fixture.partition.lock().start_offset, 0);
    fixture.acknowledge("a", 0, 2, &[ACCEPT, REJECT, GAP]).unwrap();
    assert_eq!(fixture.partition.lock().start_offset, 6);
    fixture.acknowledge("a", 0, 2, &[ACCEPT]).unwrap();
    assert_eq!(fixture.partition.lock().in_flight_count(), 3);
    fixture.restart();
    assert_eq!(fixture.partition.lock().start_offset, 6);
    assert_eq!(fixture.acquire("b", 100, 12), [(6, 11, 1)], "that records were acquired is not kept");
}

#[test]
fn what_is_written_says_what_kafka_says() {
    let fixture = Fixture::new();
    fixture.acquire("a", 6, 6);
    fixture.acknowledge("a", 0, 2, &[ACCEPT, RELEASE, ACCEPT]).unwrap();
    let write = fixture.kept.writes.lock().pop().unwrap();
    assert_eq!((write.state_epoch, write.leader_epoch), (3, 0));
    assert_eq!((write.start_offset, write.delivery_complete_count), (0, 2), "the start moves after it");
    let batches: Vec<_> =
        write.state_batches.iter().map(|b| (b.first_offset, b.last_offset, b.delivery_state)).collect();
    assert_eq!(batches, [(0, 0, 2), (1, 1, 0), (2, 2, 2)]);
}

/// As Kafka leaves them, where a group has a queue of dead letters.
#[test]
fn records_on_their_way_to_a_queue_of_dead_letters_are_not_delivered_again() {
    let mut fixture = Fixture::new();
    let batch = |offset, delivery_state| StateBatch {
        first_offset: offset,
        last_offset: offset,
        delivery_state,
        delivery_count: 5,
    };
    *fixture.kept.batches.lock() = vec![batch(1, 3), batch(2, 4)];
    fixture.restart();
    let acquired = fixture.acquire("a", 100, 6);
    let offsets: Vec<_> = acquired.iter().flat_map(|(first, last, _)| *first..=*last).collect();
    assert_eq!(offsets, [0, 3, 4, 5]);
}

#[test]
fn released_records_are_delivered_again_until_they_were_often_enough() {
    let mut fixture = Fixture::new();
    for count in 1..=5 {
        assert_eq!(fixture.acquire("a", 1, 3), [(0, 0, count)]);
        fixture.acknowledge("a", 0, 0, &[RELEASE]).unwrap();
        if count < 5 {
            fixture.restart();
        }
    }
    assert_eq!(fixture.acquire("a", 3, 3), [(1, 2, 1)], "it is archived");
}

#[test]
fn records_that_were_delivered_often_go_in_ever_smaller_groups_and_alone_at_last() {
    let fixture = Fixture::new();
    assert_eq!(fixture.acquire("a", 12, 12), [(0, 11, 1)]);
    fixture.acknowledge("a", 0, 11, &[RELEASE]).unwrap();
    assert_eq!(fixture.acquire("a", 12, 12), [(0, 11, 2)]);
    fixture.acknowledge("a", 0, 11, &[RELEASE]).unwrap();
    assert_eq!(fixture.acquire("a", 12, 12), [(0, 11, 3)]);
    fixture.acknowledge("a", 0, 11, &[RELEASE]).unwrap();
    assert_eq!(fixture.acquire("a", 12, 12), [(0, 5, 4)]);
    fixture.acknowledge("a", 0, 5, &[RELEASE]).unwrap();
    assert_eq!(fixture.acquire("a", 12, 12), [(0, 0, 5)]);
}

#[test]
fn only_the_owner_acknowledges_and_only_once() {
    let fixture = Fixture::new();
    fixture.acquire("a", 3, 6);
    assert_eq!(fixture.acknowledge("b", 0, 2, &[ACCEPT]), Err(ErrorCode::InvalidRecordState));
    assert_eq!(fixture.acknowledge("a", 1, 3, &[ACCEPT]), Err(ErrorCode::InvalidRequest));
    assert_eq!(fixture.acknowledge("a", 7, 8, &[ACCEPT]), Err(ErrorCode::InvalidRequest));
    fixture.acknowledge("a", 1, 1, &[ACCEPT]).unwrap();
    assert_eq!(fixture.acknowledge("a", 0, 2, &[ACCEPT]), Err(ErrorCode::InvalidRecordState));
    assert_eq!(fixture.partition.lock().in_flight_count(), 2, "all of a request or nothing");
}

#[test]
fn what_cannot_be_kept_has_not_happened() {
    let fixture = Fixture::new();
    fixture.acquire("a", 3, 3);
    *fixture.kept.failure.lock() = Some(ErrorCode::NotCoordinator);
    assert_eq!(fixture.acknowledge("a", 0, 2, &[ACCEPT]), Err(ErrorCode::CoordinatorNotAvailable));
    *fixture.kept.failure.lock() = Some(ErrorCode::FencedStateEpoch);
    assert_eq!(fixture.acknowledge("a", 0, 2, &[ACCEPT]), Err(ErrorCode::NotLeaderOrFollower));
    *fixture.kept.failure.lock() = None;
    fixture.acknowledge("a", 0, 2, &[ACCEPT]).unwrap();
}

#[test]
fn no_more_records_are_locked_than_the_group_may_have() {
    let fixture = Fixture::new();
    fixture.set(|settings| settings.partition_max_record_locks = 4);
    assert_eq!(fixture.acquire("a", 100, 12), [(0, 3, 1)]);
    assert_eq!(fixture.partition.next_fetch_offset(), None);
    fixture.acknowledge("a", 1, 2, &[ACCEPT]).unwrap();
    assert_eq!(fixture.acquire("a", 100, 12), [(4, 5, 1)]);
    fixture.acknowledge("a", 3, 3, &[RELEASE]).unwrap();
    assert_eq!(fixture.acquire("b", 100, 12), [(3, 3, 2)], "what is between is acquired nevertheless");
}

#[test]
fn records_of_aborted_transactions_are_nobodys() {
    let fixture = Fixture::new();
    let acquired = fixture.partition.acquire(&AcquireParams {
        member_id: "a",
        is_record_limit: false,
        batch_size: 100,
        max_records: 100,
        fetch_offset: 0,
        batches: &[(0, 2), (3, 5), (6, 8)],
        aborted: &[(0, 2), (3, 5)],
    });
    let acquired: Vec<_> = acquired.iter().map(|of| (of.first_offset, of.last_offset)).collect();
    assert_eq!(acquired, [(6, 8)]);
    assert_eq!(fixture.partition.lock().start_offset, 6);
}

#[test]
fn records_that_are_gone_from_the_log_are_passed_over() {
    let fixture = Fixture::new();
    fixture.acquire("a", 6, 6);
    fixture.acknowledge("a", 0, 5, &[RELEASE]).unwrap();
    // Compaction has left nothing before 4.
    let acquired = fixture.partition.acquire(&AcquireParams {
        member_id: "a",
        is_record_limit: false,
        batch_size: 100,
        max_records: 100,
        fetch_offset: 0,
        batches: &[(4, 5)],
        aborted: &[],
    });
    assert_eq!((acquired[0].first_offset, acquired[0].last_offset), (4, 5));
    assert_eq!(fixture.partition.lock().start_offset, 4);
    // The log begins later.
    fixture.partition.update_start(20);
    assert_eq!(fixture.partition.next_fetch_offset(), Some(20));
    assert_eq!(fixture.partition.lock().in_flight_count(), 0);
    assert_eq!(fixture.timer.len(), 0, "locks of what is gone are gone");
}

#[test]
fn a_fenced_share_partition_takes_nothing_and_gives_nothing() {
    let fixture = Fixture::new();
    fixture.acquire("a", 3, 6);
    fixture.partition.mark_fenced();
    assert_eq!(fixture.acknowledge("a", 0, 2, &[ACCEPT]), Err(ErrorCode::NotLeaderOrFollower));
    assert_eq!(fixture.acquire("a", 3, 6), []);
    assert_eq!(fixture.timer.len(), 0);
}

#[test]
fn two_words_about_one_record_in_one_request_are_one_too_many() {
    let fixture = Fixture::new();
    fixture.acquire("a", 6, 6);
    let batch =
        |first_offset, last_offset| AcknowledgementBatch { first_offset, last_offset, types: vec![ACCEPT] };
    let refused = fixture.partition.acknowledge("a", &[batch(0, 3), batch(3, 5)]).unwrap_err();
    assert_eq!(refused.code, ErrorCode::InvalidRecordState);
    assert_eq!(fixture.partition.lock().start_offset, 0, "nothing of it counts");
    fixture.partition.acknowledge("a", &[batch(0, 3), batch(4, 5)]).unwrap();
    assert_eq!(fixture.partition.lock().start_offset, 6);
}
