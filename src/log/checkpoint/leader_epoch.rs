//! Where each leader's term starts (Kafka: `LeaderEpochCheckpointFile`).

use std::fmt::Write;

use super::ContentError;
use crate::model::{LeaderEpoch, Offset};

/// The first offset of a leader's term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EpochEntry {
    pub(crate) epoch: LeaderEpoch,
    pub(crate) start_offset: Offset,
}

/// The text of the file: version `0`, the number of entries, then `epoch offset` a line.
pub(crate) fn format_leader_epochs(entries: &[EpochEntry]) -> Vec<u8> {
    let mut text = format!("0\n{}\n", entries.len());
    for entry in entries {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{} {}", entry.epoch, entry.start_offset);
    }
    text.into_bytes()
}

/// Reads such a text.
pub(crate) fn parse_leader_epochs(content: &[u8]) -> Result<Vec<EpochEntry>, ContentError> {
    let mut entries = Vec::new();
    super::parse_lines(content, |line| {
        let mut words = line.split_whitespace();
        let (epoch, start_offset) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        entries.push(EpochEntry { epoch, start_offset });
        words.next().is_none().then_some(())
    })?;
    Ok(entries)
}
