//! Moves frames between sockets and a [`RequestHandler`], and knows nothing of what is in them.

mod config;
mod handler;
mod mailbox;
mod send;

pub(crate) use config::{ListenerLimits, NetworkConfig, OverrideError, parse_per_ip_overrides};
pub(crate) use handler::{ConnectionContext, Outcome, RequestHandler, Responder, Slot};
pub(crate) use send::{Segment, SendFrame};
