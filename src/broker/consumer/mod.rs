//! Reading records from within the process.

mod assignor;
mod fetch;
mod protocol;

pub(crate) use fetch::{ChunkBuffers, PartitionReader, ReadLimits};
