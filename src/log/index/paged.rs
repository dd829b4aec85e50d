//! What the offset index and the time index share: a file of entries of one size, the latest of which are in memory only.

use std::io;
use std::ops::Range;
use std::sync::{Arc, Weak};

use parking_lot::{MappedRwLockReadGuard, Mutex, RwLock, RwLockReadGuard};

use crate::log::error::LogError;
use crate::log::partition_dir::SegmentFile;
use crate::sys::{File, OpenOptions};

/// What is read or written at once, at the most.
const PAGE_BYTES: usize = 4096;

/// A file of `N`-byte entries, in order.
///
/// Those that are added stay in memory until there is a page of them, or the index is [trimmed](PagedIndex::trim). What a
/// crash takes of them is no loss, since recovery builds all indexes again that were not synced.
///
/// Nothing is opened before the first entry is read or written: most segments of most partitions are never
/// looked into, and a new partition shall cost next to nothing. From then on the file is one of those that the log engine
/// keeps open for a while.
#[derive(Debug)]
pub(super) struct PagedIndex<const N: usize> {
    file: SegmentFile,
    max_bytes: usize,
    state: RwLock<State<N>>,
}

#[derive(Debug)]
struct State<const N: usize> {
    exists: bool,
    /// The file has changed since it was last flushed.
    dirty: bool,
    /// `None`: nobody has looked at the file yet.
    entries: Option<Box<Entries<N>>>,
}

#[derive(Debug, Default)]
struct Entries<const N: usize> {
    /// The number of those in the file.
    written: usize,
    /// Those that follow.
    tail: Vec<[u8; N]>,
    /// The first and the last of all, which whoever adds one asks for when nothing may fail any more.
    ends: Option<([u8; N], [u8; N])>,
    /// A write has failed, and may have left something behind the entries in the file.
    torn: bool,
    at_hand: Mutex<AtHand<N>>,
}

/// What was used last, for as long as it is kept.
#[derive(Debug, Default)]
struct AtHand<const N: usize> {
    file: Option<Weak<dyn File>>,
    page: Option<Weak<Page<N>>>,
}

/// Entries of the file, as many as are read at once.
#[derive(Debug)]
struct Page<const N: usize> {
    /// The number of entries before them, which is a multiple of [`Page::LEN`].
    first: usize,
    entries: Box<[[u8; N]]>,
}

impl<const N: usize> Page<N> {
    const LEN: usize = PAGE_BYTES / N;

    /// The number of entries that precede, if the last of these is here and not the last of the page. If not, leaves of
    /// `pages` what there is to either side of this one.
    fn look(&self, precedes: impl Fn(&[u8; N]) -> bool, pages: &mut Range<usize>) -> Option<usize> {
        let number = self.first / Self::LEN;
        match self.entries.partition_point(precedes) {
            0 => pages.end = number,
            count if count < self.entries.len() => return Some(self.first + count),
            _ => pages.start = number + 1,
        }
        None
    }
}

impl<const N: usize> PagedIndex<N> {
    /// The index in `file`, which exists or is made when the first entries are written.
    pub(super) fn new(file: SegmentFile, max_bytes: usize, exists: bool) -> Self {
        PagedIndex { file, max_bytes, state: RwLock::new(State { exists, dirty: false, entries: None }) }
    }

    pub(super) fn file(&self) -> &SegmentFile {
        &self.file
    }

    /// The number of entries that fit.
    pub(super) fn max_entries(&self) -> usize {
        self.max_bytes / N
    }

