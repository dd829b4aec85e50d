//! What a poll gives.

use std::fmt;

use bytes::Bytes;

use crate::model::TopicPartition;
use crate::record::{Headers, RecordIter, RecordRef, RecordRefIter};

/// The records that one [`poll`](crate::Consumer::poll) has found, partition by partition, each in order.
///
/// They are slices of a few chunks that were read from the log: going over them allocates and copies nothing. The
/// chunks live until this is dropped, and all [`Bytes`] taken from its records.
///
/// # Examples
/// ```
/// use ottla::{AutoOffsetReset, Broker, ProducerRecord};
/// use std::time::Duration;
/// # fn main() -> Result<(), ottla::Error> {
/// let broker = Broker::temporary()?;
/// broker.producer().send(ProducerRecord::new("orders").key("k").value("v"))?.wait()?;
/// let builder = broker.consumer_builder().group_id("billing").auto_offset_reset(AutoOffsetReset::Earliest);
/// let mut consumer = builder.build()?;
/// consumer.subscribe(["orders"])?;
///
/// let records = consumer.poll(Duration::from_secs(1))?;
/// assert_eq!(records.len(), 1);
/// for record in &records {
///     assert_eq!((record.topic(), record.partition(), record.offset()), ("orders", 0, 0));
///     assert_eq!((record.key(), record.value()), (Some(&b"k"[..]), Some(&b"v"[..])));
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct ConsumerRecords {
    sections: Vec<Section>,
    len: usize,
}

/// Records of one batch that follow each other.
#[derive(Clone)]
pub(super) struct Section {
    pub(super) tp: TopicPartition,
    /// At the first of them. They were gone over before, and are well-formed.
    pub(super) records: RecordIter,
    pub(super) count: usize,
    pub(super) leader_epoch: i32,
}

impl ConsumerRecords {
    pub(super) fn push(&mut self, section: Section) {
        self.len += section.count;
        self.sections.push(section);
    }

    pub(super) fn into_sections(self) -> std::collections::VecDeque<Section> {
        self.sections.into()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All records.
    pub fn iter(&self) -> ConsumerRecordsIter<'_> {
        ConsumerRecordsIter { sections: self.sections.iter(), current: None, left: self.len, tp: None }
    }

    /// The records of one partition.
    pub fn records<'a>(&'a self, tp: &'a TopicPartition) -> impl Iterator<Item = ConsumerRecord<'a>> {
        let left =
            self.sections.iter().filter(|section| section.tp == *tp).map(|section| section.count).sum();
        ConsumerRecordsIter { sections: self.sections.iter(), current: None, left, tp: Some(tp) }
    }

    /// The partitions that have records here, each once.
    pub fn partitions(&self) -> Vec<&TopicPartition> {
        let mut partitions: Vec<&TopicPartition> = self.sections.iter().map(|section| &section.tp).collect();
        partitions.dedup();
        partitions
    }
}

impl<'a> IntoIterator for &'a ConsumerRecords {
    type Item = ConsumerRecord<'a>;
    type IntoIter = ConsumerRecordsIter<'a>;

    fn into_iter(self) -> ConsumerRecordsIter<'a> {
        self.iter()
    }
}

impl fmt::Debug for ConsumerRecords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

/// Goes over the records of a poll.
#[derive(Clone)]
pub struct ConsumerRecordsIter<'a> {
    sections: std::slice::Iter<'a, Section>,
    current: Option<(&'a Section, RecordRefIter<'a>, usize)>,
    left: usize,
    tp: Option<&'a TopicPartition>,
}

impl<'a> Iterator for ConsumerRecordsIter<'a> {
    type Item = ConsumerRecord<'a>;

    #[inline]
    fn next(&mut self) -> Option<ConsumerRecord<'a>> {
        loop {
            if let Some((section, records, left)) = &mut self.current
                && let Some(less) = left.checked_sub(1)
                && let Some(Ok(record)) = records.next()
            {
                *left = less;
                self.left -= 1;
                return Some(ConsumerRecord { section, record });
            }
            let section = self.sections.find(|section| self.tp.is_none_or(|tp| section.tp == *tp))?;
            self.current = Some((section, section.records.borrowed(), section.count));
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for ConsumerRecordsIter<'_> {}

impl fmt::Debug for ConsumerRecordsIter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

/// A record that a consumer has read. It borrows from its [`ConsumerRecords`]; [`key_bytes`](Self::key_bytes) and
/// [`value_bytes`](Self::value_bytes) may be kept for longer, and keep the chunk alive that they are part of.
#[derive(Clone, Copy)]
pub struct ConsumerRecord<'a> {
    section: &'a Section,
    record: RecordRef<'a>,
}

impl<'a> ConsumerRecord<'a> {
    /// Where it was read.
    pub fn topic_partition(&self) -> &'a TopicPartition {
        &self.section.tp
    }

    /// The topic.
    pub fn topic(&self) -> &'a str {
        self.section.tp.topic()
    }

    /// The partition, from 0.
    pub fn partition(&self) -> i32 {
        self.section.tp.partition()
    }

    /// The record's number within the partition.
    pub fn offset(&self) -> i64 {
        self.record.offset()
    }

    /// The record's timestamp, in milliseconds since the Unix epoch; -1 if it has none.
    pub fn timestamp(&self) -> i64 {
        self.record.timestamp()
    }

    /// The term of the leader that appended it; -1 for the oldest formats.
    pub fn leader_epoch(&self) -> i32 {
        self.section.leader_epoch
    }

    /// The key.
    pub fn key(&self) -> Option<&'a [u8]> {
        self.record.key()
    }

    /// The value; `None` is a tombstone where the topic is compacted.
    pub fn value(&self) -> Option<&'a [u8]> {
        self.record.value()
    }

    /// The key, sharing the memory it was read into.
    pub fn key_bytes(&self) -> Option<Bytes> {
        self.key().map(|key| self.section.records.source().slice_ref(key))
    }

    /// The value, sharing the memory it was read into.
    pub fn value_bytes(&self) -> Option<Bytes> {
        self.value().map(|value| self.section.records.source().slice_ref(value))
    }

    /// The headers.
    pub fn headers(&self) -> Headers<'a> {
        self.record.headers()
    }
}

impl fmt::Debug for ConsumerRecord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ConsumerRecord").field(&self.section.tp).field(&self.record).finish()
    }
}
