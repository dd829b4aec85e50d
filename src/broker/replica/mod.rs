//! One partition as its leader serves it: appending, reading, waiting.
//!
//! Kafka: `Partition`, `ReplicaManager`, `DelayedFetch`.

mod alter_log_dir;
mod delayed_fetch;
mod fetch;
mod fetch_session;
mod list_offsets;
mod partition;
#[cfg(all(test, feature = "testkit"))]
mod tests;

pub(crate) use alter_log_dir::MoveStep;
pub(crate) use delayed_fetch::fetch_or_wait;
pub(crate) use fetch::{
    FetchParams, FetchPartition, FetchPartitionData, check_leader_epoch, fetch_from_log,
    last_offset_for_epoch,
};
pub(crate) use fetch_session::{
    FetchContext, FetchSessionCache, FetchSessionRequest, FetchTarget, FetchTopic,
};
pub(crate) use list_offsets::{ListedOffset, OffsetSpec, legacy_fetch_offsets, list_offset};
pub(crate) use partition::{AppendRecordsParams, Partition};
