//! The settings of the network layer.

use std::collections::BTreeMap;
use std::net::{IpAddr, ToSocketAddrs};

/// The network layer's share of the broker's settings. Fields are named as Kafka's keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NetworkConfig {
    /// Threads that move frames, at least one; for all listeners together. Read at the start.
    pub(crate) num_network_threads: i32,
    /// SO_SNDBUF of each connection; -1 leaves it to the system.
    pub(crate) socket_send_buffer_bytes: i32,
    /// SO_RCVBUF of each connection; -1 leaves it to the system.
    pub(crate) socket_receive_buffer_bytes: i32,
    /// The largest frame; a connection that announces a larger one is closed.
    pub(crate) socket_request_max_bytes: i32,
    /// How many connections the system keeps until they are accepted.
    pub(crate) socket_listen_backlog_size: i32,
    /// Connections of all listeners; beyond, none is accepted until one ends.
    pub(crate) max_connections: i32,
    /// Connections of one address; those beyond are closed at once.
    pub(crate) max_connections_per_ip: i32,
    /// Addresses with a limit of their own.
    pub(crate) max_connections_per_ip_overrides: BTreeMap<IpAddr, i32>,
    /// Connections accepted per second by all listeners; those beyond wait.
    pub(crate) max_connection_creation_rate: i32,
    /// A connection on which nothing moves for so long, and to which nothing is owed, is closed; negative: never.
    pub(crate) connections_max_idle_ms: i64,
    /// Limits of single listeners, by name (keys with the prefix `listener.name.NAME.`), beside those of all.
    pub(crate) listeners: BTreeMap<String, ListenerLimits>,
}

/// The limits of one listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ListenerLimits {
    /// Connections of this listener.
    pub(crate) max_connections: i32,
    /// Connections that this listener accepts per second.
    pub(crate) max_connection_creation_rate: i32,
}

impl Default for ListenerLimits {
    fn default() -> Self {
        ListenerLimits { max_connections: i32::MAX, max_connection_creation_rate: i32::MAX }
    }
}

impl Default for NetworkConfig {
    fn default() -> Self {
        NetworkConfig {
            num_network_threads: 3,
            socket_send_buffer_bytes: 102_400,
            socket_receive_buffer_bytes: 102_400,
            socket_request_max_bytes: 104_857_600,
            socket_listen_backlog_size: 50,
            max_connections: i32::MAX,
            max_connections_per_ip: i32::MAX,
            max_connections_per_ip_overrides: BTreeMap::new(),
            max_connection_creation_rate: i32::MAX,
            connections_max_idle_ms: 600_000,
            listeners: BTreeMap::new(),
        }
    }
}

impl NetworkConfig {
    /// The limit for connections of `address`.
    pub(super) fn connections_per_ip(&self, address: IpAddr) -> i32 {
        let own = self.max_connections_per_ip_overrides.get(&address.to_canonical());
        own.copied().unwrap_or(self.max_connections_per_ip)
    }

    /// The limits of the listener `name` alone.
    pub(super) fn listener_limits(&self, name: &str) -> ListenerLimits {
        self.listeners.get(name).copied().unwrap_or_default()
    }
}

/// Why `max.connections.per.ip.overrides` is wrong.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum OverrideError {
    /// An entry is not `host:limit`.
    #[error("'{entry}' is not of the form host:limit")]
    Malformed { entry: String },
    /// The host has no address.
    #[error("host '{host}' cannot be resolved: {reason}")]
    UnknownHost { host: String, reason: String },
}

/// Reads `max.connections.per.ip.overrides`: entries `host:limit`, where a host may be a name, which stands for all
/// its addresses (Kafka: `ConnectionQuotas`).
pub(crate) fn parse_per_ip_overrides<S: AsRef<str>>(
    entries: impl IntoIterator<Item = S>,
) -> Result<BTreeMap<IpAddr, i32>, OverrideError> {
    let mut limits = BTreeMap::new();
    for entry in entries {
        let entry = entry.as_ref().trim();
        if entry.is_empty() {
            continue;
        }
        let malformed = || OverrideError::Malformed { entry: entry.to_owned() };
        let (host, limit) = entry.rsplit_once(':').ok_or_else(malformed)?;
        let limit: i32 = limit.trim().parse().ok().filter(|limit| *limit >= 0).ok_or_else(malformed)?;
        let host = host.trim().trim_start_matches('[').trim_end_matches(']');
        let addresses = (host, 0).to_socket_addrs().map_err(|error| OverrideError::UnknownHost {
            host: host.to_owned(),
            reason: error.to_string(),
        })?;
        limits.extend(addresses.map(|address| (address.ip().to_canonical(), limit)));
    }
    Ok(limits)
}
