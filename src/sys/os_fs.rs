//! The machine's files.
#![expect(clippy::disallowed_methods, reason = "these are the files that others are handed")]

use std::fs;
use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::fs::{DirEntry, File, FileLock, FileSystem, Metadata, OpenOptions, Space};
use super::temporary::TemporaryRoot;

/// The machine's file system.
#[derive(Debug, Clone)]
pub(crate) struct OsFileSystem {
    durable: bool,
}

impl OsFileSystem {
    /// Syncs reach the disk.
    pub(crate) fn durable() -> Self {
        OsFileSystem { durable: true }
    }

    /// Syncs return at once: for data that nobody wants back after a crash, as that of a temporary broker.
    pub(crate) fn without_sync() -> Self {
        OsFileSystem { durable: false }
    }
}

fn epoch_ms(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
    }
}

impl FileSystem for OsFileSystem {
    fn open(&self, path: &Path, options: OpenOptions) -> io::Result<Arc<dyn File>> {
        let file = fs::OpenOptions::new()
            .read(true)
            .write(options.write)
            .create(options.create)
            .truncate(options.truncate)
            .open(path)?;
        Ok(Arc::new(OsFile { file, durable: self.durable }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let is_dir = entry.file_type()?.is_dir();
            entries.push(DirEntry { name: entry.file_name().to_string_lossy().into_owned(), is_dir });
        }
        entries.sort();
        Ok(entries)
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        let metadata = fs::metadata(path)?;
        Ok(Metadata { len: metadata.len(), modified_ms: epoch_ms(metadata.modified()?) })
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        // Windows cannot open a directory as a file, and needs no such call.
        if !self.durable || cfg!(windows) {
            return Ok(());
        }
        fs::File::open(path)?.sync_all()
    }

    fn try_lock(&self, path: &Path) -> io::Result<Option<Box<dyn FileLock>>> {
        Ok(OsFileLock::try_new(path)?.map(|lock| Box::new(lock) as Box<dyn FileLock>))
    }

    fn temporary_root(&self) -> TemporaryRoot {
        TemporaryRoot::of_process()
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }

    #[cfg(target_os = "linux")]
    fn reflink(&self, from: &Path, to: &Path) -> io::Result<()> {
        let source = fs::File::open(from)?;
        let target = fs::OpenOptions::new().write(true).create_new(true).open(to)?;
        rustix::fs::ioctl_ficlone(&target, &source).map_err(|error| {
            let _ = fs::remove_file(to);
            error.into()
        })
    }

    fn copy(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::copy(from, to).map(drop)
    }

    #[cfg(unix)]
    fn space(&self, path: &Path) -> io::Result<Option<Space>> {
        let volume = rustix::fs::statvfs(path)?;
        Ok(Some(Space {
            total_bytes: volume.f_blocks.saturating_mul(volume.f_frsize),
            usable_bytes: volume.f_bavail.saturating_mul(volume.f_frsize),
        }))
    }

    #[cfg(not(unix))]
    fn space(&self, _path: &Path) -> io::Result<Option<Space>> {
        Ok(None)
    }
}

#[derive(Debug)]
pub(super) struct OsFileLock {
    pub(super) file: fs::File,
}

impl OsFileLock {
    pub(super) fn try_new(path: &Path) -> io::Result<Option<Self>> {
        let file = fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(OsFileLock { file })),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }
}

impl FileLock for OsFileLock {}

impl Drop for OsFileLock {
    fn drop(&mut self) {
        // Closing it alone would let go only once every copy of the descriptor is closed, and a program that another
        // thread is just starting has one of each until it runs. Nothing is lost if it fails: closing is the next step.
        let _ = self.file.unlock();
    }
}

#[derive(Debug)]
struct OsFile {
    file: fs::File,
    durable: bool,
}

impl File for OsFile {
    #[cfg(unix)]
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.file, buffer, position)
    }

    #[cfg(windows)]
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(&self.file, buffer, position)
    }

    #[cfg(unix)]
    fn write_all_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(&self.file, bytes, position)
    }

    #[cfg(windows)]
    fn write_all_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        let mut written = 0;
        while written < bytes.len() {
            let rest = &bytes[written..];
            match std::os::windows::fs::FileExt::seek_write(&self.file, rest, position + written as u64)? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                n => written += n,
            }
        }
        Ok(())
    }

    #[cfg(target_os = "linux")]
    fn write_all_vectored_at(&self, mut parts: &mut [IoSlice<'_>], position: u64) -> io::Result<()> {
        // Linux takes at most 1,024 parts a call (IOV_MAX).
        const MAX_PARTS: usize = 1024;
        let mut position = position;
        IoSlice::advance_slices(&mut parts, 0);
        while !parts.is_empty() {
            let count = parts.len().min(MAX_PARTS);
            match rustix::io::pwritev(&self.file, &parts[..count], position) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => {
                    position += n as u64;
                    IoSlice::advance_slices(&mut parts, n);
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    #[cfg(not(target_os = "linux"))]
    fn write_all_vectored_at(&self, parts: &mut [IoSlice<'_>], position: u64) -> io::Result<()> {
        let mut position = position;
        for part in parts {
            self.write_all_at(part, position)?;
            position += part.len() as u64;
        }
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn set_modified_ms(&self, modified_ms: i64) -> io::Result<()> {
        let since_epoch = Duration::from_millis(modified_ms.unsigned_abs());
        let time = match modified_ms {
            0.. => UNIX_EPOCH.checked_add(since_epoch),
            _ => UNIX_EPOCH.checked_sub(since_epoch),
        };
        match time {
            Some(time) => self.file.set_modified(time),
            None => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.durable { self.file.sync_data() } else { Ok(()) }
    }

    fn sync_all(&self) -> io::Result<()> {
        if self.durable { self.file.sync_all() } else { Ok(()) }
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        match rustix::fs::fallocate(&self.file, rustix::fs::FallocateFlags::empty(), 0, len) {
            Ok(()) => return Ok(()),
            // Not every file system can reserve; extending is the best that is left then.
            Err(rustix::io::Errno::OPNOTSUPP) => {}
            Err(error) => return Err(error.into()),
        }
        self.file.set_len(len)
    }

    #[cfg(unix)]
    fn as_fd(&self) -> Option<std::os::fd::BorrowedFd<'_>> {
        Some(std::os::fd::AsFd::as_fd(&self.file))
    }
}
