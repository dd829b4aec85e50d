//! What the `ottla` binary does with the files of a broker that does not run.

mod dump_log;
mod java_string;
mod repair;
mod verify;

pub use dump_log::{DumpLog, PayloadDecoder};
pub use repair::RepairLogDir;
pub use verify::VerifyLogDir;
