//! A disk that fails when a test wants it to.

use std::fmt;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::slow_disk::SlowDisk;
use crate::sys::{DirEntry, File, FileLock, FileSystem, Metadata, OpenOptions, Space, TemporaryRoot};

/// What is asked of a [`Disk`](crate::Disk).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileOperation {
    /// A file is opened, or made.
    Open,
    /// A file or a directory is moved.
    Rename,
    /// A file, or a directory with all that is in it, is removed.
    Remove,
    /// A directory is made.
    CreateDir,
    /// A directory is listed.
    ReadDir,
    /// Size and age of something are asked for.
    Metadata,
    /// A file or a directory shall survive a power loss.
    Sync,
    /// A lock is taken.
    Lock,
    /// Bytes are read.
    Read,
    /// Bytes are written.
    Write,
    /// A file is to look as if it last changed at another time.
    SetModified,
    /// A file is cut or extended.
    SetLen,
    /// Room is reserved.
    Allocate,
}

impl FileOperation {
    /// Whether it changes what is on the disk, or promises that a change stays.
    pub fn is_change(self) -> bool {
        match self {
            FileOperation::Open
            | FileOperation::ReadDir
            | FileOperation::Metadata
            | FileOperation::Lock
            | FileOperation::Read => false,
            FileOperation::Rename
            | FileOperation::Remove
            | FileOperation::CreateDir
            | FileOperation::Sync
            | FileOperation::Write
            | FileOperation::SetModified
            | FileOperation::SetLen
            | FileOperation::Allocate => true,
        }
    }
}

/// Looks at each operation before it is done; an error is what the operation answers instead.
type Plan = Arc<dyn Fn(FileOperation, &Path) -> Option<io::Error> + Send + Sync>;

/// Another file system, which does what it is told unless the test's plan says that an operation fails. Of a write
/// that fails, the first half is on the disk, as it may be on a real one.
pub(crate) struct FaultyFileSystem {
    inner: Arc<dyn FileSystem>,
    faults: Arc<Faults>,
}

struct Faults {
    plan: Mutex<Option<Plan>>,
    pauses: SlowDisk,
}

impl Faults {
    fn check(&self, operation: FileOperation, path: &Path) -> io::Result<()> {
        // Outside of the lock: a plan may wait for other operations.
        let plan = self.plan.lock().clone();
        match plan.and_then(|plan| plan(operation, path)) {
            Some(error) => Err(error),
            None => {
                self.pauses.pause(operation, path);
                Ok(())
            }
        }
    }
}

impl FaultyFileSystem {
    /// `inner`, without faults as yet.
    pub(crate) fn new(inner: Arc<dyn FileSystem>) -> Self {
        FaultyFileSystem {
            inner,
            faults: Arc::new(Faults { plan: Mutex::new(None), pauses: SlowDisk::default() }),
        }
    }

    /// From now on, asks `plan` before each operation whether it fails. It may also count operations, or hold them up.
    pub(crate) fn set_plan(
        &self,
        plan: impl Fn(FileOperation, &Path) -> Option<io::Error> + Send + Sync + 'static,
    ) {
        *self.faults.plan.lock() = Some(Arc::new(plan));
    }

    /// From now on, nothing fails.
    pub(crate) fn clear_plan(&self) {
        *self.faults.plan.lock() = None;
    }

    /// How long operations take.
    pub(super) fn pauses(&self) -> &SlowDisk {
        &self.faults.pauses
    }
}

impl fmt::Debug for FaultyFileSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FaultyFileSystem").field(&self.inner).finish()
    }
}

impl FileSystem for FaultyFileSystem {
    fn open(&self, path: &Path, options: OpenOptions) -> io::Result<Arc<dyn File>> {
        self.faults.check(FileOperation::Open, path)?;
        let inner = self.inner.open(path, options)?;
        Ok(Arc::new(FaultyFile { inner, path: path.to_owned(), faults: Arc::clone(&self.faults) }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.faults.check(FileOperation::Rename, from)?;
        self.inner.rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.faults.check(FileOperation::Remove, path)?;
        self.inner.remove_file(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.faults.check(FileOperation::Remove, path)?;
        self.inner.remove_dir_all(path)
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.faults.check(FileOperation::CreateDir, path)?;
        self.inner.create_dir_all(path)
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        self.faults.check(FileOperation::ReadDir, path)?;
        self.inner.read_dir(path)
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        self.faults.check(FileOperation::Metadata, path)?;
        self.inner.metadata(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.faults.check(FileOperation::Sync, path)?;
        self.inner.sync_dir(path)
    }

    fn temporary_root(&self) -> TemporaryRoot {
        self.inner.temporary_root()
    }

    fn try_lock(&self, path: &Path) -> io::Result<Option<Box<dyn FileLock>>> {
        self.faults.check(FileOperation::Lock, path)?;
        self.inner.try_lock(path)
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.faults.check(FileOperation::Write, to)?;
        self.inner.hard_link(from, to)
    }

    fn reflink(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.faults.check(FileOperation::Write, to)?;
        self.inner.reflink(from, to)
    }

    fn copy(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.faults.check(FileOperation::Read, from)?;
        self.faults.check(FileOperation::Write, to)?;
        self.inner.copy(from, to)
    }

    fn space(&self, path: &Path) -> io::Result<Option<Space>> {
        self.faults.check(FileOperation::Metadata, path)?;
        self.inner.space(path)
    }
}

struct FaultyFile {
    inner: Arc<dyn File>,
    path: PathBuf,
    faults: Arc<Faults>,
}

impl FaultyFile {
    fn check(&self, operation: FileOperation) -> io::Result<()> {
        self.faults.check(operation, &self.path)
    }
}

impl fmt::Debug for FaultyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FaultyFile").field(&self.path).finish()
    }
}

impl File for FaultyFile {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.check(FileOperation::Read)?;
        self.inner.read_at(buffer, position)
    }

    fn write_all_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        if let Err(error) = self.check(FileOperation::Write) {
            let (torn, _) = bytes.split_at(bytes.len() / 2);
            self.inner.write_all_at(torn, position)?;
            return Err(error);
        }
        self.inner.write_all_at(bytes, position)
    }

    fn write_all_vectored_at(&self, parts: &mut [IoSlice<'_>], position: u64) -> io::Result<()> {
        let joined: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
        self.write_all_at(&joined, position)
    }

    fn len(&self) -> io::Result<u64> {
        self.check(FileOperation::Metadata)?;
        self.inner.len()
    }

    fn set_modified_ms(&self, modified_ms: i64) -> io::Result<()> {
        self.check(FileOperation::SetModified)?;
        self.inner.set_modified_ms(modified_ms)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.check(FileOperation::SetLen)?;
        self.inner.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.check(FileOperation::Sync)?;
        self.inner.sync_data()
    }

    fn sync_all(&self) -> io::Result<()> {
        self.check(FileOperation::Sync)?;
        self.inner.sync_all()
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        self.check(FileOperation::Allocate)?;
        self.inner.allocate(len)
    }

    #[cfg(unix)]
    fn as_fd(&self) -> Option<std::os::fd::BorrowedFd<'_>> {
        // Whoever took the descriptor would go past the plan.
        None
    }
}
