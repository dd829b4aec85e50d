//! A `.log` file: entries back to back (Kafka: `FileRecords`).

use std::io::IoSlice;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::error::LogError;
use super::partition_dir::SegmentFile;
use crate::model::Offset;
use crate::record::{
    BatchError, BatchHeader, LOG_OVERHEAD, MAGIC_OFFSET, MAGIC_VALUE_V2, RECORD_BATCH_OVERHEAD,
    RecordBatchRef,
};
use crate::sys::{File, FileSlice, OpenOptions};

/// A file of records. One thread appends; any number read, up to [`FileRecords::size`].
///
/// The file of an active segment stays open. That of a sealed one is opened by the first who needs it, and closed
/// when nobody has needed it for a while: a log with thousands of old segments takes neither time to open nor file
/// descriptors to hold.
#[derive(Debug)]
pub(crate) struct FileRecords {
    file: SegmentFile,
    opened: Mutex<Opened>,
    /// The bytes that are records; the file is longer while it is preallocated.
    size: AtomicU64,
}

#[derive(Debug)]
enum Opened {
    /// Not yet.
    No,
    /// For good.
    Held(Arc<dyn File>),
    /// As long as somebody else holds it.
    Shared(Weak<dyn File>),
}

impl FileRecords {
    /// A file that is there, with `size` bytes.
    pub(crate) fn existing(file: SegmentFile, size: u64) -> Self {
        FileRecords { file, opened: Mutex::new(Opened::No), size: AtomicU64::new(size) }
    }

    /// A file that is there, which must not be written.
    pub(crate) fn open_read_only(file: SegmentFile) -> Result<Self, LogError> {
        let opened = file.open(OpenOptions::READ)?;
        let size = opened.len().map_err(file.failed("look at"))?;
        Ok(FileRecords { file, opened: Mutex::new(Opened::Held(opened)), size: AtomicU64::new(size) })
    }

    /// A new file, with room for `preallocate` bytes.
    pub(crate) fn create(file: SegmentFile, preallocate: Option<u64>) -> Result<Self, LogError> {
        let opened = file.open(OpenOptions::REPLACE)?;
        if let Some(len) = preallocate
            && let Err(error) = opened.allocate(len)
        {
            // Room without records would count as records once nobody remembers that it was only reserved.
            file.remove()?;
            return Err(file.failed("reserve room for")(error));
        }
        Ok(FileRecords { file, opened: Mutex::new(Opened::Held(opened)), size: AtomicU64::new(0) })
    }

    pub(crate) fn segment_file(&self) -> &SegmentFile {
        &self.file
    }

    /// The bytes of records in the file.
    pub(crate) fn size(&self) -> u64 {
        self.size.load(Ordering::Acquire)
    }

    /// The file itself.
    pub(crate) fn file(&self) -> Result<Arc<dyn File>, LogError> {
        let mut opened = self.opened.lock();
        let known = match &*opened {
            Opened::No => None,
            Opened::Held(file) => Some(Arc::clone(file)),
            Opened::Shared(file) => file.upgrade(),
        };
        if let Some(file) = known {
            return Ok(file);
        }
        let file = self.file.open(OpenOptions::WRITE)?;
        *opened = Opened::Shared(Arc::downgrade(&file));
        drop(opened);
        self.file.keep_open(Arc::clone(&file));
        Ok(file)
    }

    /// The file, which stays open from now on: whoever appends must hear of it when a later sync fails.
    fn held_file(&self) -> Result<Arc<dyn File>, LogError> {
        if let Opened::Held(file) = &*self.opened.lock() {
            return Ok(Arc::clone(file));
        }
        let file = self.file()?;
        *self.opened.lock() = Opened::Held(Arc::clone(&file));
        Ok(file)
    }

    /// Lets the file be closed, once everything in it is on the disk: a sync through another descriptor might not
    /// hear of what went wrong before.
    pub(crate) fn release(&self) {
        let mut opened = self.opened.lock();
        if let Opened::Held(file) = &*opened {
            let file = Arc::clone(file);
            *opened = Opened::Shared(Arc::downgrade(&file));
            drop(opened);
            self.file.keep_open(file);
        }
    }

    /// Removes the file.
    pub(crate) fn remove(&self) -> Result<(), LogError> {
        self.file.remove()?;
        let mut opened = self.opened.lock();
        if let Opened::Shared(file) = &*opened
            && let Some(file) = file.upgrade()
        {
            self.file.forget(&file);
        }
        *opened = Opened::No;
        Ok(())
    }

