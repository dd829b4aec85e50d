//! Memory-mapped files without references into them.
#![expect(unsafe_code, reason = "copies in and out of a shared mapping")]

use std::io;

use memmap2::MmapRaw;

use super::fs::Mmap;

#[derive(Debug)]
pub(super) struct OsMmap {
    map: MmapRaw,
    durable: bool,
}

impl OsMmap {
    pub(super) fn map(file: &std::fs::File, len: usize, durable: bool) -> io::Result<Self> {
        // MmapRaw gives out pointers only, so mapping is a safe call; the accesses below carry the proof.
        let map = memmap2::MmapOptions::new().len(len).map_raw(file)?;
        Ok(OsMmap { map, durable })
    }

    fn check(&self, position: usize, len: usize) {
        let end = position.checked_add(len);
        assert!(
            end.is_some_and(|end| end <= self.map.len()),
            "{len} bytes at {position} are outside a map of {} bytes",
            self.map.len()
        );
    }
}

impl Mmap for OsMmap {
    fn len(&self) -> usize {
        self.map.len()
    }

    fn read(&self, position: usize, buffer: &mut [u8]) {
        self.check(position, buffer.len());
        // SAFETY: the range was just checked to lie within the mapping, which lives as long as `self`; `buffer`
        // is a distinct allocation. The bytes read were published by the writer before (see the trait), and
        // the file's owner cuts it only after dropping the map.
        unsafe {
            std::ptr::copy_nonoverlapping(self.map.as_ptr().add(position), buffer.as_mut_ptr(), buffer.len());
        }
    }

    fn write(&self, position: usize, bytes: &[u8]) {
        self.check(position, bytes.len());
        // SAFETY: the range was just checked to lie within the mapping; no reference into it exists, since this
        // type gives out none; one thread writes at a time (see the trait).
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.map.as_mut_ptr().add(position), bytes.len());
        }
    }

    fn flush(&self) -> io::Result<()> {
        if self.durable { self.map.flush() } else { Ok(()) }
    }
}
