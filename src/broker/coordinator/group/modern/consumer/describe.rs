//! What others learn of a consumer group (Kafka: `ConsumerGroup#asDescribedGroup`).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::heartbeat::{GroupError, group_not_found};
use super::member::ConsumerGroupMember;
use crate::broker::coordinator::group::coordinator::{Api, GroupCoordinator};
use crate::broker::coordinator::group::group_state::GroupState;
use crate::broker::coordinator::group::modern::assignment::{self, Partitions};
use crate::broker::coordinator::group::turn::GroupTurn;
use crate::model::ErrorCode;

/// A consumer group as ConsumerGroupDescribe shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConsumerGroupDescription {
    pub(crate) state: GroupState,
    pub(crate) group_epoch: i32,
    pub(crate) assignment_epoch: i32,
    pub(crate) assignor_name: Arc<str>,
    pub(crate) members: Vec<ConsumerGroupMemberDescription>,
}

/// A member as ConsumerGroupDescribe shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConsumerGroupMemberDescription {
    pub(crate) member_id: Arc<str>,
    pub(crate) instance_id: Option<Arc<str>>,
    pub(crate) rack_id: Option<Arc<str>>,
    pub(crate) member_epoch: i32,
    pub(crate) client_id: Arc<str>,
    pub(crate) client_host: Arc<str>,
    pub(crate) subscribed_topic_names: BTreeSet<Arc<str>>,
    pub(crate) subscribed_topic_regex: Option<Arc<str>>,
    /// What it has, what it is to give back included.
    pub(crate) assignment: Partitions,
    /// What is meant for it.
    pub(crate) target_assignment: Partitions,
    /// It joins and syncs.
    pub(crate) is_classic: bool,
}

impl GroupCoordinator {
    /// What is known of a consumer group.
    ///
    /// # Errors
    /// GROUP_ID_NOT_FOUND also for groups of other types.
    pub(crate) fn describe_consumer_group(
        &self,
        group_id: &str,
    ) -> Result<ConsumerGroupDescription, GroupError> {
        if group_id.is_empty() {
            return Err(ErrorCode::InvalidGroupId.into());
        }
        self.validate_group_status(group_id, Api::AnyGroup)?;
        let not_found =
            || GroupError::new(ErrorCode::GroupIdNotFound, format!("Group {group_id} not found."));
        let group = self.group(group_id).ok_or_else(not_found)?;
        self.with_group(&group, |turn| {
            if turn.state.is(GroupState::Dead) {
                return Err(not_found());
            }
            turn.describe_consumer_group().ok_or_else(|| group_not_found(group_id))
        })
    }
}

impl GroupTurn<'_> {
    fn describe_consumer_group(&self) -> Option<ConsumerGroupDescription> {
        let group = self.state.consumer()?;
        let preferred = group.preferred_assignor(None, None);
        Some(ConsumerGroupDescription {
            state: self.state.any_state(),
            group_epoch: group.modern.epoch,
            assignment_epoch: group.modern.target.epoch,
            assignor_name: preferred.unwrap_or_else(|| self.surroundings().default_assignor().into()),
            members: group
                .members()
                .map(|member| ConsumerGroupMemberDescription {
                    target_assignment: group.modern.target_of(&member.id).cloned().unwrap_or_default(),
                    ..describe(member)
                })
                .collect(),
        })
    }
}

fn describe(member: &ConsumerGroupMember) -> ConsumerGroupMemberDescription {
    let mut has = assignment::without_epochs(&member.assigned);
    for (topic, partitions) in &member.pending_revocation {
        has.entry(*topic).or_default().extend(partitions.keys());
    }
    ConsumerGroupMemberDescription {
        member_id: Arc::clone(&member.id),
        instance_id: member.metadata.instance_id.clone(),
        rack_id: member.metadata.rack_id.clone(),
        member_epoch: member.epoch,
        client_id: Arc::clone(&member.metadata.client_id),
        client_host: Arc::clone(&member.metadata.client_host),
        subscribed_topic_names: member.metadata.subscribed_topic_names.clone(),
        subscribed_topic_regex: member.metadata.subscribed_topic_regex.clone(),
        assignment: has,
        target_assignment: Partitions::new(),
        is_classic: member.uses_classic_protocol(),
    }
}
