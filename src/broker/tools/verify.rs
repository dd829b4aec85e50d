use std::path::Path;
use std::sync::Arc;

use crate::broker::metadata::{METADATA_CHECKPOINT, MetadataImage};
use crate::error::Result;
use crate::log::{FileCheck, VerifyParams, VerifyProgress, verify_log_dir};
use crate::sys::{FileSystem, OsFileSystem};

/// The files of a log dir that are not the log engine's.
pub(super) const FILES: [FileCheck<'static>; 1] = [(METADATA_CHECKPOINT, &MetadataImage::check)];

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
/// assert!(VerifyLogDir::verify(dir.path(), |_| {}).is_err(), "a broker is at work there");
/// broker.close();
///
/// let found = VerifyLogDir::verify(dir.path(), |progress| {
///     println!("{} of {} bytes, now {}", progress.verified_bytes, progress.bytes, progress.partition);
/// })?;
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
    /// What an unclean stop leaves and the next start mends, such as a batch at the end of a log that was torn before it
    /// was flushed: no damage, but no part of the log either.
    pub pending: Vec<String>,
    /// Files and directories that are no part of a broker's logs. A broker leaves them alone, too: move them elsewhere.
    pub foreign: Vec<String>,
}

impl VerifyLogDir {
    /// Checks one of a broker's `log.dirs`. `progress` is called before each partition is looked at, and each time some more
    /// of a large one was read.
    ///
    /// # Errors
    /// [`KafkaStorageError`](crate::ErrorCode::KafkaStorageError) if a broker is at work there, it is no log
    /// directory, or the disk refuses.
    /// What is wrong with the files is no error, but an answer.
    pub fn verify(
        log_dir: impl AsRef<Path>,
        mut progress: impl FnMut(&VerifyProgress),
    ) -> Result<VerifyLogDir> {
        let fs: Arc<dyn FileSystem> = Arc::new(OsFileSystem::durable());
        let mut params = VerifyParams { log_dir: log_dir.as_ref(), files: &FILES, progress: &mut progress };
        let found = verify_log_dir(&fs, &mut params)?;
        let (pending, problems): (Vec<_>, Vec<_>) =
            found.findings.iter().partition(|finding| finding.is_pending);
        let texts = |findings: Vec<_>| findings.iter().map(ToString::to_string).collect();
        Ok(VerifyLogDir {
            partitions: found.partitions,
            segments: found.segments,
            bytes: found.bytes,
            problems: texts(problems),
            pending: texts(pending),
            foreign: found.foreign,
        })
    }
}
