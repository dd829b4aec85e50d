use std::io;
use std::sync::Arc;

use bytes::Bytes;

use crate::sys::FileSlice;

/// Chunks that may be in the hands of the reader at a time without a new buffer for each read.
const MAX_BUFFERS: usize = 4;
/// Reads smaller than this share the size of buffer, so that a reader at the end of a log, which gets a few records
/// at a time, finds one that fits.
const MIN_BUFFER_BYTES: usize = 4 * 1024;

/// Memory for what is read from the log, used again once nobody holds a slice of it. A fresh megabyte costs about as
/// much as reading one: the system has to clear each of its pages.
#[derive(Debug, Default)]
pub(crate) struct ChunkBuffers {
    buffers: Vec<Arc<Vec<u8>>>,
}

/// What the slices of a chunk keep alive.
struct Chunk(Arc<Vec<u8>>);

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl ChunkBuffers {
    /// Reads a range of a file.
    pub(crate) fn read(&mut self, slice: &FileSlice) -> io::Result<Bytes> {
        let size = slice.size();
        let mut buffer = self.take(size);
        // Nobody else has it: it was just made, or found so.
        if let Some(room) = Arc::get_mut(&mut buffer).and_then(|bytes| bytes.get_mut(..size)) {
            slice.file().read_exact_at(room, slice.position())?;
        }
        if self.buffers.len() < MAX_BUFFERS {
            self.buffers.push(Arc::clone(&buffer));
        }
        Ok(Bytes::from_owner(Chunk(buffer)).slice(..size))
    }

    /// A buffer of at least `size` bytes that nobody uses: the smallest that there is, or a new one.
    fn take(&mut self, size: usize) -> Arc<Vec<u8>> {
        let free = self
            .buffers
            .iter_mut()
            .enumerate()
            .filter_map(|(i, buffer)| Arc::get_mut(buffer).map(|bytes| (bytes.len(), i)));
        let (fitting, small): (Vec<_>, Vec<_>) = free.partition(|(len, _)| *len >= size);
        if let Some((_, i)) = fitting.into_iter().min() {
            return self.buffers.swap_remove(i);
        }
        if let Some((_, i)) = small.into_iter().min() {
            // It would only be in the way of the larger one.
            self.buffers.swap_remove(i);
        }
        Arc::new(vec![0; size.next_power_of_two().max(MIN_BUFFER_BYTES)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::{FileSystem, OpenOptions, OsFileSystem};

    fn file(dir: &tempfile::TempDir, content: &[u8]) -> FileSlice {
        let file = OsFileSystem::durable().open(&dir.path().join("f"), OpenOptions::REPLACE).unwrap();
        file.write_all_at(content, 0).unwrap();
        FileSlice::new(file, 0, content.len())
    }

    #[test]
    fn a_buffer_is_used_again_once_its_slices_are_gone_and_never_before() {
        let dir = tempfile::tempdir().unwrap();
        let slice = file(&dir, b"0123456789");
        let mut buffers = ChunkBuffers::default();
        let first = buffers.read(&slice).unwrap();
        let place = first.as_ptr();
        let kept = first.slice(3..5);
        drop(first);
        let second = buffers.read(&slice).unwrap();
        assert_ne!(second.as_ptr(), place);
        assert_eq!((&kept[..], &second[..]), (&b"34"[..], &b"0123456789"[..]));
        drop(kept);
        assert_eq!(buffers.read(&slice).unwrap().as_ptr(), place);
    }

    #[test]
    fn a_reader_that_keeps_everything_gets_a_buffer_each_and_few_are_remembered() {
        let dir = tempfile::tempdir().unwrap();
        let slice = file(&dir, b"x");
        let mut buffers = ChunkBuffers::default();
        let kept: Vec<_> = (0..3 * MAX_BUFFERS).map(|_| buffers.read(&slice).unwrap()).collect();
        assert!(kept.iter().all(|chunk| &chunk[..] == b"x"));
        assert_eq!(buffers.buffers.len(), MAX_BUFFERS);
    }
}
