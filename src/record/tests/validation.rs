//! The rules for produced records; numbers are those of the checklist of broker behaviour that ottla keeps to.

use bytes::Bytes;

use super::*;
use crate::model::ErrorCode;
use crate::record::header::HeaderFields;

fn options() -> ValidationOptions {
    ValidationOptions { now_ms: 1_000_000, decompression_limit_bytes: LIMIT, ..ValidationOptions::default() }
}

fn two_records(compression: CompressionType) -> Bytes {
    let options = BatchOptions { compression, ..BatchOptions::default() };
    build(options, &[(1_000_000, Some(b"a"), Some(b"first")), (999_999, Some(b"b"), None)]).as_bytes().clone()
}

/// The same batch with fields of its header changed and the checksum right.
fn with_header(batch: &Bytes, change: impl FnOnce(&mut HeaderFields)) -> Bytes {
    let mut fields = HeaderFields::of(BatchHeader::parse(batch).unwrap().unwrap());
    change(&mut fields);
    let body = &batch[RECORD_BATCH_OVERHEAD..];
    Bytes::from([&fields.encode(body).unwrap()[..], body].concat())
}

/// The same batch with records of another batch.
fn with_body(batch: &Bytes, body: &[u8]) -> Bytes {
    let fields = HeaderFields::of(BatchHeader::parse(batch).unwrap().unwrap());
    Bytes::from([&fields.encode(body).unwrap()[..], body].concat())
}

fn code_of(records: &Bytes, options: &ValidationOptions) -> ErrorCode {
    validate(records, options).unwrap_err().code()
}

fn supported() -> impl Iterator<Item = CompressionType> {
    CompressionType::ALL.into_iter().filter(|codec| codec.is_supported())
}

fn appended(validated: &ValidatedRecords) -> RecordBatch {
    let batch = RecordBatch::parse(validated.to_bytes()).unwrap();
    batch.view().ensure_valid().unwrap();
    batch
}

#[test]
fn a_good_batch_keeps_its_bytes_whatever_its_codec() {
    for codec in supported() {
        let records = two_records(codec);
        let mut validated = validate(&records, &options()).unwrap();
        // 43, 44: nothing was copied, and only the two fields outside the checksum change.
        let [_, body] = validated.io_slices();
        assert_eq!(body.as_ptr(), records[RECORD_BATCH_OVERHEAD..].as_ptr());
        validated.assign_offsets(500, 9);
        let batch = appended(&validated);
        assert_eq!(batch.as_bytes()[16..], records[16..]);
        assert_eq!(
            (validated.base_offset(), validated.last_offset(), validated.records_count()),
            (500, 501, 2)
        );
        assert_eq!(batch.view().partition_leader_epoch(), 9);
        assert_eq!((validated.max_timestamp(), validated.offset_of_max_timestamp()), (1_000_000, 500));
        assert_eq!(validated.log_append_time(), -1);
        assert_eq!(validated.source_compression(), codec);
        assert_eq!(validated.size_in_bytes(), records.len());
    }
}

#[test]
fn exactly_one_batch_is_expected() {
    // 29, 60.
    let one = two_records(CompressionType::None);
    for bytes in [Bytes::new(), one.slice(..one.len() - 1), one.slice(..30)] {
        let error = validate(&bytes, &options()).unwrap_err();
        assert!(matches!(error, BatchError::NoBatch));
        assert_eq!(error.code(), ErrorCode::InvalidRecord);
    }
    let two = Bytes::from([&one[..], &one[..]].concat());
    assert_eq!(code_of(&two, &options()), ErrorCode::InvalidRecord);
    // 33: a batch that is cut is as if it were not there.
    let and_a_cut_one = two.slice(..two.len() - 1);
    assert_eq!(validate(&and_a_cut_one, &options()).unwrap().size_in_bytes(), one.len());
}

#[test]
fn a_base_offset_is_the_brokers_to_give() {
    // 32.
    let records = with_header(&two_records(CompressionType::None), |fields| fields.base_offset = 1);
    assert_eq!(code_of(&records, &options()), ErrorCode::InvalidRecord);
}

#[test]
fn a_wrong_checksum_or_length_is_corrupt() {
    // 33.
    let good = two_records(CompressionType::None);
    let mut wrong_crc = good.to_vec();
    wrong_crc[20] ^= 1;
    assert_eq!(code_of(&wrong_crc.into(), &options()), ErrorCode::CorruptMessage);
    let mut wrong_length = good.to_vec();
    wrong_length[8..12].copy_from_slice(&(-5i32).to_be_bytes());
    assert_eq!(code_of(&wrong_length.into(), &options()), ErrorCode::CorruptMessage);
}

