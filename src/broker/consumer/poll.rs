//! Waiting for records.

use std::time::Duration;

use super::assigned::Budget;
use super::builder::AutoOffsetReset;
use super::records::ConsumerRecords;
use super::{Consumer, Reading};
use crate::error::{Error, Result};
use crate::model::{ErrorCode, TopicPartition};

impl Consumer {
    /// Gives the next records, at most [`max_poll_records`](crate::ConsumerBuilder::max_poll_records) of them; waits
    /// up to `timeout` if there are none yet, and is woken as soon as one is appended. Nothing in all that time, or
    /// [`ConsumerWaker::wake`](crate::ConsumerWaker::wake), gives no records.
    ///
    /// It is also where the consumer takes part in its group: it joins, takes and gives up partitions (and calls the
    /// [`RebalanceListener`](crate::RebalanceListener)), and commits by the way. A program that polls seldom delays
    /// the rebalances of its group; see
    /// [`max_poll_interval_ms`](crate::ConsumerBuilder::max_poll_interval_ms).
    ///
    /// A group that cannot be written to for now, be it that the disk is full, gives no error here: polls give no
    /// records, or those of the partitions that the consumer has already, and try again; the program's log says why.
    /// [`commit`](Self::commit) tells the program.
    ///
    /// # Errors
    /// After an error the consumer goes on where it was, unless [`is_fatal`](Error::is_fatal).
    /// - [`InvalidRequest`](ErrorCode::InvalidRequest): nothing is subscribed or assigned, the consumer is closed, or
    ///   a rebalance listener calls.
    /// - [`OffsetOutOfRange`](ErrorCode::OffsetOutOfRange): there is no position, and
    ///   [`AutoOffsetReset::None`].
    /// - [`UnknownTopicOrPartition`](ErrorCode::UnknownTopicOrPartition): a partition that was
    ///   [assigned](Consumer::assign) does not exist.
    /// - [`CorruptMessage`](ErrorCode::CorruptMessage): a batch is not what was written. [`Consumer::seek`] leads
    ///   past it.
    /// - [`FencedInstanceId`](ErrorCode::FencedInstanceId): another consumer has the same instance id.
    /// - [`GroupMaxSizeReached`](ErrorCode::GroupMaxSizeReached),
    ///   [`InconsistentGroupProtocol`](ErrorCode::InconsistentGroupProtocol),
    ///   [`InvalidSessionTimeout`](ErrorCode::InvalidSessionTimeout): the group does not take the consumer.
    /// - [`KafkaStorageError`](ErrorCode::KafkaStorageError): the disk failed.
    /// - [`BrokerNotAvailable`](ErrorCode::BrokerNotAvailable): the broker is closed.
    pub fn poll(&mut self, timeout: Duration) -> Result<ConsumerRecords> {
        self.ensure_usable()?;
        if matches!(self.reading, Reading::Nothing) {
            return Err(Error::new(
                ErrorCode::InvalidRequest,
                "the consumer has neither subscribed nor assigned",
            ));
        }
        if let Some(membership) = &self.membership {
            membership.begin_poll();
        }
        let result = self.poll_until(self.now().saturating_add(timeout));
        if let Some(membership) = &self.membership {
            membership.end_poll();
        }
        match result {
            // What a part of a broker says that is being closed differs with the moment.
            Err(_) if self.core.is_closed() => self.core.ensure_open().map(|()| ConsumerRecords::default()),
            result => result,
        }
    }

    fn poll_until(&mut self, deadline: Duration) -> Result<ConsumerRecords> {
        loop {
            let seen = self.signal.generation();
            self.core.ensure_open()?;
            let retry_at = self.take_part_in_group()?;
            self.maybe_commit_by_itself();
            self.ensure_positions()?;
            let fetch_at = self.fetch_later();
            let records = if fetch_at.is_none() { self.collect()? } else { ConsumerRecords::default() };
            if !records.is_empty() || self.signal.take_woken() || self.now() >= deadline {
                return Ok(records);
            }
            self.watch();
            if self.has_news() {
                continue;
            }
            let events = [retry_at, self.positions_retry_at, self.next_commit_by_itself(), fetch_at];
            let wake_at = events.into_iter().flatten().min();
            self.signal.wait(seen, Some(wake_at.map_or(deadline, |at| at.min(deadline))));
        }
    }

    pub(super) fn now(&self) -> Duration {
        self.core.env.clock.monotonic()
    }

