//! What can only be said from inside: every API in every version, against other implementations and against damage.

mod differential;
mod frames;
pub(crate) mod generate;
mod golden;
mod hostile;
mod round_trip;
