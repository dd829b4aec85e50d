//! The records of one partition that are not in the log yet.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::handle::{Appended, BatchState, Outcome, SendHandle};
use super::record::ProducerRecord;
use super::shared::{Acks, Common};
use super::transactions::TransactionNumber;
use crate::broker::coordinator::transaction::ProducerIdAndEpoch;
use crate::broker::replica::Partition;
use crate::error::{Error, Result};
use crate::model::{ErrorCode, Timestamp};
use crate::record::{RECORD_BATCH_OVERHEAD, RecordBatchBuilder, increment_sequence};

/// Empty builders that a partition keeps for their buffers.
const SPARE_BUILDERS: usize = 2;

/// One partition's open batch, and those that wait for their turn (Kafka: a deque of `RecordAccumulator`).
///
/// Whoever seals a batch appends it, or waits until another thread has: batches are taken from the queue and
/// appended under one lock, so that they reach the log in the order in which they were sealed, and a producer
/// cannot be faster than the log.
pub(super) struct Accumulator {
    common: Arc<Common>,
    partition: Arc<Partition>,
    pending: Mutex<Pending>,
    /// The sequence of the next batch, and the turn to append. Taken before `pending`, never while holding it.
    next_sequence: Mutex<NextSequence>,
}

/// Sequences start over with each epoch of a transactional producer.
#[derive(Default)]
struct NextSequence {
    sequence: i32,
    of: Option<ProducerIdAndEpoch>,
}

#[derive(Default)]
struct Pending {
    open: Option<OpenBatch>,
    sealed: VecDeque<SealedBatch>,
    spare: Vec<RecordBatchBuilder>,
}

struct OpenBatch {
    builder: RecordBatchBuilder,
    state: Arc<BatchState>,
    /// Reserved from the producer's memory; the size at which the batch is full.
    size: usize,
    /// When it is appended even if it is not full.
    deadline: Duration,
    transaction: Option<TransactionNumber>,
}

struct SealedBatch {
    builder: RecordBatchBuilder,
    state: Arc<BatchState>,
    size: usize,
    transaction: Option<TransactionNumber>,
    common: Arc<Common>,
}

impl Drop for SealedBatch {
    /// Gives back the memory; and should the appending thread have panicked, nobody waits for ever.
    fn drop(&mut self) {
        self.common.memory.release(self.size);
        if self.state.outcome().is_none() {
            let error =
                Error::new(ErrorCode::UnknownServerError, "the thread that appended the record panicked");
            self.state.complete(Err(Arc::new(error)));
        }
    }
}

/// What became of a record that was offered.
pub(super) enum Offered {
    Added {
        handle: SendHandle,
        /// The batch was begun with this record: it must be appended when its time has come.
        begun: bool,
        /// The batch is closed: [`Accumulator::append_sealed`] must be called.
        sealed: bool,
    },
    /// There is no open batch: one with this many bytes must be begun first.
    NeedsBatch(usize),
}

impl Accumulator {
    pub(super) fn new(common: Arc<Common>, partition: Arc<Partition>) -> Arc<Self> {
        Arc::new(Accumulator {
            common,
            partition,
            pending: Mutex::default(),
            next_sequence: Mutex::default(),
        })
    }

    /// Adds a record to the open batch. `begin_with` bytes, reserved by the caller, are used for a new batch if
    /// there is none, and given back otherwise.
    pub(super) fn offer(
        self: &Arc<Self>,
        record: &ProducerRecord<'_>,
        (timestamp, transaction): (Timestamp, Option<TransactionNumber>),
        begin_with: Option<usize>,
    ) -> Result<Offered> {
        let record_size = size_upper_bound(record);
        let mut sealed = false;
        let mut begun = false;
        let mut reserved = begin_with;
        let mut pending = self.pending.lock();
        if let Some(open) = &pending.open
            && (open.builder.estimated_size() + record_size > open.size || open.transaction != transaction)
        {
            pending.seal(&self.common);
            sealed = true;
        }
        if pending.open.is_none() {
            let Some(size) = reserved.take() else {
                drop(pending);
                if sealed {
                    self.append_sealed();
                }
                return Ok(Offered::NeedsBatch(self.batch_size(record_size)?));
            };
            pending.open = Some(self.begin_batch(&mut pending.spare, size, transaction));
            begun = true;
        }
        let added = pending.add(record, timestamp);
        if added.is_err() && begun {
            // A record that does not fit the format leaves no empty batch behind.
            pending.seal(&self.common);
        }
        if let Some(open) = &pending.open
            && (self.common.options.linger.is_zero()
                || open.builder.estimated_size() + record_size > open.size)
        {
            // Another record like this one would not fit: nothing is gained by waiting for it.
            pending.seal(&self.common);
            sealed = true;
        }
        drop(pending);
        if let Some(size) = reserved {
            self.common.memory.release(size);
        }
        Ok(Offered::Added { handle: added?, begun, sealed })
    }

