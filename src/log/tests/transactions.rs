use super::fixture::*;
use crate::log::{AbortedTxn, FetchIsolation, Log, ReadParams};

fn aborted(log: &Log, start_offset: i64) -> Vec<AbortedTxn> {
    let params = ReadParams { isolation: FetchIsolation::TxnCommitted, ..read_params(start_offset) };
    log.read(&params).unwrap().aborted_transactions.unwrap()
}

fn committed_bytes(log: &Log) -> usize {
    log.read(&ReadParams { isolation: FetchIsolation::TxnCommitted, ..read_params(0) }).unwrap().size()
}

#[test]
fn what_an_open_transaction_may_take_back_is_not_stable() {
    let fixture = Fixture::new();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["a"]));
    let stable = log.size();
    append(&log, idempotent(9, 0, 0, 2).transactional().build());
    append(&log, records(&["b"]));
    assert_eq!((log.last_stable_offset(), log.high_watermark()), (1, 4));
    assert_eq!(committed_bytes(&log), usize::try_from(stable).unwrap());
    assert_eq!(log.first_undecided_offset(), Some(1));

    append(&log, idempotent(8, 0, 0, 1).transactional().build());
    append(&log, marker(9, 0, true));
    assert_eq!(log.last_stable_offset(), 4);
    append(&log, marker(8, 0, false));
    assert_eq!(log.last_stable_offset(), 7);
    let expected = AbortedTxn { producer_id: 8, first_offset: 4, last_offset: 6, last_stable_offset: 7 };
    assert_eq!(aborted(&log, 0), [expected]);
    assert_eq!(log.read(&read_params(0)).unwrap().aborted_transactions, None);
}

#[test]
fn a_marker_above_the_high_watermark_decides_nothing_yet() {
    let fixture = Fixture::new();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, idempotent(9, 0, 0, 2).transactional().build());
    try_append(&log, marker(9, 0, true)).unwrap();
    assert_eq!(log.last_stable_offset(), 0);
    log.maybe_update_high_watermark(2).unwrap();
    assert_eq!(log.last_stable_offset(), 0);
    log.maybe_update_high_watermark(3).unwrap();
    assert_eq!(log.last_stable_offset(), 3);
}

#[test]
fn aborted_transactions_are_found_across_segments_and_after_any_kind_of_stop() {
    for clean in [true, false] {
        let fixture = Fixture::with_config(|config| config.segment_bytes = 300);
        let manager = fixture.open();
        let log = fixture.log_of(&manager);
        for i in 0..4 {
            append(&log, idempotent(9, 0, i, 1).transactional().build());
            append(&log, records(&["x"]));
            append(&log, marker(9, 0, i % 2 == 0));
        }
        append(&log, idempotent(9, 0, 4, 1).transactional().build());
        assert!(log.number_of_segments() > 3);
        let expected: Vec<_> = [(3, 5), (9, 11)]
            .map(|(first_offset, last_offset)| AbortedTxn {
                producer_id: 9,
                first_offset,
                last_offset,
                last_stable_offset: last_offset + 1,
            })
            .into();
        let all = |log: &Log| {
            let mut found: Vec<AbortedTxn> = (0..12).flat_map(|offset| aborted(log, offset)).collect();
            found.sort_by_key(|txn| txn.first_offset);
            found.dedup();
            found
        };
        assert_eq!(all(&log), expected);
        if clean {
            manager.shutdown().unwrap();
        }
        manager.abandon();
        drop((manager, log));
        let manager = fixture.open();
        let log = manager.log(&partition()).unwrap();
        log.maybe_update_high_watermark(log.log_end_offset()).unwrap();
        assert_eq!(all(&log), expected, "clean {clean}");
        assert_eq!(log.last_stable_offset(), 12, "clean {clean}");
        append(&log, marker(9, 0, true));
        assert_eq!(log.last_stable_offset(), 14);
    }
}

#[test]
fn a_log_start_within_an_open_transaction_is_where_stability_ends() {
    let fixture = Fixture::new();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, idempotent(9, 0, 0, 1).transactional().build());
    append(&log, records(&["a", "b"]));
    assert_eq!(log.last_stable_offset(), 0);
    log.maybe_increment_log_start_offset(2).unwrap();
    assert_eq!(log.last_stable_offset(), 2);
}
