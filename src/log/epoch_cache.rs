//! Which leader's term each offset belongs to (Kafka: `LeaderEpochFileCache`).

use super::checkpoint::EpochEntry;
use crate::model::{LeaderEpoch, NO_LEADER_EPOCH, Offset};

/// What [`LeaderEpochFileCache::end_offset_for`] knows: a term, and the offset after its last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EpochEndOffset {
    pub(crate) epoch: LeaderEpoch,
    pub(crate) end_offset: Offset,
}

impl EpochEndOffset {
    /// The term is not known.
    pub(crate) const UNDEFINED: EpochEndOffset = EpochEndOffset { epoch: NO_LEADER_EPOCH, end_offset: -1 };
}

/// The starts of the terms, in order: both epochs and offsets strictly increase. `Log` writes them to the
/// `leader-epoch-checkpoint` before the offsets that they tell of count as flushed; until then, recovery finds
/// them again in the batches.
#[derive(Debug, Default)]
pub(crate) struct LeaderEpochFileCache {
    entries: Vec<EpochEntry>,
    /// What the file has.
    written: Vec<EpochEntry>,
    /// The latest term that was ever noted here, whether or not it got a record.
    highest: Option<LeaderEpoch>,
}

impl LeaderEpochFileCache {
    /// A cache with what a file held. Entries that break the order are dropped, with those before them, as an
    /// assignment would do.
    pub(crate) fn new(written: Vec<EpochEntry>) -> Self {
        let mut cache = LeaderEpochFileCache::default();
        for entry in &written {
            cache.assign(entry.epoch, entry.start_offset);
        }
        cache.written = written;
        cache
    }

    pub(crate) fn entries(&self) -> &[EpochEntry] {
        &self.entries
    }

    /// The entries, if the file has others.
    pub(crate) fn unwritten(&self) -> Option<Vec<EpochEntry>> {
        (self.entries != self.written).then(|| self.entries.clone())
    }

    /// The file has these now.
    pub(crate) fn note_written(&mut self, entries: Vec<EpochEntry>) {
        self.written = entries;
    }

    /// Notes that `epoch` starts at `start_offset`. Entries that contradict it, having a later term or a later
    /// start, are removed: they stood in a tail of the log that is gone.
    pub(crate) fn assign(&mut self, epoch: LeaderEpoch, start_offset: Offset) {
        if epoch < 0 || start_offset < 0 {
            return;
        }
        if let Some(last) = self.entries.last()
            && last.epoch == epoch
            && last.start_offset <= start_offset
        {
            return;
        }
        self.highest = self.highest.max(Some(epoch));
        self.entries.retain(|entry| entry.epoch < epoch && entry.start_offset < start_offset);
        self.entries.push(EpochEntry { epoch, start_offset });
    }

    /// Notes the term of a batch that recovery reads, the batches before it being known. The batch is right where the
    /// checkpoint says something else: that may tell of records which a crash took, and others stand in their place.
    pub(crate) fn learn(&mut self, epoch: LeaderEpoch, base_offset: Offset) {
        if epoch >= 0 && self.epoch_for_offset(base_offset) != Some(epoch) {
            self.assign(epoch, base_offset);
        }
    }

    /// Adds terms that come before those that are known.
    pub(crate) fn put_before(&mut self, earlier: LeaderEpochFileCache) {
        for later in std::mem::replace(&mut self.entries, earlier.entries) {
            self.assign(later.epoch, later.start_offset);
        }
    }

    /// The current term, if any record or leader has told one.
    pub(crate) fn latest_epoch(&self) -> Option<LeaderEpoch> {
        self.entries.last().map(|entry| entry.epoch)
    }

    /// The latest term that was ever told, also one that ended without a record and of which nothing else is left.
    pub(crate) fn highest_epoch(&self) -> Option<LeaderEpoch> {
        self.highest
    }

    /// The first term that the log still knows.
    pub(crate) fn earliest(&self) -> Option<EpochEntry> {
        self.entries.first().copied()
    }

    /// The term of the record at `offset`.
    pub(crate) fn epoch_for_offset(&self, offset: Offset) -> Option<LeaderEpoch> {
        let after = self.entries.partition_point(|entry| entry.start_offset <= offset);
        Some(self.entries.get(after.checked_sub(1)?)?.epoch)
    }

