//! A Kafka for tests.

#[cfg(test)]
mod advance_tests;
mod connections;
#[cfg(test)]
mod coordinator_settings_tests;
mod crash_disk;
mod crash_fs;
#[cfg(test)]
mod crash_tests;
mod disk;
mod doors;
mod faults;
mod faulty_fs;
mod field_value;
mod held_port;
mod history;
mod journal;
mod lifecycle;
mod namespace;
mod nodes;
mod power;
mod request_match;
mod slow_disk;
mod snapshot;
mod topics;
mod transactions;
mod wait;
mod watch;

pub use connections::TestConnection;
#[cfg(test)]
pub(crate) use crash_disk::Loss;
pub(crate) use crash_fs::CrashFileSystem;
pub use disk::{Disk, DiskFault};
pub use faults::{FaultHandle, FaultRule, Faults};
pub(crate) use faulty_fs::FaultyFileSystem;
pub use faulty_fs::FileOperation;
pub use field_value::FieldValue;
pub use journal::{JournalEnd, JournalEntry};
pub use namespace::Namespace;
pub use power::PowerLoss;
pub use request_match::RequestMatch;
pub use snapshot::Snapshot;
pub use topics::TestRecord;
pub use transactions::TestTransaction;
pub use wait::Until;

use std::net::SocketAddr;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::broker::{Broker, BrokerBuilder, Nodes};
use crate::error::Result;
use crate::server::{ApiVersionRanges, Listener};
use crate::sys::{Clock, Rng, ScaledClock, SystemRng, TemporaryPath, temporary};
use doors::Doors;
use namespace::OpenNamespace;
use watch::Watch;

/// A broker for one test: temporary, on a port of its own, ready when [`TestBroker::start`] returns, and gone
/// when it is dropped. Groups start without delay, topics are made when they are first asked for, and nothing
/// is synced to disk. Its time runs as the machine's, until the test skips some: [`TestBroker::advance`].
///
/// It derefs to its [`Broker`], so that the test may look and act from within while the program under test
/// comes over the wire. Any number of them may run in one process.
///
/// # Examples
/// ```
/// use ottla::{ProducerRecord, TestBroker};
/// # fn main() -> Result<(), ottla::Error> {
/// let kafka = TestBroker::start()?;
/// // Hand this to the program under test:
/// let bootstrap_servers = kafka.bootstrap_servers();
/// # let _ = bootstrap_servers;
///
/// kafka.producer().send(ProducerRecord::new("orders").value("from the test"))?.wait()?;
/// assert_eq!(kafka.admin().list_topics(), ["orders"]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TestBroker {
    broker: Broker,
    listener: Listener,
    /// How it is opened again.
    builder: BrokerBuilder,
    /// How another one like it is started.
    origin: TestBrokerBuilder,
    doors: Mutex<Doors>,
    /// The brokers that it is, if it is several.
    nodes: Option<Arc<Nodes>>,
    disk: Disk,
    /// What is under it, if it knows what was synced.
    volatile_disk: Option<CrashFileSystem>,
    watch: Arc<Watch>,
    namespaces: Mutex<Vec<OpenNamespace>>,
    /// The directory, while it is stopped.
    stopped_in: Option<TemporaryPath>,
}

impl TestBroker {
    /// Starts a broker on a free port of the loopback interface.
    ///
    /// # Errors
    /// As [`BrokerBuilder::open`] and [`Broker::listen`]: the temporary directory cannot be written, or no port
    /// is free.
    pub fn start() -> Result<Self> {
        Self::builder().start()
    }

    /// Starts a broker whose time is `clock`: with a [`ManualClock`](crate::ManualClock), a week of retention
    /// passes in one call.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use std::time::Duration;
    /// use ottla::{ManualClock, ProducerRecord, TestBroker};
    /// # fn main() -> Result<(), ottla::Error> {
    /// let clock = Arc::new(ManualClock::new(1_000));
    /// let kafka = TestBroker::with_clock(clock.clone())?;
    /// clock.advance(Duration::from_secs(7));
    /// let sent = kafka.producer().send(ProducerRecord::new("orders").value("late"))?.wait()?;
    /// assert_eq!(sent.timestamp, 8_000);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`TestBroker::start`].
    pub fn with_clock(clock: Arc<dyn Clock>) -> Result<Self> {
        Self::builder().clock(clock).start()
    }

    /// A broker for tests with other settings.
    pub fn builder() -> TestBrokerBuilder {
        let clock = Arc::new(ScaledClock::new(1.0));
        // A fetch that goes on where the last one was does not say of which topics it is; without sessions, each does,
        // to the journal and to rules for faults.
        let broker = Broker::builder().temporary().clock(clock);
        TestBrokerBuilder {
            broker: broker.set("max.incremental.fetch.session.cache.slots", "0"),
            fault_seed: SystemRng.next_u64(),
            is_volatile: false,
            nodes: 1,
            versions: None,
        }
    }

    /// What a client takes as `bootstrap.servers`: the addresses of all brokers, if it is several.
    pub fn bootstrap_servers(&self) -> String {
        self.doors.lock().bootstrap_servers()
    }

    /// The address of the listener, that of the first broker if it is several.
    pub fn local_addr(&self) -> SocketAddr {
        self.listener.local_addr()
    }

