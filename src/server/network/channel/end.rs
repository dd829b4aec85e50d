//! Why connections end.

use std::io;

use crate::server::network::handler::ConnectionContext;
use crate::server::network::receive::FrameError;

/// Why a connection ends.
#[derive(Debug)]
pub(in crate::server::network) enum End {
    /// The peer has closed it.
    PeerClosed,
    /// The peer sent what is no frame.
    Frame(FrameError),
    /// The handler wants it.
    Handler,
    /// A request will not be answered any more.
    Unanswered,
    /// The handler panicked.
    Panic(String),
    /// The socket failed.
    Socket(io::Error),
    /// A file that is part of an answer cannot be read.
    File(io::Error),
    /// An answer is larger than a frame can be.
    AnswerTooLarge(usize),
    /// Nothing has moved for too long.
    Idle,
    /// The listener is closed, or the broker stops.
    Stopped,
}

/// Says why a connection has ended, as loudly as it matters to the operator.
pub(in crate::server::network) fn log_end(context: &ConnectionContext, end: &End) {
    let ConnectionContext { id, listener, peer, .. } = context;
    match end {
        End::PeerClosed => tracing::debug!(id, %listener, %peer, "the client has closed the connection"),
        End::Socket(error) => tracing::debug!(id, %listener, %peer, %error, "the connection broke"),
        End::Handler => tracing::debug!(id, %listener, %peer, "closed the connection after a request"),
        End::Idle => tracing::debug!(id, %listener, %peer, "closed an idle connection"),
        End::Stopped => tracing::debug!(id, %listener, %peer, "closed the connection to stop"),
        End::Frame(error) => tracing::warn!(id, %listener, %peer, %error, "closed the connection"),
        End::Unanswered => {
            tracing::warn!(id, %listener, %peer, "closed the connection: a request was left without an answer");
        }
        End::File(error) => {
            tracing::error!(id, %listener, %peer, %error, "closed the connection: cannot read a log to send it");
        }
        End::AnswerTooLarge(size) => {
            tracing::error!(id, %listener, %peer, size, "closed the connection: the answer is too large");
        }
        End::Panic(message) => {
            tracing::error!(id, %listener, %peer, message, "closed the connection: a request handler panicked");
        }
    }
}
