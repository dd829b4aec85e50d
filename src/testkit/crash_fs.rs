//! A file system that can lose power.

use std::collections::HashSet;
use std::fmt;
use std::io::{self, IoSlice};
use std::path::{Component, Path};
use std::sync::Arc;

use parking_lot::Mutex;

use super::crash_disk::{Change, CrashDisk, Event, FileNode, Loss, Node, NodeId, Place, ROOT, Tree};
use crate::sys::{Clock, DirEntry, File, FileLock, FileSystem, Metadata, OpenOptions, Space};

/// A file system in memory, which knows what of it has been synced, and becomes what a crash would leave: at once,
/// by [`CrashFileSystem::crash`], or as a second one that lost power after any of the operations so far, by
/// [`CrashFileSystem::crashed_at`].
///
/// What survives is as little as a program may count on. A file's bytes, and its size, are safe once the file was synced;
/// its name, and the names that are gone, once the directory was. Neither implies the other. What is not safe may be there,
/// or not, or in part: see [`Loss`].
///
/// It stands where a [`FaultyFileSystem`](super::FaultyFileSystem) may stand around it, for operations that fail.
#[derive(Clone)]
pub(crate) struct CrashFileSystem {
    clock: Arc<dyn Clock>,
    shared: Arc<Mutex<State>>,
}

struct State {
    disk: CrashDisk,
    /// The disk before all of `events`; `None`: they are not kept.
    before: Option<CrashDisk>,
    events: Vec<Event>,
    locks: HashSet<NodeId>,
    /// How often power was lost: what was open before is not any more.
    crashes: u64,
}

impl CrashFileSystem {
    /// An empty one. It can only crash where it is.
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self::with_disk(clock, CrashDisk::new(), false)
    }

    /// An empty one that keeps a record of all operations, to crash at any of them.
    pub(crate) fn recording(clock: Arc<dyn Clock>) -> Self {
        Self::with_disk(clock, CrashDisk::new(), true)
    }

    fn with_disk(clock: Arc<dyn Clock>, disk: CrashDisk, is_recording: bool) -> Self {
        let before = is_recording.then(|| disk.clone());
        let state = State { disk, before, events: Vec::new(), locks: HashSet::new(), crashes: 0 };
        CrashFileSystem { clock, shared: Arc::new(Mutex::new(state)) }
    }

    /// The power is gone, and back: what was open fails from now on, and what was not synced suffers `loss`.
    pub(crate) fn crash(&self, loss: Loss) {
        let mut state = self.shared.lock();
        state.disk = state.disk.after_crash(loss);
        state.before = state.before.take().map(|_| state.disk.clone());
        state.events.clear();
        state.locks.clear();
        state.crashes += 1;
    }

    /// The number of operations so far that changed something, or promised that a change stays.
    ///
    /// # Panics
    /// If it keeps no record.
    pub(crate) fn steps(&self) -> usize {
        let state = self.shared.lock();
        assert!(state.before.is_some(), "no record is kept");
        state.events.len()
    }

    /// Another file system, with what would be there had the power been lost after the first `steps` operations. It
    /// keeps a record of its own.
    ///
    /// # Panics
    /// If this one keeps no record.
    pub(crate) fn crashed_at(&self, steps: usize, loss: Loss) -> CrashFileSystem {
        Self::with_disk(Arc::clone(&self.clock), self.disk_after(steps).after_crash(loss), true)
    }

    /// The same, had only the process been killed: everything is there, and what was not synced may still be lost.
    ///
    /// # Panics
    /// If this one keeps no record.
    pub(crate) fn killed_at(&self, steps: usize) -> CrashFileSystem {
        Self::with_disk(Arc::clone(&self.clock), self.disk_after(steps), true)
    }

    fn disk_after(&self, steps: usize) -> CrashDisk {
        let state = self.shared.lock();
        let mut disk = state.before.clone().expect("a record is kept");
        state.events.iter().take(steps).for_each(|event| disk.apply(event));
        disk
    }

    /// The operations so far, for whoever has to find out which of them was one too few.
    pub(crate) fn journal(&self) -> Vec<String> {
        self.shared.lock().events.iter().map(|event| format!("{event:?}")).collect()
    }

    /// What is in a directory, with its bytes shared until somebody writes to them.
    pub(super) fn tree(&self, dir: &Path) -> io::Result<Tree> {
        let state = self.shared.lock();
        Ok(state.disk.tree(state.dir(dir)?))
    }

    /// The same, which is not here any more. Nobody may have opened anything of it.
    pub(super) fn take_tree(&self, dir: &Path) -> io::Result<Tree> {
        let tree = self.tree(dir)?;
        self.shared.lock().edit(|state| {
            let place = state.place(dir)?;
            state.disk.uproot(&place);
            Ok(())
        })?;
        Ok(tree)
    }

    /// Makes a directory with all that is in `tree`, as if it had been there and synced for long.
    pub(super) fn plant(&self, dir: &Path, tree: &Tree) -> io::Result<()> {
        if let Some(parent) = dir.parent() {
            self.create_dir_all(parent)?;
            parent.ancestors().try_for_each(|dir| self.sync_dir(dir))?;
        }
        self.shared.lock().edit(|state| {
            let place = state.place(dir)?;
            state.disk.plant(place, tree);
            Ok(())
        })
    }

    fn handle(&self, state: &State, node: NodeId) -> CrashFile {
        CrashFile { fs: self.clone(), node, crashes: state.crashes }
    }
}