    /// The entries; none is added while somebody looks at them.
    pub(super) fn view(&self) -> Result<View<'_, N>, LogError> {
        loop {
            match RwLockReadGuard::try_map(self.state.read(), |state| state.entries.as_deref()) {
                Ok(entries) => return Ok(View { file: &self.file, entries }),
                Err(unread) => drop(unread),
            }
            self.load(&mut self.state.write())?;
        }
    }

    /// Whether the file's length is that of an index. Of one that was looked at already, half an entry does not count.
    pub(super) fn has_valid_length(&self) -> Result<bool, LogError> {
        let state = self.state.read();
        let is_unread = state.exists && state.entries.is_none();
        drop(state);
        if is_unread { Ok(self.file.size()?.is_multiple_of(N as u64)) } else { Ok(true) }
    }

    fn load<'s>(&self, state: &'s mut State<N>) -> Result<&'s mut Entries<N>, LogError> {
        let entries = match state.entries.take() {
            Some(entries) => entries,
            None if state.exists => Box::new(Entries::in_file(&self.file)?),
            None => Box::default(),
        };
        Ok(state.entries.insert(entries))
    }

    /// Writes what is in memory if it would be more than a page with `count` more entries. Whoever is about to
    /// [push](PagedIndex::push) so many calls this while the disk may still refuse.
    pub(super) fn reserve(&self, count: usize) -> Result<(), LogError> {
        let mut state = self.state.write();
        let entries = self.load(&mut state)?;
        if !entries.tail.is_empty() && entries.tail.len() + count > Page::<N>::LEN {
            self.write(&mut state)?;
        }
        Ok(())
    }

    /// Adds an entry, in memory.
    pub(super) fn push(&self, entry: [u8; N]) -> Result<(), LogError> {
        let mut state = self.state.write();
        let entries = self.load(&mut state)?;
        entries.tail.push(entry);
        entries.ends = Some((entries.ends.map_or(entry, |(first, _)| first), entry));
        Ok(())
    }

    /// Writes what is in memory, in one call, into a file that is made if there is none.
    fn write(&self, state: &mut State<N>) -> Result<(), LogError> {
        let entries = self.load(state)?;
        let file = entries.file(&self.file, OpenOptions::CREATE)?;
        let written = entries.write_tail(&*file).map_err(self.file.failed("append to"));
        (state.exists, state.dirty) = (true, true);
        written
    }

    /// Keeps the first `count` entries.
    pub(super) fn truncate_to_entries(&self, count: usize) -> Result<(), LogError> {
        let view = self.view()?;
        if count >= view.len() {
            return Ok(());
        }
        let last = count.checked_sub(1).map_or(Ok(None), |i| view.get(i))?;
        let ends = view.first().zip(last);
        drop(view);
        let mut state = self.state.write();
        let entries = self.load(&mut state)?;
        entries.tail.truncate(count.saturating_sub(entries.written));
        entries.ends = ends;
        if count < entries.written {
            entries.written = count;
            entries.at_hand.get_mut().page = None;
            entries.torn = true;
            entries.cut(&self.file)?;
            state.dirty = true;
        }
        Ok(())
    }

    /// Drops all entries, whatever the file holds. It keeps its room for those that are built again, which there may be
    /// no other for; [`trim`](PagedIndex::trim) cuts off what they leave of it.
    pub(super) fn reset(&self) {
        let mut state = self.state.write();
        let mut entries = Box::new(Entries { torn: state.exists, ..Entries::default() });
        if let Some(before) = &mut state.entries {
            entries.at_hand.get_mut().file = before.at_hand.get_mut().file.take();
        }
        state.entries = Some(entries);
    }

    /// Brings all entries into the file, and nothing else, or makes an empty one where Kafka expects a file
    /// (Kafka: `AbstractIndex#trimToValidSize`).
    pub(super) fn trim(&self) -> Result<(), LogError> {
        let mut state = self.state.write();
        let is_whole = |entries: &Entries<N>| entries.tail.is_empty() && !entries.torn;
        if state.exists && state.entries.as_deref().is_none_or(is_whole) {
            return Ok(());
        }
        self.write(&mut state)?;
        let entries = self.load(&mut state)?;
        entries.tail = Vec::new();
        if entries.torn { entries.cut(&self.file) } else { Ok(()) }
    }

    /// Makes the entries in the file survive a power loss.
    pub(super) fn flush(&self) -> Result<(), LogError> {
        let mut state = self.state.write();
        if !std::mem::take(&mut state.dirty) {
            return Ok(());
        }
        let file = self.load(&mut state)?.file(&self.file, OpenOptions::WRITE)?;
        file.sync_all().map_err(self.file.failed("flush"))
    }

    /// Removes the file.
    pub(super) fn remove(&self) -> Result<(), LogError> {
        self.file.remove()?;
        if let Some(entries) = &self.state.read().entries
            && let Some(file) = entries.at_hand.lock().file.take().and_then(|file| file.upgrade())
        {
            self.file.forget(&file);
        }
        Ok(())
    }
}

