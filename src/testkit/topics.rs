//! What is in a topic, as values.

use super::TestBroker;
use crate::error::Result;
use crate::record::Record;

/// A record as a test looks at it: [`TestBroker::records`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TestRecord {
    /// Where it is.
    pub partition: i32,
    /// Its place in the partition.
    pub offset: i64,
    /// Milliseconds since the Unix epoch.
    pub timestamp: i64,
    /// Its key, if it has one.
    pub key: Option<Vec<u8>>,
    /// Its value, unless it is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Its headers, in their order.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

impl TestRecord {
    fn new(partition: i32, record: &Record) -> Self {
        let owned = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
        TestRecord {
            partition,
            offset: record.offset(),
            timestamp: record.timestamp(),
            key: owned(record.key()),
            value: owned(record.value()),
            headers: record
                .headers()
                .iter()
                .map(|header| (header.key().into_owned(), owned(header.value())))
                .collect(),
        }
    }
}

impl TestBroker {
    /// All records of a topic, by partition and offset, those of open and of aborted transactions too.
    ///
    /// # Examples
    /// ```
    /// use ottla::{ProducerRecord, TestBroker};
    /// # fn main() -> Result<(), ottla::Error> {
    /// let kafka = TestBroker::start()?;
    /// kafka.producer().send(ProducerRecord::new("orders").key("customer-7").value("two pears"))?.wait()?;
    /// let records = kafka.records("orders")?;
    /// assert_eq!(records[0].key.as_deref(), Some(&b"customer-7"[..]));
    /// assert_eq!(records.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`UnknownTopicOrPartition`](crate::ErrorCode::UnknownTopicOrPartition): there is no such topic; and those of
    /// reading, such as [`CorruptMessage`](crate::ErrorCode::CorruptMessage).
    pub fn records(&self, topic: &str) -> Result<Vec<TestRecord>> {
        let mut records = Vec::new();
        for partition in self.topic(topic)?.partitions() {
            let number = partition.topic_partition().partition();
            for record in partition.read_from(partition.earliest_offset()?) {
                records.push(TestRecord::new(number, &record?));
            }
        }
        Ok(records)
    }
}
