//! Where a log starts and ends, and how far its readers may see.

use super::offset_metadata::LogOffsetMetadata;
use super::{Log, LogError};
use crate::model::Offset;

/// How far a read may see (Kafka: `FetchIsolation`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FetchIsolation {
    /// Everything: replicas.
    LogEnd,
    /// What all in-sync replicas have.
    HighWatermark,
    /// And of that, what no open transaction may still take back.
    TxnCommitted,
}

/// All of them at one moment; copied out under one short lock, so that they fit each other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) log_start_offset: Offset,
    pub(super) end: LogOffsetMetadata,
    pub(super) high_watermark: LogOffsetMetadata,
    /// Where the first transaction starts that is open, or whose marker lies above the high watermark.
    pub(super) first_unstable: Option<LogOffsetMetadata>,
}

impl Bounds {
    /// (Kafka: `UnifiedLog#fetchLastStableOffsetMetadata`.)
    pub(super) fn last_stable(&self) -> LogOffsetMetadata {
        match self.first_unstable {
            Some(first) if first.offset < self.high_watermark.offset => first,
            _ => self.high_watermark,
        }
    }

    pub(super) fn upper(&self, isolation: FetchIsolation) -> LogOffsetMetadata {
        match isolation {
            FetchIsolation::LogEnd => self.end,
            FetchIsolation::HighWatermark => self.high_watermark,
            FetchIsolation::TxnCommitted => self.last_stable(),
        }
    }
}

impl Log {
    pub(super) fn bounds(&self) -> Bounds {
        *self.bounds.lock()
    }

    /// The first offset that readers may ask for.
    pub(crate) fn log_start_offset(&self) -> Offset {
        self.bounds.lock().log_start_offset
    }

    /// The offset that the next record gets.
    pub(crate) fn log_end_offset(&self) -> Offset {
        self.bounds.lock().end.offset
    }

    /// The same, with its place.
    pub(crate) fn log_end_offset_metadata(&self) -> LogOffsetMetadata {
        self.bounds.lock().end
    }

    /// Everything below it is on all in-sync replicas.
    pub(crate) fn high_watermark(&self) -> Offset {
        self.bounds.lock().high_watermark.offset
    }

    /// Everything below it is decided: no transaction may still take it back.
    pub(crate) fn last_stable_offset(&self) -> Offset {
        self.bounds.lock().last_stable().offset
    }

    /// The end of what a reader may see, with its place where that is known: a fetch that waits counts by it the
    /// bytes that have come.
    pub(crate) fn upper_bound(&self, isolation: FetchIsolation) -> LogOffsetMetadata {
        self.bounds.lock().upper(isolation)
    }

    /// Raises the high watermark to `offset`, never above the log end offset; lower ones are ignored. Answers
    /// whether it moved (Kafka: `UnifiedLog#maybeIncrementHighWatermark`).
    pub(crate) fn maybe_update_high_watermark(&self, offset: Offset) -> Result<bool, LogError> {
        let has_unstable = {
            let mut bounds = self.bounds.lock();
            let offset = offset.min(bounds.end.offset);
            if offset <= bounds.high_watermark.offset {
                return Ok(false);
            }
            bounds.high_watermark =
                if offset == bounds.end.offset { bounds.end } else { LogOffsetMetadata::of_offset(offset) };
            bounds.first_unstable.is_some()
        };
        if has_unstable {
            let mut writer = self.writer.lock();
            let high_watermark = self.high_watermark();
            writer.producers.on_high_watermark_updated(high_watermark);
            self.publish_first_unstable(&writer.producers)?;
        }
        Ok(true)
    }

    /// Sets the high watermark wherever within the log it is to be: after opening, from its checkpoint
    /// (Kafka: `UnifiedLog#updateHighWatermark`). Answers where it is now.
    pub(crate) fn update_high_watermark(&self, offset: Offset) -> Result<Offset, LogError> {
        let mut writer = self.writer.lock();
        let offset = {
            let mut bounds = self.bounds.lock();
            let offset =
                offset.clamp(bounds.log_start_offset, bounds.end.offset.max(bounds.log_start_offset));
            bounds.high_watermark =
                if offset == bounds.end.offset { bounds.end } else { LogOffsetMetadata::of_offset(offset) };
            offset
        };
        writer.producers.on_high_watermark_updated(offset);
        self.publish_first_unstable(&writer.producers)?;
        Ok(offset)
    }
}
