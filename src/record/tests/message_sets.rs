use bytes::Bytes;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::model::{ErrorCode, Offset, Timestamp};
use crate::record::compression::{break_lz4_header, compress_into};

fn down(batches: &[u8], to_magic: i8, first_offset: Offset) -> Result<Bytes, BatchError> {
    down_convert(batches, DownConvertParams { to_magic, first_offset, decompression_limit_bytes: LIMIT })
}

fn old_options() -> ValidationOptions {
    ValidationOptions {
        requires_batch_format: false,
        now_ms: 1_000,
        decompression_limit_bytes: LIMIT,
        ..ValidationOptions::default()
    }
}

fn old_codecs() -> impl Iterator<Item = CompressionType> {
    CompressionType::ALL.into_iter().filter(|codec| codec.is_supported() && *codec != CompressionType::Zstd)
}

/// A message as the format's description has it, with any attributes.
fn message(offset: Offset, magic: i8, attributes: u8, timestamp: Timestamp, value: Option<&[u8]>) -> Vec<u8> {
    let mut covered = vec![magic as u8, attributes];
    if magic == 1 {
        covered.extend_from_slice(&timestamp.to_be_bytes());
    }
    covered.extend_from_slice(&(-1i32).to_be_bytes());
    covered.extend_from_slice(&value.map_or(-1, |value| value.len() as i32).to_be_bytes());
    covered.extend_from_slice(value.unwrap_or_default());
    let mut bytes = offset.to_be_bytes().to_vec();
    bytes.extend_from_slice(&(covered.len() as i32 + 4).to_be_bytes());
    bytes.extend_from_slice(&crc32fast::hash(&covered).to_be_bytes());
    bytes.extend_from_slice(&covered);
    bytes
}

fn wrapper(
    offset: Offset,
    magic: i8,
    codec: CompressionType,
    timestamp: Timestamp,
    inner: &[Vec<u8>],
) -> Vec<u8> {
    let mut value = Vec::new();
    compress_into(codec, None, &inner.concat(), &mut value).unwrap();
    message(offset, magic, codec.id(), timestamp, Some(&value))
}

type Read = (Offset, Timestamp, Option<Vec<u8>>);

/// Offsets, timestamps and values of all records of a set.
fn read(set: &[u8]) -> Result<Vec<Read>, BatchError> {
    let mut scratch = Vec::new();
    let mut all = Vec::new();
    for batch in Batches::new(set) {
        for record in batch?.records(&mut scratch, LIMIT)? {
            let record = record?;
            all.push((record.offset(), record.timestamp(), record.value().map(<[u8]>::to_vec)));
        }
    }
    Ok(all)
}

fn values(count: i64) -> Vec<Option<Vec<u8>>> {
    (0..count).map(|i| Some(vec![i as u8])).collect()
}

#[test]
fn messages_have_the_bytes_that_the_old_formats_ask_for() {
    // Written out by a few lines in another language.
    let options = BatchOptions { base_offset: 7, ..BatchOptions::default() };
    let batch = build(options, &[(1000, Some(b"k"), Some(b"v"))]);
    let v1 = "00000000 00000007 00000018 e4e321bc 01000000 00000000 03e80000 00016b00 00000176";
    assert_eq!(&down(batch.as_bytes(), 1, 7).unwrap()[..], &hex(v1)[..]);
    let batch = build(options, &[(1000, Some(b"k"), None)]);
    let v0 = "00000000 00000007 0000000f 908204f6 00000000 00016bff ffffff";
    assert_eq!(&down(batch.as_bytes(), 0, 7).unwrap()[..], &hex(v0)[..]);
}