    /// Writes `parts`, of `size` bytes together, at the end, in one call. What a failed write leaves behind lies
    /// beyond [`FileRecords::size`], where nobody reads and the next recovery cuts; where the disk was only full, it is
    /// cut off at once.
    pub(crate) fn append(&self, parts: &mut [IoSlice<'_>], size: u64) -> Result<(), LogError> {
        let end = self.size();
        let file = self.held_file()?;
        if let Err(error) = file.write_all_vectored_at(parts, end) {
            let error = self.file.failed("append to")(error);
            if error.is_disk_full() {
                file.set_len(end).map_err(self.file.failed("cut"))?;
            }
            return Err(error);
        }
        self.size.store(end + size, Ordering::Release);
        Ok(())
    }

    /// A range of the file, cut at its end.
    pub(crate) fn slice(&self, position: u64, size: usize) -> Result<FileSlice, LogError> {
        let left = usize::try_from(self.size().saturating_sub(position)).unwrap_or(usize::MAX);
        Ok(FileSlice::new(self.file()?, position, size.min(left)))
    }

    /// Cuts the file at `size`.
    pub(crate) fn truncate_to(&self, size: u64) -> Result<(), LogError> {
        self.file()?.set_len(size).map_err(self.file.failed("cut"))?;
        self.size.store(size, Ordering::Release);
        Ok(())
    }

    /// Lets the file say that it last changed at this time.
    pub(crate) fn set_modified_ms(&self, modified_ms: i64) -> Result<(), LogError> {
        self.file()?.set_modified_ms(modified_ms).map_err(self.file.failed("set the time of"))
    }

    /// Gives back the room that was reserved and not used; answers whether there was any.
    pub(crate) fn trim(&self) -> Result<bool, LogError> {
        // Cutting nothing would still count as a change, and retention may go by when the file changed.
        let has_reserve = self.file.size()? != self.size();
        if has_reserve {
            self.truncate_to(self.size())?;
        }
        Ok(has_reserve)
    }

    /// Makes the records survive a power loss.
    pub(crate) fn flush(&self) -> Result<(), LogError> {
        self.file()?.sync_data().map_err(self.file.failed("flush"))
    }

    /// Fails if what stands at `position`, where there is no entry, may well be one that a later version has written: that
    /// is no damage. Only what all formats have in common is known of it. It must be whole and follow `expected`, which
    /// nothing does that a crash has torn.
    pub(crate) fn check_not_newer(&self, position: u64, expected: Offset) -> Result<(), LogError> {
        let mut header = [0; MAGIC_OFFSET + 1];
        let left = self.size().saturating_sub(position);
        if left < header.len() as u64 {
            return Ok(());
        }
        self.file()?.read_exact_at(&mut header, position).map_err(self.file.failed("read"))?;
        let (base_offset, rest) = header
            .split_first_chunk()
            .map_or((-1, &[][..]), |(offset, rest)| (i64::from_be_bytes(*offset), rest));
        let size = rest.first_chunk().map_or(-1, |size| i32::from_be_bytes(*size));
        let magic = header.last().map_or(-1, |magic| i8::from_be_bytes([*magic]));
        let follows = (expected..=expected.saturating_add(i64::from(i32::MAX))).contains(&base_offset);
        let fits = u64::try_from(size).is_ok_and(|size| size > 4 && size + LOG_OVERHEAD as u64 <= left);
        if follows && fits && NEXT_MAGICS.contains(&magic) {
            let what =
                format!("the record batch at byte {position}, offset {base_offset}, has magic {magic}");
            return Err(LogError::NewerFormat { path: self.file.path(), what });
        }
        Ok(())
    }

    /// Goes from header to header, from the entry at `position` on.
    pub(crate) fn headers_from(&self, position: u64) -> Result<HeaderScan<'_>, LogError> {
        let end = self.size();
        Ok(HeaderScan { records: self, file: self.file()?, position, end, chunk: Vec::new(), chunk_start: 0 })
    }

    /// Goes from entry to entry, with all their bytes, from the one at `position` on.
    pub(crate) fn batches_from(&self, position: u64) -> Result<BatchScan<'_>, LogError> {
        let end = self.size();
        Ok(BatchScan {
            records: self,
            file: self.file()?,
            position,
            end,
            chunk: Vec::new(),
            chunk_size: BATCH_CHUNK,
            read: 0,
            taken: 0,
        })
    }
}

impl Drop for FileRecords {
    /// Nobody reads on in the file of a log that is gone, whose room is not free before it is closed.
    fn drop(&mut self) {
        if let Opened::Shared(file) = self.opened.get_mut()
            && let Some(file) = file.upgrade()
        {
            self.file.forget(&file);
        }
    }
}

/// What a later Kafka may write, where chance does not.
const NEXT_MAGICS: RangeInclusive<i8> = MAGIC_VALUE_V2 + 1..=MAGIC_VALUE_V2 + 3;

/// Why a scan cannot go on.
#[derive(Debug)]
pub(crate) enum ScanError {
    /// The disk refused.
    Log(LogError),
    /// The bytes at this position are no entry.
    Corrupt { position: u64, error: BatchError },
}

