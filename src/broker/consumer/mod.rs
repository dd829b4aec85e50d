//! Reading records from within the process.

mod assigned;
mod assignor;
mod builder;
mod fetch;
mod heartbeat;
mod iter;
mod listener;
mod membership;
mod offsets;
mod poll;
mod positions;
pub(in crate::broker) mod protocol;
mod rebalance;
mod records;
mod signal;
mod subscribe;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use assigned::AssignedPartition;
pub use assignor::PartitionAssignor;
use assignor::PartitionCounts;
use builder::ConsumerOptions;
pub use builder::{AutoOffsetReset, ConsumerBuilder, GroupProtocol};
pub(crate) use fetch::{ChunkBuffers, PartitionReader, ReadLimits};
pub use iter::ConsumerIter;
pub use listener::RebalanceListener;
use membership::Membership;
pub use offsets::OffsetAndMetadata;
pub(super) use positions::RETRY_BACKOFF;
use protocol::NO_GENERATION;
pub(super) use protocol::{Assignment, PROTOCOL_TYPE};
pub(super) use rebalance::CLIENT_HOST;
pub use records::{ConsumerRecord, ConsumerRecords, ConsumerRecordsIter};
pub use signal::ConsumerWaker;
pub(super) use signal::{Signal, Watch};

use super::Broker;
use super::handle::Handle;
use crate::error::Result;
use crate::model::TopicPartition;

/// Reads records of topics of the broker in this process, alone or as a member of a group.
///
/// Made by [`Broker::consumer`], or with other settings by [`Broker::consumer_builder`]. Members of a group share the
/// partitions of the topics they [`subscribe`](Self::subscribe) to, and go on where another one has committed; remote
/// consumers that came through a listener can be members of the same group. With [`assign`](Self::assign) a consumer
/// reads the partitions it chooses, on its own.
///
/// A consumer belongs to one thread at a time, and may be moved to another; [`waker`](Self::waker) ends its waiting
/// from any thread. It has no thread of its own: signs of life are given by the broker's timer, everything else
/// happens within [`poll`](Self::poll).
///
/// # Closing
/// [`close`](Self::close), and dropping, commit the positions (if
/// [`enable_auto_commit`](ConsumerBuilder::enable_auto_commit)), and leave the group, so that the others take over at
/// once; a member with a [`group_instance_id`](ConsumerBuilder::group_instance_id) keeps its place for the session
/// timeout. Neither waits for anybody. A consumer that is dropped by a panic commits nothing.
///
/// # Examples
/// ```
/// use ottla::{AutoOffsetReset, Broker, NewTopic, ProducerRecord};
/// use std::time::Duration;
/// # fn main() -> Result<(), ottla::Error> {
/// let broker = Broker::temporary()?;
/// broker.admin().create_topic(NewTopic::new("orders", 3))?;
/// let producer = broker.producer();
/// for i in 0..100 {
///     producer.send(ProducerRecord::new("orders").key(&format!("customer {}", i % 7)).value("an order"))?;
/// }
/// producer.flush()?;
///
/// let builder = broker.consumer_builder().group_id("billing").auto_offset_reset(AutoOffsetReset::Earliest);
/// let mut consumer = builder.build()?;
/// consumer.subscribe(["orders"])?;
/// let mut count = 0;
/// while count < 100 {
///     for record in &consumer.poll(Duration::from_secs(1))? {
///         assert!(record.key().unwrap().starts_with(b"customer"));
///         count += 1;
///     }
///     consumer.commit()?;
/// }
/// # Ok(())
/// # }
/// ```
pub struct Consumer {
    core: Handle,
    options: ConsumerOptions,
    signal: Arc<Signal>,
    buffers: ChunkBuffers,
    reading: Reading,
    assigned: Vec<AssignedPartition>,
    /// The partition with which the next poll starts.
    next_to_read: usize,
    positions_retry_at: Option<Duration>,
    /// Since when records are waited for, if there is to be a number of bytes of them.
    fetch_since: Option<Duration>,
    auto_commit_at: Duration,
    membership: Option<Arc<Membership>>,
    listener: Option<Box<dyn RebalanceListener>>,
    is_in_callback: bool,
    /// What was said at the last join.
    joined_topics: Vec<String>,
    /// What the group gave last, and in which generation.
    last_assignment: (Vec<TopicPartition>, i32),
    /// The topics of the whole group with their numbers of partitions, if this consumer leads it.
    led_topics: Option<(Vec<String>, PartitionCounts)>,
    seen_changes: u64,
    metadata_watch: Option<Arc<Watch>>,
}

/// What a consumer reads.
enum Reading {
    Nothing,
    Topics(BTreeSet<String>),
    Matching(Box<dyn Fn(&str) -> bool + Send>),
    Assigned,
}

impl Consumer {
    fn new(core: Handle, options: ConsumerOptions, listener: Option<Box<dyn RebalanceListener>>) -> Self {
        let signal = Signal::new(Arc::clone(&core.env.clock));
        let weak: Weak<Signal> = Arc::downgrade(&signal);
        core.add_close_listener(weak);
        Consumer {
            auto_commit_at: core.env.clock.monotonic().saturating_add(options.auto_commit_interval),
            core,
            options,
            signal,
            buffers: ChunkBuffers::default(),
            reading: Reading::Nothing,
            assigned: Vec::new(),
            next_to_read: 0,
            positions_retry_at: None,
            fetch_since: None,
            membership: None,
            listener,
            is_in_callback: false,
            joined_topics: Vec::new(),
            last_assignment: (Vec::new(), NO_GENERATION),
            led_topics: None,
            seen_changes: 0,
            metadata_watch: None,
        }
    }

    /// Ends this consumer's waiting, from any thread.
    pub fn waker(&self) -> ConsumerWaker {
        ConsumerWaker::new(&self.signal)
    }
}

impl fmt::Debug for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer")
            .field("group_id", &self.options.group_id)
            .field("assignment", &self.assignment())
            .finish_non_exhaustive()
    }
}

impl Broker {
    /// A consumer of a group, with the default settings: see [`ConsumerBuilder`].
    ///
    /// # Errors
    /// [`InvalidGroupId`](crate::ErrorCode::InvalidGroupId): the group's name is empty.
    pub fn consumer(&self, group_id: impl Into<String>) -> Result<Consumer> {
        self.consumer_builder().group_id(group_id).build()
    }

    /// A consumer with other settings than the default, or without a group.
    pub fn consumer_builder(&self) -> ConsumerBuilder {
        ConsumerBuilder::new(self.core.clone())
    }
}
