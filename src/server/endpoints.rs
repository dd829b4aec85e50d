//! Where clients find the broker: what each listener advertises, and as which broker.
//!
//! A broker that plays several ([`Nodes`](crate::broker::Nodes)) has a listener for each of them, and once more for each
//! namespace: a client is told of those of its own kind.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;

use super::namespace::Namespace;
use super::network::ConnectionContext;
use super::versions::ApiVersionRanges;
use crate::model::BrokerId;
use crate::protocol::StrBytes;

/// What the listeners advertise, by name. Shared by the listeners, which come and go, and the handlers.
#[derive(Debug, Default)]
pub(super) struct Endpoints {
    listeners: RwLock<HashMap<Arc<str>, Endpoint>>,
    /// There were namespaces: without, nobody looks for one.
    has_namespaces: AtomicBool,
    /// The versions of each API, where not all of them are offered.
    versions: Option<ApiVersionRanges>,
}

/// One listener.
#[derive(Clone, Debug)]
struct Endpoint {
    advertised: Advertised,
    audience: Audience,
}

/// Whom a listener is for.
#[derive(Clone, Debug, Default)]
pub(super) struct Audience {
    /// What its clients see, if that is not all of the broker.
    pub(super) namespace: Option<Arc<Namespace>>,
    /// Which broker it is to them, if there are several.
    pub(super) node: Option<BrokerId>,
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
    /// None yet, on which these versions are offered.
    pub(super) fn new(versions: Option<ApiVersionRanges>) -> Self {
        Endpoints { versions, ..Endpoints::default() }
    }

    /// The versions of each API, where not all of them are offered.
    pub(super) fn versions(&self) -> Option<&ApiVersionRanges> {
        self.versions.as_ref()
    }

    pub(super) fn insert(&self, listener: Arc<str>, advertised: Advertised, audience: Audience) {
        if audience.namespace.is_some() {
            self.has_namespaces.store(true, Ordering::Release);
        }
        self.listeners.write().insert(listener, Endpoint { advertised, audience });
    }

    pub(super) fn remove(&self, listener: &str) {
        self.listeners.write().remove(listener);
    }

    /// The part of the broker that a client sees, if that is not all of it.
    pub(super) fn namespace(&self, connection: &ConnectionContext) -> Option<Arc<Namespace>> {
        if !self.has_namespaces.load(Ordering::Acquire) {
            return None;
        }
        self.listeners.read().get(&connection.listener)?.audience.namespace.clone()
    }

    /// Which broker a client has connected to, if there are several.
    pub(super) fn node(&self, connection: &ConnectionContext) -> Option<BrokerId> {
        self.listeners.read().get(&connection.listener)?.audience.node
    }

    /// What a client is told. If its listener was closed meanwhile, that is the address that it is connected to.
    pub(super) fn advertised(&self, connection: &ConnectionContext) -> Address {
        match self.listeners.read().get(&connection.listener).map(|endpoint| &endpoint.advertised) {
            Some(Advertised::At(address)) => address.clone(),
            Some(Advertised::WhereTheyAre { .. }) | None => address_of(connection.local),
        }
    }

    /// What a client is told of where another broker is; `None` if that is down.
    pub(super) fn advertised_of(&self, connection: &ConnectionContext, node: BrokerId) -> Option<Address> {
        let listeners = self.listeners.read();
        let own = listeners.get(&connection.listener).map(|endpoint| &endpoint.audience.namespace);
        let is_it = |endpoint: &&Endpoint| {
            endpoint.audience.node == Some(node) && own.is_none_or(|own| *own == endpoint.audience.namespace)
        };
        listeners.values().find(is_it).map(|endpoint| endpoint.advertised.bootstrap())
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
