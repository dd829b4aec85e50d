use super::*;
use crate::model::ErrorCode;

/// One record, key `k`, value `v`, timestamp 1000, written out from the format's description; the checksum is of
/// a bit-by-bit CRC-32C in another language.
const GOLDEN: &str =
    "0000000000000000 0000003a ffffffff 02 716a6189 0000 00000000 00000000000003e8 00000000000003e8
     ffffffffffffffff ffff ffffffff 00000001 10 00 00 00 02 6b 02 76 00";

#[test]
fn a_batch_has_the_bytes_that_the_format_asks_for() {
    let batch = build(BatchOptions::default(), &[(1000, Some(b"k"), Some(b"v"))]);
    assert_eq!(&batch.as_bytes()[..], &hex(GOLDEN)[..]);
    batch.view().ensure_valid().unwrap();
}

#[test]
fn every_header_field_reads_back() {
    let options = BatchOptions {
        base_offset: 1 << 40,
        partition_leader_epoch: 7,
        producer_id: 4711,
        producer_epoch: 3,
        base_sequence: i32::MAX - 1,
        transactional: true,
        control: true,
        timestamp_type: TimestampType::LogAppendTime,
        ..BatchOptions::default()
    };
    let batch = build(options, &[(50, None, None), (90, None, None), (70, None, None), (80, None, None)]);
    let view = batch.view();
    assert_eq!(view.magic(), 2);
    assert_eq!(
        (view.base_offset(), view.last_offset(), view.next_offset()),
        (1 << 40, (1 << 40) + 3, (1 << 40) + 4)
    );
    assert_eq!(view.size_in_bytes(), batch.as_bytes().len());
    assert_eq!(view.partition_leader_epoch(), 7);
    assert_eq!((view.base_timestamp(), view.max_timestamp()), (50, 90));
    assert_eq!(view.timestamp_type(), TimestampType::LogAppendTime);
    assert_eq!(view.compression_type().unwrap(), CompressionType::None);
    assert_eq!((view.producer_id(), view.producer_epoch(), view.has_producer_id()), (4711, 3, true));
    assert_eq!(view.records_count(), Some(4));
    assert!(view.is_transactional() && view.is_control());
    assert_eq!(view.delete_horizon_ms(), None);
    // Sequences wrap from 2^31-1 to 0.
    assert_eq!((view.base_sequence(), view.last_sequence()), (i32::MAX - 1, 1));
    // With LogAppendTime every record has the batch's time.
    assert!(records_of(&batch).iter().all(|record| record.timestamp() == 90));
}

#[test]
fn offsets_and_the_leader_epoch_change_without_the_checksum() {
    let bytes = build(BatchOptions::default(), &[(1, None, Some(b"v"))]).as_bytes().to_vec();
    let mut moved = bytes.clone();
    let header = moved.first_chunk_mut().unwrap();
    set_base_offset(header, 99);
    set_partition_leader_epoch(header, 5);
    let (batch, _) = RecordBatchRef::parse(&moved).unwrap().unwrap();
    batch.ensure_valid().unwrap();
    assert_eq!((batch.base_offset(), batch.partition_leader_epoch()), (99, 5));
    assert_eq!(bytes[12 + 4..], moved[12 + 4..]);
}

#[test]
fn a_new_max_timestamp_needs_a_new_checksum() {
    let mut bytes = build(BatchOptions::default(), &[(1, None, Some(b"v"))]).as_bytes().to_vec();
    let header = bytes.first_chunk_mut().unwrap();
    set_max_timestamp(header, TimestampType::LogAppendTime, 12345);
    let stale = RecordBatchRef::parse(&bytes).unwrap().unwrap().0.ensure_valid().unwrap_err();
    assert_eq!(stale.code(), ErrorCode::CorruptMessage);
    let (header, body) = bytes.split_first_chunk_mut().unwrap();
    update_crc(header, body);
    let batch = RecordBatch::parse(bytes.into()).unwrap();
    batch.view().ensure_valid().unwrap();
    assert_eq!(records_of(&batch)[0].timestamp(), 12345);
}

#[test]
fn batches_end_at_the_one_that_is_cut() {
    let one = build(BatchOptions::default(), &[(1, None, Some(b"first"))]).as_bytes().to_vec();
    let two = [&one[..], &one[..]].concat();
    for cut in 0..two.len() {
        let mut batches = Batches::new(&two[..cut]);
        let count = batches.by_ref().map(Result::unwrap).count();
        assert_eq!((count, batches.remainder_len()), (cut / one.len(), cut % one.len()), "{cut}");
    }
}

#[test]
fn a_size_that_cannot_be_true_is_corrupt() {
    let good = build(BatchOptions::default(), &[(1, None, None)]).as_bytes().to_vec();
    for size in [-1, 0, 48, i32::MIN] {
        let mut bytes = good.clone();
        bytes[8..12].copy_from_slice(&i32::to_be_bytes(size));
        let error = RecordBatchRef::parse(&bytes).unwrap_err();
        assert!(
            matches!(error, BatchError::InvalidSize { size: found, min: 49 } if found == size),
            "{error}"
        );
        assert_eq!(error.code(), ErrorCode::CorruptMessage);
        // The iterator says it once.
        let mut batches = Batches::new(&bytes);
        assert!(batches.next().unwrap().is_err());
        assert!(batches.next().is_none());
    }
    for magic in [3, 127, -1i8] {
        let mut bytes = good.clone();
        bytes[MAGIC_OFFSET] = magic as u8;
        assert!(
            matches!(RecordBatchRef::parse(&bytes), Err(BatchError::UnknownMagic(found)) if found == magic)
        );
    }
}