impl State {
    fn perform(&mut self, event: Event) {
        self.disk.apply(&event);
        if self.before.is_some() {
            self.events.push(event);
        }
    }

    /// Changes the disk past all records, which begin anew with it.
    fn edit<T>(&mut self, edit: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let edited = edit(self)?;
        self.before = self.before.take().map(|_| self.disk.clone());
        self.events.clear();
        Ok(edited)
    }

    /// The place of a path, whose directory must exist.
    fn place(&self, path: &Path) -> io::Result<Place> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let parent = match path.parent() {
            Some(parent) => self.dir(parent)?,
            None => ROOT,
        };
        Ok((parent, name.to_string_lossy().into_owned()))
    }

    fn find(&self, path: &Path) -> io::Result<NodeId> {
        let mut node = ROOT;
        for name in names_of(path) {
            node = self.disk.at(&(node, name)).ok_or(io::ErrorKind::NotFound)?;
        }
        Ok(node)
    }

    fn dir(&self, path: &Path) -> io::Result<NodeId> {
        let node = self.find(path)?;
        match self.disk.node(node) {
            Some(Node::Dir) => Ok(node),
            Some(Node::File(_)) | None => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    fn make(&mut self, place: Place, is_dir: bool, now_ms: i64) -> NodeId {
        let node = self.disk.unused_id();
        self.perform(Event::Make { place, node, is_dir, now_ms });
        node
    }

    /// Removes what is in a directory, from the bottom up.
    fn empty(&mut self, dir: NodeId) {
        let entries: Vec<(String, NodeId)> =
            self.disk.entries(dir).map(|(name, node)| (name.to_owned(), node)).collect();
        for (name, node) in entries {
            if matches!(self.disk.node(node), Some(Node::Dir)) {
                self.empty(node);
            }
            self.perform(Event::Remove { place: (dir, name) });
        }
    }
}

fn names_of(path: &Path) -> impl Iterator<Item = String> {
    path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::ParentDir => None,
    })
}

impl fmt::Debug for CrashFileSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CrashFileSystem").finish_non_exhaustive()
    }
}

