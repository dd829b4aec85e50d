//! Records that the broker writes for itself (Kafka: `ControlRecordType`, `EndTransactionMarker`).

use super::{BatchError, BatchOptions, RecordBatchBuilder};
use crate::model::{LeaderEpoch, NO_SEQUENCE, ProducerEpoch, ProducerId, Timestamp};

/// What a control record is about: the second field of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ControlRecordType {
    Abort,
    Commit,
    LeaderChange,
    SnapshotHeader,
    SnapshotFooter,
    KRaftVersion,
    KRaftVoters,
    /// From a newer Kafka: to be passed over.
    Unknown(i16),
}

const KEY_VERSION: i16 = 0;

impl ControlRecordType {
    fn from_id(id: i16) -> Self {
        match id {
            0 => ControlRecordType::Abort,
            1 => ControlRecordType::Commit,
            2 => ControlRecordType::LeaderChange,
            3 => ControlRecordType::SnapshotHeader,
            4 => ControlRecordType::SnapshotFooter,
            5 => ControlRecordType::KRaftVersion,
            6 => ControlRecordType::KRaftVoters,
            id => ControlRecordType::Unknown(id),
        }
    }

    pub(crate) fn id(self) -> i16 {
        match self {
            ControlRecordType::Abort => 0,
            ControlRecordType::Commit => 1,
            ControlRecordType::LeaderChange => 2,
            ControlRecordType::SnapshotHeader => 3,
            ControlRecordType::SnapshotFooter => 4,
            ControlRecordType::KRaftVersion => 5,
            ControlRecordType::KRaftVoters => 6,
            ControlRecordType::Unknown(id) => id,
        }
    }

    /// As Kafka's tools write it, the number behind it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            ControlRecordType::Abort => "ABORT",
            ControlRecordType::Commit => "COMMIT",
            ControlRecordType::LeaderChange => "LEADER_CHANGE",
            ControlRecordType::SnapshotHeader => "SNAPSHOT_HEADER",
            ControlRecordType::SnapshotFooter => "SNAPSHOT_FOOTER",
            ControlRecordType::KRaftVersion => "KRAFT_VERSION",
            ControlRecordType::KRaftVoters => "KRAFT_VOTERS",
            ControlRecordType::Unknown(_) => "UNKNOWN",
        }
    }

    /// Reads the key of a control record. Fields that a newer version adds are passed over.
    pub(crate) fn parse(key: Option<&[u8]>) -> Result<Self, BatchError> {
        let (version, rest) = read_i16(key.unwrap_or_default(), "the key is cut")?;
        if version < KEY_VERSION {
            return Err(BatchError::MalformedControl("the key's version is negative"));
        }
        let (id, _) = read_i16(rest, "the key is cut")?;
        Ok(Self::from_id(id))
    }

    /// The key of a control record.
    pub(crate) fn key(self) -> [u8; 4] {
        let mut key = [0; 4];
        key[..2].copy_from_slice(&KEY_VERSION.to_be_bytes());
        key[2..].copy_from_slice(&self.id().to_be_bytes());
        key
    }
}

/// How a transaction ended in a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EndTransactionMarker {
    pub(crate) is_commit: bool,
    pub(crate) coordinator_epoch: i32,
}

/// The batch around a marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MarkerParams {
    pub(crate) marker: EndTransactionMarker,
    pub(crate) producer_id: ProducerId,
    pub(crate) producer_epoch: ProducerEpoch,
    pub(crate) timestamp: Timestamp,
    pub(crate) leader_epoch: LeaderEpoch,
}

const MARKER_VERSION: i16 = 0;

impl EndTransactionMarker {
    /// What kind of control record it is.
    pub(crate) fn control_type(self) -> ControlRecordType {
        if self.is_commit { ControlRecordType::Commit } else { ControlRecordType::Abort }
    }

    /// The value of the control record.
    pub(crate) fn value(self) -> [u8; 6] {
        let mut value = [0; 6];
        value[..2].copy_from_slice(&MARKER_VERSION.to_be_bytes());
        value[2..].copy_from_slice(&self.coordinator_epoch.to_be_bytes());
        value
    }

    /// Reads a control record; `None` if it is about something else than the end of a transaction. Fields that a
    /// newer version adds are passed over.
    pub(crate) fn parse(key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Option<Self>, BatchError> {
        let is_commit = match ControlRecordType::parse(key)? {
            ControlRecordType::Commit => true,
            ControlRecordType::Abort => false,
            _ => return Ok(None),
        };
        let (version, rest) = read_i16(value.unwrap_or_default(), "the marker is cut")?;
        if version < MARKER_VERSION {
            return Err(BatchError::MalformedControl("the marker's version is negative"));
        }
        let epoch = rest.first_chunk().ok_or(BatchError::MalformedControl("the marker is cut"))?;
        Ok(Some(EndTransactionMarker { is_commit, coordinator_epoch: i32::from_be_bytes(*epoch) }))
    }

    /// A builder that holds the one record of the marker's batch.
    pub(crate) fn builder(params: MarkerParams) -> Result<RecordBatchBuilder, BatchError> {
        let options = BatchOptions {
            partition_leader_epoch: params.leader_epoch,
            producer_id: params.producer_id,
            producer_epoch: params.producer_epoch,
            base_sequence: NO_SEQUENCE,
            transactional: true,
            control: true,
            ..BatchOptions::default()
        };
        let mut builder = RecordBatchBuilder::with_capacity(options, 128);
        let key = params.marker.control_type().key();
        builder.append(params.timestamp, Some(&key), Some(&params.marker.value()))?;
        Ok(builder)
    }
}

fn read_i16<'a>(bytes: &'a [u8], what: &'static str) -> Result<(i16, &'a [u8]), BatchError> {
    let (number, rest) = bytes.split_first_chunk().ok_or(BatchError::MalformedControl(what))?;
    Ok((i16::from_be_bytes(*number), rest))
}
