//! The world as the broker sees it: time, files, chance and threads, each behind a small trait that is handed
//! in. Imports nothing of ottla but the nouns of `model`, and is the only place with `unsafe` and with direct calls to the system.

pub(crate) mod clock;
pub(crate) mod file_slice;
pub(crate) mod fs;
mod os_fs;
#[cfg(feature = "server")]
pub(crate) mod poller;
mod rng;
#[cfg(feature = "server")]
pub(crate) mod send_file;
#[cfg(feature = "server")]
pub(crate) mod socket;
mod spawner;
pub(crate) mod temporary;
mod waiter;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use clock::{Clock, ManualClock, ScaledClock, SystemClock, Wake};
pub(crate) use file_slice::FileSlice;
pub(crate) use fs::{DirEntry, File, FileLock, FileSystem, Metadata, OpenOptions, Space};
pub(crate) use os_fs::OsFileSystem;
pub(crate) use rng::{Rng, SeededRng, SystemRng};
pub(crate) use spawner::{Spawner, ThreadSpawner, panic_message};
pub(crate) use temporary::{TemporaryPath, TemporaryRoot};
pub(crate) use waiter::{WaitOutcome, Waiter};

/// Everything a broker asks of the outside. Cloning shares it.
#[derive(Clone, Debug)]
pub(crate) struct Env {
    /// Where every timestamp and every timer comes from.
    pub clock: Arc<dyn Clock>,
    /// Where every file operation goes.
    pub fs: Arc<dyn FileSystem>,
    /// Where ids, jitter and tie-breaks come from.
    pub rng: Arc<dyn Rng>,
    /// Who starts threads.
    pub spawner: Arc<dyn Spawner>,
}

impl Env {
    /// The machine itself.
    pub(crate) fn system() -> Self {
        Env {
            clock: Arc::new(SystemClock::new()),
            fs: Arc::new(OsFileSystem::durable()),
            rng: Arc::new(SystemRng),
            spawner: Arc::new(ThreadSpawner),
        }
    }

    /// A random id as Kafka hands them out.
    pub(crate) fn random_uuid(&self) -> crate::model::Uuid {
        loop {
            let mut bytes = [0; 16];
            self.rng.fill(&mut bytes);
            if let Some(id) = crate::model::Uuid::from_random(bytes) {
                return id;
            }
        }
    }
}