    /// The bytes of a batch that begins with a record of this size. Also tells whether there is still a log.
    fn batch_size(&self, record_size: usize) -> Result<usize> {
        self.partition.log()?;
        let max = usize::try_from(self.partition.config().max_message_bytes).unwrap_or(usize::MAX);
        let wanted = self.common.options.batch_size_bytes.min(max);
        Ok(wanted.max(RECORD_BATCH_OVERHEAD + record_size))
    }

    fn begin_batch(
        self: &Arc<Self>,
        spare: &mut Vec<RecordBatchBuilder>,
        size: usize,
        transaction: Option<TransactionNumber>,
    ) -> OpenBatch {
        let builder =
            spare.pop().unwrap_or_else(|| RecordBatchBuilder::with_capacity(self.common.options.batch, size));
        let now = self.common.core.env.clock.monotonic();
        OpenBatch {
            builder,
            state: BatchState::new(self.partition.tp().clone(), Arc::downgrade(self)),
            size,
            deadline: now.saturating_add(self.common.options.linger),
            transaction,
        }
    }

    /// Appends the open batch if it is `batch`, and what was sealed before.
    pub(super) fn append_batch(&self, batch: &BatchState) {
        {
            let mut pending = self.pending.lock();
            if pending.open.as_ref().is_some_and(|open| std::ptr::eq(&*open.state, batch)) {
                pending.seal(&self.common);
            }
        }
        self.append_sealed();
    }

    /// Appends everything that was sent so far; gives the batch that a caller must wait for to know that it is
    /// all done.
    pub(super) fn append_open(&self) -> Option<Arc<BatchState>> {
        let last = {
            let mut pending = self.pending.lock();
            pending.seal(&self.common);
            pending.sealed.back().map(|batch| Arc::clone(&batch.state))
        };
        self.append_sealed();
        last
    }

    /// Appends the open batch if its time has come; otherwise tells when it will.
    pub(super) fn append_due(&self, now: Duration) -> Option<Duration> {
        {
            let mut pending = self.pending.lock();
            let deadline = pending.open.as_ref()?.deadline;
            if deadline > now {
                return Some(deadline);
            }
            pending.seal(&self.common);
        }
        self.append_sealed();
        None
    }

    /// Appends the sealed batches, in order. Returns once all that were sealed before this call have had their
    /// append.
    pub(super) fn append_sealed(&self) {
        loop {
            let mut next_sequence = self.next_sequence.lock();
            let Some(mut batch) = self.pending.lock().sealed.pop_front() else { return };
            let appended = self.append(&mut batch, &mut next_sequence);
            drop(next_sequence);
            if appended.is_ok() {
                // Not in the turn: whoever is woken may answer a client, or append in turn.
                self.partition.watchers().check();
            }
            self.finish(batch, appended);
        }
    }

    fn append(&self, batch: &mut SealedBatch, next: &mut NextSequence) -> Result<(Appended, Option<i64>)> {
        let core = &self.common.core;
        core.ensure_open()?;
        let builder = &mut batch.builder;
        let count = builder.records_count();
        let info = if let Some(number) = batch.transaction {
            self.common.transactions()?.append(core, number, self.partition.tp(), |producer| {
                if next.of != Some(producer) {
                    *next = NextSequence { sequence: 0, of: Some(producer) };
                }
                let ProducerIdAndEpoch { producer_id, producer_epoch } = producer;
                builder.set_producer_state(producer_id, producer_epoch, next.sequence);
                self.partition.append_built_without_waking(builder)
            })??
        } else {
            if self.common.options.idempotence {
                let (producer_id, epoch) = self.common.producer_id()?;
                builder.set_producer_state(producer_id, epoch, next.sequence);
            }
            self.partition.append_built_without_waking(builder)?
        };
        // Only now: a batch that failed left nothing behind, so that the next one takes its numbers.
        next.sequence = increment_sequence(next.sequence, count);
        let appended = Appended { base_offset: info.first_offset, log_append_time: info.log_append_time };
        Ok((appended, info.needs_flush.then_some(info.last_offset + 1)))
    }