#[test]
fn every_flipped_bit_under_the_checksum_is_found() {
    let good = build(BatchOptions::default(), &[(1, Some(b"key"), Some(b"value")), (2, None, None)]);
    for bit in (17 * 8)..(good.as_bytes().len() * 8) {
        let mut bytes = good.as_bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let (batch, _) = RecordBatchRef::parse(&bytes).unwrap().unwrap();
        assert!(matches!(batch.ensure_valid(), Err(BatchError::CrcMismatch { .. })), "bit {bit}");
    }
}

#[test]
fn a_header_tells_before_its_records_are_there() {
    let batch = build(BatchOptions { base_offset: 9, ..BatchOptions::default() }, &[(1, None, Some(b"v"))]);
    let bytes = batch.as_bytes();
    for cut in 0..RECORD_BATCH_OVERHEAD {
        assert!(BatchHeader::parse(&bytes[..cut]).unwrap().is_none());
    }
    let header = BatchHeader::parse(&bytes[..RECORD_BATCH_OVERHEAD]).unwrap().unwrap();
    assert_eq!((header.base_offset(), header.size_in_bytes()), (9, bytes.len()));
}

#[test]
fn too_many_and_too_few_records_are_told_apart_from_the_declared_count() {
    let good = build(BatchOptions::default(), &[(1, None, Some(b"a")), (2, None, Some(b"b"))]);
    let with_count = |count: i32| {
        let mut bytes = good.as_bytes().to_vec();
        bytes[57..61].copy_from_slice(&count.to_be_bytes());
        let batch = RecordBatch::parse(bytes.into()).unwrap();
        batch.records(LIMIT).and_then(|records| records.collect::<Result<Vec<_>, _>>())
    };
    assert_eq!(with_count(2).unwrap().len(), 2);
    assert!(matches!(with_count(1), Err(BatchError::TrailingBytes { count: 1, left: 8 })));
    assert!(matches!(with_count(3), Err(BatchError::MalformedRecord { position: 16, .. })));
    assert!(matches!(with_count(i32::MAX), Err(BatchError::MalformedRecord { .. })));
    assert!(matches!(with_count(-1), Err(BatchError::InconsistentCount { count: -1, .. })));
}

#[test]
fn a_batch_without_records_is_legal() {
    // The cleaner keeps such batches for the sequence of their producer.
    let batch = build(BatchOptions { base_offset: 5, ..BatchOptions::default() }, &[]);
    batch.view().ensure_valid().unwrap();
    assert_eq!(batch.view().records_count(), Some(0));
    assert_eq!(records_of(&batch).len(), 0);
}

#[test]
fn markers_read_back_and_take_one_offset() {
    let marker = EndTransactionMarker { is_commit: true, coordinator_epoch: 12 };
    let params = MarkerParams { marker, producer_id: 8, producer_epoch: 2, timestamp: 77, leader_epoch: 3 };
    let batch = RecordBatch::parse(EndTransactionMarker::builder(params).unwrap().build().unwrap()).unwrap();
    let view = batch.view();
    assert!(view.is_control() && view.is_transactional());
    assert_eq!((view.producer_id(), view.producer_epoch(), view.base_sequence()), (8, 2, -1));
    assert_eq!((view.last_offset(), view.last_sequence()), (0, -1));
    let records = records_of(&batch);
    let [record] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!(record.key(), Some(&hex("0000 0001")[..]));
    assert_eq!(record.value(), Some(&hex("0000 0000000c")[..]));
    assert_eq!(EndTransactionMarker::parse(record.key(), record.value()).unwrap(), Some(marker));
}

#[test]
fn control_records_of_another_kind_are_no_markers_and_cut_ones_are_errors() {
    assert_eq!(EndTransactionMarker::parse(Some(&hex("0000 0002")), None).unwrap(), None);
    assert_eq!(ControlRecordType::parse(Some(&hex("0000 0063"))).unwrap(), ControlRecordType::Unknown(99));
    // A newer version may have more fields.
    assert_eq!(ControlRecordType::parse(Some(&hex("0007 0000 ffff"))).unwrap(), ControlRecordType::Abort);
    for (key, value) in
        [(None, None), (Some("00"), None), (Some("ffff 0001"), None), (Some("00000001"), Some("0000 00"))]
    {
        let key = key.map(hex);
        let value = value.map(hex);
        let error = EndTransactionMarker::parse(key.as_deref(), value.as_deref()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidRecord);
    }
}

#[test]
fn a_builder_reuses_the_memory_of_a_batch_that_is_gone() {
    let mut builder = RecordBatchBuilder::with_capacity(BatchOptions::default(), 4096);
    let mut places = std::collections::HashSet::new();
    for _ in 0..100 {
        builder.append(1, None, Some(&[7; 3000])).unwrap();
        let batch = builder.build().unwrap();
        places.insert(batch.as_ptr());
    }
    assert!(places.len() <= 2, "{} buffers for 100 batches that never lived together", places.len());
}

#[test]
fn reset_drops_what_was_appended() {
    let mut builder = RecordBatchBuilder::new(BatchOptions::default());
    builder.append(5, None, Some(b"dropped")).unwrap();
    builder.reset(BatchOptions { base_offset: 3, ..BatchOptions::default() });
    assert!(builder.is_empty());
    builder.append(9, None, Some(b"kept")).unwrap();
    let batch = RecordBatch::parse(builder.build().unwrap()).unwrap();
    let records = records_of(&batch);
    assert_eq!(records.len(), 1);
    assert_eq!((records[0].offset(), records[0].timestamp(), records[0].value()), (3, 9, Some(&b"kept"[..])));
}
