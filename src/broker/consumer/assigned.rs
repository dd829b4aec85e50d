//! A partition that a consumer reads, and how far it is.

use std::sync::Arc;

use super::fetch::{ChunkBuffers, PartitionReader, ReadLimits};
use super::records::{ConsumerRecords, Section};
use super::signal::{Signal, Watch};
use crate::broker::replica::Partition;
use crate::error::{Error, Result};
use crate::model::{IsolationLevel, Offset, TopicPartition};
use crate::record::RecordIter;

/// (Kafka: `SubscriptionState.TopicPartitionState`.)
pub(super) struct AssignedPartition {
    tp: TopicPartition,
    /// Missing while the topic does not exist.
    reader: Option<PartitionReader>,
    /// The offset of the next record to give; unknown until it is looked up or set.
    position: Option<Offset>,
    /// What this consumer has committed last.
    pub(super) committed: Option<Offset>,
    pub(super) paused: bool,
    rest: Option<RestOfBatch>,
    watch: Option<Arc<Watch>>,
}

/// A batch of which a poll has not given all.
struct RestOfBatch {
    records: RecordIter,
    leader_epoch: i32,
}

/// How much a poll may still give.
pub(super) struct Budget {
    pub(super) records: usize,
    pub(super) bytes: usize,
}

impl Budget {
    pub(super) fn is_used_up(&self) -> bool {
        self.records == 0 || self.bytes == 0
    }
}

impl AssignedPartition {
    pub(super) fn new(tp: TopicPartition) -> Self {
        AssignedPartition {
            tp,
            reader: None,
            position: None,
            committed: None,
            paused: false,
            rest: None,
            watch: None,
        }
    }

    pub(super) fn tp(&self) -> &TopicPartition {
        &self.tp
    }

    pub(super) fn position(&self) -> Option<Offset> {
        self.position
    }

    /// The partition, if it was found.
    pub(super) fn partition(&self) -> Option<&Arc<Partition>> {
        self.reader.as_ref().map(PartitionReader::partition)
    }

    /// Takes the partition, which was not there before, or is another one now.
    pub(super) fn attach(&mut self, partition: Arc<Partition>) {
        self.stop_watching();
        self.rest = None;
        self.reader = Some(PartitionReader::new(partition, self.position.unwrap_or(0)));
    }

    /// The topic is gone.
    pub(super) fn detach(&mut self) {
        self.stop_watching();
        self.rest = None;
        self.reader = None;
    }

    /// Goes on at another offset.
    pub(super) fn seek(&mut self, offset: Offset) {
        self.position = Some(offset);
        self.rest = None;
        if let Some(reader) = &mut self.reader {
            reader.seek(offset);
        }
    }

    /// Forgets where it is; somebody has to find out.
    pub(super) fn forget_position(&mut self) {
        self.position = None;
        self.rest = None;
    }

    /// Moves records into `records`, as far as the budget goes; reads one chunk at most, so that each partition has
    /// its turn, unless there is nothing to give in it. On an error, what was moved before counts, and the next call
    /// starts where the error is.
    pub(super) fn collect(
        &mut self,
        buffers: &mut ChunkBuffers,
        limits: &ReadLimits,
        budget: &mut Budget,
        records: &mut ConsumerRecords,
    ) -> Result<()> {
        let had = records.len();
        let mut has_read = false;
        while !budget.is_used_up() {
            if let Some(rest) = self.rest.take() {
                self.collect_batch(rest, budget, records)?;
                continue;
            }
            let Some(reader) = &mut self.reader else { return Ok(()) };
            let Some(batch) = reader.next_batch_read()? else {
                self.position = self.position.max(Some(reader.next_offset()));
                if (has_read && records.len() > had) || !reader.read_ahead(buffers, limits)? {
                    return Ok(());
                }
                has_read = true;
                continue;
            };
            budget.bytes = budget.bytes.saturating_sub(batch.as_bytes().len());
            let limit = if batch.view().is_compressed() { reader.decompression_limit()? } else { 0 };
            let leader_epoch = batch.view().partition_leader_epoch();
            let iter = match batch.records(limit) {
                Ok(iter) => iter,
                Err(error) => return Err(self.malformed(error)),
            };
            let mut rest = RestOfBatch { records: iter, leader_epoch };
            if Some(batch.view().base_offset()) < self.position {
                self.skip_to_position(&mut rest.records)?;
            }
            self.rest = Some(rest);
        }
        Ok(())
    }

