//! What the network layer counts (Kafka: the `socket-server-metrics` group).

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that one thread changes and any thread reads, so that changing it needs no locked instruction.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self, count: usize) {
        self.0.store(self.get().wrapping_add(count as u64), Ordering::Relaxed);
    }

    pub(super) fn subtract(&self, count: usize) {
        self.0.store(self.get().wrapping_sub(count as u64), Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counters of one network thread, which alone changes them.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct ThreadMetrics {
    pub(super) connections: Counter,
    pub(super) connections_opened: Counter,
    pub(super) connections_refused: Counter,
    pub(super) connections_expired: Counter,
    pub(super) requests: Counter,
    pub(super) bytes_in: Counter,
    pub(super) bytes_out: Counter,
    pub(super) receive_buffer_bytes: Counter,
    pub(super) unsent_bytes: Counter,
}

/// What the network layer has counted, over all its threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct NetworkMetrics {
    /// Open connections.
    pub(crate) connections: u64,
    /// Connections that were ever opened.
    pub(crate) connections_opened: u64,
    /// Connections that were closed at once since their address had too many.
    pub(crate) connections_refused: u64,
    /// Connections that were closed since nothing moved on them.
    pub(crate) connections_expired: u64,
    /// Frames that were handed on.
    pub(crate) requests: u64,
    /// Bytes received.
    pub(crate) bytes_in: u64,
    /// Bytes sent.
    pub(crate) bytes_out: u64,
    /// Memory for frames of which only a part has arrived, and for bytes that cannot be taken up yet.
    pub(crate) receive_buffer_bytes: u64,
    /// Memory of answers that have not left yet.
    pub(crate) unsent_bytes: u64,
}

impl NetworkMetrics {
    pub(super) fn add(&mut self, thread: &ThreadMetrics) {
        self.connections += thread.connections.get();
        self.connections_opened += thread.connections_opened.get();
        self.connections_refused += thread.connections_refused.get();
        self.connections_expired += thread.connections_expired.get();
        self.requests += thread.requests.get();
        self.bytes_in += thread.bytes_in.get();
        self.bytes_out += thread.bytes_out.get();
        self.receive_buffer_bytes += thread.receive_buffer_bytes.get();
        self.unsent_bytes += thread.unsent_bytes.get();
    }
}
