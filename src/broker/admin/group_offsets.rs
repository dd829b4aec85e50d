use std::collections::BTreeMap;

use super::Admin;
use super::groups::outcome;
use crate::broker::consumer::OffsetAndMetadata;
use crate::broker::coordinator::group::CommitOffsetsParams;
use crate::broker::core::BrokerCore;
use crate::error::Result;
use crate::model::{ErrorCode, TopicPartition};

/// "Not a member of any generation."
const NO_GENERATION: i32 = -1;

impl Admin {
    /// How far a group has read, in every partition of which it has committed something; nothing at all if there is
    /// no such group.
    ///
    /// # Errors
    /// [`CoordinatorLoadInProgress`](ErrorCode::CoordinatorLoadInProgress): it is not known yet; try again;
    /// [`BrokerNotAvailable`](ErrorCode::BrokerNotAvailable).
    ///
    /// # Examples
    /// ```
    /// use ottla::{Broker, NewTopic, ProducerRecord, TopicPartition};
    /// use std::time::Duration;
    /// # fn main() -> Result<(), ottla::Error> {
    /// let broker = Broker::temporary()?;
    /// let tp = TopicPartition::new("orders", 0);
    /// broker.admin().create_topic(NewTopic::new("orders", 1))?;
    /// broker.producer().send(ProducerRecord::new("orders").value("two pears"))?.wait()?;
    /// let mut consumer = broker.consumer("billing")?;
    /// consumer.assign([tp.clone()])?;
    /// consumer.seek_to_beginning(&[])?;
    /// assert_eq!(consumer.poll(Duration::from_secs(1))?.len(), 1);
    /// consumer.commit()?;
    ///
    /// let offsets = broker.admin().list_consumer_group_offsets("billing")?;
    /// assert_eq!(offsets[&tp].offset, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_consumer_group_offsets(
        &self,
        group_id: &str,
    ) -> Result<BTreeMap<TopicPartition, OffsetAndMetadata>> {
        self.core.ensure_open()?;
        if !self.core.has_offsets_topic() {
            return Ok(BTreeMap::new());
        }
        let fetched = self.core.groups.fetch_offsets(group_id, None, false);
        let fetched = fetched.map_err(|code| self.core.group_error(code, group_id))?;
        let committed =
            |fetched| OffsetAndMetadata::of(fetched).map(|offset| (fetched.topic_partition.clone(), offset));
        Ok(fetched.iter().filter_map(committed).collect())
    }

    /// Sets how far a group without members has read; partitions that are not named stay as they are. A group that
    /// does not exist is made.
    ///
    /// # Errors
    /// - [`UnknownMemberId`](ErrorCode::UnknownMemberId): the group has members, which alone may commit.
    /// - [`UnknownTopicOrPartition`](ErrorCode::UnknownTopicOrPartition): a partition does not exist; nothing was
    ///   changed.
    /// - [`OffsetMetadataTooLarge`](ErrorCode::OffsetMetadataTooLarge): the words of an offset are longer than
    ///   `offset.metadata.max.bytes`; the others are set.
    /// - [`CoordinatorLoadInProgress`](ErrorCode::CoordinatorLoadInProgress): the group is not known yet; try again.
    /// - [`KafkaStorageError`](ErrorCode::KafkaStorageError), [`BrokerNotAvailable`](ErrorCode::BrokerNotAvailable).
    ///
    /// # Examples
    /// ```
    /// use ottla::{Broker, NewTopic, OffsetAndMetadata, TopicPartition};
    /// # fn main() -> Result<(), ottla::Error> {
    /// let broker = Broker::temporary()?;
    /// let admin = broker.admin();
    /// admin.create_topic(NewTopic::new("orders", 1))?;
    /// let tp = TopicPartition::new("orders", 0);
    /// let from = OffsetAndMetadata::new(17).with_metadata("read again, by hand");
    /// admin.alter_consumer_group_offsets("billing", [(tp.clone(), from.clone())])?;
    /// assert_eq!(admin.list_consumer_group_offsets("billing")?[&tp], from);
    /// # Ok(())
    /// # }
    /// ```
    pub fn alter_consumer_group_offsets<O: Into<OffsetAndMetadata>>(
        &self,
        group_id: &str,
        offsets: impl IntoIterator<Item = (TopicPartition, O)>,
    ) -> Result<()> {
        self.core.ensure_open()?;
        let offsets: Vec<(TopicPartition, OffsetAndMetadata)> =
            offsets.into_iter().map(|(tp, offset)| (tp, offset.into())).collect();
        for (tp, _) in &offsets {
            self.partition(tp)?;
        }
        if offsets.is_empty() {
            return Ok(());
        }
        self.core.ensure_offsets_topic()?;
        let codes = self.core.groups.commit_offsets(CommitOffsetsParams {
            knows_member_epochs: true,
            group_id,
            member_id: "",
            group_instance_id: None,
            generation_id: NO_GENERATION,
            retention_time_ms: None,
            offsets: offsets.iter().map(|(tp, offset)| offset.commit(tp)).collect(),
        });
        let partitions = offsets.iter().map(|(tp, _)| tp);
        first_failure(&self.core, partitions.zip(codes), "set the offset of", group_id)
    }

    /// Forgets what a group has committed of some partitions, so that it reads them as new ones.
    ///
    /// # Errors
    /// - [`GroupIdNotFound`](ErrorCode::GroupIdNotFound): the group does not exist.
    /// - [`GroupSubscribedToTopic`](ErrorCode::GroupSubscribedToTopic): members read the topic; offsets of other
    ///   topics are forgotten.
    /// - [`NonEmptyGroup`](ErrorCode::NonEmptyGroup): it has members that are no consumers, so that nobody knows what
    ///   they read.
    /// - [`CoordinatorLoadInProgress`](ErrorCode::CoordinatorLoadInProgress): the group is not known yet; try again.
    /// - [`KafkaStorageError`](ErrorCode::KafkaStorageError), [`BrokerNotAvailable`](ErrorCode::BrokerNotAvailable).
    ///
    /// # Examples
    /// ```
    /// use ottla::{Broker, NewTopic, TopicPartition};
    /// # fn main() -> Result<(), ottla::Error> {
    /// let broker = Broker::temporary()?;
    /// let admin = broker.admin();
    /// admin.create_topic(NewTopic::new("orders", 1))?;
    /// let tp = TopicPartition::new("orders", 0);
    /// admin.alter_consumer_group_offsets("billing", [(tp.clone(), 17)])?;
    /// admin.delete_consumer_group_offsets("billing", &[tp])?;
    /// assert!(admin.list_consumer_group_offsets("billing")?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn delete_consumer_group_offsets(&self, group_id: &str, partitions: &[TopicPartition]) -> Result<()> {
        self.ensure_groups(group_id)?;
        let codes = self.core.groups.delete_offsets(group_id, partitions);
        let codes = codes.map_err(|code| self.core.group_error(code, group_id))?;
        first_failure(&self.core, partitions.iter().zip(codes), "delete the offset of", group_id)
    }
}

fn first_failure<'a>(
    core: &BrokerCore,
    codes: impl IntoIterator<Item = (&'a TopicPartition, ErrorCode)>,
    what: &str,
    group_id: &str,
) -> Result<()> {
    codes.into_iter().try_for_each(|(tp, code)| {
        outcome(code)
            .map_err(|code| core.group_error(code, group_id).context(format_args!("cannot {what} {tp}")))
    })
}