    /// Makes a batch durable if its topic asks for it, and tells those who wait.
    fn finish(&self, mut batch: SealedBatch, appended: Result<(Appended, Option<i64>)>) {
        let outcome = appended.and_then(|(appended, flush_up_to)| {
            if let Some(offset) = flush_up_to {
                self.flush(offset)?;
            }
            Ok(appended)
        });
        let outcome: Outcome = outcome.map_err(|error| {
            let error = Arc::new(error.context(format_args!("append to {}", self.partition.tp())));
            self.common.note_failure(&error);
            if let (Some(number), Ok(transactions)) = (batch.transaction, self.common.transactions()) {
                transactions.note_failure(number, &error);
            }
            error
        });
        batch.state.complete(outcome);
        let mut builder =
            std::mem::replace(&mut batch.builder, RecordBatchBuilder::new(self.common.options.batch));
        // A batch that failed before it was built has its records still.
        builder.reset(self.common.options.batch);
        let mut pending = self.pending.lock();
        if pending.spare.len() < SPARE_BUILDERS {
            pending.spare.push(builder);
        }
    }

    fn flush(&self, offset: i64) -> Result<()> {
        if self.common.options.acks == Acks::All {
            return self.partition.flush(offset);
        }
        let tp = self.partition.tp().clone();
        self.partition.flush_then(&self.common.core.io_threads, offset, move |flushed| {
            if let Err(error) = flushed {
                tracing::error!(partition = %tp, %error, "cannot flush");
            }
        });
        Ok(())
    }
}

impl Pending {
    fn add(&mut self, record: &ProducerRecord<'_>, timestamp: Timestamp) -> Result<SendHandle> {
        let Some(open) = &mut self.open else {
            return Err(Error::new(ErrorCode::UnknownServerError, "there is no open batch"));
        };
        let index = open.builder.records_count();
        let added = if record.headers.is_empty() {
            open.builder.append(timestamp, record.key, record.value)
        } else {
            open.builder.append_with_headers(timestamp, record.key, record.value, &record.headers)
        };
        added?;
        Ok(SendHandle { batch: Arc::clone(&open.state), index, timestamp })
    }

    /// Closes the open batch, if there is one.
    fn seal(&mut self, common: &Arc<Common>) {
        let Some(OpenBatch { builder, state, size, transaction, .. }) = self.open.take() else { return };
        if builder.is_empty() {
            common.memory.release(size);
        } else {
            let common = Arc::clone(common);
            self.sealed.push_back(SealedBatch { builder, state, size, transaction, common });
        }
    }
}

fn size_upper_bound(record: &ProducerRecord<'_>) -> usize {
    // A header has two lengths, a record with headers their count.
    let headers: usize =
        record.headers.iter().map(|(name, value)| 10 + name.len() + value.map_or(0, <[u8]>::len)).sum();
    RecordBatchBuilder::record_size_upper_bound(record.key, record.value) + 4 + headers
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::broker::producer::ProducerBuilder;
    use crate::broker::purgatory::DelayedOperation;
    use crate::broker::{Broker, NewTopic};

    /// Looks at the turn when records have come.
    struct Reader {
        accumulator: Arc<Accumulator>,
        has_seen: AtomicBool,
    }

    impl DelayedOperation for Reader {
        fn try_complete(&self) -> bool {
            assert!(self.accumulator.next_sequence.try_lock().is_some(), "another thread cannot append");
            self.has_seen.store(true, Ordering::SeqCst);
            true
        }
    }

    #[test]
    fn readers_are_woken_after_the_turn_to_append_is_given_on() {
        let broker = Broker::temporary().unwrap();
        broker.admin().create_topic(NewTopic::new("orders", 1)).unwrap();
        let partition = broker.core.partition("orders", 0).unwrap();
        let common = Common::new(Arc::clone(&broker.core), ProducerBuilder::default_options(), None);
        let accumulator = Accumulator::new(common, Arc::clone(&partition));
        let reader =
            Arc::new(Reader { accumulator: Arc::clone(&accumulator), has_seen: AtomicBool::new(false) });
        partition.watchers().watch(Arc::clone(&reader) as _);

        let record = ProducerRecord::new("orders").value("a");
        let size = accumulator.common.options.batch_size_bytes;
        assert!(accumulator.common.memory.try_reserve(size));
        accumulator.offer(&record, (1, None), Some(size)).unwrap();
        accumulator.append_open();
        assert!(reader.has_seen.load(Ordering::SeqCst));
        assert_eq!(partition.log().unwrap().log_end_offset(), 1);
    }
}
