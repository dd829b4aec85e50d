//! Reading records from within the process.

mod assignor;
mod fetch;
mod protocol;

pub use assignor::PartitionAssignor;
pub(crate) use fetch::{ChunkBuffers, CompletedFetch, PartitionReader, ReadLimits};
