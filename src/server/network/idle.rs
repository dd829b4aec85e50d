//! Connections on which nothing moves (Kafka: `Selector.IdleExpiryManager`).

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// Each connection stands here once, with the earliest time at which it may turn out to be idle. Traffic does not
/// touch the order: a connection that turns out to have been active is put back, at most once per idle time.
#[derive(Debug, Default)]
pub(super) struct IdleExpiry {
    due: BinaryHeap<Reverse<Entry>>,
}

/// A connection, and when to look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub(super) at: Duration,
    pub(super) token: usize,
    pub(super) connection: u64,
}

impl IdleExpiry {
    /// Looks at a connection at `entry.at`.
    pub(super) fn watch(&mut self, entry: Entry) {
        self.due.push(Reverse(entry));
    }

    /// When the next look is due.
    pub(super) fn next_at(&self) -> Option<Duration> {
        self.due.peek().map(|Reverse(entry)| entry.at)
    }

    /// Takes a connection that is to be looked at by `now`.
    pub(super) fn take_due(&mut self, now: Duration) -> Option<Entry> {
        if self.next_at()? > now {
            return None;
        }
        self.due.pop().map(|Reverse(entry)| entry)
    }
}
