//! What members of a consumer group tell each other through the coordinator, byte for byte as Kafka's clients do
//! (Kafka: `ConsumerProtocol`, `ConsumerProtocolSubscription`, `ConsumerProtocolAssignment`).
//!
//! ```text
//! Subscription => version topics user_data [v1: owned_partitions] [v2: generation_id] [v3: rack_id]
//! Assignment   => version assigned_partitions user_data
//! ```
//!
//! Each version adds fields at the end, so that a reader takes what it knows and passes over the rest.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes};

use crate::model::TopicPartition;

/// The protocol type of consumer groups.
pub(in crate::broker) const PROTOCOL_TYPE: &str = "consumer";
const SUBSCRIPTION_VERSION: i16 = 3;
const ASSIGNMENT_VERSION: i16 = 3;

/// "No generation".
pub(super) const NO_GENERATION: i32 = -1;

/// What a member wants to read, and what it reads at the moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::broker) struct Subscription {
    pub(in crate::broker) topics: Vec<String>,
    pub(super) user_data: Option<Bytes>,
    pub(in crate::broker) owned_partitions: Vec<TopicPartition>,
    /// The generation in which it owned them; [`NO_GENERATION`] if it does not say.
    pub(super) generation_id: i32,
    pub(in crate::broker) rack_id: Option<String>,
}

/// What a member is to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::broker) struct Assignment {
    pub(in crate::broker) partitions: Vec<TopicPartition>,
    pub(in crate::broker) user_data: Option<Bytes>,
}

/// The bytes are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the consumer protocol's {field} is cut or malformed")]
pub(in crate::broker) struct MalformedProtocol {
    field: &'static str,
}

impl Subscription {
    pub(super) fn encode(&self) -> Bytes {
        let mut out = Vec::new();
        out.put_i16(SUBSCRIPTION_VERSION);
        put_len(&mut out, self.topics.len());
        for topic in &self.topics {
            put_string(&mut out, topic);
        }
        put_bytes(&mut out, self.user_data.as_deref());
        put_partitions(&mut out, &self.owned_partitions);
        out.put_i32(self.generation_id);
        match &self.rack_id {
            Some(rack) => put_string(&mut out, rack),
            None => out.put_i16(-1),
        }
        out.into()
    }

    /// The version that a member speaks, by its subscription.
    pub(in crate::broker) fn version(bytes: &[u8]) -> Result<i16, MalformedProtocol> {
        Reader { bytes }.version()
    }

    pub(in crate::broker) fn decode(bytes: &[u8]) -> Result<Self, MalformedProtocol> {
        let mut reader = Reader { bytes };
        let version = reader.version()?;
        let mut subscription = Subscription { generation_id: NO_GENERATION, ..Subscription::default() };
        for _ in 0..reader.count("topics")? {
            subscription.topics.push(reader.string("topic")?);
        }
        subscription.user_data = reader.bytes("user data")?;
        if version >= 1 {
            subscription.owned_partitions = reader.partitions("owned partitions")?;
        }
        if version >= 2 {
            subscription.generation_id = reader.i32("generation")?;
        }
        if version >= 3 {
            subscription.rack_id = reader.nullable_string("rack")?;
        }
        Ok(subscription)
    }
}

impl Assignment {
    pub(super) fn encode(&self) -> Bytes {
        self.encode_as(ASSIGNMENT_VERSION)
    }

    /// For a member that speaks this version; all have the same fields.
    pub(in crate::broker) fn encode_as(&self, version: i16) -> Bytes {
        let mut out = Vec::new();
        out.put_i16(version.min(ASSIGNMENT_VERSION));
        put_partitions(&mut out, &self.partitions);
        put_bytes(&mut out, self.user_data.as_deref());
        out.into()
    }

