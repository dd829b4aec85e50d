//! How a log's start moves, and the places of offsets in its files.

use super::bounds::Bounds;
use super::offset_metadata::{LogOffsetMetadata, Place};
use super::producer_state::ProducerStateManager;
use super::segments::Segments;
use super::{Log, LogError};
use crate::model::Offset;

impl Log {
    /// Lets the log start at `offset`, if that is higher than where it starts now; answers whether it is
    /// (Kafka: `UnifiedLog#maybeIncrementLogStartOffset`). Segments that fall below are removed by the next
    /// clean-up.
    ///
    /// # Errors
    /// [`LogError::OffsetOutOfRange`] above the high watermark.
    pub(crate) fn maybe_increment_log_start_offset(&self, offset: Offset) -> Result<bool, LogError> {
        self.log_dir.run(|| {
            let mut writer = self.writer.lock();
            self.increment_log_start_offset(&mut writer.producers, offset)
        })
    }

    pub(super) fn increment_log_start_offset(
        &self,
        producers: &mut ProducerStateManager,
        offset: Offset,
    ) -> Result<bool, LogError> {
        {
            let mut bounds = self.bounds.lock();
            if offset > bounds.high_watermark.offset {
                return Err(self.offset_out_of_range(offset, &bounds));
            }
            if offset <= bounds.log_start_offset {
                return Ok(false);
            }
            bounds.log_start_offset = offset;
        }
        self.epochs.write().truncate_from_start(offset);
        producers.on_log_start_offset_incremented(offset);
        self.publish_first_unstable(producers)?;
        Ok(true)
    }

    /// Tells readers where the first undecided transaction starts (Kafka: `maybeIncrementFirstUnstableOffset`).
    pub(super) fn publish_first_unstable(&self, producers: &ProducerStateManager) -> Result<(), LogError> {
        let log_start_offset = self.log_start_offset();
        let first_unstable = match producers.first_unstable_offset() {
            Some(first) if first.place.is_none() || first.offset < log_start_offset => {
                Some(self.place(first.offset.max(log_start_offset))?)
            }
            known => known,
        };
        self.bounds.lock().first_unstable = first_unstable;
        Ok(())
    }

    /// The place of an offset: the batch that holds it, or the end.
    pub(super) fn place(&self, offset: Offset) -> Result<LogOffsetMetadata, LogError> {
        place_in(&self.segments(), offset)
    }

    pub(super) fn offset_out_of_range(&self, offset: Offset, bounds: &Bounds) -> LogError {
        LogError::OffsetOutOfRange {
            partition: self.partition.clone(),
            offset,
            log_start_offset: bounds.log_start_offset,
            log_end_offset: bounds.end.offset,
        }
    }
}

/// The place of an offset within `segments` (Kafka: `UnifiedLog#convertToOffsetMetadataOrThrow`).
pub(super) fn place_in(segments: &Segments, offset: Offset) -> Result<LogOffsetMetadata, LogError> {
    let segment = segments.floor(offset).unwrap_or_else(|| segments.first());
    let position = match segment.translate_offset(offset)? {
        Some(found) => found.position,
        None => segment.size(),
    };
    let place = u32::try_from(position)
        .ok()
        .map(|position| Place { segment_base_offset: segment.base_offset(), position });
    Ok(LogOffsetMetadata { offset, place })
}
