//! The segments of a log, in order (Kafka: `LogSegments`).

use std::sync::Arc;

use super::segment::LogSegment;
use crate::model::Offset;

/// The list at one moment; a change makes another list. There is always an active segment.
#[derive(Clone, Debug)]
pub(crate) struct Segments {
    /// Ascending by base offset, all below that of `active`.
    sealed: Vec<Arc<LogSegment>>,
    active: Arc<LogSegment>,
}

impl Segments {
    pub(crate) fn new(sealed: Vec<Arc<LogSegment>>, active: Arc<LogSegment>) -> Self {
        Segments { sealed, active }
    }

    /// The one that takes appends.
    pub(crate) fn active(&self) -> &Arc<LogSegment> {
        &self.active
    }

    /// Those that do not change any more.
    pub(crate) fn sealed(&self) -> &[Arc<LogSegment>] {
        &self.sealed
    }

    pub(crate) fn len(&self) -> usize {
        self.sealed.len() + 1
    }

    pub(crate) fn first(&self) -> &Arc<LogSegment> {
        self.sealed.first().unwrap_or(&self.active)
    }

    /// All, ascending.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<LogSegment>> {
        self.sealed.iter().chain(std::iter::once(&self.active))
    }

    /// The last segment that starts at or below `offset`, and those after it.
    pub(crate) fn starting_at_floor(&self, offset: Offset) -> impl Iterator<Item = &Arc<LogSegment>> {
        let skipped = if self.active.base_offset() <= offset {
            self.sealed.len()
        } else {
            self.sealed.partition_point(|segment| segment.base_offset() <= offset).saturating_sub(1)
        };
        self.iter().skip(skipped)
    }

    /// The last segment that starts at or below `offset`.
    pub(crate) fn floor(&self, offset: Offset) -> Option<&Arc<LogSegment>> {
        self.starting_at_floor(offset).next().filter(|segment| segment.base_offset() <= offset)
    }

    /// The base offset of the first segment that starts above `offset`.
    pub(crate) fn higher_base_offset(&self, offset: Offset) -> Option<Offset> {
        self.starting_at_floor(offset).map(|segment| segment.base_offset()).find(|base| *base > offset)
    }

    /// The list with a new active segment behind the one that was active.
    pub(crate) fn rolled_to(&self, active: Arc<LogSegment>) -> Self {
        let mut sealed = Vec::with_capacity(self.sealed.len() + 1);
        sealed.extend(self.sealed.iter().cloned());
        sealed.push(Arc::clone(&self.active));
        Segments { sealed, active }
    }

    /// The list with another segment in place of the active one.
    pub(crate) fn with_active(&self, active: Arc<LogSegment>) -> Self {
        Segments { sealed: self.sealed.clone(), active }
    }

    /// The list with `new` in place of `old`, which must stand in it one after the other; `None` if they do not.
    pub(crate) fn replacing(&self, old: &[Arc<LogSegment>], new: Arc<LogSegment>) -> Option<Self> {
        let first = old.first()?;
        let start = self.sealed.iter().position(|segment| Arc::ptr_eq(segment, first))?;
        let stand_there = self.sealed.get(start..start + old.len())?;
        if !stand_there.iter().zip(old).all(|(a, b)| Arc::ptr_eq(a, b)) {
            return None;
        }
        let mut sealed = self.sealed.clone();
        sealed.splice(start..start + old.len(), [new]);
        Some(Segments { sealed, active: Arc::clone(&self.active) })
    }

    /// The segments that may hold offsets in `start..end`: from the one at or below `start` on, and none that starts
    /// at `end` or above (Kafka: `LogSegments#values`).
    pub(crate) fn within(&self, start: Offset, end: Offset) -> impl Iterator<Item = &Arc<LogSegment>> {
        let is_below = move |segment: &&Arc<LogSegment>| segment.base_offset() < end;
        self.starting_at_floor(start).filter(move |_| start < end).take_while(is_below)
    }

    /// The list without its first `count` sealed segments.
    pub(crate) fn without_first(&self, count: usize) -> Self {
        Segments {
            sealed: self.sealed.iter().skip(count).cloned().collect(),
            active: Arc::clone(&self.active),
        }
    }
}
