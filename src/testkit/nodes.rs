//! A test's broker as several brokers: whom clients have to ask, who moves, who is down.

use std::net::SocketAddr;
use std::sync::Arc;

use super::{TestBroker, TestBrokerBuilder};
use crate::broker::{Broker, Nodes};
use crate::error::Result;
use crate::model::BrokerId;

impl TestBrokerBuilder {
    /// Is `count` brokers to its clients, each with an address of its own: leaders of partitions, coordinators and the
    /// controller are spread over them, and a request that comes to the wrong one is answered as Kafka does
    /// (NOT_LEADER_OR_FOLLOWER, NOT_COORDINATOR, NOT_CONTROLLER). All are doors to the same topics and groups, so
    /// that replicas are always in sync. Their ids count from 1, unless `node.id` says otherwise.
    ///
    /// A topic has a replica on each broker, unless its making or `default.replication.factor` says otherwise.
    ///
    /// # Examples
    /// ```
    /// use ottla::{NewTopic, TestBroker};
    /// # fn main() -> Result<(), ottla::Error> {
    /// let kafka = TestBroker::builder().nodes(3).start()?;
    /// assert_eq!(kafka.bootstrap_servers().split(',').count(), 3);
    /// kafka.admin().create_topic(NewTopic::new("orders", 3))?;
    ///
    /// let moved_to = kafka.move_leader("orders", 0, None)?;
    /// let partition = &kafka.admin().describe_topic("orders")?.partitions[0];
    /// assert_eq!((partition.leader, partition.leader_epoch), (moved_to, 1));
    ///
    /// kafka.node_down(moved_to)?;
    /// assert_ne!(kafka.admin().describe_topic("orders")?.partitions[0].leader, moved_to);
    /// # Ok(())
    /// # }
    /// ```
    pub fn nodes(mut self, count: u16) -> Self {
        self.nodes = count.max(1);
        self.broker = self.broker.set_own("default.replication.factor", count.max(1).to_string());
        self
    }

    /// Offers its clients these versions of these APIs only, such as
    /// [those of an older Kafka](crate::ApiVersionRanges::kafka_2_7).
    ///
    /// # Examples
    /// ```
    /// use ottla::{ApiKey, ApiVersionRanges, TestBroker};
    /// # fn main() -> Result<(), ottla::Error> {
    /// let versions = ApiVersionRanges::kafka_2_7().without(ApiKey::InitProducerId);
    /// let kafka = TestBroker::builder().api_versions(versions).start()?;
    /// # drop(kafka);
    /// # Ok(())
    /// # }
    /// ```
    pub fn api_versions(mut self, versions: crate::server::ApiVersionRanges) -> Self {
        self.versions = Some(versions);
        self
    }
}

/// Has a broker be several, if the test wants that.
pub(super) fn attach(broker: &Broker, nodes: Option<&Arc<Nodes>>) {
    if let Some(nodes) = nodes {
        // It was opened just now, and has none.
        let _ = broker.core.nodes.set(Arc::clone(nodes));
    }
}

impl TestBroker {
    /// The ids of the brokers that this one is to its clients: see [`TestBrokerBuilder::nodes`].
    pub fn node_ids(&self) -> Vec<BrokerId> {
        self.nodes.as_ref().map_or_else(|| vec![self.core.node_id], |nodes| nodes.ids().to_vec())
    }

    /// Whether one of them is up.
    pub fn is_node_up(&self, node: BrokerId) -> bool {
        self.nodes.as_ref().map_or(node == self.core.node_id, |nodes| nodes.is_up(node))
    }

    /// The address of one of them, whether it is up or not; `None` if there is no such broker.
    pub fn node_addr(&self, node: BrokerId) -> Option<SocketAddr> {
        self.doors.lock().address(node)
    }

    /// Has another broker lead a partition, as after an election: `to`, or the next one that is up. The leader epoch
    /// increases. Returns which it is.
    ///
    /// # Errors
    /// [`UnknownTopicOrPartition`](crate::ErrorCode::UnknownTopicOrPartition);
    /// [`BrokerNotAvailable`](crate::ErrorCode::BrokerNotAvailable): there is no such broker, or it is down;
    /// [`InvalidRequest`](crate::ErrorCode::InvalidRequest): there is one broker only.
    pub fn move_leader(
        &self,
        topic: &str,
        partition: i32,
        to: impl Into<Option<BrokerId>>,
    ) -> Result<BrokerId> {
        self.core.move_leader(topic, partition, to.into())
    }

    /// Has another broker coordinate a group, and with it all that are kept in the same partition of
    /// `__consumer_offsets`. Members that wait for a rebalance are told; the group itself goes on.
    ///
    /// # Errors
    /// As [`TestBroker::move_leader`].
    pub fn move_group_coordinator(&self, group: &str, to: impl Into<Option<BrokerId>>) -> Result<BrokerId> {
        self.core.move_group_coordinator(group, to.into())
    }

    /// Has another broker coordinate a transactional id, and all that are kept in the same partition of
    /// `__transaction_state`.
    ///
    /// # Errors
    /// As [`TestBroker::move_leader`].
    pub fn move_transaction_coordinator(
        &self,
        transactional_id: &str,
        to: impl Into<Option<BrokerId>>,
    ) -> Result<BrokerId> {
        self.core.move_transaction_coordinator(transactional_id, to.into())
    }

    /// Has another broker be the controller.
    ///
    /// # Errors
    /// As [`TestBroker::move_leader`].
    pub fn move_controller(&self, to: impl Into<Option<BrokerId>>) -> Result<BrokerId> {
        self.core.move_controller(to.into())
    }

    /// Which broker coordinates a group; `None` if the one that would is down.
    pub fn group_coordinator(&self, group: &str) -> Option<BrokerId> {
        self.core.group_coordinator(group)
    }

    /// Which broker coordinates a transactional id; `None` if the one that would is down.
    pub fn transaction_coordinator(&self, transactional_id: &str) -> Option<BrokerId> {
        self.core.transaction_coordinator(transactional_id)
    }

    /// Which broker is the controller; `None` if all are down.
    pub fn controller(&self) -> Option<BrokerId> {
        self.nodes.as_ref().map_or(Some(self.core.node_id), |nodes| nodes.controller())
    }

    /// Takes a broker down: its connections end, its port refuses, others lead what it has led, where they have
    /// replicas; what has none elsewhere has no leader.
    ///
    /// # Errors
    /// As [`TestBroker::move_leader`].
    pub fn node_down(&self, node: BrokerId) -> Result<()> {
        self.core.node_down(node)?;
        self.doors.lock().close_node(node);
        self.namespaces.lock().iter_mut().for_each(|open| open.doors.close_node(node));
        Ok(())
    }

    /// Brings a broker up that is down, at the same address. It leads what nobody could lead without it; otherwise
    /// leaders stay where they are. One that is up stays as it is.
    ///
    /// # Errors
    /// As [`TestBroker::start`], and [`BrokerNotAvailable`](crate::ErrorCode::BrokerNotAvailable): there is no such
    /// broker.
    pub fn node_up(&self, node: BrokerId) -> Result<()> {
        if self.nodes.as_ref().is_some_and(|nodes| nodes.is_up(node)) {
            return Ok(());
        }
        self.core.node_up(node)?;
        self.doors.lock().open_node(&self.broker, node)?;
        for open in &mut *self.namespaces.lock() {
            open.doors.open_node(&self.broker, node)?;
        }
        Ok(())
    }
}
