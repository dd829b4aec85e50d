//! The native consumer of share groups (Kafka: `KafkaShareConsumer`): a member like any remote one, by plain calls.
//!
//! * `builder`: how it works,
//! * `membership`: its place in the group, which the timer keeps,
//! * `fetch`: acquiring records; `acquired`: which of the acquired offsets have one,
//! * `acknowledge`: saying what has become of them,
//! * `records`: what a poll gives.

mod acknowledge;
mod acquired;
mod builder;
mod fetch;
mod membership;
mod records;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

pub use acknowledge::AcknowledgeType;
pub use builder::{AcknowledgementMode, ShareAcquireMode, ShareConsumerBuilder};
pub use records::{ShareRecord, ShareRecords};

use super::Broker;
use super::consumer::{ConsumerWaker, RETRY_BACKOFF, Signal, Watch};
use super::core::CloseListener;
use super::handle::Handle;
use acknowledge::Delivered;
use builder::ShareConsumerOptions;
use membership::ShareMembership;

use crate::error::{Error, Result};
use crate::model::{ErrorCode, Offset, Uuid, validate_topic_name};

/// Takes records from topics that a group shares record by record: any number of consumers work off the same partitions,
/// like the workers of a queue. Each record is given to one of them at a time, for as long as the group's lock lasts; one
/// that is not acknowledged in time, or is released, is given to another, up to the group's limit of deliveries.
///
/// Where a new group begins, how long locks last and how often a record is delivered are settings of the group
/// (`share.auto.offset.reset`, `share.record.lock.duration.ms`, `share.delivery.count.limit`). By default it begins with
/// what is appended once a partition was given to a member, which takes the first polls of a new group about a second
/// (`share.assignment.interval.ms`); in a [temporary](Broker::temporary) broker it is with the first poll.
///
/// # Acknowledging
/// With [`AcknowledgementMode::Implicit`], the default, the next [`poll`](Self::poll) accepts all records of the last
/// one, as does [`commit`](Self::commit). With [`AcknowledgementMode::Explicit`] each record of a poll must be
/// [acknowledged](Self::acknowledge) before the next.
///
/// A consumer belongs to one thread at a time, and may be moved to another; [`waker`](Self::waker) ends its waiting from
/// any thread. It has no thread of its own: signs of life are given by the broker's timer, everything else happens within
/// [`poll`](Self::poll). Remote share consumers that came through a listener can be members of the same group.
///
/// # Closing
/// [`close`](Self::close) commits what was acknowledged and leaves the group; what is still held, such as the records of
/// the last poll in implicit mode, goes to others at once. Dropping does the same, and tells errors in the log alone. One
/// that does not poll keeps its records until their locks end, and its place for
/// [`max_poll_interval_ms`](ShareConsumerBuilder::max_poll_interval_ms).
///
/// # Examples
/// ```
/// use ottla::{Broker, NewTopic, ProducerRecord};
/// use std::time::Duration;
/// # fn main() -> Result<(), ottla::Error> {
/// let broker = Broker::temporary()?;
/// broker.admin().create_topic(NewTopic::new("jobs", 1))?;
/// let mut a = broker.share_consumer("workers")?;
/// let mut b = broker.share_consumer("workers")?;
/// a.subscribe(["jobs"])?;
/// b.subscribe(["jobs"])?;
/// // Where the group begins is decided by the first poll.
/// assert!(a.poll(Duration::ZERO)?.is_empty());
///
/// broker.producer().send(ProducerRecord::new("jobs").value("a job"))?.wait()?;
/// let records = a.poll(Duration::from_secs(10))?;
/// assert_eq!(records.len(), 1);
/// assert_eq!(records[0].value(), Some(&b"a job"[..]));
/// // What one has got, the other does not get.
/// assert!(b.poll(Duration::ZERO)?.is_empty());
/// a.commit()?;
/// # Ok(())
/// # }
/// ```
pub struct ShareConsumer {
    core: Handle,
    options: ShareConsumerOptions,
    membership: Arc<ShareMembership>,
    signal: Arc<Signal>,
    /// Empty before the first [`subscribe`](Self::subscribe).
    subscription: BTreeSet<String>,
    /// What the session is about.
    fetched: Vec<(Uuid, i32)>,
    session_epoch: i32,
    /// What was delivered and is not acknowledged, or not committed.
    delivered: BTreeMap<(Uuid, i32), BTreeMap<Offset, Delivered>>,
    /// Not to fetch before, since something could not be fetched.
    retry_at: Option<Duration>,
    /// What the next poll tells, after records that were found beside it.
    failure: Option<Error>,
    seen_changes: u64,
    metadata_watch: Option<Arc<Watch>>,
}

