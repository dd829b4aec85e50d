//! What `send` gives back: the promise of an offset.

use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

use parking_lot::{Condvar, Mutex};

use super::accumulator::Accumulator;
use crate::error::{Error, Result};
use crate::model::{NO_TIMESTAMP, Offset, Timestamp, TopicPartition};

/// Where a record ended up (Kafka: `RecordMetadata`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordMetadata {
    /// The topic and partition.
    pub topic_partition: TopicPartition,
    /// The record's number within the partition.
    pub offset: i64,
    /// The record's timestamp, in milliseconds since the Unix epoch: the producer's, or the broker's if the topic
    /// has `message.timestamp.type=LogAppendTime`.
    pub timestamp: i64,
}

impl RecordMetadata {
    /// The topic.
    pub fn topic(&self) -> &str {
        self.topic_partition.topic()
    }

    /// The partition, from 0.
    pub fn partition(&self) -> i32 {
        self.topic_partition.partition()
    }
}

/// A record that was sent and may not be in the log yet. Made by [`Producer::send`](crate::Producer::send).
///
/// It may be dropped: the record goes its way all the same, and [`Producer::flush`](crate::Producer::flush) tells
/// whether one failed. Cloning is cheap, and clones may be waited for on several threads.
///
/// # Examples
/// ```
/// use ottla::{Broker, NewTopic, ProducerRecord};
/// # fn main() -> Result<(), ottla::Error> {
/// let broker = Broker::temporary()?;
/// broker.admin().create_topic(NewTopic::new("orders", 1))?;
/// // Nothing goes before the batch is full, five minutes have passed, or somebody waits.
/// let producer = broker.producer_builder().linger_ms(300_000).build()?;
/// let first = producer.send(ProducerRecord::new("orders").value("a"))?;
/// let second = producer.send(ProducerRecord::new("orders").value("b"))?;
/// assert!(first.try_get().is_none());
///
/// assert_eq!(second.wait()?.offset, 1);
/// assert_eq!(first.try_get().unwrap()?.offset, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SendHandle {
    pub(super) batch: Arc<BatchState>,
    pub(super) index: i32,
    pub(super) timestamp: Timestamp,
}

impl SendHandle {
    /// Blocks until the record is in the log, or has failed. If its batch is still open, the calling thread
    /// appends it, without waiting for [`linger_ms`](crate::ProducerBuilder::linger_ms).
    ///
    /// # Errors
    /// Why the record is not in the log; all records of a batch fail together. Among others:
    /// [`MessageTooLarge`](crate::ErrorCode::MessageTooLarge) (the topic's `max.message.bytes`),
    /// [`InvalidRecord`](crate::ErrorCode::InvalidRecord) (no key in a compacted topic),
    /// [`InvalidTimestamp`](crate::ErrorCode::InvalidTimestamp),
    /// [`UnknownTopicOrPartition`](crate::ErrorCode::UnknownTopicOrPartition) (deleted meanwhile),
    /// [`KafkaStorageError`](crate::ErrorCode::KafkaStorageError) (the disk),
    /// [`BrokerNotAvailable`](crate::ErrorCode::BrokerNotAvailable) (closed meanwhile).
    pub fn wait(&self) -> Result<RecordMetadata> {
        let outcome = self.batch.wait();
        self.metadata(outcome)
    }

    /// What [`wait`](Self::wait) would give, if that is known already; never blocks.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub fn try_get(&self) -> Option<Result<RecordMetadata>> {
        self.batch.outcome.get().map(|outcome| self.metadata(outcome))
    }

    /// The topic and partition that the record goes to.
    pub fn topic_partition(&self) -> &TopicPartition {
        &self.batch.topic_partition
    }

    fn metadata(&self, outcome: &Outcome) -> Result<RecordMetadata> {
        match outcome {
            Ok(appended) => Ok(RecordMetadata {
                topic_partition: self.batch.topic_partition.clone(),
                offset: appended.base_offset + i64::from(self.index),
                timestamp: match appended.log_append_time {
                    NO_TIMESTAMP => self.timestamp,
                    time => time,
                },
            }),
            Err(error) => Err(not_appended(error)),
        }
    }
}

impl fmt::Debug for SendHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendHandle")
            .field("topic_partition", &self.batch.topic_partition)
            .field("outcome", &self.try_get())
            .finish_non_exhaustive()
    }
}

/// What became of a batch.
pub(super) type Outcome = Result<Appended, Arc<Error>>;

#[derive(Clone, Copy, Debug)]
pub(super) struct Appended {
    pub(super) base_offset: Offset,
    pub(super) log_append_time: Timestamp,
}

/// What the handles of a batch's records share (Kafka: `ProduceRequestResult`).
pub(super) struct BatchState {
    topic_partition: TopicPartition,
    /// Gone once the producer is, which has appended everything then.
    accumulator: Weak<Accumulator>,
    outcome: OnceLock<Outcome>,
    lock: Mutex<()>,
    completed: Condvar,
}

impl BatchState {
    pub(super) fn new(topic_partition: TopicPartition, accumulator: Weak<Accumulator>) -> Arc<Self> {
        Arc::new(BatchState {
            topic_partition,
            accumulator,
            outcome: OnceLock::new(),
            lock: Mutex::new(()),
            completed: Condvar::new(),
        })
    }

    /// Tells everybody. Only the first call counts.
    pub(super) fn complete(&self, outcome: Outcome) {
        if self.outcome.set(outcome).is_ok() {
            // Taking the lock orders this after a waiter's last look.
            drop(self.lock.lock());
            self.completed.notify_all();
        }
    }

    pub(super) fn outcome(&self) -> Option<&Outcome> {
        self.outcome.get()
    }

    pub(super) fn wait(&self) -> &Outcome {
        if self.outcome.get().is_none()
            && let Some(accumulator) = self.accumulator.upgrade()
        {
            accumulator.append_batch(self);
        }
        let mut guard = self.lock.lock();
        loop {
            if let Some(outcome) = self.outcome.get() {
                return outcome;
            }
            self.completed.wait(&mut guard);
        }
    }
}

/// What each of the records is told that `error` kept from the log.
pub(super) fn not_appended(error: &Arc<Error>) -> Error {
    Error::shared("the record was not appended", error)
}
