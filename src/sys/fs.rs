//! Files as the log engine needs them: a few calls, each of which a test may delay, refuse or lose.

use std::fmt;
use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;

use super::temporary::TemporaryRoot;

/// What is copied at once.
const COPY_CHUNK: usize = 256 * 1024;

/// How to open a file. The default reads an existing one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OpenOptions {
    /// Allow writes.
    pub write: bool,
    /// Make the file if there is none.
    pub create: bool,
    /// Cut an existing file to nothing.
    pub truncate: bool,
}

impl OpenOptions {
    /// An existing file, read only.
    pub(crate) const READ: OpenOptions = OpenOptions { write: false, create: false, truncate: false };
    /// An existing file, or a new one, to read and write.
    pub(crate) const CREATE: OpenOptions = OpenOptions { write: true, create: true, truncate: false };
    /// A new, empty file in place of whatever is there.
    pub(crate) const REPLACE: OpenOptions = OpenOptions { write: true, create: true, truncate: true };
    /// An existing file, to read and write.
    pub(crate) const WRITE: OpenOptions = OpenOptions { write: true, create: false, truncate: false };
}

/// What is known of a path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Metadata {
    /// Bytes of a file.
    pub len: u64,
    /// When its content last changed, in milliseconds since the Unix epoch.
    pub modified_ms: i64,
}

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DirEntry {
    /// Its name, without the path. Bytes that are not UTF-8 are replaced: no file of a log has such a name.
    pub name: String,
    /// Whether it is a directory.
    pub is_dir: bool,
}

/// The room of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Space {
    /// All bytes of the volume.
    pub total_bytes: u64,
    /// The bytes that this process may still write.
    pub usable_bytes: u64,
}

/// Held while a broker owns a directory; dropping it lets go.
pub(crate) trait FileLock: Send + Sync + fmt::Debug {}

/// A tree of files.
pub(crate) trait FileSystem: Send + Sync + fmt::Debug {
    /// Opens a file.
    fn open(&self, path: &Path, options: OpenOptions) -> io::Result<Arc<dyn File>>;
    /// Moves a file or a directory; an existing file at `to` is replaced in one step.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// Removes a directory and all that is in it.
    fn remove_dir_all(&self, path: &Path) -> io::Result<()>;
    /// Makes a directory and those above it; an existing one is fine.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;
    /// Lists a directory, sorted by name.
    fn read_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>>;
    /// What is known of a path.
    fn metadata(&self, path: &Path) -> io::Result<Metadata>;
    /// Makes the entries of a directory survive a power loss.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// Takes the advisory lock on a file, made if need be; `None` if another holds it.
    fn try_lock(&self, path: &Path) -> io::Result<Option<Box<dyn FileLock>>>;
    /// Where directories are made that are not to outlive the process.
    fn temporary_root(&self) -> TemporaryRoot {
        TemporaryRoot::at(std::env::temp_dir())
    }
    /// The room of the volume that holds `path`; `None` where the system does not tell.
    fn space(&self, path: &Path) -> io::Result<Option<Space>>;

    /// Gives the file at `from` another name. Nobody may write to it afterwards, under either.
    fn hard_link(&self, _from: &Path, _to: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Makes a file at `to` that shares the room of the one at `from` until one of them is written to.
    fn reflink(&self, _from: &Path, _to: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Makes a file at `to` with the content of the one at `from`.
    fn copy(&self, from: &Path, to: &Path) -> io::Result<()> {
        let source = self.open(from, OpenOptions::READ)?;
        let target = self.open(to, OpenOptions::REPLACE)?;
        let mut chunk = vec![0; COPY_CHUNK];
        let mut position = 0;
        loop {
            let read = source.read_at(&mut chunk, position)?;
            let bytes = chunk.get(..read).unwrap_or_default();
            if bytes.is_empty() {
                return Ok(());
            }
            target.write_all_at(bytes, position)?;
            position += read as u64;
        }
    }

    /// Whether there is something at `path`.
    fn exists(&self, path: &Path) -> io::Result<bool> {
        match self.metadata(path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Reads a whole file of at most `limit` bytes; a longer one is an error, not an allocation.
    fn read(&self, path: &Path, limit: usize) -> io::Result<Vec<u8>> {
        let file = self.open(path, OpenOptions::READ)?;
        let len = usize::try_from(file.len()?).unwrap_or(usize::MAX);
        if len > limit {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("{} has {len} bytes; at most {limit} are expected", path.display()),
            ));
        }
        let mut content = vec![0; len];
        file.read_exact_at(&mut content, 0)?;
        Ok(content)
    }

    /// Replaces a file in one step: a reader, or a reader after a power loss, sees the old content or the new
    /// (Kafka: `CheckpointFile#write`).
    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let mut name = path.as_os_str().to_owned();
        name.push(".tmp");
        let temporary = Path::new(&name);
        let put_in_place = || {
            let file = self.open(temporary, OpenOptions::REPLACE)?;
            file.write_all_at(content, 0)?;
            file.sync_all()?;
            drop(file);
            self.rename(temporary, path)
        };
        put_in_place().inspect_err(|_| {
            // On a full disk, the half of a file would keep room from those who need it. The caller hears of the first
            // error; if there is a second one, the next attempt begins with the file that it leaves.
            let _ = self.remove_file(temporary);
        })?;
        match path.parent() {
            Some(parent) => self.sync_dir(parent),
            None => Ok(()),
        }
    }
}

/// An open file. Calls may come from several threads; positions are explicit, so they do not disturb each other.
pub(crate) trait File: Send + Sync + fmt::Debug {
    /// Reads at most `buffer.len()` bytes from `position`; 0 at the end.
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize>;
    /// Writes all of `bytes` at `position`.
    fn write_all_at(&self, bytes: &[u8], position: u64) -> io::Result<()>;
    /// Writes all parts, one after the other, at `position`, in as few calls to the system as it allows.
    fn write_all_vectored_at(&self, parts: &mut [IoSlice<'_>], position: u64) -> io::Result<()>;
    /// The file's size.
    fn len(&self) -> io::Result<u64>;
    /// Lets the file say that its content last changed at this time, in milliseconds since the Unix epoch.
    fn set_modified_ms(&self, modified_ms: i64) -> io::Result<()>;
    /// Cuts or extends (with zeros) the file.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Makes content survive a power loss.
    fn sync_data(&self) -> io::Result<()>;
    /// Makes content and attributes survive a power loss.
    fn sync_all(&self) -> io::Result<()>;
    /// Reserves room for `len` bytes and extends the file to it.
    fn allocate(&self, len: u64) -> io::Result<()>;
    /// The descriptor for `sendfile`; `None` if the content must be read.
    #[cfg(unix)]
    fn as_fd(&self) -> Option<std::os::fd::BorrowedFd<'_>>;

    /// Fills `buffer` from `position`.
    fn read_exact_at(&self, buffer: &mut [u8], position: u64) -> io::Result<()> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.read_at(rest, position + filled as u64) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(n) => filled += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
