//! Where clients find the broker: what each listener advertises.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;

use super::namespace::Namespace;
use super::network::ConnectionContext;
use crate::protocol::StrBytes;

/// What the listeners advertise, by name. Shared by the listeners, which come and go, and the handlers.
#[derive(Debug, Default)]
pub(super) struct Endpoints {
    advertised: RwLock<HashMap<Arc<str>, Advertised>>,
    namespaces: RwLock<HashMap<Arc<str>, Arc<Namespace>>>,
    /// There were namespaces: without, nobody looks for one.
    has_namespaces: AtomicBool,
}

/// How clients of a listener reach the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Advertised {
    /// At this address.
    At(Address),
    /// At the address that they are connected to already: for a listener on all addresses of the machine, of which
    /// none is the right one for everybody.
    WhereTheyAre {
        /// The port that the listener got.
        port: u16,
    },
}

/// A host and a port, as a client is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) host: StrBytes,
    pub(super) port: u16,
}

/// `host:port`, with brackets around an IPv6 address.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "{open}{}{close}:{}", self.host, self.port)
    }
}

impl Endpoints {
    pub(super) fn insert(&self, listener: Arc<str>, advertised: Advertised) {
        self.advertised.write().insert(listener, advertised);
    }

    pub(super) fn remove(&self, listener: &str) {
        self.advertised.write().remove(listener);
        self.namespaces.write().remove(listener);
    }

    /// Lets the clients of a listener see a part of the broker only.
    pub(super) fn confine(&self, listener: Arc<str>, namespace: Namespace) {
        self.namespaces.write().insert(listener, Arc::new(namespace));
        self.has_namespaces.store(true, Ordering::Release);
    }

    /// The part of the broker that a client sees, if that is not all of it.
    pub(super) fn namespace(&self, connection: &ConnectionContext) -> Option<Arc<Namespace>> {
        if !self.has_namespaces.load(Ordering::Acquire) {
            return None;
        }
        self.namespaces.read().get(&connection.listener).cloned()
    }

    /// What a client is told. If its listener was closed meanwhile, that is the address that it is connected to.
    pub(super) fn advertised(&self, connection: &ConnectionContext) -> Address {
        match self.advertised.read().get(&connection.listener) {
            Some(Advertised::At(address)) => address.clone(),
            Some(Advertised::WhereTheyAre { .. }) | None => address_of(connection.local),
        }
    }
}

impl Advertised {
    /// An address to start from, for a program on this machine.
    pub(super) fn bootstrap(&self) -> Address {
        match self {
            Advertised::At(address) => address.clone(),
            Advertised::WhereTheyAre { port } => {
                Address { host: StrBytes::from_static("localhost"), port: *port }
            }
        }
    }
}

/// The address as it is written for people; an IPv4 address that came over an IPv6 socket is an IPv4 address.
pub(super) fn address_of(socket: SocketAddr) -> Address {
    Address { host: socket.ip().to_canonical().to_string().into(), port: socket.port() }
}