#[test]
fn a_header_must_not_contradict_itself() {
    // 34.
    type Change = fn(&mut HeaderFields);
    let changes: [Change; 7] = [
        |fields| fields.records_count = 3,
        |fields| fields.records_count = 0,
        |fields| (fields.records_count, fields.last_offset_delta) = (0, -1),
        |fields| (fields.records_count, fields.last_offset_delta) = (i32::MIN, i32::MAX),
        |fields| fields.last_offset_delta = i32::MAX,
        |fields| fields.attributes |= 0x20,
        |fields| (fields.producer_id, fields.base_sequence) = (5, -1),
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let records = with_header(&two_records(CompressionType::None), change);
        assert_eq!(code_of(&records, &options()), ErrorCode::InvalidRecord, "change {i}");
    }
}

#[test]
fn the_declared_count_must_be_the_number_of_records() {
    for codec in supported() {
        let records = two_records(codec);
        for count in [1, 3] {
            let records = with_header(&records, |fields| {
                (fields.records_count, fields.last_offset_delta) = (count, count - 1)
            });
            assert_eq!(code_of(&records, &options()), ErrorCode::InvalidRecord, "{codec} {count}");
        }
    }
}

#[test]
fn a_coordinator_may_write_control_records() {
    let marker = EndTransactionMarker { is_commit: false, coordinator_epoch: 0 };
    let params = MarkerParams { marker, producer_id: 8, producer_epoch: 2, timestamp: 77, leader_epoch: 3 };
    let records = EndTransactionMarker::builder(params).unwrap().build().unwrap();
    assert_eq!(code_of(&records, &options()), ErrorCode::InvalidRecord);
    let target_compression = CompressionType::ALL.into_iter().rfind(|codec| codec.is_supported());
    let coordinator =
        ValidationOptions { origin: AppendOrigin::Coordinator, target_compression, ..options() };
    let validated = validate(&records, &coordinator).unwrap();
    // Markers are not compressed, whatever the topic says.
    assert_eq!(validated.to_bytes(), records);
}

#[test]
fn offset_deltas_that_are_not_dense_are_rewritten() {
    // 35: some clients leave them all at 0.
    for codec in supported() {
        let plain = with_body(
            &two_records(CompressionType::None),
            &hex("10 00 00 00 0261 0278 00 0e 00 02 00 0262 01 00"),
        );
        let mut body = Vec::new();
        crate::record::compression::compress_into(codec, None, &plain[RECORD_BATCH_OVERHEAD..], &mut body)
            .unwrap();
        let records = with_header(&with_body(&plain, &body), |fields| {
            fields.attributes = i16::from(codec.id()) | 0x10;
            (fields.producer_id, fields.producer_epoch, fields.base_sequence) = (77, 3, 9);
        });
        let mut validated = validate(&records, &options()).unwrap();
        validated.assign_offsets(10, 0);
        let batch = appended(&validated);
        let view = batch.view();
        assert_eq!(view.compression_type().unwrap(), codec);
        assert_eq!((view.producer_id(), view.producer_epoch(), view.base_sequence()), (77, 3, 9));
        assert!(view.is_transactional());
        let all = records_of(&batch);
        assert_eq!(all.iter().map(Record::offset).collect::<Vec<_>>(), [10, 11]);
        assert_eq!(all.iter().map(Record::timestamp).collect::<Vec<_>>(), [1_000_000, 1_000_001]);
        assert_eq!(all.iter().map(|record| record.key().unwrap()).collect::<Vec<_>>(), [b"a", b"b"]);
        assert_eq!(all.iter().map(Record::value).collect::<Vec<_>>(), [Some(&b"x"[..]), None]);
        assert_eq!((validated.max_timestamp(), validated.offset_of_max_timestamp()), (1_000_001, 11));
    }
}

#[test]
fn max_message_bytes_counts_the_whole_batch() {
    // 36: the 12 bytes in front included.
    let records = two_records(CompressionType::None);
    let exact = ValidationOptions { max_message_bytes: records.len(), ..options() };
    validate(&records, &exact).unwrap();
    let less = ValidationOptions { max_message_bytes: records.len() - 1, ..options() };
    assert_eq!(code_of(&records, &less), ErrorCode::MessageTooLarge);
}

