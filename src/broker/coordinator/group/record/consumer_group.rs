//! The records of consumer groups (KIP-848): key kinds 3 to 8 and 16, each with its values in version 0.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::CoordinatorRecord;
use crate::broker::coordinator::group::JoinGroupProtocol;
use crate::broker::coordinator::group::modern::{
    ClassicMemberMetadata, MemberMetadata, MemberState, Partitions, PartitionsWithEpochs,
    ResolvedRegularExpression, TargetAssignmentMetadata,
};
use crate::broker::coordinator::record_format::{FieldReader, FieldWriter, RecordError};

const VERSION: i16 = 0;

/// What a record says of a consumer group; `None` for "is no more".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum ConsumerGroupRecord {
    /// Kafka: `ConsumerGroupMetadata`.
    Epoch(Option<GroupEpoch>),
    /// Kafka: `ConsumerGroupPartitionMetadata`, which nobody reads any more. Whether it is there.
    PartitionMetadata(bool),
    /// Kafka: `ConsumerGroupMemberMetadata`.
    Member(Arc<str>, Option<MemberMetadata>),
    /// Kafka: `ConsumerGroupTargetAssignmentMetadata`.
    TargetMetadata(Option<TargetAssignmentMetadata>),
    /// Kafka: `ConsumerGroupTargetAssignmentMember`.
    Target(Arc<str>, Option<Partitions>),
    /// Kafka: `ConsumerGroupCurrentMemberAssignment`.
    Current(Arc<str>, Option<CurrentAssignment>),
    /// Kafka: `ConsumerGroupRegularExpression`.
    Regex(Arc<str>, Option<ResolvedRegularExpression>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct GroupEpoch {
    pub(in super::super) epoch: i32,
    pub(in super::super) metadata_hash: i64,
}

/// What a member has (Kafka: `ConsumerGroupCurrentMemberAssignmentValue`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct CurrentAssignment {
    pub(in super::super) epoch: i32,
    pub(in super::super) previous_epoch: i32,
    pub(in super::super) state: MemberState,
    pub(in super::super) assigned: PartitionsWithEpochs,
    pub(in super::super) pending_revocation: PartitionsWithEpochs,
}

