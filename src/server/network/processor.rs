//! A network thread (Kafka: `Processor`, and `Acceptor` on the first of them).

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crossbeam::channel::Sender;

use super::acceptor::{ACCEPT_BACKOFF, Accepted, Acceptor, Hold, configure, reset};
use super::channel::{Channel, End, Workbench, log_end};
use super::handler::{ConnectionContext, RequestHandler};
use super::idle::{Entry, IdleExpiry};
use super::mailbox::Message;
use super::quotas::Admission;
use super::slots::Slots;
use super::socket_server::{Shared, ThreadLink};
use super::transport::Transport;
use crate::sys::poller::{Poller, Readiness};
use crate::sys::{Clock, SystemClock};

/// Listeners are registered under numbers from here on, connections under those below.
pub(super) const FIRST_LISTENER_TOKEN: usize = usize::MAX / 2;

/// Connections that a listener accepts in a row before the others get their turn.
const ACCEPTS_PER_TURN: usize = 32;

/// How long a stopping thread waits, for real, until clients have taken the answers that are ready.
const STOP_LIMIT: Duration = Duration::from_secs(1);

/// Serves its connections, and accepts new ones if it has listeners.
pub(super) struct Processor<H: RequestHandler> {
    shared: Arc<Shared>,
    link: Arc<ThreadLink>,
    poller: Poller,
    bench: Workbench<H>,
    channels: Slots<Channel<H::Session>>,
    acceptors: Vec<Acceptor>,
    idle: IdleExpiry,
    /// What the last look at the system brought.
    ready: Vec<Readiness>,
    /// The channels with something to do.
    runnable: Vec<usize>,
    /// The list's spare, empty but while it is worked through.
    turn: Vec<usize>,
    /// The last look at the system ended without any event.
    rested: bool,
    stopping: Option<Stopping>,
    /// Those who wait until all that is due is done.
    settling: Vec<Sender<()>>,
}

struct Stopping {
    /// A clock that goes on even if the broker's stands still.
    clock: SystemClock,
}

impl<H: RequestHandler> Processor<H> {
    pub(super) fn new(
        shared: Arc<Shared>,
        link: Arc<ThreadLink>,
        poller: Poller,
        bench: Workbench<H>,
    ) -> Self {
        Processor {
            shared,
            link,
            poller,
            bench,
            channels: Slots::new(),
            acceptors: Vec::new(),
            idle: IdleExpiry::default(),
            ready: Vec::new(),
            runnable: Vec::new(),
            turn: Vec::new(),
            rested: false,
            stopping: None,
            settling: Vec::new(),
        }
    }

    /// Works until it is told to stop.
    pub(super) fn run(mut self) {
        while self.run_once() {}
        self.close_all();
    }

    /// Waits for something to happen and deals with it. Says whether to go on.
    fn run_once(&mut self) -> bool {
        if !self.poll() {
            return false;
        }
        self.bench.now = self.shared.clock.monotonic();
        self.dispatch();
        // Requests that were just handled may have answered others of this thread; once more spares a look at the
        // system.
        for _ in 0..2 {
            self.take_messages();
            self.accept();
            self.proceed();
            if self.bench.mailbox.is_empty() {
                break;
            }
        }
        self.expire();
        self.link.set_idle_look(self.idle.next_at());
        self.settling.clear();
        match &self.stopping {
            None => true,
            Some(stopping) => !self.channels.is_empty() && stopping.clock.monotonic() < STOP_LIMIT,
        }
    }

    fn poll(&mut self) -> bool {
        let Processor { shared, poller, bench, acceptors, idle, runnable, stopping, .. } = self;
        let polled = poller.poll(|| {
            let now = shared.clock.monotonic();
            let accepts = acceptors.iter_mut().any(|acceptor| acceptor.may_accept(now));
            if accepts || !runnable.is_empty() || !bench.mailbox.is_empty() {
                return Some(Duration::ZERO);
            }
            let resumes_at = acceptors.iter().filter_map(Acceptor::resumes_at);
            let at = resumes_at.chain(idle.next_at()).min();
            let timeout = at.and_then(|at| shared.clock.real_timeout(at));
            let backs_off = acceptors.iter().any(|acceptor| matches!(acceptor.hold, Hold::Backoff(_)));
            let backoff = backs_off.then_some(ACCEPT_BACKOFF);
            let stop = stopping.as_ref().map(|stop| STOP_LIMIT.saturating_sub(stop.clock.monotonic()));
            [timeout, backoff, stop].into_iter().flatten().min()
        });
        match polled {
            Ok(happened) => {
                self.rested = !happened;
                true
            }
            Err(error) => {
                tracing::error!(%error, "a network thread cannot wait for its sockets; it ends");
                false
            }
        }
    }

