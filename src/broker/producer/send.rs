//! From a record to its place in a batch.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Producer;
use super::accumulator::Offered;
use super::handle::SendHandle;
use super::partitioner::partition_for_key;
use super::record::ProducerRecord;
use super::shared::Shared;
use super::topics::TopicEntry;
use super::transactions::TransactionNumber;
use crate::error::{Error, Result};
use crate::model::{ErrorCode, Timestamp};

impl Producer {
    /// Puts the record into its partition's batch and returns at once, with a handle by which its offset can be
    /// waited for. If this record fills the batch, the calling thread appends it. A topic that does not exist is
    /// made with the broker's default settings if `auto.create.topics.enable` is true (which it is by default).
    ///
    /// The bytes are copied, so the record's may be used again.
    ///
    /// # Errors
    /// What can be told before the append; what becomes of the record after that, its handle tells.
    /// - [`UnknownTopicOrPartition`](ErrorCode::UnknownTopicOrPartition): no such topic, or no such partition.
    /// - [`InvalidTopicException`](ErrorCode::InvalidTopicException): the topic's name is not allowed.
    /// - [`MessageTooLarge`](ErrorCode::MessageTooLarge): the record does not fit the buffer memory.
    /// - [`RequestTimedOut`](ErrorCode::RequestTimedOut): other threads held all of the buffer memory for
    ///   [`max_block_ms`](crate::ProducerBuilder::max_block_ms).
    /// - [`InvalidRequest`](ErrorCode::InvalidRequest): the producer is closed.
    /// - [`InvalidTxnState`](ErrorCode::InvalidTxnState): the producer is transactional, and no transaction is open.
    /// - [`BrokerNotAvailable`](ErrorCode::BrokerNotAvailable): the broker is closed.
    pub fn send(&self, record: ProducerRecord<'_>) -> Result<SendHandle> {
        self.shared.send(record)
    }
}

impl Shared {
    pub(super) fn send(self: &Arc<Self>, record: ProducerRecord<'_>) -> Result<SendHandle> {
        let shared = self;
        if shared.closed.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorCode::InvalidRequest, "the producer is closed"));
        }
        let common = &shared.common;
        common.core.ensure_open()?;
        let transaction = common.current_transaction()?;
        let timestamp = record.timestamp.unwrap_or_else(|| common.core.env.clock.now_ms());
        let entry = shared.topic(record.topic)?;
        match shared.send_to(&entry, &record, (timestamp, transaction)) {
            Err(error) if error.code() == ErrorCode::UnknownTopicOrPartition => {
                // The topic was deleted, or deleted and made again, or given more partitions.
                let entry = shared.refreshed(record.topic, &entry)?;
                shared.send_to(&entry, &record, (timestamp, transaction))
            }
            result => result,
        }
    }
}

impl Shared {
    /// The topic, made if it may be.
    fn topic(&self, name: &str) -> Result<Arc<TopicEntry>> {
        if let Some(entry) = self.topics.get(name) {
            return Ok(entry);
        }
        let topic = self.common.core.topic_or_auto_create(name)?;
        let entry = self.topics.insert(topic);
        entry.refresh(&self.common);
        Ok(entry)
    }

    /// The topic as it is now. One that is still the same keeps its entry, and with it the sequences of its
    /// partitions.
    fn refreshed(&self, name: &str, entry: &Arc<TopicEntry>) -> Result<Arc<TopicEntry>> {
        if self.common.core.metadata.topic(name).is_some_and(|topic| entry.is_of(&topic)) {
            entry.refresh(&self.common);
            return Ok(Arc::clone(entry));
        }
        self.topics.remove(name, entry);
        // Handles of records that wait there are to learn what has happened.
        for accumulator in entry.accumulators() {
            accumulator.append_open();
        }
        self.topic(name)
    }

    fn send_to(
        self: &Arc<Self>,
        entry: &Arc<TopicEntry>,
        record: &ProducerRecord<'_>,
        stamp: (Timestamp, Option<TransactionNumber>),
    ) -> Result<SendHandle> {
        let is_sticky = record.partition.is_none() && record.key.is_none();
        let partition = match (record.partition, record.key) {
            (Some(partition), _) => partition,
            (None, Some(key)) => partition_for_key(key, entry.num_partitions().max(1)),
            (None, None) => entry.sticky_partition(&self.rng),
        };
        let accumulator = entry.accumulator(partition).ok_or_else(|| {
            Error::new(
                ErrorCode::UnknownTopicOrPartition,
                format!("topic '{}' has no partition {partition}", record.topic),
            )
        })?;
        let mut begin_with = None;
        loop {
            match accumulator.offer(record, stamp, begin_with)? {
                Offered::NeedsBatch(size) => {
                    entry.refresh(&self.common);
                    self.reserve(size)?;
                    begin_with = Some(size);
                }
                Offered::Added { handle, begun, sealed } => {
                    if sealed {
                        accumulator.append_sealed();
                        if is_sticky {
                            entry.leave_sticky_partition(partition, &self.rng);
                        }
                    } else if begun {
                        self.schedule_linger();
                    }
                    return Ok(handle);
                }
            }
        }
    }

    /// Takes memory for a batch, by appending other batches if there is no more.
    fn reserve(&self, size: usize) -> Result<()> {
        let memory = &self.common.memory;
        if memory.try_reserve(size) {
            return Ok(());
        }
        if size > memory.total() {
            return Err(Error::new(
                ErrorCode::MessageTooLarge,
                format!("the record needs {size} bytes; buffer.memory is {}", memory.total()),
            ));
        }
        let deadline = self.common.core.env.clock.monotonic().saturating_add(self.common.options.max_block);
        for accumulator in self.topics.accumulators() {
            accumulator.append_open();
        }
        if memory.reserve_by(size, deadline) {
            return Ok(());
        }
        Err(Error::new(
            ErrorCode::RequestTimedOut,
            format!("no {size} bytes of the producer's buffer memory became free in time"),
        ))
    }
}
