//! The handle on all network threads (Kafka: `SocketServer`).

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam::channel::Sender;
use mio::Interest;
use parking_lot::{Mutex, RwLock};

use super::acceptor::Listener;
use super::channel::Workbench;
use super::config::NetworkConfig;
use super::error::NetworkError;
use super::gate::Gates;
use super::handler::RequestHandler;
use super::mailbox::{Mailbox, Message};
use super::metrics::{NetworkMetrics, ThreadMetrics};
use super::processor::{FIRST_LISTENER_TOKEN, Processor};
use super::quotas::ConnectionQuotas;
use crate::sys::poller::{Alarm, Poller, Registrar};
use crate::sys::{Clock, Env, Wake};

/// What all network threads share.
pub(super) struct Shared {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) quotas: Arc<ConnectionQuotas>,
    pub(super) gates: Arc<Gates>,
    pub(super) next_connection_id: AtomicU64,
    config: RwLock<Arc<NetworkConfig>>,
    /// The threads that get connections.
    links: RwLock<Vec<Arc<ThreadLink>>>,
}

impl Shared {
    pub(super) fn config(&self) -> Arc<NetworkConfig> {
        Arc::clone(&self.config.read())
    }

    /// Chooses the thread with the fewest connections for another one, which it then counts; `None` if it is `own`.
    pub(super) fn assign(&self, own: &Arc<ThreadLink>) -> Option<Arc<Mailbox>> {
        let links = self.links.read();
        let least = links.iter().min_by_key(|link| link.connections.load(Ordering::Relaxed));
        let chosen = least.unwrap_or(own);
        chosen.connections.fetch_add(1, Ordering::Relaxed);
        (!Arc::ptr_eq(chosen, own)).then(|| Arc::clone(&chosen.mailbox))
    }

    /// Has the threads other than `own` close the connections of a listener that accepts no more.
    pub(super) fn close_elsewhere(&self, own: &Arc<ThreadLink>, name: &Arc<str>) {
        for link in self.links.read().iter().filter(|link| !Arc::ptr_eq(link, own)) {
            link.mailbox.post(Message::CloseConnections(Arc::clone(name)));
        }
    }
}

/// A network thread as the others see it.
pub(super) struct ThreadLink {
    mailbox: Arc<Mailbox>,
    metrics: Arc<ThreadMetrics>,
    /// Those assigned to it, whether it knows of them yet or not.
    connections: AtomicUsize,
    /// When it looks for idle connections again, in nanoseconds of the monotonic clock.
    idle_look_ns: AtomicU64,
}

/// There is no connection that may be idle.
const NEVER: u64 = u64::MAX;

impl ThreadLink {
    /// Takes note of when the thread looks for idle connections again.
    pub(super) fn set_idle_look(&self, at: Option<Duration>) {
        let ns = at.map_or(NEVER, |at| u64::try_from(at.as_nanos()).unwrap_or(NEVER));
        self.idle_look_ns.store(ns, Ordering::Relaxed);
    }

    fn idle_look(&self) -> Option<Duration> {
        let ns = self.idle_look_ns.load(Ordering::Relaxed);
        (ns != NEVER).then(|| Duration::from_nanos(ns))
    }

