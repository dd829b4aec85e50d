use std::sync::Arc;

use super::Admin;
use crate::broker::consumer;
use crate::broker::coordinator::group::{
    self, DescribedGroup, DescribedGroupMember, GroupState, GroupType, LeavingMember,
};
use crate::error::{Error, Result};
use crate::model::{ErrorCode, TopicPartition};

/// Which groups are asked for; all of them unless it is said.
///
/// # Examples
/// ```
/// use ottla::{Broker, GroupState, ListGroupsOptions};
/// # fn main() -> Result<(), ottla::Error> {
/// let broker = Broker::temporary()?;
/// let idle = ListGroupsOptions::new().in_group_states([GroupState::Empty]).with_protocol_types(["consumer"]);
/// assert!(broker.admin().list_groups(&idle)?.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListGroupsOptions {
    states: Vec<GroupState>,
    types: Vec<GroupType>,
    protocol_types: Vec<String>,
}

impl ListGroupsOptions {
    /// All groups.
    pub fn new() -> Self {
        ListGroupsOptions::default()
    }

    /// Only groups in one of these states.
    #[must_use]
    pub fn in_group_states(mut self, states: impl IntoIterator<Item = GroupState>) -> Self {
        self.states = states.into_iter().collect();
        self
    }

    /// Only groups of one of these types.
    #[must_use]
    pub fn with_types(mut self, types: impl IntoIterator<Item = GroupType>) -> Self {
        self.types = types.into_iter().collect();
        self
    }

    /// Only groups of one of these protocol types: `consumer` for groups of consumers, an empty one for groups that
    /// have committed offsets and never had a member.
    #[must_use]
    pub fn with_protocol_types(mut self, types: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.protocol_types = types.into_iter().map(Into::into).collect();
        self
    }
}

/// A group, as a list of them shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupListing {
    /// The name.
    pub group_id: String,
    /// What its members are, as they said: `consumer`, `connect`; empty if it never had any.
    pub protocol_type: String,
    /// Where it stands.
    pub state: GroupState,
    /// How its members find together.
    pub group_type: GroupType,
}

/// A group as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupDescription {
    /// The name.
    pub group_id: String,
    /// What its members are, as they said: `consumer`, `connect`; empty if it never had any.
    pub protocol_type: String,
    /// Where it stands.
    pub state: GroupState,
    /// How its members find together.
    pub group_type: GroupType,
    /// By what rule partitions are shared (`range`, `cooperative-sticky`, or the broker's `uniform`); empty unless the
    /// group is stable, or the broker assigns.
    pub partition_assignor: String,
    /// How often the group has changed: its generation, or its epoch if the broker assigns.
    pub generation_id: i32,
    /// The broker that coordinates it.
    pub coordinator: i32,
    /// The members, native and remote ones.
    pub members: Vec<MemberDescription>,
}

/// A member of a group as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberDescription {
    /// The name that the broker has given it.
    pub member_id: String,
    /// The name that it has given itself, if it is a static member.
    pub group_instance_id: Option<String>,
    /// What it calls itself; other members may have the same name.
    pub client_id: String,
    /// Where it is.
    pub client_host: String,
    /// What it reads; empty for members of a classic group unless it is a stable one of consumers.
    pub assignment: Vec<TopicPartition>,
}

/// A member that is to leave its group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberToRemove {
    member_id: String,
    group_instance_id: Option<String>,
}

impl MemberToRemove {
    /// The static member of this name.
    pub fn group_instance_id(name: impl Into<String>) -> Self {
        MemberToRemove { member_id: String::new(), group_instance_id: Some(name.into()) }
    }

    /// The member with the id that the broker has given it: see [`MemberDescription::member_id`].
    pub fn member_id(id: impl Into<String>) -> Self {
        MemberToRemove { member_id: id.into(), group_instance_id: None }
    }

    fn leaving<'a>(&'a self, reason: &'a str) -> LeavingMember<'a> {
        LeavingMember {
            member_id: &self.member_id,
            group_instance_id: self.group_instance_id.as_deref(),
            reason: Some(reason),
        }
    }

    fn name(&self) -> &str {
        self.group_instance_id.as_deref().unwrap_or(&self.member_id)
    }
}

