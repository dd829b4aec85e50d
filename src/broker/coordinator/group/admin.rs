use std::sync::Arc;

use bytes::Bytes;

use super::coordinator::{Api, GroupCoordinator};
use super::group_metadata::CONSUMER_PROTOCOL_TYPE;
use super::group_state::{GroupState, GroupType};
use super::turn::GroupTurn;
use crate::model::{ErrorCode, TopicPartition};

/// A group as DescribeGroups shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DescribedGroup {
    pub(crate) group_id: Arc<str>,
    pub(crate) state: GroupState,
    pub(crate) protocol_type: Arc<str>,
    /// Empty unless the group is stable.
    pub(crate) protocol_name: Arc<str>,
    pub(crate) generation_id: i32,
    pub(crate) leader_id: Option<Arc<str>>,
    /// Why the group was last told to rebalance, since it was loaded.
    pub(crate) last_rebalance_reason: Option<String>,
    pub(crate) members: Vec<DescribedGroupMember>,
}

/// A member as DescribeGroups shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DescribedGroupMember {
    pub(crate) member_id: Arc<str>,
    pub(crate) group_instance_id: Option<Arc<str>>,
    pub(crate) client_id: Arc<str>,
    pub(crate) client_host: Arc<str>,
    /// Empty, as is the assignment, unless the group is stable.
    pub(crate) metadata: Bytes,
    pub(crate) assignment: Bytes,
}

/// A group as ListGroups shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GroupListing {
    pub(crate) group_id: Arc<str>,
    pub(crate) protocol_type: Arc<str>,
    pub(crate) state: GroupState,
    pub(crate) group_type: GroupType,
}

impl GroupCoordinator {
    /// What is known of a group.
    ///
    /// # Errors
    /// GROUP_ID_NOT_FOUND for a group that does not exist, which DescribeGroups below v6 calls a dead group
    /// without an error.
    pub(crate) fn describe_group(&self, group_id: &str) -> Result<DescribedGroup, ErrorCode> {
        self.validate_group_status(group_id, Api::AnyGroup)?;
        let group = self.group(group_id).ok_or(ErrorCode::GroupIdNotFound)?;
        self.with_group(&group, |turn| {
            // Groups of other types have requests of their own.
            let is_classic = turn.state.group_type() == GroupType::Classic;
            if turn.state.is(GroupState::Dead) || !is_classic {
                return Err(ErrorCode::GroupIdNotFound);
            }
            Ok(turn.describe())
        })
    }

    /// The groups in one of the states and of one of the types, sorted by id; names are compared without
    /// regard to case, and an empty list admits everything.
    ///
    /// Beside the groups stands an error if they are not all: COORDINATOR_LOAD_IN_PROGRESS.
    pub(crate) fn list_groups(&self, states: &[&str], types: &[&str]) -> (ErrorCode, Vec<GroupListing>) {
        if !self.is_active() {
            return (ErrorCode::CoordinatorNotAvailable, Vec::new());
        }
        let error = if self.is_loading() { ErrorCode::CoordinatorLoadInProgress } else { ErrorCode::None };
        let admits = |filter: &[&str], name: &str| {
            filter.is_empty() || filter.iter().any(|wanted| wanted.eq_ignore_ascii_case(name))
        };
        let mut listed = Vec::new();
        for group in self.all_groups() {
            let (state, group_type, protocol_type) = {
                let state = group.state.lock();
                (state.any_state(), state.group_type(), state.any_protocol_type())
            };
            if state != GroupState::Dead && admits(states, state.name()) && admits(types, group_type.name()) {
                let group_id = Arc::clone(&group.id);
                listed.push(GroupListing { group_id, protocol_type, state, group_type });
            }
        }
        (error, listed)
    }

    /// Deletes groups that have no members, with their offsets. One code for each comes back, in the same
    /// order.
    pub(crate) fn delete_groups(&self, group_ids: &[&str]) -> Vec<ErrorCode> {
        group_ids.iter().map(|id| self.delete_group(id).err().unwrap_or(ErrorCode::None)).collect()
    }

