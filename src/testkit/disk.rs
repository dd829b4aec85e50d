//! The disk of a test's broker.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::faulty_fs::{FaultyFileSystem, FileOperation};

/// What a disk says when it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DiskFault {
    /// EIO: the device is broken.
    Io,
    /// ENOSPC: it is full.
    NoSpace,
}

impl DiskFault {
    fn error(self) -> io::Error {
        match self {
            // The number that Linux, macOS and Windows' C library all have for it.
            DiskFault::Io if cfg!(unix) => io::Error::from_raw_os_error(5),
            DiskFault::Io => io::Error::other("input/output error"),
            DiskFault::NoSpace if cfg!(unix) => io::Error::from_raw_os_error(28),
            DiskFault::NoSpace => io::Error::from(io::ErrorKind::StorageFull),
        }
    }
}

/// The disk under a [`TestBroker`](crate::TestBroker), which fails when the test wants it to:
/// [`TestBroker::disk`](crate::TestBroker::disk).
///
/// # Examples
/// ```
/// use ottla::{DiskFault, ErrorCode, FileOperation, NewTopic, ProducerRecord, TestBroker};
/// # fn main() -> Result<(), ottla::Error> {
/// let mut kafka = TestBroker::start()?;
/// kafka.admin().create_topic(NewTopic::new("orders", 1).config("flush.messages", "1"))?;
/// kafka.producer().send(ProducerRecord::new("orders").value("on the disk"))?.wait()?;
///
/// kafka.disk().fail(FileOperation::Sync, DiskFault::Io);
/// let producer = kafka.producer();
/// let error = producer.send(ProducerRecord::new("orders").value("lost?"))?.wait().unwrap_err();
/// assert_eq!(error.code(), ErrorCode::KafkaStorageError);
///
/// kafka.disk().heal();
/// kafka.restart()?;
/// assert_eq!(kafka.records("orders")?[0].value.as_deref(), Some(&b"on the disk"[..]));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Disk {
    fs: Arc<FaultyFileSystem>,
}

impl Disk {
    pub(super) fn new(fs: Arc<FaultyFileSystem>) -> Self {
        Disk { fs }
    }

    /// From now on, every operation of this kind fails.
    pub fn fail(&self, operation: FileOperation, fault: DiskFault) {
        self.fail_when(move |asked, _| (asked == operation).then(|| fault.error()));
    }

    /// From now on, asks `plan` before each operation, and what it answers is what the operation answers instead. It
    /// is called from many threads. Of a write that fails, the first half is on the disk.
    pub fn fail_when(
        &self,
        plan: impl Fn(FileOperation, &Path) -> Option<io::Error> + Send + Sync + 'static,
    ) {
        self.fs.set_plan(plan);
    }

    /// From now on, nothing fails. What the broker has given up on stays so until it is restarted.
    pub fn heal(&self) {
        self.fs.clear_plan();
    }
}