#[test]
fn down_converted_sets_keep_offsets_timestamps_keys_and_values() {
    for codec in old_codecs() {
        let options = BatchOptions { compression: codec, base_offset: 100, ..BatchOptions::default() };
        let batch = build(options, &[(5, Some(b"k"), Some(b"a")), (9, None, None), (7, None, Some(b"c"))]);
        for to_magic in [0, 1] {
            let set = down(batch.as_bytes(), to_magic, 0).unwrap();
            let first = RecordBatchRef::parse(&set).unwrap().unwrap().0;
            first.ensure_valid().unwrap();
            assert_eq!((first.magic(), first.compression_type().unwrap()), (to_magic, codec));
            if codec != CompressionType::None {
                // One wrapper with the offset of its last message and the largest timestamp.
                assert_eq!(first.size_in_bytes(), set.len());
                assert_eq!(first.last_offset(), 102);
                assert_eq!(first.max_timestamp(), if to_magic == 0 { -1 } else { 9 });
            }
            let times = if to_magic == 0 { [-1; 3] } else { [5, 9, 7] };
            let expected = vec![
                (100, times[0], Some(b"a".to_vec())),
                (101, times[1], None),
                (102, times[2], Some(b"c".to_vec())),
            ];
            assert_eq!(read(&set).unwrap(), expected, "{codec} to {to_magic}");
        }
    }
}

#[test]
fn uncompressed_messages_start_at_the_offset_that_was_asked_for() {
    let options = BatchOptions { base_offset: 10, ..BatchOptions::default() };
    let batch = build(options, &[(1, None, None), (2, None, None), (3, None, None)]);
    let offsets = |first| {
        read(&down(batch.as_bytes(), 1, first).unwrap()).unwrap().iter().map(|r| r.0).collect::<Vec<_>>()
    };
    assert_eq!(offsets(0), [10, 11, 12]);
    assert_eq!(offsets(12), [12]);
    assert_eq!(offsets(13), [] as [i64; 0]);
}

#[test]
fn log_append_time_survives_down_conversion() {
    for codec in old_codecs() {
        let timestamp_type = TimestampType::LogAppendTime;
        let options = BatchOptions { compression: codec, timestamp_type, ..BatchOptions::default() };
        let batch = build(options, &[(5, None, Some(b"\0")), (9, None, Some(b"\x01"))]);
        let set = down(batch.as_bytes(), 1, 0).unwrap();
        let first = RecordBatchRef::parse(&set).unwrap().unwrap().0;
        assert_eq!((first.timestamp_type(), first.max_timestamp()), (TimestampType::LogAppendTime, 9));
        assert_eq!(read(&set).unwrap(), [(0, 9, Some(vec![0])), (1, 9, Some(vec![1]))]);
    }
}

#[test]
fn control_batches_and_cut_ones_are_left_out_and_known_formats_stay() {
    let marker = EndTransactionMarker { is_commit: true, coordinator_epoch: 0 };
    let params = MarkerParams { marker, producer_id: 8, producer_epoch: 2, timestamp: 77, leader_epoch: 3 };
    let marker = EndTransactionMarker::builder(params).unwrap().build().unwrap();
    let data = build(BatchOptions { base_offset: 3, ..BatchOptions::default() }, &[(1, None, Some(b"x"))]);
    let old = message(1, 0, 0, -1, Some(b"old"));
    let newer = message(2, 1, 0, 44, Some(b"newer"));
    let log = [&old[..], &newer, &marker, data.as_bytes(), &data.as_bytes()[..40]].concat();
    let to_v1 = down(&log, 1, 0).unwrap();
    assert!(to_v1.starts_with(&[&old[..], &newer].concat()));
    let expected =
        [(1, -1, Some(b"old".to_vec())), (2, 44, Some(b"newer".to_vec())), (3, 1, Some(b"x".to_vec()))];
    assert_eq!(read(&to_v1).unwrap(), expected);
    let to_v0 = down(&log, 0, 0).unwrap();
    assert_eq!(read(&to_v0).unwrap(), expected.map(|(offset, _, value)| (offset, -1, value)));
}

