//! What a log remembers of idempotent and transactional producers (Kafka: `ProducerStateManager`).

mod append_info;
mod entry;
mod manager;
mod snapshot;

#[cfg(test)]
mod tests;

pub(crate) use append_info::{AppendOffsets, ProducerAppendInfo};
pub(crate) use entry::{BatchMetadata, ProducerStateEntry};
pub(crate) use manager::{CompletedTxn, ProducerStateManager};
#[cfg(feature = "cli")]
pub(crate) use snapshot::parse as parse_snapshot;
