use std::ops::Deref;

use bytes::Bytes;

use crate::model::{TopicPartition, Uuid};
use crate::record::{Headers, Record};

/// The records that one [`poll`](super::ShareConsumer::poll) has taken: a slice of them, partition by partition, each in
/// the order of offsets.
#[derive(Clone, Debug, Default)]
pub struct ShareRecords {
    pub(super) records: Vec<ShareRecord>,
}

impl Deref for ShareRecords {
    type Target = [ShareRecord];

    fn deref(&self) -> &[ShareRecord] {
        &self.records
    }
}

impl IntoIterator for ShareRecords {
    type Item = ShareRecord;
    type IntoIter = std::vec::IntoIter<ShareRecord>;

    fn into_iter(self) -> Self::IntoIter {
        self.records.into_iter()
    }
}

impl<'a> IntoIterator for &'a ShareRecords {
    type Item = &'a ShareRecord;
    type IntoIter = std::slice::Iter<'a, ShareRecord>;

    fn into_iter(self) -> Self::IntoIter {
        self.records.iter()
    }
}

/// A record that a consumer holds. Key and value are slices of the batch that was read, which lives as long as they do.
#[derive(Clone, Debug)]
pub struct ShareRecord {
    pub(super) tp: TopicPartition,
    pub(super) topic_id: Uuid,
    pub(super) delivery_count: i16,
    pub(super) record: Record,
}

impl ShareRecord {
    /// Where it was read.
    pub fn topic_partition(&self) -> &TopicPartition {
        &self.tp
    }

    /// The topic.
    pub fn topic(&self) -> &str {
        self.tp.topic()
    }

    /// The partition, from 0.
    pub fn partition(&self) -> i32 {
        self.tp.partition()
    }

    /// The record's number within the partition.
    pub fn offset(&self) -> i64 {
        self.record.offset()
    }

    /// The record's timestamp, in milliseconds since the Unix epoch; -1 if it has none.
    pub fn timestamp(&self) -> i64 {
        self.record.timestamp()
    }

    /// How often it has been delivered to the group's members, with this time.
    pub fn delivery_count(&self) -> i16 {
        self.delivery_count
    }

    /// The key.
    pub fn key(&self) -> Option<&[u8]> {
        self.record.key()
    }

    /// The value.
    pub fn value(&self) -> Option<&[u8]> {
        self.record.value()
    }

    /// The key, sharing the memory it was read into.
    pub fn key_bytes(&self) -> Option<Bytes> {
        self.record.key_bytes()
    }

    /// The value, sharing the memory it was read into.
    pub fn value_bytes(&self) -> Option<Bytes> {
        self.record.value_bytes()
    }

    /// The headers.
    pub fn headers(&self) -> Headers<'_> {
        self.record.headers()
    }
}
