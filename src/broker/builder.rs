use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Broker;
use super::handle::Handle;
use super::log_dir_failures::{LogDirFailure, LogDirFailureListener};
use super::open::{self, OpenParams};
use crate::config::{BrokerConfig, ConfigWarning};
use crate::error::{Error, Result};
use crate::log::{RecoveryListener, RecoveryProgress};
use crate::model::ErrorCode;
use crate::sys::{Clock, Env, OsFileSystem, TemporaryPath, TemporaryRoot};

/// How to open a [`Broker`].
///
/// Settings have Kafka's names. What is set later wins; all of it is checked by [`BrokerBuilder::open`], which
/// reports every wrong setting at once.
///
/// # Examples
/// ```
/// use ottla::{Broker, ErrorCode};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// let broker = Broker::builder()
///     .log_dir(dir.path())
///     .set("num.partitions", "12")
///     .set("log.retention.hours", "24")
///     .open()?;
/// # drop(broker);
///
/// let error = Broker::builder().temporary().set("num.partitions", "many").open().unwrap_err();
/// assert_eq!(error.code(), ErrorCode::InvalidConfig);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until it is opened"]
pub struct BrokerBuilder {
    properties: BTreeMap<String, String>,
    /// The directory of [`BrokerBuilder::log_dir`], if a text cannot name it in `log.dirs`.
    unnameable_dir: Option<PathBuf>,
    temporary: bool,
    /// An existing directory for a temporary broker.
    temporary_dir: Option<TemporaryPath>,
    /// Where temporary directories are made, if not where the file system has its own.
    temporary_root: Option<TemporaryRoot>,
    env: Env,
    on_recovery: Option<RecoveryListener>,
    on_log_dir_failure: Option<LogDirFailureListener>,
    /// Settings that nobody has asked for, of which nobody is to be warned.
    own: BTreeSet<&'static str>,
}

/// What a temporary broker sets where the caller does not: a test wants its group at once, and no fifty
/// directories for it.
pub(super) const TEMPORARY_DEFAULTS: [(&str, &str); 14] = [
    ("group.initial.rebalance.delay.ms", "0"),
    ("group.consumer.assignment.interval.ms", "0"),
    ("group.consumer.heartbeat.interval.ms", "500"),
    ("group.consumer.min.heartbeat.interval.ms", "100"),
    ("group.share.assignment.interval.ms", "0"),
    ("group.share.heartbeat.interval.ms", "500"),
    ("group.share.min.heartbeat.interval.ms", "100"),
    ("offsets.topic.num.partitions", "4"),
    ("share.coordinator.state.topic.num.partitions", "4"),
    ("transaction.state.log.num.partitions", "4"),
    ("num.network.threads", "1"),
    ("offsets.topic.segment.bytes", "1048576"),
    ("transaction.state.log.segment.bytes", "1048576"),
    ("share.coordinator.state.topic.segment.bytes", "1048576"),
];

const LOG_DIRS: &str = "log.dirs";

/// Whether it is the same path when it is read from `log.dirs`.
fn can_be_named(dir: &Path) -> bool {
    dir.to_str().is_some_and(|text| !text.contains(',') && text.trim() == text)
}

impl BrokerBuilder {
    pub(super) fn new() -> Self {
        BrokerBuilder {
            properties: BTreeMap::new(),
            unnameable_dir: None,
            temporary: false,
            temporary_dir: None,
            temporary_root: None,
            env: Env::system(),
            on_recovery: None,
            on_log_dir_failure: None,
            own: BTreeSet::new(),
        }
    }

    /// Keeps the data in `dir`: Kafka's `log.dirs` with one entry. Where no directory is named at all, it is
    /// `kafka-logs` in the system's temporary directory, as with Kafka.
    ///
    /// A path that such an entry cannot hold is refused by [`open`](Self::open): one with a comma, with spaces at an
    /// end, or that is no UTF-8.
    pub fn log_dir(self, dir: impl AsRef<Path>) -> Self {
        let dir = dir.as_ref();
        let builder = self.set(LOG_DIRS, dir.to_string_lossy());
        BrokerBuilder { unnameable_dir: (!can_be_named(dir)).then(|| dir.to_owned()), ..builder }
    }

    /// Sets one setting, by Kafka's key.
    pub fn set(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        let key = key.into();
        if key == LOG_DIRS {
            self.unnameable_dir = None;
        }
        self.properties.insert(key, value.into());
        self
    }

