use super::fixture::*;
use crate::log::TimestampMatch;
use crate::record::{BatchOptions, CompressionType, RecordBatchBuilder, ValidatedRecords};

#[test]
fn a_record_is_found_by_its_timestamp_within_compressed_batches_and_across_segments() {
    let fixture = Fixture::with_config(|config| {
        config.segment_bytes = 2_000;
        config.index_interval_bytes = 100;
    });
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    // Record i has the timestamp 10 * i, but those of each third batch run backwards.
    let timestamp = |i: i64| if (i / 10) % 3 == 2 { 10 * ((i / 10) * 10 + 9 - i % 10) } else { 10 * i };
    for batch in 0..60 {
        let compression = if cfg!(feature = "lz4") { CompressionType::Lz4 } else { CompressionType::None };
        let mut builder = RecordBatchBuilder::new(BatchOptions { compression, ..BatchOptions::default() });
        for i in batch * 10..batch * 10 + 10 {
            builder.append(timestamp(i), None, Some(b"some value")).unwrap();
        }
        append(&log, ValidatedRecords::of_builder(&mut builder).unwrap());
    }
    assert!(log.number_of_segments() > 2);
    for target in (0..6_000).step_by(7) {
        let expected = (0..600).find(|i| timestamp(*i) >= target);
        let found = log.fetch_offset_by_timestamp(target).unwrap();
        assert_eq!(found.map(|found| found.offset), expected, "target {target}");
    }
    let max = TimestampMatch { timestamp: 5_990, offset: 590, leader_epoch: 0 };
    assert_eq!(log.fetch_max_timestamp().unwrap(), Some(max));

    // Records below the log's start are not there any more.
    log.maybe_increment_log_start_offset(255).unwrap();
    assert_eq!(log.fetch_offset_by_timestamp(0).unwrap().map(|found| found.offset), Some(255));
}

#[test]
fn records_without_timestamps_are_not_found() {
    let fixture = Fixture::new();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    assert_eq!(log.fetch_max_timestamp().unwrap(), None);
    append(&log, records(&["a"]));
    assert_eq!(log.fetch_offset_by_timestamp(0).unwrap(), None);
    assert_eq!(log.fetch_max_timestamp().unwrap(), None);
}
