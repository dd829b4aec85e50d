//! The small files beside the logs (Kafka: `CheckpointFile` and its users).

mod clean_shutdown;
mod content_error;
mod leader_epoch;
mod meta_properties;
mod offset;
mod partition_metadata;

#[cfg(test)]
mod tests;

pub(crate) use clean_shutdown::CleanShutdownFile;
pub(crate) use content_error::ContentError;
pub(crate) use leader_epoch::{EpochEntry, format_leader_epochs, parse_leader_epochs};
pub(crate) use meta_properties::MetaProperties;
pub(crate) use offset::OffsetCheckpointFile;
#[cfg(feature = "cli")]
pub(crate) use offset::format_offsets;
pub(crate) use partition_metadata::{format_partition_metadata, parse_partition_metadata};

/// No file of this kind is larger, with room to spare: a damaged one is refused before it is read.
pub(crate) const MAX_FILE_BYTES: usize = 64 << 20;

/// Reads `version 0`, a count, and as many lines; calls `line` with each. The count is believed only as far as
/// lines follow, so it sizes nothing.
fn parse_lines<'a>(
    content: &'a [u8],
    mut line: impl FnMut(&'a str) -> Option<()>,
) -> Result<(), ContentError> {
    let text = std::str::from_utf8(content).map_err(|error| error.to_string())?;
    // Kafka makes some of these files empty, before there is anything to write.
    if text.is_empty() {
        return Ok(());
    }
    let mut lines = text.lines();
    match lines.next().map(str::trim) {
        Some("0") => {}
        version => return Err(ContentError::of_version(version.unwrap_or("(none)"), 0)),
    }
    let count = lines.next().map(str::trim).unwrap_or_default();
    let count: usize = count.parse().map_err(|_| format!("line 2 is '{count}', not a number of entries"))?;
    let mut seen = 0;
    for (i, content) in lines.enumerate() {
        if seen == count {
            return Err(format!("line {} follows the last of {count} entries", i + 3).into());
        }
        line(content).ok_or_else(|| format!("line {} is '{content}'", i + 3))?;
        seen += 1;
    }
    if seen < count {
        return Err(format!("{seen} entries follow where {count} are announced").into());
    }
    Ok(())
}