    /// Takes note that an assigned connection has ended.
    pub(super) fn unassign(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Thread {
    link: Arc<ThreadLink>,
    handle: JoinHandle<()>,
}

#[derive(Default)]
struct Threads {
    running: Vec<Thread>,
    /// Those that have been told to stop.
    stopping: Vec<JoinHandle<()>>,
    /// All that ever were, for their counters.
    links: Vec<Arc<ThreadLink>>,
    stopped: bool,
}

type StartThread = dyn Fn(usize, Poller) -> Result<Thread, NetworkError> + Send + Sync;

/// The network threads. Dropping it stops them.
///
/// May be used from several threads, also from a [`RequestHandler`].
pub(crate) struct SocketServer {
    shared: Arc<Shared>,
    start_thread: Box<StartThread>,
    /// Listeners belong to the first thread.
    registrar: Registrar,
    next_listener_token: AtomicUsize,
    threads: Mutex<Threads>,
    /// Keeps the threads from working as long as it is there.
    held: Mutex<Option<Sender<()>>>,
}

impl SocketServer {
    /// Starts the threads; there is no listener yet.
    pub(crate) fn start<H: RequestHandler>(
        config: NetworkConfig,
        handler: Arc<H>,
        env: &Env,
    ) -> Result<Self, NetworkError> {
        let shared = Arc::new(Shared {
            clock: Arc::clone(&env.clock),
            quotas: Arc::default(),
            gates: Arc::new(Gates::new(&config)),
            next_connection_id: AtomicU64::new(0),
            config: RwLock::new(Arc::new(config)),
            links: RwLock::default(),
        });
        let weak = Arc::downgrade(&shared);
        shared.gates.on_open(move || {
            if let Some(shared) = weak.upgrade() {
                shared.links.read().iter().for_each(|link| link.mailbox.post(Message::Proceed));
            }
        });
        let start_thread = {
            let (shared, env) = (Arc::clone(&shared), env.clone());
            move |index, poller| start_processor(&shared, index, poller, &handler, &env)
        };
        let poller = Poller::new().map_err(NetworkError::Poll)?;
        let server = SocketServer {
            shared,
            start_thread: Box::new(start_thread),
            registrar: poller.registrar().map_err(NetworkError::Poll)?,
            next_listener_token: AtomicUsize::new(FIRST_LISTENER_TOKEN),
            threads: Mutex::default(),
            held: Mutex::default(),
        };
        let mut threads = server.threads.lock();
        server.add_thread(&mut threads, poller)?;
        server.resize(&mut threads)?;
        drop(threads);
        Ok(server)
    }

    /// Numbers the next connection so, and those after it on from there.
    pub(crate) fn number_connections_from(&self, first: u64) {
        self.shared.next_connection_id.store(first, Ordering::Relaxed);
    }

    fn add_thread(&self, threads: &mut Threads, poller: Poller) -> Result<(), NetworkError> {
        let thread = (self.start_thread)(threads.running.len(), poller)?;
        self.shared.links.write().push(Arc::clone(&thread.link));
        threads.links.push(Arc::clone(&thread.link));
        threads.running.push(thread);
        Ok(())
    }

    /// Makes the number of threads what the settings say. The first one, which has the listeners, always stays.
    fn resize(&self, threads: &mut Threads) -> Result<(), NetworkError> {
        let wanted = usize::try_from(self.shared.config().num_network_threads).unwrap_or(1).max(1);
        while threads.running.len() < wanted {
            self.add_thread(threads, Poller::new().map_err(NetworkError::Poll)?)?;
        }
        while threads.running.len() > wanted
            && let Some(thread) = threads.running.pop()
        {
            self.shared.links.write().retain(|link| !Arc::ptr_eq(link, &thread.link));
            thread.link.mailbox.post(Message::Stop);
            threads.stopping.push(thread.handle);
        }
        Ok(())
    }

    /// Accepts the connections of `listener` from now on.
    pub(crate) fn accept_from(&self, mut listener: Listener) -> Result<(), NetworkError> {
        let token = self.next_listener_token.fetch_add(1, Ordering::Relaxed);
        self.registrar
            .register(&mut listener.socket, token, Interest::READABLE)
            .map_err(NetworkError::Poll)?;
        if let Some(first) = self.threads.lock().running.first() {
            first.link.mailbox.post(Message::Listen { token, listener: Box::new(listener) });
        }
        Ok(())
    }

    /// Closes a listener, after which nobody can connect, and then its connections, for which this does not wait.
    pub(crate) fn remove_listener(&self, name: &str) {
        self.release();
        let (waiting, closed) = crossbeam::channel::bounded(0);
        let is_own = match self.threads.lock().running.first() {
            Some(first) => {
                first.link.mailbox.post(Message::CloseListener(Arc::from(name), waiting));
                first.handle.thread().id() == std::thread::current().id()
            }
            None => return,
        };
        if !is_own {
            // Nothing is ever sent: the thread lets go of its end when the listener is closed, or when it ends.
            let _ = closed.recv();
        }
    }

    /// Returns once every thread has done what was due, unless they are [held](Self::hold).
    pub(crate) fn settle(&self) {
        if self.held.lock().is_some() {
            return;
        }
        let (waiting, settled) = crossbeam::channel::bounded(0);
        for thread in &self.threads.lock().running {
            if thread.handle.thread().id() != std::thread::current().id() {
                thread.link.mailbox.post(Message::Settle(waiting.clone()));
            }
        }
        drop(waiting);
        // As in `remove_listener`.
        let _ = settled.recv();
    }

    /// When a thread may have to close an idle connection: no later than then.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        self.threads.lock().running.iter().filter_map(|thread| thread.link.idle_look()).min()
    }

    /// Stops all work until [`release`](Self::release), as if the process were stopped: the system takes connections and
    /// bytes, nobody answers.
    pub(crate) fn hold(&self) {
        let mut held = self.held.lock();
        if held.is_none() {
            let (keep, until) = crossbeam::channel::bounded(0);
            let (began, all_began) = crossbeam::channel::bounded(0);
            for thread in &self.threads.lock().running {
                let (began, until) = (began.clone(), until.clone());
                thread.link.mailbox.post(Message::Hold { began, until });
            }
            drop(began);
            // As in `remove_listener`.
            let _ = all_began.recv();
            *held = Some(keep);
        }
    }

    /// Whether all work is stopped by [`hold`](Self::hold).
    pub(crate) fn is_held(&self) -> bool {
        self.held.lock().is_some()
    }

    /// Goes on after [`hold`](Self::hold).
    pub(crate) fn release(&self) {
        *self.held.lock() = None;
    }

    /// Changes the settings. Limits hold at once, for new connections and new frames; buffer sizes of connections
    /// and the backlog hold for new connections and listeners; connections of a thread that is not wanted any more
    /// are closed.
    pub(crate) fn reconfigure(&self, config: NetworkConfig) -> Result<(), NetworkError> {
        *self.shared.config.write() = Arc::new(config);
        let mut threads = self.threads.lock();
        let resized = if threads.stopped { Ok(()) } else { self.resize(&mut threads) };
        for thread in &threads.running {
            thread.link.mailbox.post(Message::Reconfigure);
        }
        resized
    }

    /// The settings in force.
    pub(crate) fn config(&self) -> Arc<NetworkConfig> {
        self.shared.config()
    }

    /// What has been counted so far.
    pub(crate) fn metrics(&self) -> NetworkMetrics {
        let mut metrics = NetworkMetrics::default();
        for link in &self.threads.lock().links {
            metrics.add(&link.metrics);
        }
        metrics
    }

    /// How many connections each thread has been given.
    #[cfg(test)]
    pub(super) fn connections_per_thread(&self) -> Vec<usize> {
        let links = self.shared.links.read();
        links.iter().map(|link| link.connections.load(Ordering::Relaxed)).collect()
    }

    /// Closes the listeners, sends the answers that are ready to clients that take them within a second, closes all
    /// connections and ends the threads. A thread of its own that calls this is not waited for.
    pub(crate) fn shutdown(&self) {
        self.release();
        let handles = {
            let mut threads = self.threads.lock();
            threads.stopped = true;
            let mut handles = std::mem::take(&mut threads.stopping);
            for thread in threads.running.drain(..) {
                thread.link.mailbox.post(Message::Stop);
                handles.push(thread.handle);
            }
            handles
        };
        self.shared.links.write().clear();
        for handle in handles {
            if handle.thread().id() != std::thread::current().id() && handle.join().is_err() {
                tracing::error!("a network thread has panicked");
            }
        }
    }
}

impl Drop for SocketServer {
    fn drop(&mut self) {
        self.shutdown();
    }
}

impl fmt::Debug for SocketServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketServer").field("metrics", &self.metrics()).finish_non_exhaustive()
    }
}