#[cfg(feature = "zstd")]
#[test]
fn zstd_has_no_place_in_old_formats() {
    let options = BatchOptions { compression: CompressionType::Zstd, ..BatchOptions::default() };
    let batch = build(options, &[(1, None, None)]);
    assert_eq!(down(batch.as_bytes(), 1, 0).unwrap_err().code(), ErrorCode::UnsupportedCompressionType);
    let produced = wrapper(0, 1, CompressionType::Zstd, 1, &[message(0, 1, 0, 1, None)]);
    let error = validate(&produced.into(), &old_options()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::UnsupportedCompressionType);
}

#[cfg(feature = "lz4")]
#[test]
fn lz4_of_magic_0_has_the_header_checksum_of_kafkas_first_clients() {
    let options = BatchOptions { compression: CompressionType::Lz4, ..BatchOptions::default() };
    let batch = build(options, &[(1, None, Some(b"\0"))]);
    let frame_of = |set: &[u8], header: usize| set[header + 8..].to_vec();
    let broken = frame_of(&down(batch.as_bytes(), 0, 0).unwrap(), 18);
    let right = frame_of(&down(batch.as_bytes(), 1, 0).unwrap(), 26);
    // 64 KiB blocks, independent: 0x82 is the checksum of such a descriptor; the other is what Kafka's clients
    // computed, over the magic too.
    assert_eq!(right[..7], hex("04224d18 60 40 82"));
    assert_eq!(broken[..6], right[..6]);
    assert_ne!(broken[6], 0x82);
    // Both are read back, since some clients of that time wrote the right one.
    let mut right = Vec::new();
    compress_into(CompressionType::Lz4, None, &message(0, 0, 0, -1, Some(b"\0")), &mut right).unwrap();
    for frame in [broken, right] {
        let set = message(0, 0, CompressionType::Lz4.id(), -1, Some(&frame));
        assert_eq!(read(&set).unwrap(), [(0, -1, Some(vec![0]))]);
    }
    // Magic 1 has the right one only.
    let mut frame = Vec::new();
    compress_into(CompressionType::Lz4, None, &message(0, 1, 0, 5, None), &mut frame).unwrap();
    let set = message(0, 1, CompressionType::Lz4.id(), 5, Some(&break_lz4_header(&frame)));
    assert_eq!(read(&set).unwrap_err().code(), ErrorCode::InvalidRecord);
}

#[test]
fn inner_offsets_are_relative_to_the_wrappers_last() {
    for codec in old_codecs().skip(1) {
        let inner: Vec<_> = (0..3).map(|i| message(i, 1, 0, 10 + i, Some(&[i as u8]))).collect();
        let offsets = |outer| {
            read(&wrapper(outer, 1, codec, 12, &inner)).map(|all| all.iter().map(|r| r.0).collect::<Vec<_>>())
        };
        assert_eq!(offsets(42).unwrap(), [40, 41, 42]);
        // As librdkafka sends it to be appended.
        assert_eq!(offsets(0).unwrap(), [0, 1, 2]);
        assert_eq!(offsets(1).unwrap_err().code(), ErrorCode::InvalidRecord);
        // The compacted set of a log has gaps.
        let gaps = [message(0, 1, 0, 1, None), message(7, 1, 0, 1, None)];
        assert_eq!(read(&wrapper(27, 1, codec, 1, &gaps)).unwrap(), [(20, 1, None), (27, 1, None)]);
        // Magic 0 has absolute ones.
        let absolute = [message(20, 0, 0, -1, None), message(27, 0, 0, -1, None)];
        assert_eq!(read(&wrapper(27, 0, codec, -1, &absolute)).unwrap(), [(20, -1, None), (27, -1, None)]);
    }
}

#[test]
fn inner_offsets_that_are_all_0_count_by_place() {
    for codec in old_codecs().skip(1) {
        let inner: Vec<_> = (0..3).map(|i| message(0, 1, 0, i, Some(&[i as u8]))).collect();
        let read = |outer| {
            read(&wrapper(outer, 1, codec, 2, &inner)).unwrap().iter().map(|r| r.0).collect::<Vec<_>>()
        };
        assert_eq!(read(52), [50, 51, 52]);
        assert_eq!(read(0), [0, 1, 2]);
    }
}

