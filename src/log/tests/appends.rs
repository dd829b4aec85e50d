use crate::log::{FetchIsolation, LogError, ReadParams};
use crate::model::ErrorCode;

use super::fixture::*;

#[test]
fn what_is_appended_is_read_and_is_there_after_a_clean_and_an_unclean_stop() {
    let fixture = Fixture::new();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    let info = append(&log, records(&["a", "b"]));
    assert_eq!((info.first_offset, info.last_offset), (0, 1));
    append(&log, records(&["c"]));
    let expected = numbered(0, &["a", "b", "c"]);
    assert_eq!(read_all(&log, 0), expected);
    manager.shutdown().unwrap();
    drop((manager, log));

    let manager = fixture.open();
    let log = manager.log(&partition()).unwrap();
    assert_eq!(log.topic_id(), topic_id());
    assert_eq!(read_all(&log, 0), expected);
    append(&log, records(&["d"]));
    manager.abandon();
    drop((manager, log));

    let manager = fixture.open();
    let log = manager.log(&partition()).unwrap();
    log.maybe_update_high_watermark(log.log_end_offset()).unwrap();
    assert_eq!(read_all(&log, 2), numbered(2, &["c", "d"]));
}

#[test]
fn a_read_starts_with_the_batch_that_holds_the_offset_and_is_cut_at_max_bytes() {
    let fixture = Fixture::new();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    let size = records(&["a", "b", "c"]).size_in_bytes();
    for _ in 0..3 {
        append(&log, records(&["a", "b", "c"]));
    }
    let read = |start_offset, max_bytes, min_one_message| {
        let info = log.read(&ReadParams { max_bytes, min_one_message, ..read_params(start_offset) }).unwrap();
        (info.records.map(|records| (records.position(), records.size())), info.first_entry_incomplete)
    };
    assert_eq!(read(4, 1 << 20, true), (Some((size as u64, 2 * size)), false));
    assert_eq!(read(4, 1, true), (Some((size as u64, size)), false));
    assert_eq!(read(4, 1, false), (Some((size as u64, 1)), true));
    assert_eq!(read(4, 0, false), (None, true));
    assert_eq!(read(0, size + 10, true), (Some((0, size + 10)), false));
    assert_eq!(read(9, 1 << 20, true), (None, false));
}

#[test]
fn a_read_sees_no_more_than_its_isolation_allows() {
    let fixture = Fixture::new();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    let size = records(&["a"]).size_in_bytes();
    append(&log, records(&["a"]));
    try_append(&log, records(&["b"])).unwrap();
    try_append(&log, records(&["c"])).unwrap();
    let read = |start_offset, isolation| {
        log.read(&ReadParams { isolation, ..read_params(start_offset) }).unwrap().size()
    };
    assert_eq!(read(0, FetchIsolation::HighWatermark), size);
    assert_eq!(read(0, FetchIsolation::LogEnd), 3 * size);
    assert_eq!(read(2, FetchIsolation::HighWatermark), 0);
    assert!(log.maybe_update_high_watermark(2).unwrap());
    assert!(!log.maybe_update_high_watermark(1).unwrap());
    assert_eq!(read(0, FetchIsolation::HighWatermark), 2 * size);
    assert_eq!(read(0, FetchIsolation::TxnCommitted), 2 * size);
    // Never above the end.
    assert!(log.maybe_update_high_watermark(99).unwrap());
    assert_eq!(log.high_watermark(), 3);
}

#[test]
fn offsets_outside_the_log_are_refused() {
    let fixture = Fixture::new();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["a", "b", "c"]));
    assert!(log.maybe_increment_log_start_offset(2).unwrap());
    let code = |offset| log.read(&read_params(offset)).map(|_| ()).map_err(|error| error.code());
    assert_eq!(code(1), Err(ErrorCode::OffsetOutOfRange));
    assert_eq!(code(2), Ok(()));
    assert_eq!(code(3), Ok(()));
    assert_eq!(code(4), Err(ErrorCode::OffsetOutOfRange));
    let above = log.maybe_increment_log_start_offset(4).unwrap_err();
    assert_eq!(above.code(), ErrorCode::OffsetOutOfRange);
}

#[test]
fn records_that_do_not_fit_a_segment_are_refused() {
    let fixture = Fixture::with_config(|config| config.segment_bytes = 100);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    let error = try_append(&log, records(&["x".repeat(100)])).unwrap_err();
    assert_eq!(error.code(), ErrorCode::RecordListTooLarge);
    assert_eq!(log.log_end_offset(), 0);
}

#[test]
fn a_follower_keeps_the_offsets_of_its_leader_gaps_included() {
    let fixture = Fixture::new();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    let batch = |base_offset, values: &[&str]| {
        let mut batch = records(values);
        batch.assign_offsets(base_offset, 5);
        batch.to_bytes()
    };
    let both = [batch(10, &["a", "b"]), batch(20, &["c"])].concat();
    let cut = &both[..both.len() - 1];
    let info = log.append_as_follower(&bytes::Bytes::copy_from_slice(cut)).unwrap().unwrap();
    assert_eq!((info.first_offset, info.last_offset), (10, 11));
    log.append_as_follower(&batch(20, &["c"])).unwrap();
    log.maybe_update_high_watermark(21).unwrap();
    assert_eq!(read_all(&log, 0), [(10, b"a".to_vec()), (11, b"b".to_vec()), (20, b"c".to_vec())]);
    assert_eq!(log.latest_epoch(), Some(5));
    let behind = log.append_as_follower(&batch(20, &["c"])).unwrap_err();
    assert!(matches!(behind, LogError::UnexpectedAppendOffset { first_offset: 20, log_end_offset: 21 }));
    assert!(log.append_as_follower(&bytes::Bytes::from_static(b"torn")).unwrap().is_none());
}

#[test]
fn appends_end_once_the_log_is_closed() {
    let fixture = Fixture::new();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["a"]));
    manager.shutdown().unwrap();
    assert!(matches!(try_append(&log, records(&["b"])), Err(LogError::Closed { .. })));
    assert_eq!(read_all(&log, 0), numbered(0, &["a"]));
}

#[test]
fn readers_and_appenders_do_not_disturb_each_other() {
    let fixture = Fixture::with_config(|config| config.segment_bytes = 2_000);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..300 {
                    append(&log, records(&["a", "b", "c"]));
                }
            });
        }
        scope.spawn(|| {
            let mut next = 0;
            while next < 1_800 {
                let found = read_all(&log, next);
                for (offset, value) in found {
                    assert_eq!((offset, value.as_slice()), (next, &b"abc"[(next % 3) as usize..][..1]));
                    next += 1;
                }
            }
        });
    });
    assert_eq!(log.log_end_offset(), 1_800);
    assert!(log.number_of_segments() > 10);
}
