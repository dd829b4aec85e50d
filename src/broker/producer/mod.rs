//! Writing records from within the process.

mod accumulator;
mod builder;
mod handle;
mod linger;
mod memory;
mod partitioner;
mod record;
mod send;
mod shared;
mod topics;
mod transaction;
mod transactions;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub use builder::ProducerBuilder;
pub use handle::{RecordMetadata, SendHandle};
pub(crate) use partitioner::partition_for_key;
pub use record::ProducerRecord;
pub use shared::Acks;
use shared::Open;
pub use transaction::Transaction;

use super::Broker;
use crate::error::Result;

/// Appends records to topics of the broker in this process.
///
/// Made by [`Broker::producer`], or with other settings by [`Broker::producer_builder`]. Cloning gives another
/// handle to the same producer; it may be shared between threads. Records that one thread sends to one partition
/// are appended in the order in which they were sent.
///
/// # Which partition
/// The one that the record names; else, if it has a key, the one that every Kafka client with the default
/// partitioner chooses (murmur2 of the key); else any, the same until a batch is full. Partitions that are added
/// to a topic count from about the next batch on.
///
/// # When a record is appended
/// [`send`](Producer::send) puts the record into its partition's batch and returns. The batch is appended by the
/// thread that fills it, by a thread that waits for one of its records, or
/// [`linger_ms`](ProducerBuilder::linger_ms) after its first record, whichever comes first. A producer has no
/// thread of its own.
///
/// # Transactions
/// With a [`transactional_id`](ProducerBuilder::transactional_id), what is sent between
/// [`begin_transaction`](Producer::begin_transaction) and [`Transaction::commit`] becomes visible as a whole, together
/// with the offsets of what was read for it, or not at all.
///
/// # Closing
/// [`close`](Producer::close), and dropping the last handle, append what is open; so does
/// [`Broker::close`]. A record that was sent is thus lost only if its append fails, which
/// its handle, [`flush`](Producer::flush) and `close` tell.
///
/// # Examples
/// ```
/// use ottla::{Broker, NewTopic, ProducerRecord};
/// # fn main() -> Result<(), ottla::Error> {
/// let broker = Broker::temporary()?;
/// broker.admin().create_topic(NewTopic::new("orders", 1))?;
///
/// let producer = broker.producer();
/// for i in 0..1000 {
///     producer.send(ProducerRecord::new("orders").key("k").value(&format!("order {i}")))?;
/// }
/// producer.flush()?;
/// assert_eq!(broker.topic("orders")?.partition(0)?.latest_offset()?, 1000);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Producer {
    shared: Arc<Open>,
}

impl Producer {
    /// Appends everything that was sent so far, by any thread, and returns when it is done.
    ///
    /// # Errors
    /// The first failure of a record since the last flush. With `Ok`, all records sent since then are in the log.
    pub fn flush(&self) -> Result<()> {
        self.shared.append_all();
        match self.shared.common.take_failure() {
            None => Ok(()),
            Some(error) => Err(handle::not_appended(&error)),
        }
    }

    /// What the timer has of it while it looks for batches that have waited long enough.
    #[cfg(test)]
    pub(super) fn share(&self) -> impl Sized + use<> {
        Arc::clone(&**self.shared)
    }

    /// Appends what is open and ends the producer for all its handles: a later `send` fails. A transaction that is open
    /// is aborted. Closing again does nothing.
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    pub fn close(&self) -> Result<()> {
        self.shared.closed.store(true, Ordering::SeqCst);
        self.shared.abort_at_end();
        self.flush()
    }
}

impl fmt::Debug for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer").field("options", &self.shared.common.options).finish_non_exhaustive()
    }
}

impl Broker {
    /// A producer with the default settings: see [`ProducerBuilder`].
    pub fn producer(&self) -> Producer {
        Producer { shared: Open::new(self.core.clone(), ProducerBuilder::default_options(), None) }
    }

    /// A producer with other settings than the default.
    pub fn producer_builder(&self) -> ProducerBuilder {
        ProducerBuilder::new(self.core.clone())
    }
}
