use std::collections::BTreeSet;

use super::fixture::tp;
use crate::broker::coordinator::transaction::metadata::{TransactionMetadata, TransactionVersion};
use crate::broker::coordinator::transaction::record::{key, parse_key, parse_value, value};
#[cfg(feature = "cli")]
use crate::broker::coordinator::transaction::record_text::transaction_record_text;
use crate::broker::coordinator::transaction::state::TransactionState;
use crate::model::{ProducerEpoch, TopicPartition};

fn metadata() -> TransactionMetadata {
    TransactionMetadata::new(0x0102, 60_000, 0x0a0b)
}

#[test]
fn a_key_is_a_version_and_the_id() {
    assert_eq!(key("ab").unwrap(), [0, 0, 0, 2, b'a', b'b']);
    assert_eq!(parse_key(&[0, 0, 0, 2, b'a', b'b']).unwrap(), Some("ab"));
    assert_eq!(parse_key(&[0, 9, 1]).unwrap(), None);
    assert!(parse_key(&[0, 0, 0, 3, b'a', b'b']).is_err());
}

/// Laid out by hand from Kafka's schema, version 1.
#[test]
fn a_value_is_what_kafka_writes() {
    let mut ongoing = metadata();
    ongoing.producer_epoch = 5;
    ongoing.state = TransactionState::Ongoing;
    ongoing.partitions = [tp("t"), TopicPartition::new("t", 3), tp("u")].into();
    ongoing.start_timestamp = 0x0a0c;
    ongoing.previous_producer_id = 0x0102;
    ongoing.client_version = TransactionVersion::V2;
    let expected = [
        &[0, 1][..],                              // version
        &[0, 0, 0, 0, 0, 0, 1, 2],                // producer id
        &[0, 5],                                  // producer epoch
        &[0, 0, 0xea, 0x60],                      // timeout
        &[1],                                     // state
        &[3],                                     // topics: 2
        &[2, b't', 3, 0, 0, 0, 0, 0, 0, 0, 3, 0], // name, partitions 0 and 3, no tags
        &[2, b'u', 2, 0, 0, 0, 0, 0],
        &[0, 0, 0, 0, 0, 0, 0x0a, 0x0b], // last update
        &[0, 0, 0, 0, 0, 0, 0x0a, 0x0c], // start
        &[2],                            // tags: 2
        &[0, 8, 0, 0, 0, 0, 0, 0, 1, 2], // previous producer id
        &[2, 2, 0, 2],                   // client version
    ]
    .concat();
    assert_eq!(value(&ongoing).unwrap(), expected);
    assert_eq!(parse_value(&expected).unwrap(), ongoing);
}

#[test]
fn an_id_without_a_transaction_has_no_list_of_topics() {
    let written = value(&metadata()).unwrap();
    assert_eq!(written[17], 0);
    assert_eq!(parse_value(&written).unwrap(), metadata());
}

#[test]
fn the_next_producer_id_is_kept() {
    let mut prepared = metadata();
    prepared.state = TransactionState::PrepareAbort;
    prepared.next_producer_id = 99;
    assert_eq!(parse_value(&value(&prepared).unwrap()).unwrap(), prepared);
}

/// Laid out by hand from Kafka's schema, version 0, as brokers up to 3.x write it.
#[test]
fn the_older_version_is_read() {
    let written = [
        &[0, 0][..],
        &[0, 0, 0, 0, 0, 0, 1, 2],
        &[0, 5],
        &[0, 0, 0xea, 0x60],
        &[1],
        &[0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3],
        &[0, 0, 0, 0, 0, 0, 0x0a, 0x0b],
        &[0, 0, 0, 0, 0, 0, 0x0a, 0x0c],
    ]
    .concat();
    let read = parse_value(&written).unwrap();
    assert_eq!(read.producer_epoch, 5);
    assert_eq!(read.partitions, [tp("t"), TopicPartition::new("t", 3)].into());
    assert_eq!(read.start_timestamp, 0x0a0c);
    assert_eq!(read.client_version, TransactionVersion::V0);

    let empty = [&written[..17], &[0xff, 0xff, 0xff, 0xff], &written[36..]].concat();
    assert!(parse_value(&empty).unwrap().partitions.is_empty());
}

