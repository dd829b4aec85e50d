//! The disk of a test's broker.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::faulty_fs::{FaultyFileSystem, FileOperation};
use super::slow_disk::Skipping;
use crate::broker::{Broker, BrokerCore};

/// What a disk says when it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DiskFault {
    /// EIO: the device is broken.
    Io,
    /// ENOSPC: it is full.
    NoSpace,
}

/// What a plan for [`Disk::fail_when`] answers.
impl From<DiskFault> for io::Error {
    fn from(fault: DiskFault) -> Self {
        match fault {
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
        self.fail_when(move |asked, _| (asked == operation).then(|| fault.into()));
    }

    /// From now on, asks `plan` before each operation, and what it answers is what the operation answers instead. It
    /// is called from many threads. Of a write that fails, the first half is on the disk.
    pub fn fail_when(
        &self,
        plan: impl Fn(FileOperation, &Path) -> Option<io::Error> + Send + Sync + 'static,
    ) {
        self.fs.set_plan(plan);
    }

    /// From now on, each operation of this kind takes so long, on the broker's clock: under a clock that stands still,
    /// until the test lets time pass. A native producer or consumer whose call comes to it waits on its own thread.
    /// Snapshots and forks take no time, which are the test's doing, but wait for what is under way. Nor do operations that come while
    /// [`TestBroker::advance`](super::TestBroker::advance) lets time pass, where that would have to wait for them.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use std::time::Duration;
    /// use ottla::{FileOperation, ManualClock, NewTopic, ProducerRecord, TestBroker};
    /// # fn main() -> Result<(), ottla::Error> {
    /// let kafka = TestBroker::with_clock(Arc::new(ManualClock::new(0)))?;
    /// kafka.admin().create_topic(NewTopic::new("orders", 1).config("flush.messages", "1"))?;
    /// kafka.disk().delay(FileOperation::Sync, Duration::from_secs(5));
    /// let producer = kafka.producer();
    /// std::thread::scope(|scope| {
    ///     let sent = scope.spawn(|| producer.send(ProducerRecord::new("orders").value("slow"))?.wait());
    ///     while !sent.is_finished() {
    ///         kafka.advance(Duration::from_secs(1));
    ///     }
    /// });
    /// assert!(kafka.now_ms() >= 5_000);
    /// # Ok(())
    /// # }
    /// ```
    pub fn delay(&self, operation: FileOperation, by: Duration) {
        self.fs.pauses().set(operation, by);
    }

    /// From now on, asks `plan` before each operation how long it takes, as [`Disk::delay`] says it of all operations of
    /// a kind: of those that the plan is silent about, that one counts. It is called from many threads.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use ottla::{FileOperation, NewTopic, ProducerRecord, TestBroker};
    /// # fn main() -> Result<(), ottla::Error> {
    /// let kafka = TestBroker::start()?;
    /// for topic in ["orders", "views"] {
    ///     kafka.admin().create_topic(NewTopic::new(topic, 1).config("flush.messages", "1"))?;
    /// }
    /// // The disk hangs, for one of the two.
    /// let day = Duration::from_secs(24 * 3600);
    /// kafka.disk().delay_when(move |operation, path| {
    ///     let is_meant = operation == FileOperation::Sync && path.to_string_lossy().contains("orders-0");
    ///     is_meant.then_some(day)
    /// });
    /// kafka.producer().send(ProducerRecord::new("views").value("is not held up"))?.wait()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn delay_when(
        &self,
        plan: impl Fn(FileOperation, &Path) -> Option<Duration> + Send + Sync + 'static,
    ) {
        self.fs.pauses().set_plan(plan);
    }

    /// From now on, nothing fails, and nothing takes time. What the broker has given up on stays so until it is
    /// restarted.
    pub fn heal(&self) {
        self.fs.clear_plan();
        self.fs.pauses().clear();
    }

    /// Whose disk it is from now on.
    pub(super) fn attach(&self, broker: &Broker) {
        let core: &Arc<BrokerCore> = &broker.core;
        self.fs.pauses().attach(Arc::downgrade(core));
    }

    /// As [`SlowDisk::begin_skipping`].
    pub(super) fn begin_skipping(&self) -> Result<Skipping<'_>, Duration> {
        self.fs.pauses().begin_skipping()
    }

    /// As [`SlowDisk::end_due`].
    pub(super) fn end_due(&self, now: Duration) {
        self.fs.pauses().end_due(now);
    }

    /// As [`SlowDisk::unhindered`].
    pub(super) fn unhindered<T>(&self, work: impl FnOnce() -> T) -> T {
        self.fs.pauses().unhindered(work)
    }

    /// Ends what is under way, for a broker that ends.
    pub(super) fn hurry(&self) {
        self.fs.pauses().clear();
    }
}