impl From<LogError> for ScanError {
    fn from(error: LogError) -> Self {
        ScanError::Log(error)
    }
}

/// Bytes that a scan of headers reads at once: a little more than lies between two index entries.
const HEADER_CHUNK: usize = 4096 + RECORD_BATCH_OVERHEAD;

/// Reads headers, skipping the records behind them.
pub(crate) struct HeaderScan<'a> {
    records: &'a FileRecords,
    file: Arc<dyn File>,
    position: u64,
    end: u64,
    chunk: Vec<u8>,
    chunk_start: u64,
}

impl HeaderScan<'_> {
    /// The next header and the position of its entry; `None` at the end, which may be within an entry.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, BatchHeader<'_>)>, ScanError> {
        let position = self.position;
        let left = self.end.saturating_sub(position);
        let wanted = RECORD_BATCH_OVERHEAD.min(usize::try_from(left).unwrap_or(usize::MAX));
        let in_chunk = position.checked_sub(self.chunk_start).and_then(|start| usize::try_from(start).ok());
        let available = in_chunk.and_then(|start| self.chunk.get(start..)).map_or(0, <[u8]>::len);
        let start = match in_chunk.filter(|_| available >= wanted) {
            Some(start) => start,
            None => {
                self.fill(usize::try_from(left).unwrap_or(usize::MAX).min(HEADER_CHUNK))?;
                0
            }
        };
        let bytes = self.chunk.get(start..).unwrap_or_default();
        match BatchHeader::parse(bytes) {
            Ok(Some(header)) if header.size_in_bytes() as u64 <= left => {
                self.position += header.size_in_bytes() as u64;
                Ok(Some((position, header)))
            }
            Ok(_) => Ok(None),
            Err(error) => Err(ScanError::Corrupt { position, error }),
        }
    }

    fn fill(&mut self, len: usize) -> Result<(), LogError> {
        self.chunk.resize(len, 0);
        self.file.read_exact_at(&mut self.chunk, self.position).map_err(self.records.file.failed("read"))?;
        self.chunk_start = self.position;
        Ok(())
    }
}

/// Bytes that a scan of whole entries reads at once.
const BATCH_CHUNK: usize = 256 * 1024;

/// Reads whole entries, one after the other, into one buffer.
pub(crate) struct BatchScan<'a> {
    records: &'a FileRecords,
    file: Arc<dyn File>,
    /// Where the next entry starts.
    position: u64,
    end: u64,
    chunk: Vec<u8>,
    /// The bytes that are read at once, if entries are not larger.
    chunk_size: usize,
    /// The bytes of `chunk` that were read.
    read: usize,
    /// The bytes of `chunk` that were given out.
    taken: usize,
}

impl BatchScan<'_> {
    /// Reads `chunk_size` bytes at once, or more where an entry is larger.
    pub(crate) fn with_chunk_size(self, chunk_size: usize) -> Self {
        BatchScan { chunk_size: chunk_size.max(RECORD_BATCH_OVERHEAD), ..self }
    }

    /// Where the entry after the last one given out starts.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// The next entry and its position; `None` at the end, which may be within an entry. The checksum is not
    /// looked at.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, RecordBatchRef<'_>)>, ScanError> {
        let position = self.position;
        let corrupt = |error| ScanError::Corrupt { position, error };
        loop {
            let left = usize::try_from(self.end.saturating_sub(position)).unwrap_or(usize::MAX);
            let available = self.chunk.get(self.taken..self.read).unwrap_or_default();
            let needed = match BatchHeader::parse(available).map_err(corrupt)? {
                Some(header) => header.size_in_bytes(),
                None => RECORD_BATCH_OVERHEAD.min(left),
            };
            // A size that the file does not have allocates nothing.
            if needed > left || left == 0 {
                return Ok(None);
            }
            if needed <= available.len() {
                break;
            }
            self.fill(needed, left)?;
        }
        let available = self.chunk.get(self.taken..self.read).unwrap_or_default();
        let Some((batch, _)) = RecordBatchRef::parse(available).map_err(corrupt)? else { return Ok(None) };
        self.taken += batch.size_in_bytes();
        self.position += batch.size_in_bytes() as u64;
        Ok(Some((position, batch)))
    }

    fn fill(&mut self, needed: usize, left: usize) -> Result<(), LogError> {
        self.chunk.copy_within(self.taken..self.read, 0);
        self.read -= self.taken;
        self.taken = 0;
        let wanted = needed.max(self.chunk_size).min(left);
        if self.chunk.len() < wanted {
            self.chunk.resize(wanted, 0);
        }
        let from = self.position + self.read as u64;
        let room = self.chunk.get_mut(self.read..wanted).unwrap_or_default();
        self.file.read_exact_at(room, from).map_err(self.records.file.failed("read"))?;
        self.read = wanted;
        Ok(())
    }
}
