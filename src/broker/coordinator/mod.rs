//! Coordinators: state machines whose state is a topic of the broker itself.
//!
//! Each owns the partitions of its topic that this broker leads, keeps what they say in memory, and appends a
//! record before it says that something is so.

pub(crate) mod group;
mod history;
mod loading;
mod log;
mod name_pattern;
mod partition_for;
pub(in crate::broker) mod record_format;
pub(crate) mod share;
pub(crate) mod transaction;

#[cfg(test)]
mod memory_log;

pub(crate) use history::History;
pub use history::HistoryEvent;
pub(crate) use log::CoordinatorLog;
use log::operation_error;
#[cfg(test)]
pub(crate) use memory_log::{MemoryLog, REFUSED_APPENDS};
pub(crate) use name_pattern::NamePattern;
pub(crate) use partition_for::{java_string_hash, partition_for};
