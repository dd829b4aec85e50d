use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::verify::FILES;
use crate::error::Result;
use crate::log::{VerifyParams, VerifyProgress, repair_log_dir};
use crate::sys::{FileSystem, OsFileSystem};

/// Cuts what is damaged out of a data directory that no broker has open, so that a broker can open and serve the rest.
/// What is wrong is what [`VerifyLogDir`](crate::VerifyLogDir) finds.
///
/// - Of a log that was not closed in order, what lies behind the recovery point is cut from the first bad batch on, as
///   the next start would do, later segments included.
/// - Everywhere else a bad batch goes alone: the good ones before and behind it stay, at their offsets.
/// - Indexes, producer snapshots and checkpoints that are not right, and files that were never put in their place, are
///   put aside; the next start makes them anew, or does without.
/// - What a newer version wrote, and what needs a codec that this build lacks, is left as it is.
///
/// Nothing is lost: what is cut is kept beside its file, under its name with `.cut` behind it, and no such file is ever
/// overwritten. Remove them when they are not needed any more.
///
/// # Examples
/// ```
/// use ottla::{Broker, NewTopic, ProducerRecord, RepairLogDir, VerifyLogDir};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let dir = tempfile::tempdir()?;
/// let broker = Broker::open(dir.path())?;
/// broker.admin().create_topic(NewTopic::new("orders", 1))?;
/// broker.producer().send(ProducerRecord::new("orders").value("pear"))?.wait()?;
/// broker.producer().send(ProducerRecord::new("orders").value("plum"))?.wait()?;
/// broker.close();
/// let file = dir.path().join("orders-0/00000000000000000000.log");
/// let mut content = std::fs::read(&file)?;
/// let at = content.windows(4).position(|bytes| bytes == b"pear").unwrap();
/// content[at] = b'b';
/// std::fs::write(&file, &content)?;
///
/// let plan = RepairLogDir::plan(dir.path(), |_| {})?;
/// assert_eq!((plan.problems, plan.steps.len()), (1, 1), "it says what it would do");
/// assert_eq!(std::fs::read(&file)?, content, "and does nothing");
///
/// let done = RepairLogDir::repair(dir.path(), |_| {})?;
/// assert_eq!(std::fs::read(&done.kept[0])?, content[..content.len() / 2], "what was cut");
/// assert!(VerifyLogDir::verify(dir.path(), |_| {})?.problems.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RepairLogDir {
    /// How many partitions were looked at.
    pub partitions: usize,
    /// How many segments they have.
    pub segments: usize,
    /// How many bytes of records, before the repair.
    pub bytes: u64,
    /// How much was wrong, apart from what the next start would mend by itself.
    pub problems: usize,
    /// What is to be done, or was, and why.
    pub steps: Vec<String>,
    /// The files that keep what was cut or put aside; none if nothing was done yet.
    pub kept: Vec<PathBuf>,
    /// What is wrong and cannot be mended here.
    pub left: Vec<String>,
}

impl RepairLogDir {
    /// Says what is to be done to one of a broker's `log.dirs`, and writes nothing. `progress` is called as by
    /// [`VerifyLogDir::verify`](crate::VerifyLogDir::verify).
    ///
    /// # Errors
    /// [`KafkaStorageError`](crate::ErrorCode::KafkaStorageError) if a broker is at work there, it is no log
    /// directory, or the disk refuses.
    pub fn plan(log_dir: impl AsRef<Path>, progress: impl FnMut(&VerifyProgress)) -> Result<RepairLogDir> {
        Self::run(log_dir.as_ref(), progress, false)
    }

    /// Does it. The next start looks at the ends of all logs in the directory, as after a crash.
    ///
    /// # Errors
    /// As [`RepairLogDir::plan`]. A repair that was cut short can be run again.
    pub fn repair(log_dir: impl AsRef<Path>, progress: impl FnMut(&VerifyProgress)) -> Result<RepairLogDir> {
        Self::run(log_dir.as_ref(), progress, true)
    }

    fn run(log_dir: &Path, mut progress: impl FnMut(&VerifyProgress), apply: bool) -> Result<RepairLogDir> {
        let fs: Arc<dyn FileSystem> = Arc::new(OsFileSystem::durable());
        let mut params = VerifyParams { log_dir, files: &FILES, progress: &mut progress };
        let done = repair_log_dir(&fs, &mut params, apply)?;
        let verified = done.verified;
        Ok(RepairLogDir {
            partitions: verified.partitions,
            segments: verified.segments,
            bytes: verified.bytes,
            problems: verified.findings.iter().filter(|finding| !finding.is_pending).count(),
            steps: done.steps,
            kept: done.kept,
            left: done.left,
        })
    }
}