    /// Sets many settings, as from a `server.properties`.
    pub fn properties(self, properties: impl IntoIterator<Item = (String, String)>) -> Self {
        properties.into_iter().fold(self, |builder, (key, value)| builder.set(key, value))
    }

    /// Sets one setting that the caller has not asked for by its name.
    #[cfg(feature = "testkit")]
    pub(crate) fn set_own(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.own.insert(key);
        self.set(key, value)
    }

    /// Makes the broker a temporary one: see [`Broker::temporary`]. A `log.dirs` that is set is ignored.
    pub fn temporary(mut self) -> Self {
        self.temporary = true;
        // Nobody opens it after a crash, so that waiting for the disk would be in vain.
        self.env.fs = Arc::new(OsFileSystem::without_sync());
        self
    }

    /// Makes the broker a temporary one that goes on with what is in `dir`.
    pub(crate) fn temporary_in(mut self, dir: TemporaryPath) -> Self {
        self.temporary_dir = Some(dir);
        self.temporary = true;
        self
    }

    /// The clock that it takes time from.
    #[cfg(feature = "testkit")]
    pub(crate) fn own_clock(&self) -> &Arc<dyn Clock> {
        &self.env.clock
    }

    /// Its files.
    #[cfg(feature = "testkit")]
    pub(crate) fn file_system(&self) -> &Arc<dyn crate::sys::FileSystem> {
        &self.env.fs
    }

    /// A directory that nobody has, which is not made yet.
    pub(crate) fn free_temporary_dir(&self) -> TemporaryPath {
        let root = self.temporary_root.clone().unwrap_or_else(|| self.env.fs.temporary_root());
        root.join(&format!("ottla-{}", self.env.random_uuid().to_hex()))
    }

    /// Makes temporary directories in this one.
    #[cfg(feature = "testkit")]
    pub(crate) fn temporary_root(mut self, dir: PathBuf) -> Self {
        self.temporary_root = Some(TemporaryRoot::at(dir));
        self
    }

