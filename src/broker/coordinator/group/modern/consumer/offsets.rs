//! Who may commit and fetch offsets of a consumer group (Kafka: `ConsumerGroup#validateOffsetCommit`).

use super::group::ConsumerGroup;
use super::member::ConsumerGroupMember;
use crate::broker::coordinator::group::modern::topics::CoordinatorMetadataImage;
use crate::model::{ErrorCode, TopicPartition};

/// Who commits.
#[derive(Clone, Copy, Debug)]
pub(in crate::broker::coordinator::group) struct Committer<'a> {
    pub(in crate::broker::coordinator::group) member_id: &'a str,
    pub(in crate::broker::coordinator::group) instance_id: Option<&'a str>,
    pub(in crate::broker::coordinator::group) epoch: i32,
    pub(in crate::broker::coordinator::group) is_transactional: bool,
    /// The request is of a version that members of such groups use.
    pub(in crate::broker::coordinator::group) knows_member_epochs: bool,
}

impl ConsumerGroup {
    /// Whether these partitions may be committed. A member that is behind may still commit what it had then and has
    /// now: its commit may have been under way while it was moved to a new epoch.
    pub(in crate::broker::coordinator::group) fn validate_commit<'p>(
        &self,
        committer: Committer<'_>,
        mut partitions: impl Iterator<Item = &'p TopicPartition>,
        image: &dyn CoordinatorMetadataImage,
    ) -> Result<(), ErrorCode> {
        let Committer { member_id, instance_id, epoch, is_transactional, knows_member_epochs } = committer;
        if epoch < 0 && self.is_empty() {
            return Ok(());
        }
        // Older producers do not say who they are.
        if is_transactional && epoch == -1 && member_id.is_empty() && instance_id.is_none() {
            return Ok(());
        }
        let member = self.member(member_id).ok_or(ErrorCode::UnknownMemberId)?;
        if !is_transactional && !member.uses_classic_protocol() && !knows_member_epochs {
            return Err(ErrorCode::UnsupportedVersion);
        }
        if epoch == member.epoch {
            return Ok(());
        }
        let is_allowed = epoch < member.epoch
            && partitions.all(|partition| {
                assigned_in(member, partition, image).is_some_and(|in_epoch| in_epoch <= epoch)
            });
        if is_allowed { Ok(()) } else { Err(stale(member)) }
    }

    /// Whether the member may see the offsets; an administrator, who names none, always may.
    pub(in crate::broker::coordinator::group) fn validate_fetch(
        &self,
        member_id: Option<&str>,
        epoch: i32,
    ) -> Result<(), ErrorCode> {
        let Some(member_id) = member_id else {
            return if epoch < 0 { Ok(()) } else { Err(ErrorCode::UnknownMemberId) };
        };
        let member = self.member(member_id).ok_or(ErrorCode::UnknownMemberId)?;
        if epoch == member.epoch { Ok(()) } else { Err(stale(member)) }
    }
}

/// The epoch in which a partition was given to a member that has it.
fn assigned_in(
    member: &ConsumerGroupMember,
    partition: &TopicPartition,
    image: &dyn CoordinatorMetadataImage,
) -> Option<i32> {
    let topic = image.topic(partition.topic())?.id;
    [&member.assigned, &member.pending_revocation]
        .into_iter()
        .find_map(|partitions| partitions.get(&topic)?.get(&partition.partition()).copied())
}

fn stale(member: &ConsumerGroupMember) -> ErrorCode {
    if member.uses_classic_protocol() { ErrorCode::IllegalGeneration } else { ErrorCode::StaleMemberEpoch }
}
