//! What must hold for records whatever the bytes are: driven by the fuzz target `record_batch`, and in small by
//! the tests.

use bytes::Bytes;

use super::crc::{crc32, crc32c};
use super::header::HeaderFields;
use super::*;

/// Small, so that passing it is cheap to try.
const LIMIT: usize = 1 << 20;

/// Two bytes of choices, then entries as a log or a request holds them, or the records of a batch, whose header
/// is made here.
///
/// # Panics
/// If what was accepted is not what it must be then.
pub(crate) fn record_batch(data: &[u8]) {
    let Some((choices, entries)) = data.split_first_chunk::<2>() else { return };
    let mut entries = entries.to_vec();
    if choices[1] & 0x02 != 0 {
        entries = with_header(*choices, &entries);
    } else {
        read(&entries);
        repair(&mut entries);
    }
    read(&entries);
    let options = options(*choices);
    let entries = Bytes::from(entries);
    let Ok(mut validated) = validate(&entries, &options) else { return };
    validated.assign_offsets(1_000, 3);
    check_accepted(&validated, &options);
}

fn options(choices: [u8; 2]) -> ValidationOptions {
    ValidationOptions {
        target_compression: CompressionType::from_id(choices[0] & 0x07),
        compacted: choices[0] & 0x08 != 0,
        timestamp_type: if choices[0] & 0x10 != 0 {
            TimestampType::LogAppendTime
        } else {
            TimestampType::CreateTime
        },
        requires_batch_format: choices[0] & 0x20 != 0,
        timestamp_before_max_ms: if choices[0] & 0x40 != 0 { 1_000 } else { i64::MAX },
        now_ms: 5_000,
        max_message_bytes: if choices[1] & 0x01 != 0 { 200 } else { LIMIT },
        decompression_limit_bytes: LIMIT,
        ..ValidationOptions::default()
    }
}

fn with_header(choices: [u8; 2], records: &[u8]) -> Vec<u8> {
    let fields = HeaderFields {
        base_offset: 0,
        partition_leader_epoch: -1,
        attributes: i16::from(choices[1] >> 2 & 0x07),
        last_offset_delta: i32::from(choices[1] >> 5),
        base_timestamp: 4_500,
        max_timestamp: 5_000,
        producer_id: -1,
        producer_epoch: -1,
        base_sequence: -1,
        records_count: i32::from(choices[1] >> 5) + 1,
    };
    let header = fields.encode(records).expect("it is small");
    [&header[..], records].concat()
}

/// Makes checksums right, since chance will not, and the base offset one that a client may send.
fn repair(entries: &mut [u8]) {
    let mut position = 0;
    while let Ok(Some((entry, _))) = RecordBatchRef::parse(entries.get(position..).unwrap_or_default()) {
        let (magic, size) = (entry.magic(), entry.size_in_bytes());
        let Some(entry) = entries.get_mut(position..position + size) else { return };
        position += size;
        if magic == MAGIC_VALUE_V2 {
            entry[..8].fill(0);
            let crc = crc32c(&entry[21..]).to_be_bytes();
            entry[17..21].copy_from_slice(&crc);
        } else {
            let crc = crc32(&entry[16..]).to_be_bytes();
            entry[12..16].copy_from_slice(&crc);
        }
    }
}

/// Goes over everything that there is to read.
fn read(entries: &[u8]) {
    let mut scratch = Vec::new();
    for batch in Batches::new(entries) {
        let Ok(batch) = batch else { return };
        let _ =
            (batch.ensure_valid().is_ok(), batch.last_sequence(), batch.next_offset(), format!("{batch:?}"));
        let Ok(records) = batch.records(&mut scratch, LIMIT) else { continue };
        for record in records.flatten() {
            let _ = EndTransactionMarker::parse(record.key(), record.value());
            assert_eq!(record.headers().iter().count(), record.headers().len());
        }
        assert!(scratch.capacity() <= LIMIT, "{} bytes for {batch:?}", scratch.capacity());
    }
    for to_magic in [0, 1] {
        let params = DownConvertParams { to_magic, first_offset: 5, decompression_limit_bytes: LIMIT };
        let _ = down_convert(entries, params);
    }
}

/// An accepted batch is whole, numbered without gaps, and accepted again.
fn check_accepted(validated: &ValidatedRecords, options: &ValidationOptions) {
    let bytes = validated.to_bytes();
    assert!(bytes.len() <= options.max_message_bytes);
    let batch = RecordBatch::parse(bytes.clone()).expect("one batch");
    let view = batch.view();
    view.ensure_valid().expect("its checksum is right");
    let records: Vec<_> = batch
        .records(LIMIT)
        .and_then(|records| records.collect::<Result<_, _>>())
        .expect("its records can be read");
    assert_eq!(Some(records.len() as i32), view.records_count());
    for (record, offset) in records.iter().zip(view.base_offset()..) {
        assert_eq!(record.offset(), offset);
        assert!(!options.compacted || record.key().is_some());
    }
    if records.iter().any(|record| record.timestamp() >= 0) {
        assert_eq!(records.iter().map(Record::timestamp).max(), Some(view.max_timestamp()));
        let at_max = &records[(validated.offset_of_max_timestamp() - view.base_offset()) as usize];
        assert_eq!(at_max.timestamp(), view.max_timestamp());
    }
    let follower = ValidationOptions { origin: AppendOrigin::Coordinator, ..options.clone() };
    if options.timestamp_type == TimestampType::CreateTime {
        let mut again = validate(&bytes, &follower).expect("it is accepted again");
        again.assign_offsets(1_000, 3);
        assert_eq!(again.to_bytes(), bytes);
    }
    let params = DownConvertParams { to_magic: 1, first_offset: 0, decompression_limit_bytes: LIMIT };
    if let Ok(old) = down_convert(&bytes, params) {
        let mut scratch = Vec::new();
        let mut converted = Vec::new();
        for entry in Batches::new(&old) {
            let entry = entry.expect("a message");
            entry.ensure_valid().expect("its checksum is right");
            // A set of old messages may be larger than the batch that it was, and pass the limit.
            let Ok(entry) = entry.records(&mut scratch, 8 * LIMIT) else { return };
            for record in entry {
                let record = record.expect("a record");
                converted.push((record.offset(), record.value().map(<[u8]>::to_vec)));
            }
        }
        let original: Vec<_> =
            records.iter().map(|record| (record.offset(), record.value().map(<[u8]>::to_vec))).collect();
        assert!(view.is_control() || converted == original);
    }
}
