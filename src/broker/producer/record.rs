use crate::model::Timestamp;

/// A record on its way to a topic: what [`Producer::send`](crate::Producer::send) takes.
///
/// It borrows what it is made of; sending copies the bytes once, into the batch. Making one without headers
/// allocates nothing.
///
/// # Examples
/// ```
/// use ottla::{Broker, NewTopic, ProducerRecord};
/// # fn main() -> Result<(), ottla::Error> {
/// let broker = Broker::temporary()?;
/// broker.admin().create_topic(NewTopic::new("orders", 4))?;
/// let producer = broker.producer();
///
/// let record = ProducerRecord::new("orders")
///     .key("customer-7")
///     .value(r#"{"total": 12}"#)
///     .header("trace", "4bf92f")
///     .timestamp(1_700_000_000_000);
/// let sent = producer.send(record)?.wait()?;
/// assert_eq!((sent.topic(), sent.offset), ("orders", 0));
/// assert_eq!(sent.timestamp, 1_700_000_000_000);
///
/// let there = producer.send(ProducerRecord::new("orders").partition(3).value("x"))?.wait()?;
/// assert_eq!(there.partition(), 3);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ProducerRecord<'a> {
    pub(super) topic: &'a str,
    pub(super) partition: Option<i32>,
    pub(super) timestamp: Option<Timestamp>,
    pub(super) key: Option<&'a [u8]>,
    pub(super) value: Option<&'a [u8]>,
    pub(super) headers: Vec<(&'a str, Option<&'a [u8]>)>,
}

impl<'a> ProducerRecord<'a> {
    /// A record for `topic` with neither key nor value.
    pub fn new(topic: &'a str) -> Self {
        ProducerRecord {
            topic,
            partition: None,
            timestamp: None,
            key: None,
            value: None,
            headers: Vec::new(),
        }
    }

    /// Sets the key. Records with equal keys go to the same partition, in the order in which they are sent, and
    /// a compacted topic keeps the last of them.
    #[must_use]
    pub fn key<K: AsRef<[u8]> + ?Sized>(mut self, key: &'a K) -> Self {
        self.key = Some(key.as_ref());
        self
    }

    /// Sets the value. Without one, the record is a tombstone: a compacted topic forgets the key.
    #[must_use]
    pub fn value<V: AsRef<[u8]> + ?Sized>(mut self, value: &'a V) -> Self {
        self.value = Some(value.as_ref());
        self
    }

    /// Adds a header. Several may have the same name.
    #[must_use]
    pub fn header<V: AsRef<[u8]> + ?Sized>(mut self, name: &'a str, value: &'a V) -> Self {
        self.headers.push((name, Some(value.as_ref())));
        self
    }

    /// Adds a header without a value, which is something else than an empty one.
    #[must_use]
    pub fn null_header(mut self, name: &'a str) -> Self {
        self.headers.push((name, None));
        self
    }

    /// Sets when it happened, in milliseconds since the Unix epoch. The default is the broker's clock at the
    /// time of [`send`](crate::Producer::send). A topic with `message.timestamp.type=LogAppendTime` sets its own.
    #[must_use]
    pub fn timestamp(mut self, timestamp_ms: i64) -> Self {
        self.timestamp = Some(timestamp_ms);
        self
    }

    /// Sets the partition, which is otherwise found from the key: see [`Producer`](crate::Producer).
    #[must_use]
    pub fn partition(mut self, partition: i32) -> Self {
        self.partition = Some(partition);
        self
    }
}