    /// The largest term at or below `epoch` and where it ends, which is where the next one starts
    /// (Kafka: `LeaderEpochFileCache#endOffsetFor`).
    pub(crate) fn end_offset_for(&self, epoch: LeaderEpoch, log_end_offset: Offset) -> EpochEndOffset {
        if epoch == NO_LEADER_EPOCH {
            return EpochEndOffset::UNDEFINED;
        }
        if self.latest_epoch() == Some(epoch) {
            return EpochEndOffset { epoch, end_offset: log_end_offset };
        }
        let after = self.entries.partition_point(|entry| entry.epoch <= epoch);
        match (after.checked_sub(1).and_then(|i| self.entries.get(i)), self.entries.get(after)) {
            // A term that this log has not heard of yet.
            (_, None) => EpochEndOffset::UNDEFINED,
            // A term from before everything that is left.
            (None, Some(next)) => EpochEndOffset { epoch, end_offset: next.start_offset },
            (Some(found), Some(next)) => EpochEndOffset { epoch: found.epoch, end_offset: next.start_offset },
        }
    }

    /// Forgets the terms that start at or beyond `end_offset`.
    pub(crate) fn truncate_from_end(&mut self, end_offset: Offset) {
        self.entries.retain(|entry| entry.start_offset < end_offset);
    }

    /// Forgets the terms that end at or below `start_offset`; the one that spans it starts there from now on.
    pub(crate) fn truncate_from_start(&mut self, start_offset: Offset) {
        let after = self.entries.partition_point(|entry| entry.start_offset <= start_offset);
        let Some(spanning) = after.checked_sub(1) else { return };
        self.entries.drain(..spanning);
        if let Some(first) = self.entries.first_mut() {
            first.start_offset = start_offset;
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(entries: &[(LeaderEpoch, Offset)]) -> LeaderEpochFileCache {
        let entry = |&(epoch, start_offset)| EpochEntry { epoch, start_offset };
        LeaderEpochFileCache::new(entries.iter().map(entry).collect())
    }

    fn pairs(cache: &LeaderEpochFileCache) -> Vec<(LeaderEpoch, Offset)> {
        cache.entries().iter().map(|entry| (entry.epoch, entry.start_offset)).collect()
    }

    #[test]
    fn an_assignment_removes_the_entries_that_contradict_it() {
        let mut epochs = cache(&[(1, 0), (2, 10), (5, 20)]);
        epochs.assign(5, 30);
        assert_eq!(pairs(&epochs), [(1, 0), (2, 10), (5, 20)]);
        epochs.assign(6, 15);
        assert_eq!(pairs(&epochs), [(1, 0), (2, 10), (6, 15)]);
        epochs.assign(3, 12);
        assert_eq!(pairs(&epochs), [(1, 0), (2, 10), (3, 12)]);
        epochs.assign(7, 12);
        assert_eq!(pairs(&epochs), [(1, 0), (2, 10), (7, 12)]);
    }

    #[test]
    fn the_end_of_a_term_is_the_start_of_the_next_and_of_the_last_the_end_of_the_log() {
        let epochs = cache(&[(2, 10), (4, 20), (7, 30)]);
        let end = |epoch| {
            let found = epochs.end_offset_for(epoch, 99);
            (found.epoch, found.end_offset)
        };
        assert_eq!(end(7), (7, 99));
        assert_eq!(end(4), (4, 30));
        assert_eq!(end(5), (4, 30));
        assert_eq!(end(3), (2, 20));
        assert_eq!(end(1), (1, 10));
        assert_eq!(end(8), (-1, -1));
        assert_eq!(end(-1), (-1, -1));
        assert_eq!(cache(&[]).end_offset_for(0, 99), EpochEndOffset::UNDEFINED);
    }

    #[test]
    fn truncation_keeps_the_term_that_spans_the_start() {
        let mut epochs = cache(&[(1, 0), (2, 10), (3, 20)]);
        epochs.truncate_from_start(15);
        assert_eq!(pairs(&epochs), [(2, 15), (3, 20)]);
        epochs.truncate_from_end(20);
        assert_eq!(pairs(&epochs), [(2, 15)]);
        let unwritten = epochs.unwritten().expect("the file has others");
        epochs.note_written(unwritten);
        epochs.truncate_from_start(15);
        epochs.truncate_from_end(16);
        assert!(epochs.unwritten().is_none());
    }

    #[test]
    fn a_term_without_records_is_remembered_after_the_file_was_cut_to_the_log() {
        let mut epochs = cache(&[(1, 0), (2, 10)]);
        epochs.truncate_from_end(10);
        assert_eq!((epochs.latest_epoch(), epochs.highest_epoch()), (Some(1), Some(2)));
    }

    #[test]
    fn an_offset_belongs_to_the_last_term_that_starts_at_or_below_it() {
        let epochs = cache(&[(1, 5), (3, 10)]);
        assert_eq!(epochs.epoch_for_offset(4), None);
        assert_eq!(epochs.epoch_for_offset(9), Some(1));
        assert_eq!(epochs.epoch_for_offset(10), Some(3));
    }
}
