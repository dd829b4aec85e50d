use std::time::Duration;

use super::Consumer;
use super::assignor::PartitionAssignor;
use super::fetch::ReadLimits;
use super::listener::RebalanceListener;
use crate::broker::Handle;
use crate::error::{Error, Result};
use crate::model::{ErrorCode, IsolationLevel};

/// Where to start in a partition of which nothing is committed, or whose committed offset is not there any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AutoOffsetReset {
    /// At the first record that is still there.
    Earliest,
    /// At the end: only what comes from now on.
    #[default]
    Latest,
    /// At the first record that is not older than this, or at the end if there is none. Kafka: `by_duration:PT1H`.
    ByDuration(Duration),
    /// Nowhere: [`poll`](Consumer::poll) fails with [`OffsetOutOfRange`](ErrorCode::OffsetOutOfRange).
    None,
}

/// By which protocol a consumer is a member of its group. A group that has members may have some of either; each sees to
/// its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GroupProtocol {
    /// Members join and sync together, and one of them assigns partitions for all. While they do so, nobody reads.
    #[default]
    Classic,
    /// The broker assigns partitions, and moves only those that must move (KIP-848). How long a session is and how often a
    /// member reports is the group's setting, not the consumer's: `group.consumer.session.timeout.ms`,
    /// `group.consumer.heartbeat.interval.ms`.
    Consumer,
}

#[derive(Clone, Debug)]
pub(super) struct ConsumerOptions {
    pub(super) group_id: Option<String>,
    pub(super) group_instance_id: Option<String>,
    pub(super) client_id: String,
    pub(super) auto_offset_reset: AutoOffsetReset,
    pub(super) enable_auto_commit: bool,
    pub(super) auto_commit_interval: Duration,
    pub(super) max_poll_records: usize,
    pub(super) max_poll_interval_ms: i32,
    pub(super) session_timeout_ms: i32,
    pub(super) heartbeat_interval: Duration,
    pub(super) fetch_min_bytes: usize,
    pub(super) fetch_max_wait: Duration,
    pub(super) fetch_max_bytes: usize,
    pub(super) limits: ReadLimits,
    pub(super) exclude_internal_topics: bool,
    pub(super) assignors: Vec<PartitionAssignor>,
    pub(super) group_protocol: GroupProtocol,
    pub(super) group_remote_assignor: Option<String>,
}

/// How a [`Consumer`] works. The defaults are those of Apache Kafka's consumer. With them a new group begins at the end:
/// what was appended before its first poll is for those who choose
/// [`AutoOffsetReset::Earliest`].
///
/// # Examples
/// ```
/// use ottla::{AutoOffsetReset, Broker, ErrorCode, IsolationLevel, PartitionAssignor};
/// # fn main() -> Result<(), ottla::Error> {
/// let broker = Broker::temporary()?;
/// let mut consumer = broker
///     .consumer_builder()
///     .group_id("billing")
///     .auto_offset_reset(AutoOffsetReset::Earliest)
///     .isolation_level(IsolationLevel::ReadCommitted)
///     .partition_assignors([PartitionAssignor::CooperativeSticky])
///     .enable_auto_commit(false)
///     .build()?;
/// consumer.subscribe(["orders"])?;
///
/// let error = broker.consumer_builder().group_id("g").heartbeat_interval_ms(60_000).build().unwrap_err();
/// assert_eq!(error.code(), ErrorCode::InvalidConfig);
/// # Ok(())
/// # }
/// ```
#[must_use = "a builder does nothing until it is built"]
pub struct ConsumerBuilder {
    core: Handle,
    options: ConsumerOptions,
    listener: Option<Box<dyn RebalanceListener>>,
}

