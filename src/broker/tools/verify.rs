use std::path::Path;
use std::sync::Arc;

use crate::error::Result;
use crate::log::verify_log_dir;
use crate::sys::{FileSystem, OsFileSystem};

/// Checks everything in a data directory that no broker has open: every batch with its checksum and its records, the
/// offsets of all segments, indexes, producer snapshots, checkpoints. Nothing is written.
///
/// # Examples
/// ```
/// use ottla::{Broker, NewTopic, VerifyLogDir};
/// # fn main() -> Result<(), ottla::Error> {
/// let dir = tempfile::tempdir().unwrap();
/// let broker = Broker::open(dir.path())?;
/// broker.admin().create_topic(NewTopic::new("orders", 3))?;
/// assert!(VerifyLogDir::verify(dir.path(), |_, _, _| {}).is_err(), "a broker is at work there");
/// broker.close();
///
/// let found = VerifyLogDir::verify(dir.path(), |partition, done, all| println!("{partition}: {done} of {all}"))?;
/// assert_eq!((found.partitions, found.problems.len()), (3, 0));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct VerifyLogDir {
    /// How many partitions were looked at.
    pub partitions: usize,
    /// How many segments they have.
    pub segments: usize,
    /// How many bytes of records.
    pub bytes: u64,
    /// What is wrong, with the file and the place in it; empty if all is well.
    pub problems: Vec<String>,
}

impl VerifyLogDir {
    /// Checks one of a broker's `log.dirs`. `progress` is called with the name of each partition before it is looked
    /// at, how many were before, and how many there are.
    ///
    /// # Errors
    /// [`KafkaStorageError`](crate::ErrorCode::KafkaStorageError) if a broker is at work there, or the disk refuses.
    /// What is wrong with the files is no error, but an answer.
    pub fn verify(
        log_dir: impl AsRef<Path>,
        mut progress: impl FnMut(&str, usize, usize),
    ) -> Result<VerifyLogDir> {
        let fs: Arc<dyn FileSystem> = Arc::new(OsFileSystem::durable());
        let found = verify_log_dir(&fs, log_dir.as_ref(), &mut progress)?;
        Ok(VerifyLogDir {
            partitions: found.partitions,
            segments: found.segments,
            bytes: found.bytes,
            problems: found.problems,
        })
    }
}
