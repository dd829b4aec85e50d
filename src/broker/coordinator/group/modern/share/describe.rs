//! What others learn of a share group (Kafka: `ShareGroup#asDescribedGroup`).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::heartbeat::not_a_share_group;
use crate::broker::coordinator::group::coordinator::{Api, GroupCoordinator};
use crate::broker::coordinator::group::group_state::GroupState;
use crate::broker::coordinator::group::modern::assignment::Partitions;
use crate::broker::coordinator::group::modern::consumer::GroupError;
use crate::model::ErrorCode;

/// A share group as ShareGroupDescribe shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ShareGroupDescription {
    pub(crate) state: GroupState,
    pub(crate) group_epoch: i32,
    pub(crate) assignment_epoch: i32,
    pub(crate) assignor_name: Arc<str>,
    pub(crate) members: Vec<ShareGroupMemberDescription>,
}

/// A member as ShareGroupDescribe shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ShareGroupMemberDescription {
    pub(crate) member_id: Arc<str>,
    pub(crate) rack_id: Option<Arc<str>>,
    pub(crate) member_epoch: i32,
    pub(crate) client_id: Arc<str>,
    pub(crate) client_host: Arc<str>,
    pub(crate) subscribed_topic_names: BTreeSet<Arc<str>>,
    pub(crate) assignment: Partitions,
}

impl GroupCoordinator {
    /// What is known of a share group.
    ///
    /// # Errors
    /// GROUP_ID_NOT_FOUND also for groups of other types.
    pub(crate) fn describe_share_group(&self, group_id: &str) -> Result<ShareGroupDescription, GroupError> {
        if group_id.is_empty() {
            return Err(ErrorCode::InvalidGroupId.into());
        }
        self.validate_group_status(group_id, Api::AnyGroup)?;
        let not_found = || group_not_found(group_id);
        let group = self.group(group_id).ok_or_else(not_found)?;
        self.with_group(&group, |turn| {
            if turn.state.is(GroupState::Dead) {
                return Err(not_found());
            }
            let group = turn.state.share().ok_or_else(|| not_a_share_group(group_id))?;
            Ok(ShareGroupDescription {
                state: group.state(),
                group_epoch: group.modern.epoch,
                assignment_epoch: group.modern.target.epoch,
                assignor_name: turn.coordinator.share_assignor().into(),
                members: group
                    .modern
                    .members
                    .values()
                    .map(|member| ShareGroupMemberDescription {
                        member_id: Arc::clone(&member.id),
                        rack_id: member.metadata.rack_id.clone(),
                        member_epoch: member.epoch,
                        client_id: Arc::clone(&member.metadata.client_id),
                        client_host: Arc::clone(&member.metadata.client_host),
                        subscribed_topic_names: member.metadata.subscribed_topic_names.clone(),
                        assignment: member.assigned.clone(),
                    })
                    .collect(),
            })
        })
    }

    fn share_assignor(&self) -> &str {
        self.config().group_share_assignors.first().map_or("simple", String::as_str)
    }
}

/// There is no group of the name at all.
pub(super) fn group_not_found(group_id: &str) -> GroupError {
    GroupError::new(ErrorCode::GroupIdNotFound, format!("Group {group_id} not found."))
}
