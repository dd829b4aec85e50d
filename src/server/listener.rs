//! Opening listeners, by address or as the settings say, and the handle on one.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::endpoints::{Address, Advertised, Audience};
use super::intercept::Interceptor;
use super::namespace::Namespace;
use super::network;
use super::service::{Listeners, ReservedName};
use crate::broker::{Broker, Handle};
use crate::config::{ConfigError, Endpoint, SecurityProtocol};
use crate::error::{Error, Result};
use crate::model::{BrokerId, ErrorCode};

/// The name of a listener that was opened by its address alone.
const PLAINTEXT: &str = "PLAINTEXT";

/// An address at which Kafka clients reach a [`Broker`].
///
/// A listener serves clients until it is closed with [`Listener::close`], or the broker is. Dropping the handle does not
/// close it, so a program that opens one for its whole life need not keep it; but the handle, like any other, keeps the
/// broker open. Clones name the same listener, and may be used from several threads.
///
/// # Examples
/// ```
/// use ottla::Broker;
/// # fn main() -> Result<(), ottla::Error> {
/// let broker = Broker::temporary()?;
/// let listener = broker.listen("127.0.0.1:0")?;
/// assert_ne!(listener.local_addr().port(), 0);
/// assert_eq!(listener.bootstrap_servers(), listener.local_addr().to_string());
///
/// listener.close();
/// assert!(std::net::TcpStream::connect(listener.local_addr()).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Listener {
    /// Keeps the broker open.
    _core: Handle,
    listeners: Arc<Listeners>,
    name: Arc<str>,
    local_addr: SocketAddr,
    bootstrap: Address,
}

impl Listener {
    /// The address that it listens on, with the port that it got.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// What clients on this machine take as `bootstrap.servers`: the address that the broker advertises, or
    /// `localhost` for a listener on all addresses, which tells each client the one that it has connected to.
    pub fn bootstrap_servers(&self) -> String {
        self.bootstrap.to_string()
    }

    /// Its name: that in `listeners`, or `PLAINTEXT`, `PLAINTEXT-2` and so on for those opened by
    /// [`Broker::listen`].
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Ends it: nobody can connect any more, and its connections are closed; what they had asked for may still be
    /// done. The broker and its other listeners go on. Closing again does nothing.
    pub fn close(&self) {
        self.listeners.close(&self.name);
    }

    /// Stops serving, here and on the broker's other listeners, until [`Listener::resume`]: as if the process were
    /// stopped.
    pub(crate) fn pause(&self) {
        self.listeners.pause();
    }

    /// Does something while nothing is served, here and on the broker's other listeners.
    pub(crate) fn while_paused<T>(&self, act: impl FnOnce() -> T) -> T {
        let was_paused = self.listeners.is_paused();
        self.listeners.pause();
        let result = act();
        if !was_paused {
            self.listeners.resume();
        }
        result
    }

    /// Serves again.
    pub(crate) fn resume(&self) {
        self.listeners.resume();
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Listener({}, {})", self.name, self.local_addr)
    }
}

/// Where to listen, and what to tell clients.
struct Plan {
    host: String,
    port: u16,
    /// Host and port that the settings say; a port 0 stands for the one that the listener gets.
    advertised: Option<(String, u16)>,
}

impl Broker {
    /// Lets Kafka clients in at `address`, such as `127.0.0.1:9092`, `localhost:0` or `[::1]:9092`: without a host on
    /// all addresses of this machine, with port 0 on any that is free. Clients are told this address with the port that
    /// it got; a listener on all addresses (`:9092`, `0.0.0.0:9092`) tells each client the one that it has connected to.
    ///
    /// There may be several listeners, on the same topics and groups.
    ///
    /// # Errors
    /// - [`InvalidConfig`](ErrorCode::InvalidConfig): the address is in use, is not one of this machine, or is none at
    ///   all; the message says what can be done.
    /// - [`BrokerNotAvailable`](ErrorCode::BrokerNotAvailable): the broker is closed.
    ///
    /// # Examples
    /// ```
    /// use std::io::{Read, Write};
    /// use ottla::Broker;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let broker = Broker::temporary()?;
    /// let listener = broker.listen("localhost:0")?;
    ///
    /// // Kafka's simplest question: which APIs there are (key 18, version 0, correlation id 7, no client id).
    /// let mut client = std::net::TcpStream::connect(listener.local_addr())?;
    /// client.write_all(&[0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 255, 255])?;
    /// let mut head = [0; 10];
    /// client.read_exact(&mut head)?;
    /// assert_eq!(head[4..], [0, 0, 0, 7, 0, 0], "the correlation id, and no error");
    /// # Ok(())
    /// # }
    /// ```
    pub fn listen(&self, address: impl AsRef<str>) -> Result<Listener> {
        self.listen_intercepted(address.as_ref(), None)
    }

    /// As [`Broker::listen`], with somebody who sees the requests of all listeners if this is the first one.
    pub(crate) fn listen_intercepted(
        &self,
        address: &str,
        interceptor: Option<Arc<dyn Interceptor>>,
    ) -> Result<Listener> {
        let bound = self.bind_address(address, interceptor)?;
        bound.announce();
        self.serve(bound)
    }

