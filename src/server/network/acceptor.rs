//! Listening sockets (Kafka: `Acceptor`).

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use super::config::NetworkConfig;
use super::error::NetworkError;
use super::handler::ConnectionContext;
use super::quotas::Permit;

/// How long a listener rests when the system has no descriptor or memory for another connection.
pub(super) const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// A socket that listens. Clients can connect from now on, and wait until [`super::SocketServer::accept_from`] takes it.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(super) name: Arc<str>,
    pub(super) socket: TcpListener,
    pub(super) address: SocketAddr,
}

impl Listener {
    /// Listens on `host` (empty: all addresses of this machine, IPv6 and IPv4) and `port` (0: any that is free).
    pub(crate) fn bind(
        name: &str,
        host: &str,
        port: u16,
        config: &NetworkConfig,
    ) -> Result<Self, NetworkError> {
        let addresses: Vec<SocketAddr> = if host.trim().is_empty() {
            vec![
                (std::net::Ipv6Addr::UNSPECIFIED, port).into(),
                (std::net::Ipv4Addr::UNSPECIFIED, port).into(),
            ]
        } else {
            let host = host.trim().trim_start_matches('[').trim_end_matches(']');
            let unknown = |source| NetworkError::UnknownHost {
                listener: name.to_owned(),
                host: host.to_owned(),
                source,
            };
            let mut addresses: Vec<_> = (host, port).to_socket_addrs().map_err(unknown)?.collect();
            // IPv4 first, as Java's resolver has it: `localhost` is 127.0.0.1 for most clients.
            addresses.sort_by_key(SocketAddr::is_ipv6);
            addresses
        };
        let mut failed = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in addresses {
            match listen(address, config) {
                Ok((socket, address)) => return Ok(Listener { name: Arc::from(name), socket, address }),
                // A machine without one of the two has the other. A port in use is not tried elsewhere.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                    failed = error;
                    break;
                }
                Err(error) => failed = error,
            }
        }
        let address = format!("{host}:{port}");
        Err(NetworkError::Bind { listener: name.to_owned(), address, source: failed })
    }

    /// The address that it listens on, with the port that it really has.
    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.address
    }
}

fn listen(address: SocketAddr, config: &NetworkConfig) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // Elsewhere than on Windows, where it would let another process take the port over, this only allows a
    // restart while old connections of the port are still in TIME_WAIT.
    #[cfg(not(windows))]
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // Before `listen`, so that accepted connections inherit it and announce a window that fits.
    if let Some(bytes) = buffer_bytes(config.socket_receive_buffer_bytes) {
        socket.set_recv_buffer_size(bytes)?;
    }
    socket.bind(&address.into())?;
    socket.listen(config.socket_listen_backlog_size.max(1))?;
    socket.set_nonblocking(true)?;
    let socket = TcpListener::from_std(socket.into());
    let address = socket.local_addr()?;
    Ok((socket, address))
}

/// A buffer size as Kafka gives it: -1 leaves it to the system.
fn buffer_bytes(value: i32) -> Option<usize> {
    usize::try_from(value).ok().filter(|bytes| *bytes > 0)
}

/// An accepted connection on its way to the thread that will serve it.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) stream: TcpStream,
    pub(super) context: Arc<ConnectionContext>,
    pub(super) permit: Permit,
}

/// Sets what every connection has (Kafka: `Acceptor#configureAcceptedSocketChannel`).
pub(super) fn configure(stream: &TcpStream, config: &NetworkConfig) -> io::Result<()> {
    let socket = SockRef::from(stream);
    socket.set_tcp_nodelay(true)?;
    socket.set_keepalive(true)?;
    match buffer_bytes(config.socket_send_buffer_bytes) {
        Some(bytes) => socket.set_send_buffer_size(bytes),
        None => Ok(()),
    }
}

/// Ends a connection so that the client learns of it as an error, and not as an end.
pub(super) fn reset(stream: TcpStream) {
    // If it cannot be done, the connection ends as others do.
    let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    drop(stream);
}

/// A listener as its network thread sees it.
#[derive(Debug)]
pub(super) struct Acceptor {
    pub(super) token: usize,
    pub(super) listener: Listener,
    /// Connections may be waiting.
    pub(super) ready: bool,
    pub(super) hold: Hold,
}

/// Why a listener does not accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// It does.
    None,
    /// New connections come too fast; on the monotonic clock.
    Until(Duration),
    /// There are as many connections as may be.
    UntilClose,
    /// The system is short of something. The end is on the broker's clock, but the thread also looks again when it
    /// has rested for real: what the system lacks does not depend on a clock that a test holds still.
    Backoff(Duration),
}

impl Acceptor {
    pub(super) fn new(token: usize, listener: Listener) -> Self {
        // Clients may have connected before anybody watched.
        Acceptor { token, listener, ready: true, hold: Hold::None }
    }

    /// When it may go on; `None` if that does not depend on time.
    pub(super) fn resumes_at(&self) -> Option<Duration> {
        match self.hold {
            Hold::Until(at) | Hold::Backoff(at) if self.ready => Some(at),
            _ => None,
        }
    }

    /// Whether there is something to accept now.
    pub(super) fn may_accept(&mut self, now: Duration) -> bool {
        if matches!(self.hold, Hold::Until(at) | Hold::Backoff(at) if at <= now) {
            self.hold = Hold::None;
        }
        self.ready && self.hold == Hold::None
    }

    /// Takes note that accepting failed.
    pub(super) fn on_error(&mut self, error: &io::Error, now: Duration) {
        use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, WouldBlock};
        match error.kind() {
            WouldBlock => self.ready = false,
            // The client has gone while it waited; the next one may be fine.
            ConnectionAborted | ConnectionReset | Interrupted => {}
            _ => {
                let listener = &*self.listener.name;
                tracing::error!(listener, %error, "cannot accept a connection; trying again soon");
                self.hold = Hold::Backoff(now + ACCEPT_BACKOFF);
            }
        }
    }
}
