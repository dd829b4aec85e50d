//! A test's broker as it was, and a second one beside it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::{TestBroker, TestBrokerBuilder};
use crate::broker::admin::ListGroupsOptions;
use crate::broker::{Broker, BrokerBuilder, Nodes};
use crate::error::{Error, Result};
use crate::log::fork_log_dir;
use crate::model::ErrorCode;
use crate::sys::{Clock, FileSystem};

/// A [`TestBroker`] as it was: [`TestBroker::snapshot`]. Its files go when it is dropped.
#[derive(Debug)]
pub struct Snapshot {
    dir: TemporaryDir,
    /// The brokers that it was, if it was several.
    nodes: Option<Arc<Nodes>>,
    clock: Arc<dyn Clock>,
    /// How the broker was started.
    origin: TestBrokerBuilder,
}

impl Snapshot {
    /// Starts a broker that goes on from here, at an address of its own: as [`TestBroker::fork`], later.
    ///
    /// # Errors
    /// As [`TestBroker::start`].
    pub fn start(&self) -> Result<TestBroker> {
        let copy = TemporaryDir::beside(&self.origin.broker);
        self.dir.fork_to(&copy)?;
        start_apart(&self.origin, &self.clock, copy, self.nodes.as_ref())
    }
}

/// A directory that is removed when this is dropped, unless it was given away.
struct TemporaryDir {
    fs: Arc<dyn FileSystem>,
    path: Option<PathBuf>,
}

impl TemporaryDir {
    /// One that is not made yet, beside those of temporary brokers.
    fn beside(builder: &BrokerBuilder) -> Self {
        let fs = Arc::clone(builder.file_system());
        TemporaryDir { fs, path: Some(builder.free_temporary_dir()) }
    }

    fn path(&self) -> &std::path::Path {
        self.path.as_deref().unwrap_or(std::path::Path::new(""))
    }

    fn fork_to(&self, to: &TemporaryDir) -> Result<()> {
        Ok(fork_log_dir(&*self.fs, self.path(), to.path())?)
    }

    fn give_away(mut self) -> PathBuf {
        self.path.take().unwrap_or_default()
    }
}

impl Drop for TemporaryDir {
    fn drop(&mut self) {
        if let Some(dir) = self.path.take()
            && let Err(error) = self.fs.remove_dir_all(&dir)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(dir = %dir.display(), %error, "cannot remove a snapshot");
        }
    }
}

impl fmt::Debug for TemporaryDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path().display())
    }
}

fn start_apart(
    origin: &TestBrokerBuilder,
    clock: &Arc<dyn Clock>,
    dir: TemporaryDir,
    nodes: Option<&Arc<Nodes>>,
) -> Result<TestBroker> {
    let mut origin = origin.clone();
    // A clock that cannot be doubled is shared.
    if let Some(own) = clock.fork() {
        origin = origin.clock(own);
    }
    let started = origin.start_in(Some(dir.give_away()))?;
    if let (Some(own), Some(nodes)) = (&started.nodes, nodes) {
        own.copy_from(nodes);
    }
    Ok(started)
}

/// The members that are known to the groups are clients of another broker, or of another time.
pub(super) fn remove_all_members(broker: &Broker) -> Result<()> {
    let admin = broker.admin();
    for group in admin.list_groups(&ListGroupsOptions::new())? {
        if !admin.describe_group(&group.group_id)?.members.is_empty() {
            admin.remove_all_members_from_group(&group.group_id)?;
        }
    }
    Ok(())
}