impl FileSystem for CrashFileSystem {
    fn open(&self, path: &Path, options: OpenOptions) -> io::Result<Arc<dyn File>> {
        let now_ms = self.clock.now_ms();
        let mut state = self.shared.lock();
        let place = state.place(path)?;
        let node = match state.disk.at(&place) {
            Some(node) => node,
            None if options.create => state.make(place, false, now_ms),
            None => return Err(io::ErrorKind::NotFound.into()),
        };
        let Some(file) = state.disk.file(node) else { return Err(io::ErrorKind::IsADirectory.into()) };
        if options.truncate && !file.content.is_empty() {
            state.perform(Event::Change { node, change: Change::SetLen(0), now_ms });
        }
        Ok(Arc::new(self.handle(&state, node)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.shared.lock();
        state.find(from)?;
        let (from, to) = (state.place(from)?, state.place(to)?);
        state.perform(Event::Rename { from, to });
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let mut state = self.shared.lock();
        state.find(path)?;
        let place = state.place(path)?;
        state.perform(Event::Remove { place });
        Ok(())
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut state = self.shared.lock();
        let dir = state.dir(path)?;
        state.empty(dir);
        let place = state.place(path)?;
        state.perform(Event::Remove { place });
        Ok(())
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        let now_ms = self.clock.now_ms();
        let mut state = self.shared.lock();
        let mut node = ROOT;
        for name in names_of(path) {
            let place = (node, name);
            node = match state.disk.at(&place) {
                Some(found) => found,
                None => state.make(place, true, now_ms),
            };
        }
        Ok(())
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let state = self.shared.lock();
        let dir = state.dir(path)?;
        let entry = |(name, node): (&str, NodeId)| {
            let is_dir = matches!(state.disk.node(node), Some(Node::Dir));
            DirEntry { name: name.to_owned(), is_dir }
        };
        Ok(state.disk.entries(dir).map(entry).collect())
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        let state = self.shared.lock();
        let node = state.find(path)?;
        let (len, modified_ms) =
            state.disk.file(node).map_or((0, 0), |file| (file.content.len(), file.modified_ms));
        Ok(Metadata { len: len as u64, modified_ms })
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.shared.lock();
        let node = state.dir(path)?;
        state.perform(Event::SyncDir { node });
        Ok(())
    }

    fn try_lock(&self, path: &Path) -> io::Result<Option<Box<dyn FileLock>>> {
        self.open(path, OpenOptions::CREATE)?;
        let mut state = self.shared.lock();
        let node = state.find(path)?;
        if !state.locks.insert(node) {
            return Ok(None);
        }
        Ok(Some(Box::new(CrashFileLock { file: self.handle(&state, node) })))
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.shared.lock();
        let (node, place) = (state.find(from)?, state.place(to)?);
        if state.disk.at(&place).is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        state.perform(Event::Link { place, node });
        Ok(())
    }

    fn space(&self, _path: &Path) -> io::Result<Option<Space>> {
        Ok(None)
    }
}

struct CrashFileLock {
    file: CrashFile,
}

impl fmt::Debug for CrashFileLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CrashFileLock").field(&self.file).finish()
    }
}

impl FileLock for CrashFileLock {}

impl Drop for CrashFileLock {
    fn drop(&mut self) {
        let mut state = self.file.fs.shared.lock();
        // A crash has let go of it already, and somebody else may have it.
        if state.crashes == self.file.crashes {
            state.locks.remove(&self.file.node);
        }
    }
}

#[derive(Clone)]
struct CrashFile {
    fs: CrashFileSystem,
    node: NodeId,
    /// Of its file system, when it was opened.
    crashes: u64,
}

impl CrashFile {
    fn look<T>(&self, look: impl FnOnce(&FileNode) -> T) -> io::Result<T> {
        let state = self.fs.shared.lock();
        match state.disk.file(self.node) {
            Some(file) if state.crashes == self.crashes => Ok(look(file)),
            Some(_) | None => Err(io::Error::other("the power was lost since it was opened")),
        }
    }

    fn perform(&self, event: Event) -> io::Result<()> {
        self.look(|_| ())?;
        self.fs.shared.lock().perform(event);
        Ok(())
    }

    fn change(&self, change: Change) -> io::Result<()> {
        self.perform(Event::Change { node: self.node, change, now_ms: self.fs.clock.now_ms() })
    }
}

impl fmt::Debug for CrashFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CrashFile").field(&self.node).finish()
    }
}

fn index(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

impl File for CrashFile {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.look(|file| {
            let rest = file.content.get(index(position)..).unwrap_or_default();
            let len = rest.len().min(buffer.len());
            for (slot, byte) in buffer.iter_mut().zip(rest) {
                *slot = *byte;
            }
            len
        })
    }

    fn write_all_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        self.change(Change::Write { position: index(position), bytes: bytes.into() })
    }

    fn write_all_vectored_at(&self, parts: &mut [IoSlice<'_>], position: u64) -> io::Result<()> {
        let joined: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
        self.write_all_at(&joined, position)
    }

    fn len(&self) -> io::Result<u64> {
        self.look(|file| file.content.len() as u64)
    }

    fn set_modified_ms(&self, modified_ms: i64) -> io::Result<()> {
        self.perform(Event::SetModified { node: self.node, modified_ms })
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change(Change::SetLen(index(len)))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.perform(Event::Sync { node: self.node })
    }

    fn sync_all(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        if self.len()? < len { self.set_len(len) } else { Ok(()) }
    }

    #[cfg(unix)]
    fn as_fd(&self) -> Option<std::os::fd::BorrowedFd<'_>> {
        None
    }
}
