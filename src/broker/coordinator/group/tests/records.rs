//! Kafka's record format, byte for byte. The bytes here are put together by hand from its message definitions.

use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;

use crate::broker::coordinator::group::OffsetAndMetadata;
use crate::broker::coordinator::group::record::{
    ConsumerGroupKey, ConsumerGroupRecord, CoordinatorRecord, GroupMetadataMember, GroupMetadataValue,
    OffsetCommitValue, RecordError, RecordKey, subscribed_topics,
};
use crate::model::TopicPartition;

fn commit(expire_timestamp: Option<i64>) -> OffsetAndMetadata {
    OffsetAndMetadata {
        offset: 0x0102_0304_0506_0708,
        leader_epoch: 9,
        metadata: "né".into(),
        commit_timestamp: 0x0a0b,
        expire_timestamp,
    }
}

const OFFSET_KEY: &[u8] = b"\x00\x01\x00\x02g1\x00\x04topi\x00\x00\x00\x07";
const OFFSET_V3: &[u8] =
    b"\x00\x03\x01\x02\x03\x04\x05\x06\x07\x08\x00\x00\x00\x09\x00\x03n\xc3\xa9\x00\x00\x00\x00\x00\x00\x0a\x0b";
const OFFSET_V1: &[u8] =
    b"\x00\x01\x01\x02\x03\x04\x05\x06\x07\x08\x00\x03n\xc3\xa9\x00\x00\x00\x00\x00\x00\x0a\x0b\x00\x00\x00\x00\x00\x00\x0c\x0d";

#[test]
fn a_committed_offset_is_written_as_key_1_and_value_3() {
    let record =
        CoordinatorRecord::offset_commit("g1", &TopicPartition::new("topi", 7), &commit(None)).unwrap();
    assert_eq!(record.key, OFFSET_KEY);
    assert_eq!(record.value.as_deref(), Some(OFFSET_V3));
}

#[test]
fn an_offset_with_a_retention_of_its_own_is_written_as_value_1() {
    let record =
        CoordinatorRecord::offset_commit("g1", &TopicPartition::new("topi", 7), &commit(Some(0x0c0d)))
            .unwrap();
    assert_eq!(record.key, OFFSET_KEY);
    assert_eq!(record.value.as_deref(), Some(OFFSET_V1));
}

#[test]
fn tombstones_have_the_key_alone() {
    let record = CoordinatorRecord::offset_commit_tombstone("g1", &TopicPartition::new("topi", 7)).unwrap();
    assert_eq!((&record.key[..], record.value), (OFFSET_KEY, None));
    let record = CoordinatorRecord::group_metadata_tombstone("g1").unwrap();
    assert_eq!((&record.key[..], record.value), (&b"\x00\x02\x00\x02g1"[..], None));
}

#[test]
fn every_version_of_a_committed_offset_is_read() {
    let without_epoch = |expire| OffsetAndMetadata { leader_epoch: -1, ..commit(expire) };
    let v0 = b"\x00\x00\x01\x02\x03\x04\x05\x06\x07\x08\x00\x03n\xc3\xa9\x00\x00\x00\x00\x00\x00\x0a\x0b";
    let v2 = b"\x00\x02\x01\x02\x03\x04\x05\x06\x07\x08\x00\x03n\xc3\xa9\x00\x00\x00\x00\x00\x00\x0a\x0b";
    // Flexible, with a tagged topic id and one more tag that nobody knows.
    let v4 = b"\x00\x04\x01\x02\x03\x04\x05\x06\x07\x08\x00\x00\x00\x09\x04n\xc3\xa9\x00\x00\x00\x00\x00\x00\x0a\x0b\
               \x02\x00\x10################\x05\x01!";
    assert_eq!(OffsetCommitValue::parse(v0), Ok(without_epoch(None)));
    assert_eq!(OffsetCommitValue::parse(OFFSET_V1), Ok(without_epoch(Some(0x0c0d))));
    assert_eq!(OffsetCommitValue::parse(v2), Ok(without_epoch(None)));
    assert_eq!(OffsetCommitValue::parse(OFFSET_V3), Ok(commit(None)));
    assert_eq!(OffsetCommitValue::parse(v4), Ok(commit(None)));
    // In version 1 an expire timestamp of -1 is none.
    let mut v1 = OFFSET_V1.to_vec();
    let len = v1.len();
    v1[len - 8..].fill(0xff);
    assert_eq!(OffsetCommitValue::parse(&v1), Ok(without_epoch(None)));
    assert!(matches!(OffsetCommitValue::parse(b"\x00\x05"), Err(RecordError::Version { version: 5, .. })));
    assert!(matches!(OffsetCommitValue::parse(b"\xff\xff"), Err(RecordError::Version { version: -1, .. })));
}

