//! Why the network layer cannot start.

use std::io;

use crate::model::ErrorCode;

/// What keeps a listener from being opened. (What goes wrong later on a single connection ends that connection.)
#[derive(Debug, thiserror::Error)]
pub(crate) enum NetworkError {
    /// The host of a listener has no address.
    #[error("listener {listener}: cannot resolve host '{host}'")]
    UnknownHost { listener: String, host: String, source: io::Error },
    /// The address is in use, not of this machine, or needs rights that the process lacks.
    #[error("listener {listener}: cannot listen on {address}")]
    Bind { listener: String, address: String, source: io::Error },
    /// The system has no room for another poller or registration.
    #[error("cannot watch sockets")]
    Poll(#[source] io::Error),
    /// The system has no room for another thread.
    #[error("cannot start network thread {name}")]
    Spawn { name: String, source: io::Error },
}

impl NetworkError {
    /// Kafka's code for it.
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            NetworkError::UnknownHost { .. } | NetworkError::Bind { .. } => ErrorCode::InvalidConfig,
            NetworkError::Poll(_) | NetworkError::Spawn { .. } => ErrorCode::UnknownServerError,
        }
    }
}
