use crate::model::Offset;

/// An offset and, where it is known, its place in the files (Kafka: `LogOffsetMetadata`), so that a reader whose
/// upper bound it is need not search for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogOffsetMetadata {
    pub(crate) offset: Offset,
    pub(crate) place: Option<Place>,
}

/// A byte of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) segment_base_offset: Offset,
    pub(crate) position: u32,
}

impl LogOffsetMetadata {
    /// An offset whose place is not known.
    pub(crate) const fn of_offset(offset: Offset) -> Self {
        LogOffsetMetadata { offset, place: None }
    }

    /// Whether the two lie in different segments, or it is not known that they do not
    /// (Kafka: `LogOffsetMetadata#onOlderSegment`).
    pub(crate) fn on_same_segment(&self, other: &Self) -> bool {
        match (self.place, other.place) {
            (Some(a), Some(b)) => a.segment_base_offset == b.segment_base_offset,
            _ => false,
        }
    }

    /// The bytes between two places of one segment (Kafka: `LogOffsetMetadata#positionDiff`), which tell a
    /// waiting fetch whether there is enough to answer.
    pub(crate) fn position_diff(&self, earlier: &Self) -> Option<i64> {
        match (self.place, earlier.place) {
            (Some(a), Some(b)) if a.segment_base_offset == b.segment_base_offset => {
                Some(i64::from(a.position) - i64::from(b.position))
            }
            _ => None,
        }
    }
}