impl ConsumerBuilder {
    pub(super) fn new(core: Handle) -> Self {
        let options = ConsumerOptions {
            group_id: None,
            group_instance_id: None,
            client_id: "ottla".to_owned(),
            auto_offset_reset: AutoOffsetReset::Latest,
            enable_auto_commit: true,
            auto_commit_interval: Duration::from_millis(5_000),
            max_poll_records: 500,
            max_poll_interval_ms: 300_000,
            session_timeout_ms: 45_000,
            heartbeat_interval: Duration::from_millis(3_000),
            fetch_min_bytes: 1,
            fetch_max_wait: Duration::from_millis(500),
            fetch_max_bytes: 50 * 1024 * 1024,
            limits: ReadLimits {
                max_bytes: 1024 * 1024,
                isolation: IsolationLevel::ReadUncommitted,
                checks_crcs: true,
            },
            exclude_internal_topics: true,
            assignors: vec![PartitionAssignor::Range, PartitionAssignor::CooperativeSticky],
            group_protocol: GroupProtocol::Classic,
            group_remote_assignor: None,
        };
        ConsumerBuilder { core, options, listener: None }
    }

    /// The group whose offsets are used, and of which the consumer becomes a member when it subscribes. Kafka:
    /// `group.id`; default none: such a consumer can only [`assign`](Consumer::assign), and commits nothing.
    pub fn group_id(mut self, group_id: impl Into<String>) -> Self {
        self.options.group_id = Some(group_id.into());
        self
    }

    /// Makes the consumer a static member: it keeps its partitions while it is away for less than the session
    /// timeout, and does not leave the group when it is closed. Kafka: `group.instance.id`; default none.
    pub fn group_instance_id(mut self, group_instance_id: impl Into<String>) -> Self {
        self.options.group_instance_id = Some(group_instance_id.into());
        self
    }

    /// The name by which operators see the member. Kafka: `client.id`; default `ottla`.
    pub fn client_id(mut self, client_id: impl Into<String>) -> Self {
        self.options.client_id = client_id.into();
        self
    }

    /// Where to start in a partition without a committed offset, or whose committed offset is not there any more. Kafka:
    /// `auto.offset.reset`; default [`Latest`](AutoOffsetReset::Latest): what was appended before the consumer has
    /// looked for the first time is not read.
    pub fn auto_offset_reset(mut self, auto_offset_reset: AutoOffsetReset) -> Self {
        self.options.auto_offset_reset = auto_offset_reset;
        self
    }

    /// Whether the positions are committed by the way: by a poll, for what the polls before it have given; before
    /// partitions are given up; and when the consumer is closed or dropped. Kafka: `enable.auto.commit`; default
    /// true, if there is a group.
    pub fn enable_auto_commit(mut self, enable_auto_commit: bool) -> Self {
        self.options.enable_auto_commit = enable_auto_commit;
        self
    }

    /// How long it is from one such commit to the next, at least, in milliseconds. Kafka: `auto.commit.interval.ms`;
    /// default 5000.
    pub fn auto_commit_interval_ms(mut self, interval_ms: u64) -> Self {
        self.options.auto_commit_interval = Duration::from_millis(interval_ms);
        self
    }

    /// The most records that one poll gives. Kafka: `max.poll.records`; default 500, at least 1.
    pub fn max_poll_records(mut self, max_poll_records: usize) -> Self {
        self.options.max_poll_records = max_poll_records;
        self
    }

    /// How long it may be from one poll to the next, in milliseconds, before the consumer counts as stuck: it leaves
    /// the group then, and joins again with the next poll. It is also how long a rebalance waits for it. Kafka:
    /// `max.poll.interval.ms`; default 300000.
    pub fn max_poll_interval_ms(mut self, max_poll_interval_ms: i32) -> Self {
        self.options.max_poll_interval_ms = max_poll_interval_ms;
        self
    }

    /// How long the group waits for a sign of life, in milliseconds. As long as this process runs, the broker's timer
    /// gives it, also while the program is busy between polls. Kafka: `session.timeout.ms`; default 45000, within
    /// the broker's `group.min.session.timeout.ms` and `group.max.session.timeout.ms`.
    pub fn session_timeout_ms(mut self, session_timeout_ms: i32) -> Self {
        self.options.session_timeout_ms = session_timeout_ms;
        self
    }

