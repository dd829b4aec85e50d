//! Where clients find a test's broker: an address for each of the brokers that it is to them.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use super::held_port::HeldPort;
use crate::broker::Broker;
use crate::error::Result;
use crate::model::BrokerId;
use crate::server::intercept::Interceptor;
use crate::server::{Listener, namespace};

/// The addresses of one broker, or of a namespace on it. They stay while the broker behind them comes and goes.
#[derive(Debug)]
pub(super) struct Doors {
    namespace: Option<String>,
    doors: Vec<Door>,
}

#[derive(Debug)]
struct Door {
    node: BrokerId,
    port: HeldPort,
    /// While somebody listens there.
    listener: Option<Listener>,
}

impl Doors {
    /// Takes a port for each broker.
    pub(super) fn take(nodes: &[BrokerId], namespace: Option<String>) -> io::Result<Self> {
        let door = |node: &BrokerId| Ok(Door { node: *node, port: HeldPort::take()?, listener: None });
        Ok(Doors { namespace, doors: nodes.iter().map(door).collect::<io::Result<_>>()? })
    }

    /// Listens at all addresses. Returns the first listener.
    pub(super) fn open(&mut self, broker: &Broker, watch: Option<&Arc<dyn Interceptor>>) -> Result<Listener> {
        let nodes: Vec<_> = self.doors.iter().map(|door| door.node).collect();
        self.listen(broker, &nodes, watch)?;
        let first = self.doors.first().and_then(|door| door.listener.clone());
        Ok(first.expect("a broker has at least one address"))
    }

    /// Listens at the address of one broker.
    pub(super) fn open_node(&mut self, broker: &Broker, node: BrokerId) -> Result<()> {
        self.listen(broker, &[node], None)
    }

    fn listen(
        &mut self,
        broker: &Broker,
        nodes: &[BrokerId],
        watch: Option<&Arc<dyn Interceptor>>,
    ) -> Result<()> {
        let addresses: Vec<_> = self.of(nodes).map(|door| (door.node, door.port.address())).collect();
        let namespace = self.namespace.as_deref().map(namespace::Namespace::new);
        let listeners = broker.listen_as_nodes(&addresses, namespace, watch)?;
        for (door, listener) in self.of(nodes).zip(listeners) {
            door.port.remember(listener.local_addr());
            door.listener = Some(listener);
        }
        Ok(())
    }

    fn of<'a>(&'a mut self, nodes: &'a [BrokerId]) -> impl Iterator<Item = &'a mut Door> {
        self.doors.iter_mut().filter(|door| nodes.contains(&door.node))
    }

    /// Closes the address of one broker, with its connections; the port stays taken.
    pub(super) fn close_node(&mut self, node: BrokerId) {
        for listener in self.of(&[node]).filter_map(|door| door.listener.take()) {
            listener.close();
        }
    }

    /// Closes all of them.
    pub(super) fn close(&mut self) {
        self.doors.iter_mut().filter_map(|door| door.listener.take()).for_each(|listener| listener.close());
    }

    /// The address of one broker.
    pub(super) fn address(&self, node: BrokerId) -> Option<SocketAddr> {
        self.doors.iter().find(|door| door.node == node).map(|door| door.port.socket_addr())
    }

    /// The addresses, in the order of the brokers.
    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.doors.iter().map(|door| door.port.socket_addr()).collect()
    }

    /// The addresses as a client takes them.
    pub(super) fn bootstrap_servers(&self) -> String {
        let addresses: Vec<_> = self.addresses().iter().map(SocketAddr::to_string).collect();
        addresses.join(",")
    }
}
