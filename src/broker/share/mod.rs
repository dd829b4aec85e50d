//! Share groups: records of a partition that are given to members one by one, and not partitions to members (KIP-932;
//! Kafka: `SharePartitionManager`, `SharePartition`, `DelayedShareFetch`).
//!
//! A [`SharePartition`] is what one group does with one partition. From its start offset on it knows of each offset
//! whether it is available, acquired by a member, acknowledged or archived, and how often it was delivered. A member
//! acquires records for as long as the lock lasts, which the timer ends; it acknowledges, releases or rejects them. What
//! is decided is kept by the [persister](super::coordinator::share::Persister) before it counts; that records are
//! acquired is not kept, so that after a restart they are available again.
//!
//! * `runs`: consecutive offsets in one state,
//! * `share_partition`: the state, where it begins and how its start moves,
//! * `acquire`, `acknowledge`, `locks`: what happens to it,
//! * `session`: which partitions a member fetches, in which epoch,
//! * `manager`: all share partitions of the broker, and what members ask of them,
//! * `delayed_fetch`: fetches that wait until there is something to acquire,
//! * `settings`: how a group is set.
//!
//! Lock order: a share partition, then a partition of `__share_group_state`, then a log. Never two share partitions at
//! once.

mod acknowledge;
mod acquire;
mod delayed_fetch;
mod error;
mod locks;
mod manager;
mod record_state;
mod runs;
mod session;
mod settings;
mod share_partition;

#[cfg(test)]
mod tests;

pub(crate) use acknowledge::{
    ACCEPT, AcknowledgementBatch, GAP, MAX_ACKNOWLEDGE_TYPE, REJECT, RELEASE, RENEW,
};
pub(crate) use acquire::AcquiredRecords;
pub(crate) use delayed_fetch::{ShareFetchParams, ShareFetchPartitionData};
pub(crate) use error::ShareError;
pub(crate) use manager::{SharePartitionManager, ShareTarget};
pub(crate) use session::{FINAL_EPOCH, INITIAL_EPOCH, ShareSessionKey, ShareSessionRequest};
pub(crate) use settings::{ShareGroupSettings, ShareGroupSettingsSource};
pub(crate) use share_partition::SharePartition;
