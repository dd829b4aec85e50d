//! Requests and reads that wait: for records, for other members, for time to pass.
//!
//! Kafka: `DelayedOperationPurgatory`. Instead of one map from keys to operations, each thing that can be
//! waited for (a partition, say) owns a [`WatcherList`]; what waits registers with all that may end its wait,
//! and one [`Timer`] ends it when its time has come.

mod timer;
mod watchers;

#[cfg(test)]
mod tests;

pub(crate) use timer::{Timer, TimerHandle};
pub(crate) use watchers::{DelayedOperation, WatcherList};
