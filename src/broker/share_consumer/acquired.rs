use crate::broker::share::{AcknowledgementBatch, AcquiredRecords, GAP, REJECT};
use crate::model::Offset;

/// The offsets that a member was given of one partition, while it looks for their records in what was read: which of
/// them have none, or none that can be read (Kafka: `ShareCompletedFetch`).
#[derive(Debug)]
pub(super) struct Acquired<'a> {
    /// Those that are not passed yet, in order.
    ranges: &'a [AcquiredRecords],
    /// The first offset of which nothing is known.
    next: Offset,
    said: Vec<AcknowledgementBatch>,
}

impl<'a> Acquired<'a> {
    pub(super) fn new(ranges: &'a [AcquiredRecords]) -> Self {
        Acquired { ranges, next: Offset::MIN, said: Vec::new() }
    }

    /// Whether one of these offsets was acquired.
    pub(super) fn overlaps(&self, first: Offset, last: Offset) -> bool {
        let range = self.ranges.iter().find(|range| range.last_offset >= first);
        range.is_some_and(|range| range.first_offset <= last)
    }

    /// There is a record at this offset, which is behind those before: says how often it was delivered, if the member has
    /// acquired it.
    pub(super) fn take(&mut self, offset: Offset) -> Option<i16> {
        self.pass(offset);
        let range = self.ranges.first().filter(|range| range.first_offset <= offset)?;
        let delivery_count = range.delivery_count;
        self.next = offset + 1;
        Some(delivery_count)
    }

    /// What is known to be in `first..=last` cannot be read.
    pub(super) fn reject(&mut self, first: Offset, last: Offset) {
        self.pass(first);
        while let [range, rest @ ..] = self.ranges {
            if range.first_offset > last {
                return;
            }
            let from = self.next.max(range.first_offset).max(first);
            self.say(REJECT, from, range.last_offset.min(last));
            if range.last_offset > last {
                self.next = self.next.max(last + 1);
                return;
            }
            self.ranges = rest;
        }
    }

    /// There is nothing before this offset that was not told.
    fn pass(&mut self, offset: Offset) {
        while let [range, rest @ ..] = self.ranges {
            let from = self.next.max(range.first_offset);
            self.say(GAP, from, range.last_offset.min(offset.saturating_sub(1)));
            if range.last_offset >= offset {
                self.next = self.next.max(offset);
                return;
            }
            self.ranges = rest;
        }
    }

    fn say(&mut self, of: i8, first_offset: Offset, last_offset: Offset) {
        if first_offset <= last_offset {
            self.said.push(AcknowledgementBatch { first_offset, last_offset, types: vec![of] });
        }
    }

    /// All was read: what is to be said of offsets of which the program gets no record.
    pub(super) fn finish(mut self) -> Vec<AcknowledgementBatch> {
        self.pass(Offset::MAX);
        self.said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(ranges: &[(Offset, Offset)]) -> Vec<AcquiredRecords> {
        let range =
            |&(first_offset, last_offset)| AcquiredRecords { first_offset, last_offset, delivery_count: 1 };
        ranges.iter().map(range).collect()
    }

    fn said(acquired: Acquired<'_>) -> Vec<(i8, Offset, Offset)> {
        let said = acquired.finish();
        said.iter().map(|batch| (batch.types[0], batch.first_offset, batch.last_offset)).collect()
    }

    #[test]
    fn offsets_without_a_record_are_gaps_and_others_are_not_mine() {
        let ranges = ranges(&[(3, 5), (8, 9)]);
        let mut acquired = Acquired::new(&ranges);
        let mine: Vec<Offset> =
            [0, 2, 4, 6, 7, 8, 12].into_iter().filter(|at| acquired.take(*at).is_some()).collect();
        assert_eq!(mine, [4, 8]);
        assert_eq!(said(acquired), [(0, 3, 3), (0, 5, 5), (0, 9, 9)]);
    }

    #[test]
    fn what_cannot_be_read_is_rejected_as_far_as_it_is_held_and_not_taken_already() {
        let ranges = ranges(&[(0, 4), (6, 9)]);
        let mut acquired = Acquired::new(&ranges);
        assert!(!acquired.overlaps(5, 5));
        assert!(acquired.overlaps(5, 6));
        assert_eq!(acquired.take(1), Some(1));
        acquired.reject(1, 7);
        assert_eq!(acquired.take(8), Some(1));
        assert_eq!(said(acquired), [(0, 0, 0), (3, 2, 4), (3, 6, 7), (0, 9, 9)]);
    }

    #[test]
    fn of_what_was_not_read_at_all_there_is_nothing() {
        let ranges = ranges(&[(5, 6), (7, 7)]);
        assert_eq!(said(Acquired::new(&ranges)), [(0, 5, 6), (0, 7, 7)]);
    }
}
