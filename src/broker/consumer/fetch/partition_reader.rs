use std::sync::Arc;

use super::{ChunkBuffers, CompletedFetch};
use crate::broker::replica::Partition;
use crate::error::{Error, Result};
use crate::log::{FetchIsolation, ReadParams};
use crate::model::{ErrorCode, IsolationLevel, Offset};
use crate::record::{AppendOrigin, RecordBatch};

/// How much to read at once, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadLimits {
    pub(crate) max_bytes: usize,
    pub(crate) isolation: IsolationLevel,
    pub(crate) checks_crcs: bool,
}

/// Goes through a partition, batch by batch.
#[derive(Debug)]
pub(crate) struct PartitionReader {
    partition: Arc<Partition>,
    fetch: CompletedFetch,
}

impl PartitionReader {
    pub(crate) fn new(partition: Arc<Partition>, offset: Offset) -> Self {
        let fetch = CompletedFetch::new(bytes::Bytes::new(), offset, Vec::new(), false);
        PartitionReader { partition, fetch }
    }

    pub(crate) fn partition(&self) -> &Arc<Partition> {
        &self.partition
    }

    /// The offset from which the next batch will be read.
    pub(crate) fn next_offset(&self) -> Offset {
        self.fetch.next_offset()
    }

    /// Whether there is something from the next offset on that may be read. An error to come is something.
    pub(crate) fn is_behind(&self, isolation: IsolationLevel) -> bool {
        match self.partition.log() {
            Ok(log) => log.upper_bound(isolation.into()).offset > self.next_offset(),
            Err(_) => true,
        }
    }

    /// The bytes that a read would give, and those that were read already; more than anybody waits for if it would give
    /// an error.
    pub(crate) fn available_bytes(&self, limits: &ReadLimits) -> usize {
        let read = self.fetch.unread_bytes();
        if read > 0 {
            return read;
        }
        let Ok(log) = self.partition.log() else { return usize::MAX };
        let params = ReadParams {
            start_offset: self.next_offset(),
            max_bytes: limits.max_bytes,
            isolation: limits.isolation.into(),
            min_one_message: true,
        };
        log.read(&params).map_or(usize::MAX, |read| read.records.map_or(0, |slice| slice.size()))
    }

    /// Goes on from `offset`, and forgets what was read ahead.
    pub(crate) fn seek(&mut self, offset: Offset) {
        self.fetch = CompletedFetch::new(bytes::Bytes::new(), offset, Vec::new(), false);
    }

    /// The next batch that is there and may be seen; reads from the log when what was read is used up. `None` at
    /// the end.
    pub(crate) fn next_batch(
        &mut self,
        buffers: &mut ChunkBuffers,
        limits: &ReadLimits,
    ) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.next_batch_read()? {
                return Ok(Some(batch));
            }
            if !self.read_ahead(buffers, limits)? {
                return Ok(None);
            }
        }
    }

    /// The next batch of what was read already.
    pub(crate) fn next_batch_read(&mut self) -> Result<Option<RecordBatch>> {
        self.fetch.next_batch().map_err(|error| self.corrupt(error))
    }

    /// Reads one chunk; `false` if there is none.
    pub(crate) fn read_ahead(&mut self, buffers: &mut ChunkBuffers, limits: &ReadLimits) -> Result<bool> {
        let offset = self.fetch.next_offset();
        let isolation = FetchIsolation::from(limits.isolation);
        let log = self.partition.log()?;
        // One look at the bounds, which spares a consumer of many idle partitions the way through the segments. An
        // offset outside the log is for the read to refuse.
        let upper = log.upper_bound(isolation).offset;
        if offset == upper {
            return Ok(false);
        }
        let params = ReadParams {
            start_offset: offset,
            max_bytes: limits.max_bytes,
            isolation,
            min_one_message: true,
        };
        let read = log.read(&params)?;
        let Some(slice) = read.records else { return Ok(false) };
        // What is held of the last chunk must be let go first for its buffer to be used again.
        self.fetch = CompletedFetch::new(bytes::Bytes::new(), offset, Vec::new(), false);
        let records = buffers.read(&slice).map_err(|error| {
            Error::caused(
                ErrorCode::KafkaStorageError,
                format_args!("cannot read {}", self.partition.tp()),
                error,
            )
        })?;
        let aborted = read.aborted_transactions.unwrap_or_default();
        self.fetch = CompletedFetch::new(records, offset, aborted, limits.checks_crcs);
        Ok(true)
    }

    /// The most bytes that a batch of this partition may have when decompressed.
    pub(crate) fn decompression_limit(&self) -> Result<usize> {
        let options = self.partition.log()?.validation_options(AppendOrigin::Client, true);
        Ok(options.decompression_limit_bytes)
    }

    fn corrupt(&self, error: crate::record::BatchError) -> Error {
        let at = format_args!("{} at offset {}", self.partition.tp(), self.fetch.next_offset()).to_string();
        Error::from(error).context(at)
    }
}