    /// Takes time from `clock`, for all timestamps and all timers.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.env.clock = clock;
        self
    }

    /// Has `listener` told how far the recovery is, if the last stop was not a clean one: for each log directory once
    /// before anything is read, then as logs are read, and once nothing remains. After a clean stop, and where there is
    /// nothing yet, it is not called.
    ///
    /// It is called on the threads that recover (`num.recovery.threads.per.data.dir`), for one directory by one at a time,
    /// which waits for it: it should be quick. [`BrokerBuilder::open`] returns when all is recovered.
    ///
    /// # Examples
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// use ottla::{Broker, NewTopic};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let dir = dir.path();
    /// let broker = Broker::open(dir)?;
    /// broker.admin().create_topic(NewTopic::new("orders", 3))?;
    /// broker.close();
    /// std::fs::remove_file(dir.join(".kafka_cleanshutdown"))?; // as after a crash
    ///
    /// let heard = Arc::new(Mutex::new(Vec::new()));
    /// let told = Arc::clone(&heard);
    /// let builder = Broker::builder().log_dir(dir).on_recovery(move |progress| {
    ///     println!("{} logs, {} bytes remain", progress.remaining_logs, progress.remaining_bytes);
    ///     told.lock().unwrap().push(progress.clone());
    /// });
    /// let broker = builder.open()?;
    /// let heard = heard.lock().unwrap();
    /// assert_eq!((heard[0].logs, heard[0].remaining_logs), (3, 3));
    /// assert!(heard.last().unwrap().is_done());
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_recovery(mut self, listener: impl Fn(&RecoveryProgress) + Send + Sync + 'static) -> Self {
        self.on_recovery = Some(Arc::new(listener));
        self
    }

    /// Has `listener` told of each directory of `log.dirs` that cannot be used, from the start or from some time on. A broker
    /// without any directory left does not end the program that it is embedded in: it goes on to answer, with
    /// [`KafkaStorageError`](crate::ErrorCode::KafkaStorageError), until it is closed. (`ottla serve` ends, as Apache Kafka
    /// does.)
    ///
    /// It is called on threads of the broker that work for others, too: it should be quick.
    ///
    /// # Examples
    /// ```
    /// use std::sync::mpsc;
    /// use ottla::{Broker, ErrorCode, NewTopic};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let root = tempfile::tempdir()?;
    /// # let (dir, elsewhere) = (root.path().join("logs"), root.path().join("elsewhere"));
    /// let (sender, failures) = mpsc::channel();
    /// let builder = Broker::builder().log_dir(&dir).on_log_dir_failure(move |failure| {
    ///     let _ = sender.send(failure.clone());
    /// });
    /// let broker = builder.open()?;
    /// std::fs::rename(&dir, elsewhere)?; // as if the disk were gone
    ///
    /// let refused = broker.admin().create_topic(NewTopic::new("orders", 1)).unwrap_err();
    /// assert_eq!(refused.code(), ErrorCode::KafkaStorageError);
    /// let failure = failures.recv()?;
    /// assert_eq!(failure.log_dir, dir);
    /// assert!(failure.live_log_dirs.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_log_dir_failure(mut self, listener: impl Fn(&LogDirFailure) + Send + Sync + 'static) -> Self {
        self.on_log_dir_failure = Some(Arc::new(listener));
        self
    }

    /// Asks `wrap` for the file system, given the one that there would be.
    pub(crate) fn wrap_file_system(
        mut self,
        wrap: impl FnOnce(Arc<dyn crate::sys::FileSystem>) -> Arc<dyn crate::sys::FileSystem>,
    ) -> Self {
        self.env.fs = wrap(self.env.fs);
        self
    }

    /// Takes the whole world from `env`.
    pub(crate) fn env(mut self, env: Env) -> Self {
        self.env = env;
        self
    }

    /// Opens the broker: reads its directories, recovers what an unclean stop left, and starts its timers.
    ///
    /// # Errors
    /// - [`InvalidConfig`](crate::ErrorCode::InvalidConfig): settings are wrong; the message lists all of them. Or the
    ///   path of the directory has a comma.
    /// - [`KafkaStorageError`](crate::ErrorCode::KafkaStorageError): no log directory can be used: it is in use
    ///   by another broker, cannot be read, or was written by a version that is not known.
    pub fn open(mut self) -> Result<Broker> {
        let mut temporary_dir = None;
        if self.temporary {
            let dir = match self.temporary_dir.take() {
                Some(dir) => dir,
                None => self.make_temporary_dir()?,
            };
            self = self.log_dir(&*dir);
            for (key, value) in TEMPORARY_DEFAULTS {
                let own = &mut self.own;
                self.properties.entry(key.to_owned()).or_insert_with(|| {
                    own.insert(key);
                    value.to_owned()
                });
            }
            temporary_dir = Some(dir);
        }
        if let Some(dir) = &self.unnameable_dir {
            let message = format!(
                "{dir:?} cannot be a log dir: log.dirs is a text that is split at commas, and at the spaces around them; \
                 choose another path"
            );
            return Err(Error::new(ErrorCode::InvalidConfig, message));
        }
        let (config, warnings) = BrokerConfig::from_properties(&self.properties)?;
        let is_own = |warning: &ConfigWarning| match warning {
            ConfigWarning::WithoutEffect { key } => self.own.contains(key.as_str()),
            _ => false,
        };
        for warning in warnings.iter().filter(|warning| !is_own(warning)) {
            tracing::warn!("{warning}");
        }
        let (on_recovery, on_log_dir_failure) = (self.on_recovery, self.on_log_dir_failure);
        let core =
            open::open(OpenParams { env: self.env, config, temporary_dir, on_recovery, on_log_dir_failure })?;
        Ok(Broker { core: Handle::new(core) })
    }

    fn make_temporary_dir(&self) -> Result<TemporaryPath> {
        let dir = self.free_temporary_dir();
        let make = || {
            self.env.fs.create_dir_all(&dir)?;
            // A test's disk may know what was synced, and lose the rest.
            dir.ancestors().skip(1).try_for_each(|parent| self.env.fs.sync_dir(parent))
        };
        make().map_err(|error| {
            Error::caused(
                ErrorCode::KafkaStorageError,
                format!("cannot make the temporary directory {}", dir.display()),
                error,
            )
        })?;
        Ok(dir)
    }
}

impl fmt::Debug for BrokerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BrokerBuilder")
            .field("properties", &self.properties)
            .field("temporary", &self.temporary)
            .finish_non_exhaustive()
    }
}
