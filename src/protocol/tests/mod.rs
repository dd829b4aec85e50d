//! What can only be said from inside: every API in every version, against other implementations and against damage.

mod differential;
pub(in crate::protocol) mod generate;
mod round_trip;
