use super::fixture::tp;
use crate::broker::coordinator::transaction::metadata::{TransactionMetadata, TransactionVersion};
use crate::broker::coordinator::transaction::record::{key, parse_key, parse_value, value};
use crate::broker::coordinator::transaction::state::TransactionState;
use crate::model::TopicPartition;

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