    /// Notes all readiness before anything is done, so that no note meets a later connection of the same number.
    fn dispatch(&mut self) {
        let mut ready = std::mem::take(&mut self.ready);
        ready.extend(self.poller.events());
        for readiness in ready.drain(..) {
            if readiness.token >= FIRST_LISTENER_TOKEN {
                let mut acceptors = self.acceptors.iter_mut();
                if let Some(acceptor) = acceptors.find(|acceptor| acceptor.token == readiness.token) {
                    acceptor.ready = true;
                }
            } else if let Some(channel) = self.channels.get_mut(readiness.token) {
                channel.on_ready(readiness);
                self.make_runnable(readiness.token);
            }
        }
        self.ready = ready;
    }

    fn make_runnable(&mut self, token: usize) {
        if let Some(channel) = self.channels.get_mut(token)
            && !std::mem::replace(&mut channel.runnable, true)
        {
            self.runnable.push(token);
        }
    }

    fn take_messages(&mut self) {
        while let Some(message) = self.bench.mailbox.take() {
            match message {
                Message::Answer { token, connection, sequence, answer } => {
                    let channel = self.channels.get_mut(token);
                    if let Some(channel) = channel.filter(|channel| channel.context.id == connection) {
                        channel.on_answer(sequence, answer);
                        self.make_runnable(token);
                    }
                }
                Message::Resume { token, connection } => {
                    let channel = self.channels.get_mut(token);
                    if let Some(channel) = channel.filter(|channel| channel.context.id == connection) {
                        channel.resume();
                        self.make_runnable(token);
                    }
                }
                Message::Connection(accepted) => self.open(*accepted),
                Message::Listen { token, listener } => self.acceptors.push(Acceptor::new(token, *listener)),
                Message::CloseListener(name, waiting) => {
                    self.acceptors.retain(|acceptor| acceptor.listener.name != name);
                    drop(waiting);
                    self.shared.close_elsewhere(&self.link, &name);
                    self.close_connections(&name);
                }
                Message::CloseConnections(name) => self.close_connections(&name),
                Message::Proceed => {
                    let tokens: Vec<usize> = self.channels.tokens().collect();
                    tokens.into_iter().for_each(|token| self.make_runnable(token));
                }
                Message::TryAccept => self.retry_accept(|hold| hold == Hold::UntilClose),
                Message::Reconfigure => {
                    self.bench.config = self.shared.config();
                    self.retry_accept(|_| true);
                }
                Message::Settle(waiting) => {
                    // The clock was set before the message was left.
                    self.bench.now = self.shared.clock.monotonic();
                    self.settling.push(waiting);
                }
                Message::Hold { began, until } => {
                    drop(began);
                    // Nothing is ever sent: it ends when the other end is dropped.
                    let _ = until.recv();
                }
                Message::Stop => self.stop(),
            }
        }
    }

    fn retry_accept(&mut self, held: impl Fn(Hold) -> bool) {
        for acceptor in self.acceptors.iter_mut().filter(|acceptor| held(acceptor.hold)) {
            acceptor.hold = Hold::None;
        }
    }

    fn accept(&mut self) {
        if self.rested {
            self.rested = false;
            self.retry_accept(|hold| matches!(hold, Hold::Backoff(_)));
        }
        let mut acceptors = std::mem::take(&mut self.acceptors);
        for acceptor in &mut acceptors {
            let mut turns = ACCEPTS_PER_TURN;
            while turns > 0 && acceptor.may_accept(self.bench.now) {
                turns -= 1;
                self.accept_one(acceptor);
            }
        }
        self.acceptors = acceptors;
    }

    fn accept_one(&mut self, acceptor: &mut Acceptor) {
        let Workbench { config, mailbox, metrics, now, .. } = &self.bench;
        let name = &acceptor.listener.name;
        let mut permit = match self.shared.quotas.reserve(name, config, *now, mailbox) {
            Admission::Granted(permit) => permit,
            Admission::NotBefore(at) => return acceptor.hold = Hold::Until(at),
            Admission::AfterClose => return acceptor.hold = Hold::UntilClose,
        };
        let (stream, peer) = match acceptor.listener.socket.accept() {
            Ok(accepted) => accepted,
            Err(error) => return acceptor.on_error(&error, *now),
        };
        if !permit.count(peer.ip(), config, *now) {
            metrics.connections_refused.add(1);
            tracing::info!(listener = %name, %peer, "refused a connection: its address has too many");
            return;
        }
        let configured = configure(&stream, config).and_then(|()| stream.local_addr());
        let local = match configured {
            Ok(local) => local,
            // The client has gone already.
            Err(error) => return tracing::debug!(listener = %name, %peer, %error, "the connection broke"),
        };
        let id = self.shared.next_connection_id.fetch_add(1, Ordering::Relaxed);
        let context = Arc::new(ConnectionContext { id, listener: Arc::clone(name), peer, local });
        if !self.bench.handler.admits(&context) {
            self.bench.metrics.connections_refused.add(1);
            return reset(stream);
        }
        let accepted = Accepted { stream, context, permit };
        match self.shared.assign(&self.link) {
            Some(other) => other.post(Message::Connection(Box::new(accepted))),
            None => self.open(accepted),
        }
    }

