//! From a place in the log to the records that a reader may see.

mod chunk_buffers;
mod completed_fetch;
mod partition_reader;

pub(crate) use chunk_buffers::ChunkBuffers;
pub(crate) use completed_fetch::CompletedFetch;
pub(crate) use partition_reader::{PartitionReader, ReadLimits};
