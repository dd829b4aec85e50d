//! What a consumer reads.

use std::sync::Arc;

use super::assigned::AssignedPartition;
use super::membership::Membership;
use super::{Consumer, Reading};
use crate::error::{Error, Result};
use crate::model::{ErrorCode, TopicPartition, validate_topic_name};

impl Consumer {
    /// Reads these topics together with the other members of the group, from the next [`poll`](Self::poll) on. It
    /// takes the place of what was subscribed or assigned before; no topic is the same as
    /// [`unsubscribe`](Self::unsubscribe). A topic that does not exist is not made, and is read once somebody makes it.
    ///
    /// # Errors
    /// [`InvalidGroupId`](ErrorCode::InvalidGroupId): the consumer has no group, or one without a name.
    /// [`InvalidTopicException`](ErrorCode::InvalidTopicException): no topic can have such a name.
    /// [`InvalidRequest`](ErrorCode::InvalidRequest): a rebalance listener calls.
    pub fn subscribe<T: Into<String>>(&mut self, topics: impl IntoIterator<Item = T>) -> Result<()> {
        self.ensure_usable()?;
        let topics: std::collections::BTreeSet<String> = topics.into_iter().map(Into::into).collect();
        if topics.is_empty() {
            return self.unsubscribe();
        }
        topics.iter().try_for_each(|topic| validate_topic_name(topic))?;
        self.subscribe_to(Reading::Topics(topics))
    }

