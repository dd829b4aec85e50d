//! A partition's directory: the one place where the log engine names its files to the file system.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Mutex, RwLock};

use super::error::LogError;
use super::open_files::{Kept, OpenFiles};
use crate::sys::{DirEntry, File, FileSystem, OpenOptions};

/// The directory of one partition. It may be renamed (deletion, moves) while files in it are opened lazily, so
/// every path is made and used under one lock.
#[derive(Debug)]
pub(crate) struct PartitionDir {
    fs: Arc<dyn FileSystem>,
    path: RwLock<PathBuf>,
    /// Names were made, changed or removed since the last sync of the directory.
    unsynced: AtomicBool,
    /// Held while the directory is synced.
    syncing: Mutex<()>,
    removed: AtomicBool,
    open_files: Arc<OpenFiles>,
}

impl PartitionDir {
    /// The directory at `path`, which exists or is about to.
    pub(crate) fn new(fs: Arc<dyn FileSystem>, path: PathBuf, open_files: Arc<OpenFiles>) -> Self {
        PartitionDir {
            fs,
            path: RwLock::new(path),
            unsynced: AtomicBool::new(false),
            syncing: Mutex::new(()),
            removed: AtomicBool::new(false),
            open_files,
        }
    }

    /// Where it is now.
    pub(crate) fn path(&self) -> PathBuf {
        self.path.read().clone()
    }

    /// Makes the directory.
    pub(crate) fn create(&self) -> Result<(), LogError> {
        let path = self.path.read();
        self.fs.create_dir_all(&path).map_err(LogError::storage("make", &path))
    }

    /// Everything in it, by name.
    pub(crate) fn list(&self) -> Result<Vec<DirEntry>, LogError> {
        let path = self.path.read();
        self.fs.read_dir(&path).map_err(LogError::storage("list", &path))
    }

    /// Opens the file `name`.
    pub(crate) fn open(&self, name: &str, options: OpenOptions) -> Result<Arc<dyn File>, LogError> {
        let path = self.path.read().join(name);
        let file = self.fs.open(&path, options).map_err(LogError::storage("open", &path))?;
        if options.create {
            self.note_change();
        }
        Ok(file)
    }

    /// Whether there is a file `name`.
    pub(crate) fn exists(&self, name: &str) -> Result<bool, LogError> {
        let path = self.path.read().join(name);
        self.fs.exists(&path).map_err(LogError::storage("look at", &path))
    }

    /// The size of the file `name`.
    pub(crate) fn size_of(&self, name: &str) -> Result<u64, LogError> {
        let path = self.path.read().join(name);
        Ok(self.fs.metadata(&path).map_err(LogError::storage("look at", &path))?.len)
    }

    /// When the content of the file `name` last changed.
    pub(crate) fn modified_ms(&self, name: &str) -> Result<i64, LogError> {
        let path = self.path.read().join(name);
        Ok(self.fs.metadata(&path).map_err(LogError::storage("look at", &path))?.modified_ms)
    }

    /// Reads the whole file `name`, of at most `limit` bytes; `None` if there is none.
    pub(crate) fn read(&self, name: &str, limit: usize) -> Result<Option<Vec<u8>>, LogError> {
        let path = self.path.read().join(name);
        match self.fs.read(&path, limit) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                Err(LogError::Malformed { path, what: error.to_string() })
            }
            Err(error) => Err(LogError::storage("read", &path)(error)),
        }
    }

    /// Replaces the file `name` in one step.
    pub(crate) fn replace(&self, name: &str, content: &[u8]) -> Result<(), LogError> {
        let path = self.path.read().join(name);
        self.fs.replace(&path, content).map_err(LogError::storage("write", &path))
    }

    /// Renames a file; one that is not there is no error, since a crash may have cut the renaming short.
    pub(crate) fn rename(&self, from: &str, to: &str) -> Result<(), LogError> {
        let path = self.path.read();
        let from = path.join(from);
        match self.fs.rename(&from, &path.join(to)) {
            Ok(()) => {
                self.note_change();
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(LogError::storage("rename", &from)(error)),
        }
    }

    /// Removes a file; one that is not there is no error.
    pub(crate) fn remove(&self, name: &str) -> Result<(), LogError> {
        let path = self.path.read().join(name);
        match self.fs.remove_file(&path) {
            Ok(()) => {
                self.note_change();
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(LogError::storage("remove", &path)(error)),
        }
    }

    /// To be called after a change, not before it: a sync between the two would take the note and miss the change.
    fn note_change(&self) {
        self.unsynced.store(true, Ordering::Release);
    }

    /// Makes the names in it survive a power loss, if any changed.
    pub(crate) fn sync(&self) -> Result<(), LogError> {
        // Held to the end: who finds nothing left to sync must not go on before it is synced.
        let _syncing = self.syncing.lock();
        if !self.unsynced.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        let path = self.path.read();
        match self.fs.sync_dir(&path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.removed.load(Ordering::Acquire) => {
                Ok(())
            }
            Err(error) => {
                // Too few descriptors are no reason to take the dir offline: the next flush must try again.
                self.note_change();
                Err(LogError::storage("sync", &path)(error))
            }
        }
    }

    /// The same, whoever changed them: a process that was killed may not have come to the sync.
    pub(crate) fn sync_as_found(&self) -> Result<(), LogError> {
        self.note_change();
        self.sync()
    }

    /// Moves the directory itself to `to`, and syncs the directory around it.
    pub(crate) fn rename_dir(&self, to: &Path) -> Result<(), LogError> {
        let mut path = self.path.write();
        self.fs.rename(&path, to).map_err(LogError::storage("rename", &path))?;
        *path = to.to_owned();
        match to.parent() {
            Some(parent) => self.fs.sync_dir(parent).map_err(LogError::storage("sync", parent)),
            None => Ok(()),
        }
    }

    /// Removes the directory and everything in it, and syncs the directory around it.
    pub(crate) fn remove_all(&self) -> Result<(), LogError> {
        let path = self.path.read();
        self.removed.store(true, Ordering::Release);
        match self.fs.remove_dir_all(&path) {
            // One that is gone may be so since an attempt that did not come to the sync.
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(LogError::storage("remove", &path)(error))
            }
            _ => match path.parent() {
                Some(parent) => self.fs.sync_dir(parent).map_err(LogError::storage("sync", parent)),
                None => Ok(()),
            },
        }
    }

    /// Whether it was removed, or is about to be.
    pub(crate) fn is_removed(&self) -> bool {
        self.removed.load(Ordering::Acquire)
    }
}