    /// How often that sign is given, in milliseconds, and how long it may take to notice that the group
    /// rebalances. Kafka: `heartbeat.interval.ms`; default 3000, less than the session timeout.
    pub fn heartbeat_interval_ms(mut self, heartbeat_interval_ms: u64) -> Self {
        self.options.heartbeat_interval = Duration::from_millis(heartbeat_interval_ms);
        self
    }

    /// How many bytes of batches a poll waits for before it gives any, in all partitions together and at most for
    /// [`fetch_max_wait_ms`](Self::fetch_max_wait_ms). More than 1 makes a consumer of a slow stream wake up less often.
    /// Kafka: `fetch.min.bytes`; default 1: gives what there is.
    pub fn fetch_min_bytes(mut self, fetch_min_bytes: usize) -> Self {
        self.options.fetch_min_bytes = fetch_min_bytes;
        self
    }

    /// How long, in milliseconds, polls wait for [`fetch_min_bytes`](Self::fetch_min_bytes) before they give what there
    /// is, counted from the first that did not find them. Kafka: `fetch.max.wait.ms`; default 500.
    pub fn fetch_max_wait_ms(mut self, fetch_max_wait_ms: u64) -> Self {
        self.options.fetch_max_wait = Duration::from_millis(fetch_max_wait_ms);
        self
    }

    /// The bytes of batches after which a poll takes no other batch. Kafka: `fetch.max.bytes`; default 52428800
    /// (50 MiB), at least 1.
    pub fn fetch_max_bytes(mut self, fetch_max_bytes: usize) -> Self {
        self.options.fetch_max_bytes = fetch_max_bytes;
        self
    }

    /// The bytes read from a partition at a time, unless the first batch is larger. Kafka:
    /// `max.partition.fetch.bytes`; default 1048576 (1 MiB), at least 1.
    pub fn max_partition_fetch_bytes(mut self, max_partition_fetch_bytes: usize) -> Self {
        self.options.limits.max_bytes = max_partition_fetch_bytes;
        self
    }

    /// Which records of transactions to read. Kafka: `isolation.level`; default
    /// [`ReadUncommitted`](IsolationLevel::ReadUncommitted): all.
    pub fn isolation_level(mut self, isolation_level: IsolationLevel) -> Self {
        self.options.limits.isolation = isolation_level;
        self
    }

    /// Whether to compute each batch's checksum and compare. Kafka: `check.crcs`; default true.
    pub fn check_crcs(mut self, check_crcs: bool) -> Self {
        self.options.limits.checks_crcs = check_crcs;
        self
    }

    /// Whether [`subscribe_matching`](Consumer::subscribe_matching) passes over the broker's own topics. Kafka:
    /// `exclude.internal.topics`; default true.
    pub fn exclude_internal_topics(mut self, exclude_internal_topics: bool) -> Self {
        self.options.exclude_internal_topics = exclude_internal_topics;
        self
    }

    /// The assignors that the consumer knows, the one it likes best first. Kafka: `partition.assignment.strategy`;
    /// default [`Range`](PartitionAssignor::Range), [`CooperativeSticky`](PartitionAssignor::CooperativeSticky). Only
    /// with the latter alone does it go on reading while the group rebalances.
    pub fn partition_assignors(mut self, assignors: impl IntoIterator<Item = PartitionAssignor>) -> Self {
        self.options.assignors = assignors.into_iter().collect();
        self
    }