    fn delete_group(&self, group_id: &str) -> Result<(), ErrorCode> {
        self.validate_group_status(group_id, Api::AnyGroup)?;
        let group = self.group(group_id).ok_or(ErrorCode::GroupIdNotFound)?;
        self.delete_state_of_share_group(&group).map_err(|error| error.code)?;
        self.with_group(&group, |turn| match turn.state.any_state() {
            GroupState::Dead => Err(ErrorCode::GroupIdNotFound),
            GroupState::Empty => {
                let partitions = turn.state.offsets.partitions();
                let removed = turn.remove_offsets_or_group(&partitions, true)?;
                turn.outbox.info(|| format!("Group {group_id} was deleted, and {removed} offsets with it"));
                Ok(())
            }
            GroupState::PreparingRebalance
            | GroupState::CompletingRebalance
            | GroupState::Stable
            | GroupState::Assigning
            | GroupState::Reconciling => Err(ErrorCode::NonEmptyGroup),
        })
    }

    /// Deletes what a group has committed of partitions that no member reads. One code for each comes back,
    /// in the same order.
    ///
    /// # Errors
    /// GROUP_ID_NOT_FOUND, and NON_EMPTY_GROUP if there are members of which nobody knows what they read.
    pub(crate) fn delete_offsets(
        &self,
        group_id: &str,
        partitions: &[TopicPartition],
    ) -> Result<Vec<ErrorCode>, ErrorCode> {
        self.validate_group_status(group_id, Api::Membership)?;
        let group = self.group(group_id).ok_or(ErrorCode::GroupIdNotFound)?;
        self.with_group(&group, |turn| {
            turn.refuse_share_group(ErrorCode::GroupIdNotFound)?;
            match turn.state.any_state() {
                GroupState::Dead => return Err(ErrorCode::GroupIdNotFound),
                GroupState::Empty | GroupState::Assigning | GroupState::Reconciling => {}
                GroupState::PreparingRebalance | GroupState::CompletingRebalance | GroupState::Stable => {
                    let is_classic = turn.state.consumer().is_none();
                    if is_classic && turn.state.protocol_type.as_deref() != Some(CONSUMER_PROTOCOL_TYPE) {
                        return Err(ErrorCode::NonEmptyGroup);
                    }
                }
            }
            let is_read = |partition: &TopicPartition| match turn.state.consumer() {
                Some(group) => group.modern.subscribed_topics.contains(partition.topic()),
                None => !turn.state.is(GroupState::Empty) && turn.state.is_subscribed_to(partition.topic()),
            };
            let outcomes: Vec<_> = partitions
                .iter()
                .map(
                    |partition| {
                        if is_read(partition) { ErrorCode::GroupSubscribedToTopic } else { ErrorCode::None }
                    },
                )
                .collect();
            let unread: Vec<_> = partitions.iter().filter(|partition| !is_read(partition)).cloned().collect();
            let removed = turn.remove_offsets_or_group(&unread, false)?;
            turn.outbox.info(|| format!("{removed} offsets of group {group_id} were deleted: {unread:?}"));
            Ok(outcomes)
        })
    }
}

impl GroupTurn<'_> {
    fn describe(&self) -> DescribedGroup {
        let state = &self.state;
        let is_stable = state.is(GroupState::Stable);
        let protocol_name = state.protocol_name.clone().filter(|_| is_stable).unwrap_or_default();
        let members = state.members().iter().map(|member| DescribedGroupMember {
            member_id: Arc::clone(&member.id),
            group_instance_id: member.group_instance_id.clone(),
            client_id: Arc::clone(&member.client_id),
            client_host: Arc::clone(&member.client_host),
            metadata: if is_stable { member.metadata(&protocol_name) } else { Bytes::new() },
            assignment: if is_stable { member.assignment.clone() } else { Bytes::new() },
        });
        DescribedGroup {
            group_id: Arc::clone(&self.group.id),
            state: state.state(),
            protocol_type: state.protocol_type.clone().unwrap_or_default(),
            members: members.collect(),
            protocol_name,
            generation_id: state.generation_id,
            leader_id: state.leader_id.clone(),
            last_rebalance_reason: state.rebalance_reason.clone(),
        }
    }
}
