use std::sync::Arc;

use super::Admin;
use crate::broker::replica::{self, Partition};
use crate::broker::topic::OffsetAndTimestamp;
use crate::error::{Error, Result};
use crate::log::FetchIsolation;
use crate::model::{ErrorCode, TopicPartition};

/// Which offset of a partition is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OffsetSpec {
    /// That of the first record that is still there.
    Earliest,
    /// The one that the next record will get.
    Latest,
    /// That of the first record among those with the largest timestamp.
    MaxTimestamp,
    /// That of the first record whose timestamp is at least this many milliseconds since the Unix epoch.
    ForTimestamp(i64),
}

impl Admin {
    /// An offset of a partition, with the record's timestamp where a record was looked for and -1 otherwise; `None`
    /// if there is no such record.
    ///
    /// # Errors
    /// [`UnknownTopicOrPartition`](ErrorCode::UnknownTopicOrPartition),
    /// [`KafkaStorageError`](ErrorCode::KafkaStorageError), [`BrokerNotAvailable`](ErrorCode::BrokerNotAvailable).
    ///
    /// # Examples
    /// ```
    /// use ottla::{Broker, OffsetSpec, ProducerRecord, TopicPartition};
    /// # fn main() -> Result<(), ottla::Error> {
    /// let broker = Broker::temporary()?;
    /// for time in [1000, 3000, 2000] {
    ///     broker.producer().send(ProducerRecord::new("orders").value("x").timestamp(time))?.wait()?;
    /// }
    /// let admin = broker.admin();
    /// let tp = TopicPartition::new("orders", 0);
    /// let offset = |spec| admin.list_offset(&tp, spec).map(|found| found.map(|found| found.offset));
    /// assert_eq!(offset(OffsetSpec::Earliest)?, Some(0));
    /// assert_eq!(offset(OffsetSpec::Latest)?, Some(3));
    /// assert_eq!(offset(OffsetSpec::MaxTimestamp)?, Some(1));
    /// assert_eq!(offset(OffsetSpec::ForTimestamp(1500))?, Some(1));
    /// assert_eq!(offset(OffsetSpec::ForTimestamp(4000))?, None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_offset(&self, tp: &TopicPartition, spec: OffsetSpec) -> Result<Option<OffsetAndTimestamp>> {
        let partition = self.partition(tp)?;
        let spec = match spec {
            OffsetSpec::Earliest => replica::OffsetSpec::Earliest,
            OffsetSpec::Latest => replica::OffsetSpec::Latest,
            OffsetSpec::MaxTimestamp => replica::OffsetSpec::MaxTimestamp,
            OffsetSpec::ForTimestamp(timestamp) => replica::OffsetSpec::ForTimestamp(timestamp),
        };
        let found = replica::list_offset(&partition, spec, FetchIsolation::HighWatermark)?;
        Ok(found.map(OffsetAndTimestamp::from))
    }

    /// Removes the records of a partition before `offset`, and gives the offset at which it starts then. Files are
    /// removed by the next look at retention.
    ///
    /// # Errors
    /// [`OffsetOutOfRange`](ErrorCode::OffsetOutOfRange): `offset` is beyond the end of the log.
    /// [`PolicyViolation`](ErrorCode::PolicyViolation): the topic's `cleanup.policy` has no `delete`.
    /// [`UnknownTopicOrPartition`](ErrorCode::UnknownTopicOrPartition),
    /// [`KafkaStorageError`](ErrorCode::KafkaStorageError), [`BrokerNotAvailable`](ErrorCode::BrokerNotAvailable).
    pub fn delete_records(&self, tp: &TopicPartition, offset: i64) -> Result<i64> {
        if offset < 0 {
            // On the wire -1 means all; here that is what `OffsetSpec::Latest` gives.
            return Err(Error::new(
                ErrorCode::OffsetOutOfRange,
                format!("offset {offset} of {tp} is negative"),
            ));
        }
        self.partition(tp)?.delete_records(offset)
    }

    pub(super) fn partition(&self, tp: &TopicPartition) -> Result<Arc<Partition>> {
        self.core.ensure_open()?;
        self.core.partition(tp.topic(), tp.partition()).map_err(|code| {
            Error::new(code, format!("topic '{}' has no partition {}", tp.topic(), tp.partition()))
        })
    }
}