#[cfg(feature = "lz4")]
#[test]
fn max_message_bytes_holds_after_recompression_too() {
    // 36.
    let batch = BatchOptions { compression: CompressionType::Lz4, ..BatchOptions::default() };
    let records = build(batch, &[(1, None, Some(&[7; 5000]))]).as_bytes().clone();
    let options = ValidationOptions {
        target_compression: Some(CompressionType::None),
        max_message_bytes: 5000,
        ..options()
    };
    assert!(records.len() < 5000);
    assert_eq!(code_of(&records, &options), ErrorCode::MessageTooLarge);
}

#[test]
fn a_compacted_topic_refuses_records_without_a_key_and_says_which() {
    // 38.
    for codec in supported() {
        let batch = BatchOptions { compression: codec, ..BatchOptions::default() };
        let records: [(i64, Option<&[u8]>, _); 4] =
            [(1, None, None), (2, Some(b"k"), None), (3, Some(b""), None), (4, None, None)];
        let records = build(batch, &records).as_bytes().clone();
        validate(&records, &options()).unwrap();
        let compacted = ValidationOptions { compacted: true, ..options() };
        let error = validate(&records, &compacted).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidRecord);
        let indexes: Vec<_> = error.record_errors().iter().map(|error| error.batch_index).collect();
        assert_eq!(indexes, [0, 3]);
        assert_eq!(error.record_errors()[0].message, "Compacted topic cannot accept message without key.");
    }
}

#[test]
fn create_time_must_lie_within_the_topics_bounds() {
    // 39.
    let bounded = ValidationOptions { timestamp_before_max_ms: 100, timestamp_after_max_ms: 10, ..options() };
    let with_timestamp = |timestamp| {
        let records = build(BatchOptions::default(), &[(1_000_000, None, None), (timestamp, None, None)]);
        validate(records.as_bytes(), &bounded)
    };
    for accepted in [999_900, 1_000_010, -1] {
        with_timestamp(accepted).unwrap();
    }
    for refused in [999_899, 1_000_011, 0, i64::MAX, i64::MIN] {
        let error = with_timestamp(refused).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidTimestamp, "{refused}");
        let [record_error] = error.record_errors() else { panic!("{error:?}") };
        assert_eq!(record_error.batch_index, 1);
        let bounds = "is out of range. The timestamp should be within [999900, 1000010]";
        assert_eq!(record_error.message, format!("Timestamp {refused} of message with offset 1 {bounds}"));
    }
    // Where the broker sets the time, the producer's does not matter.
    let append_time = ValidationOptions { timestamp_type: TimestampType::LogAppendTime, ..bounded };
    validate(build(BatchOptions::default(), &[(5, None, None)]).as_bytes(), &append_time).unwrap();
}

#[test]
fn the_default_bounds_accept_every_timestamp() {
    for timestamp in [i64::MIN, -2, -1, 0, i64::MAX] {
        for now_ms in [0, 1_000_000, i64::MAX] {
            let options = ValidationOptions { now_ms, ..options() };
            validate(build(BatchOptions::default(), &[(timestamp, None, None)]).as_bytes(), &options)
                .unwrap();
        }
    }
}

#[test]
fn a_producer_must_not_claim_the_brokers_time() {
    // 40, whatever the topic's own type is.
    let batch = BatchOptions { timestamp_type: TimestampType::LogAppendTime, ..BatchOptions::default() };
    let records = build(batch, &[(1_000_000, None, None)]).as_bytes().clone();
    for timestamp_type in [TimestampType::CreateTime, TimestampType::LogAppendTime] {
        let options = ValidationOptions { timestamp_type, ..options() };
        assert_eq!(code_of(&records, &options), ErrorCode::InvalidTimestamp);
    }
}

#[test]
fn log_append_time_replaces_the_producers() {
    // 41.
    for codec in supported() {
        let records = two_records(codec);
        let options = ValidationOptions {
            timestamp_type: TimestampType::LogAppendTime,
            now_ms: 1_234_567,
            ..options()
        };
        let mut validated = validate(&records, &options).unwrap();
        validated.assign_offsets(70, 0);
        assert_eq!((validated.log_append_time(), validated.max_timestamp()), (1_234_567, 1_234_567));
        assert_eq!(validated.offset_of_max_timestamp(), 70);
        let batch = appended(&validated);
        assert_eq!(batch.view().timestamp_type(), TimestampType::LogAppendTime);
        assert!(records_of(&batch).iter().all(|record| record.timestamp() == 1_234_567));
        let [_, body] = validated.io_slices();
        assert_eq!(body.as_ptr(), records[RECORD_BATCH_OVERHEAD..].as_ptr());
    }
}

