//! What all doors of a broker share: its topics, logs, groups, timers and settings.

use std::any::Any;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};

use super::coordinator::History;
use super::coordinator::group::GroupCoordinator;
use super::coordinator::share::ShareCoordinator;
use super::coordinator::transaction::TransactionCoordinator;
use super::coordinator_topic::CoordinatorTopic;
use super::io_threads::IoThreads;
use super::metadata::{MetadataCache, MetadataStore, ProducerIds};
use super::moves::Moves;
use super::nodes::Nodes;
use super::purgatory::Timer;
use super::replica::{FetchSessionCache, Partition};
use super::share::SharePartitionManager;
use crate::config::{BrokerConfig, DynamicBrokerConfig};
use crate::error::{Error, Result};
use crate::log::{LogDir, LogManager};
use crate::model::{
    BrokerId, CONSUMER_OFFSETS_TOPIC, ErrorCode, ProducerId, SHARE_GROUP_STATE_TOPIC, TRANSACTION_STATE_TOPIC,
};
use crate::sys::{Env, TemporaryPath, TemporaryRoot};

/// Something that serves the broker's topics and must end before the logs are closed: its listeners.
pub(crate) trait Service: Any + Send + Sync {
    /// Ends it; returns once no call into the broker is under way or to come.
    fn stop(&self);
    /// Takes settings that were changed while it runs.
    fn reconfigure(&self, config: &BrokerConfig);
    /// Returns once all is done that was due when it was called.
    fn settle(&self);
    /// When, on the monotonic clock, it may have something to do of itself: no later than then.
    fn next_deadline(&self) -> Option<Duration>;
}

/// Something in this process that must know when the broker closes: producers and consumers.
pub(crate) trait CloseListener: Send + Sync {
    /// The broker is about to close, and still takes everything.
    fn before_close(&self) {}
    /// The broker refuses work from now on: whoever waits for it is to be told.
    fn on_closed(&self) {}
}

/// The broker behind its handles (Kafka: `BrokerServer`).
pub(crate) struct BrokerCore {
    pub(crate) env: Env,
    pub(crate) node_id: BrokerId,
    /// The brokers that clients see, if they are to see several.
    pub(crate) nodes: OnceLock<Arc<Nodes>>,
    pub(crate) cluster_id: String,
    pub(crate) metadata: Arc<MetadataCache>,
    pub(crate) store: MetadataStore,
    pub(crate) log_manager: Arc<LogManager>,
    pub(crate) timer: Arc<Timer>,
    pub(crate) io_threads: Arc<IoThreads>,
    pub(super) moves: Moves,
    pub(crate) groups: Arc<GroupCoordinator>,
    pub(super) offsets_topic_is_ready: AtomicBool,
    pub(crate) transactions: TransactionCoordinator,
    pub(super) transaction_topic_is_ready: AtomicBool,
    pub(crate) share_coordinator: ShareCoordinator,
    pub(crate) share_groups: Arc<SharePartitionManager>,
    pub(super) share_state_topic_is_ready: AtomicBool,
    /// What happened to groups, and to transactional ids.
    pub(super) offsets_log: Arc<CoordinatorTopic>,
    pub(super) transaction_log: Arc<CoordinatorTopic>,
    pub(super) share_state_log: Arc<CoordinatorTopic>,
    pub(crate) producer_ids: ProducerIds,
    /// What happened to producers, by their ids.
    pub(super) producer_history: History,
    pub(crate) fetch_sessions: FetchSessionCache,
    pub(super) config: RwLock<Arc<BrokerConfig>>,
    pub(super) dynamic_config: Mutex<DynamicBrokerConfig>,
    pub(super) services: Mutex<Vec<Arc<dyn Service>>>,
    pub(super) close_listeners: Mutex<Vec<Weak<dyn CloseListener>>>,
    pub(super) threads: Mutex<Vec<std::thread::JoinHandle<()>>>,
    pub(super) closed: AtomicBool,
    /// Held while time is skipped.
    pub(super) skipping: Mutex<()>,
    /// The thread that does.
    pub(super) skipped_by: Mutex<Option<std::thread::ThreadId>>,
    /// How many [`Handle`](super::handle::Handle)s there are.
    pub(super) handles: AtomicUsize,
    /// Removed when the broker is closed: the directory of a temporary one.
    pub(super) temporary_dir: Mutex<Option<TemporaryPath>>,
}