impl From<group::GroupListing> for GroupListing {
    fn from(listed: group::GroupListing) -> Self {
        GroupListing {
            group_id: listed.group_id.to_string(),
            protocol_type: listed.protocol_type.to_string(),
            state: listed.state,
            group_type: listed.group_type,
        }
    }
}

impl MemberDescription {
    fn new(member: DescribedGroupMember, is_consumer: bool) -> Self {
        // What a remote leader wrote for other members may be anything; that it cannot be read is theirs to tell.
        let assignment = consumer::Assignment::decode(&member.assignment).ok().filter(|_| is_consumer);
        MemberDescription {
            member_id: member.member_id.to_string(),
            group_instance_id: member.group_instance_id.map(|id| id.to_string()),
            client_id: member.client_id.to_string(),
            client_host: member.client_host.to_string(),
            assignment: assignment.map(|assignment| assignment.partitions).unwrap_or_default(),
        }
    }
}

impl Admin {
    /// The groups of this broker, sorted by name, native ones and remote ones.
    ///
    /// # Errors
    /// [`CoordinatorLoadInProgress`](ErrorCode::CoordinatorLoadInProgress): some are not known yet; try again.
    /// [`BrokerNotAvailable`](ErrorCode::BrokerNotAvailable).
    ///
    /// # Examples
    /// ```
    /// use ottla::{Broker, GroupState, ListGroupsOptions, NewTopic, TopicPartition};
    /// # fn main() -> Result<(), ottla::Error> {
    /// let broker = Broker::temporary()?;
    /// let admin = broker.admin();
    /// admin.create_topic(NewTopic::new("orders", 1))?;
    /// admin.alter_consumer_group_offsets("billing", [(TopicPartition::new("orders", 0), 0)])?;
    ///
    /// let groups = admin.list_groups(&ListGroupsOptions::new())?;
    /// assert_eq!((groups[0].group_id.as_str(), groups[0].state), ("billing", GroupState::Empty));
    /// let stable = ListGroupsOptions::new().in_group_states([GroupState::Stable]);
    /// assert!(admin.list_groups(&stable)?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_groups(&self, options: &ListGroupsOptions) -> Result<Vec<GroupListing>> {
        self.core.ensure_open()?;
        let states: Vec<&str> = options.states.iter().map(|state| state.name()).collect();
        let types: Vec<&str> = options.types.iter().map(|type_| type_.name()).collect();
        let (code, groups) = self.core.groups.list_groups(&states, &types);
        if !code.is_none() {
            return Err(Error::from(code).context("cannot list all groups"));
        }
        let is_asked_for = |group: &GroupListing| {
            options.protocol_types.is_empty() || options.protocol_types.contains(&group.protocol_type)
        };
        Ok(groups.into_iter().map(GroupListing::from).filter(is_asked_for).collect())
    }

    /// What there is to know about a group.
    ///
    /// # Errors
    /// [`GroupIdNotFound`](ErrorCode::GroupIdNotFound) if it does not exist;
    /// [`CoordinatorLoadInProgress`](ErrorCode::CoordinatorLoadInProgress): it is not known yet; try again;
    /// [`BrokerNotAvailable`](ErrorCode::BrokerNotAvailable).
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use ottla::{Broker, GroupState, NewTopic};
    /// # fn main() -> Result<(), ottla::Error> {
    /// let broker = Broker::temporary()?;
    /// broker.admin().create_topic(NewTopic::new("orders", 3))?;
    /// let mut consumer = broker.consumer("billing")?;
    /// consumer.subscribe(["orders"])?;
    /// while consumer.assignment().is_empty() {
    ///     consumer.poll(Duration::from_millis(10))?;
    /// }
    ///
    /// let group = broker.admin().describe_group("billing")?;
    /// assert_eq!((group.state, group.members.len()), (GroupState::Stable, 1));
    /// assert_eq!(group.members[0].assignment, consumer.assignment());
    /// # Ok(())
    /// # }
    /// ```
    pub fn describe_group(&self, group_id: &str) -> Result<GroupDescription> {
        self.ensure_groups(group_id)?;
        let group = match self.core.groups.describe_group(group_id) {
            Ok(group) => group,
            Err(ErrorCode::GroupIdNotFound) => return self.describe_consumer_group(group_id),
            Err(code) => return Err(self.core.group_error(code, group_id)),
        };
        let DescribedGroup { group_id, state, protocol_type, protocol_name, generation_id, members, .. } =
            group;
        let is_consumer = &*protocol_type == consumer::PROTOCOL_TYPE;
        Ok(GroupDescription {
            group_id: group_id.to_string(),
            protocol_type: protocol_type.to_string(),
            state,
            group_type: GroupType::Classic,
            partition_assignor: protocol_name.to_string(),
            generation_id,
            coordinator: self.core.node_id,
            members: members.into_iter().map(|member| MemberDescription::new(member, is_consumer)).collect(),
        })
    }

    fn describe_consumer_group(&self, group_id: &str) -> Result<GroupDescription> {
        let group = match self.core.groups.describe_consumer_group(group_id) {
            Ok(group) => group,
            // It may be a share group; if there is none at all, that is said in the same words as before.
            Err(error) => {
                let share = self.describe_share_group(group_id);
                return share.map_err(|_| self.core.group_error(error.code, group_id));
            }
        };
        let members = group.members.into_iter().map(|member| {
            let mut assignment = Vec::new();
            for (id, partitions) in member.assignment {
                // A topic that is gone has no name any more.
                if let Some(topic) = self.core.metadata.topic_by_id(id) {
                    let name = topic.name();
                    assignment
                        .extend(partitions.into_iter().map(|p| TopicPartition::new(Arc::clone(name), p)));
                }
            }
            assignment.sort();
            MemberDescription {
                member_id: member.member_id.to_string(),
                group_instance_id: member.instance_id.map(|id| id.to_string()),
                client_id: member.client_id.to_string(),
                client_host: member.client_host.to_string(),
                assignment,
            }
        });
        Ok(GroupDescription {
            group_id: group_id.to_owned(),
            protocol_type: consumer::PROTOCOL_TYPE.to_owned(),
            state: group.state,
            group_type: GroupType::Consumer,
            partition_assignor: group.assignor_name.to_string(),
            generation_id: group.group_epoch,
            coordinator: self.core.node_id,
            members: members.collect(),
        })
    }

    /// What there is to know about several groups. Each has its own result, in order.
    pub fn describe_groups<I: AsRef<str>>(
        &self,
        group_ids: impl IntoIterator<Item = I>,
    ) -> Vec<Result<GroupDescription>> {
        group_ids.into_iter().map(|group_id| self.describe_group(group_id.as_ref())).collect()
    }

    /// Deletes a group that has no members, with what it has committed.
    ///
    /// # Errors
    /// [`NonEmptyGroup`](ErrorCode::NonEmptyGroup): it has members;
    /// [`GroupIdNotFound`](ErrorCode::GroupIdNotFound): it does not exist;
    /// [`CoordinatorLoadInProgress`](ErrorCode::CoordinatorLoadInProgress),
    /// [`KafkaStorageError`](ErrorCode::KafkaStorageError), [`BrokerNotAvailable`](ErrorCode::BrokerNotAvailable).
    ///
    /// # Examples
    /// ```
    /// use ottla::{Broker, ErrorCode, NewTopic, TopicPartition};
    /// # fn main() -> Result<(), ottla::Error> {
    /// let broker = Broker::temporary()?;
    /// let admin = broker.admin();
    /// admin.create_topic(NewTopic::new("orders", 1))?;
    /// admin.alter_consumer_group_offsets("billing", [(TopicPartition::new("orders", 0), 0)])?;
    /// admin.delete_group("billing")?;
    /// assert_eq!(admin.delete_group("billing").unwrap_err().code(), ErrorCode::GroupIdNotFound);
    /// # Ok(())
    /// # }
    /// ```
    pub fn delete_group(&self, group_id: &str) -> Result<()> {
        self.ensure_groups(group_id)?;
        let codes = self.core.groups.delete_groups(&[group_id]);
        codes.into_iter().try_for_each(|code| {
            outcome(code).map_err(|code| match self.core.share_group_deletion_failure(code, group_id) {
                Some(failure) => failure.context(format_args!("group '{group_id}'")),
                None => self.core.group_error(code, group_id),
            })
        })
    }

    /// Deletes several groups that have no members, with what they have committed. Each has its own result, in
    /// order; one that cannot be deleted does not keep the others from it.
    pub fn delete_groups<I: AsRef<str>>(&self, group_ids: impl IntoIterator<Item = I>) -> Vec<Result<()>> {
        group_ids.into_iter().map(|group_id| self.delete_group(group_id.as_ref())).collect()
    }

    /// Removes members from a group, and has the others share what these did. Each member has its own result, in
    /// order. A member that is alive hears of it with its next call, and joins again.
    ///
    /// # Errors
    /// [`GroupIdNotFound`](ErrorCode::GroupIdNotFound): the group does not exist;
    /// [`InvalidGroupId`](ErrorCode::InvalidGroupId): its name is empty;
    /// [`CoordinatorLoadInProgress`](ErrorCode::CoordinatorLoadInProgress),
    /// [`BrokerNotAvailable`](ErrorCode::BrokerNotAvailable). Of one member:
    /// [`UnknownMemberId`](ErrorCode::UnknownMemberId).
    ///
    /// # Examples
    /// ```
    /// use ottla::{Broker, ErrorCode, GroupState, MemberToRemove, NewTopic};
    /// use std::time::Duration;
    /// # fn main() -> Result<(), ottla::Error> {
    /// let broker = Broker::temporary()?;
    /// broker.admin().create_topic(NewTopic::new("orders", 1))?;
    /// let mut consumer =
    ///     broker.consumer_builder().group_id("billing").group_instance_id("machine-3").build()?;
    /// consumer.subscribe(["orders"])?;
    /// consumer.poll(Duration::ZERO)?;
    /// drop(consumer); // A static member keeps its place.
    ///
    /// let gone = [MemberToRemove::group_instance_id("machine-3"), MemberToRemove::group_instance_id("machine-4")];
    /// let removed = broker.admin().remove_members_from_group("billing", gone)?;
    /// assert!(removed[0].is_ok());
    /// assert_eq!(removed[1].as_ref().unwrap_err().code(), ErrorCode::UnknownMemberId);
    /// assert_eq!(broker.admin().describe_group("billing")?.state, GroupState::Empty);
    /// # Ok(())
    /// # }
    /// ```
    pub fn remove_members_from_group(
        &self,
        group_id: &str,
        members: impl IntoIterator<Item = MemberToRemove>,
    ) -> Result<Vec<Result<()>>> {
        self.ensure_groups(group_id)?;
        // A group that does not exist has no member that could be unknown: say what is wrong.
        self.core.groups.describe_group(group_id).map_err(|code| self.core.group_error(code, group_id))?;
        let members: Vec<MemberToRemove> = members.into_iter().collect();
        let leaving: Vec<LeavingMember<'_>> =
            members.iter().map(|member| member.leaving("removed by an administrator")).collect();
        let left = self.core.groups.leave_group(group_id, &leaving);
        outcome(left.error).map_err(|code| self.core.group_error(code, group_id))?;
        let result = |(member, code): (&MemberToRemove, ErrorCode)| {
            outcome(code).map_err(|code| {
                self.core
                    .group_error(code, group_id)
                    .context(format_args!("cannot remove member '{}'", member.name()))
            })
        };
        Ok(members.iter().zip(left.members).map(result).collect())
    }

    /// Removes all members from a group.
    ///
    /// # Errors
    /// As [`remove_members_from_group`](Self::remove_members_from_group).
    pub fn remove_all_members_from_group(&self, group_id: &str) -> Result<()> {
        let members = self.describe_group(group_id)?.members;
        let members = members.into_iter().map(|member| MemberToRemove::member_id(member.member_id));
        for result in self.remove_members_from_group(group_id, members)? {
            match result {
                // It has left by itself meanwhile.
                Err(error) if error.code() == ErrorCode::UnknownMemberId => {}
                result => result?,
            }
        }
        Ok(())
    }

    /// Refuses what needs an existing group as long as there can be none.
    pub(super) fn ensure_groups(&self, group_id: &str) -> Result<()> {
        self.core.ensure_open()?;
        if self.core.has_offsets_topic() {
            return Ok(());
        }
        Err(self.core.group_error(ErrorCode::GroupIdNotFound, group_id))
    }
}

/// A code as a result.
pub(super) fn outcome(code: ErrorCode) -> Result<(), ErrorCode> {
    if code.is_none() { Ok(()) } else { Err(code) }
}
