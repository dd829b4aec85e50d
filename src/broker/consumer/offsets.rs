//! Committing how far a consumer has read, and asking for it.

use std::sync::Arc;
use std::time::Duration;

use super::Consumer;
use crate::broker::coordinator::group::{CommitOffsetsParams, FetchedOffset, OffsetCommit};
use crate::broker::coordinator::transaction::ProducerIdAndEpoch;
use crate::broker::core::BrokerCore;
use crate::error::{Error, Result};
use crate::model::{CONSUMER_OFFSETS_TOPIC, ErrorCode, NO_LEADER_EPOCH, Offset, TopicPartition};

/// How far a group has read a partition.
///
/// # Examples
/// ```
/// use ottla::OffsetAndMetadata;
/// assert_eq!(OffsetAndMetadata::from(41), OffsetAndMetadata::new(41));
/// assert_eq!(OffsetAndMetadata::new(41).with_metadata("by hand").metadata, "by hand");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OffsetAndMetadata {
    /// The offset of the next record to read.
    pub offset: i64,
    /// The leader's term at the last record that was read, if that is known.
    pub leader_epoch: Option<i32>,
    /// Words of whoever committed it; usually none.
    pub metadata: String,
}

impl OffsetAndMetadata {
    /// An offset without words.
    pub fn new(offset: i64) -> Self {
        OffsetAndMetadata { offset, leader_epoch: None, metadata: String::new() }
    }

    /// Adds words, at most the broker's `offset.metadata.max.bytes`.
    #[must_use]
    pub fn with_metadata(mut self, metadata: impl Into<String>) -> Self {
        self.metadata = metadata.into();
        self
    }

    pub(crate) fn of(fetched: &FetchedOffset) -> Option<Self> {
        (fetched.offset >= 0).then(|| OffsetAndMetadata {
            offset: fetched.offset,
            leader_epoch: (fetched.leader_epoch != NO_LEADER_EPOCH).then_some(fetched.leader_epoch),
            metadata: fetched.metadata.to_string(),
        })
    }

    pub(crate) fn commit<'a>(&'a self, tp: &TopicPartition) -> OffsetCommit<'a> {
        OffsetCommit {
            topic_partition: tp.clone(),
            offset: self.offset,
            leader_epoch: self.leader_epoch.unwrap_or(NO_LEADER_EPOCH),
            metadata: &self.metadata,
            commit_timestamp: None,
        }
    }
}

impl From<i64> for OffsetAndMetadata {
    fn from(offset: i64) -> Self {
        OffsetAndMetadata::new(offset)
    }
}

/// What is committed of each partition; `None` if that cannot be told yet.
pub(super) fn fetch_committed(
    core: &Arc<BrokerCore>,
    group_id: &str,
    partitions: &[TopicPartition],
) -> Result<Option<Vec<FetchedOffset>>> {
    core.ensure_offsets_topic()?;
    let fetched = match core.groups.fetch_offsets(group_id, Some(partitions), true) {
        Ok(fetched) => fetched,
        Err(ErrorCode::CoordinatorLoadInProgress) => return Ok(None),
        Err(code) => return Err(core.group_error(code, group_id)),
    };
    match fetched.iter().map(|fetched| fetched.error).find(|error| !error.is_none()) {
        None => Ok(Some(fetched)),
        Some(ErrorCode::UnstableOffsetCommit) => Ok(None),
        Some(code) => Err(core.group_error(code, group_id)),
    }
}

impl Consumer {
    /// Commits the positions of all partitions that are assigned: everything that polls have given so far counts as
    /// done. When this returns, it is in the log.
    ///
    /// # Errors
    /// - [`InvalidGroupId`](ErrorCode::InvalidGroupId): the consumer has no group.
    /// - [`RebalanceInProgress`](ErrorCode::RebalanceInProgress): the group rebalances; poll, then try again.
    /// - [`IllegalGeneration`](ErrorCode::IllegalGeneration), [`UnknownMemberId`](ErrorCode::UnknownMemberId): the
    ///   group has gone on without the consumer, and others may have its partitions. The next poll joins again.
    /// - [`FencedInstanceId`](ErrorCode::FencedInstanceId): another consumer has the same instance id.
    /// - [`KafkaStorageError`](ErrorCode::KafkaStorageError), [`BrokerNotAvailable`](ErrorCode::BrokerNotAvailable).
    pub fn commit(&mut self) -> Result<()> {
        self.commit_positions()
    }

