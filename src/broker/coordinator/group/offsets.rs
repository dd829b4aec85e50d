use std::sync::Arc;

use super::coordinator::{Api, GroupCoordinator};
use super::group_offsets::{CommittedOffset, OffsetAndMetadata};
use super::group_state::GroupState;
use super::modern::{Committer, ConsumerGroup};
use super::record::CoordinatorRecord;
use super::store::commit_error;
use super::turn::{Group, GroupTurn};
use crate::model::{ErrorCode, LeaderEpoch, NO_LEADER_EPOCH, Offset, Timestamp, TopicPartition};

/// "Nothing is committed".
const INVALID_OFFSET: Offset = -1;

/// A member, or somebody who reads without being one, says how far it has read.
#[derive(Clone, Debug, Default)]
pub(crate) struct CommitOffsetsParams<'a> {
    pub(crate) group_id: &'a str,
    /// Empty, with generation -1, for who is not a member.
    pub(crate) member_id: &'a str,
    pub(crate) group_instance_id: Option<&'a str>,
    /// The epoch, of a member of a group of the consumer protocol.
    pub(crate) generation_id: i32,
    /// The request is one that members of such groups use (OffsetCommit v9+).
    pub(crate) knows_member_epochs: bool,
    /// How long the offsets are to be kept, if not for as long as the broker keeps them (OffsetCommit v2-v4).
    pub(crate) retention_time_ms: Option<i64>,
    pub(crate) offsets: Vec<OffsetCommit<'a>>,
}

/// How far one partition was read.
#[derive(Clone, Debug)]
pub(crate) struct OffsetCommit<'a> {
    pub(crate) topic_partition: TopicPartition,
    pub(crate) offset: Offset,
    /// [`NO_LEADER_EPOCH`] if not known.
    pub(crate) leader_epoch: LeaderEpoch,
    pub(crate) metadata: &'a str,
    /// When it was said, if the client knows better than the broker's clock (OffsetCommit v1).
    pub(crate) commit_timestamp: Option<Timestamp>,
}

/// How far a partition was read, as far as the group knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FetchedOffset {
    pub(crate) topic_partition: TopicPartition,
    /// -1 if nothing is committed.
    pub(crate) offset: Offset,
    pub(crate) leader_epoch: LeaderEpoch,
    pub(crate) metadata: Arc<str>,
    pub(crate) error: ErrorCode,
}

/// Who fetches offsets, if it says so (OffsetFetch v9+).
#[derive(Clone, Copy, Debug)]
pub(crate) struct FetchingMember<'a> {
    pub(crate) id: Option<&'a str>,
    /// -1 if it is no member.
    pub(crate) epoch: i32,
}

impl Default for FetchingMember<'_> {
    fn default() -> Self {
        FetchingMember { id: None, epoch: -1 }
    }
}

/// A commit on its way into the log.
pub(super) struct PreparedCommit {
    /// A code for each offset, in the order asked for.
    pub(super) errors: Vec<ErrorCode>,
    pub(super) records: Vec<CoordinatorRecord>,
    /// What the records say, each with the place of its code.
    pub(super) commits: Vec<(usize, TopicPartition, OffsetAndMetadata)>,
}

impl FetchedOffset {
    fn none(topic_partition: TopicPartition, error: ErrorCode) -> Self {
        let (offset, leader_epoch) = (INVALID_OFFSET, NO_LEADER_EPOCH);
        FetchedOffset { topic_partition, offset, leader_epoch, metadata: Arc::default(), error }
    }
}

impl GroupCoordinator {
    /// Commits offsets. One code for each of them comes back, in the same order; when this returns they are
    /// in the log.
    pub(crate) fn commit_offsets(&self, params: CommitOffsetsParams<'_>) -> Vec<ErrorCode> {
        let count = params.offsets.len();
        let all = |error| vec![error; count];
        let group = match self.group_to_commit_to(&params) {
            Ok(group) => group,
            Err(error) => return all(error),
        };
        self.with_group(&group, |turn| match turn.validate_commit(&params) {
            Ok(()) => turn.commit(params),
            Err(error) => {
                let CommitOffsetsParams { group_id, member_id, generation_id, .. } = params;
                turn.outbox.info(|| {
                    format!(
                        "A commit of member {member_id} in generation or epoch {generation_id} of group {group_id} is \
                         refused with {error}"
                    )
                });
                all(error)
            }
        })
    }

