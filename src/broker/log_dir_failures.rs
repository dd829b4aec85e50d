//! Telling whoever embeds a broker of the log directories that it has to do without (Kafka: `LogDirFailureHandler`).

use std::path::PathBuf;
use std::sync::{Arc, Weak};

use super::core::BrokerCore;
use crate::log::LogManager;

/// A directory of `log.dirs` that the broker does not use any more, since its disk failed.
///
/// What is in it answers [`KafkaStorageError`](crate::ErrorCode::KafkaStorageError) until the broker is opened anew; the
/// partitions in other directories go on. See [`BrokerBuilder::on_log_dir_failure`](crate::BrokerBuilder::on_log_dir_failure).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogDirFailure {
    /// The directory.
    pub log_dir: PathBuf,
    /// What the disk refused, and why.
    pub reason: String,
    /// The directories that are still used.
    pub live_log_dirs: Vec<PathBuf>,
}

/// Who is told.
pub(super) type LogDirFailureListener = Arc<dyn Fn(&LogDirFailure) + Send + Sync>;

/// Has `listener` told of each log directory that failed or will fail, on a thread that holds no lock.
pub(super) fn tell(core: &BrokerCore, listener: LogDirFailureListener) {
    let (io_threads, log_manager) = (Arc::downgrade(&core.io_threads), Arc::downgrade(&core.log_manager));
    core.log_manager.failures().on_failure(move || {
        let Some(io_threads) = io_threads.upgrade() else { return };
        let (listener, log_manager) = (Arc::clone(&listener), Weak::clone(&log_manager));
        io_threads.run(move || {
            while let Some(failure) = log_manager.upgrade().and_then(|manager| next(&manager)) {
                listener(&failure);
            }
        });
    });
}

fn next(log_manager: &LogManager) -> Option<LogDirFailure> {
    let log_dir = log_manager.failures().take_next_offline_log_dir()?;
    let live = log_manager.live_log_dirs();
    Some(LogDirFailure {
        reason: log_manager.offline_reason(&log_dir).unwrap_or_default(),
        live_log_dirs: live.iter().map(|dir| dir.path().to_owned()).collect(),
        log_dir,
    })
}