    pub(super) fn commit_positions(&mut self) -> Result<()> {
        self.commit_offsets(self.positions_to_commit())
    }

    /// The positions of all partitions that are assigned.
    pub(in crate::broker) fn positions_to_commit(&self) -> Vec<(TopicPartition, OffsetAndMetadata)> {
        let position = |partition: &super::assigned::AssignedPartition| {
            Some((partition.tp().clone(), partition.position()?.into()))
        };
        self.assigned.iter().filter_map(position).collect()
    }

    /// Whether it reads from this broker.
    pub(in crate::broker) fn is_of(&self, core: &Arc<BrokerCore>) -> bool {
        Arc::ptr_eq(&self.core, core)
    }

    /// Commits offsets within a transaction: `within` gets the partition of `__consumer_offsets` that becomes part of
    /// it, and what to call while it cannot end.
    pub(in crate::broker) fn commit_within(
        &self,
        offsets: &[(TopicPartition, OffsetAndMetadata)],
        within: impl FnOnce(
            &TopicPartition,
            &mut dyn FnMut(ProducerIdAndEpoch) -> Vec<ErrorCode>,
        ) -> Result<Vec<ErrorCode>>,
    ) -> Result<()> {
        let group_id = self.group_id()?;
        self.core.ensure_open()?;
        if offsets.is_empty() {
            return Ok(());
        }
        self.core.ensure_offsets_topic()?;
        let groups = &self.core.groups;
        let partition = groups.partition_for(group_id).ok_or(ErrorCode::CoordinatorNotAvailable)?;
        let partition = TopicPartition::new(CONSUMER_OFFSETS_TOPIC, partition);
        let member = self.membership.as_ref().map(|membership| membership.identity()).unwrap_or_default();
        if self.membership.is_some() && !member.is_member() {
            // The group would take it for somebody who reads without being a member, once it is empty.
            return Err(self
                .core
                .group_error(ErrorCode::UnknownMemberId, group_id)
                .context("not a member any more"));
        }
        let mut commit = |producer| {
            let params = CommitOffsetsParams {
                knows_member_epochs: true,
                group_id,
                member_id: &member.member_id,
                group_instance_id: self.options.group_instance_id.as_deref().filter(|_| member.is_member()),
                generation_id: member.generation_id,
                retention_time_ms: None,
                offsets: offsets.iter().map(|(tp, offset)| offset.commit(tp)).collect(),
            };
            groups.commit_transactional_offsets(producer, params)
        };
        let codes = within(&partition, &mut commit)?;
        groups.wake_readers_of(group_id);
        match offsets.iter().zip(codes).find(|(_, code)| !code.is_none()) {
            None => Ok(()),
            Some(((tp, _), code)) => {
                if let Some(membership) = &self.membership {
                    membership.note_error(code, member.generation_id);
                }
                Err(self.core.group_error(code, group_id).context(format_args!("cannot commit {tp}")))
            }
        }
    }

