use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::ShareConsumer;
use crate::broker::handle::Handle;
use crate::error::{Error, Result};
use crate::model::ErrorCode;

/// Who says what has become of records. Kafka: `share.acknowledgement.mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AcknowledgementMode {
    /// The next poll, or commit, accepts all records of the last poll.
    #[default]
    Implicit,
    /// The program, of each record.
    Explicit,
}

/// How many records a poll gives. Kafka: `share.acquire.mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShareAcquireMode {
    /// Whole batches, as they were appended, even if that is more than
    /// [`max_poll_records`](ShareConsumerBuilder::max_poll_records).
    #[default]
    BatchOptimized,
    /// No more than that.
    RecordLimit,
}

#[derive(Clone, Debug)]
pub(super) struct ShareConsumerOptions {
    pub(super) group_id: Arc<str>,
    pub(super) client_id: Arc<str>,
    pub(super) acknowledgement_mode: AcknowledgementMode,
    pub(super) acquire_mode: ShareAcquireMode,
    pub(super) max_poll_records: i32,
    pub(super) fetch_min_bytes: i32,
    pub(super) fetch_max_bytes: i32,
    pub(super) fetch_max_wait: Duration,
    pub(super) max_poll_interval: Duration,
}

/// How a [`ShareConsumer`] works. The defaults are those of Apache Kafka's share consumer.
///
/// # Examples
/// ```
/// use ottla::{AcknowledgeType, AcknowledgementMode, Broker, NewTopic, ProducerRecord, ShareAcquireMode};
/// use std::time::Duration;
/// # fn main() -> Result<(), ottla::Error> {
/// let broker = Broker::temporary()?;
/// broker.admin().create_topic(NewTopic::new("jobs", 1))?;
/// let mut consumer = broker
///     .share_consumer_builder("workers")
///     .acknowledgement_mode(AcknowledgementMode::Explicit)
///     .acquire_mode(ShareAcquireMode::RecordLimit)
///     .max_poll_records(1)
///     .build()?;
/// consumer.subscribe(["jobs"])?;
/// consumer.poll(Duration::ZERO)?;
/// broker.producer().send(ProducerRecord::new("jobs").value("a job"))?.wait()?;
///
/// let records = consumer.poll(Duration::from_secs(10))?;
/// consumer.acknowledge(&records[0], AcknowledgeType::Release)?;
/// // It is delivered once more.
/// let records = consumer.poll(Duration::from_secs(10))?;
/// assert_eq!(records[0].delivery_count(), 2);
/// consumer.acknowledge(&records[0], AcknowledgeType::Accept)?;
/// consumer.close()?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a builder does nothing until it is built"]
pub struct ShareConsumerBuilder {
    core: Handle,
    options: ShareConsumerOptions,
}

impl ShareConsumerBuilder {
    pub(super) fn new(core: Handle, group_id: String) -> Self {
        let options = ShareConsumerOptions {
            group_id: Arc::from(group_id),
            client_id: Arc::from("ottla"),
            acknowledgement_mode: AcknowledgementMode::Implicit,
            acquire_mode: ShareAcquireMode::BatchOptimized,
            max_poll_records: 500,
            fetch_min_bytes: 1,
            fetch_max_bytes: 50 << 20,
            fetch_max_wait: Duration::from_millis(500),
            max_poll_interval: Duration::from_millis(300_000),
        };
        ShareConsumerBuilder { core, options }
    }

    /// How the consumer calls itself to those who look at the group. Kafka: `client.id`; default `ottla`.
    pub fn client_id(mut self, client_id: impl Into<String>) -> Self {
        self.options.client_id = Arc::from(client_id.into());
        self
    }

    /// Who says what has become of records. Kafka: `share.acknowledgement.mode`; default
    /// [`Implicit`](AcknowledgementMode::Implicit).
    pub fn acknowledgement_mode(mut self, mode: AcknowledgementMode) -> Self {
        self.options.acknowledgement_mode = mode;
        self
    }

    /// How many records a poll gives. Kafka: `share.acquire.mode`; default
    /// [`BatchOptimized`](ShareAcquireMode::BatchOptimized).
    pub fn acquire_mode(mut self, mode: ShareAcquireMode) -> Self {
        self.options.acquire_mode = mode;
        self
    }

    /// The number of records after which a poll takes no other batch. Kafka: `max.poll.records`; default 500, at least 1.
    pub fn max_poll_records(mut self, max_poll_records: i32) -> Self {
        self.options.max_poll_records = max_poll_records;
        self
    }

    /// The bytes that a poll waits for. Kafka: `fetch.min.bytes`; default 1.
    pub fn fetch_min_bytes(mut self, fetch_min_bytes: i32) -> Self {
        self.options.fetch_min_bytes = fetch_min_bytes;
        self
    }

    /// The bytes of batches after which a poll takes no other. Kafka: `fetch.max.bytes`; default 52428800 (50 MiB), at
    /// least 1.
    pub fn fetch_max_bytes(mut self, fetch_max_bytes: i32) -> Self {
        self.options.fetch_max_bytes = fetch_max_bytes;
        self
    }

    /// How long, in milliseconds, polls wait for [`fetch_min_bytes`](Self::fetch_min_bytes) before they take what there is.
    /// Kafka: `fetch.max.wait.ms`; default 500.
    pub fn fetch_max_wait_ms(mut self, fetch_max_wait_ms: u64) -> Self {
        self.options.fetch_max_wait = Duration::from_millis(fetch_max_wait_ms);
        self
    }

    /// How long, in milliseconds, the program may take between two polls. Then the consumer leaves the group, and what it
    /// holds goes to others; the next poll joins again. Kafka: `max.poll.interval.ms`; default 300000 (5 minutes).
    pub fn max_poll_interval_ms(mut self, max_poll_interval_ms: u64) -> Self {
        self.options.max_poll_interval = Duration::from_millis(max_poll_interval_ms);
        self
    }

    /// Makes the consumer.
    ///
    /// # Errors
    /// [`InvalidConfig`](ErrorCode::InvalidConfig): a number is not in its range.
    /// [`InvalidGroupId`](ErrorCode::InvalidGroupId): the group's name is empty.
    pub fn build(self) -> Result<ShareConsumer> {
        let problems: Vec<&str> = [
            (self.options.max_poll_records >= 1, "max.poll.records must be at least 1"),
            (self.options.fetch_max_bytes >= 1, "fetch.max.bytes must be at least 1"),
            (self.options.fetch_min_bytes >= 0, "fetch.min.bytes must be at least 0"),
            (!self.options.max_poll_interval.is_zero(), "max.poll.interval.ms must be at least 1"),
        ]
        .into_iter()
        .filter(|(holds, _)| !holds)
        .map(|(_, problem)| problem)
        .collect();
        if !problems.is_empty() {
            return Err(Error::new(ErrorCode::InvalidConfig, problems.join("; ")));
        }
        if self.options.group_id.trim().is_empty() {
            return Err(Error::new(ErrorCode::InvalidGroupId, "group.id must not be empty"));
        }
        Ok(ShareConsumer::new(self.core, self.options))
    }
}

impl fmt::Debug for ShareConsumerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShareConsumerBuilder").field("options", &self.options).finish_non_exhaustive()
    }
}
