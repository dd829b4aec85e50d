//! A port that stays with its test, also while nobody listens on it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

/// A port of 127.0.0.1 that other programs are not given as long as this lives. The broker listens on it, stops, and
/// listens on it again.
#[derive(Debug)]
pub(super) struct HeldPort {
    port: u16,
    /// Bound, and never listening: so that a client meets a refusal, and nobody else gets the port. That another
    /// socket may listen there is how Linux reads SO_REUSEADDR; elsewhere the port is only remembered.
    #[cfg(target_os = "linux")]
    _socket: socket2::Socket,
}

impl HeldPort {
    /// Takes a port that is free.
    #[cfg(target_os = "linux")]
    pub(super) fn take() -> io::Result<Self> {
        use socket2::{Domain, Protocol, Socket, Type};
        let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
        let address = socket.local_addr()?.as_socket().ok_or(io::ErrorKind::AddrNotAvailable)?;
        Ok(HeldPort { port: address.port(), _socket: socket })
    }

    /// None yet: [`HeldPort::remember`] says which it became.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn take() -> io::Result<Self> {
        Ok(HeldPort { port: 0 })
    }

    /// Notes which port the broker got, if it is not held already.
    pub(super) fn remember(&mut self, address: SocketAddr) {
        self.port = address.port();
    }

    /// The address, once it is known.
    pub(super) fn socket_addr(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Where to listen.
    pub(super) fn address(&self) -> String {
        format!("{}:{}", Ipv4Addr::LOCALHOST, self.port)
    }
}