    /// Passes over what comes before the position: a batch is read whole, wherever in it one wants to start.
    fn skip_to_position(&mut self, records: &mut RecordIter) -> Result<()> {
        let position = self.position.unwrap_or(0);
        loop {
            let mut ahead = records.clone();
            match ahead.skip_next() {
                Some(Ok(offset)) if offset < position => *records = ahead,
                Some(Err(error)) => return Err(self.malformed(error)),
                Some(Ok(_)) | None => return Ok(()),
            }
        }
    }

    fn collect_batch(
        &mut self,
        mut rest: RestOfBatch,
        budget: &mut Budget,
        records: &mut ConsumerRecords,
    ) -> Result<()> {
        let start = rest.records.clone();
        let mut count = 0;
        let mut is_complete = false;
        let mut failure = None;
        while count < budget.records && !is_complete && failure.is_none() {
            match rest.records.skip_next() {
                Some(Ok(offset)) => {
                    self.position = Some(offset + 1);
                    count += 1;
                }
                Some(Err(error)) => failure = Some(error),
                None => is_complete = true,
            }
        }
        if count > 0 {
            let leader_epoch = rest.leader_epoch;
            records.push(Section { tp: self.tp.clone(), records: start, count, leader_epoch });
        }
        budget.records -= count;
        if let Some(error) = failure {
            return Err(self.malformed(error));
        }
        if is_complete {
            self.position = self.position.max(self.reader.as_ref().map(PartitionReader::next_offset));
        } else {
            self.rest = Some(rest);
        }
        Ok(())
    }

    /// A batch that is not what it should be: the next call looks at it again.
    fn malformed(&mut self, error: crate::record::BatchError) -> Error {
        let position = self.position.unwrap_or(0);
        self.seek(position);
        Error::from(error).context(format_args!("{} at offset {position}", self.tp))
    }

    /// Whether a poll would find something, or an error.
    pub(super) fn has_news(&self, isolation: IsolationLevel) -> bool {
        let Some(reader) = &self.reader else { return false };
        !self.paused && self.position.is_some() && (self.has_rest() || reader.is_behind(isolation))
    }

    /// How many bytes a poll would find, or `None` if it need not wait for more: it has them already.
    pub(super) fn available_bytes(&self, limits: &ReadLimits) -> Option<usize> {
        if self.paused || self.position.is_none() {
            return Some(0);
        }
        if self.has_rest() {
            return None;
        }
        Some(self.reader.as_ref().map_or(0, |reader| reader.available_bytes(limits)))
    }

    /// Whether a poll has stopped within a batch.
    pub(super) fn has_rest(&self) -> bool {
        self.rest.is_some()
    }

    /// Has the consumer woken when something happens here. What has happened before must be looked for afterwards.
    pub(super) fn watch(&mut self, signal: &Arc<Signal>) {
        let Some(partition) = self.reader.as_ref().map(PartitionReader::partition) else { return };
        if self.paused || self.watch.as_ref().is_some_and(|watch| !watch.has_fired()) {
            return;
        }
        let watch = Watch::new(signal);
        partition.watchers().watch(Arc::clone(&watch) as _);
        self.watch = Some(watch);
    }

    fn stop_watching(&mut self) {
        if let (Some(watch), Some(reader)) = (self.watch.take(), &self.reader)
            && !watch.has_fired()
        {
            reader.partition().watchers().forget_if(|operation| std::ptr::addr_eq(operation, &*watch));
        }
    }
}

impl Drop for AssignedPartition {
    fn drop(&mut self) {
        self.stop_watching();
    }
}