    /// Commits these offsets, each that of the next record to read.
    ///
    /// # Errors
    /// As [`commit`](Self::commit); and [`OffsetMetadataTooLarge`](ErrorCode::OffsetMetadataTooLarge). Where one of
    /// several fails, the others are committed.
    ///
    /// # Examples
    /// ```
    /// use ottla::{Broker, OffsetAndMetadata, TopicPartition};
    /// # fn main() -> Result<(), ottla::Error> {
    /// let broker = Broker::temporary()?;
    /// let mut consumer = broker.consumer("billing")?;
    /// let tp = TopicPartition::new("orders", 0);
    /// consumer.assign([tp.clone()])?;
    /// consumer.commit_offsets([(tp.clone(), OffsetAndMetadata::new(41))])?;
    /// assert_eq!(consumer.committed(&tp)?, Some(OffsetAndMetadata::new(41)));
    /// # Ok(())
    /// # }
    /// ```
    pub fn commit_offsets<O: Into<OffsetAndMetadata>>(
        &mut self,
        offsets: impl IntoIterator<Item = (TopicPartition, O)>,
    ) -> Result<()> {
        let offsets: Vec<(TopicPartition, OffsetAndMetadata)> =
            offsets.into_iter().map(|(tp, offset)| (tp, offset.into())).collect();
        let group_id = self.group_id()?.to_owned();
        self.core.ensure_open()?;
        if offsets.is_empty() {
            return Ok(());
        }
        self.core.ensure_offsets_topic()?;
        let member = self.membership.as_ref().map(|membership| membership.identity()).unwrap_or_default();
        let params = CommitOffsetsParams {
            knows_member_epochs: true,
            group_id: &group_id,
            member_id: &member.member_id,
            group_instance_id: self.options.group_instance_id.as_deref().filter(|_| member.is_member()),
            generation_id: member.generation_id,
            retention_time_ms: None,
            offsets: offsets.iter().map(|(tp, offset)| offset.commit(tp)).collect(),
        };
        let codes = self.core.groups.commit_offsets(params);
        let mut failure = None;
        for ((tp, offset), code) in offsets.iter().zip(codes) {
            if code.is_none() {
                if let Some(partition) = self.assigned.iter_mut().find(|partition| partition.tp() == tp) {
                    partition.committed = Some(offset.offset);
                }
            } else {
                failure.get_or_insert((code, tp));
            }
        }
        let Some((mut code, tp)) = failure else { return Ok(()) };
        if let Some(membership) = &self.membership {
            code = membership.note_error(code, member.generation_id);
        }
        Err(self.core.group_error(code, &group_id).context(format_args!("cannot commit {tp}")))
    }

    /// What the group has committed of a partition, by whichever member; the partition need not be assigned.
    ///
    /// # Errors
    /// [`InvalidGroupId`](ErrorCode::InvalidGroupId): the consumer has no group.
    /// [`UnstableOffsetCommit`](ErrorCode::UnstableOffsetCommit): a transaction is about to commit another.
    /// [`BrokerNotAvailable`](ErrorCode::BrokerNotAvailable): the broker is closed.
    pub fn committed(&self, tp: &TopicPartition) -> Result<Option<OffsetAndMetadata>> {
        self.core.ensure_open()?;
        let group_id = self.group_id()?;
        let fetched = fetch_committed(&self.core, group_id, std::slice::from_ref(tp))?
            .ok_or_else(|| self.core.group_error(ErrorCode::UnstableOffsetCommit, group_id))?;
        Ok(fetched.first().and_then(OffsetAndMetadata::of))
    }

    fn group_id(&self) -> Result<&str> {
        self.options
            .group_id
            .as_deref()
            .ok_or_else(|| Error::new(ErrorCode::InvalidGroupId, "the consumer has no group"))
    }

    /// Commits if the time has come. An error is not the poll's: the next time is near, and what is committed by hand
    /// tells.
    pub(super) fn maybe_commit_by_itself(&mut self) {
        let due = self.next_commit_by_itself();
        if due.is_some_and(|due| due <= self.now()) {
            self.commit_by_itself();
        }
    }

    /// When the positions are to be committed; `None` if there is nothing to commit.
    pub(super) fn next_commit_by_itself(&self) -> Option<Duration> {
        let is_new = |partition: &super::assigned::AssignedPartition| {
            partition.position().is_some() && partition.position() != partition.committed
        };
        (self.options.commits_by_itself() && self.assigned.iter().any(is_new)).then_some(self.auto_commit_at)
    }

    pub(super) fn commit_by_itself(&mut self) {
        if !self.options.commits_by_itself() || self.core.is_closed() {
            return;
        }
        self.auto_commit_at = self.now().saturating_add(self.options.auto_commit_interval);
        let moved: Vec<(TopicPartition, Offset)> = self
            .assigned
            .iter()
            .filter(|partition| partition.position() != partition.committed)
            .filter_map(|partition| Some((partition.tp().clone(), partition.position()?)))
            .collect();
        if let Err(error) = self.commit_offsets(moved) {
            tracing::warn!(%error, "cannot commit by itself");
        }
    }
}