    /// Until when to wait for `fetch.min.bytes`; `None` if there are that many, or it has taken long enough.
    fn fetch_later(&mut self) -> Option<Duration> {
        let wanted = self.options.fetch_min_bytes;
        if wanted <= 1 {
            return None;
        }
        let now = self.now();
        let until = self.fetch_since.get_or_insert(now).saturating_add(self.options.fetch_max_wait);
        if now >= until {
            return None;
        }
        let mut found = 0usize;
        for partition in &self.assigned {
            found = found.saturating_add(partition.available_bytes(&self.options.limits)?);
        }
        (found < wanted).then_some(until)
    }

    fn collect(&mut self) -> Result<ConsumerRecords> {
        self.fetch_since = None;
        let mut records = ConsumerRecords::default();
        let mut budget =
            Budget { records: self.options.max_poll_records, bytes: self.options.fetch_max_bytes };
        // Starts with the partition at which the last poll has stopped.
        let count = self.assigned.len();
        for turn in 0..count {
            let i = (self.next_to_read + turn) % count;
            if let Err(error) = self.collect_from(i, &mut budget, &mut records) {
                // What was found before it goes first; the error comes again.
                self.next_to_read = i;
                return if records.is_empty() { Err(error) } else { Ok(records) };
            }
            if budget.is_used_up() {
                let is_done = !self.assigned.get(i).is_some_and(|partition| partition.has_rest());
                self.next_to_read = if is_done { i + 1 } else { i };
                return Ok(records);
            }
        }
        Ok(records)
    }

    fn collect_from(&mut self, i: usize, budget: &mut Budget, records: &mut ConsumerRecords) -> Result<()> {
        let had = records.len();
        loop {
            let Some(partition) = self.assigned.get_mut(i) else { return Ok(()) };
            if partition.paused || partition.position().is_none() {
                return Ok(());
            }
            match partition.collect(&mut self.buffers, &self.options.limits, budget, records) {
                Err(error) if error.code() == ErrorCode::OffsetOutOfRange && records.len() == had => {
                    self.reset(i)?;
                }
                Err(error) if error.code() == ErrorCode::UnknownTopicOrPartition => {
                    partition.detach();
                    return Ok(());
                }
                result => return result,
            }
        }
    }

    /// The offset was removed by retention, or the topic was made anew.
    fn reset(&mut self, i: usize) -> Result<()> {
        let Some(partition) = self.assigned.get_mut(i) else { return Ok(()) };
        let (tp, position) = (partition.tp().clone(), partition.position().unwrap_or(-1));
        if self.options.auto_offset_reset == AutoOffsetReset::None {
            return Err(Error::new(
                ErrorCode::OffsetOutOfRange,
                format!("{tp} has no offset {position} any more, and auto.offset.reset is none"),
            ));
        }
        tracing::info!(%tp, position, reset = ?self.options.auto_offset_reset, "the position is out of range");
        partition.forget_position();
        self.reset_to_policy(i)
    }

    fn watch(&mut self) {
        for partition in &mut self.assigned {
            partition.watch(&self.signal);
        }
        self.watch_metadata();
    }

    fn has_news(&mut self) -> bool {
        let isolation = self.options.limits.isolation;
        let has_records = self.assigned.iter().any(|partition| partition.has_news(isolation));
        (has_records && self.fetch_later().is_none()) || self.has_new_metadata()
    }

    /// Iterates over the records one by one, polling for more when they are used up; ends when there was none for
    /// `idle_timeout`. Each record is given with its partition, and shares the memory that it was read into.
    ///
    /// # Examples
    /// ```
    /// use ottla::{Broker, ProducerRecord, TopicPartition};
    /// use std::time::Duration;
    /// # fn main() -> Result<(), ottla::Error> {
    /// let broker = Broker::temporary()?;
    /// let producer = broker.producer();
    /// for value in ["a", "b", "c"] {
    ///     producer.send(ProducerRecord::new("orders").value(value))?;
    /// }
    /// producer.flush()?;
    /// let mut consumer = broker.consumer_builder().build()?;
    /// let tp = TopicPartition::new("orders", 0);
    /// consumer.assign([tp.clone()])?;
    /// consumer.seek(&tp, 1)?;
    /// let mut values = Vec::new();
    /// for next in consumer.iter(Duration::ZERO) {
    ///     let (_, record) = next?;
    ///     values.push(record.value().unwrap().to_vec());
    /// }
    /// assert_eq!(values, [b"b", b"c"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn iter(&mut self, idle_timeout: Duration) -> super::ConsumerIter<'_> {
        super::ConsumerIter::new(self, idle_timeout)
    }

    pub(super) fn index_of(&self, tp: &TopicPartition) -> Result<usize> {
        self.assigned.iter().position(|partition| partition.tp() == tp).ok_or_else(|| {
            Error::new(ErrorCode::InvalidRequest, format!("{tp} is not assigned to the consumer"))
        })
    }
}