    /// No byte at all is what a member gets for which the leader has nothing.
    pub(in crate::broker) fn decode(bytes: &[u8]) -> Result<Self, MalformedProtocol> {
        if bytes.is_empty() {
            return Ok(Assignment::default());
        }
        let mut reader = Reader { bytes };
        reader.version()?;
        let partitions = reader.partitions("assigned partitions")?;
        Ok(Assignment { partitions, user_data: reader.bytes("user data")? })
    }
}

/// What a member of the protocol `sticky` says beside its subscription (Kafka: `StickyAssignor`).
pub(super) fn encode_sticky_user_data(owned: &[TopicPartition], generation_id: i32) -> Bytes {
    let mut out = Vec::new();
    put_partitions(&mut out, owned);
    out.put_i32(generation_id);
    out.into()
}

/// Reads it; members of old clients do not say the generation.
pub(super) fn decode_sticky_user_data(bytes: &[u8]) -> Result<(Vec<TopicPartition>, i32), MalformedProtocol> {
    let mut reader = Reader { bytes };
    let owned = reader.partitions("owned partitions")?;
    let generation_id = if reader.bytes.is_empty() { NO_GENERATION } else { reader.i32("generation")? };
    Ok((owned, generation_id))
}

fn put_len(out: &mut Vec<u8>, len: usize) {
    // Topics and partitions of one broker: their number fits.
    out.put_i32(len as i32);
}

fn put_string(out: &mut Vec<u8>, string: &str) {
    // Topic names and racks are far shorter than 32 KiB.
    out.put_i16(string.len() as i16);
    out.put_slice(string.as_bytes());
}

fn put_bytes(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => {
            put_len(out, bytes.len());
            out.put_slice(bytes);
        }
        None => out.put_i32(-1),
    }
}