#[test]
fn a_wrong_max_timestamp_is_put_right() {
    let records = with_header(&two_records(CompressionType::None), |fields| fields.max_timestamp = 5);
    let validated = validate(&records, &options()).unwrap();
    assert_eq!(validated.max_timestamp(), 1_000_000);
    assert_eq!(appended(&validated).view().max_timestamp(), 1_000_000);
}

#[test]
fn another_codec_of_the_topic_recompresses() {
    // 43.
    for source in supported() {
        for target in supported() {
            let records = two_records(source);
            let options = ValidationOptions { target_compression: Some(target), ..options() };
            let mut validated = validate(&records, &options).unwrap();
            validated.assign_offsets(7, 1);
            let batch = appended(&validated);
            assert_eq!(batch.view().compression_type().unwrap(), target);
            assert_eq!(validated.source_compression(), source);
            let before = RecordBatch::parse(records.clone()).unwrap();
            let before: Vec<_> =
                records_of(&before).iter().map(|r| (r.offset() + 7, r.timestamp(), r.key_bytes())).collect();
            let after: Vec<_> =
                records_of(&batch).iter().map(|r| (r.offset(), r.timestamp(), r.key_bytes())).collect();
            assert_eq!(before, after);
            let [_, body] = validated.io_slices();
            assert_eq!(body.as_ptr() == records[RECORD_BATCH_OVERHEAD..].as_ptr(), source == target);
        }
    }
}

#[test]
fn a_codec_that_is_not_there_is_unsupported() {
    let records = with_header(&two_records(CompressionType::None), |fields| fields.attributes = 5);
    assert_eq!(code_of(&records, &options()), ErrorCode::UnsupportedCompressionType);
    for codec in CompressionType::ALL.into_iter().filter(|codec| !codec.is_supported()) {
        let records = with_header(&two_records(CompressionType::None), |fields| {
            fields.attributes = i16::from(codec.id())
        });
        assert_eq!(code_of(&records, &options()), ErrorCode::UnsupportedCompressionType);
    }
}

#[test]
fn what_does_not_decompress_is_an_invalid_record() {
    for codec in supported().skip(1) {
        for body in [&b""[..], b"\0", b"not compressed at all", &[0xff; 300]] {
            let records = with_header(&with_body(&two_records(codec), body), |_| ());
            assert_eq!(code_of(&records, &options()), ErrorCode::InvalidRecord, "{codec} {body:?}");
        }
    }
}

#[test]
fn malformed_records_are_refused_at_every_cut() {
    let plain = two_records(CompressionType::None);
    let body = &plain[RECORD_BATCH_OVERHEAD..];
    for codec in supported() {
        for cut in 0..body.len() {
            let mut compressed = Vec::new();
            crate::record::compression::compress_into(codec, None, &body[..cut], &mut compressed).unwrap();
            let records = with_body(&two_records(codec), &compressed);
            assert_eq!(code_of(&records, &options()), ErrorCode::InvalidRecord, "{codec} {cut}");
        }
    }
}

#[test]
fn records_larger_than_the_buffer_are_checked_piece_by_piece() {
    let (key, value) = (vec![1; 20_000], vec![2; 40_000]);
    let headers = [("a".repeat(17_000), Some(vec![3; 18_000])), ("b".to_owned(), None)];
    for codec in supported() {
        let mut builder = RecordBatchBuilder::new(BatchOptions {
            compression: CompressionType::None,
            ..BatchOptions::default()
        });
        for timestamp in [1_000_000, 1_000_007] {
            builder.append_with_headers(timestamp, Some(&key), Some(&value), &headers).unwrap();
            builder.append(timestamp, Some(b"short"), None).unwrap();
        }
        let plain = builder.build().unwrap();
        let body = &plain[RECORD_BATCH_OVERHEAD..];
        let compressed = |body: &[u8]| {
            let mut out = Vec::new();
            crate::record::compression::compress_into(codec, None, body, &mut out).unwrap();
            with_header(&with_body(&plain, &out), |fields| fields.attributes = i16::from(codec.id()))
        };
        let validated = validate(&compressed(body), &options()).unwrap();
        assert_eq!((validated.max_timestamp(), validated.records_count()), (1_000_007, 4));
        assert_eq!(validated.offset_of_max_timestamp(), 2);
        for cut in (0..body.len()).step_by(9_973) {
            assert_eq!(
                code_of(&compressed(&body[..cut]), &options()),
                ErrorCode::InvalidRecord,
                "{codec} {cut}"
            );
        }
        // The length of the first record, a little more and a little less than it is.
        for wrong in [-2i8, 2] {
            let mut body = body.to_vec();
            body[0] = body[0].wrapping_add_signed(wrong);
            assert_eq!(code_of(&compressed(&body), &options()), ErrorCode::InvalidRecord, "{codec} {wrong}");
        }
    }
}