    /// What goes wrong between the broker and its clients.
    pub fn faults(&self) -> Faults {
        Faults::new(&self.watch)
    }

    /// The disk, which the test may let fail.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Removes the files of temporary brokers of this user whose process was killed. Each start of one does that as well,
    /// and what belongs to a process that lives is never touched.
    ///
    /// # Examples
    /// ```
    /// use ottla::TestBroker;
    /// # fn main() -> Result<(), ottla::Error> {
    /// let kafka = TestBroker::start()?;
    /// TestBroker::remove_abandoned();
    /// assert!(kafka.log_dirs()[0].exists());
    /// # Ok(())
    /// # }
    /// ```
    pub fn remove_abandoned() {
        temporary::remove_abandoned();
    }

    /// The broker itself. [`TestBroker::restart`] and [`TestBroker::reset`] put another one in its place.
    pub fn broker(&self) -> &Broker {
        &self.broker
    }
}

impl Deref for TestBroker {
    type Target = Broker;

    fn deref(&self) -> &Broker {
        &self.broker
    }
}

impl Drop for TestBroker {
    fn drop(&mut self) {
        self.disk.hurry();
        // Clones of the broker may live on in the test; its port and directory must not.
        self.broker.close();
        self.remove_stopped();
    }
}

/// How to start a [`TestBroker`].
///
/// # Examples
/// ```
/// use ottla::TestBroker;
/// # fn main() -> Result<(), ottla::Error> {
/// let kafka = TestBroker::builder().set("auto.create.topics.enable", "false").start()?;
/// assert!(kafka.admin().list_topics().is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is started"]
pub struct TestBrokerBuilder {
    broker: BrokerBuilder,
    fault_seed: u64,
    is_volatile: bool,
    nodes: u16,
    versions: Option<ApiVersionRanges>,
}

impl TestBrokerBuilder {
    /// Sets one setting, by Kafka's key.
    pub fn set(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.broker = self.broker.set(key, value);
        self
    }

    /// Takes time from `clock`.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.broker = self.broker.clock(clock);
        self
    }

    /// Keeps all files in `dir`: the broker's, and those of its snapshots and forks. Otherwise they are where the system has
    /// temporary ones, and what a process that was killed has left there goes with the next start of a temporary broker;
    /// of `dir`, the caller sees to it.
    ///
    /// # Examples
    /// ```
    /// use ottla::{ProducerRecord, TestBroker};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let dir = tempfile::tempdir()?;
    /// let kafka = TestBroker::builder().keep_files_in(dir.path()).start()?;
    /// kafka.producer().send(ProducerRecord::new("orders").value("one"))?.wait()?;
    /// assert_eq!(std::fs::read_dir(dir.path())?.count(), 1);
    /// drop(kafka);
    /// assert_eq!(std::fs::read_dir(dir.path())?.count(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn keep_files_in(mut self, dir: impl Into<PathBuf>) -> Self {
        self.broker = self.broker.temporary_root(dir.into());
        self
    }

    /// What faults that come by chance are drawn from: see [`Faults::seed`].
    pub fn fault_seed(mut self, seed: u64) -> Self {
        self.fault_seed = seed;
        self
    }

    /// Starts the broker.
    ///
    /// # Errors
    /// As [`TestBroker::start`], and [`InvalidConfig`](crate::ErrorCode::InvalidConfig) for wrong settings.
    pub fn start(self) -> Result<TestBroker> {
        self.start_in(None)
    }

    /// Starts the broker with what another one has left, which is the new one's from then on.
    fn start_in(self, from: Option<snapshot::Kept>) -> Result<TestBroker> {
        let mut faulty = None;
        let (builder, volatile_disk) = self.with_disk();
        let builder = builder.wrap_file_system(|fs| {
            let fs = Arc::new(FaultyFileSystem::new(fs));
            faulty = Some(Arc::clone(&fs));
            fs
        });
        let disk = Disk::new(faulty.expect("it is wrapped just now"));
        let goes_on = from.is_some();
        let broker = match from {
            None => builder.clone().open()?,
            Some(kept) => {
                let dir = kept.settle_in(&builder, volatile_disk.as_ref())?;
                builder.clone().temporary_in(dir).open()?
            }
        };
        broker.core.keep_history();
        let nodes = (self.nodes > 1).then(|| Arc::new(Nodes::new(broker.core.node_id, self.nodes)));
        nodes::attach(&broker, nodes.as_ref());
        disk.attach(&broker);
        if goes_on {
            snapshot::remove_all_members(&broker)?;
        }
        let ids = nodes.as_ref().map_or_else(|| vec![broker.core.node_id], |nodes| nodes.ids().to_vec());
        let mut doors = Doors::take(&ids, None).map_err(lifecycle::no_port)?;
        let clock = Arc::clone(&broker.core.env.clock);
        let watch = Watch::new(ids, clock, self.fault_seed, self.versions.clone());
        let listener = doors.open(&broker, Some(&(Arc::clone(&watch) as _)))?;
        Ok(TestBroker {
            broker,
            listener,
            builder,
            origin: self,
            doors: Mutex::new(doors),
            nodes,
            disk,
            volatile_disk,
            watch,
            namespaces: Mutex::default(),
            stopped_in: None,
        })
    }
}
