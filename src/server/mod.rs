//! The listener: any Kafka client, over TCP, on the topics of a broker in this process.
//!
//! ```text
//!   Listener ─► Service ─┬─► network/   frames between sockets and …
//!                        └─► api/       … one file for each API: a message in, a call of the broker, a message out
//! ```

mod api;
mod endpoints;
pub(crate) mod intercept;
mod listener;
pub(crate) mod namespace;
mod network;
mod service;
#[cfg_attr(
    not(feature = "testkit"),
    allow(unreachable_pub, reason = "only a test's broker is like an older one")
)]
mod versions;

pub use listener::Listener;
#[cfg(feature = "testkit")]
pub use versions::ApiVersionRanges;
