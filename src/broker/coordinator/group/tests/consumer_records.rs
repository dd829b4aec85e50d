//! Records of consumer groups, byte for byte as Apache Kafka 4.4 writes them: see `tests/interop/records`.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::broker::coordinator::group::JoinGroupProtocol;
use crate::broker::coordinator::group::modern::{
    ClassicMemberMetadata, MemberMetadata, MemberState, Partitions, PartitionsWithEpochs,
    ResolvedRegularExpression, TargetAssignmentMetadata,
};
use crate::broker::coordinator::group::record::{
    ConsumerGroupRecord, CurrentAssignment, GroupEpoch, RecordKey,
};
use crate::model::Uuid;

const KAFKA: &str = include_str!("kafka_records.tsv");

const A: Uuid = Uuid::from_bytes([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
const B: Uuid = Uuid::from_bytes([17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32]);

/// A record as Kafka writes it.
struct Golden {
    name: &'static str,
    key: Vec<u8>,
    value: Option<Vec<u8>>,
    /// The value's fields in the words of Kafka's tools.
    #[cfg(feature = "cli")]
    text: &'static str,
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn golden() -> impl Iterator<Item = Golden> {
    KAFKA.lines().map(|line| {
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, key, value, text] = fields[..] else { panic!("{line}") };
        #[cfg(not(feature = "cli"))]
        let _ = text;
        Golden {
            name,
            key: bytes(key),
            value: (value != "-").then(|| bytes(value)),
            #[cfg(feature = "cli")]
            text,
        }
    })
}

/// What a line says, by its name.
fn record(name: &str) -> ConsumerGroupRecord {
    let timestamp = 1_700_000_000_000;
    match name {
        "epoch" => epoch(0x0123_4567_89ab_cdef),
        "epoch-without-hash" => epoch(0),
        "epoch-none" => ConsumerGroupRecord::Epoch(None),
        "partition-metadata-old" => ConsumerGroupRecord::PartitionMetadata(true),
        "partition-metadata-none" => ConsumerGroupRecord::PartitionMetadata(false),
        "member-none" => ConsumerGroupRecord::Member("m1".into(), None),
        name if name.starts_with("member") => ConsumerGroupRecord::Member("m1".into(), Some(member(name))),
        "target-metadata" => target_metadata(timestamp),
        "target-metadata-without-timestamp" => target_metadata(0),
        "target-metadata-none" => ConsumerGroupRecord::TargetMetadata(None),
        "target" => target(Some(Partitions::from([(A, [0, 3].into()), (B, [7].into())]))),
        "target-of-nothing" => target(Some(Partitions::new())),
        "target-none" => target(None),
        "current-none" => ConsumerGroupRecord::Current("m1".into(), None),
        name if name.starts_with("current") => ConsumerGroupRecord::Current("m1".into(), Some(current(name))),
        "regex" => regex(Some((&["bar", "foo"], 12_345, timestamp))),
        "regex-of-nothing" => regex(Some((&[], -1, -1))),
        "regex-none" => regex(None),
        _ => panic!("{name}"),
    }
}

fn epoch(metadata_hash: i64) -> ConsumerGroupRecord {
    ConsumerGroupRecord::Epoch(Some(GroupEpoch { epoch: 5, metadata_hash }))
}

fn target_metadata(timestamp: i64) -> ConsumerGroupRecord {
    ConsumerGroupRecord::TargetMetadata(Some(TargetAssignmentMetadata { epoch: 5, timestamp }))
}

fn target(partitions: Option<Partitions>) -> ConsumerGroupRecord {
    ConsumerGroupRecord::Target("m1".into(), partitions)
}

fn regex(of: Option<(&[&str], i64, i64)>) -> ConsumerGroupRecord {
    let resolved = of.map(|(topics, version, timestamp)| ResolvedRegularExpression {
        topics: topics.iter().map(|topic| Arc::from(*topic)).collect(),
        version,
        timestamp,
    });
    ConsumerGroupRecord::Regex("foo|bar".into(), resolved)
}

fn member(name: &str) -> MemberMetadata {
    let plain = MemberMetadata {
        instance_id: None,
        rack_id: None,
        client_id: "c1".into(),
        client_host: "/h".into(),
        subscribed_topic_names: [].into(),
        subscribed_topic_regex: Some("".into()),
        rebalance_timeout_ms: -1,
        server_assignor: None,
        classic: None,
    };
    match name {
        "member" => MemberMetadata {
            instance_id: Some("i1".into()),
            rack_id: Some("r1".into()),
            client_id: "c".repeat(200).into(),
            client_host: "/127.0.0.1".into(),
            subscribed_topic_names: ["bar".into(), "foo".into()].into(),
            subscribed_topic_regex: Some("ba.*".into()),
            rebalance_timeout_ms: 45_000,
            server_assignor: Some("uniform".into()),
            classic: None,
        },
        "member-that-says-little" => plain,
        "member-without-regex" => {
            MemberMetadata { subscribed_topic_regex: None, rebalance_timeout_ms: 1, ..plain }
        }
        "member-that-syncs" => {
            let protocol = |name: &str, metadata: &'static [u8]| JoinGroupProtocol {
                name: name.into(),
                metadata: Bytes::from_static(metadata),
            };
            let classic = ClassicMemberMetadata {
                session_timeout_ms: 10_000,
                protocols: vec![protocol("range", &[0, 1, 2]), protocol("sticky", &[])],
            };
            MemberMetadata {
                subscribed_topic_names: ["foo".into()].into(),
                rebalance_timeout_ms: 30_000,
                classic: Some(classic),
                ..plain
            }
        }
        _ => panic!("{name}"),
    }
}

fn current(name: &str) -> CurrentAssignment {
    let of = |topic: Uuid, partitions: &[(i32, i32)]| {
        PartitionsWithEpochs::from([(topic, BTreeMap::from_iter(partitions.iter().copied()))])
    };
    let (epoch, previous_epoch, state, assigned, pending_revocation) = match name {
        "current" => (7, 6, MemberState::Stable, of(A, &[(0, 5), (3, 7)]), BTreeMap::new()),
        "current-that-gives-back" => {
            (7, 7, MemberState::UnrevokedPartitions, of(A, &[(0, 7)]), of(B, &[(1, 2)]))
        }
        "current-that-waits" => (1, 0, MemberState::UnreleasedPartitions, BTreeMap::new(), BTreeMap::new()),
        // Without epochs of its partitions: the member's is as good as any.
        "current-old" => (7, 6, MemberState::Stable, of(A, &[(0, 7), (3, 7)]), BTreeMap::new()),
        _ => panic!("{name}"),
    };
    CurrentAssignment { epoch, previous_epoch, state, assigned, pending_revocation }
}

#[test]
fn what_kafka_writes_is_read() {
    for Golden { name, key, value, .. } in golden() {
        let RecordKey::ConsumerGroup { group_id, key } = RecordKey::parse(&key).unwrap() else {
            panic!("{name} is of no consumer group");
        };
        assert_eq!(group_id, "g1", "{name}");
        let read = ConsumerGroupRecord::parse(key, value.as_deref());
        assert_eq!(read.unwrap_or_else(|error| panic!("{name}: {error}")), record(name), "{name}");
    }
}

#[test]
fn what_is_written_is_what_kafka_writes() {
    let mut written = 0;
    for Golden { name, key, value, .. } in golden().filter(|golden| !golden.name.ends_with("-old")) {
        let record = record(name).encode("g1").unwrap();
        assert_eq!(record.key, key, "{name}");
        assert_eq!(record.value, value, "{name}");
        written += 1;
    }
    assert_eq!(written, 22);
}

#[cfg(feature = "cli")]
#[test]
fn values_are_told_in_the_words_of_kafkas_tools() {
    use crate::broker::coordinator::group::record::offsets_record_text;
    for Golden { name, key, value, text } in golden().filter(|golden| !golden.name.ends_with("-old")) {
        let told = offsets_record_text(&key, value.as_deref()).unwrap().unwrap().payload.unwrap();
        match value {
            Some(_) => assert_eq!(told, format!("{{\"version\":\"0\",\"data\":{text}}}"), "{name}"),
            None => assert_eq!(told, "<DELETE>", "{name}"),
        }
    }
}