    /// The group that a commit names, made if need be.
    pub(super) fn group_to_commit_to(
        &self,
        params: &CommitOffsetsParams<'_>,
    ) -> Result<Arc<Group>, ErrorCode> {
        self.validate_group_status(params.group_id, Api::AnyGroup)?;
        match self.group(params.group_id) {
            Some(group) => Ok(group),
            // Who names a generation remembers a group that is gone.
            None if params.generation_id >= 0 => Err(ErrorCode::IllegalGeneration),
            None => self.get_or_create_group(params.group_id),
        }
    }

    /// What is committed of the partitions, in the order asked for; of all partitions that the group has
    /// offsets of if `partitions` is `None`.
    ///
    /// With `require_stable`, a partition that an open transaction has committed is answered with
    /// UNSTABLE_OFFSET_COMMIT.
    ///
    /// # Errors
    /// Those that concern the group as a whole. A group that does not exist is no error: it has no offsets.
    pub(crate) fn fetch_offsets(
        &self,
        group_id: &str,
        partitions: Option<&[TopicPartition]>,
        require_stable: bool,
    ) -> Result<Vec<FetchedOffset>, ErrorCode> {
        self.fetch_offsets_as(FetchingMember::default(), group_id, partitions, require_stable)
    }

    /// The same, as a member that says in which epoch it believes to be.
    ///
    /// # Errors
    /// Also that it is none, or in another epoch.
    pub(crate) fn fetch_offsets_as(
        &self,
        member: FetchingMember<'_>,
        group_id: &str,
        partitions: Option<&[TopicPartition]>,
        require_stable: bool,
    ) -> Result<Vec<FetchedOffset>, ErrorCode> {
        self.validate_group_status(group_id, Api::AnyGroup)?;
        let Some(group) = self.group(group_id) else {
            let none = |partition: &TopicPartition| FetchedOffset::none(partition.clone(), ErrorCode::None);
            return Ok(partitions.unwrap_or_default().iter().map(none).collect());
        };
        self.with_group(&group, |turn| {
            if turn.state.share().is_some() {
                let none =
                    |partition: &TopicPartition| FetchedOffset::none(partition.clone(), ErrorCode::None);
                return Ok(partitions.unwrap_or_default().iter().map(none).collect());
            }
            if let Some(group) = turn.state.consumer() {
                group.validate_fetch(member.id, member.epoch)?;
            }
            let fetch = |partition| turn.fetch_offset(partition, require_stable);
            Ok(match partitions {
                Some(partitions) => partitions.iter().map(fetch).collect(),
                None => turn.state.offsets.iter().map(|(partition, _)| fetch(partition)).collect(),
            })
        })
    }
}

