//! What stays of a compacted log.

use std::time::Duration;

use super::fixture::*;
use crate::config::{CleanupPolicy, LogConfig};
use crate::log::{FetchIsolation, Log, LogManager, ReadParams};
use crate::record::{BatchOptions, CompressionType};

pub(super) fn compacted(config: &mut LogConfig) {
    config.cleanup_policy = CleanupPolicy::COMPACT;
    config.delete_retention_ms = 1_000;
    config.index_interval_bytes = 0;
}

pub(super) fn compacted_fixture() -> Fixture {
    Fixture::with_config(compacted)
}

/// Each list is one segment of one batch.
pub(super) fn fill(log: &Log, segments: &[&[(&str, Option<&str>)]]) {
    for (i, entries) in segments.iter().enumerate() {
        append(log, keyed_at(START_MS + i as i64, entries));
        log.roll().unwrap();
    }
}

pub(super) fn clean(manager: &LogManager, log: &Log) {
    manager.clean_now(log).expect("nobody disturbs it");
}

#[test]
fn only_the_last_record_of_each_key_stays_where_it_was() {
    for codec in CompressionType::ALL.into_iter().filter(|codec| codec.is_supported()) {
        let fixture = compacted_fixture();
        let manager = fixture.open();
        let log = fixture.log_of(&manager);
        let options = BatchOptions { compression: codec, ..BatchOptions::default() };
        append(&log, keyed_with(options, START_MS, &[("a", Some("1")), ("b", Some("2")), ("a", Some("3"))]));
        append(&log, keyed_with(options, START_MS, &[("c", Some("4"))]));
        log.roll().unwrap();
        append(&log, keyed_with(options, START_MS, &[("b", Some("5")), ("d", Some("6"))]));
        log.roll().unwrap();
        append(&log, keyed_with(options, START_MS, &[("a", Some("7"))]));
        let end = log.log_end_offset();
        let stats = manager.clean_now(&log).unwrap();
        assert_eq!((stats.records_read, stats.records_written, stats.end_offset), (6, 4, 6));
        // The last one is in the active segment, which makes nothing obsolete yet.
        assert_eq!(texts(&log), ["2 a=3", "3 c=4", "4 b=5", "5 d=6", "6 a=7"], "{codec:?}");
        assert_eq!(log.log_end_offset(), end);
        for clean in [false, true] {
            manager_is_closed(&manager, clean);
            let manager = fixture.open();
            let log = fixture.log_of(&manager);
            log.maybe_update_high_watermark(end).unwrap();
            assert_eq!(texts(&log), ["2 a=3", "3 c=4", "4 b=5", "5 d=6", "6 a=7"], "{codec:?} {clean}");
            manager.abandon();
        }
    }
}

fn manager_is_closed(manager: &LogManager, clean: bool) {
    if clean {
        manager.shutdown().unwrap();
    } else {
        manager.abandon();
    }
}

#[test]
fn every_offset_can_be_read_from_even_those_that_are_gone() {
    let fixture = compacted_fixture();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    for i in 0..40 {
        let key = ["a", "b", "c"][i % 3];
        fill(&log, &[&[(key, Some("x")), ("every", Some("y"))]]);
    }
    append(&log, keyed_at(START_MS, &[("last", Some("z"))]));
    clean(&manager, &log);
    let all = texts(&log);
    assert_eq!(all.len(), 5);
    let offset_of = |text: &String| text.split(' ').next().unwrap().parse::<i64>().unwrap();
    for start in 0..=log.log_end_offset() {
        let found: Vec<i64> = read_all(&log, start).iter().map(|(offset, _)| *offset).collect();
        let expected: Vec<i64> = all.iter().map(offset_of).filter(|offset| *offset >= start).collect();
        assert_eq!(found, expected, "from {start}");
        let info = log.read(&ReadParams { isolation: FetchIsolation::LogEnd, ..read_params(start) }).unwrap();
        assert_eq!(info.fetch_offset.offset, start);
    }
    for timestamp in [0, START_MS, START_MS + 1] {
        let found = log.fetch_offset_by_timestamp(timestamp).unwrap().map(|found| found.offset);
        assert_eq!(found, (timestamp <= START_MS).then(|| offset_of(&all[0])), "{timestamp}");
    }
}

