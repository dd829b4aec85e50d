use super::fixture::{TOPIC, batches, key};
use crate::broker::coordinator::share::SharePartitionKey;
use crate::broker::coordinator::share::record::{
    SNAPSHOT, UPDATE, key as key_bytes, parse_key, parse_snapshot, parse_update, snapshot_value, update_value,
};
use crate::broker::coordinator::share::share_group_offset::{ShareGroupOffset, ShareUpdate};
use crate::model::Uuid;

fn snapshot() -> ShareGroupOffset {
    ShareGroupOffset {
        snapshot_epoch: 1,
        state_epoch: 2,
        leader_epoch: 3,
        start_offset: 4,
        delivery_complete_count: 5,
        create_timestamp: 6,
        write_timestamp: 7,
        state_batches: batches(&[(4, 9, 2, 1)]),
    }
}

/// Laid out by hand from Kafka's schemas.
#[test]
fn keys_and_values_are_what_kafka_writes() {
    let bytes = [&[0, 1, 0, 1, b'g'][..], TOPIC.as_bytes(), &[0, 0, 0, 1]].concat();
    assert_eq!(key_bytes(UPDATE, &key(1)).unwrap(), bytes);
    assert_eq!(parse_key(&bytes).unwrap(), Some((UPDATE, key(1))));
    assert_eq!(parse_key(&key_bytes(SNAPSHOT, &key(0)).unwrap()).unwrap(), Some((SNAPSHOT, key(0))));
    assert_eq!(parse_key(&[0, 9]).unwrap(), None);
    let batch = [&[2, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 9, 2, 0, 1, 0][..]].concat();
    let count = [1, 0, 4, 0, 0, 0, 5];
    let written = [
        &[0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4][..],
        &[0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 7],
        &batch,
        &count,
    ]
    .concat();
    assert_eq!(snapshot_value(&snapshot()).unwrap(), written);
    assert_eq!(parse_snapshot(&written).unwrap(), snapshot());
    let update = ShareUpdate {
        snapshot_epoch: 1,
        leader_epoch: 3,
        start_offset: 4,
        delivery_complete_count: 5,
        state_batches: batches(&[(4, 9, 2, 1)]),
    };
    let written = [&[0, 0, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4][..], &batch, &count].concat();
    assert_eq!(update_value(&update).unwrap(), written);
    assert_eq!(parse_update(&written).unwrap(), update);
}

fn from_hex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn records_are_byte_for_byte_those_of_the_classes_of_apache_kafka() {
    let topic = Uuid::from_bytes([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
    let key = SharePartitionKey::new("g1", topic, 2);
    for (kind, hex) in [
        (SNAPSHOT, "0000000267310102030405060708090a0b0c0d0e0f1000000002"),
        (UPDATE, "0001000267310102030405060708090a0b0c0d0e0f1000000002"),
    ] {
        assert_eq!(key_bytes(kind, &key).unwrap(), from_hex(hex));
        assert_eq!(parse_key(&from_hex(hex)).unwrap(), Some((kind, key.clone())));
    }
    let snapshot = ShareGroupOffset {
        snapshot_epoch: 1,
        state_epoch: 2,
        leader_epoch: 3,
        start_offset: 10,
        delivery_complete_count: 4,
        create_timestamp: 1_700_000_000_000,
        write_timestamp: 1_700_000_000_001,
        state_batches: batches(&[(10, 12, 0, 1), (13, 13, 4, 5)]),
    };
    let hex = "0000000000010000000200000003000000000000000a0000018bcfe568000000018bcfe5680103000000000000000a00000000\
               0000000c00000100000000000000000d000000000000000d0400050001000400000004";
    assert_eq!(snapshot_value(&snapshot).unwrap(), from_hex(hex));
    assert_eq!(parse_snapshot(&from_hex(hex)).unwrap(), snapshot);
    let first = ShareGroupOffset {
        snapshot_epoch: 0,
        state_epoch: 1,
        leader_epoch: -1,
        start_offset: -1,
        delivery_complete_count: -1,
        create_timestamp: 1_700_000_000_000,
        write_timestamp: 1_700_000_000_000,
        state_batches: Vec::new(),
    };
    let hex = "00000000000000000001ffffffffffffffffffffffff0000018bcfe568000000018bcfe568000100";
    assert_eq!(snapshot_value(&first).unwrap(), from_hex(hex));
    assert_eq!(parse_snapshot(&from_hex(hex)).unwrap(), first);
    let update = ShareUpdate {
        snapshot_epoch: 1,
        leader_epoch: 3,
        start_offset: 10,
        delivery_complete_count: 4,
        state_batches: batches(&[(10, 12, 2, 1)]),
    };
    let hex = "00000000000100000003000000000000000a02000000000000000a000000000000000c0200010001000400000004";
    assert_eq!(update_value(&update).unwrap(), from_hex(hex));
    assert_eq!(parse_update(&from_hex(hex)).unwrap(), update);
}

#[test]
fn a_count_that_is_not_known_is_not_written() {
    let unknown = ShareGroupOffset { delivery_complete_count: -1, ..snapshot() };
    let written = snapshot_value(&unknown).unwrap();
    assert_eq!(written.last(), Some(&0));
    assert_eq!(parse_snapshot(&written).unwrap(), unknown);
}

#[test]
fn bytes_that_are_no_value_are_refused_wherever_they_are_cut() {
    let written = snapshot_value(&snapshot()).unwrap();
    for len in 0..written.len() {
        assert!(parse_snapshot(&written[..len]).is_err(), "{len}");
    }
    assert!(parse_update(&[0, 1, 0, 0]).is_err());
}

#[cfg(feature = "cli")]
#[test]
fn records_are_told_as_kafkas_tool_tells_them() {
    use crate::broker::coordinator::share::share_group_state_record_text as text;
    let told = text(&key_bytes(SNAPSHOT, &key(0)).unwrap(), Some(&snapshot_value(&snapshot()).unwrap()));
    let told = told.unwrap().unwrap();
    assert_eq!(
        told.key.unwrap(),
        r#"{"type":"0","data":{"groupId":"g","topicId":"BQUFBQUFBQUFBQUFBQUFBQ","partition":0}}"#
    );
    assert_eq!(
        told.payload.unwrap(),
        "{\"version\":\"0\",\"data\":{\"snapshotEpoch\":1,\"stateEpoch\":2,\"leaderEpoch\":3,\"startOffset\":4,\
         \"deliveryCompleteCount\":5,\"createTimestamp\":6,\"writeTimestamp\":7,\"stateBatches\":\
         [{\"firstOffset\":4,\"lastOffset\":9,\"deliveryState\":2,\"deliveryCount\":1}]}}"
    );
}