impl GroupTurn<'_> {
    fn validate_commit(&self, params: &CommitOffsetsParams<'_>) -> Result<(), ErrorCode> {
        let state = self.state.state();
        let (member_id, instance_id) = (params.member_id, params.group_instance_id);
        if state == GroupState::Dead {
            return Err(ErrorCode::CoordinatorNotAvailable);
        }
        self.refuse_share_group(ErrorCode::GroupIdNotFound)?;
        if let Some(group) = self.state.consumer() {
            return self.validate_consumer_commit(group, params, false);
        }
        if params.generation_id < 0 && state == GroupState::Empty {
            // An administrator, or a consumer that assigns itself.
            return Ok(());
        }
        if params.generation_id < 0 && member_id.is_empty() && instance_id.is_none() {
            // Only members may commit for a group that has some.
            return Err(ErrorCode::UnknownMemberId);
        }
        self.validate_current_member(member_id, instance_id)?;
        if params.generation_id != self.state.generation_id {
            return Err(ErrorCode::IllegalGeneration);
        }
        if state == GroupState::CompletingRebalance {
            // The member is of this generation, but cannot know yet what it is to read.
            return Err(ErrorCode::RebalanceInProgress);
        }
        Ok(())
    }

    pub(super) fn validate_consumer_commit(
        &self,
        group: &ConsumerGroup,
        params: &CommitOffsetsParams<'_>,
        is_transactional: bool,
    ) -> Result<(), ErrorCode> {
        let committer = Committer {
            member_id: params.member_id,
            instance_id: params.group_instance_id,
            epoch: params.generation_id,
            is_transactional,
            knows_member_epochs: params.knows_member_epochs,
        };
        // What is refused anyway counts for nothing.
        let offsets = params.offsets.iter().filter(|offset| !self.is_metadata_too_large(offset.metadata));
        let partitions = offsets.map(|offset| &offset.topic_partition);
        group.validate_commit(committer, partitions, self.coordinator.image())
    }

    fn commit(&mut self, params: CommitOffsetsParams<'_>) -> Vec<ErrorCode> {
        self.renew_session(params.member_id);
        let PreparedCommit { mut errors, records, commits } =
            self.records_of_commit(params.offsets, params.retention_time_ms);
        if records.is_empty() {
            return errors;
        }
        match self.append(&records) {
            Ok(record_offset) => {
                for (_, partition, commit) in commits {
                    self.state.offsets.commit(partition, CommittedOffset { record_offset, commit });
                }
            }
            Err(error) => {
                let group = &self.group.id;
                self.outbox.warn(|| format!("Offsets of group {group} could not be committed: {error}"));
                for (index, ..) in commits {
                    errors[index] = commit_error(error);
                }
            }
        }
        errors
    }

    /// What is to be written of a commit.
    pub(super) fn records_of_commit(
        &self,
        offsets: Vec<OffsetCommit<'_>>,
        retention_time_ms: Option<i64>,
    ) -> PreparedCommit {
        let now_ms = self.now_ms();
        let mut errors = Vec::with_capacity(offsets.len());
        let mut records = Vec::with_capacity(offsets.len());
        let mut commits = Vec::with_capacity(offsets.len());
        for offset in offsets {
            if self.is_metadata_too_large(offset.metadata) {
                errors.push(ErrorCode::OffsetMetadataTooLarge);
                continue;
            }
            let commit = OffsetAndMetadata {
                offset: offset.offset,
                leader_epoch: offset.leader_epoch,
                metadata: Arc::from(offset.metadata),
                commit_timestamp: offset.commit_timestamp.unwrap_or(now_ms),
                expire_timestamp: retention_time_ms.map(|retention| now_ms.saturating_add(retention)),
            };
            match CoordinatorRecord::offset_commit(&self.group.id, &offset.topic_partition, &commit) {
                Ok(record) => {
                    records.push(record);
                    commits.push((errors.len(), offset.topic_partition, commit));
                    errors.push(ErrorCode::None);
                }
                Err(_) => errors.push(ErrorCode::InvalidCommitOffsetSize),
            }
        }
        PreparedCommit { errors, records, commits }
    }

    /// Java counts UTF-16 units, of which a string never has more than bytes.
    fn is_metadata_too_large(&self, metadata: &str) -> bool {
        let max = usize::try_from(self.coordinator.config().offset_metadata_max_bytes).unwrap_or(0);
        metadata.len() > max && metadata.encode_utf16().count() > max
    }

    fn fetch_offset(&self, partition: &TopicPartition, require_stable: bool) -> FetchedOffset {
        if require_stable && self.state.offsets.is_unstable(partition) {
            return FetchedOffset::none(partition.clone(), ErrorCode::UnstableOffsetCommit);
        }
        match self.state.offsets.get(partition) {
            Some(committed) => FetchedOffset {
                topic_partition: partition.clone(),
                offset: committed.offset,
                leader_epoch: committed.leader_epoch,
                metadata: Arc::clone(&committed.metadata),
                error: ErrorCode::None,
            },
            None => FetchedOffset::none(partition.clone(), ErrorCode::None),
        }
    }
}