fn group(instance: Option<&str>, rebalance_timeout_ms: i32, state_timestamp: i64) -> GroupMetadataValue {
    GroupMetadataValue {
        protocol_type: "consumer".into(),
        generation_id: 5,
        protocol_name: Some("range".into()),
        leader_id: Some("m".into()),
        state_timestamp,
        members: vec![GroupMetadataMember {
            member_id: "m".into(),
            group_instance_id: instance.map(Arc::from),
            client_id: "c".into(),
            client_host: "/h".into(),
            rebalance_timeout_ms,
            session_timeout_ms: 0x0a,
            subscription: Bytes::from_static(b"sub"),
            assignment: Bytes::from_static(b"as"),
        }],
    }
}

/// Protocol type to leader, which no version changes before the flexible one.
const GROUP_HEAD: &[u8] = b"\x00\x08consumer\x00\x00\x00\x05\x00\x05range\x00\x01m";
const SINCE: &[u8] = b"\x00\x00\x00\x00\x00\x00\x01\x00";
const ONE: &[u8] = b"\x00\x00\x00\x01";
const CLIENT: &[u8] = b"\x00\x01c\x00\x02/h";
const SESSION_AND_BYTES: &[u8] = b"\x00\x00\x00\x0a\x00\x00\x00\x03sub\x00\x00\x00\x02as";

#[test]
fn a_group_is_written_as_key_2_and_value_3() {
    let record = CoordinatorRecord::group_metadata("g1", &group(Some("in"), 0x0b, 256)).unwrap();
    assert_eq!(record.key, b"\x00\x02\x00\x02g1");
    let value = [
        b"\x00\x03",
        GROUP_HEAD,
        SINCE,
        ONE,
        b"\x00\x01m\x00\x02in",
        CLIENT,
        b"\x00\x00\x00\x0b",
        SESSION_AND_BYTES,
    ]
    .concat();
    assert_eq!(record.value, Some(value.clone()));
    assert_eq!(GroupMetadataValue::parse(&value), Ok(group(Some("in"), 0x0b, 256)));
}

#[test]
fn an_empty_group_is_written_with_nulls() {
    let empty = GroupMetadataValue {
        protocol_type: "consumer".into(),
        generation_id: 2,
        protocol_name: None,
        leader_id: None,
        state_timestamp: 256,
        members: Vec::new(),
    };
    let record = CoordinatorRecord::group_metadata("g1", &empty).unwrap();
    let value =
        [&b"\x00\x03\x00\x08consumer\x00\x00\x00\x02\xff\xff\xff\xff"[..], SINCE, b"\x00\x00\x00\x00"]
            .concat();
    assert_eq!(record.value, Some(value.clone()));
    assert_eq!(GroupMetadataValue::parse(&value), Ok(empty));
}

