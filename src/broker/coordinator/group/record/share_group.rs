//! The records of share groups (KIP-932): key kinds 10 to 15, each with its values in version 0.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::CoordinatorRecord;
use super::consumer_group::{
    GroupEpoch, encode_names, encode_target, encode_target_metadata, encoded, parse_names, parse_target,
    parse_target_metadata, parsed,
};
use crate::broker::coordinator::group::modern::{
    InitializedPartitions, MemberState, Partitions, ShareMemberMetadata, StatePartitions,
    TargetAssignmentMetadata,
};
use crate::broker::coordinator::record_format::{FieldReader, FieldWriter, RecordError};
use crate::model::Uuid;

/// What a record says of a share group; `None` for "is no more".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum ShareGroupRecord {
    /// Kafka: `ShareGroupMemberMetadata`.
    Member(Arc<str>, Option<ShareMemberMetadata>),
    /// Kafka: `ShareGroupMetadata`.
    Epoch(Option<GroupEpoch>),
    /// Kafka: `ShareGroupTargetAssignmentMetadata`.
    TargetMetadata(Option<TargetAssignmentMetadata>),
    /// Kafka: `ShareGroupTargetAssignmentMember`.
    Target(Arc<str>, Option<Partitions>),
    /// Kafka: `ShareGroupCurrentMemberAssignment`.
    Current(Arc<str>, Option<ShareCurrentAssignment>),
    /// Kafka: `ShareGroupStatePartitionMetadata`.
    StatePartitions(Option<StatePartitions>),
}

/// What a member has (Kafka: `ShareGroupCurrentMemberAssignmentValue`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct ShareCurrentAssignment {
    pub(in super::super) epoch: i32,
    pub(in super::super) previous_epoch: i32,
    pub(in super::super) state: MemberState,
    pub(in super::super) assigned: Partitions,
}

