//! A range of a file, to be sent or read later.

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::fs::File;

/// A range of a shared file. It stays readable when the file is deleted, since it holds it open; its bytes never
/// change, since a log only appends (Kafka: `FileRecords#slice`).
#[derive(Clone)]
pub(crate) struct FileSlice {
    file: Arc<dyn File>,
    position: u64,
    size: usize,
}

impl FileSlice {
    /// `size` bytes of `file` from `position`.
    pub(crate) fn new(file: Arc<dyn File>, position: u64, size: usize) -> Self {
        FileSlice { file, position, size }
    }

    /// The file.
    pub(crate) fn file(&self) -> &Arc<dyn File> {
        &self.file
    }

    /// Where the range starts in the file.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// The bytes in the range.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Whether the range has no bytes.
    pub(crate) fn is_empty(&self) -> bool {
        self.size == 0
    }

    /// The range without its first `count` bytes.
    pub(crate) fn advanced(&self, count: usize) -> Self {
        let count = count.min(self.size);
        FileSlice {
            file: Arc::clone(&self.file),
            position: self.position + count as u64,
            size: self.size - count,
        }
    }

    /// Reads the whole range into memory.
    pub(crate) fn read(&self) -> io::Result<Bytes> {
        let mut buffer = BytesMut::zeroed(self.size);
        self.file.read_exact_at(&mut buffer, self.position)?;
        Ok(buffer.freeze())
    }

    /// Reads from `start` within the range as much as fits `buffer`; 0 at the end of the range.
    pub(crate) fn read_at(&self, buffer: &mut [u8], start: usize) -> io::Result<usize> {
        let wanted = buffer.len().min(self.size.saturating_sub(start));
        match buffer.get_mut(..wanted) {
            Some(part) if !part.is_empty() => self.file.read_at(part, self.position + start as u64),
            _ => Ok(0),
        }
    }
}

impl PartialEq for FileSlice {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.file, &other.file) && self.position == other.position && self.size == other.size
    }
}

impl Eq for FileSlice {}

impl fmt::Debug for FileSlice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileSlice({} bytes at {})", self.size, self.position)
    }
}