#[test]
fn every_version_of_a_group_is_read() {
    let v0 = [b"\x00\x00", GROUP_HEAD, ONE, b"\x00\x01m", CLIENT, SESSION_AND_BYTES].concat();
    // Version 0 has one timeout for both.
    assert_eq!(GroupMetadataValue::parse(&v0), Ok(group(None, 0x0a, -1)));
    let v1 =
        [b"\x00\x01", GROUP_HEAD, ONE, b"\x00\x01m", CLIENT, b"\x00\x00\x00\x0b", SESSION_AND_BYTES].concat();
    assert_eq!(GroupMetadataValue::parse(&v1), Ok(group(None, 0x0b, -1)));
    let v2 =
        [b"\x00\x02", GROUP_HEAD, SINCE, ONE, b"\x00\x01m", CLIENT, b"\x00\x00\x00\x0b", SESSION_AND_BYTES]
            .concat();
    assert_eq!(GroupMetadataValue::parse(&v2), Ok(group(None, 0x0b, 256)));
    let v4 = [
        &b"\x00\x04\x09consumer\x00\x00\x00\x05\x06range\x02m"[..],
        SINCE,
        b"\x02\x02m\x00\x02c\x03/h\x00\x00\x00\x0b\x00\x00\x00\x0a\x04sub\x03as\x00\x00",
    ]
    .concat();
    assert_eq!(GroupMetadataValue::parse(&v4), Ok(group(None, 0x0b, 256)));
    assert!(matches!(GroupMetadataValue::parse(b"\x00\x05"), Err(RecordError::Version { version: 5, .. })));
}

#[test]
fn keys_tell_what_a_record_is_about() {
    let offset = RecordKey::OffsetCommit { group_id: "g1", topic_partition: TopicPartition::new("topi", 7) };
    assert_eq!(RecordKey::parse(OFFSET_KEY), Ok(offset.clone()));
    let mut old = OFFSET_KEY.to_vec();
    old[1] = 0;
    assert_eq!(RecordKey::parse(&old), Ok(offset));
    assert_eq!(RecordKey::parse(b"\x00\x02\x00\x02g1"), Ok(RecordKey::GroupMetadata { group_id: "g1" }));
    for kind in [9, 17, 24, 300, -1] {
        assert_eq!(RecordKey::parse(&i16::to_be_bytes(kind)), Ok(RecordKey::Other { kind }));
    }
}

#[test]
fn a_broken_record_is_told_by_field_and_byte() {
    assert_eq!(RecordKey::parse(b"\x00"), Err(RecordError::Cut { field: "key type", at: 0 }));
    assert_eq!(
        RecordKey::parse(b"\x00\x02\xff\xfe"),
        Err(RecordError::Length { field: "group", at: 2, len: -2 })
    );
    assert_eq!(RecordKey::parse(b"\x00\x02\xff\xff"), Err(RecordError::Null { field: "group", at: 2 }));
    assert_eq!(RecordKey::parse(b"\x00\x02\x00\x01\xc3"), Err(RecordError::Utf8 { field: "group", at: 4 }));
    let billions = [b"\x00\x03", GROUP_HEAD, SINCE, b"\x7f\xff\xff\xff"].concat();
    assert!(matches!(
        GroupMetadataValue::parse(&billions),
        Err(RecordError::Length { field: "members", len: 0x7fff_ffff, .. })
    ));
    let error = RecordKey::parse(b"\x00\x02\xff\xff").unwrap_err();
    assert_eq!(error.to_string(), "group at byte 2 is null");
}

#[test]
fn names_longer_than_a_record_holds_are_refused() {
    let long = "x".repeat(32_768);
    let refused = CoordinatorRecord::group_metadata_tombstone(&long);
    assert_eq!(refused, Err(RecordError::TooLong { field: "group", len: 32_768 }));
    assert!(CoordinatorRecord::group_metadata_tombstone(&long[1..]).is_ok());
}