#[test]
fn a_decompression_bomb_stops_at_the_limit() {
    let value = vec![0; 2 << 20];
    for codec in supported().skip(1) {
        let batch = BatchOptions { compression: codec, ..BatchOptions::default() };
        let records = build(batch, &[(1, Some(b"k"), Some(&value))]).as_bytes().clone();
        for target_compression in [None, Some(CompressionType::None)] {
            let options = ValidationOptions {
                target_compression,
                max_message_bytes: usize::MAX,
                decompression_limit_bytes: 1 << 18,
                ..options()
            };
            let error = validate(&records, &options).unwrap_err();
            assert_eq!(error.code(), ErrorCode::MessageTooLarge, "{codec}: {error}");
            let mut scratch = Vec::new();
            let (batch, _) = RecordBatchRef::parse(&records).unwrap().unwrap();
            assert!(matches!(
                batch.records(&mut scratch, 1 << 18),
                Err(BatchError::DecompressedTooLarge { .. })
            ));
            assert!(scratch.capacity() <= 1 << 18, "{codec}: {}", scratch.capacity());
        }
        let enough = ValidationOptions { decompression_limit_bytes: 3 << 20, ..options() };
        validate(&records, &enough).unwrap();
    }
}

#[test]
fn the_number_of_record_errors_is_bounded() {
    let mut builder = RecordBatchBuilder::new(BatchOptions::default());
    for _ in 0..5_000 {
        builder.append(1, None, None).unwrap();
    }
    let compacted = ValidationOptions { compacted: true, ..options() };
    let error = validate(&builder.build().unwrap(), &compacted).unwrap_err();
    assert_eq!(error.record_errors().len(), 1_000);
    assert!(error.to_string().contains("5000 record errors in total"), "{error}");
}

#[test]
fn what_was_built_here_is_validated_without_reading_it_again() {
    type Change = fn(&mut ValidationOptions);
    let changes: [Change; 6] = [
        |_| (),
        |options| options.compacted = true,
        |options| options.timestamp_type = TimestampType::LogAppendTime,
        |options| (options.timestamp_before_max_ms, options.timestamp_after_max_ms) = (10, 10),
        |options| options.max_message_bytes = 80,
        |options| {
            options.target_compression = CompressionType::ALL.into_iter().rfind(|codec| codec.is_supported())
        },
    ];
    let keyed: &[Fields<'_>] = &[(999_995, Some(b"k"), None), (1_000_005, Some(b"k"), None)];
    let bare: &[Fields<'_>] = &[(-1, None, Some(b"v")), (5, None, Some(b"v"))];
    for change in changes {
        let mut options = options();
        change(&mut options);
        for codec in supported() {
            for records in [keyed, bare] {
                let mut builder =
                    RecordBatchBuilder::new(BatchOptions { compression: codec, ..BatchOptions::default() });
                let fill = |builder: &mut RecordBatchBuilder| {
                    for (timestamp, key, value) in records {
                        builder.append(*timestamp, *key, *value).unwrap();
                    }
                };
                fill(&mut builder);
                let read = validate(&builder.build().unwrap(), &options);
                fill(&mut builder);
                let built = validate_built(&mut builder, &options);
                match (read, built) {
                    (Ok(read), Ok(built)) => {
                        assert_eq!(read.to_bytes(), built.to_bytes());
                        assert_eq!(read.offset_of_max_timestamp(), built.offset_of_max_timestamp());
                    }
                    (Err(read), Err(built)) => {
                        assert_eq!(read.code(), built.code());
                        assert_eq!(read.record_errors(), built.record_errors());
                    }
                    (read, built) => panic!("{codec}: read {read:?}, built {built:?}"),
                }
            }
        }
    }
}

#[test]
fn an_unfinished_builder_without_records_is_refused() {
    let mut builder = RecordBatchBuilder::new(BatchOptions::default());
    assert_eq!(validate_built(&mut builder, &options()).unwrap_err().code(), ErrorCode::InvalidRecord);
}
