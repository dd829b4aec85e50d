//! Reading: which bytes of which file are the records from an offset on.

use super::bounds::{Bounds, FetchIsolation};
use super::index::AbortedTxn;
use super::offset_metadata::{LogOffsetMetadata, Place};
use super::offsets::place_in;
use super::segment::{LogSegment, SegmentRead, SegmentReadLimits};
use super::segments::Segments;
use super::{Log, LogError};
use crate::model::Offset;
use crate::sys::FileSlice;

/// What is asked of [`Log::read`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadParams {
    /// The first offset wanted; the records may start before it, since batches are not split.
    pub(crate) start_offset: Offset,
    /// The bytes wanted at most. The last batch may be cut by it.
    pub(crate) max_bytes: usize,
    /// How far to see.
    pub(crate) isolation: FetchIsolation,
    /// Give the first batch whole even if it has more than `max_bytes`.
    pub(crate) min_one_message: bool,
}

/// What [`Log::read`] gives (Kafka: `FetchDataInfo`).
#[derive(Clone, Debug)]
pub(crate) struct FetchDataInfo {
    /// The offset asked for, and the place where the records start.
    pub(crate) fetch_offset: LogOffsetMetadata,
    /// The records; `None` if there are none (yet).
    pub(crate) records: Option<FileSlice>,
    /// The first batch is cut, so there is no whole one.
    pub(crate) first_entry_incomplete: bool,
    /// The aborted transactions among the records; `None` if not asked for by [`FetchIsolation::TxnCommitted`].
    pub(crate) aborted_transactions: Option<Vec<AbortedTxn>>,
    /// The bounds at the moment of the read.
    pub(crate) log_start_offset: Offset,
    pub(crate) log_end_offset: Offset,
    pub(crate) high_watermark: Offset,
    pub(crate) last_stable_offset: Offset,
}

impl FetchDataInfo {
    /// The bytes of the records.
    pub(crate) fn size(&self) -> usize {
        self.records.as_ref().map_or(0, FileSlice::size)
    }
}

impl Log {
    /// The records from an offset on, as a range of a file; takes no lock that an append holds while it writes
    /// (Kafka: `UnifiedLog#read`).
    ///
    /// # Errors
    /// [`LogError::OffsetOutOfRange`] below the log's start or above its end.
    pub(crate) fn read(&self, params: &ReadParams) -> Result<FetchDataInfo, LogError> {
        self.log_dir.run(|| {
            loop {
                match self.try_read(params) {
                    // A segment was deleted under the hands of this read: look again, at what there is now.
                    Err(LogError::Deleted { .. }) if self.segments().floor(params.start_offset).is_some() => {
                        self.check_open()?;
                        self.log_dir.check_online()?;
                    }
                    answer => return answer,
                }
            }
        })
    }

    fn try_read(&self, params: &ReadParams) -> Result<FetchDataInfo, LogError> {
        let start_offset = params.start_offset;
        let bounds = self.bounds();
        if start_offset < bounds.log_start_offset || start_offset > bounds.end.offset {
            return Err(self.offset_out_of_range(start_offset, &bounds));
        }
        let segments = self.segments();
        let mut upper = bounds.upper(params.isolation);
        if start_offset >= upper.offset {
            let known =
                [upper, bounds.end].into_iter().find(|at| at.offset == start_offset && at.place.is_some());
            let fetch_offset = match known {
                Some(at) => at,
                None => place_in(&segments, start_offset)?,
            };
            return Ok(answer(params, &bounds, fetch_offset));
        }
        if upper.place.is_none() {
            upper = place_in(&segments, upper.offset)?;
            self.remember_place_of_high_watermark(upper);
        }
        for segment in segments.starting_at_floor(start_offset) {
            let limits = SegmentReadLimits {
                max_bytes: params.max_bytes,
                max_position: max_position(segment, upper),
                min_one_message: params.min_one_message,
            };
            if let Some(read) = segment.read(start_offset, limits)? {
                return self.found(params, &bounds, &segments, (segment, read));
            }
        }
        // Everything from there on was compacted away.
        Ok(answer(params, &bounds, LogOffsetMetadata { offset: start_offset, place: bounds.end.place }))
    }

    /// Spares the next reader the search.
    fn remember_place_of_high_watermark(&self, found: LogOffsetMetadata) {
        let mut bounds = self.bounds.lock();
        if bounds.high_watermark.offset == found.offset {
            bounds.high_watermark = found;
        }
    }

    fn found(
        &self,
        params: &ReadParams,
        bounds: &Bounds,
        segments: &Segments,
        (segment, read): (&LogSegment, SegmentRead),
    ) -> Result<FetchDataInfo, LogError> {
        let place = u32::try_from(read.start.position)
            .ok()
            .map(|position| Place { segment_base_offset: segment.base_offset(), position });
        let mut info = answer(params, bounds, LogOffsetMetadata { offset: params.start_offset, place });
        if let Some(aborted) = &mut info.aborted_transactions {
            let upper_bound = match segment.fetch_upper_bound_offset(&read)? {
                Some(offset) => offset,
                None => segments.higher_base_offset(segment.base_offset()).unwrap_or(bounds.end.offset),
            };
            collect_aborted_txns(
                segments,
                segment.base_offset(),
                (params.start_offset, upper_bound),
                aborted,
            )?;
        }
        info.first_entry_incomplete = read.first_entry_incomplete;
        info.records = Some(read.records).filter(|records| !records.is_empty());
        Ok(info)
    }
}

impl Log {
    /// The aborted transactions that overlap `start..end` (Kafka: `UnifiedLog#collectAbortedTransactions`).
    pub(super) fn collect_aborted_txns(
        &self,
        segments: &Segments,
        start: Offset,
        end: Offset,
    ) -> Result<Vec<AbortedTxn>, LogError> {
        let mut aborted = Vec::new();
        collect_aborted_txns(segments, start, (start, end), &mut aborted)?;
        Ok(aborted)
    }
}

/// Adds the aborted transactions that overlap `start..end`, which begins in or after the segment that holds `from`.
fn collect_aborted_txns(
    segments: &Segments,
    from: Offset,
    (start, end): (Offset, Offset),
    aborted: &mut Vec<AbortedTxn>,
) -> Result<(), LogError> {
    for segment in segments.starting_at_floor(from) {
        if segment.txn_index().collect_aborted_txns(start, end, aborted)? {
            break;
        }
    }
    Ok(())
}

/// Where the bytes of `segment` end that are below `upper`.
fn max_position(segment: &LogSegment, upper: LogOffsetMetadata) -> u64 {
    match upper.place {
        Some(place) if place.segment_base_offset == segment.base_offset() => u64::from(place.position),
        Some(place) if place.segment_base_offset < segment.base_offset() => 0,
        Some(_) | None => segment.size(),
    }
}

fn answer(params: &ReadParams, bounds: &Bounds, fetch_offset: LogOffsetMetadata) -> FetchDataInfo {
    FetchDataInfo {
        fetch_offset,
        records: None,
        first_entry_incomplete: false,
        aborted_transactions: (params.isolation == FetchIsolation::TxnCommitted).then(Vec::new),
        log_start_offset: bounds.log_start_offset,
        log_end_offset: bounds.end.offset,
        high_watermark: bounds.high_watermark.offset,
        last_stable_offset: bounds.last_stable().offset,
    }
}
