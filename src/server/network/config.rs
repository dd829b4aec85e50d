//! The settings of the network layer.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};

use crate::config::BrokerConfig;
use crate::model::ErrorCode;

/// SO_RCVBUF where nobody has set `socket.receive.buffer.bytes`: larger than Kafka's default of 102,400 bytes.
///
/// With a window of that size a producer with large batches always waits for it to open, and each opening makes the
/// kernel do the sender's work on the time of the thread that reads: a third of all that the broker used. The system
/// takes no memory for it before bytes arrive, and may cap it (Linux: `net.core.rmem_max`).
const DEFAULT_RECEIVE_BUFFER_BYTES: i32 = 1024 * 1024;

/// The network layer's share of the broker's settings. Fields are named as Kafka's keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NetworkConfig {
    /// Threads that move frames, at least one; for all listeners together. Read at the start.
    pub(crate) num_network_threads: i32,
    /// SO_SNDBUF of each connection; -1 leaves it to the system.
    pub(crate) socket_send_buffer_bytes: i32,
    /// SO_RCVBUF of each connection; -1 leaves it to the system. [`DEFAULT_RECEIVE_BUFFER_BYTES`] unless it is set.
    pub(crate) socket_receive_buffer_bytes: i32,
    /// The largest frame; a connection that announces a larger one is closed.
    pub(crate) socket_request_max_bytes: i32,
    /// Requests that may wait for a thread before no more are read. Read at the start.
    pub(crate) queued_max_requests: i32,
    /// Bytes of requests in memory, of all connections, before no further one is begun; -1: no limit. Read at the start.
    pub(crate) queued_max_request_bytes: i64,
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

/// What a broker without settings has.
impl Default for NetworkConfig {
    fn default() -> Self {
        NetworkConfig::plain(&BrokerConfig::default())
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

/// A host of `max.connections.per.ip.overrides` has no address.
#[derive(Debug, thiserror::Error)]
#[error("max.connections.per.ip.overrides: host '{host}' cannot be resolved")]
pub(crate) struct UnknownHost {
    host: String,
    source: io::Error,
}

impl UnknownHost {
    /// Kafka's code for it.
    pub(crate) fn code(&self) -> ErrorCode {
        ErrorCode::InvalidConfig
    }
}

impl NetworkConfig {
    /// The network layer's share of a broker's settings, with what stands there for single `listeners`.
    pub(crate) fn of_broker<'a>(
        config: &BrokerConfig,
        listeners: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, UnknownHost> {
        // What is malformed was refused when the setting was read.
        let overrides = config.max_connections_per_ip_overrides_by_host().unwrap_or_default();
        let limits_of = |listener: &str| {
            let own = config.for_listener(listener);
            ListenerLimits {
                max_connections: own.max_connections,
                max_connection_creation_rate: own.max_connection_creation_rate,
            }
        };
        Ok(NetworkConfig {
            max_connections_per_ip_overrides: resolve_overrides(overrides)?,
            listeners: listeners.into_iter().map(|name| (name.to_owned(), limits_of(name))).collect(),
            ..NetworkConfig::plain(config)
        })
    }

    /// What needs no further thought.
    fn plain(config: &BrokerConfig) -> Self {
        NetworkConfig {
            num_network_threads: config.num_network_threads,
            socket_send_buffer_bytes: config.socket_send_buffer_bytes,
            socket_receive_buffer_bytes: if config.is_given("socket.receive.buffer.bytes") {
                config.socket_receive_buffer_bytes
            } else {
                DEFAULT_RECEIVE_BUFFER_BYTES
            },
            socket_request_max_bytes: config.socket_request_max_bytes,
            queued_max_requests: config.queued_max_requests,
            queued_max_request_bytes: config.queued_max_request_bytes,
            socket_listen_backlog_size: config.socket_listen_backlog_size,
            max_connections: config.max_connections,
            max_connections_per_ip: config.max_connections_per_ip,
            max_connections_per_ip_overrides: BTreeMap::new(),
            max_connection_creation_rate: config.max_connection_creation_rate,
            connections_max_idle_ms: config.connections_max_idle_ms,
            listeners: BTreeMap::new(),
        }
    }
}

/// Limits by address out of limits by host; a host name stands for all its addresses (Kafka: `ConnectionQuotas`).
pub(super) fn resolve_overrides(
    overrides: impl IntoIterator<Item = (String, i32)>,
) -> Result<BTreeMap<IpAddr, i32>, UnknownHost> {
    let mut limits = BTreeMap::new();
    for (host, limit) in overrides {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        match (bare, 0).to_socket_addrs() {
            Ok(addresses) => limits.extend(addresses.map(|address| (address.ip().to_canonical(), limit))),
            Err(source) => return Err(UnknownHost { host, source }),
        }
    }
    Ok(limits)
}
