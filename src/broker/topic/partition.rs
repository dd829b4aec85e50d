use std::fmt;
use std::sync::Arc;

use super::reader::RecordReader;
use crate::broker::Handle;
use crate::broker::replica;
use crate::error::{Error, Result};
use crate::log::FetchIsolation;
use crate::model::{ErrorCode, NO_TIMESTAMP, TopicPartition};
use crate::record::RecordBatchBuilder;

/// One partition of a topic: the fastest way in and out of the log.
///
/// Made by [`Topic::partition`](crate::Topic::partition). The handle is cheap to clone and may be shared between
/// threads: appends to one partition are done one after the other, reads never wait for them.
///
/// # Examples
/// A batch is appended as a whole, by one write, and is read back in large chunks:
/// ```
/// use ottla::{BatchOptions, Broker, NewTopic, RecordBatchBuilder};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let broker = Broker::temporary()?;
/// broker.admin().create_topic(NewTopic::new("orders", 1))?;
/// let partition = broker.topic("orders")?.partition(0)?;
///
/// let mut batch = RecordBatchBuilder::new(BatchOptions::default());
/// for i in 0..1000 {
///     batch.append(1_700_000_000_000 + i, None, Some(b"an order"))?;
/// }
/// let appended = partition.append(&mut batch)?;
/// assert_eq!((appended.base_offset, appended.last_offset), (0, 999));
/// assert!(batch.is_empty());
///
/// let mut count = 0;
/// for record in partition.read_from(990) {
///     assert_eq!(record?.offset(), 990 + count);
///     count += 1;
/// }
/// assert_eq!(count, 10);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Partition {
    core: Handle,
    partition: Arc<replica::Partition>,
}

/// Where the records of a batch ended up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AppendedBatch {
    /// The offset of the first record.
    pub base_offset: i64,
    /// The offset of the last record.
    pub last_offset: i64,
    /// The time that the broker gave all records, in milliseconds since the Unix epoch, if the topic has
    /// `message.timestamp.type=LogAppendTime`.
    pub log_append_time: Option<i64>,
}

/// A record's place and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OffsetAndTimestamp {
    /// The record's offset.
    pub offset: i64,
    /// The record's timestamp, in milliseconds since the Unix epoch.
    pub timestamp: i64,
}

impl From<replica::ListedOffset> for OffsetAndTimestamp {
    fn from(listed: replica::ListedOffset) -> Self {
        OffsetAndTimestamp { offset: listed.offset, timestamp: listed.timestamp }
    }
}

impl Partition {
    pub(super) fn new(core: Handle, partition: Arc<replica::Partition>) -> Self {
        Partition { core, partition }
    }

    /// The topic and the partition's number.
    pub fn topic_partition(&self) -> &TopicPartition {
        self.partition.tp()
    }

    /// Appends what the builder holds as one batch; the builder is empty afterwards and keeps its memory. Where
    /// the topic's `flush.messages` asks for it, returns once the batch is on disk.
    ///
    /// The builder's `base_offset` and leader epoch are replaced by the log's.
    ///
    /// # Errors
    /// The records are dropped then, and nothing was appended; only where it was the flush that failed, the batch may be in
    /// the log nevertheless.
    /// - [`InvalidRecord`](crate::ErrorCode::InvalidRecord): no record, a control batch, or no key in a compacted
    ///   topic.
    /// - [`InvalidTxnState`](crate::ErrorCode::InvalidTxnState): a batch of a transaction, which only a
    ///   [`Producer`](crate::Producer) can write.
    /// - [`MessageTooLarge`](crate::ErrorCode::MessageTooLarge): more than the topic's `max.message.bytes`.
    /// - [`InvalidTimestamp`](crate::ErrorCode::InvalidTimestamp): older or newer than the topic allows.
    /// - [`OutOfOrderSequenceNumber`](crate::ErrorCode::OutOfOrderSequenceNumber),
    ///   [`InvalidProducerEpoch`](crate::ErrorCode::InvalidProducerEpoch): what the builder says of its producer
    ///   does not follow what the log knows.
    /// - [`UnknownTopicOrPartition`](crate::ErrorCode::UnknownTopicOrPartition): the topic was deleted.
    /// - [`KafkaStorageError`](crate::ErrorCode::KafkaStorageError): the disk failed.
    /// - [`BrokerNotAvailable`](crate::ErrorCode::BrokerNotAvailable): the broker is closed.
    pub fn append(&self, batch: &mut RecordBatchBuilder) -> Result<AppendedBatch> {
        let appended = self.try_append(batch);
        if appended.is_err() {
            let options = *batch.options();
            batch.reset(options);
        }
        appended.map_err(|error| error.context(format_args!("append to {}", self.topic_partition())))
    }

