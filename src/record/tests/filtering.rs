use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::record::filter::{BatchFilter, FilterParams, Filtered, RecordRetention};
use crate::record::legacy::MessageSetBuilder;

const KEEP_NOTHING_EMPTY: FilterParams = FilterParams {
    retain_empty: false,
    is_marker_of_empty_txn: false,
    delete_horizon_ms: 9_000,
    decompression_limit: LIMIT,
};

/// Asks `stays` about each record.
struct EachThat<F> {
    stays: F,
    verdicts: Vec<bool>,
}

fn each_that<F: FnMut(&RecordRef<'_>) -> bool>(stays: F) -> EachThat<F> {
    EachThat { stays, verdicts: Vec::new() }
}

impl<F: FnMut(&RecordRef<'_>) -> bool> RecordRetention for EachThat<F> {
    fn meet(&mut self, record: &RecordRef<'_>) {
        let stays = (self.stays)(record);
        self.verdicts.push(stays);
    }

    fn decide(&mut self) -> &[bool] {
        &self.verdicts
    }
}

fn filter(
    batch: &RecordBatch,
    params: FilterParams,
    retain: impl FnMut(&RecordRef<'_>) -> bool,
) -> (Option<RecordBatch>, Filtered) {
    let mut out = b"before".to_vec();
    let filtered =
        BatchFilter::default().filter(batch.view(), &params, &mut each_that(retain), &mut out).unwrap();
    let left = bytes::Bytes::from(out.split_off(6));
    let batch = (!left.is_empty()).then(|| {
        let batch = RecordBatch::parse(left).unwrap();
        batch.view().ensure_valid().unwrap();
        batch
    });
    (batch, filtered)
}

fn options(compression: CompressionType) -> BatchOptions {
    BatchOptions {
        compression,
        base_offset: 100,
        partition_leader_epoch: 3,
        producer_id: 7,
        producer_epoch: 1,
        base_sequence: 40,
        ..BatchOptions::default()
    }
}

#[test]
fn a_batch_that_loses_nothing_stays_as_it_is_byte_for_byte() {
    let batch =
        build(options(CompressionType::Gzip), &[(1, Some(b"a"), Some(b"1")), (2, Some(b"b"), Some(b"2"))]);
    let (kept, filtered) = filter(&batch, KEEP_NOTHING_EMPTY, |_| true);
    assert_eq!(kept.unwrap().as_bytes(), batch.as_bytes());
    assert_eq!(filtered, Filtered { records_read: 2, records_retained: 2 });
}

#[test]
fn a_batch_without_its_records_stays_only_if_its_header_is_wanted() {
    let batch = build(options(CompressionType::Lz4), &[(5, Some(b"a"), Some(b"1")), (6, Some(b"b"), None)]);
    let (kept, _) = filter(&batch, KEEP_NOTHING_EMPTY, |_| false);
    assert!(kept.is_none());
    let (kept, filtered) =
        filter(&batch, FilterParams { retain_empty: true, ..KEEP_NOTHING_EMPTY }, |_| false);
    let kept = kept.unwrap();
    let (view, old) = (kept.view(), batch.view());
    assert_eq!(filtered, Filtered { records_read: 2, records_retained: 0 });
    assert_eq!((view.base_offset(), view.last_offset(), view.last_sequence()), (100, 101, 41));
    assert_eq!((view.producer_id(), view.producer_epoch(), view.max_timestamp()), (7, 1, 6));
    assert_eq!(view.partition_leader_epoch(), old.partition_leader_epoch());
    assert_eq!(
        (view.records_count(), view.is_compressed(), view.delete_horizon_ms()),
        (Some(0), false, None)
    );
    assert_eq!(kept.as_bytes().len(), RECORD_BATCH_OVERHEAD);
    // And it stays what it is when it is copied again.
    let again = filter(&kept, FilterParams { retain_empty: true, ..KEEP_NOTHING_EMPTY }, |_| true).0;
    assert_eq!(again.unwrap().as_bytes(), kept.as_bytes());
}

#[test]
fn a_batch_with_a_tombstone_gets_a_delete_horizon_once_and_keeps_it() {
    for codec in CompressionType::ALL.into_iter().filter(|codec| codec.is_supported()) {
        let batch = build(options(codec), &[(5, Some(b"a"), None), (6, Some(b"b"), Some(b"2"))]);
        let kept = filter(&batch, KEEP_NOTHING_EMPTY, |_| true).0.unwrap();
        assert_eq!(kept.view().delete_horizon_ms(), Some(9_000));
        let timestamps =
            |batch: &RecordBatch| -> Vec<_> { records_of(batch).iter().map(Record::timestamp).collect() };
        assert_eq!((timestamps(&kept), kept.view().max_timestamp()), (vec![5, 6], 6));
        let later = FilterParams { delete_horizon_ms: 20_000, ..KEEP_NOTHING_EMPTY };
        let again = filter(&kept, later, |_| true).0.unwrap();
        assert_eq!(again.as_bytes(), kept.as_bytes());
        let without = filter(&kept, later, |record| record.value().is_some()).0.unwrap();
        assert_eq!((without.view().delete_horizon_ms(), timestamps(&without)), (Some(9_000), vec![6]));
    }
}

#[test]
fn the_marker_of_a_transaction_of_which_nothing_is_left_gets_a_delete_horizon() {
    let marker = EndTransactionMarker { is_commit: true, coordinator_epoch: 4 };
    let params = MarkerParams { marker, producer_id: 7, producer_epoch: 1, timestamp: 50, leader_epoch: 0 };
    let batch = RecordBatch::parse(EndTransactionMarker::builder(params).unwrap().build().unwrap()).unwrap();
    let as_it_is = filter(&batch, KEEP_NOTHING_EMPTY, |_| true).0.unwrap();
    assert_eq!(as_it_is.as_bytes(), batch.as_bytes());
    let of_empty = FilterParams { is_marker_of_empty_txn: true, ..KEEP_NOTHING_EMPTY };
    let kept = filter(&batch, of_empty, |_| true).0.unwrap();
    assert!(kept.view().is_control() && kept.view().is_transactional());
    assert_eq!(kept.view().delete_horizon_ms(), Some(9_000));
    let record = &records_of(&kept)[0];
    assert_eq!(record.timestamp(), 50);
    assert_eq!(EndTransactionMarker::parse(record.key(), record.value()).unwrap(), Some(marker));
}

#[test]
fn bytes_that_are_no_records_are_errors_and_nothing_is_written() {
    let batch =
        build(options(CompressionType::None), &[(1, Some(b"a"), Some(b"1")), (2, Some(b"b"), Some(b"2"))]);
    for at in RECORD_BATCH_OVERHEAD..batch.as_bytes().len() {
        let mut damaged = batch.as_bytes().to_vec();
        damaged[at] ^= 0x80;
        let (view, _) = RecordBatchRef::parse(&damaged).unwrap().unwrap();
        let mut out = Vec::new();
        let nothing = &mut each_that(|_| false);
        let result = BatchFilter::default().filter(view, &KEEP_NOTHING_EMPTY, nothing, &mut out);
        assert!(out.is_empty(), "{at} {result:?}");
    }
}

#[test]
fn a_message_set_keeps_its_format_and_its_offsets() {
    for (magic, codec) in [(0, CompressionType::None), (0, CompressionType::Gzip), (1, CompressionType::Gzip)]
    {
        let source = build(
            BatchOptions { base_offset: 10, ..BatchOptions::default() },
            &[(5, Some(b"a"), Some(b"1")), (7, Some(b"b"), None), (6, Some(b"c"), Some(b"3"))],
        );
        let mut builder = MessageSetBuilder::new(magic, codec, TimestampType::CreateTime).unwrap();
        let mut scratch = Vec::new();
        for record in source.view().records(&mut scratch, LIMIT).unwrap() {
            builder.append(record.unwrap()).unwrap();
        }
        let mut set = Vec::new();
        builder.finish(&mut set).unwrap();
        let mut out = Vec::new();
        let mut filter = BatchFilter::default();
        for entry in Batches::new(&set) {
            let retain = |record: &RecordRef<'_>| record.key() != Some(b"b");
            filter.filter(entry.unwrap(), &KEEP_NOTHING_EMPTY, &mut each_that(retain), &mut out).unwrap();
        }
        let mut found = Vec::new();
        for entry in Batches::new(&out) {
            let entry = entry.unwrap();
            entry.ensure_valid().unwrap();
            assert_eq!((entry.magic(), entry.compression_type().unwrap()), (magic, codec));
            for record in entry.records(&mut scratch, LIMIT).unwrap() {
                let record = record.unwrap();
                found.push((
                    record.offset(),
                    record.key().unwrap().to_vec(),
                    record.value().unwrap().to_vec(),
                ));
            }
        }
        let expected = [(10, b"a".to_vec(), b"1".to_vec()), (12, b"c".to_vec(), b"3".to_vec())];
        assert_eq!(found, expected, "magic {magic} {codec:?}");
    }
}

proptest! {
    #[test]
    fn what_stays_is_what_it_was_whatever_goes(
        records in vec((0..1i64 << 40, option::of(vec(any::<u8>(), 0..20)), option::of(vec(any::<u8>(), 0..200)), any::<bool>()), 1..40),
        codec in prop::sample::select(CompressionType::ALL.into_iter().filter(|codec| codec.is_supported()).collect::<Vec<_>>()),
        append_time in any::<bool>(),
    ) {
        let timestamp_type = if append_time { TimestampType::LogAppendTime } else { TimestampType::CreateTime };
        let mut builder = RecordBatchBuilder::new(BatchOptions { timestamp_type, ..options(codec) });
        for (timestamp, key, value, with_header) in &records {
            let headers: &[(&str, Option<&[u8]>)] = if *with_header { &[("h", Some(b"x")), ("n", None)] } else { &[] };
            builder.append_with_headers(*timestamp, key.as_deref(), value.as_deref(), headers).unwrap();
        }
        let batch = RecordBatch::parse(builder.build().unwrap()).unwrap();
        let stays = |offset: i64| records[(offset - 100) as usize].3;
        let (kept, filtered) = filter(&batch, KEEP_NOTHING_EMPTY, |record| stays(record.offset()));
        let describe = |record: &Record| {
            let headers: Vec<_> = record.headers().iter().map(|h| (h.key().into_owned(), h.value().map(<[u8]>::to_vec))).collect();
            (record.offset(), record.timestamp(), record.key_bytes(), record.value_bytes(), headers)
        };
        let expected: Vec<_> = records_of(&batch).iter().filter(|record| stays(record.offset())).map(describe).collect();
        prop_assert_eq!(filtered.records_retained, expected.len() as u64);
        match kept {
            None => prop_assert!(expected.is_empty()),
            Some(kept) => {
                let (view, old) = (kept.view(), batch.view());
                prop_assert_eq!(records_of(&kept).iter().map(describe).collect::<Vec<_>>(), expected);
                prop_assert_eq!((view.base_offset(), view.last_offset(), view.last_sequence()), (old.base_offset(), old.last_offset(), old.last_sequence()));
                let max = records_of(&kept).iter().map(Record::timestamp).max().unwrap();
                prop_assert_eq!(view.max_timestamp(), max);
            }
        }
    }
}
