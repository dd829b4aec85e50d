//! Bounds on what all connections together may have in work (Kafka: the queue of `RequestChannel`, `SimpleMemoryPool`).

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use super::config::NetworkConfig;

/// The bounds of one broker. Where one is reached, no connection's bytes are taken up, and the clients wait.
#[derive(Debug)]
pub(super) struct Gates {
    /// Requests that wait for a thread: `queued.max.requests`.
    pub(super) requests: Gate,
    /// Bytes of requests, those on their way included: `queued.max.request.bytes`.
    pub(super) request_bytes: Gate,
}

impl Gates {
    pub(super) fn new(config: &NetworkConfig) -> Self {
        let limit = |limit: i64| usize::try_from(limit).unwrap_or(usize::MAX);
        Gates {
            requests: Gate::new(limit(i64::from(config.queued_max_requests)).max(1)),
            request_bytes: Gate::new(limit(config.queued_max_request_bytes)),
        }
    }

    /// Calls `wake` when a gate opens that somebody has found closed.
    pub(super) fn on_open(&self, wake: impl Fn() + Send + Sync + 'static) {
        let wake: Arc<Wake> = Arc::new(wake);
        for gate in [&self.requests, &self.request_bytes] {
            // There is one network to its gates, which asks once.
            gate.wake.get_or_init(|| Arc::clone(&wake));
        }
    }
}

type Wake = dyn Fn() + Send + Sync;

/// Counts what is in work. Who enters does not wait: it has looked before, and may be one too much.
pub(super) struct Gate {
    limit: usize,
    used: AtomicUsize,
    /// Somebody has found it closed, and is to be woken.
    wanted: AtomicBool,
    wake: OnceLock<Arc<Wake>>,
}

impl Gate {
    fn new(limit: usize) -> Self {
        Gate { limit, used: AtomicUsize::new(0), wanted: AtomicBool::new(false), wake: OnceLock::new() }
    }

    /// Whether more may come; if not, who asks is woken later.
    pub(super) fn is_open(&self) -> bool {
        if self.used.load(Ordering::Relaxed) < self.limit {
            return true;
        }
        self.wanted.store(true, Ordering::SeqCst);
        // Who left between the two looks did not know that somebody waits.
        self.used.load(Ordering::SeqCst) < self.limit
    }

    /// Whether there is a bound at all.
    pub(super) fn has_limit(&self) -> bool {
        self.limit < usize::MAX
    }

    pub(super) fn enter(&self, count: usize) {
        self.used.fetch_add(count, Ordering::SeqCst);
    }

    pub(super) fn leave(&self, count: usize) {
        let left = self.used.fetch_sub(count, Ordering::SeqCst).saturating_sub(count);
        if left < self.limit
            && self.wanted.load(Ordering::SeqCst)
            && self.wanted.swap(false, Ordering::SeqCst)
            && let Some(wake) = self.wake.get()
        {
            wake();
        }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gate({} of {})", self.used.load(Ordering::Relaxed), self.limit)
    }
}

/// A request's place among those that wait for a thread, until it is dropped.
#[derive(Debug)]
#[must_use = "dropped, it waits no more"]
pub(crate) struct Queued {
    gates: Arc<Gates>,
}

impl Queued {
    pub(super) fn new(gates: &Arc<Gates>) -> Self {
        gates.requests.enter(1);
        Queued { gates: Arc::clone(gates) }
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        self.gates.requests.leave(1);
    }
}
