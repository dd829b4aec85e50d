//! Our bytes against those of the kafka-protocol crate, both ways.

use bytes::{Bytes, BytesMut};
use kafka_protocol_018::protocol::StrBytes;
use kafka_protocol_018::records as theirs;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;

type Fields = (i64, Option<Vec<u8>>, Option<Vec<u8>>, Vec<Option<Vec<u8>>>);

fn fields() -> impl Strategy<Value = Fields> {
    let field = || option::of(vec(any::<u8>(), 0..100));
    (0..1_000_000i64, field(), field(), vec(field(), 0..3))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_kafka_protocol_crate_writes_the_same_bytes_and_reads_ours(
        mut all in vec(fields(), 1..20),
        base_offset in 0..1i64 << 40,
        producer_id in 0..1i64 << 40,
        transactional: bool,
    ) {
        // Theirs counts from the smallest timestamp, ours, as Kafka, from the first.
        all.sort_by_key(|fields| fields.0);
        let options = BatchOptions { base_offset, producer_id, producer_epoch: 4, base_sequence: 9, transactional, partition_leader_epoch: 2, ..BatchOptions::default() };
        let mut builder = RecordBatchBuilder::new(options);
        let mut records = Vec::new();
        for (i, (timestamp, key, value, headers)) in all.iter().enumerate() {
            let headers: Vec<_> = headers.iter().enumerate().map(|(i, value)| (format!("h{i}"), value.clone())).collect();
            builder.append_with_headers(*timestamp, key.as_deref(), value.as_deref(), &headers).unwrap();
            records.push(theirs::Record {
                transactional,
                control: false,
                delete_horizon: false,
                partition_leader_epoch: 2,
                producer_id,
                producer_epoch: 4,
                timestamp_type: theirs::TimestampType::Creation,
                offset: base_offset + i as i64,
                sequence: 9 + i as i32,
                timestamp: *timestamp,
                key: key.clone().map(Bytes::from),
                value: value.clone().map(Bytes::from),
                headers: headers.into_iter().map(|(key, value)| (StrBytes::from_string(key), value.map(Bytes::from))).collect(),
            });
        }
        let ours = builder.build().unwrap();
        let mut encoded = BytesMut::new();
        let options = theirs::RecordEncodeOptions { version: 2, compression: theirs::Compression::None };
        theirs::RecordBatchEncoder::encode(&mut encoded, &records, &options).unwrap();
        prop_assert_eq!(&ours[..], &encoded[..]);
        let decoded = theirs::RecordBatchDecoder::decode(&mut ours.clone()).unwrap();
        prop_assert_eq!(decoded.records, records);
    }
}
