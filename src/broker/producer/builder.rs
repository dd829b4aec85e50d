use std::time::Duration;

use super::Producer;
use super::shared::{Acks, Open, ProducerOptions};
use super::transactions::Transactions;
use crate::broker::Handle;
use crate::error::{Error, Result};
use crate::model::ErrorCode;
use crate::record::{BatchOptions, CompressionType};

/// How a [`Producer`] works. The defaults are those of Apache Kafka's producer, version 4.
///
/// # Examples
/// ```
/// use ottla::{Acks, Broker, CompressionType, ErrorCode, NewTopic, ProducerRecord};
/// # fn main() -> Result<(), ottla::Error> {
/// let broker = Broker::temporary()?;
/// broker.admin().create_topic(NewTopic::new("orders", 1))?;
/// let producer = broker
///     .producer_builder()
///     .compression(CompressionType::Lz4)
///     .batch_size_bytes(256 * 1024)
///     .linger_ms(20)
///     .acks(Acks::Leader)
///     .build()?;
/// producer.send(ProducerRecord::new("orders").value("x"))?.wait()?;
///
/// let error = broker.producer_builder().batch_size_bytes(0).build().unwrap_err();
/// assert_eq!(error.code(), ErrorCode::InvalidConfig);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct ProducerBuilder {
    core: Handle,
    options: ProducerOptions,
    transactional_id: Option<String>,
    transaction_timeout_ms: i32,
}

/// Kafka: `transaction.timeout.ms`.
const TRANSACTION_TIMEOUT_MS: i32 = 60_000;

impl ProducerBuilder {
    pub(super) fn new(core: Handle) -> Self {
        ProducerBuilder {
            core,
            options: Self::default_options(),
            transactional_id: None,
            transaction_timeout_ms: TRANSACTION_TIMEOUT_MS,
        }
    }

    pub(super) fn default_options() -> ProducerOptions {
        ProducerOptions {
            acks: Acks::All,
            batch: BatchOptions::default(),
            batch_size_bytes: 16 * 1024,
            linger: Duration::from_millis(5),
            buffer_memory_bytes: 32 * 1024 * 1024,
            max_block: Duration::from_millis(60_000),
            idempotence: true,
        }
    }

    /// What must have happened to a record before its handle is done. Kafka: `acks`; default [`Acks::All`].
    pub fn acks(mut self, acks: Acks) -> Self {
        self.options.acks = acks;
        self
    }

    /// The codec of the batches. Kafka: `compression.type`; default none. A topic that sets a codec of its own
    /// has its way.
    pub fn compression(mut self, compression: CompressionType) -> Self {
        self.options.batch.compression = compression;
        self
    }

    /// How hard to compress, on the codec's own scale. Kafka: `compression.{gzip,lz4,zstd}.level`; default is the
    /// codec's.
    pub fn compression_level(mut self, level: i32) -> Self {
        self.options.batch.compression_level = Some(level);
        self
    }

    /// The size at which a batch is appended, in bytes before compression. Kafka: `batch.size`; default 16384, at
    /// least 1. Larger batches cost less per record. A topic's `max.message.bytes` bounds it; a record that is
    /// larger makes a batch of its own.
    pub fn batch_size_bytes(mut self, size: usize) -> Self {
        self.options.batch_size_bytes = size;
        self
    }

    /// How long a batch waits for more records, in milliseconds. Kafka: `linger.ms`; default 5. With 0, `send`
    /// appends its record before it returns.
    pub fn linger_ms(mut self, linger_ms: u64) -> Self {
        self.options.linger = Duration::from_millis(linger_ms);
        self
    }

    /// The bytes that all batches together may take that are not appended yet. Kafka: `buffer.memory`; default
    /// 33554432 (32 MiB). A `send` that finds them used up appends the open batches of all partitions.
    pub fn buffer_memory_bytes(mut self, size: usize) -> Self {
        self.options.buffer_memory_bytes = size;
        self
    }

    /// How long `send` may wait, in milliseconds, while other threads are appending and hold all of
    /// [`buffer_memory_bytes`](Self::buffer_memory_bytes). Kafka: `max.block.ms`; default 60000.
    pub fn max_block_ms(mut self, max_block_ms: u64) -> Self {
        self.options.max_block = Duration::from_millis(max_block_ms);
        self
    }

    /// Whether the batches carry a producer id and sequence numbers, by which the log refuses what it has
    /// already. Kafka: `enable.idempotence`; default true. Within a process nothing is sent twice; it is of use to
    /// those who read the log's files or its producers' state.
    pub fn idempotence(mut self, idempotence: bool) -> Self {
        self.options.idempotence = idempotence;
        self
    }

    /// Makes the producer a transactional one. Its id is a name that outlives it: whoever builds a producer with the
    /// same id, in this process or elsewhere, takes over from the one before, which can write no more, and whose open
    /// transaction is aborted. Kafka: `transactional.id`; default none.
    pub fn transactional_id(mut self, transactional_id: impl Into<String>) -> Self {
        self.transactional_id = Some(transactional_id.into());
        self
    }

    /// How long a transaction may be open, in milliseconds, before the broker aborts it. The broker looks every
    /// `transaction.abort.timed.out.transaction.cleanup.interval.ms`. Kafka: `transaction.timeout.ms`; default 60000,
    /// at most the broker's `transaction.max.timeout.ms`.
    pub fn transaction_timeout_ms(mut self, transaction_timeout_ms: i32) -> Self {
        self.transaction_timeout_ms = transaction_timeout_ms;
        self
    }

    /// Makes the producer.
    ///
    /// # Errors
    /// [`InvalidConfig`](ErrorCode::InvalidConfig) if a size is 0, a batch does not fit the buffer memory, or a
    /// transactional producer is to do without idempotence;
    /// [`InvalidTransactionTimeout`](ErrorCode::InvalidTransactionTimeout);
    /// [`InvalidRequest`](ErrorCode::InvalidRequest) if the transactional id is empty;
    /// [`ConcurrentTransactions`](ErrorCode::ConcurrentTransactions) if the transaction of the producer before could
    /// not be aborted yet, as a disk refused;
    /// [`UnsupportedCompressionType`](ErrorCode::UnsupportedCompressionType) if this build lacks the codec.
    pub fn build(mut self) -> Result<Producer> {
        let ProducerOptions { batch_size_bytes, buffer_memory_bytes, batch, .. } = self.options;
        if batch_size_bytes == 0 || batch_size_bytes > i32::MAX as usize {
            return Err(Error::new(
                ErrorCode::InvalidConfig,
                format!("batch.size is {batch_size_bytes}; it must be between 1 and {}", i32::MAX),
            ));
        }
        if buffer_memory_bytes < batch_size_bytes {
            return Err(Error::new(
                ErrorCode::InvalidConfig,
                format!(
                    "buffer.memory is {buffer_memory_bytes}; it must be at least batch.size, {batch_size_bytes}"
                ),
            ));
        }
        if !batch.compression.is_supported() {
            return Err(Error::new(
                ErrorCode::UnsupportedCompressionType,
                format!(
                    "this build has no {}: switch on the crate's feature of that name",
                    batch.compression
                ),
            ));
        }
        let mut transactions = None;
        if let Some(id) = self.transactional_id {
            if !self.options.idempotence {
                return Err(Error::new(
                    ErrorCode::InvalidConfig,
                    "transactional.id needs enable.idempotence",
                ));
            }
            self.options.batch.transactional = true;
            transactions = Some(Transactions::init(&self.core, id, self.transaction_timeout_ms)?);
        }
        Ok(Producer { shared: Open::new(self.core, self.options, transactions) })
    }
}