impl TestBroker {
    /// Keeps the broker as it is now: topics with their settings and records, committed offsets, producers,
    /// transactions. It costs links to files, not copies of them, however much is in them; a large segment is ended for
    /// that. What comes over the wire waits as long; what native producers send meanwhile is in it partition by
    /// partition.
    ///
    /// # Examples
    /// ```
    /// use ottla::{ProducerRecord, TestBroker};
    /// # fn main() -> Result<(), ottla::Error> {
    /// let mut kafka = TestBroker::start()?;
    /// kafka.producer().send(ProducerRecord::new("orders").value("of all tests"))?.wait()?;
    /// let prepared = kafka.snapshot()?;
    ///
    /// kafka.producer().send(ProducerRecord::new("orders").value("of one test"))?.wait()?;
    /// kafka.restore(&prepared)?;
    /// assert_eq!(kafka.records("orders")?.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`KafkaStorageError`](crate::ErrorCode::KafkaStorageError): the disk failed;
    /// [`InvalidConfig`](crate::ErrorCode::InvalidConfig): the broker was started with
    /// [`TestBrokerBuilder::volatile_disk`].
    pub fn snapshot(&self) -> Result<Snapshot> {
        let dir = self.fork_dir()?;
        let clock = &self.core.env.clock;
        let clock = clock.fork().unwrap_or_else(|| Arc::clone(clock));
        let nodes = self.nodes.as_ref().map(|nodes| Arc::new(nodes.fork()));
        Ok(Snapshot { dir, nodes, clock, origin: self.origin.clone() })
    }

    /// Starts a second broker that goes on from where this one is, at an address of its own: with the same topics,
    /// records, committed offsets, producers and transactions, and as late as this one. Neither sees what becomes of the
    /// other. Groups have no members there: those are clients of this broker. Rules for faults, and the journal, stay
    /// here.
    ///
    /// It costs what [`TestBroker::snapshot`] costs, and a start.
    ///
    /// # Examples
    /// ```
    /// use ottla::{ProducerRecord, TestBroker};
    /// # fn main() -> Result<(), ottla::Error> {
    /// let prepared = TestBroker::start()?;
    /// prepared.producer().send(ProducerRecord::new("orders").value("of both"))?.wait()?;
    ///
    /// let kafka = prepared.fork()?;
    /// kafka.producer().send(ProducerRecord::new("orders").value("of one"))?.wait()?;
    /// assert_eq!(kafka.records("orders")?.len(), 2);
    /// assert_eq!(prepared.records("orders")?.len(), 1);
    /// assert_ne!(kafka.local_addr(), prepared.local_addr());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`TestBroker::snapshot`] and [`TestBroker::start`].
    pub fn fork(&self) -> Result<TestBroker> {
        start_apart(&self.origin, &self.core.env.clock, self.fork_dir()?, self.nodes.as_ref())
    }

    /// Makes the broker again what it was, or what another one was. The address stays and the clock goes on, as for
    /// [`TestBroker::reset`]; connections end, and so do native producers and consumers. Groups have no members.
    ///
    /// # Errors
    /// As [`TestBroker::start`]. What there was before is lost then.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<()> {
        self.ensure_shareable()?;
        let copy = TemporaryDir::beside(&self.origin.broker);
        snapshot.dir.fork_to(&copy)?;
        self.clear();
        if let (Some(own), Some(nodes)) = (&self.nodes, &snapshot.nodes) {
            own.copy_from(nodes);
        }
        self.open_again(self.builder.clone().temporary_in(copy.give_away()), remove_all_members)
    }

    fn ensure_shareable(&self) -> Result<()> {
        if !self.can_lose_power() {
            return Ok(());
        }
        let message = "a broker on a disk that may lose its power has its files for itself: start it without volatile_disk()";
        Err(Error::new(ErrorCode::InvalidConfig, message))
    }

    fn fork_dir(&self) -> Result<TemporaryDir> {
        self.ensure_shareable()?;
        let dir = TemporaryDir::beside(&self.builder);
        match &self.stopped_in {
            Some(stopped) => fork_log_dir(&*dir.fs, stopped, dir.path())?,
            None => self.listener.while_paused(|| self.core.fork_to(dir.path()))?,
        }
        Ok(dir)
    }
}