#[test]
fn bytes_that_are_no_value_are_refused_wherever_they_are_cut() {
    let mut ongoing = metadata();
    ongoing.state = TransactionState::Ongoing;
    ongoing.partitions = [tp("t")].into();
    ongoing.next_producer_id = 7;
    let written = value(&ongoing).unwrap();
    for len in 0..written.len() {
        assert!(parse_value(&written[..len]).is_err(), "{len}");
    }
    for version in [2, -1_i16] {
        assert!(parse_value(&[&version.to_be_bytes()[..], &written[2..]].concat()).is_err());
    }
    assert!(parse_value(&[&written[..16], &[9], &written[17..]].concat()).is_err());
}

/// Records of Apache Kafka 4.4: see `tests/interop/records`. A name, key, value, and the value in words.
const KAFKA: &str = include_str!("kafka_records.tsv");

fn golden(name: &str) -> (Vec<u8>, Vec<u8>, &'static str) {
    let mut lines = KAFKA.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let line = lines.find(|fields| fields[0] == name).unwrap();
    let bytes = |hex: &str| {
        let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(byte).collect::<Vec<u8>>()
    };
    (bytes(line[1]), bytes(line[2]), line[3])
}

/// What Kafka's lines say, by their names.
fn of_kafka(name: &str) -> TransactionMetadata {
    let now = 1_700_000_000_000;
    let ongoing = TransactionMetadata {
        producer_id: 258,
        previous_producer_id: 258,
        producer_epoch: 5,
        state: TransactionState::Ongoing,
        partitions: [TopicPartition::new("t", 3)].into(),
        start_timestamp: now + 1,
        client_version: TransactionVersion::V2,
        ..TransactionMetadata::new(258, 60_000, now)
    };
    match name {
        "new" => TransactionMetadata { producer_epoch: 0, ..TransactionMetadata::new(258, 60_000, now) },
        "ongoing" => ongoing,
        "prepared-with-a-next-id" => TransactionMetadata {
            state: TransactionState::PrepareCommit,
            next_producer_id: 99,
            producer_epoch: ProducerEpoch::MAX,
            ..ongoing
        },
        "complete-under-the-next-id" => TransactionMetadata {
            state: TransactionState::CompleteCommit,
            producer_id: 99,
            producer_epoch: 0,
            partitions: BTreeSet::new(),
            last_update_timestamp: now + 2,
            ..ongoing
        },
        "with-a-next-epoch-kept" => TransactionMetadata {
            state: TransactionState::PrepareAbort,
            next_producer_id: 99,
            start_timestamp: 6,
            last_update_timestamp: 7,
            ..ongoing
        },
        _ => panic!("{name}"),
    }
}

#[test]
fn records_are_byte_for_byte_those_of_the_classes_of_apache_kafka() {
    let names =
        ["new", "ongoing", "prepared-with-a-next-id", "complete-under-the-next-id", "with-a-next-epoch-kept"];
    for name in names {
        let (kafka_key, kafka_value, text) = golden(name);
        assert_eq!(key("id").unwrap(), kafka_key, "{name}");
        assert_eq!(value(&of_kafka(name)).unwrap(), kafka_value, "{name}");
        assert_eq!(parse_value(&kafka_value).unwrap(), of_kafka(name), "{name}");
        #[cfg(feature = "cli")]
        {
            let told = transaction_record_text(&kafka_key, Some(&kafka_value)).unwrap().unwrap();
            assert_eq!(told.payload.unwrap(), format!("{{\"version\":\"1\",\"data\":{text}}}"), "{name}");
        }
        #[cfg(not(feature = "cli"))]
        let _ = text;
    }
}

/// The schema of Kafka 4.4 has such a field (`NextProducerEpoch`), but nothing there writes it or keeps it.
#[test]
fn a_next_producer_epoch_is_forgotten_as_kafka_forgets_it() {
    let (_, foreign, _) = golden("with-a-next-epoch-foreign");
    let (_, kept, _) = golden("with-a-next-epoch-kept");
    assert_ne!(foreign, kept);
    assert_eq!(value(&parse_value(&foreign).unwrap()).unwrap(), kept);
}
