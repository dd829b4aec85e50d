//! What the handles of one producer share.

use std::ops::Deref;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;

use super::memory::BufferMemory;
use super::topics::Topics;
use super::transactions::{TransactionNumber, Transactions};
use crate::broker::Handle;
use crate::broker::core::{BrokerCore, CloseListener};
use crate::error::{Error, Result};
use crate::model::{ErrorCode, ProducerEpoch, ProducerId};
use crate::record::BatchOptions;
use crate::sys::SeededRng;

/// What must have happened to a record before its [`SendHandle`](crate::SendHandle) is done (Kafka: `acks`).
///
/// Within a process an append cannot get lost on its way, so offsets and errors are known with every choice. The
/// choices differ where the topic asks for a sync to disk, by `flush.messages`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Acks {
    /// It is in the log. Kafka: `acks=0`.
    None,
    /// It is in the leader's log. Kafka: `acks=1`.
    Leader,
    /// It is in the log of every replica that is in sync, and on disk if the topic's `flush.messages` says so.
    /// Kafka: `acks=all`.
    #[default]
    All,
}

#[derive(Clone, Debug)]
pub(super) struct ProducerOptions {
    pub(super) acks: Acks,
    pub(super) batch: BatchOptions,
    pub(super) batch_size_bytes: usize,
    pub(super) linger: Duration,
    pub(super) buffer_memory_bytes: usize,
    pub(super) max_block: Duration,
    pub(super) idempotence: bool,
}

/// What a producer's partitions need of it.
pub(super) struct Common {
    pub(super) core: Arc<BrokerCore>,
    pub(super) options: ProducerOptions,
    pub(super) memory: BufferMemory,
    identity: Mutex<Option<(ProducerId, ProducerEpoch)>>,
    transactions: Option<Transactions>,
    /// The first failure since the last flush.
    failure: Mutex<Option<Arc<Error>>>,
}

/// What the handles of a producer have in common. Where the last of them is dropped, what is open is appended, and then
/// the broker is let go.
pub(super) struct Open {
    shared: Arc<Shared>,
    _core: Handle,
}

/// The producer behind its handles, which the timer may share for a moment.
pub(super) struct Shared {
    pub(super) common: Arc<Common>,
    pub(super) topics: Topics,
    pub(super) rng: SeededRng,
    /// Whether the timer is going to look at the open batches.
    pub(super) is_linger_scheduled: AtomicBool,
    pub(super) closed: AtomicBool,
}

impl Common {
    pub(super) fn new(
        core: Arc<BrokerCore>,
        options: ProducerOptions,
        transactions: Option<Transactions>,
    ) -> Arc<Self> {
        let memory = BufferMemory::new(options.buffer_memory_bytes, Arc::clone(&core.env.clock));
        let (identity, failure) = (Mutex::new(None), Mutex::new(None));
        Arc::new(Common { core, options, memory, identity, transactions, failure })
    }

    /// The id of this producer, asked for when it first appends.
    pub(super) fn producer_id(&self) -> Result<(ProducerId, ProducerEpoch)> {
        let mut identity = self.identity.lock();
        if let Some(identity) = *identity {
            return Ok(identity);
        }
        Ok(*identity.insert((self.core.generate_producer_id()?, 0)))
    }

    /// Those of a transactional producer.
    ///
    /// # Errors
    /// INVALID_TXN_STATE: it is none.
    pub(super) fn transactions(&self) -> Result<&Transactions> {
        self.transactions
            .as_ref()
            .ok_or_else(|| Error::new(ErrorCode::InvalidTxnState, "the producer has no transactional id"))
    }

    /// The transaction that a record belongs to which is sent now; `None` for those outside of any.
    ///
    /// # Errors
    /// INVALID_TXN_STATE: the producer is transactional, and no transaction is open.
    pub(super) fn current_transaction(&self) -> Result<Option<TransactionNumber>> {
        self.transactions.as_ref().map(Transactions::current).transpose()
    }

    pub(super) fn note_failure(&self, error: &Arc<Error>) {
        self.failure.lock().get_or_insert_with(|| Arc::clone(error));
    }

    pub(super) fn take_failure(&self) -> Option<Arc<Error>> {
        self.failure.lock().take()
    }
}

impl Shared {
    fn new(core: Arc<BrokerCore>, options: ProducerOptions, transactions: Option<Transactions>) -> Arc<Self> {
        let shared = Arc::new(Shared {
            rng: SeededRng::new(core.env.rng.next_u64()),
            common: Common::new(core, options, transactions),
            topics: Topics::default(),
            is_linger_scheduled: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        });
        let weak: Weak<Shared> = Arc::downgrade(&shared);
        shared.common.core.add_close_listener(weak);
        shared
    }

    /// Appends everything that was sent so far, and waits for what other threads append meanwhile.
    pub(super) fn append_all(&self) {
        let last: Vec<_> = self.topics.accumulators().iter().filter_map(|a| a.append_open()).collect();
        for batch in last {
            batch.wait();
        }
    }
}

impl CloseListener for Shared {
    fn before_close(&self) {
        self.abort_at_end();
        self.append_all();
    }
}

impl Open {
    pub(super) fn new(
        core: Handle,
        options: ProducerOptions,
        transactions: Option<Transactions>,
    ) -> Arc<Self> {
        Arc::new(Open { shared: Shared::new(Arc::clone(&core), options, transactions), _core: core })
    }
}

impl Deref for Open {
    type Target = Arc<Shared>;

    fn deref(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.shared.append_all();
        if let Some(error) = self.shared.common.take_failure() {
            tracing::error!(%error, "a producer was dropped, and records it had sent were not appended");
        }
    }
}
