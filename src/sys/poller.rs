//! Readiness of sockets, and a bell that other threads ring.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mio::event::{Event, Source};
use mio::{Events, Interest, Poll, Token};

use super::clock::Wake;

/// The token of the bell itself; no source may have it.
const ALARM: Token = Token(usize::MAX);

/// How many events one look at the system may bring.
const EVENTS_PER_POLL: usize = 256;

/// Wakes the thread that waits in a [`Poller`].
///
/// A thread that is awake anyway is not woken again: it looks at its work once more before it goes to sleep. So an
/// answer costs a call to the system only if the thread really sleeps.
#[derive(Debug)]
pub(crate) struct Alarm {
    awake: AtomicBool,
    waker: mio::Waker,
}

impl Alarm {
    /// Makes the thread look at its work again. The work must be visible before this is called.
    pub(crate) fn ring(&self) {
        if !self.awake.swap(true, Ordering::SeqCst)
            && let Err(error) = self.waker.wake()
        {
            // Cannot happen with an open descriptor; the thread would then see its work at its next event.
            tracing::error!(%error, "cannot wake a network thread");
        }
    }
}

impl Wake for Alarm {
    fn wake(&self) {
        self.ring();
    }
}

/// Where one thread waits for its sockets. Readiness is reported at its edges: who is told must go on until the
/// socket would block, or remember that it has not.
pub(crate) struct Poller {
    poll: Poll,
    events: Events,
    alarm: Arc<Alarm>,
}

impl Poller {
    /// A poller without sources.
    pub(crate) fn new() -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = mio::Waker::new(poll.registry(), ALARM)?;
        let alarm = Arc::new(Alarm { awake: AtomicBool::new(true), waker });
        Ok(Poller { poll, events: Events::with_capacity(EVENTS_PER_POLL), alarm })
    }

    /// The bell of this poller.
    pub(crate) fn alarm(&self) -> &Arc<Alarm> {
        &self.alarm
    }

    /// Reports on `source` under `token` from now on.
    pub(crate) fn register(
        &self,
        source: &mut impl Source,
        token: usize,
        interest: Interest,
    ) -> io::Result<()> {
        self.poll.registry().register(source, Token(token), interest)
    }

    /// A way to register from another thread.
    pub(crate) fn registrar(&self) -> io::Result<Registrar> {
        Ok(Registrar(self.poll.registry().try_clone()?))
    }

    /// Changes what is reported on `source`.
    pub(crate) fn reregister(
        &self,
        source: &mut impl Source,
        token: usize,
        interest: Interest,
    ) -> io::Result<()> {
        self.poll.registry().reregister(source, Token(token), interest)
    }

    /// Sleeps until a source is ready, the alarm rings, or the time that `timeout` gives is over (`None`: no
    /// limit). `timeout` is asked once nobody can ring unheard any more, so it must look at all work that others
    /// may have left, and at the clock, and say zero if there is something to do.
    ///
    /// Says whether anything happened before the time was over.
    pub(crate) fn poll(&mut self, timeout: impl FnOnce() -> Option<Duration>) -> io::Result<bool> {
        self.alarm.awake.store(false, Ordering::SeqCst);
        let timeout = timeout();
        let polled = self.poll.poll(&mut self.events, timeout);
        self.alarm.awake.store(true, Ordering::SeqCst);
        match polled {
            Ok(()) => Ok(!self.events.is_empty()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                self.events.clear();
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }

    /// What the last [`Poller::poll`] brought, in order.
    pub(crate) fn events(&self) -> impl Iterator<Item = Readiness> + '_ {
        self.events.iter().filter(|event| event.token() != ALARM).map(Readiness::from)
    }
}

/// Registers sources with a [`Poller`] that another thread waits in.
#[derive(Debug)]
pub(crate) struct Registrar(mio::Registry);

impl Registrar {
    /// Reports on `source` under `token` from now on.
    pub(crate) fn register(
        &self,
        source: &mut impl Source,
        token: usize,
        interest: Interest,
    ) -> io::Result<()> {
        self.0.register(source, Token(token), interest)
    }
}

/// What is known of one source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Readiness {
    /// The token that it is registered under.
    pub(crate) token: usize,
    /// There is something to read, or the end.
    pub(crate) readable: bool,
    /// There is room to write.
    pub(crate) writable: bool,
    /// The peer sends nothing more.
    pub(crate) read_closed: bool,
    /// The connection is dead in both directions.
    pub(crate) broken: bool,
}

impl From<&Event> for Readiness {
    fn from(event: &Event) -> Self {
        Readiness {
            token: event.token().0,
            readable: event.is_readable(),
            writable: event.is_writable(),
            read_closed: event.is_read_closed(),
            broken: event.is_error() || event.is_write_closed(),
        }
    }
}
