//! Records of share groups, byte for byte as the classes of Apache Kafka 4.4 serialise them.

use std::collections::{BTreeMap, BTreeSet};

use crate::broker::coordinator::group::modern::{
    InitializedPartitions, MemberState, Partitions, ShareMemberMetadata, StatePartitions,
    TargetAssignmentMetadata,
};
use crate::broker::coordinator::group::record::{
    CoordinatorRecord, GroupEpoch, RecordKey, ShareCurrentAssignment, ShareGroupRecord,
};
use crate::model::Uuid;

const TOPIC: Uuid = Uuid::from_bytes([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
const GONE: Uuid = Uuid::from_bytes([17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32]);

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// The record is written as these bytes, and read from them; without a value it says that there is no more.
fn check(record: &ShareGroupRecord, none: &ShareGroupRecord, key: &str, value: &str) {
    let written = CoordinatorRecord { key: bytes(key), value: Some(bytes(value)) };
    assert_eq!(record.encode("g1").unwrap(), written);
    let tombstone = CoordinatorRecord { key: bytes(key), value: None };
    assert_eq!(none.encode("g1").unwrap(), tombstone);
    let RecordKey::ShareGroup { group_id, key } = RecordKey::parse(&written.key).unwrap() else {
        panic!("{written:?} is of no share group");
    };
    assert_eq!(group_id, "g1");
    assert_eq!(ShareGroupRecord::parse(key, written.value.as_deref()).unwrap(), *record);
    assert_eq!(ShareGroupRecord::parse(key, None).unwrap(), *none);
}

fn partitions(of: &[i32]) -> Partitions {
    Partitions::from([(TOPIC, of.iter().copied().collect())])
}

fn member(rack_id: Option<&str>, topics: &[&str]) -> ShareGroupRecord {
    let metadata = ShareMemberMetadata {
        rack_id: rack_id.map(Into::into),
        client_id: "c1".into(),
        client_host: "/h".into(),
        subscribed_topic_names: topics.iter().map(|name| (*name).into()).collect(),
    };
    ShareGroupRecord::Member("m1".into(), Some(metadata))
}

#[test]
fn members_are_written_as_kafka_writes_them() {
    let none = ShareGroupRecord::Member("m1".into(), None);
    check(
        &member(Some("r"), &["a", "bb"]),
        &none,
        "000a0002673100026d31",
        "00000272036331032f6803026103626200",
    );
    check(&member(None, &[]), &none, "000a0002673100026d31", "000000036331032f680100");
}

#[test]
fn epochs_are_written_as_kafka_writes_them() {
    let epoch = GroupEpoch { epoch: 5, metadata_hash: 0x0123_4567_89ab_cdef };
    let record = ShareGroupRecord::Epoch(Some(epoch));
    check(&record, &ShareGroupRecord::Epoch(None), "000b00026731", "0000000000050123456789abcdef00");
}

#[test]
fn target_assignments_are_written_as_kafka_writes_them() {
    let none = ShareGroupRecord::TargetMetadata(None);
    for (timestamp, value) in
        [(1_700_000_000_000, "0000000000050100080000018bcfe56800"), (0, "00000000000500")]
    {
        let metadata = TargetAssignmentMetadata { epoch: 5, timestamp };
        check(&ShareGroupRecord::TargetMetadata(Some(metadata)), &none, "000c00026731", value);
    }
    check(
        &ShareGroupRecord::Target("m1".into(), Some(partitions(&[0, 3]))),
        &ShareGroupRecord::Target("m1".into(), None),
        "000d0002673100026d31",
        "0000020102030405060708090a0b0c0d0e0f100300000000000000030000",
    );
}

#[test]
fn what_a_member_has_is_written_as_kafka_writes_it() {
    let assignment = ShareCurrentAssignment {
        epoch: 7,
        previous_epoch: 6,
        state: MemberState::Stable,
        assigned: partitions(&[1]),
    };
    check(
        &ShareGroupRecord::Current("m1".into(), Some(assignment)),
        &ShareGroupRecord::Current("m1".into(), None),
        "000e0002673100026d31",
        "0000000000070000000600020102030405060708090a0b0c0d0e0f1002000000010000",
    );
}

#[test]
fn partitions_that_have_a_state_are_written_as_kafka_writes_them() {
    let of = |of: &[i32]| {
        let partitions: BTreeSet<i32> = of.iter().copied().collect();
        BTreeMap::from([(TOPIC, InitializedPartitions { name: "a".into(), partitions })])
    };
    let state = StatePartitions {
        initializing: of(&[2]),
        initialized: of(&[0, 1]),
        deleting: BTreeMap::from([(GONE, "gone".into())]),
    };
    check(
        &ShareGroupRecord::StatePartitions(Some(state)),
        &ShareGroupRecord::StatePartitions(None),
        "000f00026731",
        "0000020102030405060708090a0b0c0d0e0f100261020000000200020102030405060708090a0b0c0d0e0f10026103000000\
         000000000100021112131415161718191a1b1c1d1e1f2005676f6e650000",
    );
}
