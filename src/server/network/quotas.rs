//! How many connections there may be, and how fast new ones may come (Kafka: `ConnectionQuotas`).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::config::NetworkConfig;
use super::mailbox::{Mailbox, Message};

/// Counts the connections of all listeners and network threads.
#[derive(Debug, Default)]
pub(super) struct ConnectionQuotas {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    total: usize,
    creation: CreationRate,
    listeners: HashMap<Arc<str>, ListenerState>,
    per_ip: HashMap<IpAddr, usize>,
    /// Threads with a listener that waits until a connection ends.
    waiting: Vec<Arc<Mailbox>>,
}

#[derive(Debug, Default)]
struct ListenerState {
    connections: usize,
    creation: CreationRate,
}

/// Lets through at most a second's worth of connections at once, and `rate` per second in the long run.
#[derive(Debug, Default)]
struct CreationRate {
    /// When the connections so far would have come, had each waited for its turn.
    next_at: Duration,
}

impl CreationRate {
    const BURST: Duration = Duration::from_secs(1);

    /// When the next connection may come.
    fn ready_at(&self) -> Duration {
        self.next_at.saturating_sub(Self::BURST)
    }

    fn count(&mut self, rate: i32, now: Duration) {
        let gap = Duration::from_secs_f64(1.0 / f64::from(rate.max(1)));
        self.next_at = self.next_at.max(now) + gap;
    }
}

/// Whether a listener may accept.
#[derive(Debug)]
pub(super) enum Admission {
    /// Yes; the place is taken.
    Granted(Permit),
    /// Not before this time on the monotonic clock.
    NotBefore(Duration),
    /// Not before a connection ends; the thread then gets a message.
    AfterClose,
}

/// The place of one connection. Dropping it makes room for another.
#[derive(Debug)]
pub(super) struct Permit {
    quotas: Arc<ConnectionQuotas>,
    listener: Arc<str>,
    address: Option<IpAddr>,
}

impl ConnectionQuotas {
    /// Takes a place for a connection that `listener` is about to accept.
    pub(super) fn reserve(
        self: &Arc<Self>,
        listener: &Arc<str>,
        config: &NetworkConfig,
        now: Duration,
        mailbox: &Arc<Mailbox>,
    ) -> Admission {
        let limits = config.listener_limits(listener);
        let mut state = self.state.lock();
        let State { total, creation, listeners, waiting, .. } = &mut *state;
        let own = listeners.entry(Arc::clone(listener)).or_default();
        if *total >= limit(config.max_connections) || own.connections >= limit(limits.max_connections) {
            if !waiting.iter().any(|other| Arc::ptr_eq(other, mailbox)) {
                waiting.push(Arc::clone(mailbox));
            }
            return Admission::AfterClose;
        }
        let ready_at = creation.ready_at().max(own.creation.ready_at());
        if ready_at > now {
            return Admission::NotBefore(ready_at);
        }
        *total += 1;
        own.connections += 1;
        Admission::Granted(Permit { quotas: Arc::clone(self), listener: Arc::clone(listener), address: None })
    }

    fn release(&self, permit: &mut Permit) {
        let mut state = self.state.lock();
        state.total = state.total.saturating_sub(1);
        if let Some(listener) = state.listeners.get_mut(&permit.listener) {
            listener.connections = listener.connections.saturating_sub(1);
        }
        if let Some(address) = permit.address.take()
            && let Some(count) = state.per_ip.get_mut(&address)
        {
            *count = count.saturating_sub(1);
            if *count == 0 {
                state.per_ip.remove(&address);
            }
        }
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        for mailbox in waiting {
            mailbox.post(Message::TryAccept);
        }
    }
}

impl Permit {
    /// Counts the accepted connection for its address and for the creation rates; says whether the address may have
    /// one more.
    pub(super) fn count(&mut self, address: IpAddr, config: &NetworkConfig, now: Duration) -> bool {
        let address = address.to_canonical();
        let mut state = self.quotas.state.lock();
        state.creation.count(config.max_connection_creation_rate, now);
        if let Some(listener) = state.listeners.get_mut(&self.listener) {
            let rate = config.listener_limits(&self.listener).max_connection_creation_rate;
            listener.creation.count(rate, now);
        }
        let count = state.per_ip.entry(address).or_default();
        if *count >= limit(config.connections_per_ip(address)) {
            if *count == 0 {
                state.per_ip.remove(&address);
            }
            return false;
        }
        *count += 1;
        self.address = Some(address);
        true
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let quotas = Arc::clone(&self.quotas);
        quotas.release(self);
    }
}

fn limit(value: i32) -> usize {
    usize::try_from(value).unwrap_or(0)
}