#[test]
fn a_wrapper_must_hold_messages_of_its_own_kind() {
    for codec in old_codecs().skip(1) {
        let good = message(0, 1, 0, 1, None);
        let nested = wrapper(0, 1, codec, 1, std::slice::from_ref(&good));
        let cases = [
            wrapper(5, 1, codec, 1, &[nested]),
            wrapper(5, 1, codec, 1, &[message(0, 0, 0, 1, None)]),
            wrapper(5, 1, codec, 1, &[]),
            message(5, 1, codec.id(), 1, None),
            message(5, 1, codec.id(), 1, Some(b"not compressed")),
        ];
        for (i, set) in cases.into_iter().enumerate() {
            assert_eq!(read(&set).unwrap_err().code(), ErrorCode::InvalidRecord, "{codec} case {i}");
            let error = validate(&set.into(), &old_options()).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidRecord, "{codec} case {i}");
        }
    }
}

#[test]
fn produced_message_sets_become_one_batch() {
    // Checklist of broker behaviour, 30: Produce up to version 2.
    for magic in [0, 1] {
        for codec in old_codecs() {
            let inner: Vec<_> = (0..3).map(|i| message(i, magic, 0, 900 + i, Some(&[i as u8]))).collect();
            let set = match codec {
                CompressionType::None => inner.concat(),
                _ => wrapper(2, magic, codec, 902, &inner),
            };
            let set = Bytes::from(set);
            let mut validated = validate(&set, &old_options()).unwrap();
            validated.assign_offsets(60, 4);
            let batch = RecordBatch::parse(validated.to_bytes()).unwrap();
            batch.view().ensure_valid().unwrap();
            assert_eq!(batch.view().magic(), 2);
            assert_eq!(batch.view().compression_type().unwrap(), codec);
            assert_eq!(batch.view().producer_id(), -1);
            assert_eq!(validated.source_compression(), codec);
            let records = records_of(&batch);
            assert_eq!(records.iter().map(Record::offset).collect::<Vec<_>>(), [60, 61, 62]);
            let times = if magic == 0 { [-1; 3] } else { [900, 901, 902] };
            assert_eq!(records.iter().map(Record::timestamp).collect::<Vec<_>>(), times);
            assert_eq!(validated.max_timestamp(), times[2]);
            assert_eq!(validated.offset_of_max_timestamp(), if magic == 0 { -1 } else { 62 });
            let found: Vec<_> = records.iter().map(|r| r.value().map(<[u8]>::to_vec)).collect();
            assert_eq!(found, values(3));
            // 29: later versions know batches only.
            let newer = ValidationOptions { requires_batch_format: true, ..old_options() };
            assert_eq!(validate(&set, &newer).unwrap_err().code(), ErrorCode::InvalidRecord);
        }
    }
}

#[test]
fn timestamps_before_the_epoch_survive_and_are_never_the_largest() {
    let validated = validate(&message(0, 1, 0, -5_000, None).into(), &old_options()).unwrap();
    assert_eq!((validated.max_timestamp(), validated.offset_of_max_timestamp()), (-1, -1));
    let batch = RecordBatch::parse(validated.to_bytes()).unwrap();
    assert_eq!(records_of(&batch)[0].timestamp(), -5_000);
    // Converted, it is what a batch with this timestamp is.
    let again = validate(&validated.to_bytes(), &old_options()).unwrap();
    assert_eq!(again.to_bytes(), validated.to_bytes());
}