    /// Reads all topics whose names `matches` admits, those too that are made later, together with the other members
    /// of the group. The broker's own topics are asked for only without
    /// [`exclude_internal_topics`](crate::ConsumerBuilder::exclude_internal_topics).
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    ///
    /// # Examples
    /// ```
    /// use ottla::{AutoOffsetReset, Broker, ProducerRecord};
    /// use std::time::Duration;
    /// # fn main() -> Result<(), ottla::Error> {
    /// let broker = Broker::temporary()?;
    /// let builder = broker.consumer_builder().group_id("g").auto_offset_reset(AutoOffsetReset::Earliest);
    /// let mut consumer = builder.build()?;
    /// consumer.subscribe_matching(|topic| topic.starts_with("orders-"))?;
    /// assert!(consumer.poll(Duration::ZERO)?.is_empty());
    /// broker.producer().send(ProducerRecord::new("orders-eu").value("x"))?.wait()?;
    /// assert_eq!(consumer.poll(Duration::from_secs(10))?.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscribe_matching(&mut self, matches: impl Fn(&str) -> bool + Send + 'static) -> Result<()> {
        self.ensure_usable()?;
        self.subscribe_to(Reading::Matching(Box::new(matches)))
    }

    fn subscribe_to(&mut self, reading: Reading) -> Result<()> {
        if self.options.group_id.as_deref().unwrap_or_default().is_empty() {
            return Err(Error::new(ErrorCode::InvalidGroupId, "to subscribe, the consumer needs a group"));
        }
        if matches!(self.reading, Reading::Assigned) {
            self.unsubscribe()?;
        }
        self.reading = reading;
        self.seen_changes = self.core.metadata.changes();
        match &self.membership {
            Some(membership) => membership.request_rejoin("the subscription has changed"),
            None => self.membership = Some(Membership::new(&self.core, &self.signal, &self.options)),
        }
        Ok(())
    }

    /// Reads these partitions, all of them and alone, without becoming a member of the group (whose committed offsets
    /// are used nevertheless, if there is one). It takes the place of what was subscribed or assigned before; a
    /// partition that was assigned before keeps its position.
    ///
    /// # Errors
    /// [`InvalidRequest`](ErrorCode::InvalidRequest): a rebalance listener calls.
    pub fn assign(&mut self, partitions: impl IntoIterator<Item = TopicPartition>) -> Result<()> {
        self.ensure_usable()?;
        if self.membership.is_some() {
            self.unsubscribe()?;
        }
        self.commit_by_itself();
        let mut before = std::mem::take(&mut self.assigned);
        for tp in partitions {
            if self.assigned.iter().any(|known| *known.tp() == tp) {
                continue;
            }
            let known = before.iter().position(|known| *known.tp() == tp);
            let partition =
                known.map(|i| before.swap_remove(i)).unwrap_or_else(|| AssignedPartition::new(tp));
            self.assigned.push(partition);
        }
        self.next_to_read = 0;
        self.reading = if self.assigned.is_empty() { Reading::Nothing } else { Reading::Assigned };
        Ok(())
    }

    /// Reads nothing any more: commits the positions (if
    /// [`enable_auto_commit`](crate::ConsumerBuilder::enable_auto_commit)), gives all partitions up and leaves the
    /// group.
    ///
    /// # Errors
    /// [`InvalidRequest`](ErrorCode::InvalidRequest): a rebalance listener calls.
    pub fn unsubscribe(&mut self) -> Result<()> {
        self.ensure_usable()?;
        self.leave("the consumer unsubscribed");
        Ok(())
    }

    fn leave(&mut self, reason: &str) {
        if self.membership.is_some() {
            let all = self.assignment();
            self.revoke(&all);
        } else {
            self.commit_by_itself();
        }
        self.assigned.clear();
        self.reading = Reading::Nothing;
        self.led_topics = None;
        if let Some(membership) = self.membership.take() {
            membership.leave(reason);
        }
    }

    /// Commits the positions (if [`enable_auto_commit`](crate::ConsumerBuilder::enable_auto_commit)), gives all
    /// partitions up and leaves the group. Dropping does the same, and writes to the log what this gives as an error.
    ///
    /// # Errors
    /// As [`commit`](Self::commit).
    pub fn close(mut self) -> Result<()> {
        let has_moved = self.next_commit_by_itself().is_some();
        let committed = if has_moved && !self.core.is_closed() { self.commit_positions() } else { Ok(()) };
        self.leave("the consumer was closed");
        committed
    }

    /// The partitions that the consumer reads at the moment, sorted.
    pub fn assignment(&self) -> Vec<TopicPartition> {
        let mut partitions: Vec<TopicPartition> = self.assigned.iter().map(|p| p.tp().clone()).collect();
        partitions.sort();
        partitions
    }

    /// The topics that the consumer has subscribed to, sorted; those that match at the moment, if it has subscribed
    /// by [`subscribe_matching`](Self::subscribe_matching).
    pub fn subscription(&self) -> Vec<String> {
        self.wanted_topics()
    }

    /// Keeps polls from giving records of these partitions, which stay assigned.
    ///
    /// # Errors
    /// [`InvalidRequest`](ErrorCode::InvalidRequest): one of them is not assigned.
    pub fn pause(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.set_paused(partitions, true)
    }

    /// Lets polls give records of these partitions again, from where they stopped.
    ///
    /// # Errors
    /// As [`pause`](Self::pause).
    pub fn resume(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.set_paused(partitions, false)
    }

    fn set_paused(&mut self, partitions: &[TopicPartition], paused: bool) -> Result<()> {
        for tp in partitions {
            let i = self.index_of(tp)?;
            if let Some(partition) = self.assigned.get_mut(i) {
                partition.paused = paused;
            }
        }
        Ok(())
    }

    /// The partitions that are [paused](Self::pause), sorted.
    pub fn paused(&self) -> Vec<TopicPartition> {
        let paused = self.assigned.iter().filter(|partition| partition.paused);
        let mut paused: Vec<TopicPartition> = paused.map(|partition| partition.tp().clone()).collect();
        paused.sort();
        paused
    }

    /// Goes back to a record that was polled and not given on, unless the partition has gone since.
    pub(super) fn seek_back(&mut self, tp: &TopicPartition, offset: i64) {
        if let Some(partition) = self.assigned.iter_mut().find(|partition| partition.tp() == tp) {
            partition.seek(offset);
        }
    }

    pub(super) fn ensure_usable(&self) -> Result<()> {
        if self.is_in_callback {
            return Err(Error::new(
                ErrorCode::InvalidRequest,
                "a rebalance listener cannot poll, nor change what the consumer reads",
            ));
        }
        Ok(())
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Whether the records were dealt with, nobody knows: the next member gets them again.
            self.options.enable_auto_commit = false;
            self.listener = None;
        }
        self.leave("the consumer was dropped");
        if let Some(watch) = self.metadata_watch.take() {
            let is_own = |operation| std::ptr::addr_eq(operation, Arc::as_ptr(&watch));
            self.core.metadata.watchers().forget_if(is_own);
        }
    }
}