impl<const N: usize> Drop for PagedIndex<N> {
    /// As with the records: the room of a file that was removed with its directory is not free before it is closed.
    fn drop(&mut self) {
        if let Some(entries) = &mut self.state.get_mut().entries
            && let Some(file) = entries.at_hand.get_mut().file.take().and_then(|file| file.upgrade())
        {
            self.file.forget(&file);
        }
    }
}

impl<const N: usize> Entries<N> {
    /// Those of a file that is there.
    fn in_file(file: &SegmentFile) -> Result<Self, LogError> {
        let written = usize::try_from(file.size()? / N as u64).unwrap_or(usize::MAX);
        let mut entries = Entries { written, ..Entries::default() };
        if let Some(last) = written.checked_sub(1) {
            entries.ends = Some((entries.read_one(file, 0)?, entries.read_one(file, last)?));
        }
        Ok(entries)
    }

    fn file(&self, file: &SegmentFile, options: OpenOptions) -> Result<Arc<dyn File>, LogError> {
        let mut at_hand = self.at_hand.lock();
        if let Some(opened) = at_hand.file.as_ref().and_then(Weak::upgrade) {
            return Ok(opened);
        }
        let opened = file.open(options)?;
        at_hand.file = Some(Arc::downgrade(&opened));
        file.keep_open(Arc::clone(&opened));
        Ok(opened)
    }

    fn write_tail(&mut self, file: &dyn File) -> io::Result<()> {
        if !self.tail.is_empty() {
            let written = file.write_all_at(self.tail.as_flattened(), (self.written * N) as u64);
            self.torn |= written.is_err();
            written?;
            self.written += self.tail.len();
            self.tail.clear();
        }
        Ok(())
    }

    /// Cuts off what is behind the entries in the file.
    fn cut(&mut self, file: &SegmentFile) -> Result<(), LogError> {
        let len = (self.written * N) as u64;
        self.file(file, OpenOptions::WRITE)?.set_len(len).map_err(file.failed("cut"))?;
        self.torn = false;
        Ok(())
    }

    fn read(&self, file: &SegmentFile, first: usize, into: &mut [[u8; N]]) -> Result<(), LogError> {
        let opened = self.file(file, OpenOptions::WRITE)?;
        opened.read_exact_at(into.as_flattened_mut(), (first * N) as u64).map_err(file.failed("read"))
    }

    fn read_one(&self, file: &SegmentFile, i: usize) -> Result<[u8; N], LogError> {
        let mut entry = [[0; N]];
        self.read(file, i, &mut entry)?;
        let [entry] = entry;
        Ok(entry)
    }

    fn page_at_hand(&self) -> Option<Arc<Page<N>>> {
        self.at_hand.lock().page.as_ref()?.upgrade()
    }