/// What a record of a consumer group is about: the kind in front of its key, and what follows the group's id there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum ConsumerGroupKey<'a> {
    Epoch,
    PartitionMetadata,
    Member(&'a str),
    TargetMetadata,
    Target(&'a str),
    Current(&'a str),
    Regex(&'a str),
}

impl<'a> ConsumerGroupKey<'a> {
    /// The group's id and what is said of it; `None` if the kind is another.
    pub(in super::super) fn parse(
        kind: i16,
        reader: &mut FieldReader<'a>,
    ) -> Result<Option<(&'a str, Self)>, RecordError> {
        if !matches!(kind, 3..=8 | 16) {
            return Ok(None);
        }
        let group_id = reader.string("group", false)?;
        let key = match kind {
            3 => ConsumerGroupKey::Epoch,
            4 => ConsumerGroupKey::PartitionMetadata,
            5 => ConsumerGroupKey::Member(reader.string("member id", false)?),
            6 => ConsumerGroupKey::TargetMetadata,
            7 => ConsumerGroupKey::Target(reader.string("member id", false)?),
            8 => ConsumerGroupKey::Current(reader.string("member id", false)?),
            _ => ConsumerGroupKey::Regex(reader.string("regular expression", false)?),
        };
        Ok(Some((group_id, key)))
    }

    fn encode(self, group_id: &str) -> Result<Vec<u8>, RecordError> {
        let (kind, rest) = match self {
            ConsumerGroupKey::Epoch => (3, None),
            ConsumerGroupKey::PartitionMetadata => (4, None),
            ConsumerGroupKey::Member(id) => (5, Some(id)),
            ConsumerGroupKey::TargetMetadata => (6, None),
            ConsumerGroupKey::Target(id) => (7, Some(id)),
            ConsumerGroupKey::Current(id) => (8, Some(id)),
            ConsumerGroupKey::Regex(regex) => (16, Some(regex)),
        };
        let mut writer = FieldWriter::new(kind);
        writer.string("group", group_id)?;
        rest.map_or(Ok(()), |rest| writer.string("member id", rest))?;
        Ok(writer.finish())
    }
}

impl ConsumerGroupRecord {
    pub(in super::super) fn parse(
        key: ConsumerGroupKey<'_>,
        value: Option<&[u8]>,
    ) -> Result<Self, RecordError> {
        Ok(match key {
            ConsumerGroupKey::Epoch => Self::Epoch(parsed(value, parse_epoch)?),
            ConsumerGroupKey::PartitionMetadata => Self::PartitionMetadata(value.is_some()),
            ConsumerGroupKey::Member(id) => Self::Member(id.into(), parsed(value, parse_member)?),
            ConsumerGroupKey::TargetMetadata => Self::TargetMetadata(parsed(value, parse_target_metadata)?),
            ConsumerGroupKey::Target(id) => Self::Target(id.into(), parsed(value, parse_target)?),
            ConsumerGroupKey::Current(id) => Self::Current(id.into(), parsed(value, parse_current)?),
            ConsumerGroupKey::Regex(regex) => Self::Regex(regex.into(), parsed(value, parse_regex)?),
        })
    }

    pub(in super::super) fn encode(&self, group_id: &str) -> Result<CoordinatorRecord, RecordError> {
        let (key, value) = match self {
            Self::Epoch(value) => (ConsumerGroupKey::Epoch, encoded(value.as_ref(), encode_epoch)?),
            // Never written, only removed.
            Self::PartitionMetadata(_) => (ConsumerGroupKey::PartitionMetadata, None),
            Self::Member(id, value) => {
                (ConsumerGroupKey::Member(id), encoded(value.as_ref(), encode_member)?)
            }
            Self::TargetMetadata(value) => {
                (ConsumerGroupKey::TargetMetadata, encoded(value.as_ref(), encode_target_metadata)?)
            }
            Self::Target(id, value) => {
                (ConsumerGroupKey::Target(id), encoded(value.as_ref(), encode_target)?)
            }
            Self::Current(id, value) => {
                (ConsumerGroupKey::Current(id), encoded(value.as_ref(), encode_current)?)
            }
            Self::Regex(regex, value) => {
                (ConsumerGroupKey::Regex(regex), encoded(value.as_ref(), encode_regex)?)
            }
        };
        Ok(CoordinatorRecord { key: key.encode(group_id)?, value })
    }
}

type Parse<T> = fn(&mut FieldReader<'_>) -> Result<T, RecordError>;

/// The value of a record, if it has one.
pub(super) fn parsed<T>(value: Option<&[u8]>, parse: Parse<T>) -> Result<Option<T>, RecordError> {
    let Some(value) = value else { return Ok(None) };
    let mut reader = FieldReader::new(value);
    let version = reader.i16("version")?;
    if version != VERSION {
        return Err(RecordError::Version { what: "a group's record", version });
    }
    parse(&mut reader).map(Some)
}

pub(super) fn encoded<T>(
    value: Option<&T>,
    encode: impl Fn(&T, &mut FieldWriter) -> Result<(), RecordError>,
) -> Result<Option<Vec<u8>>, RecordError> {
    let Some(value) = value else { return Ok(None) };
    let mut writer = FieldWriter::new(VERSION);
    encode(value, &mut writer)?;
    Ok(Some(writer.finish()))
}

fn parse_epoch(reader: &mut FieldReader<'_>) -> Result<GroupEpoch, RecordError> {
    let epoch = reader.i32("epoch")?;
    let mut metadata_hash = 0;
    reader.tagged_fields(|tag, field| {
        if tag == 0 {
            metadata_hash = field.i64("metadata hash")?;
        }
        Ok(())
    })?;
    Ok(GroupEpoch { epoch, metadata_hash })
}

fn encode_epoch(value: &GroupEpoch, writer: &mut FieldWriter) -> Result<(), RecordError> {
    writer.i32(value.epoch);
    writer.tagged_fields("metadata hash", tagged_i64(value.metadata_hash))
}

/// A tagged number, which is left out if it is 0.
fn tagged_i64(value: i64) -> Option<FieldWriter> {
    (value != 0).then(|| {
        let mut part = FieldWriter::part();
        part.i64(value);
        part
    })
}

pub(super) fn parse_target_metadata(
    reader: &mut FieldReader<'_>,
) -> Result<TargetAssignmentMetadata, RecordError> {
    let epoch = reader.i32("assignment epoch")?;
    let mut timestamp = 0;
    reader.tagged_fields(|tag, field| {
        if tag == 0 {
            timestamp = field.i64("assignment timestamp")?;
        }
        Ok(())
    })?;
    Ok(TargetAssignmentMetadata { epoch, timestamp })
}

pub(super) fn encode_target_metadata(
    value: &TargetAssignmentMetadata,
    writer: &mut FieldWriter,
) -> Result<(), RecordError> {
    writer.i32(value.epoch);
    writer.tagged_fields("assignment timestamp", tagged_i64(value.timestamp))
}

fn parse_member(reader: &mut FieldReader<'_>) -> Result<MemberMetadata, RecordError> {
    let instance_id = reader.nullable_string("instance id", true)?.map(Arc::from);
    let rack_id = reader.nullable_string("rack id", true)?.map(Arc::from);
    let client_id = Arc::from(reader.string("client id", true)?);
    let client_host = Arc::from(reader.string("client host", true)?);
    let subscribed_topic_names = parse_names(reader)?;
    let subscribed_topic_regex = reader.nullable_string("regular expression", true)?.map(Arc::from);
    let rebalance_timeout_ms = reader.i32("rebalance timeout")?;
    let server_assignor = reader.nullable_string("assignor", true)?.map(Arc::from);
    let mut classic = None;
    reader.tagged_fields(|tag, field| {
        if tag == 0 && field.uvarint("classic metadata")? > 0 {
            classic = Some(parse_classic(field)?);
        }
        Ok(())
    })?;
    Ok(MemberMetadata {
        instance_id,
        rack_id,
        client_id,
        client_host,
        subscribed_topic_names,
        subscribed_topic_regex,
        rebalance_timeout_ms,
        server_assignor,
        classic,
    })
}

pub(super) fn parse_names(reader: &mut FieldReader<'_>) -> Result<BTreeSet<Arc<str>>, RecordError> {
    let count = reader.array_len("topics", true)?;
    (0..count).map(|_| reader.string("topic", true).map(Arc::from)).collect()
}

pub(super) fn encode_names(names: &BTreeSet<Arc<str>>, writer: &mut FieldWriter) -> Result<(), RecordError> {
    writer.compact_len("topics", Some(names.len()))?;
    names.iter().try_for_each(|name| writer.compact_string("topic", name))
}

fn parse_classic(reader: &mut FieldReader<'_>) -> Result<ClassicMemberMetadata, RecordError> {
    let session_timeout_ms = reader.i32("session timeout")?;
    let mut protocols = Vec::new();
    for _ in 0..reader.array_len("protocols", true)? {
        let name = Arc::from(reader.string("protocol", true)?);
        let metadata = reader.bytes("protocol metadata", true)?;
        reader.skip_tagged_fields()?;
        protocols.push(JoinGroupProtocol { name, metadata });
    }
    reader.skip_tagged_fields()?;
    Ok(ClassicMemberMetadata { session_timeout_ms, protocols })
}

fn encode_member(value: &MemberMetadata, writer: &mut FieldWriter) -> Result<(), RecordError> {
    writer.nullable_compact_string("instance id", value.instance_id.as_deref())?;
    writer.nullable_compact_string("rack id", value.rack_id.as_deref())?;
    writer.compact_string("client id", &value.client_id)?;
    writer.compact_string("client host", &value.client_host)?;
    encode_names(&value.subscribed_topic_names, writer)?;
    writer.nullable_compact_string("regular expression", value.subscribed_topic_regex.as_deref())?;
    writer.i32(value.rebalance_timeout_ms);
    writer.nullable_compact_string("assignor", value.server_assignor.as_deref())?;
    // Null is said, not left out: to Kafka, what is left out is the metadata of a member that has come by the classic
    // protocol, all of it at the defaults.
    let null = || {
        let mut part = FieldWriter::part();
        part.uvarint(0);
        part
    };
    let classic = value.classic.as_ref().map_or_else(|| Ok(null()), encode_classic)?;
    writer.tagged_fields("classic metadata", Some(classic))
}

fn encode_classic(value: &ClassicMemberMetadata) -> Result<FieldWriter, RecordError> {
    let mut part = FieldWriter::part();
    part.uvarint(1);
    part.i32(value.session_timeout_ms);
    part.compact_len("protocols", Some(value.protocols.len()))?;
    for protocol in &value.protocols {
        part.compact_string("protocol", &protocol.name)?;
        part.compact_bytes("protocol metadata", &protocol.metadata)?;
        part.tagged_fields("", None)?;
    }
    part.tagged_fields("", None)?;
    Ok(part)
}

pub(super) fn parse_target(reader: &mut FieldReader<'_>) -> Result<Partitions, RecordError> {
    let mut target = Partitions::new();
    for _ in 0..reader.array_len("topics", true)? {
        let topic = reader.uuid("topic id")?;
        let count = reader.array_len("partitions", true)?;
        let partitions: Result<BTreeSet<i32>, _> = (0..count).map(|_| reader.i32("partition")).collect();
        target.insert(topic, partitions?);
        reader.skip_tagged_fields()?;
    }
    reader.skip_tagged_fields()?;
    Ok(target)
}

pub(super) fn encode_target(value: &Partitions, writer: &mut FieldWriter) -> Result<(), RecordError> {
    writer.compact_len("topics", Some(value.len()))?;
    for (topic, partitions) in value {
        writer.uuid(*topic);
        writer.compact_len("partitions", Some(partitions.len()))?;
        partitions.iter().for_each(|partition| writer.i32(*partition));
        writer.tagged_fields("", None)?;
    }
    writer.tagged_fields("", None)
}

fn parse_current(reader: &mut FieldReader<'_>) -> Result<CurrentAssignment, RecordError> {
    let epoch = reader.i32("member epoch")?;
    let value = CurrentAssignment {
        epoch,
        previous_epoch: reader.i32("previous member epoch")?,
        state: MemberState::of_number(reader.i8("state")?),
        assigned: parse_with_epochs(reader, epoch)?,
        pending_revocation: parse_with_epochs(reader, epoch)?,
    };
    reader.skip_tagged_fields()?;
    Ok(value)
}

/// What has no epochs was written by an older broker: `epoch` is as good as any.
fn parse_with_epochs(reader: &mut FieldReader<'_>, epoch: i32) -> Result<PartitionsWithEpochs, RecordError> {
    let mut value = PartitionsWithEpochs::new();
    for _ in 0..reader.array_len("topics", true)? {
        let topic = reader.uuid("topic id")?;
        let count = reader.array_len("partitions", true)?;
        let partitions: Vec<i32> = (0..count).map(|_| reader.i32("partition")).collect::<Result<_, _>>()?;
        let mut epochs = Vec::new();
        reader.tagged_fields(|tag, field| {
            if tag == 0 {
                let count = field.nullable_array_len("assignment epochs", true)?.unwrap_or(0);
                epochs = (0..count).map(|_| field.i32("assignment epoch")).collect::<Result<_, _>>()?;
            }
            Ok(())
        })?;
        if epochs.len() != partitions.len() {
            epochs = vec![epoch; partitions.len()];
        }
        let of_topic: BTreeMap<i32, i32> = partitions.into_iter().zip(epochs).collect();
        value.insert(topic, of_topic);
    }
    Ok(value)
}

fn encode_current(value: &CurrentAssignment, writer: &mut FieldWriter) -> Result<(), RecordError> {
    writer.i32(value.epoch);
    writer.i32(value.previous_epoch);
    writer.i8(value.state.number());
    for partitions in [&value.assigned, &value.pending_revocation] {
        writer.compact_len("topics", Some(partitions.len()))?;
        for (topic, partitions) in partitions {
            writer.uuid(*topic);
            writer.compact_len("partitions", Some(partitions.len()))?;
            partitions.keys().for_each(|partition| writer.i32(*partition));
            let mut epochs = FieldWriter::part();
            epochs.compact_len("assignment epochs", Some(partitions.len()))?;
            partitions.values().for_each(|epoch| epochs.i32(*epoch));
            writer.tagged_fields("assignment epochs", Some(epochs))?;
        }
    }
    writer.tagged_fields("", None)
}

fn parse_regex(reader: &mut FieldReader<'_>) -> Result<ResolvedRegularExpression, RecordError> {
    let topics = parse_names(reader)?;
    let version = reader.i64("version")?;
    let timestamp = reader.i64("timestamp")?;
    reader.skip_tagged_fields()?;
    Ok(ResolvedRegularExpression { topics, version, timestamp })
}

fn encode_regex(value: &ResolvedRegularExpression, writer: &mut FieldWriter) -> Result<(), RecordError> {
    encode_names(&value.topics, writer)?;
    writer.i64(value.version);
    writer.i64(value.timestamp);
    writer.tagged_fields("", None)
}
