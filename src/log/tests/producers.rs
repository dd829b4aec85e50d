use super::fixture::*;
use crate::model::ErrorCode;

#[test]
fn a_batch_sent_again_gets_its_old_offsets_as_long_as_it_is_one_of_the_last_five() {
    let fixture = Fixture::new();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    for i in 0..6 {
        append(&log, idempotent(9, 0, 2 * i, 2).build());
    }
    let size = log.size();
    for i in 1..6 {
        let again = append(&log, idempotent(9, 0, 2 * i, 2).build());
        let first = i64::from(2 * i);
        assert_eq!((again.first_offset, again.last_offset), (first, first + 1));
        assert_eq!((again.is_duplicate, again.log_append_time), (true, START_MS));
    }
    assert_eq!((log.size(), log.log_end_offset()), (size, 12));
    let older = try_append(&log, idempotent(9, 0, 0, 2).build()).unwrap_err();
    assert_eq!(older.code(), ErrorCode::OutOfOrderSequenceNumber);
    // The same first sequence, but more records: not the same batch.
    let other = try_append(&log, idempotent(9, 0, 10, 3).build()).unwrap_err();
    assert_eq!(other.code(), ErrorCode::OutOfOrderSequenceNumber);
}

#[test]
fn a_refused_batch_leaves_no_trace() {
    let fixture = Fixture::new();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, idempotent(9, 4, 0, 1).build());
    let (size, state) = (log.size(), log.producer(9));
    for (epoch, sequence, code) in [
        (4, 2, ErrorCode::OutOfOrderSequenceNumber),
        (5, 1, ErrorCode::OutOfOrderSequenceNumber),
        (3, 1, ErrorCode::InvalidProducerEpoch),
    ] {
        let error = try_append(&log, idempotent(9, epoch, sequence, 1).build()).unwrap_err();
        assert_eq!(error.code(), code);
    }
    assert_eq!((log.size(), log.producer(9)), (size, state));
    append(&log, idempotent(9, 4, 1, 1).build());
}

#[test]
fn producers_are_known_after_a_clean_stop_an_unclean_one_and_one_in_the_middle_of_segments() {
    for clean in [true, false] {
        for segment_bytes in [1 << 20, 200] {
            let fixture = Fixture::with_config(|config| config.segment_bytes = segment_bytes);
            let manager = fixture.open();
            let log = fixture.log_of(&manager);
            for i in 0..5 {
                append(&log, idempotent(9, 0, i, 1).build());
                append(&log, idempotent(10 + i64::from(i), 2, 7, 1).build());
            }
            if clean {
                manager.shutdown().unwrap();
            }
            manager.abandon();
            drop((manager, log));
            let manager = fixture.open();
            let log = manager.log(&partition()).unwrap();
            assert_eq!(log.active_producers().len(), 6, "clean {clean}, segment.bytes {segment_bytes}");
            let again = append(&log, idempotent(9, 0, 4, 1).build());
            assert_eq!((again.is_duplicate, again.first_offset), (true, 8));
            let error = try_append(&log, idempotent(9, 0, 6, 1).build()).unwrap_err();
            assert_eq!(error.code(), ErrorCode::OutOfOrderSequenceNumber);
            append(&log, idempotent(9, 0, 5, 1).build());
        }
    }
}

#[test]
fn producers_that_are_silent_for_long_are_forgotten() {
    let fixture = Fixture::new();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, idempotent(9, 0, 0, 1).build());
    fixture.clock.advance(std::time::Duration::from_millis(86_400_000 - 1));
    manager.remove_expired_producers();
    assert!(log.producer(9).is_some());
    fixture.clock.advance(std::time::Duration::from_millis(1));
    manager.remove_expired_producers();
    assert!(log.producer(9).is_none());
    // Then any sequence will do.
    append(&log, idempotent(9, 0, 55, 1).build());
}

#[test]
fn silent_producers_are_forgotten_by_the_setting_as_it_is_now() {
    let mut fixture = Fixture::new();
    fixture.log_dirs = 2;
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, idempotent(9, 0, 0, 1).build());
    manager.set_producer_id_expiration_ms(1_000);
    let later = crate::model::TopicPartition::new("later", 0);
    let later = manager.get_or_create_log(&later, topic_id(), std::sync::Arc::default()).unwrap();
    append(&later, idempotent(9, 0, 0, 1).build());
    fixture.clock.advance(std::time::Duration::from_millis(999));
    manager.remove_expired_producers();
    assert!(log.producer(9).is_some() && later.producer(9).is_some());
    fixture.clock.advance(std::time::Duration::from_millis(1));
    manager.remove_expired_producers();
    assert!(log.producer(9).is_none() && later.producer(9).is_none());
}
