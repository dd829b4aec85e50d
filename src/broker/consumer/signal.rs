use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::broker::core::CloseListener;
use crate::broker::purgatory::DelayedOperation;
use crate::sys::{Clock, Waiter};

/// What a consumer that waits is woken by: appends, answers of the group, topics that come and go, the broker's end,
/// and [`ConsumerWaker::wake`].
#[derive(Debug)]
pub(in crate::broker) struct Signal {
    waiter: Arc<Waiter>,
    woken: AtomicBool,
}

impl Signal {
    pub(in crate::broker) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Signal { waiter: Waiter::new(clock), woken: AtomicBool::new(false) })
    }

    /// To be taken before looking at what may have changed, and given to [`Signal::wait`].
    pub(in crate::broker) fn generation(&self) -> u64 {
        self.waiter.generation()
    }

    pub(in crate::broker) fn notify(&self) {
        self.waiter.notify();
    }

    /// Waits for a notification after `seen`, or until `deadline`; without one, for as long as it takes.
    pub(in crate::broker) fn wait(&self, seen: u64, deadline: Option<Duration>) {
        self.waiter.wait(seen, deadline);
    }

    /// Whether somebody asked the consumer to stop waiting, since the last time this was called.
    pub(in crate::broker) fn take_woken(&self) -> bool {
        self.woken.load(Ordering::Relaxed) && self.woken.swap(false, Ordering::SeqCst)
    }
}

impl CloseListener for Signal {
    fn on_closed(&self) {
        self.notify();
    }
}

/// Ends the waiting of a [`Consumer`](crate::Consumer) or a [`ShareConsumer`](crate::ShareConsumer) from another thread
/// (Kafka: `KafkaConsumer#wakeup`).
///
/// Made by [`Consumer::waker`](crate::Consumer::waker) and [`ShareConsumer::waker`](crate::ShareConsumer::waker). It
/// may be cloned, shared between threads, and outlive its consumer.
///
/// # Examples
/// ```
/// use ottla::Broker;
/// use std::time::Duration;
/// # fn main() -> Result<(), ottla::Error> {
/// let broker = Broker::temporary()?;
/// let mut consumer = broker.consumer("billing")?;
/// consumer.subscribe(["orders"])?;
/// let waker = consumer.waker();
/// let thread = std::thread::spawn(move || waker.wake());
/// // Nothing ever comes, and yet this ends.
/// assert!(consumer.poll(Duration::from_secs(3600))?.is_empty());
/// # thread.join().unwrap();
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ConsumerWaker {
    signal: Arc<Signal>,
}

impl ConsumerWaker {
    pub(in crate::broker) fn new(signal: &Arc<Signal>) -> Self {
        ConsumerWaker { signal: Arc::clone(signal) }
    }

    /// Makes the consumer's `poll` return what it has, which may be nothing: the one that
    /// waits, or else the next one. Returns at once.
    pub fn wake(&self) {
        self.signal.woken.store(true, Ordering::SeqCst);
        self.signal.notify();
    }
}

/// A consumer in the list of those who wait for a partition. It is made for one wait, and stays in the list until
/// something happens there, so that a consumer of many quiet partitions does not enter and leave all their lists at
/// each poll.
#[derive(Debug)]
pub(in crate::broker) struct Watch {
    fired: AtomicBool,
    signal: Arc<Signal>,
}

impl Watch {
    pub(in crate::broker) fn new(signal: &Arc<Signal>) -> Arc<Self> {
        Arc::new(Watch { fired: AtomicBool::new(false), signal: Arc::clone(signal) })
    }

    /// Whether it is in no list any more.
    pub(in crate::broker) fn has_fired(&self) -> bool {
        self.fired.load(Ordering::SeqCst)
    }
}

impl DelayedOperation for Watch {
    fn try_complete(&self) -> bool {
        self.fired.store(true, Ordering::SeqCst);
        self.signal.notify();
        true
    }
}
