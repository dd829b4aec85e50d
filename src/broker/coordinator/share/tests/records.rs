use super::fixture::{TOPIC, batches, key};
use crate::broker::coordinator::share::record::{
    SNAPSHOT, UPDATE, key as key_bytes, parse_key, parse_snapshot, parse_update, snapshot_value, update_value,
};
use crate::broker::coordinator::share::share_group_offset::{ShareGroupOffset, ShareUpdate};

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