fn start_processor<H: RequestHandler>(
    shared: &Arc<Shared>,
    index: usize,
    poller: Poller,
    handler: &Arc<H>,
    env: &Env,
) -> Result<Thread, NetworkError> {
    let alarm: Weak<Alarm> = Arc::downgrade(poller.alarm());
    env.clock.register(alarm as Weak<dyn Wake>);
    let link = Arc::new(ThreadLink {
        mailbox: Arc::new(Mailbox::new(Arc::clone(poller.alarm()))),
        metrics: Arc::default(),
        connections: AtomicUsize::new(0),
        idle_look_ns: AtomicU64::new(NEVER),
    });
    let bench = Workbench {
        handler: Arc::clone(handler),
        mailbox: Arc::clone(&link.mailbox),
        metrics: Arc::clone(&link.metrics),
        gates: Arc::clone(&shared.gates),
        config: shared.config(),
        scratch: Vec::new(),
        file_bytes: Vec::new(),
        now: env.clock.monotonic(),
    };
    let processor = Processor::new(Arc::clone(shared), Arc::clone(&link), poller, bench);
    let name = format!("ottla-net-{index}");
    let handle = env
        .spawner
        .spawn(&name, Box::new(move || processor.run()))
        .map_err(|source| NetworkError::Spawn { name, source })?;
    Ok(Thread { link, handle })
}
