//! Moves frames between sockets and a [`RequestHandler`], and knows nothing of what is in them; of `protocol` it only
//! takes the form in which a frame goes out.
//!
//! ```text
//!   Listener ──accept──► Processor 0 ──┬─► its own connections
//!                                      └─► Processor 1, 2, …: theirs
//!   Processor: Poller ► Channel: Receive ► RequestHandler ► replies in order ► Transport
//!                          ▲                   │ Pending
//!                          └──── Mailbox ◄── Responder, from any thread
//! ```
//!
//! A request that can be answered at once is answered on the thread that read it, with no queue, lock or hand-off in
//! between; whatever has to wait keeps its place with a [`Responder`], while the requests behind it on the same
//! connection are taken up. Of what waits, all connections together may have so much (`gate`); beyond, nothing is read.

mod acceptor;
mod channel;
mod config;
mod error;
mod gate;
mod handler;
mod idle;
mod mailbox;
mod metrics;
mod processor;
mod quotas;
mod receive;
mod send;
mod slots;
mod socket_server;
mod transport;

#[cfg(test)]
mod tests;

pub(crate) use crate::protocol::Segment;
pub(crate) use acceptor::Listener;
pub(crate) use config::{ListenerLimits, NetworkConfig};
pub(crate) use error::NetworkError;
pub(crate) use handler::{ConnectionContext, Outcome, RequestHandler, Responder, Slot};
pub(crate) use send::SendFrame;
pub(crate) use socket_server::SocketServer;