#[test]
fn a_tombstone_stays_until_its_horizon_has_passed() {
    let fixture = compacted_fixture();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    fill(&log, &[&[("a", Some("1")), ("b", Some("2"))], &[("a", None)]]);
    clean(&manager, &log);
    assert_eq!(texts(&log), ["1 b=2", "2 a=-"]);
    fixture.clock.advance(Duration::from_millis(999));
    fill(&log, &[&[("c", Some("3"))]]);
    clean(&manager, &log);
    assert_eq!(texts(&log), ["1 b=2", "2 a=-", "3 c=3"]);
    fixture.clock.advance(Duration::from_millis(1));
    // What is dirty is enough of a reason to go over the clean part, too.
    fill(&log, &[&[("d", Some("4"))]]);
    clean(&manager, &log);
    assert_eq!(texts(&log), ["1 b=2", "3 c=3", "4 d=4"]);
}

#[test]
fn records_without_a_key_go_and_are_counted() {
    let fixture = compacted_fixture();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["no key"]));
    fill(&log, &[&[("a", Some("1"))]]);
    let stats = manager.clean_now(&log).unwrap();
    assert_eq!(stats.records_without_key, 1);
    assert_eq!(texts(&log), ["1 a=1"]);
}

fn in_transaction(producer_id: i64, base_sequence: i32) -> BatchOptions {
    BatchOptions {
        producer_id,
        producer_epoch: 0,
        base_sequence,
        transactional: true,
        ..BatchOptions::default()
    }
}

#[test]
fn aborted_records_go_at_once_and_make_nothing_obsolete() {
    let fixture = compacted_fixture();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, keyed_at(START_MS, &[("a", Some("kept")), ("b", Some("old"))]));
    append(&log, keyed_with(in_transaction(9, 0), START_MS, &[("a", Some("aborted"))]));
    log.roll().unwrap();
    append(&log, keyed_with(in_transaction(9, 1), START_MS, &[("c", Some("aborted"))]));
    append(&log, keyed_with(in_transaction(8, 0), START_MS, &[("b", Some("new"))]));
    append(&log, marker(9, 0, false));
    append(&log, marker(8, 0, true));
    log.roll().unwrap();
    // Producers that write on, so that nothing needs to be kept for their sequences.
    for producer in [8, 9] {
        let sequence = if producer == 9 { 2 } else { 1 };
        append(&log, keyed_with(in_transaction(producer, sequence), START_MS, &[("z", Some("last"))]));
        append(&log, marker(producer, 0, true));
    }
    clean(&manager, &log);
    let tail = ["7 z=last", "8 marker", "9 z=last", "10 marker"];
    assert_eq!(texts(&log), [&["0 a=kept", "4 b=new", "5 marker", "6 marker"][..], &tail].concat());

    // The marker of the aborted one stays until nobody can be reading the transaction any more.
    log.roll().unwrap();
    clean(&manager, &log);
    fixture.clock.advance(Duration::from_millis(1_000));
    assert!(texts(&log).contains(&"5 marker".to_owned()));
    fill(&log, &[&[("more", Some("x"))]]);
    clean(&manager, &log);
    let expected = ["0 a=kept", "4 b=new", "6 marker", "8 marker", "9 z=last", "10 marker", "11 more=x"];
    assert_eq!(texts(&log), expected);
}

#[test]
fn what_is_not_decided_yet_is_left_alone_and_so_is_all_behind_it() {
    let fixture = compacted_fixture();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    fill(&log, &[&[("a", Some("1"))], &[("a", Some("2"))]]);
    append(&log, keyed_with(in_transaction(9, 0), START_MS, &[("a", Some("3"))]));
    log.roll().unwrap();
    fill(&log, &[&[("a", Some("4"))], &[("a", Some("5"))]]);
    let stats = manager.clean_now(&log).unwrap();
    assert_eq!(stats.end_offset, 2);
    assert_eq!(texts(&log), ["1 a=2", "2 a=3", "3 a=4", "4 a=5"]);
    append(&log, marker(9, 0, true));
    log.roll().unwrap();
    clean(&manager, &log);
    assert_eq!(texts(&log), ["4 a=5", "5 marker"]);
}

