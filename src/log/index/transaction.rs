//! The aborted transactions of a segment (Kafka: `TransactionIndex`, `AbortedTxn`).

use std::sync::Arc;

use parking_lot::Mutex;

use crate::log::checkpoint::ContentError;
use crate::log::error::LogError;
use crate::log::partition_dir::SegmentFile;
use crate::model::{Offset, ProducerId};
use crate::sys::{File, OpenOptions};

const ENTRY: usize = 34;
const VERSION: i16 = 0;
/// Entries read at once.
const CHUNK: usize = 128;

/// A transaction that was aborted, with data in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AbortedTxn {
    pub(crate) producer_id: ProducerId,
    pub(crate) first_offset: Offset,
    /// The offset of its marker.
    pub(crate) last_offset: Offset,
    /// What was stable when the marker was written: no transaction open before this offset is left.
    pub(crate) last_stable_offset: Offset,
}

/// Entries of 34 bytes, one for each aborted transaction whose marker is in the segment, in the order of markers.
/// The file is made by the first one, since most segments have none.
#[derive(Debug)]
pub(crate) struct TransactionIndex {
    file: SegmentFile,
    state: Mutex<State>,
}

/// The file and the number of its entries.
type Opened = (Arc<dyn File>, u64);

#[derive(Debug)]
struct State {
    /// Whether there is a file on disk, opened or not.
    exists: bool,
    file: Option<Arc<dyn File>>,
    entries: u64,
    /// The file has changed since it was last flushed.
    dirty: bool,
}

impl TransactionIndex {
    /// The index in `file`, which exists or is made by the first entry.
    pub(crate) fn new(file: SegmentFile, exists: bool) -> Self {
        TransactionIndex { file, state: Mutex::new(State { exists, file: None, entries: 0, dirty: false }) }
    }

    pub(crate) fn file(&self) -> &SegmentFile {
        &self.file
    }

    fn opened(&self) -> Result<Option<Opened>, LogError> {
        let mut state = self.state.lock();
        if !state.exists {
            return Ok(None);
        }
        if let Some(file) = &state.file {
            return Ok(Some((Arc::clone(file), state.entries)));
        }
        let file = self.file.open(OpenOptions::WRITE)?;
        state.entries = file.len().map_err(self.file.failed("look at"))? / ENTRY as u64;
        state.file = Some(Arc::clone(&file));
        Ok(Some((file, state.entries)))
    }

    /// Adds an entry. Markers come in the order of the log, so each lies beyond the last.
    pub(crate) fn append(&self, txn: &AbortedTxn) -> Result<(), LogError> {
        self.prepare(std::slice::from_ref(txn))?;
        self.admit(1);
        Ok(())
    }

    /// Writes entries that count only once they are [admitted](TransactionIndex::admit): their markers are yet to be
    /// written, and once those are, nothing may fail for want of room.
    pub(crate) fn prepare(&self, txns: &[AbortedTxn]) -> Result<(), LogError> {
        if txns.is_empty() {
            return Ok(());
        }
        let (file, entries) = match self.opened()? {
            Some(opened) => opened,
            None => (self.file.open(OpenOptions::CREATE)?, 0),
        };
        *self.state.lock() = State { exists: true, file: Some(Arc::clone(&file)), entries, dirty: true };
        let bytes: Vec<u8> = txns.iter().flat_map(|txn| txn.to_bytes()).collect();
        file.write_all_at(&bytes, entries * ENTRY as u64).map_err(|source| {
            let error = self.file.failed("append to")(source);
            // The half of an entry would be in the way of no later one, but of whoever reads the file.
            if error.is_disk_full() { self.trim().err().unwrap_or(error) } else { error }
        })
    }

    /// Counts the first `count` entries that were prepared: their markers are in the log.
    pub(crate) fn admit(&self, count: usize) {
        self.state.lock().entries += count as u64;
    }

    /// Cuts off what was prepared and not admitted, or left by a [reset](TransactionIndex::reset).
    pub(crate) fn trim(&self) -> Result<(), LogError> {
        let mut state = self.state.lock();
        let Some(file) = &state.file else { return Ok(()) };
        let len = state.entries * ENTRY as u64;
        if file.len().map_err(self.file.failed("look at"))? > len {
            file.set_len(len).map_err(self.file.failed("cut"))?;
            state.dirty = true;
        }
        Ok(())
    }

