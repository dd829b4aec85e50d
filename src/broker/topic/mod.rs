//! Direct access to a partition, without producer or consumer.

mod partition;
mod reader;

use std::fmt;
use std::sync::Arc;

pub use partition::{AppendedBatch, OffsetAndTimestamp, Partition};
pub use reader::RecordReader;

use super::handle::Handle;
use super::{Broker, metadata};
use crate::error::{Error, Result};
use crate::model::{ErrorCode, Uuid};

/// A topic of the broker in this process: the way to its partitions.
///
/// Made by [`Broker::topic`]. The handle is cheap to clone and may be shared between threads. Once the topic is
/// deleted, calls on it fail with [`UnknownTopicOrPartition`](ErrorCode::UnknownTopicOrPartition), also if another
/// of that name was made since.
///
/// # Examples
/// ```
/// use ottla::{Broker, NewTopic};
/// # fn main() -> Result<(), ottla::Error> {
/// let broker = Broker::temporary()?;
/// broker.admin().create_topic(NewTopic::new("orders", 3))?;
/// let topic = broker.topic("orders")?;
/// assert_eq!((topic.name(), topic.num_partitions()), ("orders", 3));
/// assert_eq!(topic.partition(2)?.latest_offset()?, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Topic {
    core: Handle,
    topic: Arc<metadata::Topic>,
}

impl Topic {
    /// The name.
    pub fn name(&self) -> &str {
        self.topic.name()
    }

    /// The id, which no other topic has, not even a later one of the same name.
    pub fn id(&self) -> Uuid {
        self.topic.id()
    }

    /// How many partitions there are; they are numbered from 0.
    pub fn num_partitions(&self) -> i32 {
        self.topic.num_partitions()
    }

    /// A partition.
    ///
    /// # Errors
    /// [`UnknownTopicOrPartition`](ErrorCode::UnknownTopicOrPartition) if the topic has no such partition.
    pub fn partition(&self, partition: i32) -> Result<Partition> {
        match self.topic.partition(partition) {
            Some(partition) => Ok(Partition::new(self.core.clone(), partition)),
            None => Err(Error::new(
                ErrorCode::UnknownTopicOrPartition,
                format!("topic '{}' has no partition {partition}", self.name()),
            )),
        }
    }

    /// All partitions, in order.
    pub fn partitions(&self) -> Vec<Partition> {
        let partitions = self.topic.partitions().into_iter();
        partitions.map(|partition| Partition::new(self.core.clone(), partition)).collect()
    }

    /// The partition of a key, by which every Kafka client with the default partitioner goes.
    pub fn partition_for_key(&self, key: impl AsRef<[u8]>) -> i32 {
        super::producer::partition_for_key(key.as_ref(), self.num_partitions().max(1))
    }
}

impl fmt::Debug for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.topic, f)
    }
}

impl Broker {
    /// The topic called `name`, to append batches to its partitions or to scan them.
    ///
    /// # Errors
    /// [`UnknownTopicOrPartition`](ErrorCode::UnknownTopicOrPartition) if it does not exist;
    /// [`BrokerNotAvailable`](ErrorCode::BrokerNotAvailable) if the broker is closed.
    pub fn topic(&self, name: &str) -> Result<Topic> {
        let topic = self.core.existing_topic(name)?;
        Ok(Topic { core: self.core.clone(), topic })
    }
}