    /// `group.protocol`: who assigns the partitions of the group; by default a member of it.
    ///
    /// # Examples
    /// ```
    /// use ottla::{AutoOffsetReset, Broker, GroupProtocol, ProducerRecord};
    /// use std::time::Duration;
    /// # fn main() -> Result<(), ottla::Error> {
    /// let broker = Broker::temporary()?;
    /// broker.producer().send(ProducerRecord::new("orders").value("an order"))?.wait()?;
    /// let builder = broker.consumer_builder().group_id("billing").group_protocol(GroupProtocol::Consumer);
    /// let mut consumer = builder.auto_offset_reset(AutoOffsetReset::Earliest).build()?;
    /// consumer.subscribe(["orders"])?;
    /// assert_eq!(consumer.poll(Duration::from_secs(10))?.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn group_protocol(mut self, group_protocol: GroupProtocol) -> Self {
        self.options.group_protocol = group_protocol;
        self
    }

    /// `group.remote.assignor`: how the broker is to assign, `uniform` or `range`, if the members do not leave it to
    /// the broker; what most of them want counts. Only with [`GroupProtocol::Consumer`].
    pub fn group_remote_assignor(mut self, assignor: impl Into<String>) -> Self {
        self.options.group_remote_assignor = Some(assignor.into());
        self
    }

    /// Who is told when partitions come and go; default nobody.
    pub fn rebalance_listener(mut self, listener: impl RebalanceListener + 'static) -> Self {
        self.listener = Some(Box::new(listener));
        self
    }

    /// Makes the consumer.
    ///
    /// # Errors
    /// [`InvalidConfig`](ErrorCode::InvalidConfig): a number is not in its range; no assignor, or one of them twice;
    /// an instance id without a group. [`InvalidGroupId`](ErrorCode::InvalidGroupId): the group's name is empty.
    pub fn build(self) -> Result<Consumer> {
        self.options.check()?;
        Ok(Consumer::new(self.core, self.options, self.listener))
    }
}

impl std::fmt::Debug for ConsumerBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConsumerBuilder").field("options", &self.options).finish_non_exhaustive()
    }
}

impl ConsumerOptions {
    fn check(&self) -> Result<()> {
        let mut problems = Vec::new();
        let mut require = |holds: bool, problem: &str| {
            if !holds {
                problems.push(problem.to_owned());
            }
        };
        require(self.max_poll_records >= 1, "max.poll.records must be at least 1");
        require(self.fetch_max_bytes >= 1, "fetch.max.bytes must be at least 1");
        require(self.limits.max_bytes >= 1, "max.partition.fetch.bytes must be at least 1");
        require(self.max_poll_interval_ms >= 1, "max.poll.interval.ms must be at least 1");
        require(self.session_timeout_ms >= 1, "session.timeout.ms must be at least 1");
        let session_timeout = Duration::from_millis(u64::try_from(self.session_timeout_ms).unwrap_or(0));
        require(
            !self.heartbeat_interval.is_zero() && self.heartbeat_interval < session_timeout,
            "heartbeat.interval.ms must be at least 1 and less than session.timeout.ms",
        );
        require(!self.assignors.is_empty(), "partition.assignment.strategy must name an assignor");
        let is_named_before =
            |(i, assignor): (usize, &PartitionAssignor)| self.assignors.iter().take(i).any(|a| a == assignor);
        require(
            !self.assignors.iter().enumerate().any(is_named_before),
            "partition.assignment.strategy names an assignor twice",
        );
        require(
            self.group_instance_id.is_none() || self.group_id.is_some(),
            "group.instance.id needs a group.id",
        );
        require(
            self.group_remote_assignor.is_none() || self.group_protocol == GroupProtocol::Consumer,
            "group.remote.assignor needs group.protocol=consumer",
        );
        require(self.group_instance_id.as_deref() != Some(""), "group.instance.id must not be empty");
        if !problems.is_empty() {
            return Err(Error::new(ErrorCode::InvalidConfig, problems.join("; ")));
        }
        if self.group_id.as_deref() == Some("") {
            return Err(Error::new(ErrorCode::InvalidGroupId, "group.id must not be empty"));
        }
        Ok(())
    }

    /// Whether all members that use these assignors keep reading during a rebalance.
    pub(super) fn is_cooperative(&self) -> bool {
        self.assignors.iter().all(|assignor| assignor.is_cooperative())
    }

    pub(super) fn commits_by_itself(&self) -> bool {
        self.enable_auto_commit && self.group_id.is_some()
    }
}