    /// Calls `visit` with each entry in order until it answers `false`; answers whether it never did.
    pub(crate) fn visit(&self, mut visit: impl FnMut(&AbortedTxn) -> bool) -> Result<bool, LogError> {
        let Some((file, entries)) = self.opened()? else { return Ok(true) };
        let mut buffer = [0; CHUNK * ENTRY];
        let mut done = 0;
        while done < entries {
            let count = usize::try_from(entries - done).map_or(CHUNK, |left| left.min(CHUNK));
            let Some(part) = buffer.get_mut(..count * ENTRY) else { break };
            file.read_exact_at(part, done * ENTRY as u64).map_err(self.file.failed("read"))?;
            for entry in part.chunks_exact(ENTRY) {
                // An entry that is left out would let aborted records pass for committed ones.
                let Some(txn) = AbortedTxn::parse(entry) else { return Err(self.unknown(entry)) };
                if !visit(&txn) {
                    return Ok(false);
                }
            }
            done += count as u64;
        }
        Ok(true)
    }

    fn unknown(&self, entry: &[u8]) -> LogError {
        let version = entry.first_chunk().map_or(-1, |version| i16::from_be_bytes(*version));
        ContentError::of_version(&version.to_string(), VERSION.into()).at(&self.file.path())
    }

    /// Adds the transactions that overlap `[fetch_offset, upper_bound_offset)` to `found`; answers whether those
    /// of later segments need not be looked at (Kafka: `TransactionIndex#collectAbortedTxns`).
    pub(crate) fn collect_aborted_txns(
        &self,
        fetch_offset: Offset,
        upper_bound_offset: Offset,
        found: &mut Vec<AbortedTxn>,
    ) -> Result<bool, LogError> {
        let to_the_end = self.visit(|txn| {
            if txn.last_offset >= fetch_offset && txn.first_offset < upper_bound_offset {
                found.push(*txn);
            }
            txn.last_stable_offset < upper_bound_offset
        })?;
        Ok(!to_the_end)
    }

    /// Drops the transactions whose marker is at or beyond `offset`.
    pub(crate) fn truncate_to(&self, offset: Offset) -> Result<(), LogError> {
        let mut keep = 0;
        self.visit(|txn| {
            let kept = txn.last_offset < offset;
            keep += u64::from(kept);
            kept
        })?;
        let Some((file, entries)) = self.opened()? else { return Ok(()) };
        if keep < entries {
            file.set_len(keep * ENTRY as u64).map_err(self.file.failed("cut"))?;
            let mut state = self.state.lock();
            state.entries = keep;
            state.dirty = true;
        }
        Ok(())
    }

    /// Drops everything. The file keeps its room for what is found again, until [`trim`](TransactionIndex::trim).
    pub(crate) fn reset(&self) -> Result<(), LogError> {
        let mut state = self.state.lock();
        if state.exists {
            state.file = Some(self.file.open(OpenOptions::WRITE)?);
            state.entries = 0;
            state.dirty = true;
        }
        Ok(())
    }

    /// Whether the file has only whole entries of the known version, in order (Kafka: `TransactionIndex#sanityCheck`).
    pub(crate) fn is_sane(&self, base_offset: Offset) -> Result<bool, LogError> {
        let Some((file, entries)) = self.opened()? else { return Ok(true) };
        if file.len().map_err(self.file.failed("look at"))? != entries * ENTRY as u64 {
            return Ok(false);
        }
        let (mut seen, mut last) = (0, base_offset);
        let visited = self.visit(|txn| {
            let follows = txn.last_offset >= last;
            (seen, last) = (seen + u64::from(follows), txn.last_offset);
            follows
        });
        match visited {
            Ok(_) => Ok(seen == entries),
            Err(LogError::NewerFormat { .. } | LogError::Malformed { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn flush(&self) -> Result<(), LogError> {
        let mut state = self.state.lock();
        match &state.file {
            Some(file) if state.dirty => file.sync_all().map_err(self.file.failed("flush"))?,
            Some(_) | None => {}
        }
        state.dirty = false;
        Ok(())
    }
}

impl AbortedTxn {
    /// The bytes of an entry.
    pub(crate) const SIZE: usize = ENTRY;

    fn to_bytes(self) -> [u8; ENTRY] {
        let mut bytes = [0; ENTRY];
        let words = [self.producer_id, self.first_offset, self.last_offset, self.last_stable_offset];
        // The version before them is 0, as the array is.
        for (slot, word) in bytes.iter_mut().skip(2).zip(words.into_iter().flat_map(i64::to_be_bytes)) {
            *slot = word;
        }
        bytes
    }

    /// `None` if it has another version.
    pub(crate) fn parse(entry: &[u8]) -> Option<Self> {
        let word = |i: usize| -> Option<i64> {
            Some(i64::from_be_bytes(entry.get(2 + 8 * i..10 + 8 * i)?.try_into().ok()?))
        };
        let version = i16::from_be_bytes(entry.get(..2)?.try_into().ok()?);
        (version == VERSION).then_some(())?;
        Some(AbortedTxn {
            producer_id: word(0)?,
            first_offset: word(1)?,
            last_offset: word(2)?,
            last_stable_offset: word(3)?,
        })
    }
}