#[test]
fn the_aborted_list_of_a_reader_is_right_after_compaction() {
    let fixture = compacted_fixture();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, keyed_with(in_transaction(9, 0), START_MS, &[("a", Some("aborted"))]));
    append(&log, marker(9, 0, false));
    fill(&log, &[&[("b", Some("1"))]]);
    clean(&manager, &log);
    // The last batch of the producer stays, for its sequence; its records are gone.
    assert_eq!(texts(&log), ["1 marker", "2 b=1"]);
    let params = ReadParams { isolation: FetchIsolation::TxnCommitted, ..read_params(0) };
    let aborted = log.read(&params).unwrap().aborted_transactions.unwrap();
    assert_eq!(aborted.len(), 1);
    assert_eq!((aborted[0].producer_id, aborted[0].first_offset, aborted[0].last_offset), (9, 0, 1));
}

#[test]
fn the_sequence_of_a_producer_survives_the_loss_of_all_its_records() {
    for clean_stop in [true, false] {
        let fixture = compacted_fixture();
        let manager = fixture.open();
        let log = fixture.log_of(&manager);
        let options = |base_sequence| BatchOptions {
            producer_id: 5,
            producer_epoch: 0,
            base_sequence,
            ..BatchOptions::default()
        };
        append(&log, keyed_with(options(0), START_MS, &[("a", Some("1")), ("b", Some("1"))]));
        append(&log, keyed_with(options(2), START_MS, &[("a", Some("2")), ("b", Some("2"))]));
        fill(&log, &[&[("a", Some("3")), ("b", Some("3"))]]);
        clean(&manager, &log);
        assert_eq!(texts(&log), ["4 a=3", "5 b=3"]);
        let counts: Vec<_> = batches(&log, 0).iter().map(|batch| batch.view().records_count()).collect();
        assert_eq!(counts, [Some(0), Some(2)]);
        manager_is_closed(&manager, clean_stop);
        drop((manager, log));

        let manager = fixture.open();
        let log = fixture.log_of(&manager);
        let again = try_append(&log, keyed_with(options(2), START_MS, &[("a", Some("2")), ("b", Some("2"))]));
        assert!(again.unwrap().is_duplicate);
        assert!(try_append(&log, keyed_with(options(7), START_MS, &[("a", Some("x"))])).is_err());
        append(&log, keyed_with(options(4), START_MS, &[("a", Some("4"))]));
        // The batch is not the producer's last one any more, so nothing keeps it.
        log.roll().unwrap();
        clean(&manager, &log);
        assert_eq!(texts(&log), ["5 b=3", "6 a=4"]);
        assert_eq!(batches(&log, 0).len(), 2);
    }
}

/// It was kept, empty, for being the last of what is compacted. Kafka keeps the one below the high watermark alone.
#[test]
fn the_last_batch_that_is_compacted_goes_if_it_is_aborted_and_the_log_goes_on_behind_it() {
    let fixture = compacted_fixture();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, keyed_at(START_MS, &[("a", Some("kept"))]));
    append(&log, keyed_with(in_transaction(9, 0), START_MS, &[("b", Some("aborted"))]));
    log.roll().unwrap();
    append(&log, keyed_with(in_transaction(9, 1), START_MS, &[("c", Some("aborted"))]));
    append(&log, marker(9, 0, false));
    clean(&manager, &log);
    let left: Vec<_> = batches(&log, 0).iter().map(|batch| batch.view().last_offset()).collect();
    assert_eq!(left, [0, 2, 3]);
}

#[test]
fn the_end_of_the_log_is_told_by_a_batch_even_if_nothing_else_is_left() {
    let fixture = compacted_fixture();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    fill(&log, &[&[("a", Some("1"))], &[("a", None)]]);
    clean(&manager, &log);
    fixture.clock.advance(Duration::from_millis(1_000));
    fill(&log, &[&[("b", Some("2"))], &[("b", None)]]);
    clean(&manager, &log);
    fixture.clock.advance(Duration::from_millis(1_000));
    append(&log, records(&["without a key"]));
    log.roll().unwrap();
    clean(&manager, &log);
    assert_eq!(texts(&log), Vec::<String>::new());
    let left: Vec<_> = batches(&log, 0).iter().map(|batch| batch.view().last_offset()).collect();
    assert_eq!(left, [4]);
    assert_eq!(read_all(&log, 0), []);
    append(&log, keyed_at(START_MS, &[("a", Some("again"))]));
    assert_eq!(texts(&log), ["5 a=again"]);
}