    fn open(&mut self, accepted: Accepted) {
        let Accepted { stream, context, permit } = accepted;
        let (id, token) = (context.id, self.channels.next_token());
        let mut transport = Transport::Plain(stream);
        let opened = if self.stopping.is_some() {
            Err(End::Stopped)
        } else if let Err(error) = transport.register(&self.poller, token) {
            Err(End::Socket(error))
        } else {
            Channel::open(token, transport, Arc::clone(&context), permit, &self.bench)
        };
        match opened {
            Ok(channel) => {
                self.bench.metrics.connections.add(1);
                self.bench.metrics.connections_opened.add(1);
                self.channels.insert(channel);
                self.watch_idle(token, id);
            }
            Err(end) => {
                log_end(&context, &end);
                self.link.unassign();
            }
        }
    }

    /// After how long a connection is idle; a negative setting means never.
    fn idle_time(&self) -> Option<Duration> {
        let idle_ms = u64::try_from(self.bench.config.connections_max_idle_ms).ok()?;
        Some(Duration::from_millis(idle_ms.max(1)))
    }

    fn watch_idle(&mut self, token: usize, connection: u64) {
        let Some(idle) = self.idle_time() else { return };
        if let Some(channel) = self.channels.get_mut(token) {
            let at = channel.idle_at(idle, self.bench.now);
            self.idle.watch(Entry { at, token, connection });
        }
    }

    fn expire(&mut self) {
        let Some(idle) = self.idle_time() else { return };
        while let Some(entry) = self.idle.take_due(self.bench.now) {
            let now = self.bench.now;
            let channel = self.channels.get_mut(entry.token);
            let Some(channel) = channel.filter(|channel| channel.context.id == entry.connection) else {
                continue;
            };
            let at = channel.idle_at(idle, now);
            if at <= now {
                self.bench.metrics.connections_expired.add(1);
                self.close(entry.token, &End::Idle);
            } else {
                self.idle.watch(Entry { at, ..entry });
            }
        }
    }

    /// Gives every channel with something to do its turn.
    fn proceed(&mut self) {
        // Those that are not done yet come again when all others have had theirs.
        let mut turn = std::mem::take(&mut self.turn);
        std::mem::swap(&mut turn, &mut self.runnable);
        for token in turn.drain(..) {
            let Some(channel) = self.channels.get_mut(token) else { continue };
            channel.runnable = false;
            match channel.proceed(&mut self.bench, &self.poller) {
                Ok(false) => {}
                Ok(true) => self.make_runnable(token),
                Err(end) => self.close(token, &end),
            }
        }
        self.turn = turn;
    }

    fn close(&mut self, token: usize, end: &End) {
        if let Some(channel) = self.channels.remove(token) {
            channel.close(end, &self.bench);
            self.bench.metrics.connections.subtract(1);
            self.link.unassign();
        }
    }

    fn close_connections(&mut self, name: &str) {
        let tokens: Vec<usize> = self.channels.tokens().collect();
        for token in tokens {
            let channel = self.channels.get_mut(token);
            if channel.is_some_and(|channel| &*channel.context.listener == name) {
                self.close(token, &End::Stopped);
            }
        }
    }

    fn stop(&mut self) {
        self.acceptors.clear();
        self.stopping = Some(Stopping { clock: SystemClock::new() });
        let tokens: Vec<usize> = self.channels.tokens().collect();
        for token in tokens {
            if let Some(channel) = self.channels.get_mut(token) {
                channel.stop();
                self.make_runnable(token);
            }
        }
    }

    fn close_all(&mut self) {
        self.acceptors.clear();
        let tokens: Vec<usize> = self.channels.tokens().collect();
        for token in tokens {
            self.close(token, &End::Stopped);
        }
    }
}

impl<H: RequestHandler> Drop for Processor<H> {
    fn drop(&mut self) {
        self.bench.mailbox.close();
    }
}
