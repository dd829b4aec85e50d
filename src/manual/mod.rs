//! The handbook: what does not belong to a single item.
//!
//! - [`durability`]: what is promised when, and what a crash may take.
//! - [`disk_format`]: every file that ottla writes, byte for byte.
//! - [`operating`]: `ottla serve`, its settings, its signals, its messages.
//! - `testing`: brokers for tests: time, waiting, looking, faults, and all of it from other languages.

pub mod disk_format;
pub mod durability;
pub mod operating;
#[cfg(feature = "testkit")]
pub mod testing;