    /// The entries of the file from the one numbered `number * Page::LEN` on.
    fn page(&self, file: &SegmentFile, number: usize) -> Result<Arc<Page<N>>, LogError> {
        let first = number * Page::<N>::LEN;
        let len = self.written.saturating_sub(first).min(Page::<N>::LEN);
        let fits = |page: &Arc<Page<N>>| page.first == first && page.entries.len() == len;
        if let Some(page) = self.page_at_hand().filter(fits) {
            return Ok(page);
        }
        let mut entries = vec![[0; N]; len].into_boxed_slice();
        self.read(file, first, &mut entries)?;
        let page = Arc::new(Page { first, entries });
        self.at_hand.lock().page = Some(Arc::downgrade(&page));
        file.keep_page(Arc::clone(&page) as _);
        Ok(page)
    }
}

/// The entries of an index at one moment.
pub(super) struct View<'a, const N: usize> {
    file: &'a SegmentFile,
    entries: MappedRwLockReadGuard<'a, Entries<N>>,
}

impl<const N: usize> View<'_, N> {
    pub(super) fn len(&self) -> usize {
        self.entries.written + self.entries.tail.len()
    }

    pub(super) fn first(&self) -> Option<[u8; N]> {
        self.entries.ends.map(|(first, _)| first)
    }

    pub(super) fn last(&self) -> Option<[u8; N]> {
        self.entries.ends.map(|(_, last)| last)
    }

    pub(super) fn get(&self, i: usize) -> Result<Option<[u8; N]>, LogError> {
        let Entries { written, tail, .. } = &*self.entries;
        if let Some(i) = i.checked_sub(*written) {
            return Ok(tail.get(i).copied());
        }
        let page = self.entries.page_at_hand();
        let known = page.and_then(|page| page.entries.get(i.checked_sub(page.first)?).copied());
        known.map_or_else(|| self.entries.read_one(self.file, i), Ok).map(Some)
    }

    /// The number of entries at the front whose key is below `target`, as it is of all before such a one.
    pub(super) fn count_below(&self, target: i64, key: impl Fn([u8; N]) -> i64) -> Result<usize, LogError> {
        let precedes = |entry: &[u8; N]| key(*entry) < target;
        let Entries { written, tail, .. } = &*self.entries;
        if *written == 0 || tail.first().is_some_and(precedes) {
            return Ok(written + tail.partition_point(precedes));
        }
        // How many pages begin with an entry that precedes lies in this range; the answer, in the last of those pages.
        let mut pages = 0..written.div_ceil(Page::<N>::LEN);
        if let Some(page) = self.entries.page_at_hand()
            && let Some(found) = page.look(precedes, &mut pages)
        {
            return Ok(found);
        }
        // A read takes longer than all comparisons, and keys rise evenly as a rule.
        let guess = self.guess(target, &key).min(pages.end.saturating_sub(1)).max(pages.start);
        if !pages.is_empty()
            && let Some(found) = self.entries.page(self.file, guess)?.look(precedes, &mut pages)
        {
            return Ok(found);
        }
        let (is_above, mut stride) = (pages.start > guess, 1);
        while !pages.is_empty() {
            let half = pages.start + pages.len() / 2;
            let number = match is_above {
                true => half.min(pages.start + stride - 1),
                false => half.max(pages.end.saturating_sub(stride)),
            };
            stride *= 2;
            match precedes(&self.entries.read_one(self.file, number * Page::<N>::LEN)?) {
                true => pages.start = number + 1,
                false => pages.end = number,
            }
        }
        let Some(number) = pages.start.checked_sub(1) else { return Ok(0) };
        let page = self.entries.page(self.file, number)?;
        Ok(page.first + page.entries.partition_point(precedes))
    }

    /// The number of the page in which the key lies if all keys are equally far apart.
    fn guess(&self, target: i64, key: impl Fn([u8; N]) -> i64) -> usize {
        let Some((first, last)) = self.entries.ends else { return 0 };
        let [first, last, target] = [key(first), key(last), target].map(i128::from);
        let entry = ((target - first) * self.len() as i128).checked_div(last - first);
        entry.and_then(|entry| usize::try_from(entry).ok()).map_or(0, |entry| entry / Page::<N>::LEN)
    }
}
