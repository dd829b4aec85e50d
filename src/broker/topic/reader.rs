use std::fmt;
use std::sync::Arc;

use crate::broker::Handle;
use crate::broker::consumer::{ChunkBuffers, PartitionReader, ReadLimits};
use crate::broker::replica;
use crate::error::{Error, Result};
use crate::model::{IsolationLevel, Offset};
use crate::record::{Record, RecordBatch, RecordIter};

/// Bytes read from a file at a time, unless a batch is larger.
const READ_BYTES: usize = 256 * 1024;

/// Reads a partition from an offset to its end, without a group and without waiting.
///
/// Made by [`Partition::read_from`](crate::Partition::read_from). It is an iterator over records; where that is too
/// slow (each record counts its references to the chunk it was read in), [`next_batch`](Self::next_batch) gives
/// whole batches, whose records can be borrowed. It reads up to 1 MiB at a time into memory that it uses again as
/// soon as no record or batch of it is held.
///
/// `None` means that there is nothing more now. Records that are appended later are there when it is asked again;
/// to wait for them, use a [`Consumer`](crate::Consumer). Records stay readable while they are held, even if
/// retention deletes their segment meanwhile.
///
/// # Examples
/// ```
/// use ottla::{Broker, NewTopic, ProducerRecord};
/// # fn main() -> Result<(), ottla::Error> {
/// let broker = Broker::temporary()?;
/// broker.admin().create_topic(NewTopic::new("orders", 1))?;
/// let producer = broker.producer();
/// for value in ["a", "b", "c"] {
///     producer.send(ProducerRecord::new("orders").value(value))?;
/// }
/// producer.flush()?;
///
/// let mut reader = broker.topic("orders")?.partition(0)?.read_from(1);
/// let mut values = Vec::new();
/// let mut scratch = Vec::new();
/// while let Some(batch) = reader.next_batch()? {
///     for record in batch.view().records(&mut scratch, 1 << 20)? {
///         let record = record?;
///         // A batch is not split: it may start before the offset asked for.
///         if record.offset() >= 1 {
///             values.push(record.value().unwrap().to_vec());
///         }
///     }
/// }
/// assert_eq!(values, [b"b", b"c"]);
/// # Ok(())
/// # }
/// ```
pub struct RecordReader {
    core: Handle,
    reader: PartitionReader,
    buffers: ChunkBuffers,
    limits: ReadLimits,
    /// Records before it are not for the reader.
    position: Offset,
    records: Option<RecordIter>,
    decompression_limit: usize,
}

impl RecordReader {
    pub(super) fn new(core: Handle, partition: Arc<replica::Partition>, offset: Offset) -> Self {
        RecordReader {
            core,
            reader: PartitionReader::new(partition, offset),
            buffers: ChunkBuffers::default(),
            limits: ReadLimits {
                max_bytes: READ_BYTES,
                isolation: IsolationLevel::ReadUncommitted,
                checks_crcs: true,
            },
            position: offset,
            records: None,
            decompression_limit: 0,
        }
    }

    /// Which records of transactions to read; default
    /// [`ReadUncommitted`](IsolationLevel::ReadUncommitted): all.
    #[must_use]
    pub fn isolation_level(mut self, isolation: IsolationLevel) -> Self {
        self.limits.isolation = isolation;
        self
    }

    /// Whether to compute each batch's checksum and compare; default true. Without it, a disk that changes bits
    /// may go unnoticed, and a scan takes less time.
    #[must_use]
    pub fn check_crcs(mut self, check_crcs: bool) -> Self {
        self.limits.checks_crcs = check_crcs;
        self
    }

    /// The offset of the next record, or a lower one if those between are gone.
    pub fn position(&self) -> i64 {
        self.position
    }

    /// The next batch, whole; `None` at the end of the log. Control batches, and with
    /// [`ReadCommitted`](IsolationLevel::ReadCommitted) those of aborted transactions, are passed over. The first
    /// one may start before the offset asked for. What the iterator has not given of its current batch is passed
    /// over.
    ///
    /// # Errors
    /// - [`OffsetOutOfRange`](crate::ErrorCode::OffsetOutOfRange): the offset is not within the log, or was removed
    ///   by retention.
    /// - [`CorruptMessage`](crate::ErrorCode::CorruptMessage): a batch is not what was written.
    /// - [`UnknownTopicOrPartition`](crate::ErrorCode::UnknownTopicOrPartition): the topic was deleted.
    /// - [`KafkaStorageError`](crate::ErrorCode::KafkaStorageError): the disk failed.
    /// - [`BrokerNotAvailable`](crate::ErrorCode::BrokerNotAvailable): the broker is closed.
    pub fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        self.core.ensure_open()?;
        self.records = None;
        let batch = self.reader.next_batch(&mut self.buffers, &self.limits)?;
        self.position = self.reader.next_offset();
        Ok(batch)
    }

    fn next_record(&mut self) -> Result<Option<Record>> {
        loop {
            if let Some(records) = &mut self.records {
                for record in records {
                    let record = record.map_err(|error| malformed(&self.reader, error))?;
                    if record.offset() >= self.position {
                        self.position = record.offset() + 1;
                        return Ok(Some(record));
                    }
                }
                self.records = None;
                self.position = self.position.max(self.reader.next_offset());
            }
            self.core.ensure_open()?;
            let Some(batch) = self.reader.next_batch(&mut self.buffers, &self.limits)? else {
                self.position = self.position.max(self.reader.next_offset());
                return Ok(None);
            };
            if batch.view().is_compressed() && self.decompression_limit == 0 {
                self.decompression_limit = self.reader.decompression_limit()?;
            }
            self.records = Some(
                batch.records(self.decompression_limit).map_err(|error| malformed(&self.reader, error))?,
            );
        }
    }
}

fn malformed(reader: &PartitionReader, error: crate::record::BatchError) -> Error {
    Error::from(error).context(reader.partition().tp())
}

impl Iterator for RecordReader {
    /// A record, or what [`RecordReader::next_batch`] gives as an error; asked again after an error, it is tried
    /// again, or passes over the batch that could not be read.
    type Item = Result<Record>;

    fn next(&mut self) -> Option<Result<Record>> {
        self.next_record().transpose()
    }
}

impl fmt::Debug for RecordReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordReader")
            .field("topic_partition", self.reader.partition().tp())
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}