impl BrokerCore {
    /// The settings as they are now.
    pub(crate) fn config(&self) -> Arc<BrokerConfig> {
        Arc::clone(&self.config.read())
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Refuses work after [`BrokerCore::close`].
    pub(crate) fn ensure_open(&self) -> Result<()> {
        if self.is_closed() {
            return Err(Error::new(ErrorCode::BrokerNotAvailable, "the broker is closed"));
        }
        Ok(())
    }

    /// The partition, or the error that a client gets for it.
    pub(crate) fn partition(&self, topic: &str, partition: i32) -> Result<Arc<Partition>, ErrorCode> {
        self.metadata.partition(topic, partition).ok_or(ErrorCode::UnknownTopicOrPartition)
    }

    /// A producer id that nobody had before.
    pub(crate) fn generate_producer_id(&self) -> Result<ProducerId> {
        self.producer_ids
            .generate(|| Ok(self.store.reserve_producer_ids(&*self.env.fs, &self.live_log_dirs())?))
    }

    /// The log directories that take writes.
    pub(crate) fn live_log_dirs(&self) -> Vec<Arc<LogDir>> {
        self.log_manager.live_log_dirs()
    }

    /// Whether a group or a transaction may have to wait for the disk, since `flush.messages` is set for the topic that it
    /// is kept in.
    pub(crate) fn coordinators_may_flush(&self) -> bool {
        let flushes = |name| match self.metadata.topic(name) {
            Some(topic) => topic.config().flush_messages < i64::MAX,
            // It is made with the broker's settings.
            None => self.config().log_flush_interval_messages < i64::MAX,
        };
        [CONSUMER_OFFSETS_TOPIC, TRANSACTION_STATE_TOPIC, SHARE_GROUP_STATE_TOPIC].into_iter().any(flushes)
    }

    /// Tells `listener` when the broker closes, if it is still there then.
    pub(crate) fn add_close_listener(&self, listener: Weak<dyn CloseListener>) {
        let mut listeners = self.close_listeners.lock();
        if listeners.len() == listeners.capacity() {
            listeners.retain(|known| known.strong_count() > 0);
        }
        listeners.push(listener);
    }

    fn close_listeners(&self) -> Vec<Arc<dyn CloseListener>> {
        self.close_listeners.lock().iter().filter_map(Weak::upgrade).collect()
    }

    /// The service of this kind, which there is one of: `start` makes it if nobody asked for it before.
    pub(crate) fn service<S: Service>(&self, start: impl FnOnce() -> Result<S>) -> Result<Arc<S>> {
        let mut services = self.services.lock();
        // Looked at under the lock: who closes the broker either sees the service or is seen here.
        self.ensure_open()?;
        for service in &*services {
            let service: Arc<dyn Any + Send + Sync> = Arc::clone(service) as _;
            if let Ok(found) = service.downcast() {
                return Ok(found);
            }
        }
        let service = Arc::new(start()?);
        services.push(Arc::clone(&service) as _);
        Ok(service)
    }

    /// Runs `task` every `period` from `delay` on, on an I/O thread, until the broker is closed. A run that
    /// takes longer than the period delays the next.
    pub(super) fn schedule_periodically(
        self: &Arc<Self>,
        delay: Duration,
        period: Duration,
        task: fn(&BrokerCore),
    ) {
        let core = Arc::downgrade(self);
        self.timer.schedule_housekeeping(delay, move || run_and_reschedule(core, period, task));
    }

    /// The directory of a temporary broker, which then is closed as any other, and leaves it to the caller.
    pub(crate) fn take_temporary_dir(&self) -> Option<TemporaryPath> {
        self.temporary_dir.lock().take()
    }

    /// What its directory is below of, if it is temporary.
    pub(crate) fn temporary_root(&self) -> Option<TemporaryRoot> {
        self.temporary_dir.lock().as_ref().map(|dir| dir.root().clone())
    }

    /// Makes a directory at `to` that opens as this broker, as it is now. Whoever calls sees to it that nothing is under
    /// way meanwhile that is to be there as a whole.
    #[cfg(feature = "testkit")]
    pub(crate) fn fork_to(&self, to: &std::path::Path) -> Result<()> {
        self.ensure_open()?;
        self.settle();
        let image = self.store.lock();
        self.log_manager.fork_to(to)?;
        Ok(image.copy_to(&*self.env.fs, to)?)
    }

    /// Keeps what happens to groups and transactional ids from now on, and why.
    pub(crate) fn keep_history(&self) {
        self.group_history().keep(&self.env.clock);
        self.transaction_history().keep(&self.env.clock);
        self.producer_history.keep(&self.env.clock);
    }

    /// What happened to producers, by their ids, if it is kept.
    pub(crate) fn producer_history(&self) -> &History {
        &self.producer_history
    }

    /// What happened to groups, if it is kept.
    pub(crate) fn group_history(&self) -> &History {
        self.offsets_log.history()
    }

    /// What happened to transactional ids, if it is kept.
    pub(crate) fn transaction_history(&self) -> &History {
        self.transaction_log.history()
    }

    /// Ends everything, in the order in which the parts depend on each other. Later calls return at once.
    pub(crate) fn close(&self) {
        if self.is_closed() {
            return;
        }
        for listener in self.close_listeners() {
            listener.before_close();
        }
        if self.closed.swap(true, Ordering::SeqCst) {
            return;
        }
        // Its threads end while others are waited for.
        self.log_manager.begin_stopping_cleaner();
        for listener in self.close_listeners() {
            listener.on_closed();
        }
        let services = std::mem::take(&mut *self.services.lock());
        for service in services {
            service.stop();
        }
        self.groups.shutdown();
        self.transactions.shutdown();
        self.share_coordinator.shutdown();
        // A fetch that waits holds its partitions, which hold it: nothing else would end that.
        for partition in self.metadata.topics().iter().flat_map(|topic| topic.partitions()) {
            partition.watchers().forget_if(|_| true);
        }
        self.share_groups.close();
        self.timer.close();
        let own = std::thread::current().id();
        for thread in std::mem::take(&mut *self.threads.lock()) {
            // A caller's own code may run on this thread and close the broker; the thread cannot wait for itself.
            if thread.thread().id() != own && thread.join().is_err() {
                tracing::error!("a broker thread panicked: this is a bug in ottla");
            }
        }
        self.io_threads.close();
        let temporary_dir = self.temporary_dir.lock().take();
        if temporary_dir.is_some() {
            // Nobody opens these logs again.
            self.log_manager.abandon();
        } else if let Err(error) = self.log_manager.shutdown() {
            tracing::error!(%error, "the logs were not closed cleanly; the next start will scan them");
        }
        if let Some(dir) = &temporary_dir
            && let Err(error) = self.env.fs.remove_dir_all(dir)
        {
            tracing::warn!(dir = %dir.display(), %error, "cannot remove the temporary broker's directory");
        }
    }
}

fn run_and_reschedule(core: Weak<BrokerCore>, period: Duration, task: fn(&BrokerCore)) {
    let Some(strong) = core.upgrade() else { return };
    let io_threads = Arc::clone(&strong.io_threads);
    drop(strong);
    io_threads.run(move || {
        let Some(strong) = core.upgrade() else { return };
        task(&strong);
        let timer = Arc::clone(&strong.timer);
        drop(strong);
        timer.schedule_housekeeping(period, move || run_and_reschedule(core, period, task));
    });
}

impl Drop for BrokerCore {
    fn drop(&mut self) {
        self.close();
    }
}

impl std::fmt::Debug for BrokerCore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Broker")
            .field("node_id", &self.node_id)
            .field("cluster_id", &self.cluster_id)
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
