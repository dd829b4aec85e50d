use std::path::PathBuf;

use super::Admin;
use crate::error::Result;
use crate::model::{TopicPartition, Uuid};

/// A directory that holds data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogDirDescription {
    /// Where it is.
    pub path: PathBuf,
    /// Its id; zero if it could not be opened.
    pub directory_id: Uuid,
    /// Why it takes no more writes, if it does not.
    pub offline: Option<String>,
    /// All bytes of its volume, where the system tells.
    pub total_bytes: Option<u64>,
    /// The bytes of its volume that may still be written, where the system tells.
    pub usable_bytes: Option<u64>,
    /// The partitions in it, with the bytes of their records.
    pub partitions: Vec<(TopicPartition, u64)>,
}

impl Admin {
    /// The directories that hold the data, offline ones too.
    ///
    /// # Errors
    /// [`BrokerNotAvailable`](crate::ErrorCode::BrokerNotAvailable) if the broker is closed.
    ///
    /// # Examples
    /// ```
    /// use ottla::{Broker, NewTopic};
    /// # fn main() -> Result<(), ottla::Error> {
    /// let broker = Broker::temporary()?;
    /// broker.admin().create_topic(NewTopic::new("orders", 3))?;
    /// let dirs = broker.admin().describe_log_dirs()?;
    /// assert_eq!((dirs.len(), dirs[0].partitions.len()), (1, 3));
    /// assert_eq!(dirs[0].offline, None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn describe_log_dirs(&self) -> Result<Vec<LogDirDescription>> {
        self.core.ensure_open()?;
        let mut dirs = Vec::new();
        for dir in self.core.log_manager.describe_log_dirs() {
            let mut partitions = dir.partitions;
            partitions.sort();
            dirs.push(LogDirDescription {
                path: dir.path,
                directory_id: dir.directory_id,
                offline: dir.offline,
                total_bytes: dir.space.map(|space| space.total_bytes),
                usable_bytes: dir.space.map(|space| space.usable_bytes),
                partitions,
            });
        }
        Ok(dirs)
    }
}