/// A file of a segment: it keeps its base offset and changes its suffix (`.deleted`, `.swap`) over its life.
#[derive(Debug)]
pub(crate) struct SegmentFile {
    dir: Arc<PartitionDir>,
    name: RwLock<Name>,
}

#[derive(Debug)]
struct Name {
    text: String,
    removed: bool,
}

impl SegmentFile {
    /// The file `name` in `dir`; nothing is opened.
    pub(crate) fn new(dir: Arc<PartitionDir>, name: String) -> Self {
        SegmentFile { dir, name: RwLock::new(Name { text: name, removed: false }) }
    }

    /// The directory that it is in.
    pub(crate) fn dir(&self) -> &Arc<PartitionDir> {
        &self.dir
    }

    /// Opens it.
    ///
    /// # Errors
    /// [`LogError::Deleted`] once it was removed, which is no fault of the disk.
    pub(crate) fn open(&self, options: OpenOptions) -> Result<Arc<dyn File>, LogError> {
        self.unless_removed(|name| self.dir.open(name, options))
    }

    /// Its size on disk.
    pub(crate) fn size(&self) -> Result<u64, LogError> {
        self.unless_removed(|name| self.dir.size_of(name))
    }

    /// When its content last changed.
    pub(crate) fn modified_ms(&self) -> Result<i64, LogError> {
        self.unless_removed(|name| self.dir.modified_ms(name))
    }

    fn unless_removed<T>(&self, look: impl FnOnce(&str) -> Result<T, LogError>) -> Result<T, LogError> {
        // Held until `look` is through, so that nobody removes the file meanwhile.
        let name = self.name.read();
        if name.removed || self.dir.removed.load(Ordering::Acquire) {
            return Err(LogError::Deleted { path: self.dir.path().join(&name.text) });
        }
        look(&name.text)
    }

    /// Replaces the end of its name.
    pub(crate) fn change_suffix(&self, old: &str, new: &str) -> Result<(), LogError> {
        let mut name = self.name.write();
        let renamed = format!("{}{new}", name.text.strip_suffix(old).unwrap_or(&name.text));
        self.dir.rename(&name.text, &renamed)?;
        name.text = renamed;
        Ok(())
    }

    /// Removes it.
    pub(crate) fn remove(&self) -> Result<(), LogError> {
        let mut name = self.name.write();
        name.removed = true;
        self.dir.remove(&name.text)
    }

    /// Keeps the opened file open for a while.
    pub(crate) fn keep_open(&self, file: Arc<dyn File>) {
        self.dir.open_files.keep(file);
    }

    /// Keeps a part of it in memory for a while.
    pub(crate) fn keep_page(&self, page: Arc<dyn Kept>) {
        self.dir.open_files.keep_page(page);
    }

    /// Lets the opened file be closed.
    pub(crate) fn forget(&self, file: &Arc<dyn File>) {
        self.dir.open_files.forget(file);
    }

    /// Where it is now.
    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join(&self.name.read().text)
    }

    /// For `map_err` on operations of the opened file.
    pub(crate) fn failed(&self, action: &'static str) -> impl FnOnce(io::Error) -> LogError + '_ {
        move |source| LogError::Storage { action, path: self.path(), source }
    }
}
