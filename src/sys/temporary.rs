//! Directories that do not outlive the process, however it ends.
//!
//! All those of a process are in one, its home, beside a file whose lock the process holds: the system takes it back
//! whatever ends the process. Whoever takes a home later, and finds a lock that nobody holds, removes that home. A home
//! without its file is not touched: who has it cannot be told.
#![expect(clippy::disallowed_methods, reason = "the machine's files, as in os_fs")]

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::rng::{Rng, SystemRng};

/// The extension of the file beside a home that is locked.
const LOCK: &str = "lock";

/// Two that look after each other's homes may meet; not that often.
const MAX_TRIES: usize = 100;

/// The home of this process, while anything is in it.
static OWN: Mutex<Weak<Home>> = Mutex::new(Weak::new());

/// Where temporary directories are made.
#[derive(Clone, Debug)]
pub(crate) struct TemporaryRoot {
    path: PathBuf,
    /// Stays as long as anything in it is used.
    _home: Option<Arc<Home>>,
}

impl TemporaryRoot {
    /// A directory that somebody else looks after.
    pub(crate) fn at(path: PathBuf) -> Self {
        TemporaryRoot { path, _home: None }
    }

    /// This process's own, below the system's directory for temporary files. What processes have left there that are
    /// gone is removed first, if this one has nothing there yet.
    pub(crate) fn of_process() -> Self {
        let parent = parent_of_homes();
        let mut own = OWN.lock();
        let home = own.upgrade().filter(|home| home.dir.parent() == Some(&parent));
        let take = || {
            sweep(&parent, None);
            Home::take(&parent).map(Arc::new)
        };
        let home = home.map_or_else(take, Ok);
        match home {
            Ok(home) => {
                *own = Arc::downgrade(&home);
                TemporaryRoot { path: home.dir.clone(), _home: Some(home) }
            }
            Err(error) => {
                let parent = parent.display();
                tracing::warn!(%error, "no use of {parent}: if this process is killed, its temporary files stay");
                TemporaryRoot::at(std::env::temp_dir())
            }
        }
    }

    /// The directory of this name, which is not made yet.
    pub(crate) fn join(&self, name: &str) -> TemporaryPath {
        TemporaryPath { path: self.path.join(name), root: self.clone() }
    }
}

/// A directory below a [`TemporaryRoot`], which stays as long as this does.
#[derive(Clone, Debug)]
pub(crate) struct TemporaryPath {
    path: PathBuf,
    root: TemporaryRoot,
}

impl TemporaryPath {
    /// What it is below of.
    pub(crate) fn root(&self) -> &TemporaryRoot {
        &self.root
    }
}

impl std::ops::Deref for TemporaryPath {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.path
    }
}

/// Removes what processes of this user have left that are gone.
pub(crate) fn remove_abandoned() {
    let own = OWN.lock();
    let home = own.upgrade();
    sweep(&parent_of_homes(), home.as_deref());
}

/// Each user has one: nobody can lock or remove the files of others.
fn parent_of_homes() -> PathBuf {
    #[cfg(unix)]
    let name = format!("ottla-{}", rustix::process::geteuid().as_raw());
    #[cfg(not(unix))]
    let name = "ottla";
    std::env::temp_dir().join(name)
}

/// A directory of this process that goes when this is dropped.
#[derive(Debug)]
pub(super) struct Home {
    dir: PathBuf,
    lock_path: PathBuf,
    // The lock lives as long as the descriptor.
    _lock: Option<fs::File>,
}

impl Home {
    pub(super) fn take(parent: &Path) -> io::Result<Home> {
        for _ in 0..MAX_TRIES {
            make_parent(parent)?;
            match Home::try_take(parent) {
                Ok(Some(home)) => return Ok(home),
                Ok(None) => {}
                // Who removes the last home removes its parent.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("others remove what is made there"))
    }

    fn try_take(parent: &Path) -> io::Result<Option<Home>> {
        // Nobody has had this name before, and so nobody can take one for the other.
        let dir = parent.join(format!("{}-{:016x}", std::process::id(), SystemRng.next_u64()));
        let lock_path = dir.with_extension(LOCK);
        let lock = fs::OpenOptions::new().write(true).create_new(true).open(&lock_path)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Ok(None),
            Err(fs::TryLockError::Error(error)) => return Err(error),
        }
        // Somebody may have found it before it was locked, and taken it for abandoned.
        if !fs::exists(&lock_path)? {
            return Ok(None);
        }
        let home = Home { dir, lock_path, _lock: Some(lock) };
        fs::create_dir(&home.dir)?;
        Ok(Some(home))
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Ends as when the process is killed.
    #[cfg(test)]
    pub(super) fn lose(self) {
        let mut home = std::mem::ManuallyDrop::new(self);
        // Of all copies of the descriptor: a process that another thread has just forked may have one.
        if let Some(lock) = home._lock.take() {
            lock.unlock().expect("it is held");
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        remove(&self.dir, &self.lock_path);
        // It is empty if this was the last.
        let _ = self.dir.parent().map(fs::remove_dir);
    }
}

/// A directory that nobody but this user can write to.
fn make_parent(parent: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(parent) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => builder.recursive(true).create(parent)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => return made,
    }
    ensure_own(parent)
}

#[cfg(unix)]
fn ensure_own(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let found = fs::symlink_metadata(dir)?;
    let is_own = found.uid() == rustix::process::geteuid().as_raw() && found.mode() & 0o022 == 0;
    if found.is_dir() && is_own {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::PermissionDenied, "others can write there"))
}

#[cfg(not(unix))]
fn ensure_own(_dir: &Path) -> io::Result<()> {
    Ok(())
}

/// Removes the homes whose lock nobody holds.
pub(super) fn sweep(parent: &Path, own: Option<&Home>) {
    // Nothing is there as a rule, and what is somebody else's is left alone.
    let Ok(entries) = ensure_own(parent).and_then(|()| fs::read_dir(parent)) else { return };
    for entry in entries.flatten() {
        let lock_path = entry.path();
        let is_own = own.is_some_and(|own| own.lock_path == lock_path);
        if is_own || lock_path.extension() != Some(OsStr::new(LOCK)) {
            continue;
        }
        // Another may have removed it meanwhile.
        let Ok(lock) = fs::OpenOptions::new().write(true).open(&lock_path) else { continue };
        if lock.try_lock().is_ok() {
            remove(&lock_path.with_extension(""), &lock_path);
        }
    }
}

/// The file last: without it, nobody would find the directory.
fn remove(dir: &Path, lock_path: &Path) {
    let is_gone = |result: io::Result<()>| match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    // It is empty, as a rule.
    let remove_dir = || fs::remove_dir(dir).or_else(|_| fs::remove_dir_all(dir));
    let removed = is_gone(remove_dir()).and_then(|()| is_gone(fs::remove_file(lock_path)));
    if let Err(error) = removed {
        tracing::warn!(dir = %dir.display(), %error, "cannot remove a temporary directory");
    }
}
