use std::path::{Path, PathBuf};

use super::Admin;
use crate::error::Result;
use crate::log::FutureDescription;
#[cfg(doc)]
use crate::model::ErrorCode;
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
    /// The partitions that move here from another directory.
    pub future_partitions: Vec<FuturePartition>,
    /// Whether it gets no new partitions: `cordoned.log.dirs`.
    pub is_cordoned: bool,
}

/// A partition on its way to another directory: [`Admin::alter_replica_log_dirs`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FuturePartition {
    /// The partition.
    pub topic_partition: TopicPartition,
    /// The bytes of its records that are there already.
    pub size_bytes: u64,
    /// How many offsets are still to be copied.
    pub offset_lag: i64,
}

impl From<FutureDescription> for FuturePartition {
    fn from(future: FutureDescription) -> Self {
        let FutureDescription { partition, size_bytes, offset_lag } = future;
        FuturePartition { topic_partition: partition, size_bytes, offset_lag }
    }
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
                future_partitions: dir.futures.into_iter().map(FuturePartition::from).collect(),
                is_cordoned: dir.is_cordoned,
            });
        }
        Ok(dirs)
    }

    /// Begins to move partitions to other directories of `log.dirs`, while they are written and read. What is flushed
    /// stays so. [`describe_log_dirs`](Self::describe_log_dirs) tells how far each is; after a restart, the moves go on.
    /// One that is under way ends where its partition is told to go where it is.
    ///
    /// What becomes of each partition is told in the order of `moves`; the others go on where one fails.
    ///
    /// # Errors
    /// [`BrokerNotAvailable`](ErrorCode::BrokerNotAvailable) if the broker is closed. Of one partition:
    /// - [`LogDirNotFound`](ErrorCode::LogDirNotFound): the directory is not among `log.dirs`, as they are written
    ///   there.
    /// - [`InvalidReplicaAssignment`](ErrorCode::InvalidReplicaAssignment): the directory is among
    ///   `cordoned.log.dirs`.
    /// - [`UnknownTopicOrPartition`](ErrorCode::UnknownTopicOrPartition): there is no such partition.
    /// - [`KafkaStorageError`](ErrorCode::KafkaStorageError): one of the two directories is offline.
    /// - [`InvalidTopicException`](ErrorCode::InvalidTopicException): the name of the topic is too long for the
    ///   directory of a move, which has 42 characters more.
    ///
    /// # Examples
    /// ```
    /// use ottla::{Broker, ErrorCode, NewTopic, TopicPartition};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let disks = tempfile::tempdir()?;
    /// let (a, b) = (disks.path().join("a"), disks.path().join("b"));
    /// let dirs = format!("{},{}", a.display(), b.display());
    /// let broker = Broker::builder().set("log.dirs", dirs).open()?;
    /// let admin = broker.admin();
    /// admin.create_topic(NewTopic::new("orders", 2))?;
    ///
    /// let (first, second) = (TopicPartition::new("orders", 0), TopicPartition::new("orders", 1));
    /// let moves = [(first, b.clone()), (second.clone(), b.clone()), (second, disks.path().join("c"))];
    /// let outcomes = admin.alter_replica_log_dirs(moves)?;
    /// assert!(outcomes[0].1.is_ok() && outcomes[1].1.is_ok());
    /// assert_eq!(outcomes[2].1.as_ref().unwrap_err().code(), ErrorCode::LogDirNotFound);
    ///
    /// while admin.describe_log_dirs()?.iter().any(|dir| !dir.future_partitions.is_empty()) {
    ///     std::thread::yield_now();
    /// }
    /// let found = admin.describe_log_dirs()?.into_iter().find(|dir| dir.path == b);
    /// assert_eq!(found.map(|dir| dir.partitions.len()), Some(2));
    /// # Ok(())
    /// # }
    /// ```
    pub fn alter_replica_log_dirs<P: AsRef<Path>>(
        &self,
        moves: impl IntoIterator<Item = (TopicPartition, P)>,
    ) -> Result<Vec<(TopicPartition, Result<()>)>> {
        self.core.ensure_open()?;
        let begin = |(tp, to): (TopicPartition, P)| {
            let begun = self.core.move_to_log_dir(&tp, to.as_ref());
            let begun = begun.map_err(|error| error.context(format_args!("cannot move {tp}")));
            (tp, begun)
        };
        Ok(moves.into_iter().map(begin).collect())
    }
}