#[test]
fn the_topics_codec_and_time_hold_for_old_formats_too() {
    let target = old_codecs().last().unwrap();
    let set = Bytes::from([message(0, 1, 0, 1, Some(b"\0")), message(0, 1, 0, 2, Some(b"\x01"))].concat());
    let options = ValidationOptions {
        target_compression: Some(target),
        timestamp_type: TimestampType::LogAppendTime,
        ..old_options()
    };
    let validated = validate(&set, &options).unwrap();
    let batch = RecordBatch::parse(validated.to_bytes()).unwrap();
    batch.view().ensure_valid().unwrap();
    assert_eq!(batch.view().compression_type().unwrap(), target);
    assert_eq!(validated.log_append_time(), 1_000);
    assert!(records_of(&batch).iter().all(|record| record.timestamp() == 1_000));
}

#[test]
fn the_rules_hold_for_old_formats_too() {
    let code = |set: &[u8], options: &ValidationOptions| {
        validate(&Bytes::copy_from_slice(set), options).unwrap_err().code()
    };
    let good = message(0, 1, 0, 1, Some(b"v"));
    let mut corrupt = good.clone();
    *corrupt.last_mut().unwrap() ^= 1;
    assert_eq!(code(&corrupt, &old_options()), ErrorCode::CorruptMessage);
    let mixed = [&good[..], &message(1, 0, 0, 1, None)].concat();
    assert_eq!(code(&mixed, &old_options()), ErrorCode::InvalidRecord);
    let small = ValidationOptions { max_message_bytes: good.len() - 1, ..old_options() };
    assert_eq!(code(&good, &small), ErrorCode::MessageTooLarge);
    let append_time = message(0, 1, 0x08, 1, None);
    assert_eq!(code(&append_time, &old_options()), ErrorCode::InvalidTimestamp);
    let two = [&good[..], &good].concat();
    let compacted = ValidationOptions { compacted: true, ..old_options() };
    let error = validate(&two.into(), &compacted).unwrap_err();
    assert_eq!(error.record_errors().iter().map(|error| error.batch_index).collect::<Vec<_>>(), [0, 1]);
    for codec in old_codecs().skip(1) {
        // Each inner message has a checksum of its own.
        let set = wrapper(1, 1, codec, 1, &[good.clone(), corrupt.clone()]);
        assert_eq!(code(&set, &old_options()), ErrorCode::CorruptMessage);
        let one = wrapper(0, 1, codec, 1, std::slice::from_ref(&good));
        assert_eq!(code(&[&one[..], &one].concat(), &old_options()), ErrorCode::InvalidRecord);
        let bomb = wrapper(0, 1, codec, 1, &[message(0, 1, 0, 1, Some(&vec![0; 300_000]))]);
        let limited = ValidationOptions { decompression_limit_bytes: 100_000, ..old_options() };
        assert_eq!(code(&bomb, &limited), ErrorCode::MessageTooLarge);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn old_formats_and_back_is_the_same_records(
        all in vec((0..1i64 << 40, option::of(vec(any::<u8>(), 0..50)), option::of(vec(any::<u8>(), 0..50))), 1..20),
        codec in proptest::sample::select(old_codecs().collect::<Vec<_>>()),
        to_magic in 0i8..2,
    ) {
        let mut builder = RecordBatchBuilder::new(BatchOptions { compression: codec, ..BatchOptions::default() });
        for (timestamp, key, value) in &all {
            builder.append(*timestamp, key.as_deref(), value.as_deref()).unwrap();
        }
        let set = down(&builder.build().unwrap(), to_magic, 0).unwrap();
        let validated = validate(&set, &old_options()).unwrap();
        let batch = RecordBatch::parse(validated.to_bytes()).unwrap();
        prop_assert_eq!(batch.view().compression_type().unwrap(), codec);
        let records = records_of(&batch);
        prop_assert_eq!(records.len(), all.len());
        for (record, (timestamp, key, value)) in records.iter().zip(&all) {
            prop_assert_eq!(record.timestamp(), if to_magic == 0 { -1 } else { *timestamp });
            prop_assert_eq!(record.key(), key.as_deref());
            prop_assert_eq!(record.value(), value.as_deref());
        }
    }
}