    fn try_append(&self, batch: &mut RecordBatchBuilder) -> Result<AppendedBatch> {
        self.core.ensure_open()?;
        if batch.options().transactional {
            // Nobody would end the transaction, and readers of committed records would wait for that.
            let message = "a batch of a transaction goes through a transactional Producer";
            return Err(Error::new(ErrorCode::InvalidTxnState, message));
        }
        let info = self.partition.append_built_to_leader(batch)?;
        if info.needs_flush {
            self.partition.flush(info.last_offset + 1)?;
        }
        Ok(AppendedBatch {
            base_offset: info.first_offset,
            last_offset: info.last_offset,
            log_append_time: (info.log_append_time != NO_TIMESTAMP).then_some(info.log_append_time),
        })
    }

    /// Reads from the record at `offset` on, up to the end of the log. If there is no such record any more because
    /// the topic is compacted, reading starts at the next one that there is.
    ///
    /// Nothing is read before the first record is asked for; an `offset` outside the log is an error then.
    pub fn read_from(&self, offset: i64) -> RecordReader {
        RecordReader::new(self.core.clone(), Arc::clone(&self.partition), offset)
    }

    /// The offset of the first record that is still there (or would be, if there is none).
    ///
    /// # Errors
    /// [`UnknownTopicOrPartition`](crate::ErrorCode::UnknownTopicOrPartition) if the topic was deleted;
    /// [`BrokerNotAvailable`](crate::ErrorCode::BrokerNotAvailable) if the broker is closed.
    pub fn earliest_offset(&self) -> Result<i64> {
        self.core.ensure_open()?;
        Ok(self.partition.log()?.log_start_offset())
    }

    /// The offset that the next record will get.
    ///
    /// # Errors
    /// As [`earliest_offset`](Self::earliest_offset).
    pub fn latest_offset(&self) -> Result<i64> {
        self.core.ensure_open()?;
        Ok(self.partition.log()?.high_watermark())
    }

    /// The first record whose timestamp is `timestamp_ms` or later; `None` if there is none.
    ///
    /// # Errors
    /// As [`earliest_offset`](Self::earliest_offset), and
    /// [`KafkaStorageError`](crate::ErrorCode::KafkaStorageError) if the disk failed.
    pub fn offset_for_timestamp(&self, timestamp_ms: i64) -> Result<Option<OffsetAndTimestamp>> {
        self.core.ensure_open()?;
        let spec = replica::OffsetSpec::ForTimestamp(timestamp_ms);
        let found = replica::list_offset(&self.partition, spec, FetchIsolation::HighWatermark)?;
        Ok(found.map(OffsetAndTimestamp::from))
    }

    /// Makes everything that was appended so far survive a power loss. Calls that come together share one sync.
    ///
    /// # Errors
    /// [`KafkaStorageError`](crate::ErrorCode::KafkaStorageError): the disk refused; it is not tried again, and the
    /// log directory is offline until the broker is opened anew.
    pub fn flush(&self) -> Result<()> {
        self.core.ensure_open()?;
        self.partition.flush(self.partition.log()?.log_end_offset())
    }
}

impl fmt::Debug for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.partition, f)
    }
}