impl ShareConsumer {
    fn new(core: Handle, options: ShareConsumerOptions) -> Self {
        let signal = Signal::new(Arc::clone(&core.env.clock));
        let weak: Weak<Signal> = Arc::downgrade(&signal);
        core.add_close_listener(weak as Weak<dyn CloseListener>);
        let membership = ShareMembership::new(&core, &options, &signal);
        ShareConsumer {
            core,
            options,
            membership,
            signal,
            subscription: BTreeSet::new(),
            fetched: Vec::new(),
            session_epoch: 0,
            delivered: BTreeMap::new(),
            retry_at: None,
            failure: None,
            seen_changes: 0,
            metadata_watch: None,
        }
    }

    /// The topics to take records from, in place of those before. They need not exist yet.
    ///
    /// # Errors
    /// [`BrokerNotAvailable`](ErrorCode::BrokerNotAvailable): the broker is closed.
    /// [`InvalidTopicException`](ErrorCode::InvalidTopicException): no topic can have such a name.
    pub fn subscribe<T: Into<String>>(&mut self, topics: impl IntoIterator<Item = T>) -> Result<()> {
        self.core.ensure_open()?;
        let topics: BTreeSet<String> = topics.into_iter().map(Into::into).collect();
        if topics.is_empty() {
            return self.unsubscribe();
        }
        topics.iter().try_for_each(|topic| validate_topic_name(topic))?;
        self.subscription = topics;
        self.membership.subscribe(&self.subscription);
        Ok(())
    }

    /// Leaves the group. What was acknowledged is committed, what is still held goes to others.
    ///
    /// # Errors
    /// As [`ShareConsumer::commit`].
    pub fn unsubscribe(&mut self) -> Result<()> {
        let committed = self.commit_decided();
        self.leave();
        self.subscription.clear();
        committed
    }

    /// The topics of the last [`subscribe`](Self::subscribe), sorted.
    pub fn subscription(&self) -> Vec<String> {
        self.subscription.iter().cloned().collect()
    }

    /// The group.
    pub fn group_id(&self) -> &str {
        &self.membership.group_id
    }

    /// The id of this member, which it has made itself.
    pub fn member_id(&self) -> &str {
        &self.membership.member_id
    }

    /// Ends this consumer's waiting, from any thread.
    pub fn waker(&self) -> ConsumerWaker {
        ConsumerWaker::new(&self.signal)
    }

    /// Takes records, or waits for them, no longer than `timeout`. Acknowledgements of the records of the last poll are
    /// committed first; in implicit mode all of them are accepted. That this fails is told in the log alone: the records
    /// are delivered again. [`commit`](Self::commit) tells the program.
    ///
    /// Nor is it an error if the group cannot be written to for now, be it that the disk is full: polls try again, and the
    /// program's log says why.
    ///
    /// # Errors
    /// After an error the consumer goes on where it was, unless [`is_fatal`](Error::is_fatal).
    /// - [`InvalidRequest`](ErrorCode::InvalidRequest): nothing is subscribed, or in explicit mode a record of the last
    ///   poll was not acknowledged.
    /// - [`GroupIdNotFound`](ErrorCode::GroupIdNotFound): a group of another kind has the name.
    /// - [`GroupMaxSizeReached`](ErrorCode::GroupMaxSizeReached),
    ///   [`ShareSessionLimitReached`](ErrorCode::ShareSessionLimitReached): there are too many members.
    /// - [`CorruptMessage`](ErrorCode::CorruptMessage): a batch is not what was written. It is rejected, so that nobody gets
    ///   it again.
    /// - [`KafkaStorageError`](ErrorCode::KafkaStorageError): the disk failed.
    /// - [`BrokerNotAvailable`](ErrorCode::BrokerNotAvailable): the broker is closed.
    pub fn poll(&mut self, timeout: Duration) -> Result<ShareRecords> {
        self.core.ensure_open()?;
        if self.subscription.is_empty() {
            return Err(Error::new(ErrorCode::InvalidRequest, "the consumer is subscribed to nothing"));
        }
        self.membership.begin_poll();
        let deadline = self.now().saturating_add(timeout);
        let result = self.before_poll().and_then(|()| self.poll_until(deadline));
        self.membership.end_poll(self.now());
        match result {
            // What a part of a broker says that is being closed differs with the moment.
            Err(_) if self.core.is_closed() => self.core.ensure_open().map(|()| ShareRecords::default()),
            result => result,
        }
    }