/// What a record of a share group is about: the kind in front of its key, and what follows the group's id there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum ShareGroupKey<'a> {
    Member(&'a str),
    Epoch,
    TargetMetadata,
    Target(&'a str),
    Current(&'a str),
    StatePartitions,
}

impl<'a> ShareGroupKey<'a> {
    /// The group's id and what is said of it; `None` if the kind is another.
    pub(in super::super) fn parse(
        kind: i16,
        reader: &mut FieldReader<'a>,
    ) -> Result<Option<(&'a str, Self)>, RecordError> {
        if !matches!(kind, 10..=15) {
            return Ok(None);
        }
        let group_id = reader.string("group", false)?;
        let key = match kind {
            10 => ShareGroupKey::Member(reader.string("member id", false)?),
            11 => ShareGroupKey::Epoch,
            12 => ShareGroupKey::TargetMetadata,
            13 => ShareGroupKey::Target(reader.string("member id", false)?),
            14 => ShareGroupKey::Current(reader.string("member id", false)?),
            _ => ShareGroupKey::StatePartitions,
        };
        Ok(Some((group_id, key)))
    }

    fn encode(self, group_id: &str) -> Result<Vec<u8>, RecordError> {
        let (kind, member_id) = match self {
            ShareGroupKey::Member(id) => (10, Some(id)),
            ShareGroupKey::Epoch => (11, None),
            ShareGroupKey::TargetMetadata => (12, None),
            ShareGroupKey::Target(id) => (13, Some(id)),
            ShareGroupKey::Current(id) => (14, Some(id)),
            ShareGroupKey::StatePartitions => (15, None),
        };
        let mut writer = FieldWriter::new(kind);
        writer.string("group", group_id)?;
        member_id.map_or(Ok(()), |id| writer.string("member id", id))?;
        Ok(writer.finish())
    }
}

impl ShareGroupRecord {
    pub(in super::super) fn parse(key: ShareGroupKey<'_>, value: Option<&[u8]>) -> Result<Self, RecordError> {
        Ok(match key {
            ShareGroupKey::Member(id) => Self::Member(id.into(), parsed(value, parse_member)?),
            ShareGroupKey::Epoch => Self::Epoch(parsed(value, parse_epoch)?),
            ShareGroupKey::TargetMetadata => Self::TargetMetadata(parsed(value, parse_target_metadata)?),
            ShareGroupKey::Target(id) => Self::Target(id.into(), parsed(value, parse_target)?),
            ShareGroupKey::Current(id) => Self::Current(id.into(), parsed(value, parse_current)?),
            ShareGroupKey::StatePartitions => Self::StatePartitions(parsed(value, parse_state_partitions)?),
        })
    }

    pub(in super::super) fn encode(&self, group_id: &str) -> Result<CoordinatorRecord, RecordError> {
        let (key, value) = match self {
            Self::Member(id, value) => (ShareGroupKey::Member(id), encoded(value.as_ref(), encode_member)?),
            Self::Epoch(value) => (ShareGroupKey::Epoch, encoded(value.as_ref(), encode_epoch)?),
            Self::TargetMetadata(value) => {
                (ShareGroupKey::TargetMetadata, encoded(value.as_ref(), encode_target_metadata)?)
            }
            Self::Target(id, value) => (ShareGroupKey::Target(id), encoded(value.as_ref(), encode_target)?),
            Self::Current(id, value) => {
                (ShareGroupKey::Current(id), encoded(value.as_ref(), encode_current)?)
            }
            Self::StatePartitions(value) => {
                (ShareGroupKey::StatePartitions, encoded(value.as_ref(), encode_state_partitions)?)
            }
        };
        Ok(CoordinatorRecord { key: key.encode(group_id)?, value })
    }
}

fn parse_member(reader: &mut FieldReader<'_>) -> Result<ShareMemberMetadata, RecordError> {
    let value = ShareMemberMetadata {
        rack_id: reader.nullable_string("rack id", true)?.map(Arc::from),
        client_id: Arc::from(reader.string("client id", true)?),
        client_host: Arc::from(reader.string("client host", true)?),
        subscribed_topic_names: parse_names(reader)?,
    };
    reader.skip_tagged_fields()?;
    Ok(value)
}

fn encode_member(value: &ShareMemberMetadata, writer: &mut FieldWriter) -> Result<(), RecordError> {
    writer.nullable_compact_string("rack id", value.rack_id.as_deref())?;
    writer.compact_string("client id", &value.client_id)?;
    writer.compact_string("client host", &value.client_host)?;
    encode_names(&value.subscribed_topic_names, writer)?;
    writer.tagged_fields("", None)
}

fn parse_epoch(reader: &mut FieldReader<'_>) -> Result<GroupEpoch, RecordError> {
    let value = GroupEpoch { epoch: reader.i32("epoch")?, metadata_hash: reader.i64("metadata hash")? };
    reader.skip_tagged_fields()?;
    Ok(value)
}

fn encode_epoch(value: &GroupEpoch, writer: &mut FieldWriter) -> Result<(), RecordError> {
    writer.i32(value.epoch);
    writer.i64(value.metadata_hash);
    writer.tagged_fields("", None)
}

fn parse_current(reader: &mut FieldReader<'_>) -> Result<ShareCurrentAssignment, RecordError> {
    Ok(ShareCurrentAssignment {
        epoch: reader.i32("member epoch")?,
        previous_epoch: reader.i32("previous member epoch")?,
        state: MemberState::of_number(reader.i8("state")?),
        // The same list of topics ends a target.
        assigned: parse_target(reader)?,
    })
}

fn encode_current(value: &ShareCurrentAssignment, writer: &mut FieldWriter) -> Result<(), RecordError> {
    writer.i32(value.epoch);
    writer.i32(value.previous_epoch);
    writer.i8(value.state.number());
    encode_target(&value.assigned, writer)
}

fn parse_state_partitions(reader: &mut FieldReader<'_>) -> Result<StatePartitions, RecordError> {
    let initializing = parse_initialized(reader)?;
    let initialized = parse_initialized(reader)?;
    let mut deleting = BTreeMap::new();
    for _ in 0..reader.array_len("deleting topics", true)? {
        let id = reader.uuid("topic id")?;
        deleting.insert(id, Arc::from(reader.string("topic name", true)?));
        reader.skip_tagged_fields()?;
    }
    reader.skip_tagged_fields()?;
    Ok(StatePartitions { initializing, initialized, deleting })
}

type Initialized = BTreeMap<Uuid, InitializedPartitions>;

fn parse_initialized(reader: &mut FieldReader<'_>) -> Result<Initialized, RecordError> {
    let mut topics = Initialized::new();
    for _ in 0..reader.array_len("topics", true)? {
        let id = reader.uuid("topic id")?;
        let name = Arc::from(reader.string("topic name", true)?);
        let count = reader.array_len("partitions", true)?;
        let partitions = (0..count).map(|_| reader.i32("partition")).collect::<Result<_, _>>()?;
        reader.skip_tagged_fields()?;
        topics.insert(id, InitializedPartitions { name, partitions });
    }
    Ok(topics)
}

fn encode_state_partitions(value: &StatePartitions, writer: &mut FieldWriter) -> Result<(), RecordError> {
    for topics in [&value.initializing, &value.initialized] {
        writer.compact_len("topics", Some(topics.len()))?;
        for (id, topic) in topics {
            writer.uuid(*id);
            writer.compact_string("topic name", &topic.name)?;
            writer.compact_len("partitions", Some(topic.partitions.len()))?;
            topic.partitions.iter().for_each(|partition| writer.i32(*partition));
            writer.tagged_fields("", None)?;
        }
    }
    writer.compact_len("deleting topics", Some(value.deleting.len()))?;
    for (id, name) in &value.deleting {
        writer.uuid(*id);
        writer.compact_string("topic name", name)?;
        writer.tagged_fields("", None)?;
    }
    writer.tagged_fields("", None)
}
