//! A test's broker as it was, and a second one beside it.

use std::fmt;
use std::sync::Arc;

use super::crash_disk::Tree;
use super::{CrashFileSystem, Disk, TestBroker, TestBrokerBuilder};
use crate::broker::admin::ListGroupsOptions;
use crate::broker::{Broker, BrokerBuilder, Nodes};
use crate::error::{Error, Result};
use crate::log::fork_log_dir;
use crate::model::ErrorCode;
use crate::sys::{Clock, FileSystem, TemporaryPath};

/// A [`TestBroker`] as it was: [`TestBroker::snapshot`]. Its files go when it is dropped.
#[derive(Debug)]
pub struct Snapshot {
    kept: Kept,
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
        let copy = self.kept.fork(&self.origin.broker)?;
        start_apart(&self.origin, &self.clock, copy, self.nodes.as_ref())
    }
}

/// What a broker goes on from.
#[derive(Debug)]
pub(super) enum Kept {
    Dir(TemporaryDir),
    /// Of a disk in memory, with all its bytes.
    Tree(Tree),
}

impl Kept {
    /// The same a second time.
    fn fork(&self, builder: &BrokerBuilder) -> Result<Kept> {
        Ok(match self {
            Kept::Dir(dir) => {
                let copy = TemporaryDir::beside(builder, &dir.disk);
                dir.fork_to(&copy)?;
                Kept::Dir(copy)
            }
            Kept::Tree(tree) => Kept::Tree(tree.clone()),
        })
    }

    /// Becomes a directory of a broker that has this disk, and whose the directory is from then on.
    pub(super) fn settle_in(
        self,
        builder: &BrokerBuilder,
        disk: Option<&CrashFileSystem>,
    ) -> Result<TemporaryPath> {
        match (self, disk) {
            (Kept::Dir(dir), None) => Ok(dir.give_away()),
            (Kept::Tree(tree), Some(disk)) => {
                let dir = builder.free_temporary_dir();
                disk.plant(&dir, &tree).map_err(not_kept)?;
                Ok(dir)
            }
            (Kept::Dir(_), Some(_)) | (Kept::Tree(_), None) => {
                let message = "a snapshot is for brokers of one kind: with a volatile_disk(), or without";
                Err(Error::new(ErrorCode::InvalidConfig, message))
            }
        }
    }
}

fn not_kept(error: std::io::Error) -> Error {
    Error::caused(ErrorCode::KafkaStorageError, "cannot keep the broker as it is", error)
}

/// A directory that is removed when this is dropped, unless it was given away.
pub(super) struct TemporaryDir {
    fs: Arc<dyn FileSystem>,
    /// What the file system is on, if a test has it slowed down.
    disk: Disk,
    path: TemporaryPath,
    is_given_away: bool,
}

impl TemporaryDir {
    /// One that is not made yet, beside those of temporary brokers.
    fn beside(builder: &BrokerBuilder, disk: &Disk) -> Self {
        let fs = Arc::clone(builder.file_system());
        TemporaryDir { fs, disk: disk.clone(), path: builder.free_temporary_dir(), is_given_away: false }
    }

    fn path(&self) -> &std::path::Path {
        &self.path
    }

    fn fork_to(&self, to: &TemporaryDir) -> Result<()> {
        Ok(self.disk.unhindered(|| fork_log_dir(&*self.fs, self.path(), to.path()))?)
    }

    fn give_away(mut self) -> TemporaryPath {
        self.is_given_away = true;
        self.path.clone()
    }
}

impl Drop for TemporaryDir {
    fn drop(&mut self) {
        if !self.is_given_away
            && let Err(error) = self.disk.unhindered(|| self.fs.remove_dir_all(&self.path))
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(dir = %self.path.display(), %error, "cannot remove a snapshot");
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
    kept: Kept,
    nodes: Option<&Arc<Nodes>>,
) -> Result<TestBroker> {
    let mut origin = origin.clone();
    // A clock that cannot be doubled is shared.
    if let Some(own) = clock.fork() {
        origin = origin.clock(own);
    }
    let started = origin.start_in(Some(kept))?;
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
    /// [`KafkaStorageError`](crate::ErrorCode::KafkaStorageError): the disk failed.
    pub fn snapshot(&self) -> Result<Snapshot> {
        let kept = self.keep()?;
        let clock = &self.core.env.clock;
        let clock = clock.fork().unwrap_or_else(|| Arc::clone(clock));
        let nodes = self.nodes.as_ref().map(|nodes| Arc::new(nodes.fork()));
        Ok(Snapshot { kept, nodes, clock, origin: self.origin.clone() })
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
        start_apart(&self.origin, &self.core.env.clock, self.keep()?, self.nodes.as_ref())
    }

    /// Makes the broker again what it was, or what another one was. The address stays and the clock goes on, as for
    /// [`TestBroker::reset`]; connections end, and so do native producers and consumers. Groups have no members.
    ///
    /// # Errors
    /// As [`TestBroker::start`]. What there was before is lost then.
    /// [`InvalidConfig`](crate::ErrorCode::InvalidConfig), and all is as before: one of the two brokers has a
    /// [volatile disk](TestBrokerBuilder::volatile_disk), and the other has not.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<()> {
        let disk = self.volatile_disk.as_ref();
        let dir = snapshot.kept.fork(&self.origin.broker)?.settle_in(&self.origin.broker, disk)?;
        self.clear();
        if let (Some(own), Some(nodes)) = (&self.nodes, &snapshot.nodes) {
            own.copy_from(nodes);
        }
        self.open_again(self.builder.clone().temporary_in(dir), remove_all_members)
    }

    fn keep(&self) -> Result<Kept> {
        self.disk.unhindered(|| self.keep_at_once())
    }

    fn keep_at_once(&self) -> Result<Kept> {
        if let Some(disk) = &self.volatile_disk {
            return self.keep_in_memory(disk).map(Kept::Tree);
        }
        let dir = TemporaryDir::beside(&self.builder, &self.disk);
        match &self.stopped_in {
            Some(stopped) => fork_log_dir(&*dir.fs, stopped, dir.path())?,
            None => self.listener.while_paused(|| self.core.fork_to(dir.path()))?,
        }
        Ok(Kept::Dir(dir))
    }

    fn keep_in_memory(&self, disk: &CrashFileSystem) -> Result<Tree> {
        if let Some(stopped) = &self.stopped_in {
            return disk.tree(stopped).map_err(not_kept);
        }
        let dir = self.builder.free_temporary_dir();
        let forked = self.listener.while_paused(|| self.core.fork_to(&dir));
        // Also of a fork that has failed, nothing is to stay behind.
        let tree = disk.take_tree(&dir);
        forked?;
        tree.map_err(not_kept)
    }
}
