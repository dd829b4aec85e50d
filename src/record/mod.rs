//! Records as bytes: batches of magic 2, message sets of magic 0 and 1, checksums, compression, and the rules
//! that a produced batch must keep. Nothing here reads a clock, takes a lock or touches a file.

mod records;

pub use records::Records;