#[test]
fn the_topics_of_a_subscription_are_read_whatever_follows_them() {
    let topics =
        subscribed_topics(b"\x00\x03\x00\x00\x00\x02\x00\x01b\x00\x01a\xff\xff\xff\xffwhatever").unwrap();
    assert_eq!(topics.iter().map(|topic| &**topic).collect::<Vec<_>>(), ["a", "b"]);
    assert!(subscribed_topics(b"\xff\xff\x00\x00\x00\x00").is_err());
    assert!(subscribed_topics(b"").is_err());
}

fn text() -> impl Strategy<Value = Arc<str>> {
    ".{0,12}".prop_map(|text| Arc::from(text.as_str()))
}

fn blob() -> impl Strategy<Value = Bytes> {
    proptest::collection::vec(any::<u8>(), 0..20).prop_map(Bytes::from)
}

fn any_member() -> impl Strategy<Value = GroupMetadataMember> {
    (text(), proptest::option::of(text()), text(), text(), any::<[i32; 2]>(), blob(), blob()).prop_map(
        |(member_id, group_instance_id, client_id, client_host, timeouts, subscription, assignment)| {
            GroupMetadataMember {
                member_id,
                group_instance_id,
                client_id,
                client_host,
                rebalance_timeout_ms: timeouts[0],
                session_timeout_ms: timeouts[1],
                subscription,
                assignment,
            }
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_of_a_group_is_read_again(
        protocol_type in text(),
        generation_id in any::<i32>(),
        protocol_name in proptest::option::of(text()),
        leader_id in proptest::option::of(text()),
        state_timestamp in any::<i64>(),
        members in proptest::collection::vec(any_member(), 0..4),
    ) {
        let value = GroupMetadataValue {
            protocol_type, generation_id, protocol_name, leader_id, state_timestamp, members,
        };
        let record = CoordinatorRecord::group_metadata("g", &value).unwrap();
        prop_assert_eq!(GroupMetadataValue::parse(&record.value.unwrap()), Ok(value));
    }

    #[test]
    fn arbitrary_bytes_never_panic(version in 0..6_u8, kind in 0..4_u8, rest in proptest::collection::vec(any::<u8>(), 0..80)) {
        let key = [&[0, kind][..], &rest].concat();
        let value = [&[0, version][..], &rest].concat();
        let _ = RecordKey::parse(&key);
        let _ = OffsetCommitValue::parse(&value);
        let _ = GroupMetadataValue::parse(&value);
        let _ = subscribed_topics(&value);
    }
}

/// A member as `broker::coordinator::group` has it, up to the end where the classic protocol's part stands.
const MEMBER: &[u8] = b"\x00\x00\x00\x00\x02c\x02h\x02\x02t\x01\x00\x00\x00\x05\x00";

#[test]
fn a_member_that_never_spoke_the_classic_protocol_says_so() {
    // Kafka takes a field that is not there for a member of the classic protocol.
    let null = [MEMBER, b"\x01\x00\x01\x00"].concat();
    let record = ConsumerGroupRecord::parse(ConsumerGroupKey::Member("m"), Some(&null)).unwrap();
    let ConsumerGroupRecord::Member(_, Some(member)) = &record else { panic!("{record:?}") };
    assert!(member.classic.is_none());
    assert_eq!(record.encode("g").unwrap().value.unwrap(), null);
}

#[test]
fn a_member_that_speaks_the_classic_protocol_comes_back_as_it_was() {
    let classic = b"\x01\x00\x0c\x01\x00\x00\x00\x07\x02\x02p\x02x\x00\x00";
    let value = [MEMBER, classic].concat();
    let record = ConsumerGroupRecord::parse(ConsumerGroupKey::Member("m"), Some(&value)).unwrap();
    let ConsumerGroupRecord::Member(_, Some(member)) = &record else { panic!("{record:?}") };
    let classic = member.classic.as_ref().unwrap();
    assert_eq!((classic.session_timeout_ms, classic.protocols.len()), (7, 1));
    assert_eq!(record.encode("g").unwrap().value.unwrap(), value);
}