    fn poll_until(&mut self, deadline: Duration) -> Result<ShareRecords> {
        loop {
            let seen = self.signal.generation();
            self.core.ensure_open()?;
            self.watch_topics();
            let place = self.membership.take_part()?;
            if let Some(failure) = self.failure.take() {
                return Err(failure);
            }
            let is_woken = self.signal.take_woken();
            let now = self.now();
            let ask_at = place.is_retried.then(|| now.saturating_add(RETRY_BACKOFF));
            self.retry_at = self.retry_at.filter(|at| *at > now);
            let wait = if is_woken { Duration::ZERO } else { deadline.saturating_sub(now) };
            let can_fetch = !place.assignment.is_empty() && self.retry_at.is_none();
            if can_fetch {
                let wait = wait.min(self.options.fetch_max_wait);
                let records = self.fetch(&place.assignment, wait, seen)?;
                if !records.is_empty() {
                    return Ok(records);
                }
            }
            if is_woken || (self.now() >= deadline && self.failure.is_none()) {
                return Ok(ShareRecords::default());
            }
            if !can_fetch {
                let until = [self.retry_at, ask_at].into_iter().flatten().fold(deadline, Duration::min);
                self.signal.wait(seen, Some(until));
            }
        }
    }

    /// Asks the group anew if topics have come or gone, and is woken when that happens.
    fn watch_topics(&mut self) {
        if self.metadata_watch.as_ref().is_none_or(|watch| watch.has_fired()) {
            let watch = Watch::new(&self.signal);
            self.core.metadata.watchers().watch(Arc::clone(&watch) as _);
            self.metadata_watch = Some(watch);
        }
        let changes = self.core.metadata.changes();
        if std::mem::replace(&mut self.seen_changes, changes) != changes {
            self.membership.look_again();
            self.retry_at = None;
        }
    }

    fn now(&self) -> Duration {
        self.core.env.clock.monotonic()
    }

    /// Commits what was acknowledged, and leaves the group.
    ///
    /// # Errors
    /// As [`ShareConsumer::commit`]; the consumer is closed nevertheless.
    pub fn close(mut self) -> Result<()> {
        self.unsubscribe()
    }

    fn leave(&mut self) {
        self.membership.leave();
        if self.session_epoch > 0 {
            self.core.share_groups.release_session(&self.membership.session_key);
        }
        self.session_epoch = 0;
        self.fetched.clear();
        self.delivered.clear();
        self.retry_at = None;
    }
}

impl Drop for ShareConsumer {
    fn drop(&mut self) {
        if self.core.is_closed() {
            return;
        }
        if let Err(error) = self.unsubscribe() {
            tracing::warn!(group = self.group_id(), %error, "a share consumer could not commit when it was dropped");
        }
    }
}

impl fmt::Debug for ShareConsumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShareConsumer")
            .field("group_id", &self.membership.group_id)
            .field("member_id", &self.membership.member_id)
            .field("subscription", &self.subscription)
            .finish_non_exhaustive()
    }
}

impl Broker {
    /// A consumer of a share group, with the default settings: see [`ShareConsumerBuilder`].
    ///
    /// # Errors
    /// [`InvalidGroupId`](ErrorCode::InvalidGroupId): the group's name is empty.
    pub fn share_consumer(&self, group_id: impl Into<String>) -> Result<ShareConsumer> {
        self.share_consumer_builder(group_id).build()
    }

    /// A consumer of a share group with other settings than the default.
    pub fn share_consumer_builder(&self, group_id: impl Into<String>) -> ShareConsumerBuilder {
        ShareConsumerBuilder::new(self.core.clone(), group_id.into())
    }
}
