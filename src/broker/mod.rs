//! The broker: topics, partitions, waiting, groups, and the native way to use them.
//!
//! Some names of `admin` and `topic`, which are the crate's outside, are those of things within, too: `Topic`,
//! `Partition`, `OffsetSpec`. So these two are not exported from here, but from `lib.rs` directly.

mod adoption;

pub(crate) mod admin;
mod builder;
mod consumer;
pub(crate) mod coordinator;
mod coordinator_topic;
mod core;
mod groups;
mod handle;
mod io_threads;
mod log_dir_failures;
mod metadata;
mod moves;
mod nodes;
mod open;
mod producer;
mod purgatory;
mod replica;
pub(crate) mod share;
mod share_consumer;
mod share_group_offsets;
mod share_groups;
mod share_state;
mod skip_time;
#[cfg(feature = "cli")]
mod tools;
pub(crate) mod topic;
mod transactions;

#[cfg(test)]
mod tests;

pub use builder::BrokerBuilder;
pub use consumer::{
    AutoOffsetReset, Consumer, ConsumerBuilder, ConsumerIter, ConsumerRecord, ConsumerRecords,
    ConsumerRecordsIter, ConsumerWaker, GroupProtocol, OffsetAndMetadata, PartitionAssignor,
    RebalanceListener,
};
pub use coordinator::HistoryEvent;
#[cfg(feature = "server")]
pub(crate) use coordinator::NamePattern;
pub(crate) use coordinator::group::{
    CommitOffsetsParams, ConsumerGroupDescription, ConsumerGroupHeartbeatParams,
    ConsumerGroupHeartbeatResult, ConsumerGroupMemberDescription, DescribedGroup, FetchedOffset,
    FetchingMember, GroupError, HeartbeatParams, JoinGroupParams, JoinGroupProtocol, JoinGroupResult,
    LeavingMember, OffsetCommit, ShareGroupDescription, ShareGroupHeartbeatParams, ShareGroupHeartbeatResult,
    ShareGroupMemberDescription, ShareGroupOffsetOutcome, ShareGroupTopicOutcome, SyncGroupParams,
    SyncGroupResult,
};
pub use coordinator::group::{GroupState, GroupType};
pub(crate) use coordinator::share::{
    ReadState, SharePartitionKey, ShareStateError, StateBatch, StateSummary, WriteState,
};
pub(crate) use coordinator::transaction::{
    Joining, ProducerIdAndEpoch, TransactionFilter, TransactionMarker, TransactionState, TransactionVersion,
};
pub(crate) use core::{BrokerCore, Service};
pub(crate) use handle::Handle;
pub(crate) use io_threads::IoThreads;
pub use log_dir_failures::LogDirFailure;
pub use metadata::NewTopic;
pub(crate) use metadata::{ConfigResource, CreatedTopic, MetadataError, NewPartitions, Overrides, Topic};
pub(crate) use nodes::{Nodes, Placement};
pub(crate) use replica::{
    AppendRecordsParams, FetchContext, FetchParams, FetchPartition, FetchPartitionData, FetchSessionRequest,
    FetchTarget, FetchTopic, OffsetSpec, Partition, check_leader_epoch, fetch_or_wait, last_offset_for_epoch,
    legacy_fetch_offsets, list_offset,
};
pub(crate) use share_group_offsets::ShareGroupOffsetAndLag;

pub use producer::{
    Acks, Producer, ProducerBuilder, ProducerRecord, RecordMetadata, SendHandle, Transaction,
};

pub use share_consumer::{
    AcknowledgeType, AcknowledgementMode, ShareAcquireMode, ShareConsumer, ShareConsumerBuilder, ShareRecord,
    ShareRecords,
};

#[cfg(feature = "cli")]
pub use tools::{DumpLog, PayloadDecoder, RepairLogDir, VerifyLogDir};

pub(crate) use crate::log::FetchIsolation;

use crate::error::Result;

/// An event log in this process: topics with partitions, in one or more directories, which any number of
/// [`Producer`](crate::Producer)s and [`Consumer`](crate::Consumer)s of this program use by plain calls, and any
/// Kafka client over a listener.
///
/// The handle is cheap to clone and may be shared between threads.
///
/// # Closing
/// The broker is closed by [`Broker::close`], or where the last handle is dropped: its clones, and what was made from
/// them (producers, consumers, builders, [`Admin`](crate::Admin), topics, partitions, readers, listeners). Requests of
/// remote clients that are being served are no handles, so that no client can keep a broker open. Closing ends the
/// listeners, lets waiting calls return an error with [`ErrorCode::BrokerNotAvailable`](crate::ErrorCode), writes what
/// is needed to open again without a scan, and lets go of the directories: all that is done when `close`, or the drop
/// of the last handle, returns.
///
/// # Examples
/// ```
/// use ottla::{Broker, NewTopic};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// let broker = Broker::open(dir.path())?;
/// broker.admin().create_topic(NewTopic::new("orders", 3))?;
/// broker.close();
///
/// let again = Broker::open(dir.path())?;
/// assert_eq!(again.admin().list_topics(), ["orders"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Broker {
    pub(crate) core: Handle,
}

impl Broker {
    /// Opens the broker whose data is in `dir`, with Kafka's default settings; an empty or missing directory
    /// becomes a new broker.
    ///
    /// # Errors
    /// As [`BrokerBuilder::open`].
    pub fn open(dir: impl AsRef<std::path::Path>) -> Result<Self> {
        Broker::builder().log_dir(dir).open()
    }

    /// A broker with other settings than the default.
    pub fn builder() -> BrokerBuilder {
        BrokerBuilder::new()
    }

    /// A broker for one run: in a new directory below the system's temporary one, without syncing to disk, and
    /// removed when it is closed. Groups start without [`group.initial.rebalance.delay.ms`], their members report often,
    /// and internal topics are small.
    ///
    /// [`group.initial.rebalance.delay.ms`]: https://kafka.apache.org/documentation/#brokerconfigs_group.initial.rebalance.delay.ms
    ///
    /// # Errors
    /// As [`BrokerBuilder::open`].
    pub fn temporary() -> Result<Self> {
        Broker::builder().temporary().open()
    }

    /// The broker's `node.id`.
    pub fn node_id(&self) -> i32 {
        self.core.node_id
    }

    /// The id of the cluster that this broker is, made when its directory was first opened.
    pub fn cluster_id(&self) -> &str {
        &self.core.cluster_id
    }

    /// The directories that hold the data and are not offline.
    pub fn log_dirs(&self) -> Vec<std::path::PathBuf> {
        self.core.live_log_dirs().iter().map(|dir| dir.path().to_owned()).collect()
    }

    /// Closes the broker for all its handles. Later calls on any of them fail with
    /// [`ErrorCode::BrokerNotAvailable`](crate::ErrorCode); closing again does nothing.
    pub fn close(&self) {
        self.core.close();
    }
}
