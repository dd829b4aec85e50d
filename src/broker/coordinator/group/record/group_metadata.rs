use std::sync::Arc;

use bytes::Bytes;

use crate::broker::coordinator::record_format::{FieldReader, FieldWriter, RecordError};
use crate::model::{NO_TIMESTAMP, Timestamp};

const CURRENT: i16 = 3;
const HIGHEST: i16 = 4;

/// The value of a group: one generation, with members and assignments (Kafka: `GroupMetadataValue`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct GroupMetadataValue {
    pub(in super::super) protocol_type: Arc<str>,
    pub(in super::super) generation_id: i32,
    pub(in super::super) protocol_name: Option<Arc<str>>,
    pub(in super::super) leader_id: Option<Arc<str>>,
    /// [`NO_TIMESTAMP`] if not known.
    pub(in super::super) state_timestamp: Timestamp,
    pub(in super::super) members: Vec<GroupMetadataMember>,
}

/// A member as the record of its group has it (Kafka: `GroupMetadataValue.MemberMetadata`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct GroupMetadataMember {
    pub(in super::super) member_id: Arc<str>,
    pub(in super::super) group_instance_id: Option<Arc<str>>,
    pub(in super::super) client_id: Arc<str>,
    pub(in super::super) client_host: Arc<str>,
    pub(in super::super) rebalance_timeout_ms: i32,
    pub(in super::super) session_timeout_ms: i32,
    pub(in super::super) subscription: Bytes,
    pub(in super::super) assignment: Bytes,
}

impl GroupMetadataValue {
    pub(in super::super) fn parse(value: &[u8]) -> Result<Self, RecordError> {
        let mut reader = FieldReader::new(value);
        let version = reader.i16("version")?;
        if !(0..=HIGHEST).contains(&version) {
            return Err(RecordError::Version { what: "a group's metadata", version });
        }
        let is_flexible = version >= 4;
        let protocol_type = Arc::from(reader.string("protocol type", is_flexible)?);
        let generation_id = reader.i32("generation")?;
        let protocol_name = reader.nullable_string("protocol", is_flexible)?.map(Arc::from);
        let leader_id = reader.nullable_string("leader", is_flexible)?.map(Arc::from);
        let state_timestamp =
            if version >= 2 { reader.i64("current state timestamp")? } else { NO_TIMESTAMP };
        let mut members = Vec::new();
        for _ in 0..reader.array_len("members", is_flexible)? {
            members.push(GroupMetadataMember::parse(&mut reader, version)?);
        }
        if is_flexible {
            reader.skip_tagged_fields()?;
        }
        Ok(GroupMetadataValue {
            protocol_type,
            generation_id,
            protocol_name,
            leader_id,
            state_timestamp,
            members,
        })
    }

    pub(super) fn encode(&self) -> Result<Vec<u8>, RecordError> {
        let mut writer = FieldWriter::new(CURRENT);
        writer.string("protocol type", &self.protocol_type)?;
        writer.i32(self.generation_id);
        writer.nullable_string("protocol", self.protocol_name.as_deref())?;
        writer.nullable_string("leader", self.leader_id.as_deref())?;
        writer.i64(self.state_timestamp);
        writer.array_len("members", self.members.len())?;
        for member in &self.members {
            member.encode(&mut writer)?;
        }
        Ok(writer.finish())
    }
}

impl GroupMetadataMember {
    fn parse(reader: &mut FieldReader<'_>, version: i16) -> Result<Self, RecordError> {
        let is_flexible = version >= 4;
        let member_id = Arc::from(reader.string("member id", is_flexible)?);
        let group_instance_id = match version {
            3.. => reader.nullable_string("group instance id", is_flexible)?.map(Arc::from),
            _ => None,
        };
        let client_id = Arc::from(reader.string("client id", is_flexible)?);
        let client_host = Arc::from(reader.string("client host", is_flexible)?);
        let rebalance_timeout_ms = if version >= 1 { Some(reader.i32("rebalance timeout")?) } else { None };
        let session_timeout_ms = reader.i32("session timeout")?;
        let subscription = reader.bytes("subscription", is_flexible)?;
        let assignment = reader.bytes("assignment", is_flexible)?;
        if is_flexible {
            reader.skip_tagged_fields()?;
        }
        Ok(GroupMetadataMember {
            member_id,
            group_instance_id,
            client_id,
            client_host,
            rebalance_timeout_ms: rebalance_timeout_ms.unwrap_or(session_timeout_ms),
            session_timeout_ms,
            subscription,
            assignment,
        })
    }

    fn encode(&self, writer: &mut FieldWriter) -> Result<(), RecordError> {
        writer.string("member id", &self.member_id)?;
        writer.nullable_string("group instance id", self.group_instance_id.as_deref())?;
        writer.string("client id", &self.client_id)?;
        writer.string("client host", &self.client_host)?;
        writer.i32(self.rebalance_timeout_ms);
        writer.i32(self.session_timeout_ms);
        writer.bytes("subscription", &self.subscription)?;
        writer.bytes("assignment", &self.assignment)
    }
}