fn put_partitions(out: &mut Vec<u8>, partitions: &[TopicPartition]) {
    let mut by_topic: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for tp in partitions {
        by_topic.entry(tp.topic()).or_default().push(tp.partition());
    }
    put_len(out, by_topic.len());
    for (topic, partitions) in by_topic {
        put_string(out, topic);
        put_len(out, partitions.len());
        for partition in partitions {
            out.put_i32(partition);
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl Reader<'_> {
    /// Versions from the future are read as the newest that is known.
    fn version(&mut self) -> Result<i16, MalformedProtocol> {
        let version = self.i16("version")?;
        if version < 0 { Err(MalformedProtocol { field: "version" }) } else { Ok(version) }
    }

    fn i16(&mut self, field: &'static str) -> Result<i16, MalformedProtocol> {
        self.bytes.try_get_i16().map_err(|_| MalformedProtocol { field })
    }

    fn i32(&mut self, field: &'static str) -> Result<i32, MalformedProtocol> {
        self.bytes.try_get_i32().map_err(|_| MalformedProtocol { field })
    }

    /// A number of things of which each takes a byte at least, so that it cannot be a lie to reserve memory by.
    fn count(&mut self, field: &'static str) -> Result<usize, MalformedProtocol> {
        let count = self.i32(field)?;
        // A null array stands for none.
        let count = usize::try_from(count.max(0)).unwrap_or(0);
        if count > self.bytes.len() { Err(MalformedProtocol { field }) } else { Ok(count) }
    }

    fn take(&mut self, len: usize, field: &'static str) -> Result<&[u8], MalformedProtocol> {
        let (taken, rest) = self.bytes.split_at_checked(len).ok_or(MalformedProtocol { field })?;
        self.bytes = rest;
        Ok(taken)
    }

    fn nullable_string(&mut self, field: &'static str) -> Result<Option<String>, MalformedProtocol> {
        let Ok(len) = usize::try_from(self.i16(field)?) else { return Ok(None) };
        let string = std::str::from_utf8(self.take(len, field)?).map_err(|_| MalformedProtocol { field })?;
        Ok(Some(string.to_owned()))
    }

    fn string(&mut self, field: &'static str) -> Result<String, MalformedProtocol> {
        self.nullable_string(field)?.ok_or(MalformedProtocol { field })
    }

    fn bytes(&mut self, field: &'static str) -> Result<Option<Bytes>, MalformedProtocol> {
        match usize::try_from(self.i32(field)?) {
            Ok(len) => Ok(Some(Bytes::copy_from_slice(self.take(len, field)?))),
            Err(_) => Ok(None),
        }
    }

    fn partitions(&mut self, field: &'static str) -> Result<Vec<TopicPartition>, MalformedProtocol> {
        let mut partitions = Vec::new();
        for _ in 0..self.count(field)? {
            let topic: Arc<str> = self.string(field)?.into();
            for _ in 0..self.count(field)? {
                partitions.push(TopicPartition::new(Arc::clone(&topic), self.i32(field)?));
            }
        }
        Ok(partitions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tp(topic: &str, partition: i32) -> TopicPartition {
        TopicPartition::new(topic, partition)
    }

    fn full() -> Subscription {
        Subscription {
            topics: vec!["a".to_owned(), "bb".to_owned()],
            user_data: Some(Bytes::from_static(b"u")),
            owned_partitions: vec![tp("a", 0), tp("a", 2), tp("bb", 1)],
            generation_id: 7,
            rack_id: Some("r".to_owned()),
        }
    }

    #[test]
    fn a_subscription_has_the_bytes_that_kafkas_clients_write() {
        let expected = [
            &[0, 3, 0, 0, 0, 2, 0, 1, b'a', 0, 2, b'b', b'b', 0, 0, 0, 1, b'u'][..],
            &[
                0, 0, 0, 2, 0, 1, b'a', 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2, b'b', b'b', 0, 0, 0, 1, 0,
                0, 0, 1,
            ],
            &[0, 0, 0, 7, 0, 1, b'r'],
        ]
        .concat();
        assert_eq!(full().encode(), expected);
        assert_eq!(Subscription::decode(&expected), Ok(full()));
    }

    #[test]
    fn older_versions_lack_the_fields_that_came_later_and_newer_ones_are_read_as_far_as_known() {
        let mut bytes = full().encode().to_vec();
        bytes[1] = 0;
        let oldest = Subscription::decode(&bytes).unwrap();
        assert_eq!(
            (oldest.topics.len(), oldest.owned_partitions.len(), oldest.generation_id),
            (2, 0, NO_GENERATION)
        );
        bytes[1] = 1;
        assert_eq!(Subscription::decode(&bytes).unwrap().owned_partitions.len(), 3);
        bytes[1] = 9;
        bytes.extend([1, 2, 3]);
        assert_eq!(Subscription::decode(&bytes), Ok(full()));
    }

    #[test]
    fn every_cut_is_an_error_and_none_a_panic() {
        let bytes = full().encode();
        for len in 0..bytes.len() {
            assert!(Subscription::decode(&bytes[..len]).is_err(), "{len}");
        }
        let assignment = Assignment { partitions: vec![tp("a", 5)], user_data: None }.encode();
        for len in 1..assignment.len() {
            assert!(Assignment::decode(&assignment[..len]).is_err(), "{len}");
        }
        assert_eq!(Assignment::decode(&assignment).unwrap().partitions, [tp("a", 5)]);
        // Counts in the billions.
        assert!(Assignment::decode(&[0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0]).is_err());
    }

    #[test]
    fn no_byte_is_an_assignment_of_nothing() {
        assert_eq!(Assignment::decode(&[]), Ok(Assignment::default()));
    }

    #[test]
    fn sticky_user_data_is_read_with_and_without_a_generation() {
        let bytes = encode_sticky_user_data(&[tp("a", 1)], 4);
        assert_eq!(decode_sticky_user_data(&bytes), Ok((vec![tp("a", 1)], 4)));
        let old = &bytes[..bytes.len() - 4];
        assert_eq!(decode_sticky_user_data(old), Ok((vec![tp("a", 1)], NO_GENERATION)));
    }
}
