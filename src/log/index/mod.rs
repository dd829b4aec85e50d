//! The indexes of a segment (Kafka: `AbstractIndex` and its children).

pub(crate) mod offset;
mod paged;
pub(crate) mod time;
pub(crate) mod transaction;

#[cfg(test)]
mod tests;

pub(crate) use offset::{OffsetIndex, OffsetPosition};
pub(crate) use time::{TimeIndex, TimestampOffset};
pub(crate) use transaction::{AbortedTxn, TransactionIndex};
