use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
struct Sent {
    timestamp: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(String, Option<Vec<u8>>)>,
}

fn sent() -> impl Strategy<Value = Sent> {
    let field = || option::of(vec(any::<u8>(), 0..200));
    (any::<i64>(), any::<bool>(), field(), field(), vec((".{0,12}", field()), 0..4)).prop_map(
        |(timestamp, is_extreme, key, value, headers)| {
            let timestamp = if is_extreme { timestamp } else { timestamp.rem_euclid(1 << 42) };
            Sent { timestamp, key, value, headers }
        },
    )
}

fn codec() -> impl Strategy<Value = CompressionType> {
    let supported: Vec<_> = CompressionType::ALL.into_iter().filter(|codec| codec.is_supported()).collect();
    proptest::sample::select(supported)
}

fn check(record: RecordRef<'_>, sent: &Sent, offset: i64) {
    assert_eq!(record.offset(), offset);
    assert_eq!(record.timestamp(), sent.timestamp);
    assert_eq!(record.key(), sent.key.as_deref());
    assert_eq!(record.value(), sent.value.as_deref());
    assert_eq!(record.headers().len(), sent.headers.len());
    for (header, (key, value)) in record.headers().iter().zip(&sent.headers) {
        assert_eq!(header.key(), key.as_str());
        assert_eq!(header.value(), value.as_deref());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_appended_is_what_is_read(all in vec(sent(), 0..40), compression in codec(), base_offset in 0..i64::MAX / 2) {
        let options = BatchOptions { compression, base_offset, ..BatchOptions::default() };
        let mut builder = RecordBatchBuilder::new(options);
        for sent in &all {
            let (key, value) = (sent.key.as_deref(), sent.value.as_deref());
            if sent.headers.is_empty() {
                builder.append(sent.timestamp, key, value).unwrap();
            } else {
                builder.append_with_headers(sent.timestamp, key, value, &sent.headers).unwrap();
            }
        }
        let batch = RecordBatch::parse(builder.build().unwrap()).unwrap();
        let view = batch.view();
        view.ensure_valid().unwrap();
        prop_assert_eq!(view.compression_type().unwrap(), compression);
        prop_assert_eq!(view.records_count(), Some(all.len() as i32));
        prop_assert_eq!(view.max_timestamp(), all.iter().map(|sent| sent.timestamp).fold(-1, i64::max));

        let mut scratch = Vec::new();
        let borrowed: Vec<_> = view.records(&mut scratch, LIMIT).unwrap().map(Result::unwrap).collect();
        prop_assert_eq!(borrowed.len(), all.len());
        let owned = records_of(&batch);
        prop_assert_eq!(owned.len(), all.len());
        for (i, sent) in all.iter().enumerate() {
            check(borrowed[i], sent, base_offset + i as i64);
            prop_assert_eq!(format!("{:?}", owned[i]), format!("{:?}", borrowed[i]));
            let (key, value) = (owned[i].key_bytes(), owned[i].value_bytes());
            prop_assert_eq!(key.as_deref(), sent.key.as_deref());
            prop_assert_eq!(value.as_deref(), sent.value.as_deref());
        }
    }

    #[test]
    fn arbitrary_bytes_give_errors_and_never_panic(bytes in vec(any::<u8>(), 0..400), magic in -1i8..4, compression in 0u8..8, small in any::<bool>()) {
        let mut bytes = bytes;
        // Two bytes of choices come first.
        if bytes.len() > 63 {
            bytes[18] = magic as u8;
            bytes[if magic == 2 { 24 } else { 19 }] = compression;
            let len = if small { bytes.len() - 14 } else { bytes.len() - 15 } as i32;
            bytes[10..14].copy_from_slice(&len.to_be_bytes());
        }
        fuzzing::record_batch(&bytes);
    }

    #[test]
    fn damaged_batches_give_errors_and_never_panic(all in vec(sent(), 1..10), compression in codec(), choices: [u8; 2], flips in vec((any::<proptest::sample::Index>(), any::<u8>()), 0..4)) {
        let mut builder = RecordBatchBuilder::new(BatchOptions { compression, ..BatchOptions::default() });
        for sent in &all {
            builder.append_with_headers(sent.timestamp, sent.key.as_deref(), sent.value.as_deref(), &sent.headers).unwrap();
        }
        let batch = builder.build().unwrap();
        let mut bytes = [&choices[..], &batch[..]].concat();
        for (at, mask) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= mask;
        }
        fuzzing::record_batch(&bytes);
    }
}
