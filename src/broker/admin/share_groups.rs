use std::collections::BTreeMap;
use std::sync::Arc;

use super::Admin;
use super::groups::{GroupDescription, MemberDescription};
use crate::broker::coordinator::group::{GroupError, GroupType};
use crate::broker::core::BrokerCore;
use crate::error::{Error, Result};
use crate::model::{Offset, TopicPartition};

/// Where a share group stands in a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShareGroupOffset {
    /// Before this offset all records are dealt with; `None` if the group has not begun to read.
    pub start_offset: Option<Offset>,
    /// How many records are left for the group; `None` if that is not known.
    pub lag: Option<i64>,
}

/// `topic`: of whose state it is told, if it is of one.
fn share_error(core: &BrokerCore, error: GroupError, group_id: &str, topic: Option<&str>) -> Error {
    core.share_group_failure(error.code, group_id, topic)
        .unwrap_or_else(|| Error::new(error.code, error.message))
        .context(format!("share group '{group_id}'"))
}

impl Admin {
    /// Where a share group stands, in every partition that it reads or has read; nothing at all if there is no such
    /// group.
    ///
    /// # Errors
    /// [`CoordinatorLoadInProgress`](crate::ErrorCode::CoordinatorLoadInProgress): it is not known yet; try again;
    /// [`BrokerNotAvailable`](crate::ErrorCode::BrokerNotAvailable).
    ///
    /// # Examples
    /// ```
    /// use ottla::{Broker, NewTopic, TopicPartition};
    /// # fn main() -> Result<(), ottla::Error> {
    /// let broker = Broker::temporary()?;
    /// let admin = broker.admin();
    /// admin.create_topic(NewTopic::new("jobs", 1))?;
    /// let tp = TopicPartition::new("jobs", 0);
    /// admin.alter_share_group_offsets("workers", [(tp.clone(), 0)])?;
    /// assert_eq!(admin.list_share_group_offsets("workers")?[&tp].start_offset, Some(0));
    ///
    /// admin.delete_share_group_offsets("workers", ["jobs"])?;
    /// assert!(admin.list_share_group_offsets("workers")?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_share_group_offsets(
        &self,
        group_id: &str,
    ) -> Result<BTreeMap<TopicPartition, ShareGroupOffset>> {
        self.core.ensure_open()?;
        if !self.core.has_offsets_topic() {
            return Ok(BTreeMap::new());
        }
        let offsets = self.core.share_group_offsets(group_id, None);
        let offsets = offsets.map_err(|error| share_error(&self.core, error, group_id, None))?;
        let standing = offsets.into_iter().map(|of| {
            let start_offset = Some(of.start_offset()).filter(|offset| *offset >= 0);
            (of.offset.topic_partition, ShareGroupOffset { start_offset, lag: of.lag })
        });
        Ok(standing.collect())
    }

    /// Has a share group without members read from these offsets on; partitions that are not named stay as they are. A
    /// group that does not exist is made.
    ///
    /// # Errors
    /// [`NonEmptyGroup`](crate::ErrorCode::NonEmptyGroup): the group has members;
    /// [`GroupIdNotFound`](crate::ErrorCode::GroupIdNotFound): it is a group of another type;
    /// [`UnknownTopicOrPartition`](crate::ErrorCode::UnknownTopicOrPartition): a partition does not exist; the others
    /// are set nevertheless. [`BrokerNotAvailable`](crate::ErrorCode::BrokerNotAvailable).
    pub fn alter_share_group_offsets(
        &self,
        group_id: &str,
        offsets: impl IntoIterator<Item = (TopicPartition, Offset)>,
    ) -> Result<()> {
        self.core.ensure_open()?;
        self.core.ensure_offsets_topic()?;
        let offsets: Vec<(TopicPartition, Offset)> = offsets.into_iter().collect();
        let outcomes = self.core.groups.alter_share_group_offsets(group_id, &offsets);
        let outcomes = outcomes.map_err(|error| share_error(&self.core, error, group_id, None))?;
        outcomes.into_iter().try_for_each(|outcome| match outcome.error {
            None => Ok(()),
            Some(error) => {
                let topic = Some(outcome.topic_partition.topic());
                let error = share_error(&self.core, error, group_id, topic);
                Err(error.context(outcome.topic_partition.to_string()))
            }
        })
    }

    /// Has a share group without members forget where it stands in these topics.
    ///
    /// # Errors
    /// [`NonEmptyGroup`](crate::ErrorCode::NonEmptyGroup): the group has members;
    /// [`GroupIdNotFound`](crate::ErrorCode::GroupIdNotFound): there is no such share group;
    /// [`UnknownTopicOrPartition`](crate::ErrorCode::UnknownTopicOrPartition): a topic does not exist, or the group has
    /// not read it; the others are forgotten nevertheless.
    /// [`BrokerNotAvailable`](crate::ErrorCode::BrokerNotAvailable).
    pub fn delete_share_group_offsets<T: AsRef<str>>(
        &self,
        group_id: &str,
        topics: impl IntoIterator<Item = T>,
    ) -> Result<()> {
        self.ensure_groups(group_id)?;
        let topics: Vec<T> = topics.into_iter().collect();
        let names: Vec<&str> = topics.iter().map(AsRef::as_ref).collect();
        let outcomes = self.core.groups.delete_share_group_offsets(group_id, &names);
        let outcomes = outcomes.map_err(|error| share_error(&self.core, error, group_id, None))?;
        outcomes.into_iter().try_for_each(|outcome| match outcome.error {
            None => Ok(()),
            Some(error) => {
                let error = share_error(&self.core, error, group_id, Some(&*outcome.topic));
                Err(error.context(outcome.topic.to_string()))
            }
        })
    }

    /// What there is to know about a share group.
    pub(super) fn describe_share_group(&self, group_id: &str) -> Result<GroupDescription> {
        let group = self.core.groups.describe_share_group(group_id);
        let group = group.map_err(|error| share_error(&self.core, error, group_id, None))?;
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
                group_instance_id: None,
                client_id: member.client_id.to_string(),
                client_host: member.client_host.to_string(),
                assignment,
            }
        });
        Ok(GroupDescription {
            group_id: group_id.to_owned(),
            protocol_type: GroupType::Share.name().to_owned(),
            state: group.state,
            group_type: GroupType::Share,
            partition_assignor: group.assignor_name.to_string(),
            generation_id: group.group_epoch,
            coordinator: self.core.node_id,
            members: members.collect(),
        })
    }
}
