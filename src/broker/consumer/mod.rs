//! Reading records from within the process.

mod fetch;

pub(crate) use fetch::{ChunkBuffers, CompletedFetch, PartitionReader, ReadLimits};
