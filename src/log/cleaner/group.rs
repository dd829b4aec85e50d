//! Which segments become one.

use std::sync::Arc;

use crate::log::LogError;
use crate::log::segment::LogSegment;
use crate::model::Offset;

/// Bytes of an entry of the offset index and of the time index.
const OFFSET_ENTRY: u64 = 8;
const TIME_ENTRY: u64 = 12;

/// The largest that a segment may get.
#[derive(Clone, Copy, Debug)]
pub(super) struct GroupLimits {
    pub(super) segment_bytes: u64,
    pub(super) index_bytes: u64,
    pub(super) first_uncleanable_offset: Offset,
}

/// Joins neighbours that fit one segment even if nothing goes from them, so that compaction does not leave ever more
/// ever smaller segments (Kafka: `Cleaner#groupSegmentsBySize`).
pub(super) fn group_segments(
    segments: &[Arc<LogSegment>],
    limits: GroupLimits,
) -> Result<Vec<Vec<Arc<LogSegment>>>, LogError> {
    let mut groups: Vec<Vec<Arc<LogSegment>>> = Vec::new();
    let mut sum = Sizes::default();
    for (i, segment) in segments.iter().enumerate() {
        let sizes = Sizes::of(segment)?;
        let end = segments.get(i + 1).map_or(limits.first_uncleanable_offset, |next| next.base_offset());
        match groups.last_mut() {
            Some(group) if sum.plus(sizes).is_within(limits) && spans_few_offsets(group, segment, end) => {
                sum = sum.plus(sizes);
                group.push(Arc::clone(segment));
            }
            _ => {
                sum = sizes;
                groups.push(vec![Arc::clone(segment)]);
            }
        }
    }
    Ok(groups)
}

/// Whether the offsets up to `end` fit the 32 bits that an index has for them.
fn spans_few_offsets(group: &[Arc<LogSegment>], segment: &LogSegment, end: Offset) -> bool {
    let base_offset = group.first().map_or(segment.base_offset(), |first| first.base_offset());
    segment.size() == 0 || end.saturating_sub(1).saturating_sub(base_offset) <= i64::from(i32::MAX)
}

#[derive(Clone, Copy, Debug, Default)]
struct Sizes {
    log: u64,
    offset_index: u64,
    time_index: u64,
}

impl Sizes {
    fn of(segment: &LogSegment) -> Result<Self, LogError> {
        Ok(Sizes {
            log: segment.size(),
            offset_index: segment.offset_index().len()? as u64 * OFFSET_ENTRY,
            time_index: segment.time_index().len()? as u64 * TIME_ENTRY,
        })
    }

    fn plus(self, other: Sizes) -> Self {
        Sizes {
            log: self.log + other.log,
            offset_index: self.offset_index + other.offset_index,
            time_index: self.time_index + other.time_index,
        }
    }

    fn is_within(self, limits: GroupLimits) -> bool {
        self.log <= limits.segment_bytes
            && self.offset_index <= limits.index_bytes
            && self.time_index <= limits.index_bytes
    }
}
