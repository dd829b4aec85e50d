use std::collections::BTreeMap;
use std::sync::Arc;

use super::record_state::RecordState;
use crate::model::Offset;

/// What is known of an offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OffsetState {
    pub(super) state: RecordState,
    pub(super) delivery_count: i16,
    /// Who holds it, and by which lock, while it is acquired.
    pub(super) holder: Option<(Arc<str>, u64)>,
}

impl OffsetState {
    pub(super) fn free(state: RecordState, delivery_count: i16) -> Self {
        OffsetState { state, delivery_count, holder: None }
    }
}

/// The states of consecutive offsets, as runs of those that are alike.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Runs {
    /// By first offset: the last one, inclusive, and the state of all.
    by_first: BTreeMap<Offset, (Offset, OffsetState)>,
}

/// A run, or the part of it that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) first: Offset,
    /// Inclusive.
    pub(super) last: Offset,
    pub(super) of: OffsetState,
}

impl Run {
    pub(super) fn len(&self) -> i64 {
        self.last - self.first + 1
    }
}

impl Runs {
    pub(super) fn first_offset(&self) -> Option<Offset> {
        self.by_first.first_key_value().map(|(first, _)| *first)
    }

    pub(super) fn last_offset(&self) -> Option<Offset> {
        self.by_first.last_key_value().map(|(_, (last, _))| *last)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Run> + '_ {
        self.by_first.iter().map(|(first, (last, of))| Run { first: *first, last: *last, of: of.clone() })
    }

    /// The runs that have something in `first..=last`, cut to it.
    pub(super) fn within(&self, first: Offset, last: Offset) -> impl Iterator<Item = Run> + '_ {
        let from = self.by_first.range(..=first).next_back().map_or(first, |(from, _)| *from);
        // An empty range is none, whichever way round its ends are.
        self.by_first.range(from..=last.max(from)).filter_map(move |(run_first, (run_last, of))| {
            let (first, last) = ((*run_first).max(first), (*run_last).min(last));
            (first <= last).then(|| Run { first, last, of: of.clone() })
        })
    }

    /// Says of `first..=last` that it is in this state, whatever it was before.
    pub(super) fn set(&mut self, first: Offset, last: Offset, of: OffsetState) {
        self.split(first);
        self.split(last + 1);
        let old: Vec<Offset> = self.by_first.range(first..=last).map(|(first, _)| *first).collect();
        for first in old {
            self.by_first.remove(&first);
        }
        let (mut first, mut last) = (first, last);
        // Neighbours in the same state become one run.
        if let Some((after, (after_last, same))) = self.by_first.range(last + 1..).next()
            && *after == last + 1
            && *same == of
        {
            let after = *after;
            last = *after_last;
            self.by_first.remove(&after);
        }
        if let Some((before, (before_last, same))) = self.by_first.range(..first).next_back()
            && *before_last == first - 1
            && *same == of
        {
            first = *before;
        }
        self.by_first.insert(first, (last, of));
    }

    /// Makes a run begin at `at`, if one goes over it.
    fn split(&mut self, at: Offset) {
        let Some((_, (last, of))) = self.by_first.range_mut(..at).next_back() else { return };
        if *last >= at {
            let rest = (*last, of.clone());
            *last = at - 1;
            self.by_first.insert(at, rest);
        }
    }

    /// Forgets all before `start`.
    pub(super) fn truncate_before(&mut self, start: Offset) {
        self.split(start);
        self.by_first = self.by_first.split_off(&start);
    }
}