    /// As [`Broker::listen`], at an address for each of several brokers that this one is to its clients; they see a
    /// namespace only, if there is one. Clients are served when all addresses are taken, and told of all of them.
    pub(crate) fn listen_as_nodes(
        &self,
        doors: &[(BrokerId, String)],
        namespace: Option<Namespace>,
        interceptor: Option<&Arc<dyn Interceptor>>,
    ) -> Result<Vec<Listener>> {
        let namespace = namespace.map(Arc::new);
        let mut bound = Vec::with_capacity(doors.len());
        for (node, address) in doors {
            let audience = Audience { namespace: namespace.clone(), node: Some(*node) };
            bound.push(Bound { audience, ..self.bind_address(address, interceptor.cloned())? });
        }
        bound.iter().for_each(Bound::announce);
        bound.into_iter().map(|bound| self.serve(bound)).collect()
    }

    fn bind_address(&self, address: &str, interceptor: Option<Arc<dyn Interceptor>>) -> Result<Bound> {
        let (host, port) = split_address(address).ok_or_else(|| {
            let message = format!("'{address}' is no address to listen on: HOST:PORT is expected");
            Error::new(ErrorCode::InvalidConfig, message)
        })?;
        let listeners = Listeners::of(&self.core, interceptor)?;
        let name = listeners.reserve_free_name(PLAINTEXT);
        bind(name, Plan { host: host.to_owned(), port, advertised: None })
    }

    /// Opens all listeners that the setting `listeners` names, with the addresses that `advertised.listeners` gives to
    /// clients: what `ottla serve` does. Either all of them are open afterwards, or none.
    ///
    /// # Errors
    /// As [`Broker::listen`]; [`InvalidConfig`](ErrorCode::InvalidConfig) also for a listener that is to be protected,
    /// since only PLAINTEXT can be served.
    pub fn listen_configured(&self) -> Result<Vec<Listener>> {
        let config = self.core.config();
        let configured = config.effective_listeners().map_err(ConfigError::new)?;
        let listeners = Listeners::of(&self.core, None)?;
        let mut bound = Vec::new();
        for endpoint in &configured.bound {
            let Some(advertised) = configured.advertised_of(&endpoint.listener_name) else {
                // A listener of a KRaft controller, which there is none of.
                tracing::info!(listener = %endpoint, "the listener is not for clients, so it is not opened");
                continue;
            };
            check_protocol(endpoint)?;
            let advertised = Some((advertised.host.clone(), advertised.port));
            let plan = Plan { host: endpoint.host.clone(), port: endpoint.port, advertised };
            bound.push(bind(listeners.reserve_name(&endpoint.listener_name)?, plan)?);
        }
        // Not before all addresses are taken: a client that finds one listener may ask for another.
        let mut open: Vec<Listener> = Vec::with_capacity(bound.len());
        bound.iter().for_each(Bound::announce);
        for bound in bound {
            match self.serve(bound) {
                Ok(listener) => open.push(listener),
                Err(error) => {
                    open.iter().for_each(Listener::close);
                    return Err(error);
                }
            }
        }
        Ok(open)
    }

    fn serve(&self, bound: Bound) -> Result<Listener> {
        let Bound { name, socket, advertised, audience: _ } = bound;
        let local_addr = socket.local_addr();
        let bootstrap = advertised.bootstrap();
        let (listeners, name) = name.open(socket, &self.core.config())?;
        tracing::info!(listener = %name, address = %local_addr, advertised = %bootstrap, "listening");
        Ok(Listener { _core: self.core.clone(), listeners, name, local_addr, bootstrap })
    }
}

/// A listener that clients can connect to, and that nobody serves yet.
struct Bound {
    name: ReservedName,
    socket: network::Listener,
    advertised: Advertised,
    audience: Audience,
}

impl Bound {
    fn announce(&self) {
        self.name.announce(self.advertised.clone(), self.audience.clone());
    }
}

fn bind(name: ReservedName, plan: Plan) -> Result<Bound> {
    let socket = name.bind(&plan.host, plan.port)?;
    let local_addr = socket.local_addr();
    let port_or_own = |port| if port == 0 { local_addr.port() } else { port };
    let leads_somewhere = |host: &str| {
        !host.is_empty() && !host.parse::<IpAddr>().is_ok_and(|address| address.is_unspecified())
    };
    let advertised = match plan.advertised.filter(|(host, _)| leads_somewhere(host)) {
        Some((host, port)) => Advertised::At(Address { host: host.into(), port: port_or_own(port) }),
        None if local_addr.ip().is_unspecified() => Advertised::WhereTheyAre { port: local_addr.port() },
        None => Advertised::At(Address { host: plan.host.into(), port: local_addr.port() }),
    };
    Ok(Bound { name, socket, advertised, audience: Audience::default() })
}

fn check_protocol(endpoint: &Endpoint) -> Result<()> {
    match endpoint.security_protocol {
        SecurityProtocol::Plaintext => Ok(()),
        SecurityProtocol::Ssl | SecurityProtocol::SaslPlaintext | SecurityProtocol::SaslSsl => {
            let protocol = endpoint.security_protocol.name();
            let message = format!(
                "listener {endpoint} is to speak {protocol}, but this ottla speaks PLAINTEXT only: map the listener to \
                 PLAINTEXT in listener.security.protocol.map, and keep it to addresses that you trust"
            );
            Err(Error::new(ErrorCode::InvalidConfig, message))
        }
    }
}

/// `HOST:PORT`, where the host may be empty, and in brackets.
fn split_address(address: &str) -> Option<(&str, u16)> {
    let (host, port) = address.trim().rsplit_once(':')?;
    let inner = match host.strip_prefix('[') {
        Some(inner) => inner.strip_suffix(']')?,
        // A bare IPv6 address, whose last part would be taken for the port.
        None if host.contains(':') => return None,
        None => host,
    };
    Some((inner, port.parse().ok()?))
}
