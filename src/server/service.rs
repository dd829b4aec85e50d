//! What all listeners of a broker share: network threads, limits, handlers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::api::Apis;
use super::endpoints::{Advertised, Audience, Endpoints};
use super::intercept::Interceptor;
use super::network::{self, NetworkConfig, NetworkError, SocketServer};
use crate::broker::{BrokerCore, Service};
use crate::config::BrokerConfig;
use crate::error::{Error, Result};
use crate::model::ErrorCode;

/// The listeners of one broker. It comes with the first of them and stays until the broker is closed.
pub(super) struct Listeners {
    sockets: SocketServer,
    endpoints: Arc<Endpoints>,
    /// Those that are open, by name.
    names: Mutex<Vec<Arc<str>>>,
}

impl Listeners {
    /// The listeners of `core`: there are none until [`Listeners::open`].
    ///
    /// An interceptor counts if it comes with the first of them.
    pub(super) fn of(core: &Arc<BrokerCore>, interceptor: Option<Arc<dyn Interceptor>>) -> Result<Arc<Self>> {
        core.service(|| {
            let versions = interceptor.as_ref().and_then(|interceptor| interceptor.versions());
            let first = interceptor.as_ref().map_or(0, |interceptor| interceptor.first_connection());
            let endpoints = Arc::new(Endpoints::new(versions));
            let apis = Arc::new(Apis::new(Arc::downgrade(core), Arc::clone(&endpoints), interceptor));
            let config = network_config(&core.config(), &[])?;
            let sockets = SocketServer::start(config, apis, &core.env).map_err(explain)?;
            // There is no listener yet, and so no connection.
            sockets.number_connections_from(first);
            Ok(Listeners { sockets, endpoints, names: Mutex::default() })
        })
    }

    /// Takes a name that no open listener has: `wanted`, or else with a number behind it.
    pub(super) fn reserve_free_name(self: &Arc<Self>, wanted: &str) -> ReservedName {
        let mut names = self.names.lock();
        let mut name = wanted.to_owned();
        let mut number = 2;
        while names.iter().any(|open| **open == *name) {
            name = format!("{wanted}-{number}");
            number += 1;
        }
        ReservedName::new(self, &mut names, &name)
    }

    /// Takes the name.
    pub(super) fn reserve_name(self: &Arc<Self>, name: &str) -> Result<ReservedName> {
        let mut names = self.names.lock();
        if names.iter().any(|open| **open == *name) {
            let message = format!("a listener with the name {name} is open already: close it first");
            return Err(Error::new(ErrorCode::InvalidConfig, message));
        }
        Ok(ReservedName::new(self, &mut names, name))
    }

    /// Closes a listener and its connections. `name` has to be the one that its opening gave: another listener may
    /// have an equal one by now.
    pub(super) fn close(&self, name: &Arc<str>) {
        if self.release(name) {
            self.sockets.remove_listener(name);
            self.endpoints.remove(name);
        }
    }

    /// Stops serving until [`resume`](Self::resume), with all connections kept.
    pub(super) fn pause(&self) {
        self.sockets.hold();
    }

    /// Whether serving is stopped.
    pub(super) fn is_paused(&self) -> bool {
        self.sockets.is_held()
    }

    /// Serves again.
    pub(super) fn resume(&self) {
        self.sockets.release();
    }

    fn release(&self, name: &Arc<str>) -> bool {
        let mut names = self.names.lock();
        let before = names.len();
        names.retain(|open| !Arc::ptr_eq(open, name));
        names.len() < before
    }

    fn reconfigure_sockets(&self, config: &BrokerConfig) -> Result<()> {
        let config = network_config(config, &self.names.lock())?;
        self.sockets.reconfigure(config).map_err(explain)
    }
}

/// A listener's name, given back unless the listener is opened.
pub(super) struct ReservedName {
    listeners: Arc<Listeners>,
    name: Arc<str>,
    is_open: bool,
}

impl ReservedName {
    fn new(listeners: &Arc<Listeners>, names: &mut Vec<Arc<str>>, name: &str) -> Self {
        let name: Arc<str> = Arc::from(name);
        names.push(Arc::clone(&name));
        ReservedName { listeners: Arc::clone(listeners), name, is_open: false }
    }

    /// Takes the address. Clients can connect from now on, and are served from [`ReservedName::open`] on.
    pub(super) fn bind(&self, host: &str, port: u16) -> Result<network::Listener> {
        network::Listener::bind(&self.name, host, port, &self.listeners.sockets.config()).map_err(explain)
    }

    /// Tells the clients of other listeners of this one.
    pub(super) fn announce(&self, advertised: Advertised, audience: Audience) {
        self.listeners.endpoints.insert(Arc::clone(&self.name), advertised, audience);
    }

    /// Serves the clients of the listener.
    pub(super) fn open(
        mut self,
        listener: network::Listener,
        config: &BrokerConfig,
    ) -> Result<(Arc<Listeners>, Arc<str>)> {
        let listeners = &self.listeners;
        listeners.reconfigure_sockets(config)?;
        listeners.sockets.accept_from(listener).map_err(explain)?;
        self.is_open = true;
        Ok((Arc::clone(&self.listeners), Arc::clone(&self.name)))
    }
}

impl Drop for ReservedName {
    fn drop(&mut self) {
        if !self.is_open {
            self.listeners.endpoints.remove(&self.name);
            self.listeners.release(&self.name);
        }
    }
}

impl Service for Listeners {
    fn stop(&self) {
        self.sockets.shutdown();
    }

    fn settle(&self) {
        self.sockets.settle();
    }

    fn next_deadline(&self) -> Option<Duration> {
        self.sockets.next_deadline()
    }

    fn reconfigure(&self, config: &BrokerConfig) {
        if let Err(error) = self.reconfigure_sockets(config) {
            tracing::error!(%error, "the listeners keep their settings");
        }
    }
}

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listeners")
            .field("names", &*self.names.lock())
            .field("sockets", &self.sockets)
            .finish_non_exhaustive()
    }
}

fn network_config(config: &BrokerConfig, listeners: &[Arc<str>]) -> Result<NetworkConfig> {
    NetworkConfig::of_broker(config, listeners.iter().map(|name| &**name))
        .map_err(|error| Error::caused(error.code(), "cannot listen", error))
}

/// Says what can be done.
fn explain(error: NetworkError) -> Error {
    use std::io::ErrorKind::{AddrInUse, AddrNotAvailable, PermissionDenied};
    let remedy = match &error {
        NetworkError::Bind { source, .. } => match source.kind() {
            AddrInUse => {
                "stop the program that listens there, or choose another port (0 is any that is free)"
            }
            PermissionDenied => "choose a port from 1024 on, or run with the right to use this one",
            AddrNotAvailable => "choose an address of this machine, such as 127.0.0.1 or 0.0.0.0",
            _ => "choose another address",
        },
        NetworkError::UnknownHost { .. } => "choose an address of this machine, or a name that leads to one",
        NetworkError::Poll(_) | NetworkError::Spawn { .. } => "raise the limits of files and threads",
    };
    let code = error.code();
    let reason = std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
    let message = format!("{error}{reason}; {remedy}");
    Error::with_source(code, message, error)
}
