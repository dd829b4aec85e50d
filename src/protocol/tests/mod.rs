//! What can only be said from inside: every API in every version, against other implementations and against damage.

mod differential;
mod frames;
pub(in crate::protocol) mod generate;
mod golden;
mod hostile;
mod round_trip;
