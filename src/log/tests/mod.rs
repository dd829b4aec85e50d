// Those with a feature ask the test kit for a disk that fails.
mod appends;
mod compaction;
#[cfg(feature = "testkit")]
mod compaction_crash;
mod compaction_model;
mod compaction_upkeep;
#[cfg(all(feature = "testkit", feature = "cli"))]
mod crash;
mod damage;
#[cfg(feature = "testkit")]
mod damaged_copies;
#[cfg(feature = "testkit")]
mod disks;
#[cfg(feature = "testkit")]
mod failed_indexes;
#[cfg(feature = "testkit")]
mod failed_syncs;
mod fixture;
#[cfg(feature = "testkit")]
mod flushes;
#[cfg(feature = "testkit")]
mod full_checkpoints;
#[cfg(feature = "testkit")]
mod kills;
#[cfg(feature = "testkit")]
mod managers;
mod model;
#[cfg(feature = "testkit")]
mod moves;
mod newer_formats;
#[cfg(feature = "testkit")]
mod panics;
#[cfg(feature = "testkit")]
mod power_loss;
mod producers;
#[cfg(feature = "testkit")]
mod recovery;
#[cfg(feature = "testkit")]
mod recovery_progress;
#[cfg(all(feature = "cli", feature = "testkit"))]
mod repairs;
mod retention;
mod rolls;
mod timestamps;
mod transactions;
mod truncation;
