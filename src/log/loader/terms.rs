//! The terms of records that the checkpoint does not tell of.

use crate::log::LogError;
use crate::log::epoch_cache::LeaderEpochFileCache;
use crate::log::file_records::ScanError;
use crate::log::segments::Segments;
use crate::model::Offset;

/// Reads the terms of the first records from their batches, where `epochs` begins later: the checkpoint was told of a
/// start of the log that a crash then took back, and the records with it.
pub(super) fn learn_first_terms(
    epochs: &mut LeaderEpochFileCache,
    segments: &Segments,
    log_start_offset: Offset,
) -> Result<(), LogError> {
    let known_from = epochs.earliest().map_or(Offset::MAX, |entry| entry.start_offset);
    let mut found = LeaderEpochFileCache::default();
    for segment in segments.starting_at_floor(log_start_offset) {
        if known_from <= segment.base_offset().max(log_start_offset) {
            break;
        }
        let mut headers = segment.records().headers_from(0)?;
        loop {
            match headers.next() {
                Ok(Some((_, header))) if header.base_offset() < known_from => {
                    let epoch = header.partition_leader_epoch();
                    let is_new = found.latest_epoch().is_none_or(|latest| latest < epoch);
                    if is_new && header.last_offset() >= log_start_offset {
                        found.assign(epoch, header.base_offset().max(log_start_offset));
                    }
                }
                Ok(_) | Err(ScanError::Corrupt { .. }) => break,
                Err(ScanError::Log(error)) => return Err(error),
            }
        }
    }
    epochs.put_before(found);
    Ok(())
}
