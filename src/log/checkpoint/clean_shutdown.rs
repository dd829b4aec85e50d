//! The mark of a clean stop (Kafka: `CleanShutdownFileHandler`).

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::log::error::LogError;
use crate::log::file_names::CLEAN_SHUTDOWN;
use crate::sys::FileSystem;

/// The file whose presence says that every log of the log dir was closed in order.
#[derive(Debug)]
pub(crate) struct CleanShutdownFile {
    fs: Arc<dyn FileSystem>,
    path: PathBuf,
}

impl CleanShutdownFile {
    /// The mark of `log_dir`.
    pub(crate) fn new(fs: Arc<dyn FileSystem>, log_dir: &Path) -> Self {
        CleanShutdownFile { fs, path: log_dir.join(CLEAN_SHUTDOWN) }
    }

    /// Leaves the mark.
    pub(crate) fn write(&self) -> Result<(), LogError> {
        let content = br#"{"version":0,"brokerEpoch":-1}"#;
        self.fs.replace(&self.path, content).map_err(LogError::storage("write", &self.path))
    }

    /// Whether the mark is there.
    pub(crate) fn exists(&self) -> Result<bool, LogError> {
        self.fs.exists(&self.path).map_err(LogError::storage("look at", &self.path))
    }

    /// Removes the mark; answers whether it was there. It must be gone for good before any log is written, or
    /// a crash would look like a clean stop.
    pub(crate) fn take(&self) -> Result<bool, LogError> {
        let was_there = match self.fs.remove_file(&self.path) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(LogError::storage("remove", &self.path)(error)),
        };
        // If it was not there, too: a process that was killed may have removed it, and have made partitions, and not come
        // to the sync.
        if let Some(dir) = self.path.parent() {
            self.fs.sync_dir(dir).map_err(LogError::storage("sync", dir))?;
        }
        Ok(was_there)
    }
}
