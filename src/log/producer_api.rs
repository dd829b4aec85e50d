//! What a log tells of its producers.

use super::producer_state::ProducerStateEntry;
use super::{Log, Writer};
use crate::model::{Offset, ProducerId};

impl Log {
    /// Every producer that the log remembers (DescribeProducers).
    pub(crate) fn active_producers(&self) -> Vec<ProducerStateEntry> {
        self.writer.lock().producers.active_producers().copied().collect()
    }

    /// What the log remembers of one producer.
    pub(crate) fn producer(&self, producer_id: ProducerId) -> Option<ProducerStateEntry> {
        self.writer.lock().producers.last_entry(producer_id).copied()
    }

    /// Where the oldest open transaction starts.
    pub(crate) fn first_undecided_offset(&self) -> Option<Offset> {
        self.writer.lock().producers.first_undecided_offset()
    }

    pub(crate) fn set_producer_id_expiration_ms(&self, ms: i64) {
        self.writer.lock().producers.set_producer_id_expiration_ms(ms);
    }

    /// Forgets producers that have not written for `producer.id.expiration.ms`.
    pub(crate) fn remove_expired_producers(&self) {
        let now_ms = self.env.clock.now_ms();
        let Writer { producers } = &mut *self.writer.lock();
        producers.remove_expired_producers(now_ms);
    }
}
