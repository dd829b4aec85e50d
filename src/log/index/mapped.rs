//! What the memory-mapped indexes share: entries of one size, in a file that grows while it is written and is cut
//! to what is used when its segment is rolled or closed.

use parking_lot::{RwLock, RwLockReadGuard};

use crate::log::error::LogError;
use crate::log::partition_dir::SegmentFile;
use crate::sys::{Mmap, OpenOptions};

/// The first step of growth.
const MIN_FILE_BYTES: usize = 4096;

/// A file of `N`-byte entries.
///
/// Nothing is opened before the first entry is read or written: most segments of most partitions are never
/// looked into, and a new partition shall cost next to nothing.
///
/// Kafka makes the file as long as it may ever get, with a hole. Here it grows in steps whose room is reserved,
/// since a write into the map of a hole on a full disk would end the process with SIGBUS.
#[derive(Debug)]
pub(super) struct MappedIndex<const N: usize> {
    file: SegmentFile,
    max_bytes: usize,
    state: RwLock<State>,
}

#[derive(Debug)]
struct State {
    exists: bool,
    /// Whether the file's entries are still to be looked at.
    unread: bool,
    entries: usize,
    /// The file itself is closed once it is mapped: descriptors are few, and most indexes only wait.
    map: Option<Box<dyn Mmap>>,
    /// The file has changed since it was last flushed.
    dirty: bool,
}

impl<const N: usize> MappedIndex<N> {
    /// The index in `file`, which exists or is made by the first entry.
    pub(super) fn new(file: SegmentFile, max_bytes: usize, exists: bool) -> Self {
        let state = State { exists, unread: exists, entries: 0, map: None, dirty: false };
        MappedIndex { file, max_bytes, state: RwLock::new(state) }
    }

    pub(super) fn file(&self) -> &SegmentFile {
        &self.file
    }

    /// The number of entries that fit.
    pub(super) fn max_entries(&self) -> usize {
        self.max_bytes / N
    }

    /// Looks at the entries with `look`, while none is added.
    pub(super) fn view<T>(&self, look: impl FnOnce(View<'_, N>) -> T) -> Result<T, LogError> {
        loop {
            let state = self.state.read();
            if !state.unread {
                return Ok(look(View { state }));
            }
            drop(state);
            self.load(&mut self.state.write())?;
        }
    }

    /// Whether the file's length is that of an index. One that was looked at already is cut to whole entries.
    pub(super) fn has_valid_length(&self) -> Result<bool, LogError> {
        if self.state.read().unread { Ok(self.file.size()? % N as u64 == 0) } else { Ok(true) }
    }

    fn load(&self, state: &mut State) -> Result<(), LogError> {
        if !state.unread {
            return Ok(());
        }
        let file = self.file.open(OpenOptions::WRITE)?;
        let len = usize::try_from(file.len().map_err(self.file.failed("look at"))?).unwrap_or(usize::MAX);
        let entries = len / N;
        if entries > 0 {
            state.map = Some(file.map(entries * N).map_err(self.file.failed("map"))?);
        }
        state.entries = entries;
        state.unread = false;
        Ok(())
    }

    /// Makes room for `count` more entries, or as many as may be, so that [`MappedIndex::push`] cannot fail.
    pub(super) fn reserve(&self, count: usize) -> Result<(), LogError> {
        let mut state = self.state.write();
        self.load(&mut state)?;
        let max_bytes = self.max_entries() * N;
        let needed = ((state.entries + count) * N).min(max_bytes);
        if state.map.as_ref().map_or(0, |map| map.len()) >= needed {
            return Ok(());
        }
        let len = (2 * needed).max(MIN_FILE_BYTES / N * N).min(max_bytes);
        let file = self.file.open(OpenOptions::CREATE)?;
        state.exists = true;
        file.allocate(len as u64).map_err(self.file.failed("extend"))?;
        state.map = Some(file.map(len).map_err(self.file.failed("map"))?);
        Ok(())
    }

    /// Adds an entry, if there is room: see [`MappedIndex::reserve`].
    pub(super) fn push(&self, entry: [u8; N]) {
        let mut state = self.state.write();
        let position = state.entries * N;
        if let Some(map) = state.map.as_ref().filter(|map| map.len() >= position + N) {
            map.write(position, &entry);
            state.entries += 1;
            state.dirty = true;
        }
    }

    /// Keeps the first `entries` entries.
    pub(super) fn truncate_to_entries(&self, entries: usize) -> Result<(), LogError> {
        let mut state = self.state.write();
        self.load(&mut state)?;
        state.dirty |= entries < state.entries;
        state.entries = state.entries.min(entries);
        Ok(())
    }

    /// Drops all entries, whatever the file holds.
    pub(super) fn reset(&self) -> Result<(), LogError> {
        let mut state = self.state.write();
        // Windows cannot cut a file that is mapped.
        state.map = None;
        if state.exists {
            self.file.open(OpenOptions::REPLACE)?;
            state.dirty = true;
        }
        state.unread = false;
        state.entries = 0;
        Ok(())
    }

    /// Cuts the file to its entries, or makes an empty one where Kafka expects a file
    /// (Kafka: `AbstractIndex#trimToValidSize`).
    pub(super) fn trim(&self) -> Result<(), LogError> {
        let mut state = self.state.write();
        let used = state.entries * N;
        let is_cut = state.exists && !state.dirty && state.map.as_ref().map_or(0, |map| map.len()) == used;
        if state.unread || is_cut {
            return Ok(());
        }
        let file = self.file.open(OpenOptions::CREATE)?;
        *state = State { exists: true, unread: true, entries: 0, map: None, dirty: true };
        file.set_len(used as u64).map_err(self.file.failed("cut"))
    }

    /// Makes entries survive a power loss.
    pub(super) fn flush(&self) -> Result<(), LogError> {
        let mut state = self.state.write();
        if !std::mem::take(&mut state.dirty) || !state.exists {
            return Ok(());
        }
        if let Some(map) = &state.map {
            map.flush().map_err(self.file.failed("flush"))?;
        }
        let file = self.file.open(OpenOptions::WRITE)?;
        file.sync_all().map_err(self.file.failed("flush"))
    }
}

/// The entries of an index at one moment.
pub(super) struct View<'a, const N: usize> {
    state: RwLockReadGuard<'a, State>,
}

impl<const N: usize> View<'_, N> {
    pub(super) fn len(&self) -> usize {
        self.state.entries
    }

    pub(super) fn get(&self, i: usize) -> Option<[u8; N]> {
        let map = self.state.map.as_ref().filter(|_| i < self.state.entries)?;
        let mut entry = [0; N];
        map.read(i * N, &mut entry);
        Some(entry)
    }

    pub(super) fn last(&self) -> Option<[u8; N]> {
        self.get(self.state.entries.checked_sub(1)?)
    }

    /// The number of entries at the front for which `precedes` holds, as it holds for all before such a one.
    pub(super) fn partition_point(&self, mut precedes: impl FnMut([u8; N]) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(middle).is_some_and(&mut precedes) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}
