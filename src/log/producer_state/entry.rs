use crate::model::{
    NO_PRODUCER_EPOCH, NO_SEQUENCE, NO_TIMESTAMP, Offset, ProducerEpoch, ProducerId, Timestamp,
};
use crate::record::{BatchHeader, increment_sequence};

/// How many batches of a producer are remembered, so that one sent again is told from one out of order: as many
/// as an idempotent producer may have on the way.
const NUM_BATCHES_TO_RETAIN: usize = 5;

/// A batch that was appended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BatchMetadata {
    pub(crate) last_sequence: i32,
    pub(crate) last_offset: Offset,
    /// Last offset less first offset.
    pub(crate) offset_delta: i32,
    pub(crate) timestamp: Timestamp,
}

impl BatchMetadata {
    pub(crate) fn first_sequence(&self) -> i32 {
        // Sequences run from 0 to 2^31-1 and start over.
        (i64::from(self.last_sequence) - i64::from(self.offset_delta)).rem_euclid(1 << 31) as i32
    }

    pub(crate) fn first_offset(&self) -> Offset {
        self.last_offset.saturating_sub(i64::from(self.offset_delta))
    }
}

/// One producer in one partition (Kafka: `ProducerStateEntry`). Small and flat, so that an append works on a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProducerStateEntry {
    pub(crate) producer_id: ProducerId,
    pub(crate) producer_epoch: ProducerEpoch,
    /// The epoch of the coordinator that wrote the last marker; -1: none did.
    pub(crate) coordinator_epoch: i32,
    pub(crate) last_timestamp: Timestamp,
    /// Where the open transaction starts.
    pub(crate) current_txn_first_offset: Option<Offset>,
    batches: [BatchMetadata; NUM_BATCHES_TO_RETAIN],
    batches_len: u8,
}

impl ProducerStateEntry {
    /// A producer that has written nothing yet.
    pub(crate) fn empty(producer_id: ProducerId) -> Self {
        ProducerStateEntry {
            producer_id,
            producer_epoch: NO_PRODUCER_EPOCH,
            coordinator_epoch: -1,
            last_timestamp: NO_TIMESTAMP,
            current_txn_first_offset: None,
            batches: [BatchMetadata::default(); NUM_BATCHES_TO_RETAIN],
            batches_len: 0,
        }
    }

    /// The remembered batches, oldest first.
    pub(crate) fn batches(&self) -> &[BatchMetadata] {
        self.batches.get(..usize::from(self.batches_len)).unwrap_or_default()
    }

    /// The sequence of the last record in the current epoch; [`NO_SEQUENCE`] if there is none.
    pub(crate) fn last_sequence(&self) -> i32 {
        self.batches().last().map_or(NO_SEQUENCE, |batch| batch.last_sequence)
    }

    /// The offset of the last record of data; -1 if there is none.
    pub(crate) fn last_data_offset(&self) -> Offset {
        self.batches().last().map_or(-1, |batch| batch.last_offset)
    }

    /// A remembered batch with the same sequences as `batch`, which was thus sent twice. Those before the sequences started
    /// over do not count: a producer that the log had forgotten does so, and a recovery finds its first batches, too.
    pub(crate) fn find_duplicate_batch(&self, batch: BatchHeader<'_>) -> Option<BatchMetadata> {
        if batch.producer_epoch() != self.producer_epoch {
            return None;
        }
        let mut later: Option<i32> = None;
        for seen in self.batches().iter().rev() {
            let starts_over =
                |first| first <= seen.last_sequence && first != increment_sequence(seen.last_sequence, 1);
            if later.is_some_and(starts_over) {
                return None;
            }
            if seen.first_sequence() == batch.base_sequence() && seen.last_sequence == batch.last_sequence() {
                return Some(*seen);
            }
            later = Some(seen.first_sequence());
        }
        None
    }

    /// A new epoch starts its sequences over. Answers whether it is one.
    pub(super) fn maybe_update_producer_epoch(&mut self, epoch: ProducerEpoch) -> bool {
        let is_new = self.producer_epoch != epoch;
        if is_new {
            self.batches_len = 0;
            self.producer_epoch = epoch;
        }
        is_new
    }

    pub(super) fn add_batch(&mut self, epoch: ProducerEpoch, batch: BatchMetadata) {
        self.maybe_update_producer_epoch(epoch);
        let len = usize::from(self.batches_len);
        if len == NUM_BATCHES_TO_RETAIN {
            self.batches.rotate_left(1);
        } else {
            self.batches_len += 1;
        }
        if let Some(slot) = self.batches.get_mut(len.min(NUM_BATCHES_TO_RETAIN - 1)) {
            *slot = batch;
        }
        self.last_timestamp = batch.timestamp;
    }
}
